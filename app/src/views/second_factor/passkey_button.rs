//! Signing in with a passkey alone, where the browser and the server have them.

use super::ask::PasskeyTroubleLine;
use crate::components::{TroubleLine, icon};
use crate::host::{self, Call, CallTrouble, PasskeyTrouble, Secret, use_host};
use crate::text;
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::LdKeyRound;

/// `on_given` is called with the offer and what the browser gave.
#[component]
pub(in crate::views) fn PasskeyButton(waits: bool, on_given: EventHandler<(Secret, Secret)>) -> Element {
    let host = use_host();
    let offered = use_resource(move || async move {
        host::has_passkeys() && matches!(host.call(Call::passkeys_offered()).await, Ok(here) if here.offered)
    });
    let mut asking = use_signal(|| false);
    let mut trouble = use_signal(|| None::<CallTrouble>);
    let mut no_passkey = use_signal(|| None::<PasskeyTrouble>);
    if *offered.read() != Some(true) {
        return rsx! {};
    }
    let ask = move |_| {
        if waits || asking() {
            return;
        }
        asking.set(true);
        trouble.set(None);
        no_passkey.set(None);
        spawn(async move {
            match host.call(Call::begin_passkey_sign_in()).await {
                Err(why) => trouble.set(Some(why)),
                Ok(begun) => match host::show_passkey(&begun.options).await {
                    Err(why) => no_passkey.set(Some(why)),
                    Ok(credential) => on_given.call((begun.offer.into(), credential)),
                },
            }
            asking.set(false);
        });
    };
    rsx! {
        div { class: "providers",
            if let Some(trouble) = trouble() {
                TroubleLine { trouble }
            }
            if let Some(trouble) = no_passkey() {
                PasskeyTroubleLine { trouble }
            }
            button {
                class: "btn btn--lg btn--block",
                r#type: "button",
                "aria-disabled": "{waits || asking()}",
                onclick: ask,
                {icon(LdKeyRound)}
                {text::sign_in_with_passkey()}
            }
        }
    }
}
