//! Invoice: one bill of a client. What was paid is in payments of their own; the balance is derived from both.

use super::bill::total;
use super::{BillLine, Closing, Document, Problem, Retracted};
use crate::ids::{ClientId, PatientId};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invoice {
    pub client: Option<ClientId>,
    pub patient: Option<PatientId>,
    /// ISO 4217.
    pub currency: String,
    pub due_on: Option<Date>,
    pub lines: Vec<BillLine>,
    /// A draft has no number: it is allotted at posting, from a series without gaps.
    pub posted: Option<(String, Closing)>,
    /// Voided, with who, when and why: a gap in a series has a record.
    pub voided: Option<Retracted>,
}

impl Invoice {
    pub fn read(doc: &Document) -> (Self, Vec<Problem>) {
        let fields = doc.fields();
        let mut problems = Vec::new();
        let posted = Closing::read(doc, &fields, "posted", &["invoice"], &mut problems);
        let invoice = Self {
            client: fields.id("client"),
            patient: fields.id("patient"),
            currency: fields.owned("currency"),
            due_on: fields.parsed("due_on", &mut problems, |text| text.parse().ok()),
            lines: BillLine::read_all(&fields, &mut problems),
            posted: posted.map(|posted| (fields.owned("posted/number"), posted)),
            voided: fields.retracted("invoice"),
        };
        (invoice, problems)
    }

    pub fn total(&self) -> i64 {
        total(&self.lines)
    }
}
