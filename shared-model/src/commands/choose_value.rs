//! A person decides between values that were written at the same time.

use super::{CommandError, Intent, required};
use crate::documents::{Document, Kind, Stamp};
use crate::ids::{ClinicId, DocumentId};
use automerge::Change;
use serde::{Deserialize, Serialize};

/// `value` is one of the stored texts that stand side by side in `field`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChooseValue {
    pub kind: Kind,
    pub document: DocumentId,
    pub field: String,
    pub value: String,
}

impl Intent for ChooseValue {
    const VERB: &'static str = "choose_value";

    fn touches(&self, _: ClinicId) -> Vec<(Kind, DocumentId)> {
        vec![(self.kind, self.document)]
    }

    fn write(&self, doc: &mut Document, stamp: &Stamp) -> Result<Option<Change>, CommandError> {
        let value = required(&self.field, &self.value, 300)?;
        let standing = doc
            .fields()
            .register(&self.field, &mut Vec::new(), |text| Some(text.to_owned()))
            .is_some_and(|register| register.value == value || register.rivals.contains(&value));
        if !standing {
            return Err(CommandError::UnknownBase);
        }
        doc.change(stamp, Self::VERB, |w| {
            w.put(&self.field, value);
            Ok(())
        })
    }
}
