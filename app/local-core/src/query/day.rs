//! One day of the clinic: columns per bookable person, appointments in lanes, who waits, and where two want one slot.

use super::lines::{APPOINTMENT_COLUMNS, AppointmentColumns, name};
use crate::core::Reading;
use crate::store::StoreError;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use shared_model::documents::{
    AlertKind, Appointment, Booking, OpeningHours, Slot, Species, Tone, Whereabouts,
};
use shared_model::ids::{AccountId, AppointmentId, ClientId, PatientId, RoomId, VisitId};
use shared_model::time::Timestamp;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DayView {
    pub date: Date,
    pub is_today: bool,
    /// Minutes after midnight on the clinic's clock when the view was made; for the now line.
    pub now_minute: i16,
    pub hours: Option<OpeningHours>,
    pub columns: Vec<DayColumn>,
    /// By start, cancelled ones included.
    pub items: Vec<DayItem>,
    pub clashes: Vec<Clash>,
    pub booked: usize,
    pub done: usize,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DayColumn {
    pub vet: AccountId,
    pub name: String,
    pub count: usize,
}

/// Where the work stands; follows from the registers, is never set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Stage {
    Expected,
    /// Past its start and nobody came yet.
    Late,
    Waiting,
    InRoom,
    /// Notes finished, still at the clinic.
    Ready,
    Departed,
    Cancelled,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DayItem {
    pub id: AppointmentId,
    /// Index into `columns`.
    pub column: usize,
    pub start: Timestamp,
    pub start_minute: i16,
    pub minutes: u16,
    /// Side by side with others at the same time: which lane of how many.
    pub lane: usize,
    pub lanes: usize,
    pub slot: Slot,
    pub room: Option<RoomId>,
    pub room_name: String,
    pub vet_name: String,
    pub patient: Option<PatientId>,
    pub patient_name: String,
    pub species: Species,
    pub deceased: bool,
    pub allergy: Option<String>,
    pub client: Option<ClientId>,
    pub client_name: String,
    pub client_phone: String,
    pub reason: String,
    pub type_name: String,
    pub tone: Tone,
    pub stage: Stage,
    pub arrived_at: Option<Timestamp>,
    pub in_room_at: Option<Timestamp>,
    pub visit: Option<VisitId>,
    pub clash: bool,
    /// Two people moved it at the same time and nobody has chosen: where else it would be.
    pub rival_slots: Vec<Slot>,
}

/// Two bookings that want the same person at the same time, with the way out that disturbs least.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Clash {
    pub first: AppointmentId,
    pub second: AppointmentId,
    pub vet_name: String,
    pub start_minute: i16,
    /// The later-made booking's next free slot of the same length with the same person.
    pub proposal: Option<(AppointmentId, Slot, i16)>,
}

/// Appointments start on this grid, in minutes.
pub(super) const GRID: i16 = 10;

pub(super) fn view(reading: &Reading<'_>, date: Option<Date>) -> Result<DayView, StoreError> {
    let today = reading.today();
    let date = date.unwrap_or(today);
    let (from, to) = Timestamp::day_bounds(date, &reading.zone);
    let sql = format!(
        "SELECT {APPOINTMENT_COLUMNS}, p.name, p.species, p.deceased, p.alerts, c.given_name, c.family_name, c.phone \
         FROM appointment a LEFT JOIN patient p ON p.id = a.patient LEFT JOIN client c ON c.id = a.client \
         WHERE a.start >= ?1 AND a.start < ?2 ORDER BY a.start, a.id"
    );
    let mut statement = reading.store.sql.prepare_cached(&sql)?;
    let mut rows = statement.query((from.0, to.0))?;
    let mut columns: Vec<DayColumn> = reading
        .settings
        .staff
        .iter()
        .filter(|member| member.bookable && member.active)
        .map(|member| DayColumn {
            vet: member.id,
            name: member.name.clone(),
            count: 0,
        })
        .collect();
    let mut items = Vec::new();
    while let Some(row) = rows.next()? {
        let Some(a) = AppointmentColumns::read(row)? else {
            continue;
        };
        let Some(vet) = a.vet else { continue };
        // Somebody who is no longer bookable keeps a column on the days that have work in it.
        let column = columns
            .iter()
            .position(|column| column.vet == vet)
            .unwrap_or_else(|| {
                columns.push(DayColumn {
                    vet,
                    name: reading.staff_name(Some(vet)),
                    count: 0,
                });
                columns.len() - 1
            });
        let local = a.start.in_zone(&reading.zone);
        let alerts: Vec<(AlertKind, String)> = match row.get_ref(19)? {
            rusqlite::types::ValueRef::Blob(bytes) => minicbor::decode(bytes).unwrap_or_default(),
            _ => Vec::new(),
        };
        let appointment_type = a
            .appointment_type
            .and_then(|id| reading.settings.appointment_type(id));
        let stage = stage(&a, reading.now);
        items.push(DayItem {
            id: a.id,
            column,
            start: a.start,
            start_minute: i16::from(local.hour()) * 60 + i16::from(local.minute()),
            minutes: a.minutes,
            lane: 0,
            lanes: 1,
            slot: Slot {
                start: a.start,
                minutes: a.minutes,
                vet,
                room: a.room,
            },
            room: a.room,
            room_name: a
                .room
                .and_then(|id| reading.settings.room(id))
                .map(|r| r.name.clone())
                .unwrap_or_default(),
            vet_name: columns[column].name.clone(),
            patient: a.patient,
            patient_name: row.get::<_, Option<String>>(16)?.unwrap_or_default(),
            species: row
                .get::<_, Option<String>>(17)?
                .and_then(|w| Species::from_word(&w))
                .unwrap_or(Species::Other),
            deceased: row.get::<_, Option<bool>>(18)?.unwrap_or(false),
            allergy: alerts
                .into_iter()
                .find(|(kind, _)| *kind == AlertKind::Allergy)
                .map(|(_, text)| text),
            client: a.client,
            client_name: name(
                &row.get::<_, Option<String>>(20)?.unwrap_or_default(),
                &row.get::<_, Option<String>>(21)?.unwrap_or_default(),
            ),
            client_phone: row.get::<_, Option<String>>(22)?.unwrap_or_default(),
            reason: a.reason,
            type_name: appointment_type.map(|t| t.name.clone()).unwrap_or_default(),
            tone: appointment_type.map_or(Tone::Teal, |t| t.tone),
            stage,
            arrived_at: a.arrived_at,
            in_room_at: a.in_room_at,
            visit: a.visit,
            clash: false,
            rival_slots: if a.slot_contested {
                rival_slots(reading, a.id)?
            } else {
                Vec::new()
            },
        });
    }
    for item in items.iter().filter(|item| item.stage != Stage::Cancelled) {
        columns[item.column].count += 1;
    }
    lay_out(&mut items);
    let hours = reading.hours_on(date);
    let clashes = clashes(&mut items, hours, reading, date);
    let now = reading.now.in_zone(&reading.zone);
    Ok(DayView {
        date,
        is_today: date == today,
        now_minute: i16::from(now.hour()) * 60 + i16::from(now.minute()),
        hours,
        booked: items.iter().filter(|item| item.stage != Stage::Cancelled).count(),
        done: items
            .iter()
            .filter(|item| matches!(item.stage, Stage::Ready | Stage::Departed))
            .count(),
        columns,
        items,
        clashes,
    })
}

fn rival_slots(reading: &Reading<'_>, id: AppointmentId) -> Result<Vec<Slot>, StoreError> {
    let document = reading.document(id.into())?;
    let slot = document.and_then(|document| Appointment::read(&document).0.slot);
    Ok(slot.map(|slot| slot.rivals).unwrap_or_default())
}

fn stage(a: &AppointmentColumns, now: Timestamp) -> Stage {
    match (a.booking, a.whereabouts) {
        (Booking::Cancelled, _) => Stage::Cancelled,
        (_, Whereabouts::Departed) => Stage::Departed,
        (_, Whereabouts::InRoom) if a.finished_at.is_some() => Stage::Ready,
        (_, Whereabouts::InRoom) => Stage::InRoom,
        (_, Whereabouts::Waiting) => Stage::Waiting,
        // Ten minutes of grace before a screen calls somebody late.
        (_, Whereabouts::Expected) if now.minutes_since(a.start) > 10 => Stage::Late,
        (_, Whereabouts::Expected) => Stage::Expected,
    }
}

/// Puts overlapping appointments of a column side by side. Cancelled ones take no room.
fn lay_out(items: &mut [DayItem]) {
    let columns = items.iter().map(|item| item.column + 1).max().unwrap_or(0);
    for column in 0..columns {
        let mut group: Vec<usize> = Vec::new();
        let mut group_end = i16::MIN;
        let indices: Vec<usize> = (0..items.len())
            .filter(|i| items[*i].column == column && items[*i].stage != Stage::Cancelled)
            .collect();
        for index in indices {
            let end = items[index].start_minute + i16::try_from(items[index].minutes).unwrap_or(i16::MAX / 2);
            if items[index].start_minute >= group_end {
                group.clear();
            }
            let taken: Vec<usize> = group
                .iter()
                .filter(|other| {
                    items[**other].start_minute + i16::try_from(items[**other].minutes).unwrap_or(0)
                        > items[index].start_minute
                })
                .map(|other| items[*other].lane)
                .collect();
            items[index].lane = (0..).find(|lane| !taken.contains(lane)).unwrap_or(0);
            group.push(index);
            group_end = group_end.max(end);
            let lanes = group
                .iter()
                .map(|member| items[*member].lane + 1)
                .max()
                .unwrap_or(1);
            for member in &group {
                items[*member].lanes = lanes;
            }
        }
    }
}

fn clashes(
    items: &mut [DayItem],
    hours: Option<OpeningHours>,
    reading: &Reading<'_>,
    date: Date,
) -> Vec<Clash> {
    let mut found = Vec::new();
    for first in 0..items.len() {
        for second in first + 1..items.len() {
            let (a, b) = (&items[first], &items[second]);
            // Who has been seen or has left needs no slot any more.
            let open = |item: &DayItem| matches!(item.stage, Stage::Expected | Stage::Late | Stage::Waiting);
            if !(open(a) && open(b) && a.slot.clashes_with(&b.slot)) {
                continue;
            }
            // Ids are minted with the time: the larger one was booked later and is the one to move.
            let (stays, moves) = if a.id < b.id {
                (first, second)
            } else {
                (second, first)
            };
            let taken: Vec<(i16, i16)> = items
                .iter()
                .filter(|item| item.column == items[moves].column && item.stage != Stage::Cancelled)
                .filter(|item| item.id != items[moves].id)
                .map(|item| (item.start_minute, item.start_minute + item.minutes as i16))
                .collect();
            let minutes = items[moves].minutes;
            let proposal = free_starts(hours, &taken, minutes)
                .into_iter()
                .find(|start| *start > items[stays].start_minute)
                .map(|start| {
                    let at = Timestamp::at_wall_clock(date, start, &reading.zone);
                    (
                        items[moves].id,
                        Slot {
                            start: at,
                            ..items[moves].slot
                        },
                        start,
                    )
                });
            found.push(Clash {
                first: items[stays].id,
                second: items[moves].id,
                vet_name: items[moves].vet_name.clone(),
                start_minute: items[moves].start_minute,
                proposal,
            });
            items[first].clash = true;
            items[second].clash = true;
        }
    }
    found
}

/// Starts on the grid, inside the opening hours, at which `minutes` are free.
pub(super) fn free_starts(hours: Option<OpeningHours>, taken: &[(i16, i16)], minutes: u16) -> Vec<i16> {
    let Some(hours) = hours else { return Vec::new() };
    let minutes = i16::try_from(minutes).unwrap_or(i16::MAX / 2);
    let mut busy = taken.to_vec();
    busy.extend(hours.pause);
    (hours.opens..=hours.closes.saturating_sub(minutes))
        .step_by(GRID as usize)
        .filter(|start| {
            busy.iter()
                .all(|(from, to)| start + minutes <= *from || start >= to)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_starts_avoid_lunch_and_the_taken() {
        let hours = Some(OpeningHours {
            opens: 480,
            closes: 600,
            pause: Some((520, 540)),
        });
        assert_eq!(
            free_starts(hours, &[(480, 500)], 20),
            [500, 540, 550, 560, 570, 580]
        );
        assert_eq!(free_starts(None, &[], 20), [0i16; 0]);
        assert_eq!(free_starts(hours, &[], 300), [0i16; 0]);
    }
}
