//! The devices that people sign in on, and those that were lost.

use crate::identity::NewRefreshToken;
use crate::storage::Stored;
use crate::storage::trail::Event;
use async_trait::async_trait;
use shared_model::accounts::Device;
use shared_model::authorship::KeyId;
use shared_model::ids::{AccountId, ClinicId, DeviceId};
use shared_model::time::Timestamp;
use shared_model::trail::{Detail, Happening};

/// Decides about a report, seeing who else is signed in on the device and where.
pub type LostJudge = Box<dyn FnOnce(&[(AccountId, ClinicId)]) -> bool + Send>;

/// What came of reporting a device as lost or found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LostReport {
    Noted,
    /// The account has never signed in on such a device.
    NoSuchDevice,
    NotPermitted,
}

/// Somebody's Ed25519 public key on a device.
#[derive(Clone, Copy, Debug)]
pub struct NewSigningKey {
    pub account: AccountId,
    pub device: DeviceId,
    pub key: [u8; 32],
    pub at: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registered {
    New,
    Known,
    /// It is somebody else's on this device, or begins as another key does.
    Taken,
}

impl Registered {
    /// `stored` is what was there before.
    pub(crate) fn of(stored: Option<(AccountId, [u8; 32])>, new: &NewSigningKey) -> Self {
        match stored {
            None => Self::New,
            Some(stored) if stored == (new.account, new.key) => Self::Known,
            Some(_) => Self::Taken,
        }
    }
}

/// Somebody comes in on a device.
#[derive(Clone, Debug)]
pub struct BegunSignIn {
    pub token: NewRefreshToken,
    /// What the device calls itself; the name that somebody gave it stays.
    pub device_name: String,
    /// Stands in the clinic's trail.
    pub happened: Event,
}

impl BegunSignIn {
    /// At the moment from which the token lives; `how` they came in.
    pub fn new(token: NewRefreshToken, device_name: String, how: &Detail) -> Self {
        let happened = Event {
            account: Some(token.account),
            device: Some(token.device),
            ..Event::new(Happening::SignedIn, token.begun_at, how)
        };
        Self {
            token,
            device_name,
            happened,
        }
    }
}

#[async_trait]
pub trait DeviceStorage: Send + Sync {
    /// Takes the place of the account's former sign-in at this clinic on this device: nobody goes on with its tokens.
    async fn begin_sign_in(&self, begun: BegunSignIn) -> Stored<()>;
    /// An account's devices, the latest first. None of them is marked as the one that asks.
    async fn devices(&self, account: AccountId, now: Timestamp) -> Stored<Vec<Device>>;
    /// Whether there is such a device.
    async fn name_device(&self, account: AccountId, device: DeviceId, name: &str) -> Stored<bool>;
    /// Ends the account's sign-ins on a device, at one clinic or at all; whether there is such a device.
    async fn sign_out_device(
        &self,
        account: AccountId,
        device: DeviceId,
        clinic: Option<ClinicId>,
    ) -> Stored<bool>;
    async fn is_lost(&self, device: DeviceId) -> Stored<bool>;
    /// Every sign-in on the device is refused from now on. What proves one is kept, so that it can be told why.
    async fn report_lost(
        &self,
        account: AccountId,
        device: DeviceId,
        by: AccountId,
        now: Timestamp,
        judge: LostJudge,
    ) -> Stored<LostReport>;
    /// The device is as any other; its people sign in anew.
    async fn report_found(
        &self,
        account: AccountId,
        device: DeviceId,
        now: Timestamp,
        judge: LostJudge,
    ) -> Stored<LostReport>;
    /// Notes whose key this is on a device; the first that says so has it.
    async fn register_signing_key(&self, key: NewSigningKey) -> Stored<Registered>;
    /// Whose key on a device begins with these bytes.
    async fn signing_key(&self, device: DeviceId, id: KeyId) -> Stored<Option<(AccountId, [u8; 32])>>;
    /// A lost device says that its records are gone, with a refresh token that was its own (its hash).
    async fn note_purged(&self, device: DeviceId, token: [u8; 32], now: Timestamp) -> Stored<bool>;
}

/// What a device's name is sealed as.
pub(crate) fn place_of_device(device: DeviceId) -> String {
    format!("name of device {device}")
}
