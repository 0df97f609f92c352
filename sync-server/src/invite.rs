//! Invitations as they are written, by somebody who is signed in or at the server's command line.
//!
//! Invariant: an owner is invited with a client record, and nobody else is.

use crate::identity::{EmailAddress, joined, mint_invitation_link};
use crate::mail::{Letter, Writing};
use crate::storage::people::{NewInvitation, NewMail};
use shared_model::accounts::Invite;
use shared_model::ids::{AccountId, ClinicId};
use shared_model::permissions::Role;
use shared_model::time::Timestamp;

pub(crate) const INVITATION_DAYS: i64 = 7;
const DAY_MS: i64 = 24 * 3_600_000;
/// Signs of a name.
const MAX_NAME: usize = 120;

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InviteError {
    #[error("this is no e-mail address")]
    Email,
    #[error("a name has between 1 and {MAX_NAME} signs")]
    Name,
    #[error("an owner has a client record, and nobody else has")]
    Client,
}

/// Who invites, and where to.
pub(crate) struct Inviter<'a> {
    pub(crate) clinic: ClinicId,
    pub(crate) clinic_name: &'a str,
    /// Nobody of the clinic, if it is its first administrator who is invited.
    pub(crate) account: Option<AccountId>,
    pub(crate) name: &'a str,
}

impl Inviter<'_> {
    /// An invitation with its mail, as it is kept, and the token of its link.
    pub(crate) fn write(
        &self,
        writing: Writing<'_>,
        invite: &Invite,
    ) -> Result<(NewInvitation, String), InviteError> {
        let email = EmailAddress::parse(&invite.email).ok_or(InviteError::Email)?;
        let full_name = person_name(&invite.full_name).ok_or(InviteError::Name)?;
        if invite.roles.contains(&Role::Owner) != invite.client.is_some() {
            return Err(InviteError::Client);
        }
        let (token, hash) = mint_invitation_link(self.clinic);
        let roles = joined(&invite.roles, &[]);
        let mail = self.mail(writing, &roles, email.as_str(), &full_name, &token);
        let invitation = NewInvitation {
            clinic: self.clinic,
            id: invite.id,
            account: invite.account,
            email: email.as_str().to_owned(),
            full_name,
            roles,
            client: invite.client,
            invited_by: self.account,
            invited_by_name: self.name.to_owned(),
            invited_at: writing.now,
            expires_at: invitation_expiry(writing.now),
            token: hash,
            mail: Some(mail),
        };
        Ok((invitation, token))
    }

    pub(crate) fn mail(
        &self,
        writing: Writing<'_>,
        roles: &[Role],
        email: &str,
        full_name: &str,
        token: &str,
    ) -> NewMail {
        let letter = Letter::Invitation {
            clinic: self.clinic_name,
            inviter: self.name,
            as_owner: roles == [Role::Owner],
            token,
            days: INVITATION_DAYS,
        };
        writing.write(letter, email, full_name)
    }
}

pub(crate) fn invitation_expiry(now: Timestamp) -> Timestamp {
    Timestamp(now.0 + INVITATION_DAYS * DAY_MS)
}

/// A name as somebody wrote it, on one line; `None` if nothing or too much is left of it.
pub(crate) fn person_name(text: &str) -> Option<String> {
    let name: String = text.trim().chars().filter(|c| !c.is_control()).collect();
    (1..=MAX_NAME).contains(&name.chars().count()).then_some(name)
}
