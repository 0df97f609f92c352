//! Typing into a visit's note. The edit says which state of the text the person saw, so it lands where it was meant
//! whatever others have written since.

use super::{CommandError, Intent};
use crate::documents::{Document, Kind, Section, Stamp};
use crate::ids::{ClinicId, DocumentId, VisitId};
use automerge::{Change, ChangeHash};
use serde::{Deserialize, Serialize};

/// Positions and counts are Unicode code points of the text as it was at `seen`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WriteInSection {
    pub visit: VisitId,
    pub section: Section,
    /// The heads of the visit that the screen showed.
    pub seen: Vec<[u8; 32]>,
    pub at: usize,
    pub delete: usize,
    pub insert: String,
}

/// More than a person types between two saves, and enough for a pasted referral letter.
const MAX_INSERT: usize = 50_000;

impl Intent for WriteInSection {
    const VERB: &'static str = "write_in_section";

    fn touches(&self, _: ClinicId) -> Vec<(Kind, DocumentId)> {
        vec![(Kind::Visit, self.visit.into())]
    }

    fn write(&self, doc: &mut Document, stamp: &Stamp) -> Result<Option<Change>, CommandError> {
        if self.insert.chars().count() > MAX_INSERT {
            let field = self.section.word().to_owned();
            return Err(CommandError::Invalid {
                field,
                why: crate::values::Invalid::TooLong,
            });
        }
        if doc.fields().time("finished_at").is_some() {
            return Err(CommandError::VisitFinished);
        }
        let seen: Vec<ChangeHash> = self.seen.iter().map(|hash| ChangeHash(*hash)).collect();
        let key = self.section.word();
        let (at, doomed) = doc
            .translate_edit(key, &seen, self.at, self.delete)
            .ok_or(CommandError::UnknownBase)?;
        doc.change(stamp, Self::VERB, |w| {
            w.edit_text(key, at, &doomed, &self.insert);
            Ok(())
        })
    }
}
