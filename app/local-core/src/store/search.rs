//! Full-text search over names, phones, emails and microchips: prefix, accents folded, owner and pet together.
//!
//! A pet's row has its owners' names in a column of their own, so that a query of many words is one look into one index:
//! two long lists of matches are never joined.

use super::{Store, StoreError};
use shared_model::documents::Kind;
use shared_model::ids::DocumentId;

/// Candidates that one query ranks; beyond them nobody scrolls.
const CANDIDATES: usize = 160;

/// Lower case, with the letters that Unicode does not take apart (ł, ø, ß …) as people type them without.
/// The index's tokenizer removes the accents.
pub(crate) fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for letter in text.chars().flat_map(char::to_lowercase) {
        match letter {
            'ł' => folded.push('l'),
            'ø' => folded.push('o'),
            'đ' | 'ð' => folded.push('d'),
            'ı' => folded.push('i'),
            'ß' => folded.push_str("ss"),
            'æ' => folded.push_str("ae"),
            'œ' => folded.push_str("oe"),
            'þ' => folded.push_str("th"),
            other => folded.push(other),
        }
    }
    folded
}

/// The words of what was typed, each as an FTS5 prefix. Digits that belong to one number are joined:
/// "601 555 014" is a phone, "Rex 2" is not.
fn prefixes(typed: &str) -> Vec<String> {
    let folded = fold(typed);
    let numeric = folded
        .chars()
        .all(|c| c.is_ascii_digit() || " +-()./".contains(c));
    if numeric {
        let digits = shared_model::values::digits(&folded);
        return if digits.is_empty() {
            Vec::new()
        } else {
            vec![format!("\"{digits}\"*")]
        };
    }
    folded
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .take(6)
        .map(|word| format!("\"{word}\"*"))
        .collect()
}

impl Store {
    /// Clients and patients that match every word. A pet's owners count for it as soon as one word is the pet's own;
    /// "novak" alone finds the person, in whose line the pets stand.
    pub fn find(&self, typed: &str) -> Result<Vec<(Kind, DocumentId)>, StoreError> {
        let prefixes = prefixes(typed);
        let mut found = Vec::new();
        if prefixes.is_empty() {
            return Ok(found);
        }
        let own: Vec<String> = prefixes.iter().map(|word| format!("text : {word}")).collect();
        self.collect(
            &mut found,
            "SELECT d.kind, d.id FROM search s JOIN document d ON d.row = s.rowid WHERE search MATCH ?1 LIMIT ?2",
            (
                format!("({}) AND ({})", prefixes.join(" AND "), own.join(" OR ")),
                CANDIDATES,
            ),
        )?;
        // An owner's number names the owner; few have it, so it leads.
        let (numbers, names): (Vec<&str>, Vec<&str>) =
            prefixes.iter().map(String::as_str).partition(|word| {
                word.trim_start_matches('"')
                    .starts_with(|c: char| c.is_ascii_digit())
            });
        if !numbers.is_empty() && !names.is_empty() {
            self.collect(
                &mut found,
                // The plus keeps SQLite from looking up every match of the pet's words for every client.
                "SELECT p.kind, p.id FROM search so JOIN document c ON c.row = so.rowid \
                 JOIN ownership o ON o.client = c.id JOIN document p ON p.id = o.patient \
                 WHERE so.search MATCH ?1 AND +p.row IN (SELECT rowid FROM search WHERE search MATCH ?2) LIMIT ?3",
                (numbers.join(" AND "), names.join(" AND "), CANDIDATES),
            )?;
        }
        Ok(found)
    }

    fn collect(
        &self,
        found: &mut Vec<(Kind, DocumentId)>,
        sql: &str,
        params: impl rusqlite::Params,
    ) -> Result<(), StoreError> {
        let mut statement = self.sql.prepare_cached(sql)?;
        let mut rows = statement.query(params)?;
        while let Some(row) = rows.next()? {
            let kind = Kind::from_number(row.get(0)?);
            let id = DocumentId::from_slice(row.get_ref(1)?.as_blob()?);
            if let (Some(kind), Some(id)) = (kind, id)
                && !found.contains(&(kind, id))
            {
                found.push((kind, id));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_type() {
        let check = |typed: &str, expected: &[&str]| assert_eq!(prefixes(typed), expected, "{typed}");
        check("Rex Nov", &["\"rex\"*", "\"nov\"*"]);
        check("+420 601-555 014", &["\"420601555014\"*"]);
        check("Łuk", &["\"luk\"*"]);
        check("  ", &[]);
        check("\"* OR NEAR(", &["\"or\"*", "\"near\"*"]);
        check("petra@example.org", &["\"petra\"*", "\"example\"*", "\"org\"*"]);
    }
}
