//! What is saved here and waits for the clinic, and what the clinic's server refused.

use super::lines::name;
use crate::core::Reading;
use crate::store::{Handed, OutboxCounts, OutboxEntry, StoreError};
use crate::sync::Seen;
use rusqlite::OptionalExtension;
use serde::{Deserialize, Serialize};
use shared_model::commands::Command;
use shared_model::documents::Kind;
use shared_model::ids::{AccountId, DocumentId};
use shared_model::protocol::RefusalCode;
use shared_model::time::Timestamp;
use std::cmp::Reverse;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OutboxLine {
    pub seq: i64,
    /// The command's verb; a newer or damaged command reads as an empty word.
    pub verb: String,
    pub kind: Kind,
    pub document: DocumentId,
    /// "Rex", "Petra Novak": whom the record is about.
    pub about: String,
    pub made_at: Timestamp,
    pub refused: Option<(RefusalCode, String)>,
}

/// Somebody else's work that is on this device alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OthersWork {
    pub account: AccountId,
    /// Empty if nobody here knows it.
    pub name: String,
    pub waiting: u64,
    /// When the oldest change that waits was made.
    pub since: Option<Timestamp>,
    pub refused: u64,
}

/// One thing to decide: a refused change, or all that somebody typed into one text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Matter {
    /// Its rows in the outbox, oldest first.
    pub rows: Vec<i64>,
    pub verb: String,
    pub kind: Kind,
    pub document: DocumentId,
    pub about: String,
    /// When the latest of it was written.
    pub made_at: Timestamp,
    /// Whose work it is; somebody else's can be done again as one's own.
    pub author: String,
    pub mine: bool,
    /// Why the first of it was refused.
    pub code: RefusalCode,
    /// What was asked for last; `None` if this build cannot read it.
    pub command: Option<Command>,
    /// What was typed, if it is text.
    pub words: String,
    pub discarded: Option<LetGo>,
    pub handed: Option<Handed>,
}

/// Who let refused work go, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LetGo {
    pub at: Timestamp,
    pub by: String,
    pub reason: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OutboxView {
    /// Of the person signed in: oldest first, the first hundred of them.
    pub waiting: Vec<OutboxLine>,
    pub waiting_total: u64,
    /// Everybody's on this device, row by row, newest first.
    pub refused: Vec<OutboxLine>,
    /// The same for people: one's own first, the latest before the earlier ones.
    pub matters: Vec<Matter>,
    /// Refused work that was let go, the latest first.
    pub let_go: Vec<Matter>,
    /// What the clinic's administrators decide about, the latest first.
    pub handed: Vec<Matter>,
    pub others: Vec<OthersWork>,
}

pub(super) fn view(reading: &Reading<'_>) -> Result<OutboxView, StoreError> {
    let waiting = match reading.principal {
        Some(principal) => reading.store.waiting(principal.account, 100)?,
        None => Vec::new(),
    };
    let refused = reading.store.refused()?;
    let mut matters = matters(reading, &refused)?;
    matters.sort_by_key(|matter| (!matter.mine, Reverse(matter.made_at)));
    let lines = |entries: Vec<OutboxEntry>| entries.into_iter().map(|entry| line(reading, entry)).collect();
    let waiting: Result<Vec<_>, StoreError> = lines(waiting);
    let (own, others) = standing(reading)?;
    Ok(OutboxView {
        waiting: waiting?,
        waiting_total: own.waiting,
        let_go: self::matters(reading, &reading.store.discarded()?)?,
        handed: self::matters(reading, &reading.store.offered()?)?,
        matters,
        refused: lines(refused)?,
        others,
    })
}

/// What is on this device alone: of the person signed in, and of each other one. Nobody's is everybody's.
pub(super) fn standing(reading: &Reading<'_>) -> Result<(OutboxCounts, Vec<OthersWork>), StoreError> {
    let me = reading.principal.map(|principal| principal.account);
    let mut own = OutboxCounts::default();
    let mut others = Vec::new();
    for (account, counts) in reading.store.outbox_counts()? {
        if me.is_none_or(|me| me == account) {
            own.waiting += counts.waiting;
            own.refused += counts.refused;
            own.since = own.since.into_iter().chain(counts.since).min();
        } else {
            others.push(OthersWork {
                account,
                name: reading.person(account)?,
                waiting: counts.waiting,
                since: counts.since,
                refused: counts.refused,
            });
        }
    }
    Ok((own, others))
}

/// Refused rows (newest first) as people decide about them: typing in one text is one thing.
pub(super) fn matters(reading: &Reading<'_>, refused: &[OutboxEntry]) -> Result<Vec<Matter>, StoreError> {
    let mut groups: Vec<Vec<&OutboxEntry>> = Vec::new();
    for entry in refused {
        let same = |group: &&mut Vec<&OutboxEntry>| is_one_matter(group[0], entry);
        match groups.iter_mut().find(same) {
            Some(group) => group.push(entry),
            None => groups.push(vec![entry]),
        }
    }
    let me = reading.principal.map(|principal| principal.account);
    let mut matters = Vec::with_capacity(groups.len());
    for mut group in groups {
        let latest = group[0];
        group.reverse();
        let about = line(reading, latest.clone())?;
        matters.push(Matter {
            rows: group.iter().map(|entry| entry.seq).collect(),
            verb: about.verb,
            kind: latest.kind,
            document: latest.document,
            about: about.about,
            made_at: latest.made_at,
            author: reading.person(latest.account)?,
            mine: me == Some(latest.account),
            code: group[0]
                .refused
                .as_ref()
                .map_or(RefusalCode::Undecodable, |(code, _)| *code),
            command: latest.command.clone(),
            words: typed(reading, &group, refused)?,
            discarded: match &latest.discarded {
                None => None,
                Some(discarded) => Some(LetGo {
                    at: discarded.at,
                    by: reading.person(discarded.by)?,
                    reason: discarded.reason.clone(),
                }),
            },
            handed: latest.handed,
        });
    }
    Ok(matters)
}

fn is_one_matter(one: &OutboxEntry, other: &OutboxEntry) -> bool {
    let (Some(Command::WriteInSection(first)), Some(Command::WriteInSection(second))) =
        (&one.command, &other.command)
    else {
        return false;
    };
    one.account == other.account
        && first.visit == second.visit
        && first.section == second.section
        && one.discarded == other.discarded
        && one.handed == other.handed
}

/// The words of typing, oldest first, as one reads them. What was typed away again is left out only where it is sure
/// that it is the same letters: no word may be missing here.
fn typed(reading: &Reading<'_>, rows: &[&OutboxEntry], beside: &[OutboxEntry]) -> Result<String, StoreError> {
    let mut stretches: Vec<(usize, Vec<char>)> = Vec::new();
    let mut seen: Option<Seen> = None;
    let mut before: Option<&OutboxEntry> = None;
    for row in rows {
        let Some(Command::WriteInSection(edit)) = &row.command else {
            return Ok(String::new());
        };
        let seen = match &mut seen {
            Some(seen) => seen,
            unread => unread.insert(Seen::of(reading.store, row.document)?.with(row.document, beside)?),
        };
        let state = seen.state(&edit.seen, edit.section.word());
        let follows = before.is_some_and(|before| state.len() == 1 && state[0][..] == before.hash[..]);
        before = Some(row);
        match stretches.last_mut() {
            Some((start, letters))
                if follows && edit.at >= *start && edit.at + edit.delete <= *start + letters.len() =>
            {
                let at = edit.at - *start;
                letters.splice(at..at + edit.delete, edit.insert.chars());
            }
            _ => stretches.push((edit.at, edit.insert.chars().collect())),
        }
    }
    let words: Vec<String> = stretches
        .into_iter()
        .map(|(_, letters)| letters.into_iter().collect::<String>())
        .filter(|words| !words.is_empty())
        .collect();
    Ok(words.join("\n"))
}

fn line(reading: &Reading<'_>, entry: OutboxEntry) -> Result<OutboxLine, StoreError> {
    Ok(OutboxLine {
        seq: entry.seq,
        verb: entry
            .command
            .as_ref()
            .map(|command| command.verb().to_owned())
            .unwrap_or_default(),
        kind: entry.kind,
        document: entry.document,
        about: about(reading, entry.kind, entry.document)?,
        made_at: entry.made_at,
        refused: entry.refused,
    })
}

/// Whom a record is about, as far as that is known here.
pub(super) fn about(reading: &Reading<'_>, kind: Kind, id: DocumentId) -> Result<String, StoreError> {
    let sql = match kind {
        Kind::ClinicProfile | Kind::ClinicSettings => return Ok(reading.profile.name.clone()),
        Kind::Client => "SELECT given_name, family_name FROM client WHERE id = ?1",
        Kind::Patient => "SELECT name, '' FROM patient WHERE id = ?1",
        Kind::Appointment => {
            "SELECT p.name, '' FROM appointment a JOIN patient p ON p.id = a.patient WHERE a.id = ?1"
        }
        // No list names them: the word for their kind has to do.
        Kind::ClientNotes
        | Kind::VisitSummary
        | Kind::Estimate
        | Kind::Invoice
        | Kind::Payment
        | Kind::Conversation
        | Kind::StockLot
        | Kind::ControlledDrugLedger
        | Kind::Consent
        | Kind::Certificate => return Ok(String::new()),
        Kind::Visit => "SELECT p.name, '' FROM visit v JOIN patient p ON p.id = v.patient WHERE v.id = ?1",
    };
    let found = reading
        .store
        .sql
        .prepare_cached(sql)?
        .query_row([&id.bytes()[..]], |row| {
            Ok(name(&row.get::<_, String>(0)?, &row.get::<_, String>(1)?))
        })
        .optional()?;
    Ok(found.unwrap_or_default())
}
