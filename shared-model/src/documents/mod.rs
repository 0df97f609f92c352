//! Documents: what they are, how they are read and written.
//!
//! Place in the flow: commands write them, projections and views read them. Invariants: the root map is flat (a field
//! of an entry is the key `weights/<id>/kg`), so no two devices ever create rival containers; the only nested objects
//! are texts, and those come with the genesis change, which every replica computes alike.

mod appointment;
mod chunks;
mod client;
mod clinic_profile;
mod clinic_settings;
mod document;
mod fields;
pub mod measure;
mod patient;
mod projection;
mod visit;

pub use appointment::{Appointment, Booking, Slot, Whereabouts};
pub use chunks::{check_chunks, inflated_size, read_change};
pub use client::{Channel, Client, ClientEmail, ClientPhone};
pub(crate) use clinic_profile::write_hours;
pub use clinic_profile::{ClinicProfile, OpeningHours};
pub use clinic_settings::{AppointmentType, ClinicSettings, Room, StaffMember, Tone};
pub use document::{Document, LoadError, Numbering, Numbers, Stamp, Writer};
pub use fields::{Fields, Problem, Register, Retracted};
pub use patient::{Alert, AlertKind, Death, Ownership, Patient, Sex, Species, WeightEntry};
pub use projection::{
    AppointmentRow, ClientRow, PROJECTION_VERSION, PatientRow, Projection, VisitRow, project,
};
pub use visit::{Section, Visit, VitalSigns};

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
}

impl Kind {
    pub const ALL: [Self; 6] = [
        Self::ClinicProfile,
        Self::ClinicSettings,
        Self::Client,
        Self::Patient,
        Self::Appointment,
        Self::Visit,
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
        }
    }

    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.number() == number)
    }

    /// The texts that people write together in this kind of document.
    pub fn texts(self) -> &'static [&'static str] {
        match self {
            Self::Visit => &["history", "examination", "assessment", "plan"],
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
