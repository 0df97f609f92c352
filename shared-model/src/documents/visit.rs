//! Visit: one consultation in four texts that people write together, with the vital signs taken in it, what was found
//! and ordered, and the signature that closes it.

use super::visit_findings::{addenda, declined, findings, prescriptions};
use super::{Addendum, Declined, Document, Finding, Prescription, Problem, Register, Signature, word_enum};
use crate::ids::{AccountId, AppointmentId, PatientId, VitalsId};
use crate::time::Timestamp;
use crate::values;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

word_enum! {
    /// The four parts of a SOAP note, by the key of their text.
    Section { History = "history", Examination = "examination", Assessment = "assessment", Plan = "plan" }
}

/// One set of vital signs. Every value is a register: two readings noted at the same time stay visible.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VitalSigns {
    pub at: Option<Timestamp>,
    pub by: Option<AccountId>,
    /// °C
    pub temperature: Option<Register<Decimal>>,
    /// beats per minute
    pub heart_rate: Option<Register<Decimal>>,
    /// breaths per minute
    pub respiratory_rate: Option<Register<Decimal>>,
    /// Body condition score, 1 to 9.
    pub body_condition: Option<Register<Decimal>>,
    /// Capillary refill time, seconds.
    pub capillary_refill: Option<Register<Decimal>>,
    pub mucous_membranes: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visit {
    pub patient: Option<PatientId>,
    pub appointment: Option<AppointmentId>,
    pub vet: Option<AccountId>,
    pub reason: String,
    pub started_at: Option<Timestamp>,
    pub started_by: Option<AccountId>,
    pub finished_at: Option<Timestamp>,
    pub finished_by: Option<AccountId>,
    /// Newest set last.
    pub vitals: Vec<(VitalsId, VitalSigns)>,
    pub problems: Vec<Finding>,
    pub diagnoses: Vec<Finding>,
    pub prescriptions: Vec<Prescription>,
    pub declined: Vec<Declined>,
    pub signature: Option<Signature>,
    pub addenda: Vec<Addendum>,
}

impl Visit {
    pub fn read(doc: &Document) -> (Self, Vec<Problem>) {
        let fields = doc.fields();
        let mut problems = Vec::new();
        let mut vitals = Vec::new();
        for id in fields.entries::<VitalsId>("vitals") {
            let key = |field: &str| format!("vitals/{id}/{field}");
            let mut number =
                |field: &str| fields.register(&key(field), &mut problems, |text| values::decimal(text).ok());
            let set = VitalSigns {
                temperature: number("temperature_c"),
                heart_rate: number("heart_rate"),
                respiratory_rate: number("respiratory_rate"),
                body_condition: number("body_condition"),
                capillary_refill: number("capillary_refill_s"),
                mucous_membranes: fields
                    .text(&key("mucous_membranes"))
                    .unwrap_or_default()
                    .to_owned(),
                at: fields.time(&key("at")),
                by: fields.text(&key("by")).and_then(AccountId::parse),
            };
            vitals.push((id, set));
        }
        vitals.sort_by_key(|(id, set)| (set.at, *id));
        let visit = Self {
            patient: fields.text("patient").and_then(PatientId::parse),
            appointment: fields.text("appointment").and_then(AppointmentId::parse),
            vet: fields.text("vet").and_then(AccountId::parse),
            reason: fields.text("reason").unwrap_or_default().to_owned(),
            started_at: fields.time("started_at"),
            started_by: fields.text("started_by").and_then(AccountId::parse),
            finished_at: fields.time("finished_at"),
            finished_by: fields.text("finished_by").and_then(AccountId::parse),
            vitals,
            problems: findings(&fields, "problems"),
            diagnoses: findings(&fields, "diagnoses"),
            prescriptions: prescriptions(&fields, &mut problems),
            declined: declined(&fields),
            signature: Signature::read(doc, &fields, &["addenda"], &mut problems),
            addenda: addenda(&fields),
        };
        (visit, problems)
    }
}
