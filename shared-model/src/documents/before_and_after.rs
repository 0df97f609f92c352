//! What changes did to a document, field by field: read off its own history, which has all of them.
//!
//! Invariant: what others wrote meanwhile is in neither half: before is what the first change that wrote a field knew of it,
//! after is what stood there once the last of them was in.

use super::Document;
use crate::time::Timestamp;
use crate::trail::{FieldChange, FieldValue, TrailChanges};
use automerge::{Change, ChangeHash, ROOT, ReadDoc, ScalarValue, Value};

/// A field that some changes wrote: what the first of them builds on, and the last.
struct Written {
    field: String,
    builds_on: Vec<ChangeHash>,
    last: ChangeHash,
}

impl Document {
    /// What changes did, oldest first, in the order in which fields were first written. Changes that are not here are
    /// not told.
    pub fn before_and_after(&self, hashes: &[ChangeHash]) -> TrailChanges {
        let changes: Vec<Change> = hashes
            .iter()
            .filter_map(|hash| self.automerge.get_change_by_hash(hash))
            .collect();
        let mut written: Vec<Written> = Vec::new();
        for change in &changes {
            for field in self.fields_written(change) {
                match written.iter_mut().find(|written| written.field == field) {
                    Some(written) => written.last = change.hash(),
                    None => written.push(Written {
                        field,
                        builds_on: change.deps().to_vec(),
                        last: change.hash(),
                    }),
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

    /// The last so many changes of one writer, up to one of them: oldest first, and none if that is not here.
    pub fn run_up_to(&self, last: &ChangeHash, count: u64) -> Vec<ChangeHash> {
        let Some(end) = self.automerge.get_change_meta_by_hash(last) else {
            return Vec::new();
        };
        let numbers = end.seq.saturating_sub(count)..end.seq;
        let changes = self.automerge.get_changes_meta(&[]).into_iter();
        changes
            .filter(|change| change.actor == end.actor && numbers.contains(&change.seq.saturating_sub(1)))
            .map(|change| change.hash)
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
        let told = doc.before_and_after(&[first, second]);
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
            doc.before_and_after(&[third]).fields,
            [
                field("reason", text("limps on the left"), None),
                field("neutered", None, Some(FieldValue::Flag(true))),
                field("started_at", None, Some(FieldValue::Moment(Timestamp(5_000)))),
            ]
        );
        let saved = Document::load(Kind::Visit, doc.clinic, doc.id, &doc.save()).expect("loads");
        assert_eq!(
            saved.before_and_after(&[first, second]),
            told,
            "saved anew it says the same"
        );
        let unknown = doc.before_and_after(&[ChangeHash([9; 32])]);
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
            here.before_and_after(&[mine]).fields,
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
        assert_eq!(doc.run_up_to(&mine[3], 3), mine[1..4]);
        assert_eq!(doc.run_up_to(&mine[4], 1), mine[4..]);
        assert_eq!(doc.run_up_to(&mine[1], 9), mine[..2], "there are no more");
        assert_eq!(doc.run_up_to(&ChangeHash([9; 32]), 3), []);
    }
}
