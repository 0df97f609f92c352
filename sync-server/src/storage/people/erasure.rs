//! Erasing a person: what was told of them, and the key that opens it, go; their account's id stays, for the trail and what
//! they signed.
//!
//! Invariant: all of it goes in one transaction or nothing does, with its event in the trails of the clinics where they
//! were.

use crate::storage::Stored;
use crate::storage::trail::Event;
use async_trait::async_trait;
use shared_model::accounts::Membership;
use shared_model::ids::AccountId;
use shared_model::time::Timestamp;
use shared_model::trail::{Detail, Happening};

/// What there is of a person beside name and addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Traces {
    pub memberships: Vec<Membership>,
    /// On which they have ever signed in.
    pub devices: u32,
    /// Accounts at providers.
    pub identities: u32,
    /// Authenticator app and passkeys.
    pub second_factors: u32,
    /// Of mails, which do something to the account.
    pub links: u32,
    /// To their address, at all clinics.
    pub invitations: u32,
    /// Mails to them that wait.
    pub mails: u32,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Erasure {
    Erased {
        /// Nothing is left in free space of the database's files either; else who runs the database sees to that.
        swept: bool,
    },
    NoSuch,
    /// Nothing was done: these would be without an administrator.
    LastAdministrator(Vec<Membership>),
}

#[async_trait]
pub trait ErasureStorage: Send + Sync {
    /// `None` of nobody, and of somebody who was erased.
    async fn traces(&self, account: AccountId) -> Stored<Option<Traces>>;
    /// Ends memberships and sign-ins, destroys the person's key and whatever names or finds them.
    async fn erase(&self, account: AccountId, now: Timestamp) -> Stored<Erasure>;
}

/// What stands in the trail of each clinic: nobody of the clinic did it.
pub(crate) fn erased(account: AccountId, now: Timestamp) -> Event {
    Event::new(Happening::PersonErased, now, &Detail::of(account))
}
