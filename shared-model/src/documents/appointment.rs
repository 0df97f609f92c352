//! Appointment: four independent registers (booking, whereabouts, clinical document, money), so that the desk and the
//! exam room never write the same field.

use super::{Document, Made, Problem, Register};
use crate::ids::{AccountId, AppointmentTypeId, ClientId, InvoiceId, PatientId, RoomId, VisitId};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// When, how long, with whom and where: one decision, therefore one value. Two people who move the same appointment
/// at the same time give two slots to choose from, never a mixture of both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot {
    pub start: Timestamp,
    pub minutes: u16,
    pub vet: AccountId,
    pub room: Option<RoomId>,
}

impl Slot {
    pub fn end(&self) -> Timestamp {
        self.start.plus_minutes(i64::from(self.minutes))
    }

    /// Whether two slots want the same person at the same time.
    pub fn clashes_with(&self, other: &Self) -> bool {
        self.vet == other.vet && self.start < other.end() && other.start < self.end()
    }

    /// The stored form: `start-ms/minutes/vet/room-or-empty`.
    pub(crate) fn write(&self) -> String {
        let room = self.room.map(|room| room.to_string()).unwrap_or_default();
        format!("{}/{}/{}/{room}", self.start.0, self.minutes, self.vet)
    }

    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('/');
        let slot = Self {
            start: Timestamp(parts.next()?.parse().ok()?),
            minutes: parts
                .next()?
                .parse()
                .ok()
                .filter(|minutes| (1..=1440).contains(minutes))?,
            vet: AccountId::parse(parts.next()?)?,
            room: match parts.next()? {
                "" => None,
                room => Some(RoomId::parse(room)?),
            },
        };
        parts.next().is_none().then_some(slot)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, minicbor::Encode, minicbor::Decode)]
#[cbor(index_only)]
pub enum Booking {
    #[n(0)]
    Booked,
    #[n(1)]
    Cancelled,
}

/// Where the animal is. Each step is a moment of its own and the furthest one counts, so steps noted on two devices
/// never contradict each other.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    minicbor::Encode,
    minicbor::Decode,
)]
#[cbor(index_only)]
pub enum Whereabouts {
    #[n(0)]
    Expected,
    #[n(1)]
    Waiting,
    #[n(2)]
    InRoom,
    #[n(3)]
    Departed,
}

/// What an owner asked for; a slot is the clinic's answer to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    pub made: Made,
    pub earliest: Option<Timestamp>,
    pub latest: Option<Timestamp>,
    pub reason: String,
    pub withdrawn_at: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Appointment {
    pub client: Option<ClientId>,
    pub patient: Option<PatientId>,
    pub appointment_type: Option<AppointmentTypeId>,
    pub reason: String,
    pub slot: Option<Register<Slot>>,
    pub cancelled_at: Option<Timestamp>,
    pub cancel_reason: String,
    pub arrived_at: Option<Timestamp>,
    pub in_room_at: Option<Timestamp>,
    pub departed_at: Option<Timestamp>,
    pub visit: Option<VisitId>,
    /// When the visit's notes were finished: the animal can go to the desk.
    pub finished_at: Option<Timestamp>,
    pub booked_by: Option<AccountId>,
    pub request: Option<Request>,
    /// The money register: the bill that the visit came to.
    pub invoice: Option<InvoiceId>,
}

impl Appointment {
    pub fn read(doc: &Document) -> (Self, Vec<Problem>) {
        let fields = doc.fields();
        let mut problems = Vec::new();
        let slot = fields.register("booking/slot", &mut problems, Slot::parse);
        let request = fields.made("request").map(|made| Request {
            made,
            earliest: fields.time("request/earliest"),
            latest: fields.time("request/latest"),
            reason: fields.owned("request/reason"),
            withdrawn_at: fields.time("request/withdrawn_at"),
        });
        // What was asked for has no slot until the clinic answers.
        if slot.is_none() && request.is_none() {
            problems.push(Problem {
                field: "booking/slot".to_owned(),
                what: "is missing".to_owned(),
            });
        }
        let appointment = Self {
            client: fields.text("client").and_then(ClientId::parse),
            patient: fields.text("patient").and_then(PatientId::parse),
            appointment_type: fields.text("booking/type").and_then(AppointmentTypeId::parse),
            reason: fields.text("booking/reason").unwrap_or_default().to_owned(),
            slot,
            cancelled_at: fields.time("booking/cancelled_at"),
            cancel_reason: fields
                .text("booking/cancel_reason")
                .unwrap_or_default()
                .to_owned(),
            arrived_at: fields.time("whereabouts/arrived_at"),
            in_room_at: fields.time("whereabouts/in_room_at"),
            departed_at: fields.time("whereabouts/departed_at"),
            visit: fields.text("clinical/visit").and_then(VisitId::parse),
            finished_at: fields.time("clinical/finished_at"),
            booked_by: fields.text("booking/by").and_then(AccountId::parse),
            request,
            invoice: fields.id("money/invoice"),
        };
        (appointment, problems)
    }

    pub fn booking(&self) -> Booking {
        if self.cancelled_at.is_some() {
            Booking::Cancelled
        } else {
            Booking::Booked
        }
    }

    pub fn whereabouts(&self) -> Whereabouts {
        if self.departed_at.is_some() {
            Whereabouts::Departed
        } else if self.in_room_at.is_some() {
            Whereabouts::InRoom
        } else if self.arrived_at.is_some() {
            Whereabouts::Waiting
        } else {
            Whereabouts::Expected
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn slot(start: i64, minutes: u16, vet: u128) -> Slot {
        Slot {
            start: Timestamp(start * 60_000),
            minutes,
            vet: AccountId(Uuid::from_u128(vet)),
            room: None,
        }
    }

    #[test]
    fn a_slot_is_one_value() {
        let with_room = Slot {
            room: Some(RoomId(Uuid::from_u128(5))),
            ..slot(10, 20, 1)
        };
        for slot in [slot(10, 20, 1), with_room] {
            assert_eq!(Slot::parse(&slot.write()), Some(slot));
        }
        for odd in ["", "1/2/3/4", "10/0/00000000-0000-0000-0000-000000000001/", "x"] {
            assert_eq!(Slot::parse(odd), None, "{odd}");
        }
    }

    #[test]
    fn neighbours_do_not_clash() {
        let check = |a: Slot, b: Slot, expected: bool| {
            assert_eq!(a.clashes_with(&b), expected);
            assert_eq!(b.clashes_with(&a), expected);
        };
        check(slot(0, 20, 1), slot(20, 20, 1), false);
        check(slot(0, 20, 1), slot(19, 20, 1), true);
        check(slot(0, 60, 1), slot(10, 10, 1), true);
        check(slot(0, 20, 1), slot(0, 20, 2), false);
    }
}
