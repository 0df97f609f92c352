//! A clinic with documents of every kind, prepared by people who may do everything, and what the cases write in them.

use super::cases::{Case, Verb, Whose, closing, naming};
use super::page::{FieldRow, Section};
use automerge::transaction::Transactable;
use automerge::{ActorId, Automerge, Change, ObjType, ROOT};
use shared_model::documents::{Document, Kind, Stamp, Writer};
use shared_model::ids::{AccountId, ClientId, ClinicId, DocumentId};
use shared_model::permissions::{Condition, Principal, judge};
use shared_model::time::Timestamp;
use std::collections::BTreeMap;
use uuid::Uuid;

pub const NOW: Timestamp = Timestamp(1_795_435_200_000);
pub const OWN: ClientId = ClientId(Uuid::from_u128(0xabc));
pub const OTHERS: ClientId = ClientId(Uuid::from_u128(0xdef));
/// The entry that somebody else began in each prepared document.
const PREPARED: Uuid = Uuid::from_u128(0xbe);

pub fn about(whose: Whose) -> ClientId {
    match whose {
        Whose::Own | Whose::OtherClinic => OWN,
        Whose::Others => OTHERS,
    }
}

/// Somebody with a device.
pub struct Hand {
    pub principal: Principal,
    pub actor: ActorId,
}

impl Hand {
    pub fn stamp(&self) -> Stamp {
        Stamp {
            now: NOW,
            actor: self.actor.clone(),
            account: self.principal.account,
        }
    }

    fn name(&self) -> String {
        self.principal.account.to_string()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// About somebody, and open.
    Open,
    /// Not said yet whom it is about.
    Blank,
    /// Every field of it stands there already.
    Full,
    Closed,
}

/// A document as somebody's device has it.
#[derive(Clone)]
pub struct Record {
    pub document: Document,
}

/// The documents that one hand tries its cases on.
pub type Records = BTreeMap<(Kind, Whose, State), Record>;

/// A change to be pushed, with what the device said to it.
pub struct Attempt {
    pub case: Case,
    pub kind: Kind,
    pub document: DocumentId,
    pub change: Change,
    pub by_device: bool,
}

/// Ids of entries and documents, each another one.
#[derive(Default)]
pub struct Ids(u128);

impl Ids {
    pub fn next(&mut self) -> Uuid {
        self.0 += 1;
        Uuid::from_u128((0xca5e << 64) + self.0)
    }
}

/// A field that a pattern names, in an entry.
pub fn field(pattern: &str, entry: Uuid) -> String {
    let entry = entry.to_string();
    let mut segments: Vec<String> = Vec::new();
    for segment in pattern.split('/') {
        segments.push(match segment {
            "**" => format!("{entry}/x"),
            "*" if segments.len() == 1 && pattern.matches('/').count() == 2 => entry.clone(),
            "*" => String::from("x"),
            word => word.replace('*', "x"),
        });
    }
    segments.join("/")
}

/// Writes a row's field as the form of the table wants it.
fn put_row(w: &mut Writer<'_>, kind: Kind, row: &FieldRow, entry: Uuid, by: AccountId, client: ClientId) {
    let key = field(&row.fields, entry);
    if kind.texts().contains(&key.as_str()) {
        return w.edit_text(&key, 0, &[], "x");
    }
    if row.has(Condition::OwnEntry) {
        let (entry, _) = key.rsplit_once('/').expect("an entry's field");
        let author = format!("{entry}/by");
        if w.fields().text(&author).is_none() {
            w.put(&author, by.to_string());
        }
    }
    if row.has(Condition::OwnName) {
        w.put(&key, by.to_string());
    } else if key == "client" {
        // Never what stands there already, and always the same client.
        let standing = w.fields().text("client").map(str::to_owned);
        let lower = client.to_string();
        let upper = lower.to_uppercase();
        w.put(
            "client",
            if standing.as_deref() == Some(&lower) {
                upper
            } else {
                lower
            },
        );
    } else {
        w.put(&key, entry.to_string());
    }
}

/// Says whom a document is about.
fn put_naming(w: &mut Writer<'_>, section: &Section, whose: Whose, entry: Uuid, by: AccountId) {
    let row = naming(section);
    match row.fields.as_str() {
        "owners/*/*" => w.put_time(&format!("owners/{}/since", about(whose)), NOW),
        _ => put_row(w, section.kind, row, entry, by, about(whose)),
    }
}

/// Prepares the documents that one hand will try its cases on; `Full` and `Closed` ones can be shared, because nobody's
/// case leaves a trace that others see.
pub fn prepare(
    sections: &[Section],
    clinic: ClinicId,
    whose: &[Whose],
    states: &[State],
    maker: &Hand,
    ids: &mut Ids,
) -> (Records, Vec<(Kind, DocumentId, Change)>) {
    let (mut records, mut changes) = (Records::new(), Vec::new());
    for section in sections {
        for (whose, state) in whose
            .iter()
            .flat_map(|whose| states.iter().map(|state| (*whose, *state)))
        {
            let kind = section.kind;
            let names_a_client = section.fields.iter().any(|row| row.fields == "client");
            if (state == State::Closed && closing(kind).is_none())
                || (state == State::Blank && !names_a_client)
            {
                continue;
            }
            let id = match (kind, state) {
                // Another clinic may have a client with the same id; but then it is not the other one that is asked for.
                (Kind::Client, State::Open) if whose != Whose::OtherClinic => about(whose).into(),
                _ => DocumentId(ids.next()),
            };
            let mut document = Document::genesis(kind, clinic, id);
            let by = maker.principal.account;
            let change = document.change(&maker.stamp(), "prepare", |w| {
                if state == State::Blank {
                    let row = section.fields.iter().find(|row| row.fields != "client");
                    put_row(w, kind, row.expect("another field"), PREPARED, by, OWN);
                    return Ok(());
                }
                put_naming(w, section, whose, PREPARED, by);
                if state == State::Full {
                    // What takes a second person is written by one: see `witness`.
                    let rows = section.fields.iter().filter(|row| {
                        !row.has(Condition::OthersEntry) && row.fields != naming(section).fields
                    });
                    for row in rows {
                        let key = field(&row.fields, PREPARED);
                        if w.fields().text(&key).is_none() {
                            put_row(w, kind, row, PREPARED, by, about(whose));
                        }
                    }
                }
                if let (State::Closed, Some(closing)) = (state, closing(kind)) {
                    w.put(&format!("{closing}/by"), by.to_string());
                    w.put_time(&format!("{closing}/at"), NOW);
                }
                Ok::<_, ()>(())
            });
            let change = change.expect("written").expect("a change");
            changes.push((kind, id, change));
            records.insert((kind, whose, state), Record { document });
        }
    }
    (records, changes)
}

/// The second person of the ledgers that are full.
pub fn witness(records: &mut Records, second: &Hand) -> Vec<(Kind, DocumentId, Change)> {
    let mut changes = Vec::new();
    for ((kind, _, state), record) in records {
        if (*kind, *state) != (Kind::ControlledDrugLedger, State::Full) {
            continue;
        }
        let change = record.document.change(&second.stamp(), "witness", |w| {
            w.put(&format!("lines/{PREPARED}/witness"), second.name());
            w.put_time(&format!("lines/{PREPARED}/witnessed_at"), NOW);
            Ok::<_, ()>(())
        });
        changes.push((
            *kind,
            record.document.id,
            change.expect("written").expect("a change"),
        ));
    }
    changes
}

/// Tries a case: the change it makes, judged as the device judges it before it keeps anything. What the device permits
/// is in the record from then on.
pub fn attempt(
    case: Case,
    section: &Section,
    records: &mut Records,
    hand: &Hand,
    maker: &Hand,
    ids: &mut Ids,
) -> Attempt {
    let kind = case.kind;
    if case.verb == Verb::Create {
        let id = DocumentId(ids.next());
        let genesis = Document::genesis(kind, hand.principal.clinic, id);
        let entry = ids.next();
        let change = genesis.clone().change(&hand.stamp(), "case", |w| {
            put_naming(w, section, case.whose, entry, hand.principal.account);
            Ok::<_, ()>(())
        });
        let change = change.expect("written").expect("a change");
        return Attempt {
            by_device: judge(&hand.principal, &genesis, true, &change, NOW).is_ok(),
            kind,
            document: id,
            change,
            case,
        };
    }
    let state = match (case.verb, &case.row) {
        (Verb::Overwrite | Verb::GoOnWithAnothers, _) => State::Full,
        (Verb::WriteInClosed, _) => State::Closed,
        (Verb::Write, Some(row)) if row.fields == "client" && row.has(Condition::Once) => State::Blank,
        _ => State::Open,
    };
    let record = records
        .get_mut(&(kind, case.whose, state))
        .expect("a document was prepared");
    let change = change(&case, &record.document, hand, maker, ids.next());
    let verdict = judge(&hand.principal, &record.document, false, &change, NOW);
    if verdict.is_ok() {
        record
            .document
            .apply(std::slice::from_ref(&change))
            .expect("it fits");
    }
    Attempt {
        by_device: verdict.is_ok(),
        kind,
        document: record.document.id,
        change,
        case,
    }
}

fn change(case: &Case, document: &Document, hand: &Hand, maker: &Hand, entry: Uuid) -> Change {
    let own = hand.principal.account;
    let client = about(case.whose);
    match (case.verb, &case.row) {
        (Verb::DeleteAField, _) => by_hand(document, hand, |tx| {
            let key = document.fields().iter().map(|(key, _)| key.to_owned()).last();
            tx.delete(ROOT, key.expect("a field")).expect("deleted");
        }),
        (Verb::PutAContainer, Some(row)) => by_hand(document, hand, |tx| {
            tx.put_object(ROOT, field(&row.fields, entry), ObjType::Map)
                .expect("put");
        }),
        (Verb::ReplaceAText, Some(row)) => by_hand(document, hand, |tx| {
            tx.put(ROOT, row.fields.as_str(), "x").expect("put");
        }),
        (verb, row) => {
            let mut copy = document.clone();
            let change = copy.change(&hand.stamp(), "case", |w| {
                match (verb, row) {
                    (Verb::Overwrite, Some(row)) => {
                        let key = field(&row.fields, PREPARED);
                        // Their own name, where one is wanted: that alone must not be what is refused.
                        let value = match row.has(Condition::OwnName) {
                            true => hand.name(),
                            false => entry.to_string(),
                        };
                        w.put(&key, value);
                    }
                    (Verb::InAnothersName, Some(row)) => w.put(&field(&row.fields, entry), maker.name()),
                    (Verb::GoOnWithAnothers, Some(row)) => {
                        let key = field(&row.fields, PREPARED);
                        w.put(&format!("{key}more"), hand.name());
                    }
                    (Verb::WitnessAlone, Some(row)) => {
                        w.put(&format!("lines/{entry}/by"), hand.name());
                        w.put(&field(&row.fields, entry), hand.name());
                    }
                    (Verb::WriteAnUnknownField, _) => w.put("zz/unknown", entry.to_string()),
                    (_, Some(row)) if row.has(Condition::OthersEntry) => {
                        put_row(w, case.kind, row, PREPARED, own, client);
                    }
                    (_, Some(row)) => put_row(w, case.kind, row, entry, own, client),
                    (_, None) => panic!("{verb:?} writes something"),
                }
                Ok::<_, ()>(())
            });
            change
                .expect("written")
                .unwrap_or_else(|| panic!("{case:?} writes something"))
        }
    }
}

/// What no writer of ours makes.
fn by_hand(
    document: &Document,
    hand: &Hand,
    write: impl FnOnce(&mut automerge::transaction::Transaction<'_>),
) -> Change {
    let mut copy = Automerge::load(&document.save()).expect("loads");
    copy.set_actor(hand.actor.clone());
    let mut tx = copy.transaction();
    write(&mut tx);
    tx.commit();
    copy.get_last_local_change().expect("a change")
}
