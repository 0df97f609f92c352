//! A client.

use dioxus::prelude::*;
use shared_model::ids::ClientId;

#[component]
pub(crate) fn ClientPage(id: ClientId) -> Element {
    let _ = id;
    rsx! {}
}

#[component]
pub(crate) fn NewClientDialog(on_close: EventHandler<()>) -> Element {
    let _ = on_close;
    rsx! {}
}
