use dioxus::prelude::*;
#[component]
pub(crate) fn PatientsPage() -> Element {
    rsx! {}
}
#[component]
pub(crate) fn ClientsPage() -> Element {
    rsx! {}
}
