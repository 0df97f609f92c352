//! What hostile bytes are tried on: frames, documents, pushes at the server, and pages at a device.
//!
//! Invariant: a target panics if, and only if, a promise was broken. A panic inside Automerge that the code in question
//! contains is no finding; one that gets out is.

#![allow(clippy::expect_used, reason = "a target that panics is a finding")]

mod checksums;
mod device;
mod documents;
mod frames;
mod pushes;

pub use checksums::mend;
pub use device::device;
pub use documents::documents;
pub use frames::frames;
pub use pushes::pushes;

use shared_model::ids::{AccountId, ClinicId, DocumentId};
use shared_model::permissions::{Principal, Role};
use shared_model::time::Timestamp;
use uuid::Uuid;

/// A name and the function behind it.
pub type Target = (&'static str, fn(&[u8]));

/// Every target, as `cargo xtask fuzz` and the regression test know them.
pub const TARGETS: [Target; 4] = [
    ("frames", frames),
    ("documents", documents),
    ("pushes", pushes),
    ("device", device),
];

pub const CLINIC: ClinicId = ClinicId(Uuid::from_u128(1));
pub const DOCUMENT: DocumentId = DocumentId(Uuid::from_u128(0xd0c));
pub const VET: AccountId = AccountId(Uuid::from_u128(2));
/// 23 November 2026, 9:00 UTC.
pub const NOW: Timestamp = Timestamp(1_795_424_400_000);

/// Somebody who may do everything that a clinic's staff may do.
pub fn vet() -> Principal {
    Principal {
        account: VET,
        clinic: CLINIC,
        roles: vec![Role::Veterinarian, Role::ClinicAdministrator],
        client: None,
        name: "Ana Moreno".to_owned(),
    }
}

/// A contained panic would fill the screen; one that gets out ends the program anyway.
pub fn quiet() {
    std::panic::set_hook(Box::new(|_| {}));
}
