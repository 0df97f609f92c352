//! Lines as people read them: day by day, and what somebody did over and over as one.
//!
//! Invariant: pure, and nothing that somebody did is left out: the changes of a run are all counted.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use shared_model::ids::{AccountId, DeviceId, DocumentId};
use shared_model::time::Timestamp;
use shared_model::trail::{Detail, TrailEntry, TrailPage};
use std::collections::{BTreeMap, HashMap};

/// What follows within this time is the same piece of work.
const GAP_MS: i64 = 3_600_000;

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

    /// Takes the page that `cursor` was asked for with.
    pub(super) fn append(&mut self, cursor: &str, page: TrailPage) {
        // A refreshed list may go on elsewhere by now.
        if self.next.as_deref() == Some(cursor) {
            self.entries.extend(page.entries);
            self.next = page.next;
        }
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
    pub(super) first: Timestamp,
    pub(super) last: Timestamp,
    pub(super) count: u64,
}

/// Who did what to what.
type Same<'a> = (
    Option<AccountId>,
    Option<DeviceId>,
    Option<DocumentId>,
    &'a str,
    Option<&'a Detail>,
);

fn same(entry: &TrailEntry) -> Same<'_> {
    let TrailEntry {
        person,
        device,
        document,
        verb,
        detail,
        ..
    } = entry;
    (*person, *device, *document, verb, detail.as_ref())
}

/// What one act wrote into several records of one animal or person, as into an appointment and its visit.
fn is_one_act(one: &TrailEntry, other: &TrailEntry, about: &BTreeMap<DocumentId, String>) -> bool {
    let named = |entry: &TrailEntry| entry.document.and_then(|record| about.get(&record));
    let act = |entry: &TrailEntry| {
        (
            entry.at,
            entry.last_at,
            entry.person,
            entry.device,
            entry.verb.clone(),
        )
    };
    one.kind != other.kind && named(one).is_some() && named(one) == named(other) && act(one) == act(other)
}

/// The latest day first, and in it the latest line. `entries` are in this order too; `about` says whom records are about.
pub(super) fn by_day(
    entries: &[TrailEntry],
    about: &BTreeMap<DocumentId, String>,
    zone: &TimeZone,
) -> Vec<Day> {
    let mut days: Vec<Day> = Vec::new();
    let mut runs: HashMap<Same<'_>, usize> = HashMap::new();
    for entry in entries {
        let last = entry.last_at.unwrap_or(entry.at);
        let date = entry.at.date_in(zone);
        if days.last().is_none_or(|day| day.date != date) {
            runs.clear();
            days.push(Day {
                date,
                lines: Vec::new(),
            });
        }
        let Some(day) = days.last_mut() else { continue };
        if day
            .lines
            .last()
            .is_some_and(|line| is_one_act(&line.entry, entry, about))
        {
            continue;
        }
        let count = u64::from(entry.changes.unwrap_or(1));
        let run = runs.get(&same(entry)).and_then(|at| day.lines.get_mut(*at));
        match run {
            Some(run) if run.first.0 - last.0 < GAP_MS => {
                run.first = entry.at;
                run.last = run.last.max(last);
                run.count += count;
            }
            _ => {
                runs.insert(same(entry), day.lines.len());
                day.lines.push(Line {
                    entry: entry.clone(),
                    first: entry.at,
                    last,
                    count,
                });
            }
        }
    }
    days
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared_model::documents::Kind;
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
        by_day(entries, &BTreeMap::new(), &TimeZone::UTC)
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

    #[test]
    fn an_act_in_two_records_of_one_animal_is_one_line() {
        let (visit, appointment) = (DocumentId(Uuid::from_u128(5)), DocumentId(Uuid::from_u128(6)));
        let into = |document: DocumentId, kind: Kind| TrailEntry {
            document: Some(document),
            kind: Some(kind),
            ..entry(10, 1, "start_visit")
        };
        let both = [into(visit, Kind::Visit), into(appointment, Kind::Appointment)];
        let lines = |names: &[(DocumentId, &str)]| {
            let about = names.iter().map(|(record, name)| (*record, (*name).to_owned()));
            by_day(&both, &about.collect(), &TimeZone::UTC)[0].lines.len()
        };
        assert_eq!(lines(&[(visit, "Rex"), (appointment, "Rex")]), 1);
        assert_eq!(lines(&[(visit, "Rex"), (appointment, "Mia")]), 2);
        assert_eq!(lines(&[]), 2, "nobody knows whether they are of one");
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
        fetched.append("7", page(&[6, 5], Some("5")));
        assert_eq!(minutes(&fetched), [9, 8, 7, 6, 5]);
        fetched.refresh(page(&[11, 10, 9], Some("9")));
        assert_eq!(minutes(&fetched), [11, 10, 9, 8, 7, 6, 5]);
        assert_eq!(fetched.next.as_deref(), Some("5"));
        // More is new than a page has: what lies between is fetched again.
        fetched.refresh(page(&[30, 29, 28], Some("28")));
        assert_eq!(minutes(&fetched), [30, 29, 28]);
        fetched.append("5", page(&[4], None));
        assert_eq!(
            minutes(&fetched),
            [30, 29, 28],
            "it was asked for by the list before"
        );
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
