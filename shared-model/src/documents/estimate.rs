//! Estimate: what something will cost, before it is done.

use super::bill::total;
use super::{BillLine, Closing, Document, Problem, Retracted};
use crate::ids::{ClientId, PatientId};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Estimate {
    pub client: Option<ClientId>,
    pub patient: Option<PatientId>,
    /// ISO 4217.
    pub currency: String,
    pub valid_until: Option<Date>,
    pub lines: Vec<BillLine>,
    pub accepted: Option<Closing>,
    pub retracted: Option<Retracted>,
}

impl Estimate {
    pub fn read(doc: &Document) -> (Self, Vec<Problem>) {
        let fields = doc.fields();
        let mut problems = Vec::new();
        let estimate = Self {
            client: fields.id("client"),
            patient: fields.id("patient"),
            currency: fields.owned("currency"),
            valid_until: fields.parsed("valid_until", &mut problems, |text| text.parse().ok()),
            lines: BillLine::read_all(&fields, &mut problems),
            accepted: Closing::read(doc, &fields, "accepted", &["estimate"], &mut problems),
            retracted: fields.retracted("estimate"),
        };
        (estimate, problems)
    }

    pub fn total(&self) -> i64 {
        total(&self.lines)
    }
}
