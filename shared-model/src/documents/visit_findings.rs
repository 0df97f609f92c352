//! What a veterinarian concludes and orders in a visit, and what is added once it is signed.

use super::{Fields, Made, Problem, Register, Retracted};
use crate::ids::{AddendumId, DeclinedId, FindingId, PrescriptionId};
use crate::values;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// A problem (which spans visits) or a diagnosis.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    pub id: FindingId,
    pub made: Option<Made>,
    pub name: String,
    /// Presumptive, confirmed, ruled out; or active, resolved.
    pub state: String,
    pub retracted: Option<Retracted>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prescription {
    pub id: PrescriptionId,
    pub made: Option<Made>,
    pub drug: String,
    pub strength: String,
    /// Safety-relevant: doses written at the same time stand side by side.
    pub dose: Option<Register<Decimal>>,
    pub dose_unit: String,
    pub quantity: Option<Decimal>,
    /// As on the label.
    pub directions: String,
    pub refills: u64,
    pub expires_on: Option<Date>,
    pub retracted: Option<Retracted>,
}

/// Something that was advised and that the client did not want.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Declined {
    pub id: DeclinedId,
    pub made: Option<Made>,
    pub what: String,
    pub reason: String,
    pub retracted: Option<Retracted>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Addendum {
    pub id: AddendumId,
    pub made: Made,
    pub text: String,
    pub retracted: Option<Retracted>,
}

pub(super) fn findings(fields: &Fields, collection: &str) -> Vec<Finding> {
    let read = |id: FindingId| {
        let entry = format!("{collection}/{id}");
        Finding {
            id,
            made: fields.made(&entry),
            name: fields.owned(&format!("{entry}/name")),
            state: fields.owned(&format!("{entry}/state")),
            retracted: fields.retracted(&entry),
        }
    };
    fields.entries(collection).into_iter().map(read).collect()
}

pub(super) fn prescriptions(fields: &Fields, problems: &mut Vec<Problem>) -> Vec<Prescription> {
    let mut prescriptions = Vec::new();
    for id in fields.entries::<PrescriptionId>("prescriptions") {
        let entry = format!("prescriptions/{id}");
        let key = |field: &str| format!("{entry}/{field}");
        let decimal = |text: &str| values::decimal(text).ok();
        prescriptions.push(Prescription {
            id,
            made: fields.made(&entry),
            drug: fields.owned(&key("drug")),
            strength: fields.owned(&key("strength")),
            dose: fields.register(&key("dose"), problems, decimal),
            dose_unit: fields.owned(&key("dose_unit")),
            quantity: fields.parsed(&key("quantity"), problems, decimal),
            directions: fields.owned(&key("directions")),
            refills: fields.uint(&key("refills")).unwrap_or(0),
            expires_on: fields.parsed(&key("expires_on"), problems, |text| text.parse().ok()),
            retracted: fields.retracted(&entry),
        });
    }
    prescriptions
}

pub(super) fn declined(fields: &Fields) -> Vec<Declined> {
    let read = |id: DeclinedId| {
        let entry = format!("declined/{id}");
        Declined {
            id,
            made: fields.made(&entry),
            what: fields.owned(&format!("{entry}/what")),
            reason: fields.owned(&format!("{entry}/reason")),
            retracted: fields.retracted(&entry),
        }
    };
    fields.entries("declined").into_iter().map(read).collect()
}

/// By time, oldest first.
pub(super) fn addenda(fields: &Fields) -> Vec<Addendum> {
    let read = |id: AddendumId| {
        let entry = format!("addenda/{id}");
        Some(Addendum {
            id,
            made: fields.made(&entry)?,
            text: fields.owned(&format!("{entry}/text")),
            retracted: fields.retracted(&entry),
        })
    };
    let mut addenda: Vec<Addendum> = fields.entries("addenda").into_iter().filter_map(read).collect();
    addenda.sort_by_key(|addendum| (addendum.made.at, addendum.id));
    addenda
}
