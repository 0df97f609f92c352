//! What it is about, and the first thing that shows who asks for it.

use super::TryOnceMore;
use crate::components::{
    Alert, Tint, TroubleLine, WhosePassword, icon, seconds_to_wait, use_sending, use_slowed, use_toasts,
};
use crate::host::{self, CallTrouble, Change, Deed, Errand, Returned, use_host};
use crate::text;
use crate::views::door::{GateForm, use_doors};
use crate::views::providers::InBrowser;
use crate::views::typed_password::{TypedPasswordField, Wanted, use_typed_password};
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::LdCircleAlert;
use shared_model::ways_in::{Proof, Provider};

/// What somebody shows first who they are with.
#[derive(Clone, PartialEq)]
pub(in crate::views) enum First {
    /// The password of the account with this address.
    Password(String),
    /// One of the providers that are linked, for the account with this address.
    Providers(Vec<Provider>, String),
    /// They have been at the provider.
    Returned(Returned),
}

#[component]
pub(super) fn ShowFirst(
    change: Change,
    first: First,
    busy: bool,
    trouble: Signal<Option<CallTrouble>>,
    in_dialog: bool,
    on_proof: EventHandler<Proof>,
) -> Element {
    let words = rsx! {
        for words in text::way_in_change_means(&change) {
            p { class: "sub", {words} }
        }
        p { class: "sub", {text::prove_first()} }
    };
    match first {
        First::Password(email) => rsx! {
            {words}
            PasswordFirst { change, email, busy, trouble, in_dialog, on_proof }
        },
        First::Providers(providers, email) => rsx! {
            {words}
            ProviderFirst { change, providers, email }
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
    trouble: Signal<Option<CallTrouble>>,
    in_dialog: bool,
    on_proof: EventHandler<Proof>,
) -> Element {
    let typed = use_signal(String::new);
    let password = use_typed_password("password-now", Wanted::Present, typed, move || {
        trouble.read().clone()
    });
    let slowed = use_slowed(trouble, seconds_to_wait, CallTrouble::SlowDown);
    let waits = busy || slowed();
    let action = match &change {
        _ if busy => text::asking_clinic().to_owned(),
        Change::Link(provider) => text::link_provider_go_on(&provider.label),
        change if change.takes_away() => text::way_in_change_action(change),
        _ => text::go_on().to_owned(),
    };
    rsx! {
        GateForm {
            id: "prove",
            in_dialog,
            action,
            danger: change.takes_away(),
            waits,
            on_submit: move |()| {
                if waits {
                    return;
                }
                if let Some(typed) = password.take() {
                    on_proof.call(Proof::Password(typed));
                }
            },
            match trouble() {
                Some(trouble) if !password.says(&trouble) => rsx! {
                    TroubleLine { trouble }
                },
                _ => rsx! {},
            }
            WhosePassword { email }
            TypedPasswordField { label: text::your_password(), password }
        }
    }
}

/// Whoever has no password goes to a provider of theirs, and goes on behind the door when they are back.
#[component]
fn ProviderFirst(change: Change, providers: Vec<Provider>, email: String) -> Element {
    const ID: &str = "prove-there";
    let (host, doors, sending, toasts) = (use_host(), use_doors(), use_sending(), use_toasts());
    let chooses = change == Change::FirstPassword;
    let go = use_callback(move |provider: String| {
        let way = host.travel(provider, Errand::Prove(change.clone()));
        sending.wait_for(way, move |back| doors.take_in(back));
    });
    rsx! {
        if let Some(trouble) = sending.trouble() {
            TroubleLine { trouble }
        }
        div { class: "providers", id: ID, onmounted: |_| host::focus_into(ID),
            for (nth, provider) in providers.into_iter().enumerate() {
                button {
                    key: "{provider.name}",
                    class: if nth == 0 { "btn btn--primary btn--lg btn--block" } else { "btn btn--lg btn--block" },
                    r#type: "button",
                    "data-autofocus": (nth == 0).then_some(""),
                    "aria-disabled": "{sending.is_busy()}",
                    onclick: {
                        let name = provider.name.clone();
                        move |_| go.call(name.clone())
                    },
                    {text::link_provider_go_on(&provider.label)}
                }
            }
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
    trouble: Signal<Option<CallTrouble>>,
    on_proof: EventHandler<Proof>,
) -> Element {
    let mut begun = use_signal(|| false);
    let show = use_callback(move |()| {
        begun.set(true);
        on_proof.call(returned.proof());
    });
    use_effect(move || show.call(()));
    if busy || !begun() {
        return rsx! {
            p { class: "sub", role: "status", {text::asking_clinic()} }
        };
    }
    rsx! {
        if let Some(trouble) = trouble() {
            TroubleOfWhoIsHere { trouble }
        }
        TryOnceMore { trouble, on_try: show }
    }
}

/// Why nothing came of a way to a provider. Only whoever is signed in here comes to it, and is told above who that is.
#[component]
pub(in crate::views) fn TroubleOfWhoIsHere(trouble: CallTrouble) -> Element {
    let (title, words) = text::trouble_of_who_is_here(&trouble);
    rsx! {
        Alert { tone: Tint::Warn, icon: icon(LdCircleAlert), title, text: words, urgent: true }
    }
}
