use crate::host::HostTrouble;
use dioxus::prelude::*;
#[component]
pub(crate) fn NoStorePage(trouble: HostTrouble) -> Element {
    let _ = trouble;
    rsx! {}
}
