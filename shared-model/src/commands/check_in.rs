//! The animal has arrived and waits; and the undo of a slip of the finger.

use super::{CommandError, Intent};
use crate::documents::{Document, Kind, Stamp};
use crate::ids::{AppointmentId, ClinicId, DocumentId};
use automerge::Change;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckIn {
    pub appointment: AppointmentId,
}

impl Intent for CheckIn {
    const VERB: &'static str = "check_in";

    fn touches(&self, _: ClinicId) -> Vec<(Kind, DocumentId)> {
        vec![(Kind::Appointment, self.appointment.into())]
    }

    fn write(&self, doc: &mut Document, stamp: &Stamp) -> Result<Option<Change>, CommandError> {
        doc.change(stamp, Self::VERB, |w| {
            w.put_time("whereabouts/arrived_at", stamp.now);
            Ok(())
        })
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UndoCheckIn {
    pub appointment: AppointmentId,
}

impl Intent for UndoCheckIn {
    const VERB: &'static str = "undo_check_in";

    fn touches(&self, _: ClinicId) -> Vec<(Kind, DocumentId)> {
        vec![(Kind::Appointment, self.appointment.into())]
    }

    fn write(&self, doc: &mut Document, stamp: &Stamp) -> Result<Option<Change>, CommandError> {
        doc.change(stamp, Self::VERB, |w| {
            w.put_optional("whereabouts/arrived_at", None::<String>);
            Ok(())
        })
    }
}
