//! The sign-in providers that a clinic's server offers, as buttons below a form.

use super::door::{Door, use_doors};
use crate::components::TroubleLine;
use crate::host::{Call, CallTrouble, Errand, use_host};
use crate::text;
use dioxus::prelude::*;
use shared_model::ways_in::Provider;

/// Nothing without providers. `before` says whether somebody may go.
#[component]
pub(super) fn ProviderButtons(errand: Errand, waits: bool, before: Callback<(), bool>) -> Element {
    let (host, doors) = (use_host(), use_doors());
    let offered = use_resource(move || host.call(Call::providers()));
    let mut gone_to = use_signal(|| None::<String>);
    let mut trouble = use_signal(|| None::<CallTrouble>);
    let takes_up = matches!(errand, Errand::TakeUp { .. });
    let go = use_callback(move |(provider, errand): (Provider, Errand)| {
        if !before.call(()) {
            return;
        }
        gone_to.set(Some(provider.name.clone()));
        trouble.set(None);
        spawn(async move {
            let back = host.travel(provider.name, errand).await;
            gone_to.set(None);
            match back {
                Ok(Some(returned)) => doors.open(Door::Returned(Some(returned))),
                Ok(None) => {}
                Err(why) => trouble.set(Some(why)),
            }
        });
    });
    let offered = offered.read();
    let Some(Ok(offered)) = &*offered else {
        return rsx! {};
    };
    if offered.is_empty() {
        return rsx! {};
    }
    rsx! {
        div { class: "providers",
            div { class: "sign-in__or", {text::or()} }
            if let Some(trouble) = trouble() {
                TroubleLine { trouble }
            }
            for provider in offered.clone() {
                button {
                    key: "{provider.name}",
                    class: "btn btn--lg btn--block",
                    r#type: "button",
                    "aria-disabled": "{waits || gone_to().is_some()}",
                    onclick: {
                        let going = (provider.clone(), errand.clone());
                        move |_| {
                            if !waits && gone_to.peek().is_none() {
                                go.call(going.clone());
                            }
                        }
                    },
                    if takes_up {
                        {text::join_with(&provider.label)}
                    } else {
                        {text::sign_in_with(&provider.label)}
                    }
                }
            }
            if gone_to().is_some() {
                p { class: "sub", role: "status", {text::waiting_for_browser()} }
            }
        }
    }
}
