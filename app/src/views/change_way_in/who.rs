//! What somebody can show first who they are with, as the clinic's server says; and the dialog that asks for it.

use super::{ChangeWayIn, First};
use crate::components::{Asking, Dialog, ServerSays, use_asked};
use crate::host::{Call, Change};
use crate::text;
use dioxus::prelude::*;
use shared_model::accounts::Me;
use shared_model::ways_in::{LinkedIdentity, Provider};

/// The providers that the clinic offers, and the accounts there that are ways into one's own.
#[derive(Clone, PartialEq)]
pub(in crate::views) struct Providers {
    pub(in crate::views) offered: Vec<Provider>,
    pub(in crate::views) linked: Vec<LinkedIdentity>,
}

impl Providers {
    pub(in crate::views) fn is_linked(&self, provider: &Provider) -> bool {
        self.linked.iter().any(|one| one.provider == provider.label)
    }
}

/// What is known of them, else the question that has no answer yet.
pub(in crate::views) fn use_providers() -> Result<Providers, Asking> {
    let (offered, offers) = use_asked(Call::providers());
    let (linked, links) = use_asked(Call::identities());
    match (offered, linked) {
        (Some(offered), Some(linked)) => Ok(Providers { offered, linked }),
        (None, linked) if linked.is_some() || offers.has_trouble() => Err(offers),
        _ => Err(links),
    }
}

#[derive(Clone, PartialEq)]
pub(in crate::views) enum CanShow {
    /// The clinic's server has not said everything that it takes to know.
    Unknown,
    Nothing,
    This(First),
}

impl CanShow {
    pub(in crate::views) fn of(me: &Me, providers: Option<&Providers>) -> Self {
        if me.has_password {
            return Self::This(First::Password(me.email.clone()));
        }
        let Some(providers) = providers else {
            return Self::Unknown;
        };
        let offered = providers.offered.iter();
        let linked: Vec<Provider> = offered.filter(|one| providers.is_linked(one)).cloned().collect();
        if linked.is_empty() {
            Self::Nothing
        } else {
            Self::This(First::Providers(linked, me.email.clone()))
        }
    }
}

/// What they began with stays, whatever the clinic's server says meanwhile.
#[component]
pub(in crate::views) fn ChangeDialog(change: Change, on_close: EventHandler<()>) -> Element {
    let (me, asking) = use_asked(Call::me());
    let providers = use_providers();
    let mut began_with = use_hook(|| CopyValue::new(None::<First>));
    let can_show = match &me {
        Some(me) => CanShow::of(me, providers.as_ref().ok()),
        None => CanShow::Unknown,
    };
    if began_with.peek().is_none()
        && let CanShow::This(first) = &can_show
    {
        began_with.set(Some(first.clone()));
    }
    let first = began_with.peek().clone();
    let mut renews = use_signal(|| false);
    let change = if renews() {
        Change::RenewRecoveryCodes
    } else {
        change
    };
    rsx! {
        Dialog { title: text::way_in_change_title(&change), on_close, keep_open: true,
            if let Some(first) = first {
                for change in [change] {
                    ChangeWayIn {
                        key: "{renews}",
                        change,
                        first: first.clone(),
                        in_dialog: true,
                        on_done: on_close,
                        on_renew: move |()| renews.set(true),
                    }
                }
            } else if can_show == CanShow::Nothing {
                p { role: "alert", {text::no_proof_here()} }
            } else {
                ServerSays {
                    asking: match providers {
                        Err(missing) if me.is_some() => missing,
                        _ => asking,
                    },
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared_model::ids::AccountId;
    use shared_model::time::Timestamp;
    use uuid::Uuid;

    fn karin(has_password: bool) -> Me {
        Me {
            account: AccountId(Uuid::nil()),
            email: "karin@example.org".to_owned(),
            email_verified: true,
            full_name: "Karin".to_owned(),
            memberships: Vec::new(),
            new_email: None,
            has_password,
        }
    }

    fn provider(label: &str) -> Provider {
        Provider {
            name: label.to_lowercase(),
            label: label.to_owned(),
        }
    }

    fn linked_with(label: &str) -> LinkedIdentity {
        LinkedIdentity {
            identity: Uuid::nil(),
            provider: label.to_owned(),
            email: None,
            linked_at: Timestamp(0),
        }
    }

    #[test]
    fn whoever_has_no_password_is_asked_for_none_and_nothing_is_said_before_it_is_known() {
        let email = || "karin@example.org".to_owned();
        assert!(CanShow::of(&karin(true), None) == CanShow::This(First::Password(email())));
        assert!(CanShow::of(&karin(false), None) == CanShow::Unknown);
        let mut providers = Providers {
            offered: vec![provider("Acme"), provider("Borough"), provider("Corner")],
            linked: vec![linked_with("Dormant")],
        };
        assert!(CanShow::of(&karin(false), Some(&providers)) == CanShow::Nothing);
        providers
            .linked
            .extend([linked_with("Corner"), linked_with("Acme")]);
        let each = vec![provider("Acme"), provider("Corner")];
        assert!(
            CanShow::of(&karin(false), Some(&providers)) == CanShow::This(First::Providers(each, email()))
        );
        assert!(CanShow::of(&karin(true), Some(&providers)) == CanShow::This(First::Password(email())));
    }
}
