//! Projections: the few facts of a document that lists, the day and search need, as flat rows.
//!
//! Both sides derive them with the same function. The server sends them beside a first-sync snapshot, so that a
//! device fills its tables without opening every document; `rebuild` derives them again from the documents alone.

use super::{
    AlertKind, Appointment, Booking, Client, Document, Kind, Patient, Sex, Species, Visit, Whereabouts,
};
use crate::ids::{AccountId, AppointmentTypeId, ClientId, PatientId, RoomId, VisitId};
use crate::time::Timestamp;
use crate::values::digits;
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct ClientRow {
    #[n(0)]
    pub given_name: String,
    #[n(1)]
    pub family_name: String,
    /// The first of them, as printed.
    #[n(2)]
    pub phone: String,
    #[n(3)]
    pub email: String,
    #[n(4)]
    pub retracted: bool,
    /// Everything that search finds this client by.
    #[n(5)]
    pub search: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct PatientRow {
    #[n(0)]
    pub name: String,
    #[n(1)]
    pub species: Species,
    #[n(2)]
    pub breed: String,
    #[n(3)]
    pub sex: Sex,
    #[n(4)]
    pub neutered: Option<bool>,
    /// ISO 8601 date.
    #[n(5)]
    pub born: Option<String>,
    #[n(6)]
    pub microchip: Option<String>,
    /// Those who own it now.
    #[n(7)]
    pub owners: Vec<ClientId>,
    #[n(8)]
    pub deceased: bool,
    /// The standing allergies, then the other alerts; one line for lists.
    #[n(9)]
    pub alerts: Vec<(AlertKind, String)>,
    /// Newest standing weight in kilograms, decimal text.
    #[n(10)]
    pub weight_kg: Option<String>,
    #[n(11)]
    pub retracted: bool,
    #[n(12)]
    pub search: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct AppointmentRow {
    #[n(0)]
    pub client: Option<ClientId>,
    #[n(1)]
    pub patient: Option<PatientId>,
    #[n(2)]
    pub appointment_type: Option<AppointmentTypeId>,
    #[n(3)]
    pub reason: String,
    #[n(4)]
    pub start: Timestamp,
    #[n(5)]
    pub minutes: u16,
    #[n(6)]
    pub vet: Option<AccountId>,
    #[n(7)]
    pub room: Option<RoomId>,
    /// Two people moved it at the same time and nobody has chosen yet.
    #[n(8)]
    pub slot_contested: bool,
    #[n(9)]
    pub booking: Booking,
    #[n(10)]
    pub whereabouts: Whereabouts,
    #[n(11)]
    pub arrived_at: Option<Timestamp>,
    #[n(12)]
    pub in_room_at: Option<Timestamp>,
    #[n(13)]
    pub visit: Option<VisitId>,
    #[n(14)]
    pub finished_at: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct VisitRow {
    #[n(0)]
    pub patient: Option<PatientId>,
    #[n(1)]
    pub vet: Option<AccountId>,
    #[n(2)]
    pub reason: String,
    #[n(3)]
    pub started_at: Option<Timestamp>,
    #[n(4)]
    pub finished_at: Option<Timestamp>,
    /// The beginning of the assessment, for the history list.
    #[n(5)]
    pub summary: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub enum Projection {
    /// No list shows it: there is one at a clinic, or it is read from the document itself.
    #[n(0)]
    Single,
    #[n(1)]
    Client(#[n(0)] ClientRow),
    #[n(2)]
    Patient(#[n(0)] PatientRow),
    #[n(3)]
    Appointment(#[n(0)] AppointmentRow),
    #[n(4)]
    Visit(#[n(0)] VisitRow),
}

/// Raised whenever the same document gives other rows than before; rows of another version are derived anew.
pub const PROJECTION_VERSION: u16 = 1;

/// The rows of one document.
pub fn project(doc: &Document) -> Projection {
    match doc.kind {
        Kind::ClinicProfile
        | Kind::ClinicSettings
        | Kind::ClientNotes
        | Kind::VisitSummary
        | Kind::Estimate
        | Kind::Invoice
        | Kind::Payment
        | Kind::Conversation
        | Kind::StockLot
        | Kind::ControlledDrugLedger
        | Kind::Consent
        | Kind::Certificate => Projection::Single,
        Kind::Client => Projection::Client(client_row(&Client::read(doc).0)),
        Kind::Patient => Projection::Patient(patient_row(&Patient::read(doc).0)),
        Kind::Appointment => Projection::Appointment(appointment_row(&Appointment::read(doc).0)),
        Kind::Visit => Projection::Visit(visit_row(doc, &Visit::read(doc).0)),
    }
}

fn client_row(client: &Client) -> ClientRow {
    let mut search = vec![client.full_name()];
    search.extend(client.family_name.rivals.iter().cloned());
    for phone in &client.phones {
        search.extend(phone_tokens(&phone.number));
    }
    search.extend(client.emails.iter().map(|email| email.address.clone()));
    ClientRow {
        given_name: client.given_name.clone(),
        family_name: client.family_name.value.clone(),
        phone: client
            .phones
            .first()
            .map(|phone| phone.number.clone())
            .unwrap_or_default(),
        email: client
            .emails
            .first()
            .map(|email| email.address.clone())
            .unwrap_or_default(),
        retracted: client.retracted.is_some(),
        search: search.join(" "),
    }
}

/// People search a number from its start, without its country code, or by its last digits as the phone shows them.
fn phone_tokens(number: &str) -> impl Iterator<Item = String> {
    let digits = digits(number);
    let from_the_end = [9, 7, 6, 4].map(|count| {
        digits
            .len()
            .checked_sub(count)
            .map(|start| digits[start..].to_owned())
    });
    std::iter::once(digits.clone()).chain(
        from_the_end
            .into_iter()
            .flatten()
            .filter(move |tail| *tail != digits),
    )
}

fn patient_row(patient: &Patient) -> PatientRow {
    let mut search = vec![patient.name.clone(), patient.breed.clone()];
    if let Some(chip) = &patient.microchip {
        for chip in std::iter::once(&chip.value).chain(&chip.rivals) {
            search.push(chip.as_str().to_owned());
            // Read out from a certificate, the last digits are what people compare.
            let length = chip.as_str().len();
            search.extend(
                [6, 4]
                    .iter()
                    .filter_map(|n| length.checked_sub(*n))
                    .map(|at| chip.as_str()[at..].to_owned()),
            );
        }
    }
    PatientRow {
        name: patient.name.clone(),
        species: patient.species.value,
        breed: patient.breed.clone(),
        sex: patient.sex.value,
        neutered: patient.neutered,
        born: patient.born.as_ref().map(|born| born.value.to_string()),
        microchip: patient
            .microchip
            .as_ref()
            .map(|chip| chip.value.as_str().to_owned()),
        owners: patient.present_owners().collect(),
        deceased: patient.death.is_some(),
        alerts: patient
            .standing_alerts()
            .map(|alert| (alert.kind, alert.text.value.clone()))
            .collect(),
        weight_kg: patient
            .latest_weight()
            .map(|entry| entry.weight.value.to_string()),
        retracted: patient.retracted.is_some(),
        search: search.join(" "),
    }
}

fn appointment_row(appointment: &Appointment) -> AppointmentRow {
    let slot = appointment.slot.as_ref();
    AppointmentRow {
        client: appointment.client,
        patient: appointment.patient,
        appointment_type: appointment.appointment_type,
        reason: appointment.reason.clone(),
        start: slot.map_or(Timestamp(0), |slot| slot.value.start),
        minutes: slot.map_or(0, |slot| slot.value.minutes),
        vet: slot.map(|slot| slot.value.vet),
        room: slot.and_then(|slot| slot.value.room),
        slot_contested: slot.is_some_and(|slot| slot.is_contested()),
        booking: appointment.booking(),
        whereabouts: appointment.whereabouts(),
        arrived_at: appointment.arrived_at,
        in_room_at: appointment.in_room_at,
        visit: appointment.visit,
        finished_at: appointment.finished_at,
    }
}

fn visit_row(doc: &Document, visit: &Visit) -> VisitRow {
    let assessment = doc.text("assessment");
    VisitRow {
        patient: visit.patient,
        vet: visit.vet,
        reason: visit.reason.clone(),
        started_at: visit.started_at,
        finished_at: visit.finished_at,
        summary: assessment
            .lines()
            .find(|line| !line.trim().is_empty())
            .unwrap_or_default()
            .chars()
            .take(160)
            .collect(),
    }
}
