//! The second factor: asked for after the first one, whichever way somebody came, set up, replaced and taken away.
//!
//! Every way in ends in `begin_sign_in`, which asks here first: whoever has a second factor gets a step to go on with, and
//! so does staff of a clinic that asks for one. Invariants: a step is worth nothing without the factor; what changes a
//! factor is asked with a word (`proven`) that is given for as much as signing in takes, good for minutes in one sign-in; a
//! code works once.

mod finish_sign_in;
mod kept;
mod own;
mod passkeys;
mod prove;
mod rules;
mod totp;

pub(crate) use finish_sign_in::finish_sign_in;
pub(super) use finish_sign_in::next_step;
pub(crate) use own::{factors, new_recovery_codes, remove_passkey, remove_totp};
pub(crate) use passkeys::{
    begin_passkey, begin_passkey_sign_in, finish_passkey, finish_passkey_sign_in, passkeys_offered,
};
pub(crate) use prove::{prove_by_first, prove_by_second};
pub(crate) use rules::{forget_members_factors, set_sign_in_rules, sign_in_rules};
pub(crate) use totp::{begin_totp, begin_totp_at_sign_in, confirm_totp, confirm_totp_at_sign_in};

use crate::error::ApiError;
use crate::identity::PasskeyTrouble;

/// A passkey that does not hold is refused; one that the server cannot read is its own trouble.
fn passkey_refused(trouble: PasskeyTrouble) -> ApiError {
    match trouble {
        PasskeyTrouble::Kept(error) => {
            ApiError::Unavailable(crate::storage::StorageError::Failed(error.to_string()))
        }
        trouble => {
            tracing::warn!(%trouble, "a passkey was refused");
            ApiError::PasskeyRefused
        }
    }
}
