//! Who may do what: one table, asked by the device (to refuse early) and by the server (to refuse surely).
//!
//! Place in the flow: between a command and the outbox on the device, between a push and the document on the server.
//! `table` is what administrators read in `docs/permissions.md`, `judge` holds a change against it, `audience` says who
//! receives what was taken. Invariant: a change is judged on its operations, never on the visible difference it makes:
//! an operation that loses a conflict today can win tomorrow.

mod audience;
mod judge;
mod table;

pub use audience::{Feed, audience, people_of};
pub use judge::{Denied, Ground, Judge, judge, may_create, may_write, writers};
pub use table::{Condition, RULES, Reads, Rule, creators, reads, seal};

use crate::ids::{AccountId, ClientId, ClinicId};
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

crate::documents::word_enum! {
    /// What somebody is at a clinic. One person can be several things.
    Role {
        Owner = "owner",
        FrontDesk = "front_desk",
        Technician = "technician",
        Veterinarian = "veterinarian",
        ClinicAdministrator = "clinic_administrator",
        /// Looks after clinics and their accounts; reads no medical record.
        SystemAdministrator = "system_administrator",
        /// Reads what the clinic's people read, and writes nothing.
        Viewer = "viewer",
    }
}

impl Role {
    /// Whether the role reads the clinic's staff feed.
    pub fn is_staff(self) -> bool {
        !matches!(self, Self::Owner | Self::SystemAdministrator)
    }
}

/// Somebody signed in at a clinic.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct Principal {
    #[n(0)]
    pub account: AccountId,
    #[n(1)]
    pub clinic: ClinicId,
    #[n(2)]
    pub roles: Vec<Role>,
    /// The owner's own client record.
    #[n(3)]
    pub client: Option<ClientId>,
    #[n(4)]
    pub name: String,
}

impl Principal {
    pub fn is_staff(&self) -> bool {
        self.roles.iter().any(|role| role.is_staff())
    }

    /// The client whose records this person has as an owner.
    pub fn own_client(&self) -> Option<ClientId> {
        self.client.filter(|_| self.roles.contains(&Role::Owner))
    }

    /// The feeds this person reads. Who works at the clinic reads their own animals' records there as everybody else's.
    pub fn feeds(&self) -> Vec<Feed> {
        if self.is_staff() {
            return vec![Feed::Staff];
        }
        match self.own_client() {
            Some(client) => vec![Feed::Everyone, Feed::Client(client)],
            None => Vec::new(),
        }
    }
}
