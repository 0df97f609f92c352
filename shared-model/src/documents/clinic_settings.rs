//! ClinicSettings: rooms, staff directory and appointment types; staff read it, the clinic administrator writes it.

use super::{Document, Problem, word_enum};
use crate::ids::{AccountId, AppointmentTypeId, RoomId};
use crate::permissions::Role;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Room {
    pub id: RoomId,
    pub name: String,
    pub order: u64,
    pub active: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StaffMember {
    pub id: AccountId,
    /// As on the day view's column: "Dr Moreno".
    pub name: String,
    pub full_name: String,
    pub role: Role,
    /// Whether appointments are booked in this person's name.
    pub bookable: bool,
    pub order: u64,
    pub active: bool,
}

impl StaffMember {
    /// Two letters for the avatar.
    pub fn initials(&self) -> String {
        let mut words = self
            .full_name
            .split_whitespace()
            .filter_map(|word| word.chars().next());
        let first = words.next();
        first
            .into_iter()
            .chain(words.next_back())
            .flat_map(char::to_uppercase)
            .collect()
    }
}

word_enum! {
    /// The fill of an appointment on the day view; the type's name always stands beside it.
    Tone { Teal = "teal", Blue = "blue", Green = "green", Violet = "violet", Red = "red" }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppointmentType {
    pub id: AppointmentTypeId,
    pub name: String,
    pub minutes: u16,
    pub tone: Tone,
    pub order: u64,
    pub active: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClinicSettings {
    pub rooms: Vec<Room>,
    pub staff: Vec<StaffMember>,
    pub appointment_types: Vec<AppointmentType>,
}

impl ClinicSettings {
    pub fn read(doc: &Document) -> (Self, Vec<Problem>) {
        let fields = doc.fields();
        let mut problems = Vec::new();
        let text = |key: &str| fields.text(key).unwrap_or_default().to_owned();
        let mut rooms: Vec<Room> = fields
            .entries::<RoomId>("rooms")
            .into_iter()
            .map(|id| Room {
                id,
                name: text(&format!("rooms/{id}/name")),
                order: fields.uint(&format!("rooms/{id}/order")).unwrap_or(u64::MAX),
                active: fields.boolean(&format!("rooms/{id}/active")).unwrap_or(true),
            })
            .collect();
        let mut staff: Vec<StaffMember> = Vec::new();
        for id in fields.entries::<AccountId>("staff") {
            let key = |field: &str| format!("staff/{id}/{field}");
            staff.push(StaffMember {
                id,
                name: text(&key("name")),
                full_name: text(&key("full_name")),
                role: fields
                    .parsed(&key("role"), &mut problems, Role::from_word)
                    .unwrap_or(Role::Viewer),
                bookable: fields.boolean(&key("bookable")).unwrap_or(false),
                order: fields.uint(&key("order")).unwrap_or(u64::MAX),
                active: fields.boolean(&key("active")).unwrap_or(true),
            });
        }
        let mut appointment_types: Vec<AppointmentType> = Vec::new();
        for id in fields.entries::<AppointmentTypeId>("types") {
            let key = |field: &str| format!("types/{id}/{field}");
            appointment_types.push(AppointmentType {
                id,
                name: text(&key("name")),
                minutes: fields
                    .uint(&key("minutes"))
                    .and_then(|m| u16::try_from(m).ok())
                    .filter(|m| (5..=1440).contains(m))
                    .unwrap_or(20),
                tone: fields
                    .parsed(&key("tone"), &mut problems, Tone::from_word)
                    .unwrap_or(Tone::Teal),
                order: fields.uint(&key("order")).unwrap_or(u64::MAX),
                active: fields.boolean(&key("active")).unwrap_or(true),
            });
        }
        rooms.sort_by_key(|room| (room.order, room.id));
        staff.sort_by_key(|member| (member.order, member.id));
        appointment_types.sort_by_key(|kind| (kind.order, kind.id));
        (
            Self {
                rooms,
                staff,
                appointment_types,
            },
            problems,
        )
    }

    pub fn staff_member(&self, id: AccountId) -> Option<&StaffMember> {
        self.staff.iter().find(|member| member.id == id)
    }

    pub fn room(&self, id: RoomId) -> Option<&Room> {
        self.rooms.iter().find(|room| room.id == id)
    }

    pub fn appointment_type(&self, id: AppointmentTypeId) -> Option<&AppointmentType> {
        self.appointment_types.iter().find(|kind| kind.id == id)
    }
}
