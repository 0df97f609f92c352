//! Second factors of accounts, and which clinics ask for one.
//!
//! Invariants: secrets lie sealed, recovery codes hashed; of two who use one code at the same moment, one has used it.

use super::NewMail;
use crate::identity::TOTP_SECRET;
use crate::storage::Stored;
use crate::storage::trail::Event;
use async_trait::async_trait;
use shared_model::ids::{AccountId, ClinicId};
use shared_model::second_factor::SignInRules;
use shared_model::time::Timestamp;
use uuid::Uuid;
use zeroize::Zeroizing;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoredFactors {
    pub totp: Option<StoredTotp>,
    /// How many are left.
    pub recovery_codes: u32,
    /// In the order in which they were made.
    pub passkeys: Vec<StoredPasskey>,
}

impl StoredFactors {
    /// Whether there is something that is asked for at sign-in.
    pub fn has_any(&self) -> bool {
        self.totp.is_some() || !self.passkeys.is_empty()
    }
}

#[derive(Clone, PartialEq, Eq)]
pub struct StoredTotp {
    pub secret: Zeroizing<[u8; TOTP_SECRET]>,
    pub since: Timestamp,
}

impl std::fmt::Debug for StoredTotp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoredTotp")
            .field("since", &self.since)
            .finish_non_exhaustive()
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredPasskey {
    pub passkey: Uuid,
    /// What the authenticator calls it.
    pub credential: Vec<u8>,
    pub name: String,
    pub created_at: Timestamp,
    pub last_used: Option<Timestamp>,
    /// Its public key and counter, as `identity` writes them.
    pub public_key: Vec<u8>,
}

/// A second factor that an account has from now on.
pub struct NewFactor {
    pub account: AccountId,
    pub factor: Factor,
    /// Not if there is one already, whatever kind.
    pub only_first: bool,
    /// Hashes; they take the place of all former ones, if the factor brings any ([`Factor::brings_codes`]).
    pub recovery_codes: Vec<[u8; 32]>,
    pub mail: Option<NewMail>,
}

pub enum Factor {
    /// Takes the place of a former one. The half minute of the code that confirmed it counts as used.
    Totp {
        totp: StoredTotp,
        step: i64,
    },
    Passkey(StoredPasskey),
}

impl Factor {
    /// An app is set up by who may have lost the former one, and their codes with it; a passkey beside other factors leaves
    /// the codes that there are.
    pub(crate) fn brings_codes(&self, is_first: bool) -> bool {
        is_first || matches!(self, Self::Totp { .. })
    }
}

/// What became of a new factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Added {
    /// Not: there is a factor, and this was to be the first.
    NotFirst,
    /// Not: the passkey is somebody's already.
    Taken,
    /// Its recovery codes are the ones that count.
    WithCodes,
    /// The recovery codes that there were stay.
    BesideOthers,
}

/// What is taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unneeded {
    Totp,
    Passkey(Uuid),
    /// With the recovery codes: somebody lost them all.
    Everything,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TakenAway {
    Done,
    NoSuch,
    /// Nothing was taken away: it is the last one, and a clinic asks for one.
    Last,
}

#[async_trait]
pub trait FactorStorage: Send + Sync {
    async fn factors(&self, account: AccountId) -> Stored<StoredFactors>;
    /// Of two that are added at the same moment, one is the first.
    async fn add_factor(&self, new: NewFactor) -> Stored<Added>;
    /// Uses a half minute of the app up; false if this one or a later one has been used.
    async fn use_totp(&self, account: AccountId, step: i64) -> Stored<bool>;
    /// Uses a code up; false if it is none that is left.
    async fn use_recovery_code(
        &self,
        account: AccountId,
        hash: [u8; 32],
        mail: Option<NewMail>,
    ) -> Stored<bool>;
    /// They take the place of all former ones. False, and there are none, for who has no factor that they would stand in for.
    async fn set_recovery_codes(
        &self,
        account: AccountId,
        hashes: Vec<[u8; 32]>,
        mail: Option<NewMail>,
    ) -> Stored<bool>;
    /// With the last factor the recovery codes go. `Everything` goes whatever a clinic asks. What is to stand in trails comes in
    /// the order of the clinics.
    async fn take_away(
        &self,
        account: AccountId,
        what: Unneeded,
        mail: Option<NewMail>,
        happened: Vec<(ClinicId, Event)>,
    ) -> Stored<TakenAway>;
    /// Whose passkey this is.
    async fn passkey(&self, credential: &[u8]) -> Stored<Option<(AccountId, StoredPasskey)>>;
    /// What it has become by being used.
    async fn used_passkey(&self, credential: &[u8], public_key: Vec<u8>, now: Timestamp) -> Stored<()>;
    async fn sign_in_rules(&self, clinic: ClinicId) -> Stored<SignInRules>;
    /// What happened stands in the clinic's trail.
    async fn set_sign_in_rules(&self, clinic: ClinicId, rules: SignInRules, happened: Event) -> Stored<()>;
    /// Whether a clinic asks for a second factor where the account is more than an owner.
    async fn needs_second_factor(&self, account: AccountId) -> Stored<bool>;
}

/// Where the secret of an authenticator app is sealed for.
pub(crate) fn place_of_totp(account: AccountId) -> String {
    format!("authenticator app {account}")
}

/// Where a passkey's public key is sealed for.
pub(crate) fn place_of_passkey(credential: &[u8]) -> String {
    format!("passkey {}", hex::encode(credential))
}

/// What a passkey's name is sealed as.
pub(crate) fn place_of_passkey_name(credential: &[u8]) -> String {
    format!("name of passkey {}", hex::encode(credential))
}
