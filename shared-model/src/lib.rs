//! What device and server share: documents, the commands that change them, who may do so, and the wire.
//!
//! Place in the flow: everywhere, and below everything. Invariant: this crate is pure. It reads no clock, no random
//! source, no file and no socket; times, ids and actors arrive as arguments.

pub mod accounts;
pub mod authorship;
pub mod clinical;
pub mod commands;
pub mod documents;
pub mod ids;
pub mod late_work;
pub mod permissions;
pub mod protocol;
pub mod second_factor;
pub mod time;
pub mod trail;
pub mod values;
pub mod ways_in;

/// The version of the document shapes that this build writes. A build that meets a higher one defers.
pub const SCHEMA_VERSION: u16 = 1;
