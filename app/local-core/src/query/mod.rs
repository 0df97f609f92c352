//! Queries: what a screen shows, computed from the store, and computed again whenever what it rests on changes.
//!
//! Invariant: views hold plain values (no Automerge, no SQL), ready to be drawn; times are moments, and where a
//! screen needs the clinic's clock the minutes after midnight come with it.

mod browse;
mod client_page;
mod clinic;
mod day;
mod free_slots;
mod late_work;
mod lines;
mod outbox_page;
mod patient_page;
mod records;
mod search;
mod status;
mod visit_page;

pub use browse::{BrowseView, Listed};
pub use client_page::ClientView;
pub use clinic::ClinicView;
pub use day::{Clash, DayColumn, DayItem, DayView, Stage};
pub use free_slots::{FreeSlot, FreeSlotsView};
pub use late_work::LateMatter;
pub use lines::{AppointmentLine, OwnerLine, PetLine, VisitLine};
pub use outbox_page::{LetGo, Matter, OthersWork, OutboxLine, OutboxView};
pub use patient_page::PatientView;
pub use records::RecordName;
pub use search::{Hit, SearchView};
pub use status::{Connection, FirstSync, StatusView};
pub use visit_page::{SectionText, Tile, VisitView};

use crate::core::Reading;
use crate::store::{Receipt, StoreError};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use shared_model::documents::Kind;
use shared_model::ids::{AccountId, AppointmentId, ClientId, DocumentId, PatientId, VisitId};
use shared_model::late_work::LateWork;
use std::collections::BTreeSet;

/// What a screen wants to see, until it stops watching.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Query {
    /// Connection, what waits, first sync, storage.
    Status,
    /// The clinic's profile and settings, and who is signed in.
    Clinic,
    /// One day; `None` is the clinic's today.
    Day(Option<Date>),
    Search(String),
    /// Clients or patients by name, filtered by what was typed, `limit` of them.
    Browse {
        kind: Kind,
        text: String,
        limit: u32,
    },
    Client(ClientId),
    Patient(PatientId),
    Visit(VisitId),
    /// Where an appointment of so many minutes fits; `moving` is left out of what is taken.
    FreeSlots {
        date: Date,
        vet: AccountId,
        minutes: u16,
        moving: Option<AppointmentId>,
    },
    /// What waits for the server, and what it refused.
    Outbox,
    /// The pets of the owner who is signed in.
    MyPets,
    /// Late work as the server listed it, told in words.
    LateWork(Vec<LateWork>),
    /// Whom each of these records is about.
    Records(Vec<(Kind, DocumentId)>),
    /// Where a record's latest work is, for a screen that shows no more of it than a line.
    Receipt(DocumentId),
}

/// The answer to a query. `Missing` stands for a record that is not on this device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum View {
    Status(StatusView),
    Clinic(ClinicView),
    Day(DayView),
    Search(SearchView),
    Browse(BrowseView),
    Client(Box<ClientView>),
    Patient(Box<PatientView>),
    Visit(Box<VisitView>),
    FreeSlots(FreeSlotsView),
    Outbox(OutboxView),
    MyPets(Vec<PetLine>),
    LateWork(Vec<LateMatter>),
    /// Those that are here and that a list names.
    Records(Vec<RecordName>),
    Receipt(Receipt),
    Missing,
}

/// What one transaction changed, for deciding which views to compute again.
#[derive(Clone, Debug, Default)]
pub struct Touched {
    pub documents: BTreeSet<(Kind, DocumentId)>,
    pub status: bool,
    /// First sync and rebuild: everything.
    pub all: bool,
}

impl Touched {
    fn kind(&self, kind: Kind) -> bool {
        self.documents.iter().any(|(touched, _)| *touched == kind)
    }

    fn has(&self, id: impl Into<DocumentId>) -> bool {
        let id = id.into();
        self.documents.iter().any(|(_, touched)| *touched == id)
    }
}

impl Query {
    /// Whether its view may look different after this.
    pub fn rests_on(&self, touched: &Touched) -> bool {
        let settings = touched.kind(Kind::ClinicSettings) || touched.kind(Kind::ClinicProfile);
        if touched.all {
            return true;
        }
        match self {
            Self::Status | Self::Outbox => touched.status || !touched.documents.is_empty(),
            Self::Clinic => settings || touched.status,
            Self::Day(_) => {
                settings
                    || touched.kind(Kind::Appointment)
                    || touched.kind(Kind::Patient)
                    || touched.kind(Kind::Client)
            }
            Self::Search(_) => touched.kind(Kind::Client) || touched.kind(Kind::Patient),
            Self::Browse { kind, .. } => touched.kind(*kind) || touched.kind(Kind::Patient),
            Self::Client(id) => {
                settings || touched.has(*id) || touched.kind(Kind::Patient) || touched.kind(Kind::Appointment)
            }
            Self::Patient(id) => {
                settings
                    || touched.has(*id)
                    || touched.kind(Kind::Client)
                    || touched.kind(Kind::Visit)
                    || touched.kind(Kind::Appointment)
                    || touched.status
            }
            Self::Visit(id) => {
                settings
                    || touched.has(*id)
                    || touched.kind(Kind::Patient)
                    || touched.kind(Kind::Client)
                    || touched.status
            }
            Self::FreeSlots { .. } => settings || touched.kind(Kind::Appointment),
            Self::MyPets => touched.kind(Kind::Patient) || touched.kind(Kind::Appointment),
            Self::LateWork(_) => {
                touched.kind(Kind::Client)
                    || touched.kind(Kind::Patient)
                    || touched.kind(Kind::Appointment)
                    || touched.kind(Kind::Visit)
                    || touched.status
            }
            Self::Records(records) => {
                settings
                    || touched.kind(Kind::Patient)
                    || touched.kind(Kind::Client)
                    || records.iter().any(|(_, record)| touched.has(*record))
            }
            Self::Receipt(_) => touched.status,
        }
    }

    pub(crate) fn view(&self, reading: &Reading<'_>) -> Result<View, StoreError> {
        Ok(match self {
            Self::Status => View::Status(status::view(reading)?),
            Self::Clinic => View::Clinic(clinic::view(reading)?),
            Self::Day(date) => View::Day(day::view(reading, *date)?),
            Self::Search(text) => View::Search(search::view(reading, text)?),
            Self::Browse { kind, text, limit } => View::Browse(browse::view(reading, *kind, text, *limit)?),
            Self::Client(id) => {
                client_page::view(reading, *id)?.map_or(View::Missing, |view| View::Client(Box::new(view)))
            }
            Self::Patient(id) => {
                patient_page::view(reading, *id)?.map_or(View::Missing, |view| View::Patient(Box::new(view)))
            }
            Self::Visit(id) => {
                visit_page::view(reading, *id)?.map_or(View::Missing, |view| View::Visit(Box::new(view)))
            }
            Self::FreeSlots {
                date,
                vet,
                minutes,
                moving,
            } => View::FreeSlots(free_slots::view(reading, *date, *vet, *minutes, *moving)?),
            Self::Outbox => View::Outbox(outbox_page::view(reading)?),
            Self::MyPets => View::MyPets(lines::my_pets(reading)?),
            Self::LateWork(works) => View::LateWork(late_work::view(reading, works)?),
            Self::Records(records) => View::Records(records::view(reading, records)?),
            Self::Receipt(id) => View::Receipt(reading.store.receipt(*id)?),
        })
    }
}
