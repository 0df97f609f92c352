//! Digits for fingers; a keyboard types into the field itself.

use crate::components::icon;
use crate::text;
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::LdDelete;

#[component]
pub(super) fn Keypad(typed: Signal<String>) -> Element {
    let mut typed = typed;
    rsx! {
        div { class: "keypad", role: "group", "aria-label": text::keypad(),
            for digit in ["1", "2", "3", "4", "5", "6", "7", "8", "9", "0"] {
                button {
                    key: "{digit}",
                    class: "btn btn--lg keypad__key",
                    r#type: "button",
                    tabindex: "-1",
                    onclick: move |_| typed.write().push_str(digit),
                    {digit}
                }
            }
            button {
                class: "btn btn--lg keypad__key",
                r#type: "button",
                tabindex: "-1",
                "aria-label": text::take_back_digit(),
                onclick: move |_| {
                    typed.write().pop();
                },
                {icon(LdDelete)}
            }
        }
    }
}
