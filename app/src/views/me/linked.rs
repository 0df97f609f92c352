//! The sign-in providers' accounts that are ways into one's own.

use super::Setting;
use crate::components::{
    CallDialog, ConfirmDialog, PasswordField, Question, TroubleLine, WhosePassword, use_asked, use_sending,
    use_zone,
};
use crate::host::{Call, CallTrouble, Deed, Errand, ToProve, use_host};
use crate::text;
use crate::views::door::use_doors;
use crate::views::providers::InBrowser;
use dioxus::prelude::*;
use shared_model::accounts::Me;
use shared_model::ways_in::{LinkedIdentity, Proof, Provider};

fn is_linked(provider: &Provider, linked: &[LinkedIdentity]) -> bool {
    linked.iter().any(|one| one.provider == provider.label)
}

/// The provider that somebody without a password shows who they are with.
pub(super) fn prover(offered: &[Provider], linked: &[LinkedIdentity]) -> Option<Provider> {
    let found = offered.iter().find(|provider| is_linked(provider, linked));
    found.cloned()
}

/// Nothing where no provider is offered and none is linked.
#[component]
pub(super) fn LinkedAccounts(me: Me, offline: bool) -> Element {
    let (offered, _) = use_asked(Call::providers());
    let (linked, _) = use_asked(Call::identities());
    let (Some(offered), Some(linked)) = (offered, linked) else {
        return rsx! {};
    };
    if offered.is_empty() && linked.is_empty() {
        return rsx! {};
    }
    let prover = prover(&offered, &linked);
    let more = offered
        .into_iter()
        .filter(|provider| !is_linked(provider, &linked));
    rsx! {
        h2 { class: "settings__title", {text::linked_accounts()} }
        div { class: "card",
            for one in linked.clone() {
                Linked { key: "{one.identity}", one, offline }
            }
            for provider in more {
                ToLink {
                    key: "{provider.name}",
                    provider,
                    me: me.clone(),
                    prover: prover.clone(),
                    offline,
                }
            }
        }
    }
}

#[component]
fn Linked(one: LinkedIdentity, offline: bool) -> Element {
    let zone = use_zone();
    let mut asking = use_signal(|| false);
    let provider = if one.provider.is_empty() {
        text::former_provider().to_owned()
    } else {
        one.provider.clone()
    };
    let since = text::date_plain(one.linked_at.date_in(&zone));
    let words = match &one.email {
        Some(email) => text::linked_as(since, email),
        None => text::linked_since(since),
    };
    rsx! {
        Setting { title: provider.clone(), words,
            button {
                class: "btn btn--sm",
                r#type: "button",
                disabled: offline,
                onclick: move |_| asking.set(true),
                {text::unlink()}
            }
        }
        if asking() {
            ConfirmDialog {
                question: Question {
                    title: text::unlink_question(&provider),
                    consequences: vec![text::unlink_what().to_owned()],
                    action: text::unlink(),
                    deed: Deed::unlink(one.identity),
                    done: text::unlinked(&provider),
                },
                on_close: move |()| asking.set(false),
            }
        }
    }
}

/// `prover` is the provider that somebody without a password shows who they are with.
#[component]
fn ToLink(provider: Provider, me: Me, prover: Option<Provider>, offline: bool) -> Element {
    let (host, doors, sending) = (use_host(), use_doors(), use_sending());
    let mut asking = use_signal(|| false);
    let words = match &prover {
        _ if me.has_password => text::link_provider_why().to_owned(),
        Some(prover) => text::link_provider_prove(&prover.label),
        None => text::link_provider_no_proof().to_owned(),
    };
    let cannot = !me.has_password && prover.is_none();
    rsx! {
        Setting { title: provider.label.clone(), words,
            button {
                class: "btn btn--sm",
                r#type: "button",
                disabled: offline || cannot || sending.is_busy(),
                onclick: {
                    let to_link = provider.name.clone();
                    move |_| match &prover {
                        Some(prover) if !me.has_password => {
                            let to_link = to_link.clone();
                            let way = host.travel(prover.name.clone(), Errand::Prove(ToProve::ToLink(to_link)));
                            sending.wait_for(way, move |back| doors.take_in(back));
                        }
                        _ => asking.set(true),
                    }
                },
                {text::link_provider(&provider.label)}
            }
        }
        InBrowser { sending }
        if let Some(trouble) = sending.trouble() {
            TroubleLine { trouble }
        }
        if asking() {
            LinkDialog { provider, email: me.email, on_close: move |()| asking.set(false) }
        }
    }
}

/// Another way in is nothing that a device which lies open may give: the password comes first.
#[component]
fn LinkDialog(provider: Provider, email: String, on_close: EventHandler<()>) -> Element {
    let (host, doors, sending) = (use_host(), use_doors(), use_sending());
    let password = use_signal(String::new);
    let wrong = sending
        .is(&CallTrouble::WrongCredentials)
        .then(|| text::password_not_that().to_owned());
    rsx! {
        CallDialog {
            title: text::link_provider(&provider.label),
            action: text::link_provider_go_on(&provider.label),
            sending,
            on_close,
            keep_open: true,
            known: vec![CallTrouble::WrongCredentials],
            on_submit: move |()| {
                let proof = Proof::Password(password.peek().clone());
                let way = host.travel_to_link(provider.name.clone(), proof);
                sending.wait_for(way, move |back| {
                    on_close.call(());
                    doors.take_in(back);
                });
            },
            WhosePassword { email }
            PasswordField {
                id: "password-now",
                label: text::your_password(),
                value: password,
                autofocus: true,
                error: wrong,
            }
            InBrowser { sending }
        }
    }
}
