//! What changes did to a document, field by field: read off its own history, which has all of them.
//!
//! Invariant: what others wrote meanwhile is in neither half: before is what the first change that wrote a field knew of it,
//! after is what stood there once the last of them was in.

use super::Document;
use super::document::fields_written;
use crate::time::Timestamp;
use crate::trail::{FieldChange, FieldValue, MAX_CHANGES_TOLD, TrailChanges};
use automerge::{ActorId, Change, ChangeHash, ROOT, ReadDoc, ScalarValue, Value};
use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::ops::RangeInclusive;

/// What a line of the trail knows of its changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChangesOfLine {
    These(Vec<ChangeHash>),
    /// So many of one writer, consecutive, up to this one.
    UpTo {
        last: ChangeHash,
        count: u64,
    },
}

/// A field that some changes wrote: what the first of them builds on, and the last.
struct Written {
    field: String,
    builds_on: Vec<ChangeHash>,
    last: ChangeHash,
}

impl Document {
    /// What the changes of some lines did, in the order in which fields were first written. Changes that are not here are
    /// not told, and of very many the last ones are.
    pub fn before_and_after(&self, lines: &[ChangesOfLine]) -> TrailChanges {
        let (changes, texts) = (self.changes_of(lines), self.text_objects());
        let mut written: Vec<Written> = Vec::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        for change in &changes {
            for field in fields_written(change, &texts) {
                match places.entry(field) {
                    Entry::Occupied(place) => written[*place.get()].last = change.hash(),
                    Entry::Vacant(place) => {
                        written.push(Written {
                            field: place.key().clone(),
                            builds_on: change.deps().to_vec(),
                            last: change.hash(),
                        });
                        place.insert(written.len() - 1);
                    }
                }
            }
        }
        let made = |change: &Change| Timestamp(change.timestamp().saturating_mul(1_000));
        TrailChanges {
            changes: changes.len() as u64,
            made_at: changes.first().map(made),
            made_until: changes.last().map(made),
            fields: written
                .into_iter()
                .map(|written| FieldChange {
                    before: self.value_at(&written.field, &written.builds_on),
                    after: self.value_at(&written.field, &[written.last]),
                    field: written.field,
                })
                .collect(),
        }
    }

    /// Each change of some lines once, those before others that build on them. The history is walked once for what they
    /// are, and once from the first of them on for what they say.
    fn changes_of(&self, lines: &[ChangesOfLine]) -> Vec<Change> {
        let mut wanted: HashSet<ChangeHash> = HashSet::new();
        let mut ends: HashMap<ChangeHash, u64> = HashMap::new();
        for line in lines {
            match line {
                ChangesOfLine::These(hashes) => wanted.extend(hashes),
                ChangesOfLine::UpTo { last, count } => {
                    let longest = ends.entry(*last).or_default();
                    *longest = count.max(longest).to_owned();
                }
            }
        }
        let history = self.automerge.get_changes_meta(&[]);
        let mut runs: HashMap<&ActorId, Vec<RangeInclusive<u64>>> = HashMap::new();
        for change in &history {
            if let Some(count) = ends.get(&change.hash) {
                let first = change.seq.saturating_sub(*count) + 1;
                runs.entry(change.actor.as_ref())
                    .or_default()
                    .push(first..=change.seq);
            }
        }
        let mut told = Vec::new();
        for change in &history {
            let runs = runs.get(change.actor.as_ref());
            let is_of_a_run = || runs.is_some_and(|runs| runs.iter().any(|run| run.contains(&change.seq)));
            if wanted.contains(&change.hash) || is_of_a_run() {
                told.push(change);
            }
        }
        let told = &told[told.len().saturating_sub(MAX_CHANGES_TOLD)..];
        let Some(first) = told.first() else {
            return Vec::new();
        };
        // What the first of them builds on is none of them, and neither is anything before that.
        let since = self.changes_since(&first.deps);
        let mut since: HashMap<ChangeHash, Change> =
            since.into_iter().map(|change| (change.hash(), change)).collect();
        told.iter()
            .filter_map(|change| since.remove(&change.hash))
            .collect()
    }

    /// What was seen of a field at some heads; of several values that stood there, the one that showed.
    fn value_at(&self, field: &str, heads: &[ChangeHash]) -> Option<FieldValue> {
        match self.automerge.get_at(ROOT, field, heads).ok()?? {
            (Value::Scalar(value), _) => told(&value),
            (Value::Object(_), text) => {
                let text = self.automerge.text_at(&text, heads).ok()?;
                (!text.is_empty()).then_some(FieldValue::Text(text))
            }
        }
    }
}

fn told(value: &ScalarValue) -> Option<FieldValue> {
    match value {
        ScalarValue::Str(text) => Some(FieldValue::Text(text.to_string())),
        ScalarValue::Int(number) => Some(FieldValue::Number(*number)),
        ScalarValue::Uint(number) => Some(FieldValue::Number(i64::try_from(*number).unwrap_or(i64::MAX))),
        ScalarValue::F64(number) => Some(FieldValue::Text(number.to_string())),
        ScalarValue::Boolean(flag) => Some(FieldValue::Flag(*flag)),
        ScalarValue::Timestamp(at) => Some(FieldValue::Moment(Timestamp(*at))),
        ScalarValue::Counter(counter) => Some(FieldValue::Number(i64::from(counter))),
        ScalarValue::Bytes(bytes) => Some(FieldValue::Text(hex::encode(bytes))),
        // A field that was cleared says nothing.
        ScalarValue::Null | ScalarValue::Unknown { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::documents::{Kind, Stamp, Writer};
    use crate::ids::{AccountId, ClinicId, DocumentId};
    use automerge::ActorId;
    use uuid::Uuid;

    fn visit() -> Document {
        Document::genesis(
            Kind::Visit,
            ClinicId(Uuid::from_u128(1)),
            DocumentId(Uuid::from_u128(2)),
        )
    }

    fn write(doc: &mut Document, actor: u8, second: i64, write: impl FnOnce(&mut Writer<'_>)) -> ChangeHash {
        let stamp = Stamp {
            now: Timestamp(second * 1_000),
            actor: ActorId::from([actor; 16]),
            account: AccountId(Uuid::from_u128(9)),
        };
        let change = doc.change(&stamp, "write", |w| {
            write(w);
            Ok::<_, ()>(())
        });
        change.expect("written").expect("something new").hash()
    }

    fn these(hashes: &[ChangeHash]) -> [ChangesOfLine; 1] {
        [ChangesOfLine::These(hashes.to_vec())]
    }

    fn text(text: &str) -> Option<FieldValue> {
        Some(FieldValue::Text(text.to_owned()))
    }

    fn field(field: &str, before: Option<FieldValue>, after: Option<FieldValue>) -> FieldChange {
        FieldChange {
            field: field.to_owned(),
            before,
            after,
        }
    }

    #[test]
    fn a_run_of_changes_is_told_from_before_the_first_to_after_the_last() {
        let mut doc = visit();
        let first = write(&mut doc, 1, 10, |w| {
            w.put("reason", "limping");
            w.edit_text("history", 0, &[], "Ate grass.");
        });
        let second = write(&mut doc, 1, 20, |w| w.put("reason", "limps on the left"));
        let third = write(&mut doc, 1, 30, |w| {
            w.put_optional("reason", None::<String>);
            w.put("neutered", true);
            w.put_time("started_at", Timestamp(5_000));
        });
        let told = doc.before_and_after(&these(&[first, second]));
        assert_eq!(
            told.fields,
            [
                field("reason", None, text("limps on the left")),
                field("history", None, text("Ate grass."))
            ]
        );
        assert_eq!(
            (told.changes, told.made_at, told.made_until),
            (2, Some(Timestamp(10_000)), Some(Timestamp(20_000)))
        );
        assert_eq!(
            doc.before_and_after(&these(&[third])).fields,
            [
                field("reason", text("limps on the left"), None),
                field("neutered", None, Some(FieldValue::Flag(true))),
                field("started_at", None, Some(FieldValue::Moment(Timestamp(5_000)))),
            ]
        );
        let saved = Document::load(Kind::Visit, doc.clinic, doc.id, &doc.save()).expect("loads");
        assert_eq!(
            saved.before_and_after(&these(&[first, second])),
            told,
            "saved anew it says the same"
        );
        let unknown = doc.before_and_after(&these(&[ChangeHash([9; 32])]));
        assert_eq!(
            (unknown.changes, unknown.made_at, unknown.fields),
            (0, None, vec![])
        );
    }

    #[test]
    fn what_others_wrote_meanwhile_is_in_neither_half() {
        let mut here = visit();
        write(&mut here, 1, 1, |w| w.edit_text("history", 0, &[], "Ate grass."));
        let mut there = here.clone();
        let mine = write(&mut here, 1, 2, |w| w.edit_text("history", 10, &[], " Vomited."));
        let seen = there.heads();
        write(&mut there, 2, 2, |w| {
            w.edit_text("history", 0, &[], "Yesterday: ")
        });
        here.apply(&there.changes_since(&seen)).expect("applied");
        assert_eq!(here.text("history"), "Yesterday: Ate grass. Vomited.");
        assert_eq!(
            here.before_and_after(&these(&[mine])).fields,
            [field("history", text("Ate grass."), text("Ate grass. Vomited."))]
        );
    }

    #[test]
    fn a_run_is_found_by_its_last_change() {
        let mut doc = visit();
        let mine: Vec<ChangeHash> = (0..5)
            .map(|second| {
                write(&mut doc, 2, second, |w| w.put("vet", second.to_string()));
                write(&mut doc, 1, second, |w| w.put("reason", second.to_string()))
            })
            .collect();
        let up_to = |last: ChangeHash, count| ChangesOfLine::UpTo { last, count };
        let found = |lines: &[ChangesOfLine]| -> Vec<ChangeHash> {
            let changes = doc.changes_of(lines);
            changes.iter().map(Change::hash).collect()
        };
        assert_eq!(found(&[up_to(mine[3], 3)]), mine[1..4]);
        assert_eq!(found(&[up_to(mine[4], 1)]), mine[4..]);
        assert_eq!(found(&[up_to(mine[1], 9)]), mine[..2], "there are no more");
        assert_eq!(found(&[up_to(ChangeHash([9; 32]), 3)]), []);
        assert_eq!(
            found(&[
                up_to(mine[1], 1),
                ChangesOfLine::These(vec![mine[4], mine[1]]),
                up_to(mine[2], 2),
                up_to(mine[2], 1),
            ]),
            [mine[1], mine[2], mine[4]],
            "each once, however often it is asked for"
        );
    }

    #[test]
    fn of_very_many_changes_the_last_are_told() {
        let mut doc = visit();
        let hashes: Vec<ChangeHash> = (0..=MAX_CHANGES_TOLD as i64)
            .map(|second| write(&mut doc, 1, second, |w| w.put("reason", second.to_string())))
            .collect();
        let all = ChangesOfLine::UpTo {
            last: hashes[MAX_CHANGES_TOLD],
            count: hashes.len() as u64,
        };
        for lines in [vec![all], these(&hashes).to_vec()] {
            let told = doc.before_and_after(&lines);
            assert_eq!(told.changes, MAX_CHANGES_TOLD as u64);
            assert_eq!(told.made_at, Some(Timestamp(1_000)), "all but the first");
            let last = MAX_CHANGES_TOLD.to_string();
            assert_eq!(told.fields, [field("reason", text("0"), text(&last))]);
        }
    }
}
