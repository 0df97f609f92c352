//! All keys, those of the open page first.

use crate::components::{Dialog, KeyBoard};
use crate::host;
use crate::text;
use dioxus::prelude::*;

#[component]
pub(super) fn KeysDialog(on_close: EventHandler<()>) -> Element {
    let page = use_context::<KeyBoard>().of_page();
    let command = if host::has_apple_keys() {
        text::key_cmd_k()
    } else {
        text::key_ctrl_k()
    };
    let everywhere: [(&[&str], &str); 8] = [
        (&[command], text::search_hint_plain()),
        (&["B"], text::book_appointment()),
        (&["N"], text::new_client()),
        (&["G", "D"], text::go_to_day()),
        (&["G", "P"], text::go_to_patients()),
        (&["G", "C"], text::go_to_clients()),
        (&["L"], text::lock()),
        (&["?"], text::list_of_keys()),
    ];
    rsx! {
        Dialog { title: text::list_of_keys(), on_close,
            if !page.is_empty() {
                section { class: "stack stack--tight",
                    h3 { {text::keys_of_page()} }
                    dl { class: "facts",
                        for key in page {
                            dt { kbd { {shown(key.key)} } }
                            dd { {key.label} }
                        }
                    }
                }
            }
            section { class: "stack stack--tight",
                h3 { {text::keys_everywhere()} }
                dl { class: "facts",
                    for (keys , does) in everywhere {
                        dt { class: "row",
                            for key in keys.iter() {
                                kbd { {*key} }
                            }
                        }
                        dd { {does} }
                    }
                }
            }
        }
    }
}

/// A key as it is printed on a keyboard.
fn shown(key: &str) -> String {
    match key {
        "ArrowLeft" => "←".to_owned(),
        "ArrowRight" => "→".to_owned(),
        "ArrowUp" => "↑".to_owned(),
        "ArrowDown" => "↓".to_owned(),
        key => key.to_uppercase(),
    }
}
