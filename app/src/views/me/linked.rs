//! The sign-in providers' accounts that are ways into one's own.

use super::{Act, Setting};
use crate::components::use_zone;
use crate::host::Change;
use crate::text;
use dioxus::prelude::*;
use shared_model::ways_in::{LinkedIdentity, Provider};

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
pub(super) fn LinkedAccounts(
    offered: Vec<Provider>,
    linked: Vec<LinkedIdentity>,
    cannot: bool,
    on_change: EventHandler<Change>,
) -> Element {
    if offered.is_empty() && linked.is_empty() {
        return rsx! {};
    }
    let more = offered
        .into_iter()
        .filter(|provider| !is_linked(provider, &linked));
    rsx! {
        h2 { class: "settings__title", {text::linked_accounts()} }
        div { class: "card",
            for one in linked.clone() {
                Linked { key: "{one.identity}", one, cannot, on_change }
            }
            for provider in more {
                Setting { key: "{provider.name}", title: provider.label.clone(), words: text::link_provider_why(),
                    button {
                        class: "btn btn--sm",
                        r#type: "button",
                        disabled: cannot,
                        onclick: {
                            let provider = provider.clone();
                            move |_| on_change.call(Change::Link(provider.clone()))
                        },
                        {text::link_provider(&provider.label)}
                    }
                }
            }
        }
    }
}

#[component]
fn Linked(one: LinkedIdentity, cannot: bool, on_change: EventHandler<Change>) -> Element {
    let zone = use_zone();
    let provider = if one.provider.is_empty() {
        text::former_provider().to_owned()
    } else {
        one.provider
    };
    let since = text::date_plain(one.linked_at.date_in(&zone));
    let words = match &one.email {
        Some(email) => text::linked_as(since, email),
        None => text::linked_since(since),
    };
    let identity = one.identity;
    rsx! {
        Setting { title: provider.clone(), words,
            Act {
                label: text::unlink(),
                about: provider.clone(),
                cannot,
                on_press: move |()| on_change.call(Change::Unlink { identity, provider: provider.clone() }),
            }
        }
    }
}
