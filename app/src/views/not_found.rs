use dioxus::prelude::*;
#[component]
pub(crate) fn NotFoundPage(path: Vec<String>) -> Element {
    let _ = path;
    rsx! {}
}
