//! Where an appointment fits.

use super::day::free_starts;
use crate::core::Reading;
use crate::store::StoreError;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use shared_model::ids::{AccountId, AppointmentId};
use shared_model::time::Timestamp;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FreeSlot {
    pub start: Timestamp,
    pub start_minute: i16,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FreeSlotsView {
    /// False on a day the clinic is closed.
    pub open: bool,
    pub slots: Vec<FreeSlot>,
}

pub(super) fn view(
    reading: &Reading<'_>,
    date: Date,
    vet: AccountId,
    minutes: u16,
    moving: Option<AppointmentId>,
) -> Result<FreeSlotsView, StoreError> {
    let (from, to) = Timestamp::day_bounds(date, &reading.zone);
    let moving = moving.map(|id| id.bytes().to_vec()).unwrap_or_default();
    let mut statement = reading.store.sql.prepare_cached(
        "SELECT start, minutes FROM appointment WHERE start >= ?1 AND start < ?2 AND vet = ?3 AND booking = 0 AND id != ?4",
    )?;
    let mut rows = statement.query((from.0, to.0, &vet.bytes()[..], moving))?;
    let mut taken = Vec::new();
    while let Some(row) = rows.next()? {
        let start = Timestamp(row.get(0)?).in_zone(&reading.zone);
        let start = i16::from(start.hour()) * 60 + i16::from(start.minute());
        taken.push((start, start + row.get::<_, i16>(1)?));
    }
    let hours = reading.hours_on(date);
    let slots = free_starts(hours, &taken, minutes)
        .into_iter()
        .map(|minute| FreeSlot {
            start: Timestamp::at_wall_clock(date, minute, &reading.zone),
            start_minute: minute,
        })
        // What has passed today cannot be booked.
        .filter(|slot| slot.start.plus_minutes(5) >= reading.now)
        .collect();
    Ok(FreeSlotsView {
        open: hours.is_some(),
        slots,
    })
}
