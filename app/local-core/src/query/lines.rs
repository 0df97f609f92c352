//! One-line summaries that several pages list.

use crate::core::Reading;
use crate::store::StoreError;
use jiff::civil::Date;
use rusqlite::Row;
use rusqlite::types::ValueRef;
use serde::{Deserialize, Serialize};
use shared_model::clinical::{Age, age_on};
use shared_model::documents::{AlertKind, Booking, Sex, Species, Whereabouts};
use shared_model::ids::{
    AccountId, AppointmentId, AppointmentTypeId, ClientId, DocumentId, PatientId, RoomId, VisitId,
};
use shared_model::time::Timestamp;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PetLine {
    pub id: PatientId,
    pub name: String,
    pub species: Species,
    pub breed: String,
    pub sex: Sex,
    pub neutered: Option<bool>,
    pub age: Option<Age>,
    pub weight_kg: Option<String>,
    pub deceased: bool,
    pub alerts: Vec<(AlertKind, String)>,
    pub next_appointment: Option<AppointmentLine>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OwnerLine {
    pub id: ClientId,
    pub name: String,
    pub phone: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AppointmentLine {
    pub id: AppointmentId,
    pub patient: Option<PatientId>,
    pub patient_name: String,
    pub client: Option<ClientId>,
    pub start: Timestamp,
    /// In the clinic's time zone.
    pub date: Date,
    pub start_minute: i16,
    pub minutes: u16,
    pub type_name: String,
    pub vet_name: String,
    pub reason: String,
    pub booking: Booking,
    pub whereabouts: Whereabouts,
    pub finished: bool,
    pub visit: Option<VisitId>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VisitLine {
    pub id: VisitId,
    pub date: Option<Date>,
    pub vet_name: String,
    pub reason: String,
    pub summary: String,
    pub finished: bool,
}

/// The raw columns of an appointment row.
pub(super) struct AppointmentColumns {
    pub id: AppointmentId,
    pub client: Option<ClientId>,
    pub patient: Option<PatientId>,
    pub appointment_type: Option<AppointmentTypeId>,
    pub reason: String,
    pub start: Timestamp,
    pub minutes: u16,
    pub vet: Option<AccountId>,
    pub room: Option<RoomId>,
    pub slot_contested: bool,
    pub booking: Booking,
    pub whereabouts: Whereabouts,
    pub arrived_at: Option<Timestamp>,
    pub in_room_at: Option<Timestamp>,
    pub visit: Option<VisitId>,
    pub finished_at: Option<Timestamp>,
}

pub(super) const APPOINTMENT_COLUMNS: &str = "a.id, a.client, a.patient, a.appointment_type, a.reason, a.start, \
     a.minutes, a.vet, a.room, a.slot_contested, a.booking, a.whereabouts, a.arrived_at, a.in_room_at, a.visit, \
     a.finished_at";

/// An id column that may be null or odd: odd reads as absent, as everywhere in lenient reading.
pub(super) fn id<T: From<DocumentId>>(row: &Row<'_>, column: usize) -> Result<Option<T>, StoreError> {
    Ok(raw_id(row, column)?.map(T::from))
}

fn raw_id(row: &Row<'_>, column: usize) -> Result<Option<DocumentId>, StoreError> {
    Ok(match row.get_ref(column)? {
        ValueRef::Blob(bytes) => DocumentId::from_slice(bytes),
        _ => None,
    })
}

impl AppointmentColumns {
    pub(super) fn read(row: &Row<'_>) -> Result<Option<Self>, StoreError> {
        let Some(appointment) = id(row, 0)? else {
            return Ok(None);
        };
        Ok(Some(Self {
            id: appointment,
            client: id(row, 1)?,
            patient: id(row, 2)?,
            appointment_type: raw_id(row, 3)?.map(|id| AppointmentTypeId(id.0)),
            reason: row.get(4)?,
            start: Timestamp(row.get(5)?),
            minutes: row.get(6)?,
            vet: raw_id(row, 7)?.map(|id| AccountId(id.0)),
            room: raw_id(row, 8)?.map(|id| RoomId(id.0)),
            slot_contested: row.get(9)?,
            booking: if row.get::<_, u8>(10)? == 1 {
                Booking::Cancelled
            } else {
                Booking::Booked
            },
            whereabouts: match row.get::<_, u8>(11)? {
                1 => Whereabouts::Waiting,
                2 => Whereabouts::InRoom,
                3 => Whereabouts::Departed,
                _ => Whereabouts::Expected,
            },
            arrived_at: row.get::<_, Option<i64>>(12)?.map(Timestamp),
            in_room_at: row.get::<_, Option<i64>>(13)?.map(Timestamp),
            visit: id(row, 14)?,
            finished_at: row.get::<_, Option<i64>>(15)?.map(Timestamp),
        }))
    }

    pub(super) fn line(self, reading: &Reading<'_>, patient_name: String) -> AppointmentLine {
        let local = self.start.in_zone(&reading.zone);
        AppointmentLine {
            id: self.id,
            patient: self.patient,
            patient_name,
            client: self.client,
            start: self.start,
            date: local.date(),
            start_minute: i16::from(local.hour()) * 60 + i16::from(local.minute()),
            minutes: self.minutes,
            type_name: reading.type_name(self.appointment_type),
            vet_name: reading.staff_name(self.vet),
            reason: self.reason,
            booking: self.booking,
            whereabouts: self.whereabouts,
            finished: self.finished_at.is_some(),
            visit: self.visit,
        }
    }
}

pub(super) fn appointments_of(
    reading: &Reading<'_>,
    condition: &str,
    params: impl rusqlite::Params,
) -> Result<Vec<AppointmentLine>, StoreError> {
    let sql = format!(
        "SELECT {APPOINTMENT_COLUMNS}, p.name FROM appointment a LEFT JOIN patient p ON p.id = a.patient WHERE {condition}"
    );
    let mut statement = reading.store.sql.prepare_cached(&sql)?;
    let mut rows = statement.query(params)?;
    let mut lines = Vec::new();
    while let Some(row) = rows.next()? {
        if let Some(columns) = AppointmentColumns::read(row)? {
            let name = row.get::<_, Option<String>>(16)?.unwrap_or_default();
            lines.push(columns.line(reading, name));
        }
    }
    Ok(lines)
}

pub(super) const PET_COLUMNS: &str =
    "p.id, p.name, p.species, p.breed, p.sex, p.neutered, p.born, p.weight_kg, p.deceased, p.alerts";

/// Reads `PET_COLUMNS` starting at column 0.
pub(super) fn pet(reading: &Reading<'_>, row: &Row<'_>) -> Result<Option<PetLine>, StoreError> {
    let Some(patient) = id(row, 0)? else {
        return Ok(None);
    };
    let born = row
        .get::<_, Option<String>>(6)?
        .and_then(|born| born.parse::<Date>().ok());
    Ok(Some(PetLine {
        id: patient,
        name: row.get(1)?,
        species: Species::from_word(row.get_ref(2)?.as_str()?).unwrap_or(Species::Other),
        breed: row.get(3)?,
        sex: Sex::from_word(row.get_ref(4)?.as_str()?).unwrap_or(Sex::Unknown),
        neutered: row.get(5)?,
        age: born.and_then(|born| age_on(born, reading.today())),
        weight_kg: row.get(7)?,
        deceased: row.get(8)?,
        alerts: minicbor::decode(row.get_ref(9)?.as_blob()?).unwrap_or_default(),
        next_appointment: None,
    }))
}

/// A client's animals, the living first, each with its next appointment.
pub(super) fn pets_of(reading: &Reading<'_>, client: ClientId) -> Result<Vec<PetLine>, StoreError> {
    let sql = format!(
        "SELECT {PET_COLUMNS} FROM ownership o JOIN patient p ON p.id = o.patient \
         WHERE o.client = ?1 AND p.retracted = 0 ORDER BY p.deceased, p.name"
    );
    let mut statement = reading.store.sql.prepare_cached(&sql)?;
    let mut rows = statement.query([&client.bytes()[..]])?;
    let mut pets = Vec::new();
    while let Some(row) = rows.next()? {
        pets.extend(pet(reading, row)?);
    }
    for pet in &mut pets {
        pet.next_appointment = appointments_of(
            reading,
            "a.patient = ?1 AND a.start >= ?2 AND a.booking = 0 ORDER BY a.start LIMIT 1",
            (&pet.id.bytes()[..], reading.now.plus_minutes(-60).0),
        )?
        .pop();
    }
    Ok(pets)
}

pub(super) fn my_pets(reading: &Reading<'_>) -> Result<Vec<PetLine>, StoreError> {
    match reading.principal.and_then(|principal| principal.client) {
        Some(client) => pets_of(reading, client),
        None => Ok(Vec::new()),
    }
}

pub(super) fn owners_of(reading: &Reading<'_>, patient: PatientId) -> Result<Vec<OwnerLine>, StoreError> {
    let mut statement = reading.store.sql.prepare_cached(
        "SELECT c.id, c.given_name, c.family_name, c.phone FROM ownership o JOIN client c ON c.id = o.client \
         WHERE o.patient = ?1 ORDER BY c.family_name",
    )?;
    let mut rows = statement.query([&patient.bytes()[..]])?;
    let mut owners = Vec::new();
    while let Some(row) = rows.next()? {
        if let Some(client) = id(row, 0)? {
            owners.push(OwnerLine {
                id: client,
                name: name(&row.get::<_, String>(1)?, &row.get::<_, String>(2)?),
                phone: row.get(3)?,
            });
        }
    }
    Ok(owners)
}

/// Given and family name as one.
pub(super) fn name(given: &str, family: &str) -> String {
    format!("{given} {family}").trim().to_owned()
}

pub(super) fn visits_of(reading: &Reading<'_>, patient: PatientId) -> Result<Vec<VisitLine>, StoreError> {
    let mut statement = reading.store.sql.prepare_cached(
        "SELECT id, vet, reason, started_at, finished_at, summary FROM visit WHERE patient = ?1 ORDER BY started_at DESC",
    )?;
    let mut rows = statement.query([&patient.bytes()[..]])?;
    let mut visits = Vec::new();
    while let Some(row) = rows.next()? {
        let Some(visit) = id(row, 0)? else { continue };
        visits.push(VisitLine {
            id: visit,
            vet_name: reading.staff_name(raw_id(row, 1)?.map(|id| AccountId(id.0))),
            reason: row.get(2)?,
            date: row
                .get::<_, Option<i64>>(3)?
                .map(|at| Timestamp(at).date_in(&reading.zone)),
            finished: row.get::<_, Option<i64>>(4)?.is_some(),
            summary: row.get(5)?,
        });
    }
    Ok(visits)
}
