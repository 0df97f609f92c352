//! VisitSummary: what a visit's owners take home. The visit itself is the clinic's own record; giving the summary to
//! somebody is naming them in it.

use super::{Document, Ownership, Problem, Retracted};
use crate::ids::{ClientId, PatientId, VisitId};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VisitSummary {
    pub visit: Option<VisitId>,
    pub patient: Option<PatientId>,
    /// Who was given it, and until when they have it.
    pub owners: Vec<Ownership>,
    pub done: String,
    pub instructions: String,
    pub retracted: Option<Retracted>,
}

impl VisitSummary {
    pub fn read(doc: &Document) -> (Self, Vec<Problem>) {
        let fields = doc.fields();
        let summary = Self {
            visit: fields.id("visit"),
            patient: fields.id("patient"),
            owners: Ownership::read_all(&fields),
            done: doc.text("done"),
            instructions: doc.text("instructions"),
            retracted: fields.retracted("summary"),
        };
        (summary, Vec::new())
    }

    pub fn present_owners(&self) -> impl Iterator<Item = ClientId> {
        Ownership::present(&self.owners)
    }
}
