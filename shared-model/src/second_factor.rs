//! Second factors as client and server say them over HTTP: one-time codes of an authenticator app (TOTP, RFC 6238),
//! recovery codes for who has lost it, and passkeys (WebAuthn), which are two factors in one.
//!
//! Place in the flow: beside it, like [`crate::accounts`]. Invariants: whoever has a second factor signs in with it whichever
//! way they come; what changes anything of what decides about signing in asks for as much as signing in does ([`Prove`]).

use crate::ids::{ClinicId, DeviceId};
use crate::permissions::Role;
use crate::time::Timestamp;
use crate::ways_in::Proof;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The codes of problem details of second factors, beside [`crate::accounts::codes`].
pub mod codes {
    /// Right so far; [`super::SecondStep`] says what is to be shown next.
    pub const SECOND_FACTOR: &str = "second_factor";
    /// The clinic asks its staff for a second factor, and this person has none yet: [`super::SecondStep`] begins one.
    pub const SECOND_FACTOR_TO_SET_UP: &str = "second_factor_to_set_up";
    /// The code is wrong, was used, or its half minute is over.
    pub const WRONG_CODE: &str = "wrong_code";
    /// The clinic asks its staff for a second factor: the last one stays.
    pub const LAST_SECOND_FACTOR: &str = "last_second_factor";
    /// The passkey is not one of this account's, or what it signed does not hold.
    pub const PASSKEY_REFUSED: &str = "passkey_refused";
    /// The server's public address is no name that passkeys can be for.
    pub const NO_PASSKEYS: &str = "no_passkeys";
}

/// What a 401 with [`codes::SECOND_FACTOR`] or [`codes::SECOND_FACTOR_TO_SET_UP`] has beside the problem's own fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecondStep {
    /// With what the sign-in goes on; good for ten minutes, and for five to prove.
    pub step: String,
    /// Has an authenticator app.
    pub totp: bool,
    /// Has recovery codes left.
    pub recovery_codes: bool,
    /// The options for `navigator.credentials.get()` as JSON, if there are passkeys.
    pub passkey: Option<String>,
}

/// `POST /sign-in/second`, answered by [`crate::accounts::SignedIn`]. A wrong proof leaves the step good.
#[derive(Clone, Serialize, Deserialize)]
pub struct FinishSignIn {
    pub step: String,
    pub proof: SecondProof,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecondProof {
    /// Six digits.
    Totp(String),
    /// Each is good once. Blanks, hyphens and capital letters make no difference.
    RecoveryCode(String),
    /// What `navigator.credentials.get()` gave, as JSON.
    Passkey(String),
    /// Of a step with [`codes::SECOND_FACTOR_TO_SET_UP`], once that is done.
    SetUp,
}

/// `POST /me/prove` (signed in): whoever changes what decides about signing in shows anew who they are, for a device may lie
/// open. Answered by [`Proven`], or by a [`SecondStep`] that `POST /me/prove/second` ([`FinishSignIn`]) goes on with.
#[derive(Clone, Serialize, Deserialize)]
pub struct Prove {
    pub proof: Proof,
}

#[derive(Clone, Serialize, Deserialize)]
pub struct Proven {
    /// What second factors, password, address, links and a clinic's rules are changed with: good for five minutes in this
    /// sign-in.
    pub proven: String,
}

/// `POST /me/totp/begin` and `POST /me/passkeys/begin`, answered by [`TotpOffer`] and [`PasskeyOffer`]; `POST
/// /me/recovery-codes`, answered by [`RecoveryCodes`]; `POST /me/totp/remove`, `POST /me/passkeys/{passkey}/remove` and `POST
/// /me/identities/{identity}/remove`; `POST /staff/{account}/second-factor/remove` (clinic administrators), which takes
/// everything away from a colleague who has lost it all.
#[derive(Clone, Serialize, Deserialize)]
pub struct AskProven {
    pub proven: String,
}

/// `POST /sign-in/totp/begin`, answered by [`TotpOffer`]: for a step that asks to set a factor up.
#[derive(Clone, Serialize, Deserialize)]
pub struct BeginTotpAtSignIn {
    pub step: String,
}

/// A secret that nobody has yet. Nothing is kept until its first code has come back.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TotpOffer {
    /// With what [`ConfirmTotp`] goes on: good for five minutes in the same sign-in, and for ten with the step of a sign-in.
    pub offer: String,
    /// To be typed where nothing can be scanned: base32, RFC 4648.
    pub secret: String,
    /// `otpauth://totp/…`
    pub address: String,
    /// The address as a QR code: so many modules a side, without a margin.
    pub side: u16,
    /// The modules row by row, eight to a byte from the highest bit on; set is dark.
    pub modules: Vec<u8>,
}

/// `POST /me/totp/confirm` (signed in) and `POST /sign-in/totp/confirm` (of a step), answered by [`RecoveryCodes`].
#[derive(Clone, Serialize, Deserialize)]
pub struct ConfirmTotp {
    pub offer: String,
    pub code: String,
    /// At sign-in alone.
    #[serde(default)]
    pub step: Option<String>,
}

/// Shown once and kept nowhere in this form. They take the place of all former ones.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecoveryCodes {
    pub codes: Vec<String>,
}

/// `GET /me/factors`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Factors {
    /// Since when there is an authenticator app.
    pub totp_since: Option<Timestamp>,
    /// How many are left.
    pub recovery_codes: u32,
    pub passkeys: Vec<Passkey>,
    /// A clinic of this person asks its staff for a second factor.
    pub demanded: bool,
    /// This server can have passkeys.
    pub offers_passkeys: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passkey {
    pub passkey: Uuid,
    pub name: String,
    pub created_at: Timestamp,
    pub last_used: Option<Timestamp>,
}

/// `GET /clinic/sign-in` (clinic administrators), and the answer of `PUT`: what the clinic asks of its staff. Owners are asked
/// for nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignInRules {
    /// Whoever of the staff has no second factor sets one up at their next sign-in.
    pub second_factor: bool,
}

impl SignInRules {
    /// Whether somebody with these roles at the clinic has to have one: whoever is more than an owner there, system
    /// administrators too.
    pub fn asks(self, roles: &[Role]) -> bool {
        self.second_factor && roles.iter().any(|role| *role != Role::Owner)
    }
}

/// `PUT /clinic/sign-in` (clinic administrators), answered by [`SignInRules`].
#[derive(Clone, Serialize, Deserialize)]
pub struct ChangeSignInRules {
    /// Of [`Proven`].
    pub proven: String,
    pub rules: SignInRules,
}

/// `GET /passkeys` (anybody).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasskeysOffered {
    /// This server can have passkeys.
    pub offered: bool,
}

/// Also the answer of `POST /passkeys/begin` (anybody), which begins a sign-in with a passkey alone.
#[derive(Clone, Serialize, Deserialize)]
pub struct PasskeyOffer {
    /// With what it goes on: good for ten minutes to sign in, and for five in the same sign-in to make one.
    pub offer: String,
    /// The options for `navigator.credentials.create()` or `.get()`, as JSON.
    pub options: String,
}

/// `POST /me/passkeys/finish`, answered by [`NewPasskey`].
#[derive(Clone, Serialize, Deserialize)]
pub struct FinishPasskey {
    pub offer: String,
    /// What `navigator.credentials.create()` gave, as JSON.
    pub credential: String,
    pub name: String,
}

#[derive(Clone, Serialize, Deserialize)]
pub struct NewPasskey {
    pub passkey: Passkey,
    /// Of whoever had no second factor so far; else none.
    pub recovery_codes: Vec<String>,
}

/// `POST /passkeys/finish`, answered by [`crate::accounts::SignedIn`]. A 409 (which clinic) leaves the offer good.
#[derive(Clone, Serialize, Deserialize)]
pub struct EnterWithPasskey {
    pub offer: String,
    /// What `navigator.credentials.get()` gave, as JSON.
    pub credential: String,
    pub device: DeviceId,
    #[serde(default)]
    pub device_name: String,
    #[serde(default)]
    pub clinic: Option<ClinicId>,
}
