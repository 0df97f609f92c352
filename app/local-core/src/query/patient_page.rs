//! One patient: identity, alerts, weights, visits, appointments, owners.

use super::lines::{AppointmentLine, OwnerLine, VisitLine, appointments_of, owners_of, visits_of};
use crate::core::Reading;
use crate::store::{Receipt, StoreError};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use shared_model::clinical::{Age, WeightChange, age_on, weight_change};
use shared_model::documents::{Patient, Problem, WeightEntry};
use shared_model::ids::PatientId;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PatientView {
    pub id: PatientId,
    pub patient: Patient,
    pub age: Option<Age>,
    pub today: Date,
    pub owners: Vec<OwnerLine>,
    /// Latest first.
    pub visits: Vec<VisitLine>,
    pub upcoming: Vec<AppointmentLine>,
    pub past: Vec<AppointmentLine>,
    /// Between the two latest weights that stand.
    pub weight_change: Option<WeightChange>,
    pub receipt: Receipt,
    pub problems: Vec<Problem>,
}

/// The change between the two latest weights that stand.
pub(super) fn latest_change(patient: &Patient) -> Option<WeightChange> {
    let mut standing = patient
        .weights
        .iter()
        .rev()
        .filter(|entry| entry.retracted.is_none());
    let of = |entry: &WeightEntry| (entry.weight.value, entry.at);
    let later = standing.next().map(of)?;
    let earlier = standing.next().map(of)?;
    Some(weight_change(earlier, later))
}

pub(super) fn view(reading: &Reading<'_>, id: PatientId) -> Result<Option<PatientView>, StoreError> {
    let Some(document) = reading.document(id.into())? else {
        return Ok(None);
    };
    let (patient, problems) = Patient::read(&document);
    let now = reading.now.plus_minutes(-60).0;
    let bytes = &id.bytes()[..];
    let today = reading.today();
    let until = patient.death.as_ref().map_or(today, |death| death.on);
    Ok(Some(PatientView {
        id,
        age: patient.born.as_ref().and_then(|born| age_on(born.value, until)),
        today,
        weight_change: latest_change(&patient),
        patient,
        problems,
        owners: owners_of(reading, id)?,
        visits: visits_of(reading, id)?,
        upcoming: appointments_of(
            reading,
            "a.patient = ?1 AND a.start >= ?2 ORDER BY a.start LIMIT 20",
            (bytes, now),
        )?,
        past: appointments_of(
            reading,
            "a.patient = ?1 AND a.start < ?2 ORDER BY a.start DESC LIMIT 20",
            (bytes, now),
        )?,
        receipt: reading.store.receipt(id.into())?,
    }))
}
