//! A booking. Two devices may book the same slot without a network: both survive, and both screens show the clash.

use super::{CommandError, Intent, optional};
use crate::documents::{Document, Kind, Slot, Stamp};
use crate::ids::{AppointmentId, AppointmentTypeId, ClientId, ClinicId, DocumentId, PatientId};
use automerge::Change;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookAppointment {
    pub appointment: AppointmentId,
    pub client: ClientId,
    pub patient: PatientId,
    pub appointment_type: AppointmentTypeId,
    pub slot: Slot,
    pub reason: String,
}

impl Intent for BookAppointment {
    const VERB: &'static str = "book_appointment";

    fn touches(&self, _: ClinicId) -> Vec<(Kind, DocumentId)> {
        vec![(Kind::Appointment, self.appointment.into())]
    }

    fn creates(&self, _: Kind) -> bool {
        true
    }

    fn write(&self, doc: &mut Document, stamp: &Stamp) -> Result<Option<Change>, CommandError> {
        let reason = optional("reason", &self.reason, 200)?;
        doc.change(stamp, Self::VERB, |w| {
            w.put("client", self.client.to_string());
            w.put("patient", self.patient.to_string());
            w.put("booking/type", self.appointment_type.to_string());
            w.put("booking/slot", self.slot.write());
            w.put_optional("booking/reason", reason);
            w.put("booking/by", stamp.account.to_string());
            Ok(())
        })
    }
}
