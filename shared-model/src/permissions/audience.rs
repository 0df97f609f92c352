//! Who receives a document. Invariant: field-level secrecy is impossible inside one document, so a document is in a feed
//! whole or not at all, and who its people are is written in it by those only whom the table lets name them.

use super::table::{Reads, reads};
use crate::documents::{Document, Kind, Patient, VisitSummary};
use crate::ids::ClientId;
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

/// An audience of a clinic: everything in a feed may be read by everybody who reads the feed.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode, Serialize, Deserialize,
)]
pub enum Feed {
    /// The clinic's people.
    #[n(0)]
    Staff,
    /// Owners too: the clinic's name, hours and contact.
    #[n(1)]
    Everyone,
    /// One owner's own records.
    #[n(2)]
    Client(#[n(0)] ClientId),
}

/// The feeds that carry a document. `people` are the clients it is about, as [`people_of`] tells them.
pub fn audience(kind: Kind, people: &[ClientId]) -> Vec<Feed> {
    let mut feeds = vec![Feed::Staff];
    match reads(kind) {
        Reads::Everyone => feeds.push(Feed::Everyone),
        Reads::StaffAndOwners => feeds.extend(people.iter().map(|id| Feed::Client(*id))),
        Reads::Staff => {}
    }
    feeds
}

/// The clients that a document is about, by what it says now: itself for a Client, the present owners of a Patient, who
/// a VisitSummary was given to, the client of everything else that its client reads.
pub fn people_of(doc: &Document) -> Vec<ClientId> {
    match doc.kind {
        Kind::Client => vec![doc.id.into()],
        Kind::Patient => Patient::read(doc).0.present_owners().collect(),
        Kind::VisitSummary => VisitSummary::read(doc).0.present_owners().collect(),
        kind if reads(kind) == Reads::StaffAndOwners => doc
            .value("client")
            .as_ref()
            .and_then(|value| value.as_str())
            .and_then(ClientId::parse)
            .into_iter()
            .collect(),
        _ => Vec::new(),
    }
}

/// Whether [`people_of`] rests on a field of the root.
pub(super) fn names_people(kind: Kind, field: &str) -> bool {
    match kind {
        Kind::Patient | Kind::VisitSummary => field.starts_with("owners/"),
        // Its id is the client.
        Kind::Client => false,
        kind => reads(kind) == Reads::StaffAndOwners && field == "client",
    }
}
