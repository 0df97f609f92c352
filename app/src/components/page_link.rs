//! A link to another page of the program.

use crate::route::Route;
use dioxus::html::input_data::MouseButton;
use dioxus::prelude::*;

/// `current` marks it as the place where one is; a page below that place counts too, which is why it is said here.
#[component]
pub(crate) fn PageLink(
    to: Route,
    #[props(default, into)] class: String,
    #[props(default)] current: bool,
    #[props(default)] label: Option<String>,
    children: Element,
) -> Element {
    let navigator = use_navigator();
    let href = to.to_string();
    rsx! {
        a {
            class,
            href,
            "aria-current": current.then_some("page"),
            "aria-label": label,
            onclick: move |event: MouseEvent| {
                // A click with Ctrl or the middle button opens a window, as anywhere.
                if event.modifiers().is_empty() && event.trigger_button() == Some(MouseButton::Primary) {
                    event.prevent_default();
                    drop(navigator.push(to.clone()));
                }
            },
            {children}
        }
    }
}
