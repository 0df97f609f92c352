//! One of a few: segments, tabs, and a switch. Arrow keys move between them as everywhere on the platform.

use super::use_element_id;
use crate::host;
use dioxus::prelude::*;

/// `options` are values with their words.
#[component]
pub(crate) fn Segmented(
    #[props(into)] label: String,
    options: Vec<(String, String)>,
    #[props(into)] value: String,
    on_pick: EventHandler<String>,
    #[props(default)] block: bool,
) -> Element {
    let id = use_element_id("segments");
    let keys: Vec<String> = options.iter().map(|(key, _)| key.clone()).collect();
    // Somebody who has not chosen yet can still reach the first.
    let reachable = keys.iter().position(|key| *key == value).unwrap_or(0);
    rsx! {
        div {
            class: if block { "segmented segmented--block" } else { "segmented" },
            role: "radiogroup",
            "aria-label": label,
            onkeydown: {
                let id = id.clone();
                move |event: KeyboardEvent| {
                    if let Some(next) = neighbour(&event.key(), reachable, keys.len()) {
                        event.prevent_default();
                        host::focus(&format!("{id}-{next}"));
                        on_pick.call(keys[next].clone());
                    }
                }
            },
            for (index , (key , words)) in options.into_iter().enumerate() {
                button {
                    key: "{key}",
                    id: "{id}-{index}",
                    class: "segmented__option",
                    r#type: "button",
                    role: "radio",
                    "aria-checked": "{key == value}",
                    tabindex: if index == reachable { "0" } else { "-1" },
                    onclick: move |_| on_pick.call(key.clone()),
                    {words}
                }
            }
        }
    }
}

/// The next of `count` that an arrow key means.
pub(crate) fn neighbour(key: &Key, at: usize, count: usize) -> Option<usize> {
    if count == 0 {
        return None;
    }
    match key {
        Key::ArrowRight | Key::ArrowDown => Some((at + 1) % count),
        Key::ArrowLeft | Key::ArrowUp => Some((at + count - 1) % count),
        Key::Home => Some(0),
        Key::End => Some(count - 1),
        _ => None,
    }
}

/// The list of tabs; draw the chosen one's [`TabPanel`] below it.
#[component]
pub(crate) fn Tabs(
    #[props(into)] id: String,
    #[props(into)] label: String,
    tabs: Vec<(String, String)>,
    #[props(into)] value: String,
    on_pick: EventHandler<String>,
) -> Element {
    let keys: Vec<String> = tabs.iter().map(|(key, _)| key.clone()).collect();
    let reachable = keys.iter().position(|key| *key == value).unwrap_or(0);
    let group = id.clone();
    rsx! {
        div {
            class: "tabs",
            role: "tablist",
            "aria-label": label,
            onkeydown: move |event| {
                if let Some(next) = neighbour(&event.key(), reachable, keys.len()) {
                    event.prevent_default();
                    host::focus(&format!("{group}-tab-{}", keys[next]));
                    on_pick.call(keys[next].clone());
                }
            },
            for (index , (key , words)) in tabs.into_iter().enumerate() {
                button {
                    key: "{key}",
                    id: "{id}-tab-{key}",
                    class: "tabs__tab",
                    r#type: "button",
                    role: "tab",
                    "aria-selected": "{key == value}",
                    "aria-controls": (key == value).then(|| format!("{id}-panel-{key}")),
                    tabindex: if index == reachable { "0" } else { "-1" },
                    onclick: move |_| on_pick.call(key.clone()),
                    {words}
                }
            }
        }
    }
}

/// What the tab `value` of the tabs `id` shows.
#[component]
pub(crate) fn TabPanel(
    #[props(into)] id: String,
    #[props(into)] value: String,
    children: Element,
) -> Element {
    rsx! {
        div { id: "{id}-panel-{value}", role: "tabpanel", tabindex: "0", "aria-labelledby": "{id}-tab-{value}",
            {children}
        }
    }
}

#[component]
pub(crate) fn Switch(#[props(into)] label: String, on: bool, on_change: EventHandler<bool>) -> Element {
    rsx! {
        button {
            class: "switch",
            r#type: "button",
            role: "switch",
            "aria-checked": "{on}",
            "aria-label": label,
            onclick: move |_| on_change.call(!on),
        }
    }
}
