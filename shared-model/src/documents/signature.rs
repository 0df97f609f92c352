//! A veterinarian's signature under a document: who, when, and exactly which content.
//!
//! Invariant: a signature freezes the content at its heads. Whatever a document has beside them is a late entry that
//! nobody has signed, and is named as one.

use super::{Document, Fields, Made, Problem};
use automerge::ChangeHash;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    pub made: Made,
    /// The licence number, as on certificates.
    pub licence: String,
    /// SHA-256 of the content that was signed, in hexadecimal digits.
    pub content: String,
    /// Fields that were written without knowing of the signature and have arrived since.
    pub late_entries: Vec<String>,
}

impl Signature {
    /// The signature under `signature/…`; `after` are the fields that may be written once it stands.
    pub(super) fn read(
        doc: &Document,
        fields: &Fields,
        after: &[&str],
        problems: &mut Vec<Problem>,
    ) -> Option<Self> {
        let made = fields.made("signature")?;
        Some(Self {
            made,
            licence: fields.owned("signature/licence"),
            content: fields.owned("signature/content"),
            late_entries: late_entries(doc, fields, "signature", after, problems),
        })
    }
}

/// What a closed document has beside the heads that `closing/heads` names.
pub(super) fn late_entries(
    doc: &Document,
    fields: &Fields,
    closing: &str,
    after: &[&str],
    problems: &mut Vec<Problem>,
) -> Vec<String> {
    let key = format!("{closing}/heads");
    let heads: Option<Vec<ChangeHash>> = fields
        .text(&key)
        .map(|text| text.split(' ').map(|hash| hash.parse().ok()).collect())
        .unwrap_or_default();
    let Some(written) = heads.and_then(|heads| doc.written_since(&heads)) else {
        problems.push(Problem {
            field: key,
            what: "does not name a state of this document".to_owned(),
        });
        return Vec::new();
    };
    let is_late = |field: &String| {
        let begins = |prefix: &str| {
            field
                .strip_prefix(prefix)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        !begins(closing) && !after.iter().any(|prefix| begins(prefix))
    };
    written.into_iter().filter(is_late).collect()
}
