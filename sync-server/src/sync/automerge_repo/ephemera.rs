//! What those who have a document open tell each other and nobody keeps: cursors, selections, who is typing. It reaches
//! the clients of this kind on this node, and whoever does not listen in time has missed it.

use super::message::Ephemeral;
use crate::sync::SessionId;
use shared_model::ids::{ClinicId, DocumentId};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::broadcast;

/// What waits for a slow connection before it misses the oldest.
const QUEUE: usize = 64;
/// One message's content, in bytes.
pub(super) const MAX_EPHEMERAL: usize = 16 << 10;

#[derive(Clone, Default)]
pub(crate) struct Ephemera(Arc<Mutex<HashMap<ClinicId, broadcast::Sender<Arc<Told>>>>>);

#[derive(Debug)]
pub(super) struct Told {
    pub(super) by: SessionId,
    /// The name that its client goes by.
    pub(super) sender: String,
    pub(super) document: DocumentId,
    pub(super) message: Ephemeral,
}

/// One connection's ear and mouth.
pub(super) struct Exchange {
    pub(super) tell: broadcast::Sender<Arc<Told>>,
    pub(super) hear: broadcast::Receiver<Arc<Told>>,
}

impl Ephemera {
    pub(super) fn join(&self, clinic: ClinicId) -> Exchange {
        let mut clinics = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        clinics.retain(|_, tell| tell.receiver_count() > 0);
        let tell = clinics
            .entry(clinic)
            .or_insert_with(|| broadcast::channel(QUEUE).0)
            .clone();
        Exchange {
            hear: tell.subscribe(),
            tell,
        }
    }
}
