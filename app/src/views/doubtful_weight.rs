//! A weight that looks like pounds where kilograms were before: asked before anything is recorded.

use crate::components::{Alert, Tint, icon};
use crate::text;
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::LdTriangleAlert;
use shared_model::values::Weight;

#[component]
pub(super) fn DoubtfulWeight(
    weight: Weight,
    before: Weight,
    on_record: EventHandler<Weight>,
    on_leave: EventHandler<()>,
) -> Element {
    let converted = Weight::parse(&format!("{weight} lb"))
        .ok()
        .filter(|_| weight > before);
    rsx! {
        Alert {
            tone: Tint::Warn,
            icon: icon(LdTriangleAlert),
            title: text::weight_doubtful(text::weight(before), text::weight(weight)),
            urgent: true,
            if let Some(converted) = converted {
                button { class: "btn btn--sm", r#type: "button", onclick: move |_| on_record.call(converted),
                    {text::weight_as_pounds(text::weight(converted), weight)}
                }
            }
            button { class: "btn btn--sm", r#type: "button", onclick: move |_| on_record.call(weight),
                {text::weight_keep(text::weight(weight))}
            }
            button { class: "btn btn--sm", r#type: "button", onclick: move |_| on_leave.call(()), {text::not_now()} }
        }
    }
}
