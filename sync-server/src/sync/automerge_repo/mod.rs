//! Interop: clients made with automerge-repo open and edit the documents that their account may, over that library's
//! own WebSocket protocol, version 1. docs/automerge-repo.md says what they can and cannot do.
//!
//! Place in the flow: what a session is for our devices, a connection is for them. Invariants: it writes nothing by
//! itself, changes go through accept; and whatever it sends was read from the database for this principal's feeds just
//! before, so nothing refused and nothing foreign can be in it.

mod connection;
mod document_id;
mod ephemera;
mod guests;
mod message;
mod open_document;
mod refusals;
mod sync_message;

pub(crate) use connection::{MAX_MESSAGE, person_behind, run};
pub(crate) use guests::Guests;
