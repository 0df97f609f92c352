//! In which ways a trail can be found not to be what it was, in words for whoever runs the server.

use crate::storage::trail::Part;
use shared_model::ids::{ClinicId, DocumentId};
use std::fmt;

/// The first thing that is not what it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Break {
    /// Where a chain ends is not as it was sealed, or the seal is gone.
    Seal(Part),
    /// Of what was written: the row or its changes were altered, added, moved, or it is the first behind one that was taken
    /// out.
    Row {
        number: u64,
        position: u32,
    },
    /// Behind the last row that is there, rows are missing.
    RowsMissing {
        after: u64,
    },
    /// A change that no row tells of.
    Change {
        number: u64,
        position: u32,
    },
    /// What is kept of a change is another one, or does not open.
    Bytes {
        number: u64,
        position: u32,
    },
    /// A change's signature is not by whom it was entered for.
    Signature {
        number: u64,
        position: u32,
    },
    /// A record is not there, does not open, or has not all of the changes that the trail tells of.
    Document {
        document: DocumentId,
    },
    /// A record has changes that the trail does not tell of.
    Surplus {
        document: DocumentId,
    },
    Event {
        number: u64,
    },
    EventsMissing {
        after: u64,
    },
    /// The chain does not come by an end that was noted: what it says up to there was something else then.
    Noted {
        part: Part,
        number: u64,
    },
}

impl fmt::Display for Break {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Seal(part) => write!(
                f,
                "the end of {} is not as this server sealed it: rows, ends or keys were altered, put back to what they were \
                 earlier, or taken away",
                words(*part)
            ),
            Self::Row { number, position } => write!(
                f,
                "row {number}.{position} of what was written does not go on from what is there: it or its changes were altered, \
                 or a row or an event before it is gone"
            ),
            Self::RowsMissing { after } => {
                write!(f, "rows of what was written are missing after number {after}")
            }
            Self::Change { number, position } => {
                write!(f, "no row tells of change {number}.{position}")
            }
            Self::Bytes { number, position } => {
                write!(f, "what is kept of change {number}.{position} is another change")
            }
            Self::Signature { number, position } => write!(
                f,
                "change {number}.{position} was not signed by whom it is said to be by"
            ),
            Self::Document { document } => {
                write!(
                    f,
                    "document {document} has not all that the trail says was written into it"
                )
            }
            Self::Surplus { document } => {
                write!(
                    f,
                    "document {document} has changes that the trail does not tell of"
                )
            }
            Self::Event { number } => {
                write!(f, "event {number} is not what it was, or one before it is gone")
            }
            Self::EventsMissing { after } => write!(f, "events are missing after number {after}"),
            Self::Noted { part, number } => write!(
                f,
                "{}: what stands up to number {number} is not what it was when that end was noted",
                words(*part)
            ),
        }
    }
}

fn words(part: Part) -> &'static str {
    match part {
        Part::Written => "what was written",
        Part::Runs => "the runs of what was written",
        Part::Events => "the events",
    }
}

/// In each line that tells of something that is not what it was.
pub const BROKEN: &str = "BROKEN";

/// In which ways the clinics that there are can be others than those that were opened here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Astray {
    /// The roll of clinics is not as it was sealed, or it is gone.
    Roll,
    Gone(ClinicId),
    Added(ClinicId),
}

impl fmt::Display for Astray {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Roll => write!(f, "{BROKEN}: the roll of clinics is not as this server sealed it"),
            Self::Gone(clinic) => write!(f, "{clinic}: {BROKEN}: the clinic is gone"),
            Self::Added(clinic) => write!(f, "{clinic}: {BROKEN}: this server has opened no such clinic"),
        }
    }
}
