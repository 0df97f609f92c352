//! A field that offers what fits while one types (the ARIA combobox with a list).
//!
//! Invariant: the focus stays in the field; the list only says which of its options is meant.

use super::{Framed, Size, SpeciesMark, icon, matched};
use crate::host;
use crate::text;
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::{LdPlus, LdSearch};
use shared_model::documents::Species;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ComboOption {
    pub(crate) key: String,
    pub(crate) title: String,
    pub(crate) sub: String,
    pub(crate) lead: Option<Species>,
    /// Not something that is there, but the offer to make it.
    pub(crate) is_new: bool,
}

/// `options` are what fits `text` now; whoever uses it computes them as the text changes.
#[component]
pub(crate) fn Combobox(
    #[props(into)] id: String,
    #[props(into)] label: String,
    text: Signal<String>,
    options: Vec<ComboOption>,
    on_pick: EventHandler<String>,
    #[props(default)] error: Option<String>,
    #[props(default)] hint: Option<String>,
    #[props(default)] optional: bool,
    #[props(default)] autofocus: bool,
    #[props(default)] on_input: EventHandler<String>,
) -> Element {
    let mut typed = text;
    let mut open = use_signal(|| false);
    let mut active = use_signal(|| 0_usize);
    let shown = open() && !options.is_empty();
    let at = active().min(options.len().saturating_sub(1));
    let option_id = |index: usize| format!("{id}-option-{index}");
    let mut pick = move |key: String| {
        open.set(false);
        active.set(0);
        on_pick.call(key);
    };
    let keys: Vec<String> = options.iter().map(|option| option.key.clone()).collect();
    let ids: Vec<String> = (0..options.len()).map(option_id).collect();
    let found = i64::try_from(options.len()).unwrap_or(i64::MAX);
    let active_id = shown.then(|| option_id(at));
    let list_id = format!("{id}-list");
    rsx! {
        Framed { id: id.clone(), label: label.clone(), error: error.clone(), hint: hint.clone(), optional,
            div { class: "combo",
                div { class: "input-icon",
                    {icon(LdSearch)}
                    input {
                        id: id.clone(),
                        class: "input input--icon",
                        role: "combobox",
                        autocomplete: "off",
                        value: "{typed}",
                        "data-autofocus": autofocus.then_some(""),
                        "aria-expanded": "{shown}",
                        "aria-controls": list_id.clone(),
                        "aria-autocomplete": "list",
                        "aria-activedescendant": active_id,
                        "aria-invalid": error.is_some().then_some("true"),
                        "aria-describedby": error.is_some().then(|| format!("{id}-error")),
                        oninput: move |event| {
                            typed.set(event.value());
                            open.set(true);
                            active.set(0);
                            on_input.call(event.value());
                        },
                        onclick: move |_| open.set(true),
                        onblur: move |_| open.set(false),
                        onkeydown: move |event| {
                            let count = keys.len();
                            match event.key() {
                                Key::ArrowDown | Key::ArrowUp if count > 0 => {
                                    event.prevent_default();
                                    let next = if !shown {
                                        open.set(true);
                                        at
                                    } else if event.key() == Key::ArrowDown {
                                        (at + 1) % count
                                    } else {
                                        (at + count - 1) % count
                                    };
                                    active.set(next);
                                    host::scroll_into_view(&ids[next]);
                                }
                                Key::Home if shown => {
                                    event.prevent_default();
                                    active.set(0);
                                }
                                Key::End if shown => {
                                    event.prevent_default();
                                    active.set(count - 1);
                                }
                                Key::Enter if shown && event.modifiers().is_empty() => {
                                    event.prevent_default();
                                    pick(keys[at].clone());
                                }
                                Key::Escape if shown => {
                                    // The list closes, and not the dialog around it.
                                    event.stop_propagation();
                                    open.set(false);
                                }
                                _ => {}
                            }
                        },
                    }
                }
                if shown {
                    ul { class: "listbox", role: "listbox", id: list_id.clone(), "aria-label": label.clone(),
                        for (index , option) in options.into_iter().enumerate() {
                            li {
                                key: "{option.key}",
                                id: option_id(index),
                                class: if option.is_new { "option option--new" } else { "option" },
                                role: "option",
                                "aria-selected": "{index == at}",
                                // The focus stays in the field.
                                onmousedown: |event| event.prevent_default(),
                                onclick: move |_| pick(option.key.clone()),
                                if let Some(species) = option.lead {
                                    SpeciesMark { species, size: Size::Small }
                                } else if option.is_new {
                                    {icon(LdPlus)}
                                }
                                span { class: "option__main",
                                    span { class: "option__title", {matched(&option.title, &typed())} }
                                    if !option.sub.is_empty() {
                                        " "
                                        span { class: "option__sub", {option.sub.clone()} }
                                    }
                                }
                            }
                        }
                    }
                }
            }
            span { class: "visually-hidden", role: "status",
                if shown {
                    {text::options_found(found)}
                }
            }
        }
    }
}
