//! One client: contacts, animals, appointments.

use super::lines::{AppointmentLine, PetLine, appointments_of, pets_of};
use crate::core::Reading;
use crate::store::{Receipt, StoreError};
use serde::{Deserialize, Serialize};
use shared_model::documents::{Client, Problem};
use shared_model::ids::ClientId;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClientView {
    pub id: ClientId,
    pub client: Client,
    pub pets: Vec<PetLine>,
    /// Soonest first.
    pub upcoming: Vec<AppointmentLine>,
    /// Latest first.
    pub past: Vec<AppointmentLine>,
    pub receipt: Receipt,
    pub problems: Vec<Problem>,
}

pub(super) fn view(reading: &Reading<'_>, id: ClientId) -> Result<Option<ClientView>, StoreError> {
    let Some(document) = reading.document(id.into())? else {
        return Ok(None);
    };
    let (client, problems) = Client::read(&document);
    let now = reading.now.plus_minutes(-60).0;
    let bytes = &id.bytes()[..];
    Ok(Some(ClientView {
        id,
        client,
        problems,
        pets: pets_of(reading, id)?,
        upcoming: appointments_of(
            reading,
            "a.client = ?1 AND a.start >= ?2 ORDER BY a.start LIMIT 20",
            (bytes, now),
        )?,
        past: appointments_of(
            reading,
            "a.client = ?1 AND a.start < ?2 ORDER BY a.start DESC LIMIT 20",
            (bytes, now),
        )?,
        receipt: reading.store.receipt(id.into())?,
    }))
}
