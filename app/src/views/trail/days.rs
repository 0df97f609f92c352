//! Lines as people read them: day by day, and what somebody did over and over as one.
//!
//! Invariant: pure, and nothing that somebody did is left out: the changes of a run are all counted.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use shared_model::commands::Verb;
use shared_model::documents::Kind;
use shared_model::ids::{AccountId, DeviceId, DocumentId, VisitId};
use shared_model::time::Timestamp;
use shared_model::trail::{Detail, RUN_GAP_MS, TrailEntry, TrailPage};
use std::cmp::Reverse;
use std::collections::HashMap;

/// All that has been fetched, without gaps from the latest line on.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Fetched {
    pub(super) entries: Vec<TrailEntry>,
    /// Where it goes on.
    pub(super) next: Option<String>,
}

impl Fetched {
    /// Takes the first page as it is now: before it may lie what is new, behind it what was fetched before.
    pub(super) fn refresh(&mut self, page: TrailPage) {
        let last = page.entries.last();
        let joint = last.and_then(|last| self.entries.iter().position(|known| known.id == last.id));
        match joint {
            Some(joint) if joint + 1 < self.entries.len() => {
                let behind = self.entries.split_off(joint + 1);
                self.entries = page.entries;
                self.entries.extend(behind);
            }
            _ => {
                self.entries = page.entries;
                self.next = page.next;
            }
        }
    }

    /// Takes the page that `cursor` was asked for with. Whether it goes on here: a refreshed list may go on elsewhere by now.
    pub(super) fn append(&mut self, cursor: &str, page: TrailPage) -> bool {
        let goes_on_here = self.next.as_deref() == Some(cursor);
        if goes_on_here {
            self.entries.extend(page.entries);
            self.next = page.next;
        }
        goes_on_here
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Day {
    pub(super) date: Date,
    pub(super) lines: Vec<Line>,
}

/// One line, or several that say the same.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Line {
    /// The latest of them.
    pub(super) entry: TrailEntry,
    /// Of all of them, the latest first.
    pub(super) ids: Vec<String>,
    pub(super) first: Timestamp,
    pub(super) last: Timestamp,
    pub(super) count: u64,
}

impl Line {
    /// Stays as it is while more comes to it.
    pub(super) fn key(&self) -> &str {
        self.ids.last().unwrap_or(&self.entry.id)
    }
}

/// Who did what to what.
type Same<'a> = (
    Option<AccountId>,
    Option<DeviceId>,
    Option<DocumentId>,
    bool,
    &'a str,
    Option<&'a Detail>,
);

fn same(entry: &TrailEntry) -> Same<'_> {
    let TrailEntry {
        person,
        device,
        document,
        is_happening,
        verb,
        detail,
        ..
    } = entry;
    (*person, *device, *document, *is_happening, verb, detail.as_ref())
}

/// When it was done last.
fn end(entry: &TrailEntry) -> Timestamp {
    entry.last_at.unwrap_or(entry.at)
}

/// One act that wrote into a visit and into its appointment, as the visit tells it.
#[derive(PartialEq, Eq, Hash)]
struct Act {
    visit: DocumentId,
    verb: Verb,
    at: Timestamp,
    last_at: Option<Timestamp>,
    person: Option<AccountId>,
    device: Option<DeviceId>,
}

/// The act of which a line tells, if it is one of those that write into both; and whether this is the appointment's half.
fn half(entry: &TrailEntry) -> Option<(Act, bool)> {
    let verb = entry.change_verb()?;
    if !matches!(verb, Verb::StartVisit | Verb::FinishVisit | Verb::ReopenVisit) {
        return None;
    }
    let document = entry.document?;
    let (visit, is_appointments) = match entry.kind? {
        Kind::Visit => (document, false),
        Kind::Appointment => (VisitId::of_appointment(document.into()).into(), true),
        _ => return None,
    };
    let act = Act {
        visit,
        verb,
        at: entry.at,
        last_at: entry.last_at,
        person: entry.person,
        device: entry.device,
    };
    Some((act, is_appointments))
}

/// Each act once: the appointment's half goes where the visit's is there, one for one.
fn acts(entries: &[TrailEntry]) -> Vec<&TrailEntry> {
    let mut visits: HashMap<Act, usize> = HashMap::new();
    for (act, is_appointments) in entries.iter().filter_map(half) {
        if !is_appointments {
            *visits.entry(act).or_default() += 1;
        }
    }
    let mut is_told_by_its_visit = |entry: &TrailEntry| {
        let Some((act, true)) = half(entry) else {
            return false;
        };
        let left = visits.get_mut(&act).filter(|left| **left > 0);
        left.map(|left| *left -= 1).is_some()
    };
    let mut told = Vec::with_capacity(entries.len());
    for entry in entries {
        if !is_told_by_its_visit(entry) {
            told.push(entry);
        }
    }
    told
}

/// The latest day first, and in it the latest line. A run that went on after midnight is of the day on which it ended.
pub(super) fn by_day(entries: &[TrailEntry], zone: &TimeZone) -> Vec<Day> {
    let mut entries = acts(entries);
    // They come by their beginnings. What has the same moment stays in its order.
    entries.sort_by_key(|entry| Reverse(end(entry)));
    let mut days: Vec<Day> = Vec::new();
    let mut runs: HashMap<Same<'_>, usize> = HashMap::new();
    for entry in entries {
        let last = end(entry);
        let date = last.date_in(zone);
        if days.last().is_none_or(|day| day.date != date) {
            runs.clear();
            days.push(Day {
                date,
                lines: Vec::new(),
            });
        }
        let Some(day) = days.last_mut() else { continue };
        let count = u64::from(entry.changes.unwrap_or(1));
        let run = runs.get(&same(entry)).and_then(|at| day.lines.get_mut(*at));
        match run {
            Some(run) if run.first.0 - last.0 < RUN_GAP_MS => {
                run.first = run.first.min(entry.at);
                run.count += count;
                run.ids.push(entry.id.clone());
            }
            _ => {
                runs.insert(same(entry), day.lines.len());
                day.lines.push(Line {
                    entry: entry.clone(),
                    ids: vec![entry.id.clone()],
                    first: entry.at,
                    last,
                    count,
                });
            }
        }
    }
    days
}

/// How many lines people see of them.
pub(super) fn line_count(entries: &[TrailEntry], zone: &TimeZone) -> usize {
    by_day(entries, zone).iter().map(|day| day.lines.len()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared_model::ids::AppointmentId;
    use uuid::Uuid;

    const MINUTE: i64 = 60_000;

    fn entry(minute: i64, person: u128, verb: &str) -> TrailEntry {
        TrailEntry {
            person: Some(AccountId(Uuid::from_u128(person))),
            ..TrailEntry::new(
                format!("{minute}.{person}.{verb}"),
                Timestamp(minute * MINUTE),
                verb.to_owned(),
            )
        }
    }

    fn told(entries: &[TrailEntry]) -> Vec<Vec<(i64, i64, u64)>> {
        let minutes = |at: Timestamp| at.0 / MINUTE;
        by_day(entries, &TimeZone::UTC)
            .iter()
            .map(|day| {
                let line = |line: &Line| (minutes(line.first), minutes(line.last), line.count);
                day.lines.iter().map(line).collect()
            })
            .collect()
    }

    #[test]
    fn what_somebody_does_over_and_over_is_one_line() {
        let typing = [
            entry(100, 1, "notes"),
            entry(99, 2, "notes"),
            entry(90, 1, "notes"),
            entry(50, 1, "notes"),
            entry(49, 1, "weight"),
        ];
        assert_eq!(told(&typing), [vec![(50, 100, 3), (99, 99, 1), (49, 49, 1)]]);
        let line = &by_day(&typing, &TimeZone::UTC)[0].lines[0];
        assert_eq!(line.ids, ["100.1.notes", "90.1.notes", "50.1.notes"]);
    }

    #[test]
    fn a_pause_a_day_and_another_detail_begin_a_new_one() {
        let pause = [entry(200, 1, "notes"), entry(130, 1, "notes")];
        assert_eq!(told(&pause), [vec![(200, 200, 1), (130, 130, 1)]]);
        let night = [entry(1_441, 1, "notes"), entry(1_439, 1, "notes")];
        assert_eq!(told(&night), [vec![(1_441, 1_441, 1)], vec![(1_439, 1_439, 1)]]);
        let with = |way: &str| TrailEntry {
            detail: Some(Detail {
                way: Some(way.to_owned()),
                ..Detail::default()
            }),
            ..entry(10, 1, "signed_in")
        };
        assert_eq!(told(&[with("password"), with("passkey")])[0].len(), 2);
    }

    #[test]
    fn a_run_of_the_servers_counts_as_many_as_it_has() {
        let run = TrailEntry {
            last_at: Some(Timestamp(40 * MINUTE)),
            changes: Some(11),
            ..entry(12, 1, "notes")
        };
        assert_eq!(told(&[entry(60, 1, "notes"), run]), [vec![(12, 60, 12)]]);
    }

    /// A half of an act.
    fn into(document: impl Into<DocumentId>, kind: Kind, verb: &str) -> TrailEntry {
        TrailEntry {
            document: Some(document.into()),
            kind: Some(kind),
            ..entry(10, 1, verb)
        }
    }

    #[test]
    fn an_act_in_a_visit_and_its_appointment_is_one_line() {
        let appointment = AppointmentId(Uuid::from_u128(6));
        let visit = VisitId::of_appointment(appointment);
        for verb in ["start_visit", "finish_visit", "reopen_visit"] {
            let halves = [
                into(appointment, Kind::Appointment, verb),
                into(visit, Kind::Visit, verb),
            ];
            let days = by_day(&halves, &TimeZone::UTC);
            assert_eq!(days[0].lines.len(), 1, "{verb}");
            assert_eq!(days[0].lines[0].entry.kind, Some(Kind::Visit), "{verb}");
            assert_eq!(days[0].lines[0].count, 1, "{verb}");
            assert_eq!(
                told(&halves[..1])[0].len(),
                1,
                "what is found alone is told alone"
            );
        }
    }

    #[test]
    fn an_act_of_its_own_is_in_no_other() {
        let appointment = AppointmentId(Uuid::from_u128(6));
        let visit = VisitId::of_appointment(appointment);
        let other = AppointmentId(Uuid::from_u128(7));
        let start = "start_visit";
        let count = |entries: &[TrailEntry]| told(entries)[0].iter().map(|line| line.2).sum::<u64>();
        assert_eq!(
            count(&[
                into(other, Kind::Appointment, start),
                into(visit, Kind::Visit, start)
            ]),
            2,
            "another animal's, whatever its name"
        );
        assert_eq!(
            count(&[
                into(appointment, Kind::Appointment, start),
                into(appointment, Kind::Appointment, start),
                into(visit, Kind::Visit, start),
            ]),
            2,
            "a half has one other"
        );
        let both = |verb: &str| {
            [
                into(appointment, Kind::Appointment, verb),
                into(visit, Kind::Visit, verb),
            ]
        };
        assert_eq!(count(&[both("finish_visit"), both(start)].concat()), 2);
        assert_eq!(
            count(&[both(start), both(start)].concat()),
            2,
            "twice in one push"
        );
        assert_eq!(count(&both("edit_patient")), 2, "it writes into one record");
    }

    #[test]
    fn a_run_that_went_on_after_midnight_is_of_the_day_on_which_it_ended() {
        let run = |from: i64, to: i64| TrailEntry {
            last_at: Some(Timestamp(to * MINUTE)),
            changes: Some(5),
            ..entry(from, 1, "notes")
        };
        let lines = [
            entry(1_450, 2, "weight"),
            entry(1_435, 2, "weight"),
            run(1_430, 1_445),
        ];
        assert_eq!(
            told(&lines),
            [
                vec![(1_450, 1_450, 1), (1_430, 1_445, 5)],
                vec![(1_435, 1_435, 1)]
            ],
            "each day once"
        );
    }

    fn page(minutes: &[i64], next: Option<&str>) -> TrailPage {
        TrailPage {
            entries: minutes.iter().map(|minute| entry(*minute, 1, "notes")).collect(),
            next: next.map(str::to_owned),
        }
    }

    fn minutes(fetched: &Fetched) -> Vec<i64> {
        fetched.entries.iter().map(|entry| entry.at.0 / MINUTE).collect()
    }

    #[test]
    fn a_refreshed_list_has_no_gap_and_nothing_twice() {
        let mut fetched = Fetched::default();
        fetched.refresh(page(&[9, 8, 7], Some("7")));
        assert!(fetched.append("7", page(&[6, 5], Some("5"))));
        assert_eq!(minutes(&fetched), [9, 8, 7, 6, 5]);
        fetched.refresh(page(&[11, 10, 9], Some("9")));
        assert_eq!(minutes(&fetched), [11, 10, 9, 8, 7, 6, 5]);
        assert_eq!(fetched.next.as_deref(), Some("5"));
        // More is new than a page has: what lies between is fetched again.
        fetched.refresh(page(&[30, 29, 28], Some("28")));
        assert_eq!(minutes(&fetched), [30, 29, 28]);
        assert!(
            !fetched.append("5", page(&[4], None)),
            "it was asked for by the list before"
        );
        assert_eq!(minutes(&fetched), [30, 29, 28]);
    }

    #[test]
    fn a_short_list_grows() {
        let mut fetched = Fetched::default();
        fetched.refresh(page(&[2, 1], None));
        fetched.refresh(page(&[3, 2, 1], None));
        assert_eq!(minutes(&fetched), [3, 2, 1]);
        assert_eq!(fetched.next, None);
    }
}
