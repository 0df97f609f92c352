//! An allergy or a warning that stays in sight wherever the patient is shown.

use super::{CommandError, Intent, required, retract};
use crate::documents::{AlertKind, Document, Kind, Stamp};
use crate::ids::{AlertId, ClinicId, DocumentId, PatientId};
use automerge::Change;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordAlert {
    pub patient: PatientId,
    pub alert: AlertId,
    pub kind: AlertKind,
    pub text: String,
}

impl Intent for RecordAlert {
    const VERB: &'static str = "record_alert";

    fn touches(&self, _: ClinicId) -> Vec<(Kind, DocumentId)> {
        vec![(Kind::Patient, self.patient.into())]
    }

    fn write(&self, doc: &mut Document, stamp: &Stamp) -> Result<Option<Change>, CommandError> {
        let text = required("text", &self.text, 200)?;
        let key = |field: &str| format!("alerts/{}/{field}", self.alert);
        doc.change(stamp, Self::VERB, |w| {
            w.put(&key("kind"), self.kind.word());
            w.put(&key("text"), text);
            w.put_time(&key("at"), stamp.now);
            w.put(&key("by"), stamp.account.to_string());
            Ok(())
        })
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetractAlert {
    pub patient: PatientId,
    pub alert: AlertId,
    pub reason: String,
}

impl Intent for RetractAlert {
    const VERB: &'static str = "retract_alert";

    fn touches(&self, _: ClinicId) -> Vec<(Kind, DocumentId)> {
        vec![(Kind::Patient, self.patient.into())]
    }

    fn write(&self, doc: &mut Document, stamp: &Stamp) -> Result<Option<Change>, CommandError> {
        let reason = required("reason", &self.reason, 200)?;
        doc.change(stamp, Self::VERB, |w| {
            retract(w, &format!("alerts/{}", self.alert), stamp, &reason);
            Ok(())
        })
    }
}
