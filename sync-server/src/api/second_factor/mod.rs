//! The second factor: asked for after the first one, whichever way somebody came, set up, replaced and taken away.
//!
//! Every way in ends in `begin_sign_in`, which asks here first: whoever has a second factor gets a step to go on with, and
//! so does staff of a clinic that asks for one. Invariants: a step is worth nothing without the factor; what changes a
//! factor is asked with the word of `prove`, and what it offers is for the same sign-in and as few minutes; a code works
//! once.

mod finish_sign_in;
mod kept;
mod own;
mod passkeys;
mod rules;
mod show;
mod totp;

pub(crate) use finish_sign_in::finish_sign_in;
pub(super) use finish_sign_in::{next_step, passkey_options, second_step};
pub(super) use kept::SetUp;
pub(crate) use own::{factors, new_recovery_codes, remove_passkey, remove_totp};
pub(crate) use passkeys::{
    begin_passkey, begin_passkey_sign_in, finish_passkey, finish_passkey_sign_in, passkeys_offered,
};
pub(crate) use rules::{forget_members_factors, set_sign_in_rules, sign_in_rules};
pub(super) use show::{Showing, show};
pub(crate) use totp::{begin_totp, begin_totp_at_sign_in, confirm_totp, confirm_totp_at_sign_in};

use crate::error::ApiError;
use crate::identity::PasskeyTrouble;

/// What a passkey showed; `None` if it does not hold.
fn holds<T>(shown: Result<T, PasskeyTrouble>) -> Result<Option<T>, ApiError> {
    match shown.map_err(passkey_refused) {
        Ok(shown) => Ok(Some(shown)),
        Err(ApiError::PasskeyRefused) => Ok(None),
        Err(error) => Err(error),
    }
}

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
