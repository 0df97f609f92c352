//! A new clinic's first document: its profile, with name and time zone, written through accept's planning in the name of
//! the administrator who was invited.
//!
//! Invariant: a clinic that has a profile keeps it, so that opening it once more changes nothing.

use crate::clock::Clock;
use crate::storage::{Storage, StorageError};
use crate::sync::{Author, ReadItem, SessionId, WorkingSet, Writer, plan_accept};
use automerge::{ActorId, Change};
use shared_model::commands::{Command, SetClinicProfile};
use shared_model::documents::{Document, Kind, Stamp};
use shared_model::ids::{AccountId, ClinicId, DeviceId};
use shared_model::permissions::{Feed, Principal, Role};
use shared_model::time::Timestamp;
use std::sync::{Arc, Mutex};

#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenClinicError {
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error("a clinic cannot have this name or time zone: {0}")]
    Profile(String),
}

/// A profile that can be written; opening hours are the administrator's to set.
pub(crate) fn profile(name: &str, time_zone: &str) -> Result<SetClinicProfile, OpenClinicError> {
    let profile = SetClinicProfile {
        name: name.to_owned(),
        phone: String::new(),
        email: String::new(),
        address: String::new(),
        time_zone: time_zone.to_owned(),
        hours: [None; 7],
    };
    let nobody = AccountId(Default::default());
    write(&profile, ClinicId(Default::default()), nobody, Timestamp(0))?;
    Ok(profile)
}

fn write(
    profile: &SetClinicProfile,
    clinic: ClinicId,
    author: AccountId,
    now: Timestamp,
) -> Result<Change, OpenClinicError> {
    let stamp = Stamp {
        now,
        actor: ActorId::from(crate::identity::random::<16>()),
        account: author,
    };
    let mut document = Document::genesis(Kind::ClinicProfile, clinic, clinic.profile());
    Command::from(profile.clone())
        .write(&mut document, &stamp)
        .map_err(|error| OpenClinicError::Profile(error.to_string()))?
        .ok_or_else(|| OpenClinicError::Profile("nothing is in it".to_owned()))
}

pub(crate) async fn write_profile(
    storage: &Arc<dyn Storage>,
    clinic: ClinicId,
    author: AccountId,
    profile: SetClinicProfile,
) -> Result<(), OpenClinicError> {
    let known = storage
        .documents_named(clinic, Feed::Staff, &[clinic.profile()])
        .await?;
    if !known.is_empty() {
        return Ok(());
    }
    let now = Clock::system().now();
    let change = write(&profile, clinic, author, now)?;
    let item = ReadItem::of_change(Kind::ClinicProfile, clinic.profile(), change);
    let writer = Writer {
        session: SessionId::NONE,
        author: Author {
            account: author,
            // Nobody signs in from it; it only has to be one.
            device: DeviceId(author.0),
            principal: Principal {
                account: author,
                clinic,
                roles: vec![Role::ClinicAdministrator],
                client: None,
                name: String::new(),
            },
        },
        refused: Mutex::default(),
    };
    let mut tx = storage.begin_accept(clinic).await?;
    let head = tx.head();
    let mut working = WorkingSet::new(clinic);
    working.expect_head(head);
    let (documents, actors) = working.missing(std::iter::once(&item));
    working.fill(tx.load(&documents, &actors).await?);
    let push = (&writer, std::slice::from_ref(&item));
    let plan = plan_accept(&mut working, std::iter::once(push), head, now);
    if let Some(refusal) = plan.refusals.iter().flatten().next() {
        return Err(OpenClinicError::Profile(refusal.reason.clone()));
    }
    tx.commit(plan.writes).await?;
    Ok(())
}
