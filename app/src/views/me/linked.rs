//! The sign-in providers' accounts that are ways into one's own.

use super::Setting;
use crate::components::{ConfirmDialog, Question, TroubleLine, use_asked, use_zone};
use crate::host::{Call, CallTrouble, Deed, Errand, use_host};
use crate::text;
use crate::views::door::{Door, use_doors};
use dioxus::prelude::*;
use shared_model::ways_in::{LinkedIdentity, Provider};

/// Nothing where no provider is offered and none is linked.
#[component]
pub(super) fn LinkedAccounts(offline: bool) -> Element {
    let (offered, _) = use_asked(Call::providers());
    let (linked, _) = use_asked(Call::identities());
    let (Some(offered), Some(linked)) = (offered, linked) else {
        return rsx! {};
    };
    if offered.is_empty() && linked.is_empty() {
        return rsx! {};
    }
    let more = offered
        .into_iter()
        .filter(|provider| linked.iter().all(|one| one.provider != provider.label));
    rsx! {
        h2 { class: "settings__title", {text::linked_accounts()} }
        div { class: "card",
            for one in linked.clone() {
                Linked { key: "{one.identity}", one, offline }
            }
            for provider in more {
                ToLink { key: "{provider.name}", provider, offline }
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

#[component]
fn ToLink(provider: Provider, offline: bool) -> Element {
    let (host, doors) = (use_host(), use_doors());
    let mut gone = use_signal(|| false);
    let mut trouble = use_signal(|| None::<CallTrouble>);
    let words = if gone() {
        text::waiting_for_browser()
    } else {
        text::link_provider_why()
    };
    rsx! {
        Setting { title: provider.label.clone(), words,
            button {
                class: "btn btn--sm",
                r#type: "button",
                disabled: offline || gone(),
                onclick: move |_| {
                    let name = provider.name.clone();
                    gone.set(true);
                    spawn(async move {
                        let back = host.travel(name, Errand::Link).await;
                        gone.set(false);
                        match back {
                            Ok(Some(returned)) => doors.open(Door::Returned(Some(returned))),
                            Ok(None) => {}
                            Err(why) => trouble.set(Some(why)),
                        }
                    });
                },
                {text::link_provider(&provider.label)}
            }
        }
        if let Some(trouble) = trouble() {
            TroubleLine { trouble }
        }
    }
}
