//! Accounts, what they are at which clinic, and the links of mails that change them.

use super::NewMail;
use crate::identity::{MemberRoles, RolesRefused};
use crate::storage::{StorageError, Stored};
use async_trait::async_trait;
use shared_model::accounts::{Clinic, Member, Membership};
use shared_model::ids::{AccountId, ClinicId};
use shared_model::permissions::Role;
use shared_model::time::Timestamp;

#[derive(Clone, Debug)]
pub struct Account {
    pub account: AccountId,
    pub email: String,
    pub full_name: String,
    /// Empty if there is no password.
    pub password_hash: String,
    pub email_verified: bool,
    pub new_email: Option<String>,
}

impl Account {
    pub(crate) fn has_password(&self) -> bool {
        !self.password_hash.is_empty()
    }
}

/// What following a link of a mail does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkPurpose {
    ResetPassword,
    /// The address it went to is the account's from then on.
    ConfirmEmail,
}

impl LinkPurpose {
    pub(crate) fn number(self) -> i16 {
        match self {
            Self::ResetPassword => 0,
            Self::ConfirmEmail => 1,
        }
    }
}

#[derive(Clone, Debug)]
pub struct NewLink {
    /// SHA-256 of the token in it.
    pub hash: [u8; 32],
    pub account: AccountId,
    pub purpose: LinkPurpose,
    /// Where it is sent.
    pub email: String,
    pub expires_at: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredLink {
    pub account: AccountId,
    pub email: String,
}

/// Decides about new roles, seeing everybody of the clinic under lock.
pub type RolesJudge = Box<dyn FnOnce(&[MemberRoles]) -> Result<(), RolesRefused> + Send>;

#[async_trait]
pub trait AccountStorage: Send + Sync {
    async fn account(&self, account: AccountId) -> Stored<Option<Account>>;
    /// Capital letters make no difference.
    async fn account_by_email(&self, email: &str) -> Stored<Option<Account>>;
    async fn memberships(&self, account: AccountId) -> Stored<Vec<Membership>>;
    /// Everybody of a clinic, owners too, by name.
    async fn members(&self, clinic: ClinicId) -> Stored<Vec<Member>>;
    async fn clinic_name(&self, clinic: ClinicId) -> Stored<Option<String>>;
    async fn clinics_with_members(&self) -> Stored<Vec<Clinic>>;
    async fn rename_account(&self, account: AccountId, full_name: &str) -> Stored<()>;
    /// Every sign-in of the account but `keep` ends, and links that would change its password too.
    async fn change_password(
        &self,
        account: AccountId,
        password_hash: &str,
        keep: [u8; 16],
        mail: Option<NewMail>,
    ) -> Stored<()>;
    /// Takes the place of former links of this purpose. One to another address makes that the account's new address.
    async fn add_link(&self, link: NewLink, mails: Vec<NewMail>) -> Stored<()>;
    /// What a link leads to, as long as it is valid.
    async fn link(&self, hash: [u8; 32], purpose: LinkPurpose, now: Timestamp) -> Stored<Option<StoredLink>>;
    /// Follows a link once: the password is another, the address is verified, and every sign-in ends.
    async fn reset_password(
        &self,
        hash: [u8; 32],
        now: Timestamp,
        password_hash: &str,
        mail: Option<NewMail>,
    ) -> Stored<Option<AccountId>>;
    /// Follows a link once. `None` also if somebody else has the address by now.
    async fn confirm_email(&self, hash: [u8; 32], now: Timestamp) -> Stored<Option<AccountId>>;
    /// What a member is from now on; nothing at all ends the membership, with the sign-ins at this clinic.
    async fn change_roles(
        &self,
        clinic: ClinicId,
        account: AccountId,
        roles: Vec<Role>,
        judge: RolesJudge,
    ) -> Stored<Result<(), RolesRefused>>;
    /// Adds a role to whatever the account is at each of its clinics; gives how many there are.
    async fn add_role_everywhere(&self, account: AccountId, role: Role) -> Stored<usize>;
}

/// A number of the database that counts people or devices.
pub(crate) fn small_count(number: i64) -> Stored<u32> {
    u32::try_from(number).map_err(|_| StorageError::Failed(format!("a count of {number}")))
}
