//! Cancelling, and taking the cancellation back.

use super::{CommandError, Intent, optional};
use crate::documents::{Document, Kind, Stamp};
use crate::ids::{AppointmentId, ClinicId, DocumentId};
use automerge::Change;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancelAppointment {
    pub appointment: AppointmentId,
    pub reason: String,
}

impl Intent for CancelAppointment {
    const VERB: &'static str = "cancel_appointment";

    fn touches(&self, _: ClinicId) -> Vec<(Kind, DocumentId)> {
        vec![(Kind::Appointment, self.appointment.into())]
    }

    fn write(&self, doc: &mut Document, stamp: &Stamp) -> Result<Option<Change>, CommandError> {
        let reason = optional("reason", &self.reason, 200)?;
        doc.change(stamp, Self::VERB, |w| {
            w.put_time("booking/cancelled_at", stamp.now);
            w.put_optional("booking/cancel_reason", reason);
            Ok(())
        })
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReinstateAppointment {
    pub appointment: AppointmentId,
}

impl Intent for ReinstateAppointment {
    const VERB: &'static str = "reinstate_appointment";

    fn touches(&self, _: ClinicId) -> Vec<(Kind, DocumentId)> {
        vec![(Kind::Appointment, self.appointment.into())]
    }

    fn write(&self, doc: &mut Document, stamp: &Stamp) -> Result<Option<Change>, CommandError> {
        doc.change(stamp, Self::VERB, |w| {
            w.put_optional("booking/cancelled_at", None::<String>);
            Ok(())
        })
    }
}
