use dioxus::prelude::*;
#[component]
pub(crate) fn WaitingPage() -> Element {
    rsx! {}
}
