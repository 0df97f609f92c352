//! The notes are done, and the animal can go to the desk; or they are opened again.

use super::{CommandError, Intent};
use crate::documents::{Document, Kind, Stamp};
use crate::ids::{AppointmentId, ClinicId, DocumentId, VisitId};
use automerge::Change;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FinishVisit {
    pub visit: VisitId,
    pub appointment: Option<AppointmentId>,
}

fn touched(visit: VisitId, appointment: Option<AppointmentId>) -> Vec<(Kind, DocumentId)> {
    let mut touched = vec![(Kind::Visit, visit.into())];
    touched.extend(appointment.map(|id| (Kind::Appointment, id.into())));
    touched
}

impl Intent for FinishVisit {
    const VERB: &'static str = "finish_visit";

    fn touches(&self, _: ClinicId) -> Vec<(Kind, DocumentId)> {
        touched(self.visit, self.appointment)
    }

    fn write(&self, doc: &mut Document, stamp: &Stamp) -> Result<Option<Change>, CommandError> {
        let kind = doc.kind;
        doc.change(stamp, Self::VERB, |w| {
            if kind == Kind::Visit {
                w.put_time("finished_at", stamp.now);
                w.put("finished_by", stamp.account.to_string());
            } else {
                w.put_time("clinical/finished_at", stamp.now);
            }
            Ok(())
        })
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReopenVisit {
    pub visit: VisitId,
    pub appointment: Option<AppointmentId>,
}

impl Intent for ReopenVisit {
    const VERB: &'static str = "reopen_visit";

    fn touches(&self, _: ClinicId) -> Vec<(Kind, DocumentId)> {
        touched(self.visit, self.appointment)
    }

    fn write(&self, doc: &mut Document, stamp: &Stamp) -> Result<Option<Change>, CommandError> {
        let field = if doc.kind == Kind::Visit {
            "finished_at"
        } else {
            "clinical/finished_at"
        };
        doc.change(stamp, Self::VERB, |w| {
            w.put_optional(field, None::<String>);
            Ok(())
        })
    }
}
