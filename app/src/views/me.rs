use dioxus::prelude::*;
#[component]
pub(crate) fn MePage() -> Element {
    rsx! {}
}
