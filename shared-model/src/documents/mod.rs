//! Documents: what they are, how they are read and written.
//!
//! Place in the flow: commands write them, projections and views read them. Invariants: the root map is flat (a field
//! of an entry is the key `weights/<id>/kg`), so no two devices ever create rival containers; the only nested objects
//! are texts, and those come with the genesis change, which every replica computes alike.

mod appointment;
mod before_and_after;
mod bill;
mod certificate;
mod chunks;
mod client;
mod client_notes;
mod clinic_profile;
mod clinic_settings;
mod consent;
mod controlled_drug_ledger;
mod conversation;
mod document;
mod estimate;
mod fields;
mod invoice;
pub mod measure;
mod patient;
mod payment;
mod projection;
mod signature;
mod stock_lot;
mod visit;
mod visit_findings;
mod visit_summary;

pub use appointment::{Appointment, Booking, Request, Slot, Whereabouts};
pub use before_and_after::ChangesOfLine;
pub use bill::{BillLine, Closing};
pub use certificate::{Certificate, Certified};
pub use chunks::{check_chunks, inflated_size, read_change};
pub use client::{Allowed, Channel, Client, ClientEmail, ClientPhone, ConsentToMessages};
pub use client_notes::ClientNotes;
pub(crate) use clinic_profile::write_hours;
pub use clinic_profile::{ClinicProfile, OpeningHours};
pub use clinic_settings::{AppointmentType, ClinicSettings, Room, StaffMember, Tone};
pub use consent::{Consent, ConsentForm, ConsentSignature};
pub use controlled_drug_ledger::{ControlledDrugLedger, LedgerLine, LedgerVerb};
pub use conversation::{Conversation, Message};
pub use document::{Document, LoadError, Numbering, Numbers, Stamp, Writer};
pub use estimate::Estimate;
pub use fields::{Fields, Made, Problem, Register, Retracted};
pub use invoice::Invoice;
pub use patient::{
    Alert, AlertKind, Death, Loss, Ownership, Patient, Photo, Sex, Species, Vaccination, WeightEntry,
};
pub use payment::{Payment, PaymentMethod};
pub use projection::{
    AppointmentRow, ClientRow, PROJECTION_VERSION, PatientRow, Projection, VisitRow, project,
};
pub use signature::Signature;
pub use stock_lot::{StockLot, StockMove};
pub use visit::{Section, Visit, VitalSigns};
pub use visit_findings::{Addendum, Declined, Finding, Prescription};
pub use visit_summary::VisitSummary;

use serde::{Deserialize, Serialize};

/// What a document is about; decides its shape, its audience and who may write what in it.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    minicbor::Encode,
    minicbor::Decode,
)]
#[cbor(index_only)]
pub enum Kind {
    #[n(0)]
    ClinicProfile,
    #[n(1)]
    ClinicSettings,
    #[n(2)]
    Client,
    #[n(3)]
    Patient,
    #[n(4)]
    Appointment,
    #[n(5)]
    Visit,
    #[n(6)]
    ClientNotes,
    #[n(7)]
    VisitSummary,
    #[n(8)]
    Estimate,
    #[n(9)]
    Invoice,
    #[n(10)]
    Payment,
    #[n(11)]
    Conversation,
    #[n(12)]
    StockLot,
    #[n(13)]
    ControlledDrugLedger,
    #[n(14)]
    Consent,
    #[n(15)]
    Certificate,
}

impl Kind {
    pub const ALL: [Self; 16] = [
        Self::ClinicProfile,
        Self::ClinicSettings,
        Self::Client,
        Self::Patient,
        Self::Appointment,
        Self::Visit,
        Self::ClientNotes,
        Self::VisitSummary,
        Self::Estimate,
        Self::Invoice,
        Self::Payment,
        Self::Conversation,
        Self::StockLot,
        Self::ControlledDrugLedger,
        Self::Consent,
        Self::Certificate,
    ];

    /// The word that stands in the document's `kind` field.
    pub fn word(self) -> &'static str {
        match self {
            Self::ClinicProfile => "clinic_profile",
            Self::ClinicSettings => "clinic_settings",
            Self::Client => "client",
            Self::Patient => "patient",
            Self::Appointment => "appointment",
            Self::Visit => "visit",
            Self::ClientNotes => "client_notes",
            Self::VisitSummary => "visit_summary",
            Self::Estimate => "estimate",
            Self::Invoice => "invoice",
            Self::Payment => "payment",
            Self::Conversation => "conversation",
            Self::StockLot => "stock_lot",
            Self::ControlledDrugLedger => "controlled_drug_ledger",
            Self::Consent => "consent",
            Self::Certificate => "certificate",
        }
    }

    /// The number in databases and on the wire; never reused.
    pub fn number(self) -> u8 {
        match self {
            Self::ClinicProfile => 0,
            Self::ClinicSettings => 1,
            Self::Client => 2,
            Self::Patient => 3,
            Self::Appointment => 4,
            Self::Visit => 5,
            Self::ClientNotes => 6,
            Self::VisitSummary => 7,
            Self::Estimate => 8,
            Self::Invoice => 9,
            Self::Payment => 10,
            Self::Conversation => 11,
            Self::StockLot => 12,
            Self::ControlledDrugLedger => 13,
            Self::Consent => 14,
            Self::Certificate => 15,
        }
    }

    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.number() == number)
    }

    /// The texts that people write together in this kind of document.
    pub fn texts(self) -> &'static [&'static str] {
        match self {
            Self::Visit => &["history", "examination", "assessment", "plan"],
            Self::ClientNotes => &["notes"],
            Self::VisitSummary => &["done", "instructions"],
            _ => &[],
        }
    }
}

/// Declares an enum that is stored as a word, with a lenient way back.
macro_rules! word_enum {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$vdoc])* $variant),* }
        impl $name {
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];
            /// The stored word.
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)* _ => None }
            }
        }
        impl<C> minicbor::Encode<C> for $name {
            fn encode<W: minicbor::encode::Write>(
                &self, e: &mut minicbor::Encoder<W>, _: &mut C,
            ) -> Result<(), minicbor::encode::Error<W::Error>> {
                e.str(self.word())?.ok()
            }
        }
        impl<'b, C> minicbor::Decode<'b, C> for $name {
            fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
                Self::from_word(d.str()?)
                    .ok_or_else(|| minicbor::decode::Error::message(concat!("not a ", stringify!($name))))
            }
        }
    };
}
pub(crate) use word_enum;
