//! The animal has left; and the undo of a slip of the finger.

use super::{CommandError, Intent};
use crate::documents::{Document, Kind, Stamp};
use crate::ids::{AppointmentId, ClinicId, DocumentId};
use automerge::Change;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckOut {
    pub appointment: AppointmentId,
}

impl Intent for CheckOut {
    const VERB: &'static str = "check_out";

    fn touches(&self, _: ClinicId) -> Vec<(Kind, DocumentId)> {
        vec![(Kind::Appointment, self.appointment.into())]
    }

    fn write(&self, doc: &mut Document, stamp: &Stamp) -> Result<Option<Change>, CommandError> {
        doc.change(stamp, Self::VERB, |w| {
            w.put_time("whereabouts/departed_at", stamp.now);
            Ok(())
        })
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UndoCheckOut {
    pub appointment: AppointmentId,
}

impl Intent for UndoCheckOut {
    const VERB: &'static str = "undo_check_out";

    fn touches(&self, _: ClinicId) -> Vec<(Kind, DocumentId)> {
        vec![(Kind::Appointment, self.appointment.into())]
    }

    fn write(&self, doc: &mut Document, stamp: &Stamp) -> Result<Option<Change>, CommandError> {
        doc.change(stamp, Self::VERB, |w| {
            w.put_optional("whereabouts/departed_at", None::<String>);
            Ok(())
        })
    }
}
