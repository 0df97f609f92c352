//! The sign-in providers' accounts that are ways into one's own.

use super::{Act, Setting};
use crate::components::use_zone;
use crate::host::Change;
use crate::text;
use crate::views::change_way_in::Providers;
use dioxus::prelude::*;
use shared_model::ways_in::LinkedIdentity;

/// Nothing where no provider is offered and none is linked.
#[component]
pub(super) fn LinkedAccounts(providers: Providers, cannot: bool, on_change: EventHandler<Change>) -> Element {
    if providers.offered.is_empty() && providers.linked.is_empty() {
        return rsx! {};
    }
    let offered = providers.offered.iter();
    let more = offered.filter(|provider| !providers.is_linked(provider));
    rsx! {
        h2 { class: "settings__title", {text::linked_accounts()} }
        div { class: "card",
            for one in providers.linked.clone() {
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
