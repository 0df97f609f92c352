//! A page of the whole trail: what is looked for, how the databases are asked for it, and what they tell.
//!
//! Invariant: a question reads no more of a chain than the stretch of an index that it is about: of one record, of one
//! person or of one time, from where the page begins; and nothing of a chain of which no word is wanted.

use super::super::compaction::LONGEST_RUN_MS;
use super::super::signed;
use super::{Event, Run};
use shared_model::ids::{AccountId, DeviceId, DocumentId};
use shared_model::time::Timestamp;

/// What an administrator looks for. Everything that is `None` is any.
#[derive(Clone, Debug, Default)]
pub struct TrailQuery {
    pub account: Option<AccountId>,
    pub device: Option<DeviceId>,
    pub document: Option<DocumentId>,
    /// Words of changes, and of what happened; any of all of them, and none at all is any.
    pub verbs: Vec<String>,
    pub happenings: Vec<String>,
    /// What was going on then or later: a run counts by its end.
    pub from: Option<Timestamp>,
    /// What began before this moment.
    pub to: Option<Timestamp>,
    /// The last one of the page before.
    pub below: Option<Place>,
}

/// Where something stands in the whole trail, the latest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub at: Timestamp,
    pub is_event: bool,
    pub number: u64,
    pub position: u32,
}

/// One line of the trail as it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    Written(Run),
    Happened(u64, Event),
}

impl Told {
    pub fn place(&self) -> Place {
        match self {
            Self::Written(run) => Place {
                at: run.at,
                is_event: false,
                number: run.number,
                position: run.position,
            },
            Self::Happened(number, event) => Place {
                at: event.at,
                is_event: true,
                number: *number,
                position: 0,
            },
        }
    }
}

/// Lines of the trail, the latest first, all of one moment of the database.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ToldPage {
    pub told: Vec<Told>,
    /// The number up to which rows were runs then; of no meaning where nothing is told.
    pub horizon: u64,
}

/// The numbers that a question is bounded with, for both engines.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// A run that is still going on then began no earlier than `runs_from`.
    pub(crate) from: i64,
    pub(crate) runs_from: i64,
    /// The last moment at which something may stand.
    pub(crate) until: i64,
    /// What is told stands below it: moment, whether it is an event, number, position.
    pub(crate) below: (i64, i32, i64, i32),
}

/// What is written in another way on each engine.
pub(crate) struct Dialect {
    /// Stands before the number of a parameter.
    pub(crate) mark: char,
    /// That a column is one of the list that a parameter has.
    pub(crate) is_one_of: fn(&str, u8) -> String,
    /// That a table is read along an index, where the engine has to be told.
    pub(crate) along: fn(&str) -> String,
}

impl TrailQuery {
    pub(crate) fn bounds(&self) -> Bounds {
        let from = self.from.map_or(i64::MIN, |from| from.0);
        let last = self.to.map_or(i64::MAX, |to| to.0.saturating_sub(1));
        let below = self.below.map_or((i64::MAX, 1, i64::MAX, i32::MAX), |place| {
            let position = i32::try_from(place.position).unwrap_or(i32::MAX);
            (
                place.at.0,
                i32::from(place.is_event),
                signed(place.number),
                position,
            )
        });
        Bounds {
            from,
            runs_from: from.saturating_sub(LONGEST_RUN_MS),
            until: last.min(below.0),
            below,
        }
    }

    /// The question for this query. Its parameters: clinic, account, device, document, words of changes, words of what
    /// happened, then the bounds in their order, and how many.
    ///
    /// A condition that is not asked for is not there: one that may be void would keep the database from an index.
    pub(crate) fn sql(&self, dialect: &Dialect) -> String {
        let Dialect {
            mark,
            is_one_of,
            along,
        } = dialect;
        let mut of_both = format!("clinic = {mark}1");
        for (is_asked, column, parameter) in [
            (self.account.is_some(), "account", 2),
            (self.device.is_some(), "device", 3),
            (self.document.is_some(), "document", 4),
        ] {
            if is_asked {
                of_both += &format!(" and {column} = {mark}{parameter}");
            }
        }
        let any_word = self.verbs.is_empty() && self.happenings.is_empty();
        let words = |column, parameter| match any_word {
            true => String::new(),
            false => format!(" and {}", is_one_of(column, parameter)),
        };
        let by = match (self.document, self.account) {
            (Some(_), _) => "document",
            (None, Some(_)) => "account",
            (None, None) => "time",
        };
        let horizon = format!("coalesce((select horizon from compaction where clinic = {mark}1), 0)");
        // A run is of every moment from its beginning to its end; it stands at its beginning.
        let changes = format!(
            "select * from (
                select 0, number, position, account, device, document, verb, at, last_at, changes, hash, '', {horizon}
                from audit{} where {of_both}{}
                    and at between {mark}8 and {mark}9 and coalesce(last_at, at) >= {mark}7
                    and (at, 0, number, position) < ({mark}10, {mark}11, {mark}12, {mark}13)
                order by at desc, number desc, position desc limit {mark}14) as written",
            along(&format!("audit_by_{by}")),
            words("verb", 5)
        );
        let happenings = format!(
            "select * from (
                select 1, number, 0, account, device, document, what, at, cast(null as bigint), cast(null as integer),
                    cast(null as bytea), detail, {horizon}
                from events{} where {of_both}{}
                    and at between {mark}7 and {mark}9
                    and (at, 1, number, 0) < ({mark}10, {mark}11, {mark}12, {mark}13)
                order by at desc, number desc limit {mark}14) as happened",
            along(&format!("events_by_{by}")),
            words("what", 6)
        );
        let asked = match (self.verbs.is_empty(), self.happenings.is_empty()) {
            (false, true) => changes,
            (true, false) => happenings,
            _ => format!("{changes} union all {happenings}"),
        };
        format!("{asked} order by 8 desc, 1 desc, 2 desc, 3 desc limit {mark}14")
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use uuid::Uuid;

    /// Each filter that an index is for, with the index of rows and the one of events.
    pub(crate) fn bounded_questions() -> Vec<(TrailQuery, &'static str, &'static str)> {
        let of = |below| TrailQuery {
            below,
            ..TrailQuery::default()
        };
        let place = Place {
            at: Timestamp(9_000_000),
            is_event: true,
            number: 9_000,
            position: 0,
        };
        let mut questions = Vec::new();
        for below in [None, Some(place)] {
            for from in [None, Some(Timestamp(8_000_000))] {
                let document = Some(DocumentId(Uuid::from_u128(7)));
                let account = Some(AccountId(Uuid::from_u128(7)));
                let from = TrailQuery { from, ..of(below) };
                questions.push((
                    TrailQuery {
                        document,
                        ..from.clone()
                    },
                    "audit_by_document",
                    "events_by_document",
                ));
                questions.push((
                    TrailQuery {
                        account,
                        ..from.clone()
                    },
                    "audit_by_account",
                    "events_by_account",
                ));
                questions.push((from, "audit_by_time", "events_by_time"));
            }
        }
        questions
    }

    #[test]
    fn a_question_for_words_of_one_chain_leaves_the_other_alone() {
        let sql = |verbs: &[&str], happenings: &[&str]| {
            let query = TrailQuery {
                verbs: verbs.iter().map(|word| (*word).to_owned()).collect(),
                happenings: happenings.iter().map(|word| (*word).to_owned()).collect(),
                ..TrailQuery::default()
            };
            let sql = query.sql(&Dialect {
                mark: '$',
                is_one_of: |column, parameter| format!("{column} = any(${parameter})"),
                along: |_| String::new(),
            });
            (sql.contains("from audit"), sql.contains("from events"))
        };
        assert_eq!(sql(&["edit_patient"], &[]), (true, false));
        assert_eq!(sql(&[], &["signed_in"]), (false, true));
        assert_eq!(sql(&["edit_patient"], &["signed_in"]), (true, true));
        assert_eq!(sql(&[], &[]), (true, true));
    }

    #[test]
    fn bounds_end_where_the_page_before_ended_or_before_what_is_not_wanted() {
        let bounds = |from: Option<i64>, to: Option<i64>, below: Option<i64>| {
            let query = TrailQuery {
                from: from.map(Timestamp),
                to: to.map(Timestamp),
                below: below.map(|at| Place {
                    at: Timestamp(at),
                    is_event: false,
                    number: 1,
                    position: 0,
                }),
                ..TrailQuery::default()
            };
            let bounds = query.bounds();
            (bounds.runs_from, bounds.from, bounds.until)
        };
        assert_eq!(bounds(None, None, None), (i64::MIN, i64::MIN, i64::MAX));
        assert_eq!(bounds(Some(9), Some(8), None), (9 - LONGEST_RUN_MS, 9, 7));
        assert_eq!(bounds(None, Some(8), Some(5)).2, 5);
        assert_eq!(bounds(None, Some(5), Some(8)).2, 4);
    }
}
