//! A patient's death: a sticky fact that stops every reminder, and that can be taken back.

use super::{CommandError, Intent, past, required, restore, retract};
use crate::documents::{Document, Kind, Stamp};
use crate::ids::{ClinicId, DocumentId, PatientId};
use automerge::Change;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportDeath {
    pub patient: PatientId,
    pub on: Date,
}

impl Intent for ReportDeath {
    const VERB: &'static str = "report_death";

    fn touches(&self, _: ClinicId) -> Vec<(Kind, DocumentId)> {
        vec![(Kind::Patient, self.patient.into())]
    }

    fn write(&self, doc: &mut Document, stamp: &Stamp) -> Result<Option<Change>, CommandError> {
        let on = past("on", self.on, stamp.now)?;
        doc.change(stamp, Self::VERB, |w| {
            w.put("death/on", on);
            w.put_time("death/at", stamp.now);
            w.put("death/by", stamp.account.to_string());
            restore(w, "death", w.fields().retracted("death").as_ref());
            Ok(())
        })
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetractDeath {
    pub patient: PatientId,
    pub reason: String,
}

impl Intent for RetractDeath {
    const VERB: &'static str = "retract_death";

    fn touches(&self, _: ClinicId) -> Vec<(Kind, DocumentId)> {
        vec![(Kind::Patient, self.patient.into())]
    }

    fn write(&self, doc: &mut Document, stamp: &Stamp) -> Result<Option<Change>, CommandError> {
        let reason = required("reason", &self.reason, 200)?;
        doc.change(stamp, Self::VERB, |w| {
            retract(w, "death", stamp, &reason);
            Ok(())
        })
    }
}
