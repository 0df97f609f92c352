//! What the clinic's administrator sets: name and hours, rooms, staff directory, appointment types.

use super::{CommandError, Intent, invalid, optional, required};
use crate::documents::{Document, Kind, OpeningHours, Stamp, Tone, write_hours};
use crate::ids::{AccountId, AppointmentTypeId, ClinicId, DocumentId, RoomId};
use crate::permissions::Role;
use crate::values::Invalid;
use automerge::Change;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetClinicProfile {
    pub name: String,
    pub phone: String,
    pub email: String,
    pub address: String,
    /// IANA name.
    pub time_zone: String,
    /// Monday first.
    pub hours: [Option<OpeningHours>; 7],
}

impl Intent for SetClinicProfile {
    const VERB: &'static str = "set_clinic_profile";

    fn touches(&self, clinic: ClinicId) -> Vec<(Kind, DocumentId)> {
        vec![(Kind::ClinicProfile, clinic.profile())]
    }

    fn creates(&self, _: Kind) -> bool {
        true
    }

    fn write(&self, doc: &mut Document, stamp: &Stamp) -> Result<Option<Change>, CommandError> {
        let name = required("name", &self.name, 120)?;
        let phone = optional("phone", &self.phone, 40)?;
        let email = optional("email", &self.email, 254)?;
        let address = optional("address", &self.address, 300)?;
        if jiff::tz::TimeZone::get(&self.time_zone).is_err() {
            return Err(invalid("time_zone")(Invalid::BadCharacters));
        }
        doc.change(stamp, Self::VERB, |w| {
            w.put("name", name);
            w.put_optional("phone", phone);
            w.put_optional("email", email);
            w.put_optional("address", address);
            w.put("time_zone", self.time_zone.as_str());
            for (day, hours) in self.hours.iter().enumerate() {
                w.put(&format!("hours/{}", day + 1), write_hours(*hours));
            }
            Ok(())
        })
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetRoom {
    pub room: RoomId,
    pub name: String,
    pub order: u64,
    pub active: bool,
}

impl Intent for SetRoom {
    const VERB: &'static str = "set_room";

    fn touches(&self, clinic: ClinicId) -> Vec<(Kind, DocumentId)> {
        vec![(Kind::ClinicSettings, clinic.settings())]
    }

    fn creates(&self, _: Kind) -> bool {
        true
    }

    fn write(&self, doc: &mut Document, stamp: &Stamp) -> Result<Option<Change>, CommandError> {
        let name = required("name", &self.name, 60)?;
        let key = |field: &str| format!("rooms/{}/{field}", self.room);
        doc.change(stamp, Self::VERB, |w| {
            w.put(&key("name"), name);
            w.put(&key("order"), self.order);
            w.put(&key("active"), self.active);
            Ok(())
        })
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetStaffMember {
    pub account: AccountId,
    pub name: String,
    pub full_name: String,
    pub role: Role,
    pub bookable: bool,
    pub order: u64,
    pub active: bool,
}

impl Intent for SetStaffMember {
    const VERB: &'static str = "set_staff_member";

    fn touches(&self, clinic: ClinicId) -> Vec<(Kind, DocumentId)> {
        vec![(Kind::ClinicSettings, clinic.settings())]
    }

    fn creates(&self, _: Kind) -> bool {
        true
    }

    fn write(&self, doc: &mut Document, stamp: &Stamp) -> Result<Option<Change>, CommandError> {
        let name = required("name", &self.name, 60)?;
        let full_name = required("full_name", &self.full_name, 120)?;
        let key = |field: &str| format!("staff/{}/{field}", self.account);
        doc.change(stamp, Self::VERB, |w| {
            w.put(&key("name"), name);
            w.put(&key("full_name"), full_name);
            w.put(&key("role"), self.role.word());
            w.put(&key("bookable"), self.bookable);
            w.put(&key("order"), self.order);
            w.put(&key("active"), self.active);
            Ok(())
        })
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetAppointmentType {
    pub appointment_type: AppointmentTypeId,
    pub name: String,
    pub minutes: u16,
    pub tone: Tone,
    pub order: u64,
    pub active: bool,
}

impl Intent for SetAppointmentType {
    const VERB: &'static str = "set_appointment_type";

    fn touches(&self, clinic: ClinicId) -> Vec<(Kind, DocumentId)> {
        vec![(Kind::ClinicSettings, clinic.settings())]
    }

    fn creates(&self, _: Kind) -> bool {
        true
    }

    fn write(&self, doc: &mut Document, stamp: &Stamp) -> Result<Option<Change>, CommandError> {
        let name = required("name", &self.name, 60)?;
        let key = |field: &str| format!("types/{}/{field}", self.appointment_type);
        doc.change(stamp, Self::VERB, |w| {
            w.put(&key("name"), name);
            w.put(&key("minutes"), u64::from(self.minutes.clamp(5, 1440)));
            w.put(&key("tone"), self.tone.word());
            w.put(&key("order"), self.order);
            w.put(&key("active"), self.active);
            Ok(())
        })
    }
}
