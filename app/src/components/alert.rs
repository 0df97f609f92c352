//! What must stay in sight.

use super::Tint;
use dioxus::prelude::*;

/// `urgent` reads it out when it appears.
#[component]
pub(crate) fn Alert(
    #[props(default)] tone: Tint,
    icon: Element,
    #[props(into)] title: String,
    #[props(into, default)] text: String,
    #[props(default)] line: bool,
    #[props(default)] urgent: bool,
    children: Element,
) -> Element {
    rsx! {
        section {
            class: if line { "alert alert--line" } else { "alert" },
            "data-tone": tone.word(),
            role: if urgent { "alert" },
            {icon}
            p { class: "alert__title", {title} }
            if !text.is_empty() {
                p { class: "alert__text", {text} }
            }
            if children != VNode::empty() {
                div { class: "alert__actions", {children} }
            }
        }
    }
}
