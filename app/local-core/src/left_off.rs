//! Where somebody was when the device was locked, so that they go on there.
//!
//! Invariant: it is theirs alone, and lies in the encrypted records like anything else.

use crate::core::Core;
use crate::store::StoreError;
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};
use shared_model::ids::AccountId;

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
pub struct LeftOff {
    /// The address of a page; empty if nobody knows.
    #[n(0)]
    pub place: String,
    #[n(1)]
    pub typed: Vec<HalfTyped>,
}

/// What somebody had typed in a field of a dialog and not recorded yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
pub struct HalfTyped {
    /// The address of the page that the dialog was opened on.
    #[n(0)]
    pub place: String,
    /// The field's name on that page.
    #[n(1)]
    pub field: String,
    #[n(2)]
    pub text: String,
}

fn name(account: AccountId) -> String {
    format!("left off {account}")
}

impl Core {
    /// Where whoever works here was when they left.
    pub fn left_off(&self) -> LeftOff {
        let kept = |account| self.store.meta(&name(account)).ok().flatten();
        self.principal()
            .and_then(|principal| kept(principal.account))
            .unwrap_or_default()
    }

    /// Whoever works here finds this again after unlocking.
    pub fn note_left_off(&self, left_off: &LeftOff) -> Result<(), StoreError> {
        match self.principal() {
            Some(principal) => self.store.set_meta(&name(principal.account), left_off),
            None => Ok(()),
        }
    }

    /// Whoever works here will not come back for it.
    pub fn forget_left_off(&self) -> Result<(), StoreError> {
        match self.principal() {
            Some(principal) => self.store.clear_meta(&name(principal.account)),
            None => Ok(()),
        }
    }
}
