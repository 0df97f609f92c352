//! A menu and the button that opens it.
//!
//! Invariant: the focus goes to the first item when it opens and back to the button when it closes, before the choice
//! is acted on, so that a dialog which follows gives the focus back to the button.

use super::choices::neighbour;
use super::use_element_id;
use crate::host;
use dioxus::prelude::*;

#[derive(Clone, PartialEq)]
pub(crate) struct MenuItem {
    pub(crate) key: String,
    pub(crate) label: String,
    /// Made with `icon`; `VNode::empty()` for none.
    pub(crate) icon: Element,
    /// The key that does the same without the menu.
    pub(crate) shortcut: Option<&'static str>,
    pub(crate) danger: bool,
    /// For one that is on or off.
    pub(crate) checked: Option<bool>,
    /// A line above it.
    pub(crate) apart: bool,
}

impl MenuItem {
    pub(crate) fn new(key: impl Into<String>, label: impl Into<String>, icon: Element) -> Self {
        Self {
            key: key.into(),
            label: label.into(),
            icon,
            shortcut: None,
            danger: false,
            checked: None,
            apart: false,
        }
    }
}

#[component]
pub(crate) fn Menu(
    #[props(into)] id: String,
    #[props(into)] label: String,
    /// Above the items, as whose they are.
    #[props(default)]
    title: Option<String>,
    items: Vec<MenuItem>,
    on_pick: EventHandler<String>,
    on_close: EventHandler<()>,
) -> Element {
    let count = items.len();
    let mut at = use_signal(|| 0_usize);
    let item_id = {
        let id = id.clone();
        move |index: usize| format!("{id}-item-{index}")
    };
    let move_to = item_id.clone();
    let first = item_id(0);
    rsx! {
        div {
            id,
            class: "menu",
            role: "menu",
            "aria-label": label,
            onmounted: move |_| host::focus(&first),
            onkeydown: move |event| {
                if let Some(next) = neighbour(&event.key(), at(), count) {
                    event.prevent_default();
                    at.set(next);
                    host::focus(&move_to(next));
                } else if matches!(event.key(), Key::Escape | Key::Tab) {
                    event.stop_propagation();
                    on_close.call(());
                }
            },
            if let Some(title) = title {
                div { class: "menu__label", "aria-hidden": "true", {title} }
            }
            for (index , item) in items.into_iter().enumerate() {
                if item.apart {
                    hr { class: "menu__line" }
                }
                button {
                    id: item_id(index),
                    class: "menu__item",
                    r#type: "button",
                    role: if item.checked.is_some() { "menuitemcheckbox" } else { "menuitem" },
                    "aria-checked": item.checked.map(|checked| checked.to_string()),
                    "data-tone": item.danger.then_some("danger"),
                    tabindex: "-1",
                    onclick: move |_| on_pick.call(item.key.clone()),
                    {item.icon}
                    {item.label}
                    if let Some(shortcut) = item.shortcut {
                        kbd { {shortcut} }
                    }
                }
            }
        }
    }
}

/// A button with its menu below. `children` are what stands on the button; `label` is its name if that is only an icon.
#[component]
pub(crate) fn MenuButton(
    #[props(into)] label: String,
    #[props(default = "btn", into)] class: String,
    items: Vec<MenuItem>,
    on_pick: EventHandler<String>,
    children: Element,
) -> Element {
    let id = use_element_id("menu");
    let mut open = use_signal(|| false);
    let button_id = format!("{id}-button");
    let mut close = {
        let button_id = button_id.clone();
        move || {
            host::focus(&button_id);
            open.set(false);
        }
    };
    let mut close_and_pick = close.clone();
    rsx! {
        div {
            class: "anchor",
            onfocusout: {
                let within = id.clone();
                move |_| {
                    let id = within.clone();
                    // Where the focus went is known only after it has left.
                    spawn(async move {
                        if open() && !host::has_focus_within(&id).await {
                            open.set(false);
                        }
                    });
                }
            },
            button {
                id: button_id,
                class,
                r#type: "button",
                "aria-haspopup": "menu",
                "aria-expanded": "{open}",
                "aria-controls": open().then(|| id.clone()),
                "aria-label": label.clone(),
                onclick: move |_| open.toggle(),
                onkeydown: move |event| {
                    if event.key() == Key::ArrowDown {
                        event.prevent_default();
                        open.set(true);
                    }
                },
                {children}
            }
            if open() {
                Menu {
                    id: id.clone(),
                    label: label.clone(),
                    items,
                    on_pick: move |key| {
                        close_and_pick();
                        on_pick.call(key);
                    },
                    on_close: move |()| close(),
                }
            }
        }
    }
}
