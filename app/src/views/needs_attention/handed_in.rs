//! What the clinic's administrators decide about instead, and whether it has reached them.

use super::matter::what;
use crate::components::{Pill, Tint, icon, use_minute, use_zone};
use crate::text;
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::{LdCircleCheck, LdClock};
use local_core::query::Matter;

#[component]
pub(super) fn HandedInList(matters: Vec<Matter>) -> Element {
    rsx! {
        h2 { class: "settings__title", {text::handed_in_list()} }
        p { class: "sub prose", {text::handed_in_list_why()} }
        div { class: "card",
            ul { class: "list",
                for matter in matters {
                    Line { key: "{matter.rows[0]}", matter }
                }
            }
        }
    }
}

#[component]
fn Line(matter: Matter) -> Element {
    let zone = use_zone();
    let today = use_minute().read().date_in(&zone);
    let written = text::written_at(text::moment(matter.made_at, today, &zone));
    let arrived = matter.handed.and_then(|handed| handed.arrived_at);
    rsx! {
        li { class: "list__row",
            div { class: "list__main",
                div { class: "list__title", {what(&matter)} }
                div { class: "list__sub list__sub--faint", {written} }
            }
            div { class: "list__end",
                if let Some(at) = arrived {
                    Pill { tone: Tint::Ok, small: true, icon: icon(LdCircleCheck),
                        {text::handed_in_at(text::moment(at, today, &zone))}
                    }
                } else {
                    Pill { tone: Tint::Warn, small: true, icon: icon(LdClock), {text::waiting()} }
                }
            }
        }
    }
}
