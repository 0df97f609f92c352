//! The staff's frame: navigation, top bar, the page, and the bottom bar of a phone.

use super::banners::Banners;
use super::navigation::{Side, TabBar};
use super::status::Status;
use crate::components::{
    Drawer, NavButton, OpenDialog, icon, use_dialogs, use_drawers, use_is_staff, use_status,
};
use crate::host;
use crate::route::Route;
use crate::text;
use crate::views::first_sync::FirstSyncPage;
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::{LdPlus, LdSearch, LdUserPlus};

#[component]
pub(super) fn Frame() -> Element {
    let drawers = use_drawers();
    let status = use_status();
    let arriving = use_memo(move || {
        let first = status.read().as_ref().and_then(|status| status.first_sync);
        first.filter(|first| !first.usable)
    });
    rsx! {
        div {
            class: "shell",
            "data-drawer": drawers.now().map(Drawer::word),
            onkeydown: move |event| {
                if event.key() == Key::Escape {
                    drawers.close();
                }
            },
            Side {}
            button {
                class: "drawer-scrim",
                r#type: "button",
                tabindex: "-1",
                "aria-label": text::close(),
                onclick: move |_| drawers.close(),
            }
            Top {}
            main { class: "main", id: "content", tabindex: "-1",
                Banners {}
                if let Some(progress) = arriving() {
                    FirstSyncPage { progress }
                } else {
                    Outlet::<Route> {}
                }
            }
            TabBar {}
        }
    }
}

#[component]
fn Top() -> Element {
    let dialogs = use_dialogs();
    if !use_is_staff() {
        // Whoever works at no clinic has no records to find or to write.
        return rsx! {
            header { class: "top top--bare", NavButton {} }
        };
    }
    let command = if host::has_apple_keys() {
        text::key_cmd_k()
    } else {
        text::key_ctrl_k()
    };
    rsx! {
        header { class: "top",
            NavButton {}
            button {
                class: "search",
                r#type: "button",
                "aria-haspopup": "dialog",
                "aria-keyshortcuts": "Control+K",
                onclick: move |_| dialogs.open(OpenDialog::Palette),
                {icon(LdSearch)}
                span { class: "search__words", {text::search_hint()} }
                kbd { {command} }
            }
            div { class: "top__end",
                button {
                    class: "btn",
                    r#type: "button",
                    "aria-keyshortcuts": "N",
                    onclick: move |_| dialogs.open(OpenDialog::NewClient),
                    {icon(LdUserPlus)}
                    span { class: "top__words", {text::new_client()} }
                    kbd { "N" }
                }
                button {
                    class: "btn btn--primary",
                    r#type: "button",
                    "aria-keyshortcuts": "B",
                    onclick: move |_| dialogs.open(OpenDialog::BOOK),
                    {icon(LdPlus)}
                    {text::book()}
                    " "
                    kbd { "B" }
                }
                Status {}
            }
        }
    }
}
