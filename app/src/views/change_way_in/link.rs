//! On to the provider whose account is to be another way in.

use super::use_late;
use crate::components::{TroubleLine, use_sending};
use crate::host::{Secret, use_host};
use crate::text;
use crate::views::door::{TryAgain, use_doors};
use crate::views::providers::InBrowser;
use dioxus::prelude::*;
use shared_model::ways_in::Provider;

/// Whoever cancels there, or comes back without having been there, can go once more.
#[component]
pub(super) fn GoAndLink(word: Secret, provider: Provider, on_late: EventHandler<()>) -> Element {
    let (host, doors, sending) = (use_host(), use_doors(), use_sending());
    let mut begun = use_signal(|| false);
    let go = use_callback(move |()| {
        let way = host.travel_to_link(provider.name.clone(), word.clone());
        sending.wait_for(way, move |back| doors.take_in(back));
        begun.set(true);
    });
    use_effect(move || go.call(()));
    use_late(sending, on_late);
    rsx! {
        if sending.is_busy() || !begun() {
            InBrowser { sending }
        } else {
            match sending.trouble() {
                Some(trouble) => rsx! {
                    TroubleLine { trouble }
                },
                None => rsx! {
                    p { role: "status", {text::nothing_linked()} }
                },
            }
            TryAgain { waits: false, on_try: go }
        }
    }
}
