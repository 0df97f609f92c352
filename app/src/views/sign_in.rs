use dioxus::prelude::*;
#[component]
pub(crate) fn SignInPage() -> Element {
    rsx! {}
}
