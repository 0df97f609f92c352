//! Lenient reading: every field of a document in one pass, with all values where people wrote at the same time.

use crate::ids::AccountId;
use crate::time::Timestamp;
use automerge::{ROOT, ReadDoc, ScalarValue, Value};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::str::FromStr;

/// Something in a document that does not read as it should. Legal changes can merge into an odd document, so this is
/// told and never a reason to hide the rest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// The field's key, as in `weights/<id>/kg`.
    pub field: String,
    pub what: String,
}

/// A value with its concurrent rivals. `rivals` is empty unless people wrote at the same time and nobody has decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Register<T> {
    pub value: T,
    pub rivals: Vec<T>,
}

impl<T> Register<T> {
    pub fn single(value: T) -> Self {
        Self {
            value,
            rivals: Vec::new(),
        }
    }

    /// Whether a person still has to choose.
    pub fn is_contested(&self) -> bool {
        !self.rivals.is_empty()
    }
}

/// Who took something back, when and why. Nothing is deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retracted {
    pub by: Option<AccountId>,
    pub at: Timestamp,
    pub reason: String,
}

/// Who wrote something, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Made {
    pub by: Option<AccountId>,
    pub at: Timestamp,
}

/// The visible scalars of a document, all values of each key (the winner first).
#[derive(Debug)]
pub struct Fields {
    values: BTreeMap<String, Vec<ScalarValue>>,
}

impl Fields {
    pub(super) fn of(doc: &impl ReadDoc) -> Self {
        let mut values = BTreeMap::new();
        for item in doc.map_range(ROOT, ..) {
            let key = item.key.to_string();
            let all = if item.conflict {
                let mut all: Vec<ScalarValue> = Vec::new();
                // Automerge lists the winner last.
                for (value, _) in doc
                    .get_all(ROOT, key.as_str())
                    .unwrap_or_default()
                    .into_iter()
                    .rev()
                {
                    if let Value::Scalar(scalar) = value
                        && !all.contains(&scalar)
                    {
                        all.push(scalar.into_owned());
                    }
                }
                all
            } else {
                match item.value.into_value() {
                    Value::Scalar(scalar) => vec![scalar.into_owned()],
                    Value::Object(_) => continue,
                }
            };
            values.insert(key, all);
        }
        Self { values }
    }

    fn winner(&self, key: &str) -> Option<&ScalarValue> {
        self.values
            .get(key)
            .and_then(|all| all.first())
            .filter(|value| **value != ScalarValue::Null)
    }

    pub fn text(&self, key: &str) -> Option<&str> {
        self.winner(key).and_then(ScalarValue::as_str)
    }

    pub fn uint(&self, key: &str) -> Option<u64> {
        self.winner(key).and_then(ScalarValue::as_u64)
    }

    pub fn boolean(&self, key: &str) -> Option<bool> {
        self.winner(key).and_then(ScalarValue::as_bool)
    }

    pub fn time(&self, key: &str) -> Option<Timestamp> {
        match self.winner(key) {
            Some(ScalarValue::Timestamp(at)) => Some(Timestamp(*at)),
            _ => None,
        }
    }

    /// Parses the winning text; what does not parse is a problem and reads as absent.
    pub fn parsed<T>(
        &self,
        key: &str,
        problems: &mut Vec<Problem>,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let text = self.text(key)?;
        let value = parse(text);
        if value.is_none() {
            problems.push(Problem {
                field: key.to_owned(),
                what: format!("cannot be read: {text:?}"),
            });
        }
        value
    }

    /// All values of a safety-relevant field; null among several reads as "cleared" and is left out.
    pub fn register<T: PartialEq>(
        &self,
        key: &str,
        problems: &mut Vec<Problem>,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<Register<T>> {
        let mut read: Vec<T> = Vec::new();
        for value in self.values.get(key)? {
            match value {
                ScalarValue::Null => {}
                ScalarValue::Str(text) => match parse(text) {
                    Some(value) if read.contains(&value) => {}
                    Some(value) => read.push(value),
                    None => problems.push(Problem {
                        field: key.to_owned(),
                        what: format!("cannot be read: {text:?}"),
                    }),
                },
                other => problems.push(Problem {
                    field: key.to_owned(),
                    what: format!("is no text: {other}"),
                }),
            }
        }
        let mut read = read.into_iter();
        read.next().map(|value| Register {
            value,
            rivals: read.collect(),
        })
    }

    pub fn int(&self, key: &str) -> Option<i64> {
        self.winner(key).and_then(ScalarValue::as_i64)
    }

    /// An id or anything else with a text form; what does not parse reads as absent.
    pub fn id<T: FromStr>(&self, key: &str) -> Option<T> {
        self.text(key).and_then(|text| text.parse().ok())
    }

    /// A text, empty if it is not there.
    pub fn owned(&self, key: &str) -> String {
        self.text(key).unwrap_or_default().to_owned()
    }

    /// Who wrote an entry and when: `prefix/by` and `prefix/at`. Without a moment there is no entry.
    pub fn made(&self, prefix: &str) -> Option<Made> {
        Some(Made {
            at: self.time(&format!("{prefix}/at"))?,
            by: self.id(&format!("{prefix}/by")),
        })
    }

    /// Every visible field with all its values, the one that shows first.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[ScalarValue])> {
        self.values
            .iter()
            .map(|(key, values)| (key.as_str(), values.as_slice()))
    }

    /// The entry ids under `collection/`, ascending (so by minting time).
    pub fn entries<I: FromStr + Copy + PartialEq>(&self, collection: &str) -> Vec<I> {
        let from = format!("{collection}/");
        let to = format!("{collection}0"); // '0' follows '/' in ASCII
        let mut ids: Vec<I> = Vec::new();
        for key in self.values.range(from.clone()..to).map(|(key, _)| key) {
            let id = key[from.len()..].split('/').next().and_then(|id| id.parse().ok());
            if let Some(id) = id
                && ids.last() != Some(&id)
            {
                ids.push(id);
            }
        }
        ids
    }

    /// The names under `collection/`, where entries are named by a word.
    pub fn words(&self, collection: &str) -> Vec<String> {
        let from = format!("{collection}/");
        let to = format!("{collection}0");
        let keys = self.values.range(from.clone()..to).map(|(key, _)| key);
        let mut words: Vec<String> = keys
            .filter_map(|key| key[from.len()..].split('/').next())
            .map(str::to_owned)
            .collect();
        words.dedup();
        words
    }

    /// The retraction under `prefix/retracted_at` and its neighbours.
    pub fn retracted(&self, prefix: &str) -> Option<Retracted> {
        Some(Retracted {
            at: self.time(&format!("{prefix}/retracted_at"))?,
            by: self
                .text(&format!("{prefix}/retracted_by"))
                .and_then(AccountId::parse),
            reason: self
                .text(&format!("{prefix}/retracted_reason"))
                .unwrap_or_default()
                .to_owned(),
        })
    }
}
