//! Real devices (local-core on SQLite) against the real server over real sockets, in words that read as stories:
//!
//! ```text
//! let mut clinic = Clinic::with_patients(12).await;
//! let [mut desk, mut vet] = clinic.two_devices().await;
//! vet.offline().await;  …  clinic.settle(&mut [&mut desk, &mut vet]).await;
//! ```
//!
//! Place in the flow: around all of it. Invariant: nothing here fakes a part; what stories need beyond the parts'
//! own interfaces is their hosts' work (sockets, clock, files).

#![allow(
    clippy::expect_used,
    reason = "a story that cannot be set up has failed, and says why"
)]

mod clinic;
mod device;
pub mod kill;
mod master_keys;

pub use clinic::{Clinic, now};
pub use device::{Device, SignedIn, sign_in};
pub use master_keys::{MASTER_KEY, master_keys};
