//! Another time, vet or room for a booking: one value, so a move is never half of one and half of another.

use super::{CommandError, Intent};
use crate::documents::{Document, Kind, Slot, Stamp};
use crate::ids::{AppointmentId, ClinicId, DocumentId};
use automerge::Change;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MoveAppointment {
    pub appointment: AppointmentId,
    pub slot: Slot,
}

impl Intent for MoveAppointment {
    const VERB: &'static str = "move_appointment";

    fn touches(&self, _: ClinicId) -> Vec<(Kind, DocumentId)> {
        vec![(Kind::Appointment, self.appointment.into())]
    }

    fn write(&self, doc: &mut Document, stamp: &Stamp) -> Result<Option<Change>, CommandError> {
        doc.change(stamp, Self::VERB, |w| {
            w.put("booking/slot", self.slot.write());
            Ok(())
        })
    }
}
