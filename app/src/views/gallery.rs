use dioxus::prelude::*;
#[component]
pub(crate) fn GalleryPage() -> Element {
    rsx! {}
}
