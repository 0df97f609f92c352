//! What accounts, devices, invitations and clinics look like over HTTP: the requests and answers below `/api/v1` that
//! client and server share. Everything is JSON; errors are problem details (RFC 9457) whose `code` is in [`codes`].
//!
//! Place in the flow: beside it. Signing in comes before there is a session, and who works at a clinic is no document,
//! because it decides who may read documents. Invariant: who may invite or change whom is decided here, for both sides.

use crate::ids::{AccountId, ClientId, ClinicId, DeviceId, InvitationId};
use crate::permissions::{Principal, Role};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// The codes of problem details that screens have words for.
pub mod codes {
    /// The password is among the first that are tried, or follows from the person's own name or address.
    pub const WEAK_PASSWORD: &str = "weak_password";
    pub const WRONG_CREDENTIALS: &str = "wrong_credentials";
    pub const SLOW_DOWN: &str = "slow_down";
    pub const SIGN_IN_AGAIN: &str = "sign_in_again";
    pub const NOT_SIGNED_IN: &str = "not_signed_in";
    pub const NOT_PERMITTED: &str = "not_permitted";
    pub const NO_MEMBERSHIP: &str = "no_membership";
    /// Work is handed in as that of somebody who has left, and they have not.
    pub const STILL_MEMBER: &str = "still_member";
    /// The account belongs to several clinics and did not say which; `memberships` lists them.
    pub const CHOOSE_CLINIC: &str = "choose_clinic";
    /// An administrator or the person reported this device as lost.
    pub const DEVICE_LOST: &str = "device_lost";
    /// A link of a mail that is not known, was used, withdrawn, or has expired: all in one word.
    pub const LINK_NO_LONGER_VALID: &str = "link_no_longer_valid";
    /// A clinic keeps at least one administrator.
    pub const LAST_ADMINISTRATOR: &str = "last_administrator";
    pub const BAD_REQUEST: &str = "bad_request";
    pub const NOT_FOUND: &str = "not_found";
    /// This server has no way to send mail: whoever runs it has to name one.
    pub const NO_MAIL: &str = "no_mail";
    pub const UNAVAILABLE: &str = "unavailable";
}

/// Where the links of mails lead: screens of the client, below the server's public address. The token follows the mark,
/// so that it comes into no log and to no other server.
pub mod links {
    pub const INVITATION: &str = "/invitation#";
    pub const RESET_PASSWORD: &str = "/reset-password#";
    /// Where a new password is asked for; without a token.
    pub const FORGOT_PASSWORD: &str = "/forgot-password";
    /// For the address that an account has and for one that it is to have.
    pub const VERIFY_EMAIL: &str = "/verify-email#";
}

/// The longest password that is taken, in bytes: a bound on work, not advice.
pub const MAX_PASSWORD: usize = 1_024;
/// The shortest, in characters (OWASP ASVS 5.0, 6.2.1; staff guess less with more).
pub const MIN_PASSWORD: usize = 8;

/// `POST /sign-in`
#[derive(Clone, Serialize, Deserialize)]
pub struct SignIn {
    pub email: String,
    pub password: String,
    pub device: DeviceId,
    /// As it appears in the list of devices.
    #[serde(default)]
    pub device_name: String,
    /// Which of the person's clinics; may be left out by who has one.
    #[serde(default)]
    pub clinic: Option<ClinicId>,
}

/// `POST /refresh` and `POST /sign-out`; `POST /devices/purged` says in the same words that the records of a lost device
/// are gone.
#[derive(Clone, Serialize, Deserialize)]
pub struct Refresh {
    pub refresh_token: String,
    pub device: DeviceId,
}

/// The answer to signing in, to taking up an invitation and to `POST /refresh`.
#[derive(Clone, Serialize, Deserialize)]
pub struct SignedIn {
    pub access_token: String,
    /// When the access token ends.
    pub expires_at: Timestamp,
    pub refresh_token: String,
    pub principal: Principal,
    /// Everywhere that this person belongs to, this clinic included.
    pub memberships: Vec<Membership>,
    /// 32 bytes, base64url without padding: this device's own secret for the records of this audience at this clinic. The
    /// same at every sign-in on the device, for whoever reads the same feeds; given to nobody once the device is lost.
    pub device_key: String,
}

/// What an account is at one clinic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Membership {
    pub clinic: ClinicId,
    pub clinic_name: String,
    pub roles: Vec<Role>,
    pub client: Option<ClientId>,
}

/// What a 409 with [`codes::CHOOSE_CLINIC`] has beside the problem's own fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChooseClinic {
    pub memberships: Vec<Membership>,
}

/// `GET /me`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Me {
    pub account: AccountId,
    pub full_name: String,
    pub email: String,
    pub email_verified: bool,
    /// A new address that waits for its mail to be answered.
    pub new_email: Option<String>,
    /// Somebody who came with a provider has none until they choose one, as if they had forgotten it.
    pub has_password: bool,
    pub memberships: Vec<Membership>,
}

/// `PATCH /me`
#[derive(Clone, Serialize, Deserialize)]
pub struct ChangeMe {
    pub full_name: String,
}

/// `POST /me/password`, for whoever has none yet, too. Every other sign-in of the account ends.
#[derive(Clone, Serialize, Deserialize)]
pub struct ChangePassword {
    /// Of [`crate::second_factor::Proven`].
    pub proven: String,
    pub new: String,
}

/// `POST /me/email`. The address changes when the mail to it has been answered; the old one is told. `DELETE /me/email` (no
/// body) takes back what waits: its link is void, and a repetition changes nothing.
#[derive(Clone, Serialize, Deserialize)]
pub struct ChangeEmail {
    /// Of [`crate::second_factor::Proven`].
    pub proven: String,
    pub email: String,
}

/// `POST /password/forgot`: 202 whether the account exists or not. `POST /me/email/verification` (no body) sends the
/// mail that verifies the present address once more.
#[derive(Clone, Serialize, Deserialize)]
pub struct ForgotPassword {
    pub email: String,
}

/// `POST /password/reset`. Every sign-in of the account ends.
#[derive(Clone, Serialize, Deserialize)]
pub struct ResetPassword {
    pub token: String,
    pub password: String,
}

/// `POST /email/verify` and `POST /invitations/look`: a link of a mail was followed.
#[derive(Clone, Serialize, Deserialize)]
pub struct FollowLink {
    pub token: String,
}

/// What an invitation says to whom it was sent: the answer of `POST /invitations/look`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invited {
    pub clinic_name: String,
    pub email: String,
    pub full_name: String,
    pub roles: Vec<Role>,
    pub invited_by: String,
    pub expires_at: Timestamp,
    /// The address has an account already: its password is asked for, and no new one is made.
    pub has_account: bool,
}

/// `POST /invitations/accept`, answered by [`SignedIn`].
#[derive(Clone, Serialize, Deserialize)]
pub struct AcceptInvitation {
    pub token: String,
    pub full_name: String,
    /// The new password, or the account's own if it has one.
    pub password: String,
    pub device: DeviceId,
    #[serde(default)]
    pub device_name: String,
}

/// `GET /me/devices` and `GET /staff/{account}/devices`: a list of these, the latest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    pub device: DeviceId,
    pub name: String,
    pub first_seen: Timestamp,
    pub last_seen: Timestamp,
    /// It is the one that asks.
    pub current: bool,
    /// It has a sign-in of this account that has not ended.
    pub signed_in: bool,
    pub lost_at: Option<Timestamp>,
    /// When it said that its records are gone.
    pub purged_at: Option<Timestamp>,
}

/// `PATCH /me/devices/{device}`. `POST …/sign-out` and `POST …/lost` beside it take no body, as do the same below
/// `/staff/{account}/devices/{device}`; `DELETE …/lost` says that it was found.
#[derive(Clone, Serialize, Deserialize)]
pub struct NameDevice {
    pub name: String,
}

/// `GET /staff`: a list of these, and `GET /owners` of those who have an account as owners.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    pub account: AccountId,
    pub full_name: String,
    pub email: String,
    pub roles: Vec<Role>,
    pub client: Option<ClientId>,
    pub last_seen: Option<Timestamp>,
    pub devices: u32,
    /// More than a password is asked of them at sign-in; told in the list of the staff alone.
    #[serde(default)]
    pub has_second_factor: Option<bool>,
}

/// `PATCH /staff/{account}`; no role at all ends the membership, as `DELETE` does.
#[derive(Clone, Serialize, Deserialize)]
pub struct ChangeRoles {
    pub roles: Vec<Role>,
}

/// `POST /invitations`, answered by [`Invitation`]. `DELETE /invitations/{id}` withdraws one, `POST
/// /invitations/{id}/again` sends its mail anew and counts its days anew.
#[derive(Clone, Serialize, Deserialize)]
pub struct Invite {
    /// Minted where the invitation was written, so that a repetition invites once.
    pub id: InvitationId,
    /// The account that the person will have unless the address has one: known before, so that the staff directory and
    /// bookings can name somebody who has not come yet.
    pub account: AccountId,
    pub email: String,
    pub full_name: String,
    pub roles: Vec<Role>,
    /// The owner's record; owners alone have one.
    pub client: Option<ClientId>,
}

/// `GET /invitations`: a list of those that are open, the latest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitation {
    pub id: InvitationId,
    /// The account that takes it up: the address's own if it has one, else as invited.
    pub account: AccountId,
    pub email: String,
    pub full_name: String,
    pub roles: Vec<Role>,
    pub client: Option<ClientId>,
    pub invited_by: String,
    pub invited_at: Timestamp,
    pub expires_at: Timestamp,
    /// Whether the mail has left.
    pub sent: Sent,
}

/// How far a mail came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sent {
    Waiting,
    Sent,
    /// The mail server refused it for good.
    Refused,
}

/// `GET /clinics` (system administrators): a list of these.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clinic {
    pub clinic: ClinicId,
    pub name: String,
    pub members: u32,
    pub created_at: Timestamp,
}

/// `POST /clinics` (system administrators), answered by [`Clinic`]: a clinic and the invitation of its first administrator.
#[derive(Clone, Serialize, Deserialize)]
pub struct OpenClinic {
    pub clinic: ClinicId,
    pub name: String,
    /// IANA name.
    pub time_zone: String,
    pub administrator: Invite,
}

/// Whether somebody may invite a person with these roles, or make a member of theirs into this.
///
/// Administrators choose any role of their clinic, whoever works at the desk or with animals invites owners. Nobody but a
/// system administrator makes another one, or looks after a clinic that they do not belong to.
pub fn may_give(giver: &[Role], roles: &[Role]) -> bool {
    let has = |role: Role| giver.contains(&role);
    !roles.is_empty()
        && roles.iter().all(|role| match role {
            Role::SystemAdministrator => has(Role::SystemAdministrator),
            Role::Owner => {
                has(Role::ClinicAdministrator)
                    || has(Role::FrontDesk)
                    || has(Role::Technician)
                    || has(Role::Veterinarian)
            }
            Role::ClinicAdministrator => has(Role::ClinicAdministrator) || has(Role::SystemAdministrator),
            Role::FrontDesk | Role::Technician | Role::Veterinarian | Role::Viewer => {
                has(Role::ClinicAdministrator)
            }
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use Role::*;

    #[test]
    fn who_gives_what() {
        let check = |giver: &[Role], roles: &[Role], expected: bool| {
            assert_eq!(may_give(giver, roles), expected, "{giver:?} gives {roles:?}");
        };
        check(&[ClinicAdministrator], &[Veterinarian, ClinicAdministrator], true);
        check(&[ClinicAdministrator], &[SystemAdministrator], false);
        check(&[ClinicAdministrator], &[], false);
        check(&[FrontDesk], &[Owner], true);
        check(&[FrontDesk], &[Owner, FrontDesk], false);
        check(&[Veterinarian], &[Veterinarian], false);
        check(&[Owner], &[Owner], false);
        check(&[Viewer], &[Owner], false);
        check(&[SystemAdministrator], &[ClinicAdministrator], true);
        check(&[SystemAdministrator], &[Veterinarian], false);
    }
}
