//! Nothing to show: a sentence and what to do next.

use dioxus::prelude::*;

/// `icon` is made with `icon_xl`. `page` makes it the page's own heading.
#[component]
pub(crate) fn EmptyState(
    icon: Element,
    #[props(into)] title: String,
    #[props(into)] text: String,
    #[props(default = VNode::empty())] actions: Element,
    #[props(default)] page: bool,
) -> Element {
    rsx! {
        div { class: if page { "empty empty--page" } else { "empty" },
            {icon}
            if page {
                h1 { class: "empty__title", {title} }
            } else {
                h2 { class: "empty__title", {title} }
            }
            p { class: "empty__text", {text} }
            if actions != VNode::empty() {
                div { class: "empty__actions", {actions} }
            }
        }
    }
}
