//! ClientNotes: what the clinic's people tell each other about a client. The client never reads it, so it is a document
//! of its own.

use super::{Document, Problem};
use crate::ids::ClientId;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientNotes {
    pub client: Option<ClientId>,
    pub notes: String,
}

impl ClientNotes {
    pub fn read(doc: &Document) -> (Self, Vec<Problem>) {
        let notes = Self {
            client: doc.fields().id("client"),
            notes: doc.text("notes"),
        };
        (notes, Vec::new())
    }
}
