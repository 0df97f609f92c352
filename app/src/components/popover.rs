//! A button with something to read below it. It closes when one turns to something else.

use super::use_element_id;
use crate::host;
use dioxus::prelude::*;

/// `button` is what stands on the button, `children` what opens below it.
#[component]
pub(crate) fn Popover(
    #[props(into)] label: String,
    #[props(into)] class: String,
    #[props(default)] state: Option<&'static str>,
    button: Element,
    children: Element,
) -> Element {
    let id = use_element_id("popover");
    let mut open = use_signal(|| false);
    let button_id = format!("{id}-button");
    let (opener, within, mounted) = (button_id.clone(), id.clone(), id.clone());
    rsx! {
        div {
            class: "anchor",
            onkeydown: move |event| {
                if event.key() == Key::Escape && open() {
                    event.stop_propagation();
                    host::focus(&opener);
                    open.set(false);
                }
            },
            onfocusout: move |_| {
                let within = within.clone();
                // Where the focus went is known only after it has left.
                spawn(async move {
                    if open() && !host::has_focus_within(&within).await {
                        open.set(false);
                    }
                });
            },
            button {
                id: button_id,
                class,
                r#type: "button",
                "data-state": state,
                "aria-haspopup": "dialog",
                "aria-expanded": "{open}",
                // A press would take the focus out of what is open, and the click that follows would open it again.
                onmousedown: move |event| {
                    if open() {
                        event.prevent_default();
                    }
                },
                onclick: move |_| open.toggle(),
                {button}
            }
            if open() {
                div {
                    id,
                    class: "popover",
                    role: "dialog",
                    "aria-label": label,
                    tabindex: "-1",
                    onmounted: move |_| host::focus(&mounted),
                    {children}
                }
            }
        }
    }
}
