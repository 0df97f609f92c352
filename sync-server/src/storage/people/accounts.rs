//! Accounts, what they are at which clinic, and the links of mails that change them.

use super::NewMail;
use crate::at_rest::{EMAIL, FULL_NAME, NEW_EMAIL, PeopleKeys};
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

/// An account as it lies in the database.
pub(crate) struct SealedAccount {
    pub(crate) account: AccountId,
    /// The person's key.
    pub(crate) wrapped: Vec<u8>,
    pub(crate) email: Vec<u8>,
    pub(crate) full_name: Vec<u8>,
    pub(crate) new_email: Option<Vec<u8>>,
    pub(crate) password_hash: String,
    pub(crate) email_verified: bool,
}

impl SealedAccount {
    pub(crate) fn open(self, keys: &PeopleKeys) -> Stored<Account> {
        let key = keys.of(self.account, &self.wrapped)?;
        let new_email = self.new_email.map(|sealed| key.open_text(NEW_EMAIL, &sealed));
        Ok(Account {
            account: self.account,
            email: key.open_text(EMAIL, &self.email)?,
            full_name: key.open_text(FULL_NAME, &self.full_name)?,
            password_hash: self.password_hash,
            email_verified: self.email_verified,
            new_email: new_email.transpose()?,
        })
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
    /// Nobody for one that was erased.
    async fn account(&self, account: AccountId) -> Stored<Option<Account>>;
    /// Capital letters and blanks around it make no difference.
    async fn account_by_email(&self, email: &str) -> Stored<Option<Account>>;
    async fn memberships(&self, account: AccountId) -> Stored<Vec<Membership>>;
    /// Everybody of a clinic, owners too, by name.
    async fn members(&self, clinic: ClinicId) -> Stored<Vec<Member>>;
    async fn clinic_name(&self, clinic: ClinicId) -> Stored<Option<String>>;
    async fn clinics_with_members(&self) -> Stored<Vec<Clinic>>;
    async fn rename_account(&self, account: AccountId, full_name: &str) -> Stored<()>;
    /// Every sign-in of the account but `keep` ends, and so does whatever waits for a link of a mail to be followed.
    async fn change_password(
        &self,
        account: AccountId,
        password_hash: &str,
        keep: [u8; 16],
        mail: Option<NewMail>,
    ) -> Stored<()>;
    /// Takes the place of former links of this purpose. One to another address makes that the account's new address.
    async fn add_link(&self, link: NewLink, mails: Vec<NewMail>) -> Stored<()>;
    /// The new address and the link that waits at it are gone; whether there was one.
    async fn take_back_new_email(&self, account: AccountId) -> Stored<bool>;
    /// What a link leads to, as long as it is valid.
    async fn link(&self, hash: [u8; 32], purpose: LinkPurpose, now: Timestamp) -> Stored<Option<StoredLink>>;
    /// Follows a link once: the password is another, the address is verified, and every sign-in and every other link ends.
    async fn reset_password(
        &self,
        hash: [u8; 32],
        now: Timestamp,
        password_hash: &str,
        mail: Option<NewMail>,
    ) -> Stored<Option<AccountId>>;
    /// Follows a link once, and ends every other of the account: they went to an address that may be no more theirs. `None` also
    /// if somebody else has the address by now.
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

/// By name, as people look for one.
pub(crate) fn by_name(mut members: Vec<Member>) -> Vec<Member> {
    members.sort_by_cached_key(|member| (member.full_name.to_lowercase(), member.account));
    members
}

/// What a link's address is sealed as.
pub(crate) fn place_of_link(hash: &[u8; 32]) -> String {
    format!("address of link {}", hex::encode(hash))
}

/// A number of the database that counts people or devices.
pub(crate) fn small_count(number: i64) -> Stored<u32> {
    u32::try_from(number).map_err(|_| StorageError::Failed(format!("a count of {number}")))
}
