//! Vital signs: each reading that was typed, in the visit's set.

use super::{CommandError, Intent, invalid, optional};
use crate::clinical::VitalSign;
use crate::documents::{Document, Kind, Stamp};
use crate::ids::{ClinicId, DocumentId, VisitId, VitalsId};
use automerge::Change;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordVitals {
    pub visit: VisitId,
    pub set: VitalsId,
    /// As typed; an empty text clears the reading.
    pub readings: Vec<(VitalSign, String)>,
    pub mucous_membranes: Option<String>,
}

impl Intent for RecordVitals {
    const VERB: &'static str = "record_vitals";

    fn touches(&self, _: ClinicId) -> Vec<(Kind, DocumentId)> {
        vec![(Kind::Visit, self.visit.into())]
    }

    fn write(&self, doc: &mut Document, stamp: &Stamp) -> Result<Option<Change>, CommandError> {
        let key = |field: &str| format!("vitals/{}/{field}", self.set);
        let mut readings = Vec::with_capacity(self.readings.len());
        for (sign, typed) in &self.readings {
            let reading = match typed.trim() {
                "" => None,
                typed => Some(sign.parse(typed).map_err(invalid(sign.word()))?),
            };
            readings.push((*sign, reading));
        }
        let membranes = self
            .mucous_membranes
            .as_deref()
            .map(|text| optional("mucous_membranes", text, 60))
            .transpose()?;
        doc.change(stamp, Self::VERB, |w| {
            for (sign, reading) in readings {
                w.put_optional(&key(sign.word()), reading.map(|reading| reading.to_string()));
            }
            if let Some(membranes) = membranes {
                w.put_optional(&key("mucous_membranes"), membranes);
            }
            w.put_time(&key("at"), stamp.now);
            w.put(&key("by"), stamp.account.to_string());
            Ok(())
        })
    }
}
