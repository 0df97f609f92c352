//! The sign-in providers that a clinic's server offers, as buttons below a form.

use super::door::use_doors;
use crate::components::{Sending, TroubleLine, use_sending};
use crate::host::{Call, Errand, use_host};
use crate::text;
use dioxus::prelude::*;
use shared_model::ways_in::Provider;

/// Nothing without providers. `before` says whether somebody may go.
#[component]
pub(super) fn ProviderButtons(errand: Errand, waits: bool, before: Callback<(), bool>) -> Element {
    let (host, doors, sending) = (use_host(), use_doors(), use_sending());
    let offered = use_resource(move || host.call(Call::providers()));
    let takes_up = matches!(errand, Errand::TakeUp { .. });
    let go = use_callback(move |(provider, errand): (Provider, Errand)| {
        if before.call(()) {
            sending.wait_for(host.travel(provider.name, errand), move |back| {
                doors.take_in(back);
            });
        }
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
            if let Some(trouble) = sending.trouble() {
                TroubleLine { trouble }
            }
            for provider in offered.clone() {
                button {
                    key: "{provider.name}",
                    class: "btn btn--lg btn--block",
                    r#type: "button",
                    "aria-disabled": "{waits || sending.is_busy()}",
                    onclick: {
                        let going = (provider.clone(), errand.clone());
                        move |_| {
                            if !waits && !sending.is_busy() {
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
            InBrowser { sending }
        }
    }
}

/// Somebody is at a provider, and can come back without having been there.
#[component]
pub(super) fn InBrowser(sending: Sending) -> Element {
    if !sending.is_busy() {
        return rsx! {};
    }
    rsx! {
        p { class: "sub", role: "status", {text::waiting_for_browser()} }
        button { class: "btn btn--quiet btn--sm", r#type: "button", onclick: move |_| sending.break_off(),
            {text::wait_no_more()}
        }
    }
}
