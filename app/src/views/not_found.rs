//! An address that leads nowhere.

use crate::components::{
    EmptyState, OpenDialog, PageLink, icon, icon_xl, use_dialogs, use_is_staff, use_title,
};
use crate::host;
use crate::route::Route;
use crate::text;
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::LdSearch;

#[component]
pub(crate) fn NotFoundPage(path: Vec<String>) -> Element {
    use_title(text::nothing_here());
    let dialogs = use_dialogs();
    let staff = use_is_staff();
    let command = if host::has_apple_keys() {
        text::key_cmd_k()
    } else {
        text::key_ctrl_k()
    };
    let _ = path;
    rsx! {
        EmptyState {
            icon: icon_xl(LdSearch),
            title: text::nothing_here(),
            text: text::nothing_here_why(),
            page: true,
            actions: rsx! {
                if staff {
                    button {
                        class: "btn btn--primary",
                        r#type: "button",
                        onclick: move |_| dialogs.open(OpenDialog::Palette),
                        {icon(LdSearch)}
                        {text::find_pet_or_person()}
                        " "
                        kbd { {command} }
                    }
                    PageLink { to: Route::Day {}, class: "btn", {text::back_to_day()} }
                } else {
                    PageLink { to: Route::Day {}, class: "btn", {text::back_to_pets()} }
                }
            },
        }
    }
}
