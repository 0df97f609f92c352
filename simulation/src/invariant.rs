//! What must hold, in a run and at its end.

use std::fmt;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Invariant {
    AcknowledgedSurvives,
    NothingIsAppliedTwice,
    ReplicasAreEqual,
    ProjectionsAreEqual,
    QueuesAreEmpty,
    StatusIsTrue,
    NoDeniedByte,
    OnlyThePermitted,
    WorkIsItsAuthors,
    EveryRefusalIsListed,
    OneOwner,
    NothingStalls,
    MemoryReturns,
    NothingBreaks,
}

impl Invariant {
    pub fn words(self) -> &'static str {
        match self {
            Self::AcknowledgedSurvives => "acknowledged means it survives",
            Self::NothingIsAppliedTwice => "nothing is applied twice",
            Self::ReplicasAreEqual => "at rest all replicas are equal",
            Self::ProjectionsAreEqual => "projections equal a rebuild",
            Self::QueuesAreEmpty => "at rest outboxes and queues are empty",
            Self::StatusIsTrue => "the status never says more than is true",
            Self::NoDeniedByte => "nobody receives a byte of a document outside the audience",
            Self::OnlyThePermitted => "nothing that is not permitted is taken",
            Self::WorkIsItsAuthors => "work is entered as its author's, whoever brought it",
            Self::EveryRefusalIsListed => "every refused change is listed somewhere",
            Self::OneOwner => "one window owns the store",
            Self::NothingStalls => "everything comes to rest in bounded time",
            Self::MemoryReturns => "memory returns to baseline",
            Self::NothingBreaks => "nothing panics or fails",
        }
    }
}

/// The first thing that did not hold.
#[derive(Clone, Debug)]
pub struct Violation {
    pub invariant: Invariant,
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.invariant.words(), self.what)
    }
}

pub(crate) type Holds = Result<(), Violation>;

pub(crate) fn broken(invariant: Invariant, what: impl Into<String>) -> Violation {
    Violation {
        invariant,
        what: what.into(),
    }
}
