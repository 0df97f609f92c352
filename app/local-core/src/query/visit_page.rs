//! One visit: the four texts, the vital signs with their judgement, and the patient beside them.

use super::lines::{OwnerLine, owners_of};
use super::patient_page::latest_change;
use crate::core::Reading;
use crate::store::{Receipt, StoreError};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use shared_model::clinical::{Age, Judgement, VitalSign, WeightChange, age_on, judge_reading};
use shared_model::documents::{Patient, Register, Section, Visit, WeightEntry};
use shared_model::ids::{AppointmentId, PatientId, VisitId};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SectionText {
    pub section: Section,
    pub text: String,
}

/// One vital sign of the visit's set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tile {
    pub sign: VitalSign,
    pub reading: Option<Register<Decimal>>,
    pub judgement: Option<Judgement>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VisitView {
    pub id: VisitId,
    pub visit: Visit,
    /// The state of the notes that this view shows; typing says which it saw.
    pub heads: Vec<[u8; 32]>,
    pub sections: Vec<SectionText>,
    pub tiles: Vec<Tile>,
    pub mucous_membranes: String,
    pub vet_name: String,
    pub room_name: String,
    pub appointment: Option<AppointmentId>,
    pub patient_id: Option<PatientId>,
    pub patient: Option<Patient>,
    pub age: Option<Age>,
    pub owners: Vec<OwnerLine>,
    /// The weight taken in this visit.
    pub weight: Option<WeightEntry>,
    pub weight_change: Option<WeightChange>,
    pub receipt: Receipt,
    /// May this person write here at all; which sections, in the order of `sections`.
    pub may_write: [bool; 4],
}

pub(super) fn view(reading: &Reading<'_>, id: VisitId) -> Result<Option<VisitView>, StoreError> {
    let Some(document) = reading.document(id.into())? else {
        return Ok(None);
    };
    let (visit, _) = Visit::read(&document);
    let patient = match visit.patient {
        Some(patient) => reading
            .document(patient.into())?
            .map(|document| Patient::read(&document).0),
        None => None,
    };
    let species = patient.as_ref().map(|patient| patient.species.value);
    let set = visit
        .vitals
        .iter()
        .find(|(set, _)| *set == id.vitals())
        .map(|(_, set)| set.clone())
        .unwrap_or_default();
    let tiles = VitalSign::ALL
        .iter()
        .map(|sign| {
            let value = match sign {
                VitalSign::Temperature => set.temperature.clone(),
                VitalSign::HeartRate => set.heart_rate.clone(),
                VitalSign::RespiratoryRate => set.respiratory_rate.clone(),
                VitalSign::BodyCondition => set.body_condition.clone(),
                VitalSign::CapillaryRefill => set.capillary_refill.clone(),
            };
            let judgement = match (species, &value) {
                (Some(species), Some(value)) => judge_reading(species, *sign, value.value),
                _ => None,
            };
            Tile {
                sign: *sign,
                reading: value,
                judgement,
            }
        })
        .collect();
    let room_name = match visit.appointment {
        Some(appointment) => reading.room_of(appointment)?,
        None => String::new(),
    };
    let mut may_write = [false; 4];
    for (slot, section) in may_write.iter_mut().zip(Section::ALL) {
        *slot = reading.may_write(&document, section.word());
    }
    let today = reading.today();
    Ok(Some(VisitView {
        id,
        heads: document.heads().iter().map(|head| head.0).collect(),
        sections: Section::ALL
            .iter()
            .map(|section| SectionText {
                section: *section,
                text: document.text(section.word()),
            })
            .collect(),
        tiles,
        mucous_membranes: set.mucous_membranes,
        vet_name: reading.staff_name(visit.vet),
        room_name,
        appointment: visit.appointment,
        patient_id: visit.patient,
        age: patient
            .as_ref()
            .and_then(|patient| patient.born.as_ref())
            .and_then(|born| age_on(born.value, today)),
        owners: match visit.patient {
            Some(patient) => owners_of(reading, patient)?,
            None => Vec::new(),
        },
        weight: patient.as_ref().and_then(|patient| {
            patient
                .weights
                .iter()
                .find(|entry| entry.id == id.weight() && entry.retracted.is_none())
                .cloned()
        }),
        weight_change: patient.as_ref().and_then(latest_change),
        receipt: receipt(reading, id, visit.patient)?,
        visit,
        patient,
        may_write,
    }))
}

/// A visit's work lies in its notes and, for the weight, in the patient: what waits of either is not at the clinic.
fn receipt(reading: &Reading<'_>, id: VisitId, patient: Option<PatientId>) -> Result<Receipt, StoreError> {
    let mut receipt = reading.store.receipt(id.into())?;
    if let Some(patient) = patient {
        let other = reading.store.receipt(patient.into())?;
        receipt.waiting += other.waiting;
        if other.saved_at > receipt.saved_at && receipt.saved_at.is_some() {
            receipt.saved_at = other.saved_at;
        }
    }
    Ok(receipt)
}
