//! A weight, as an entry of its own: never a field that the next weighing overwrites.

use super::{CommandError, Intent, invalid, required, retract};
use crate::documents::{Document, Kind, Stamp};
use crate::ids::{ClinicId, DocumentId, PatientId, VisitId, WeightId};
use crate::time::Timestamp;
use crate::values::{Weight, past_moment};
use automerge::Change;
use serde::{Deserialize, Serialize};

/// With the id of an entry that exists it corrects that entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordWeight {
    pub patient: PatientId,
    pub entry: WeightId,
    pub weight: Weight,
    /// When the animal stood on the scale.
    pub at: Timestamp,
    pub visit: Option<VisitId>,
}

impl Intent for RecordWeight {
    const VERB: &'static str = "record_weight";

    fn touches(&self, _: ClinicId) -> Vec<(Kind, DocumentId)> {
        vec![(Kind::Patient, self.patient.into())]
    }

    fn write(&self, doc: &mut Document, stamp: &Stamp) -> Result<Option<Change>, CommandError> {
        let key = |field: &str| format!("weights/{}/{field}", self.entry);
        let at = past_moment(self.at, stamp.now).map_err(invalid("at"))?;
        doc.change(stamp, Self::VERB, |w| {
            w.put(&key("kg"), self.weight.to_string());
            w.put_time(&key("at"), at);
            w.put(&key("by"), stamp.account.to_string());
            w.put_optional(&key("visit"), self.visit.map(|visit| visit.to_string()));
            Ok(())
        })
    }
}

/// Takes a weight back: the wrong animal stood on the scale.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetractWeight {
    pub patient: PatientId,
    pub entry: WeightId,
    pub reason: String,
}

impl Intent for RetractWeight {
    const VERB: &'static str = "retract_weight";

    fn touches(&self, _: ClinicId) -> Vec<(Kind, DocumentId)> {
        vec![(Kind::Patient, self.patient.into())]
    }

    fn write(&self, doc: &mut Document, stamp: &Stamp) -> Result<Option<Change>, CommandError> {
        let reason = required("reason", &self.reason, 200)?;
        doc.change(stamp, Self::VERB, |w| {
            retract(w, &format!("weights/{}", self.entry), stamp, &reason);
            Ok(())
        })
    }
}
