//! A visit begins: the notes are created and, if it was booked, the appointment shows the animal in the room.

use super::{CommandError, Intent, optional};
use crate::documents::{Document, Kind, Stamp};
use crate::ids::{AccountId, AppointmentId, ClinicId, DocumentId, PatientId, VisitId};
use automerge::Change;
use serde::{Deserialize, Serialize};

/// `visit` is `VisitId::of_appointment` where there is an appointment, so that two starts are one visit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartVisit {
    pub visit: VisitId,
    pub appointment: Option<AppointmentId>,
    pub patient: PatientId,
    pub vet: AccountId,
    pub reason: String,
}

impl Intent for StartVisit {
    const VERB: &'static str = "start_visit";

    fn touches(&self, _: ClinicId) -> Vec<(Kind, DocumentId)> {
        let mut touched = vec![(Kind::Visit, self.visit.into())];
        touched.extend(self.appointment.map(|id| (Kind::Appointment, id.into())));
        touched
    }

    fn creates(&self, kind: Kind) -> bool {
        kind == Kind::Visit
    }

    fn write(&self, doc: &mut Document, stamp: &Stamp) -> Result<Option<Change>, CommandError> {
        let reason = optional("reason", &self.reason, 200)?;
        let (kind, already) = (doc.kind, doc.fields().time("started_at").is_some());
        doc.change(stamp, Self::VERB, |w| {
            match kind {
                // Opening a visit that somebody has started must not restart it.
                Kind::Visit if already => {}
                Kind::Visit => {
                    w.put("patient", self.patient.to_string());
                    w.put_optional("appointment", self.appointment.map(|id| id.to_string()));
                    w.put("vet", self.vet.to_string());
                    w.put_optional("reason", reason);
                    w.put_time("started_at", stamp.now);
                    w.put("started_by", stamp.account.to_string());
                }
                _ => {
                    let fields = w.fields();
                    if fields.time("whereabouts/arrived_at").is_none() {
                        w.put_time("whereabouts/arrived_at", stamp.now);
                    }
                    if fields.time("whereabouts/in_room_at").is_none() {
                        w.put_time("whereabouts/in_room_at", stamp.now);
                    }
                    w.put("clinical/visit", self.visit.to_string());
                }
            }
            Ok(())
        })
    }
}
