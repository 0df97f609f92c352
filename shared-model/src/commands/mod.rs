//! Commands: what a person asked for, and the smallest change of one or a few documents that does it.
//!
//! Place in the flow: views send them, local-core turns each into changes inside one transaction. Invariants: a
//! command writes single fields and never a whole struct; any two commands give the same documents in either order.

mod book_appointment;
mod cancel_appointment;
mod check_in;
mod check_out;
mod choose_value;
mod edit_client;
mod edit_patient;
mod finish_visit;
mod move_appointment;
mod record_alert;
mod record_vitals;
mod record_weight;
mod register_client;
mod register_patient;
mod report_death;
mod set_up_clinic;
mod start_visit;
mod write_in_section;

pub use book_appointment::BookAppointment;
pub use cancel_appointment::{CancelAppointment, ReinstateAppointment};
pub use check_in::{CheckIn, UndoCheckIn};
pub use check_out::{CheckOut, UndoCheckOut};
pub use choose_value::ChooseValue;
pub use edit_client::EditClient;
pub use edit_patient::EditPatient;
pub use finish_visit::{FinishVisit, ReopenVisit};
pub use move_appointment::MoveAppointment;
pub use record_alert::{RecordAlert, RetractAlert};
pub use record_vitals::RecordVitals;
pub use record_weight::{RecordWeight, RetractWeight};
pub use register_client::RegisterClient;
pub use register_patient::RegisterPatient;
pub use report_death::{ReportDeath, RetractDeath};
pub use set_up_clinic::{SetAppointmentType, SetClinicProfile, SetRoom, SetStaffMember};
pub use start_visit::StartVisit;
pub use write_in_section::WriteInSection;

use crate::documents::{Document, Kind, Retracted, Stamp, Writer};
use crate::ids::{ClinicId, DocumentId};
use crate::permissions::Denied;
use crate::time::Timestamp;
use crate::values::Invalid;
use automerge::Change;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// Why a command was not carried out. Nothing was written then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum CommandError {
    /// `field` names the form field that has to change.
    #[error("{field}: {why}")]
    Invalid { field: String, why: Invalid },
    #[error("the {kind} is not on this device")]
    NotHere { kind: String },
    #[error("the text has changed in a way that this edit does not know")]
    UnknownBase,
    #[error("the visit is finished")]
    VisitFinished,
    /// The server would refuse it; see `protocol::MAX_DOCUMENT` and its neighbours.
    #[error("the {kind} has no room for it")]
    TooLarge { kind: String },
    #[error(transparent)]
    Denied(#[from] Denied),
}

/// What all commands have in common.
trait Intent {
    /// The word in the change's message, the log and the audit trail.
    const VERB: &'static str;
    /// The documents it writes, in order. A document that does not exist yet begins with its genesis.
    fn touches(&self, clinic: ClinicId) -> Vec<(Kind, DocumentId)>;
    /// Its part in one of those documents.
    fn write(&self, doc: &mut Document, stamp: &Stamp) -> Result<Option<Change>, CommandError>;
    /// Whether the document may be created by this command; all others must exist.
    fn creates(&self, _kind: Kind) -> bool {
        false
    }
}

macro_rules! commands {
    ($($name:ident),* $(,)?) => {
        /// Everything that a person can ask for.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        pub enum Command { $($name($name)),* }

        impl Command {
            pub fn verb(&self) -> &'static str {
                match self { $(Self::$name(_) => $name::VERB),* }
            }
            /// The documents it writes, in order.
            pub fn touches(&self, clinic: ClinicId) -> Vec<(Kind, DocumentId)> {
                match self { $(Self::$name(command) => command.touches(clinic)),* }
            }
            /// Whether a missing document of this kind begins here.
            pub fn creates(&self, kind: Kind) -> bool {
                match self { $(Self::$name(command) => command.creates(kind)),* }
            }
            /// Its change of one of the documents it touches; `None` if everything stands there already.
            pub fn write(&self, doc: &mut Document, stamp: &Stamp) -> Result<Option<Change>, CommandError> {
                match self { $(Self::$name(command) => command.write(doc, stamp)),* }
            }
        }
        /// What a change calls itself: one word for each command.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Verb { $($name),* }

        impl Verb {
            pub const ALL: &'static [Self] = &[$(Self::$name),*];
            /// The word in the change's message, the log and the trail.
            pub fn word(self) -> &'static str {
                match self { $(Self::$name => $name::VERB),* }
            }
            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|verb| verb.word() == word)
            }
        }
        $(impl From<$name> for Command {
            fn from(command: $name) -> Self {
                Self::$name(command)
            }
        })*
    };
}

commands! {
    RegisterClient, EditClient, RegisterPatient, EditPatient, RecordWeight, RetractWeight, RecordAlert, RetractAlert,
    ReportDeath, RetractDeath, BookAppointment, MoveAppointment, CancelAppointment, ReinstateAppointment, CheckIn,
    UndoCheckIn, CheckOut, UndoCheckOut, StartVisit, RecordVitals, WriteInSection, FinishVisit, ReopenVisit,
    ChooseValue, SetClinicProfile, SetRoom, SetStaffMember, SetAppointmentType,
}

impl Command {
    /// The form that outboxes keep: CBOR with names, so that later builds still read it.
    pub fn to_bytes(&self) -> Vec<u8> {
        minicbor_serde::to_vec(self).expect("a command has nothing that CBOR cannot hold")
    }

    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        minicbor_serde::from_slice(bytes).ok()
    }
}

/// A day that somebody names as past.
fn past(field: &str, day: Date, now: Timestamp) -> Result<String, CommandError> {
    let day = crate::values::past_day(day, now).map_err(invalid(field))?;
    Ok(day.to_string())
}

fn invalid(field: &str) -> impl FnOnce(Invalid) -> CommandError {
    move |why| CommandError::Invalid {
        field: field.to_owned(),
        why,
    }
}

/// One typed line, required.
fn required(field: &str, text: &str, max: usize) -> Result<String, CommandError> {
    crate::values::line(text, max).map_err(invalid(field))
}

/// One typed line; nothing typed means nothing.
fn optional(field: &str, text: &str, max: usize) -> Result<Option<String>, CommandError> {
    match crate::values::line(text, max) {
        Ok(line) => Ok(Some(line)),
        Err(Invalid::Empty) => Ok(None),
        Err(why) => Err(invalid(field)(why)),
    }
}

/// Takes something back: who, when, why.
fn retract(w: &mut Writer<'_>, prefix: &str, stamp: &Stamp, reason: &str) {
    w.put_time(&format!("{prefix}/retracted_at"), stamp.now);
    w.put(&format!("{prefix}/retracted_by"), stamp.account.to_string());
    w.put_optional(
        &format!("{prefix}/retracted_reason"),
        Some(reason).filter(|r| !r.is_empty()),
    );
}

/// Takes a retraction back.
fn restore(w: &mut Writer<'_>, prefix: &str, standing: Option<&Retracted>) {
    if standing.is_some() {
        w.put_optional(&format!("{prefix}/retracted_at"), None::<String>);
    }
}
