//! The page's name in the browser's tab or the window's frame.

use crate::host;
use crate::text;
use dioxus::prelude::*;

/// Names the page after somebody, where that stays with the window. A browser writes every title into its history, and shows
/// it there while the device is locked: it gets the kind of page alone.
pub(crate) fn use_title_of(kind: &'static str, name: impl Into<String>) {
    use_title(if host::KEEPS_TITLES {
        kind.to_owned()
    } else {
        name.into()
    });
}

/// Names the page for as long as it is shown.
pub(crate) fn use_title(name: impl Into<String>) {
    let name: String = name.into();
    use_effect(use_reactive!(|name| host::set_title(&text::page_title(
        text::app_name(),
        name
    ))));
}
