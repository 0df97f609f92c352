//! The page's name in the browser's tab or the window's frame.

use crate::host;
use crate::text;
use dioxus::prelude::*;

/// Names the page for as long as it is shown.
pub(crate) fn use_title(name: impl Into<String>) {
    let name: String = name.into();
    use_effect(use_reactive!(|name| host::set_title(&text::page_title(
        text::app_name(),
        name
    ))));
}
