//! What it is about, and the first thing that shows who asks for it.

use super::is_worth_a_try;
use crate::components::{
    Alert, PasswordField, Tint, TroubleLine, WhosePassword, icon, use_sending, use_toasts,
};
use crate::host::{self, CallTrouble, Change, Deed, Errand, Returned, use_host};
use crate::text;
use crate::views::door::{GateForm, TryAgain, use_doors};
use crate::views::providers::InBrowser;
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::LdCircleAlert;
use shared_model::values::Invalid;
use shared_model::ways_in::{Proof, Provider};

/// What somebody shows first who they are with.
#[derive(Clone, PartialEq)]
pub(in crate::views) enum First {
    /// The password of the account with this address.
    Password(String),
    /// A provider that is linked, for the account with this address.
    Provider(Provider, String),
    /// They have been at the provider.
    Returned(Returned),
}

#[component]
pub(super) fn ShowFirst(
    change: Change,
    first: First,
    busy: bool,
    trouble: Option<CallTrouble>,
    in_dialog: bool,
    on_proof: EventHandler<Proof>,
) -> Element {
    let means = text::way_in_change_means(&change);
    let words = if means.is_empty() {
        text::prove_first().to_owned()
    } else {
        format!("{means} {}", text::prove_first())
    };
    match first {
        First::Password(email) => rsx! {
            p { class: "sub", {words} }
            PasswordFirst { change, email, busy, trouble, in_dialog, on_proof }
        },
        First::Provider(provider, email) => rsx! {
            p { class: "sub", {words} }
            ProviderFirst { change, provider, email }
        },
        First::Returned(returned) => rsx! {
            Back { returned, busy, trouble, on_proof }
        },
    }
}

#[component]
fn PasswordFirst(
    change: Change,
    email: String,
    busy: bool,
    trouble: Option<CallTrouble>,
    in_dialog: bool,
    on_proof: EventHandler<Proof>,
) -> Element {
    let password = use_signal(String::new);
    let mut missing = use_signal(|| false);
    let wrong = trouble == Some(CallTrouble::WrongCredentials);
    let error = if missing() {
        Some(text::invalid(text::password(), Invalid::Empty))
    } else {
        wrong.then(|| text::password_not_that().to_owned())
    };
    let action = match &change {
        _ if busy => text::asking_clinic().to_owned(),
        Change::Link(provider) => text::link_provider_go_on(&provider.label),
        _ => text::go_on().to_owned(),
    };
    rsx! {
        GateForm {
            id: "prove",
            in_dialog,
            action,
            waits: busy,
            on_submit: move |()| {
                if busy {
                    return;
                }
                missing.set(password.peek().is_empty());
                if missing() {
                    host::focus("password-now");
                } else {
                    on_proof.call(Proof::Password(password.peek().clone()));
                }
            },
            match trouble {
                Some(trouble) if !wrong => rsx! {
                    TroubleLine { trouble }
                },
                _ => rsx! {},
            }
            WhosePassword { email }
            PasswordField {
                id: "password-now",
                label: text::your_password(),
                value: password,
                autofocus: true,
                error,
                on_input: move |_| missing.set(false),
            }
        }
    }
}

/// Whoever has no password goes to their provider, and goes on behind the door when they are back.
#[component]
fn ProviderFirst(change: Change, provider: Provider, email: String) -> Element {
    let (host, doors, sending, toasts) = (use_host(), use_doors(), use_sending(), use_toasts());
    let name = provider.name.clone();
    let chooses = change == Change::FirstPassword;
    rsx! {
        if let Some(trouble) = sending.trouble() {
            TroubleLine { trouble }
        }
        button {
            class: "btn btn--primary btn--lg btn--block",
            r#type: "button",
            "data-autofocus": "",
            "aria-disabled": "{sending.is_busy()}",
            onclick: move |_| {
                let way = host.travel(name.clone(), Errand::Prove(change.clone()));
                sending.wait_for(way, move |back| doors.take_in(back));
            },
            {text::link_provider_go_on(&provider.label)}
        }
        InBrowser { sending }
        // A provider that does not tell when somebody signed in proves nothing.
        if chooses {
            div { class: "other-ways",
                button {
                    class: "btn btn--quiet btn--sm",
                    r#type: "button",
                    onclick: move |_| {
                        let words = text::choose_password_sent(&email);
                        sending.send(Deed::forgot_password(email.clone()), move |_| toasts.say(words));
                    },
                    {text::choose_by_mail()}
                }
            }
        }
    }
}

#[component]
fn Back(
    returned: Returned,
    busy: bool,
    trouble: Option<CallTrouble>,
    on_proof: EventHandler<Proof>,
) -> Element {
    let show = use_callback(move |()| on_proof.call(returned.proof()));
    use_effect(move || show.call(()));
    match trouble {
        Some(trouble) => rsx! {
            TroubleUnderMe { trouble: trouble.clone() }
            if is_worth_a_try(&trouble) {
                TryAgain { waits: busy, on_try: show }
            }
        },
        None => rsx! {
            p { class: "sub", role: "status", {text::asking_clinic()} }
        },
    }
}

/// Why nothing came of a way to a provider. Only whoever is signed in here comes to it, and is told above who that is.
#[component]
pub(in crate::views) fn TroubleUnderMe(trouble: CallTrouble) -> Element {
    let (title, words) = text::trouble_under_me(&trouble);
    rsx! {
        Alert { tone: Tint::Warn, icon: icon(LdCircleAlert), title, text: words, urgent: true }
    }
}
