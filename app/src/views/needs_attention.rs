use dioxus::prelude::*;
#[component]
pub(crate) fn NeedsAttentionPage() -> Element {
    rsx! {}
}
