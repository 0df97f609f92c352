//! Invitations: somebody is to become a member, in their own time and by their own hand.

use super::{NewIdentity, NewMail};
use crate::at_rest::ClinicKeys;
use crate::storage::Stored;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use shared_model::accounts::Invitation;
use shared_model::ids::{AccountId, ClientId, ClinicId, InvitationId};
use shared_model::permissions::Role;
use shared_model::time::Timestamp;

#[derive(Clone, Debug)]
pub struct NewInvitation {
    pub clinic: ClinicId,
    pub id: InvitationId,
    pub account: AccountId,
    pub email: String,
    pub full_name: String,
    pub roles: Vec<Role>,
    pub client: Option<ClientId>,
    /// Who invites; nobody of the clinic if it is its first administrator.
    pub invited_by: Option<AccountId>,
    pub invited_by_name: String,
    pub invited_at: Timestamp,
    pub expires_at: Timestamp,
    /// SHA-256 of the token in the link.
    pub token: [u8; 32],
    /// None if the link is handed over otherwise.
    pub mail: Option<NewMail>,
}

/// What of an invitation lies sealed with its clinic's key: whoever is invited has no account yet.
#[derive(Serialize, Deserialize)]
pub(crate) struct InvitationWords {
    pub(crate) email: String,
    pub(crate) full_name: String,
    /// Empty if they were erased.
    pub(crate) invited_by: String,
}

impl InvitationWords {
    pub(crate) fn of(invitation: &NewInvitation) -> Self {
        Self {
            email: invitation.email.clone(),
            full_name: invitation.full_name.clone(),
            invited_by: invitation.invited_by_name.clone(),
        }
    }

    pub(crate) fn seal(&self, keys: &ClinicKeys, id: InvitationId) -> Stored<Vec<u8>> {
        let words = serde_json::to_vec(self).expect("texts are always JSON");
        Ok(keys.seal_value(&place_of_invitation(id), &words)?)
    }

    /// `None` if it does not open: the others go on.
    pub(crate) fn open(keys: &ClinicKeys, id: InvitationId, sealed: &[u8]) -> Option<Self> {
        let opened = keys.open_value(&place_of_invitation(id), sealed).ok();
        let words = opened.and_then(|words| serde_json::from_slice(&words).ok());
        if words.is_none() {
            tracing::error!(invitation = %id, "a stored invitation does not open");
        }
        words
    }
}

fn place_of_invitation(id: InvitationId) -> String {
    format!("invitation {id}")
}

/// A clinic that somebody opens.
#[derive(Clone, Debug)]
pub struct OpenedClinic {
    pub clinic: ClinicId,
    pub name: String,
    pub created_at: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredInvitation {
    pub clinic: ClinicId,
    pub clinic_name: String,
    pub invitation: Invitation,
    /// The address has an account.
    pub has_account: bool,
    /// Neither taken up nor withdrawn.
    pub open: bool,
}

#[derive(Clone, Debug)]
pub struct TakeUp {
    pub clinic: ClinicId,
    pub token: [u8; 32],
    pub now: Timestamp,
    pub who: Taker,
    /// Linked with whoever takes it up.
    pub identity: Option<NewIdentity>,
}

#[derive(Clone, Debug)]
pub enum Taker {
    /// The account of the invited address, proved.
    Existing(AccountId),
    /// The address has no account yet.
    New {
        full_name: String,
        /// Empty for whoever comes with a provider.
        password_hash: String,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TakenUp {
    Member(AccountId),
    /// The invitation is no longer open, or the address has come to an account or lost its own meanwhile, or the identity is somebody else's.
    Gone,
}

#[async_trait]
pub trait InvitationStorage: Send + Sync {
    /// Keeps an invitation with its mail. One with this id is given back as it is, and nothing is sent; `None` if the
    /// account that it names is somebody's with another address, and if there is no such clinic.
    async fn invite(&self, invitation: NewInvitation) -> Stored<Option<StoredInvitation>>;
    /// A clinic and the invitation of its first administrator, both or neither. `None` as above, or if there is such a
    /// clinic without this invitation.
    async fn open_clinic(
        &self,
        clinic: OpenedClinic,
        invitation: NewInvitation,
    ) -> Stored<Option<StoredInvitation>>;
    /// Those that are open, the latest first; expired ones too, as they can be sent again.
    async fn invitations(&self, clinic: ClinicId) -> Stored<Vec<StoredInvitation>>;
    async fn invitation(&self, clinic: ClinicId, id: InvitationId) -> Stored<Option<StoredInvitation>>;
    /// The one that a link leads to, as long as it can be taken up.
    async fn invitation_of_link(
        &self,
        clinic: ClinicId,
        token: [u8; 32],
        now: Timestamp,
    ) -> Stored<Option<StoredInvitation>>;
    /// Gives an open invitation another link; the former one is void.
    async fn renew_invitation(
        &self,
        clinic: ClinicId,
        id: InvitationId,
        token: [u8; 32],
        expires_at: Timestamp,
        mail: Option<NewMail>,
    ) -> Stored<Option<StoredInvitation>>;
    /// Whether it was open. A mail that has not left stays here.
    async fn withdraw_invitation(&self, clinic: ClinicId, id: InvitationId, now: Timestamp) -> Stored<bool>;
    /// Makes a member of who was invited, and their address a verified one.
    async fn take_up(&self, take_up: TakeUp) -> Stored<TakenUp>;
}
