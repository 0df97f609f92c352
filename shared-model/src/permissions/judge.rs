//! Holds a change against the table, operation by operation.
//!
//! Invariant: pure, and the same on both sides. It sees the document as it was before the change, the judge's own clock,
//! and who asks; the same three give the same verdict on the device and on the server.

use super::audience::{names_people, people_of};
use super::table::{Condition, Rule, creators, seal};
use super::{Principal, Role};
use crate::documents::{Document, Kind};
use crate::ids::ClientId;
use crate::time::Timestamp;
use crate::values::{Invalid, past_day};
use automerge::legacy::{Key, ObjectId, Op, OpType};
use automerge::{ActorId, Change, ObjId, ObjType, ScalarValue};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// Why something may not be done. The words on screen come from the translations; the code is stable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum Denied {
    #[error("nobody with these roles may write {field} of a {}", kind.word())]
    Field { kind: Kind, field: String },
    #[error("a {} is not created by these roles", kind.word())]
    Create { kind: Kind },
    #[error("the {} belongs to somebody else", kind.word())]
    NotYours { kind: Kind },
    #[error("the {} belongs to another clinic", kind.word())]
    OtherClinic { kind: Kind },
    #[error("{what} is not how a {} is written", kind.word())]
    Form { kind: Kind, what: String },
    /// A device refuses this with a better word while the person types.
    #[error("{field} of a {} cannot have been then: {why}", kind.word())]
    Date { kind: Kind, field: String, why: Invalid },
    /// It was signed, posted or accepted, and the writer knew.
    #[error("the {} is closed: {field} stays as it is", kind.word())]
    Closed { kind: Kind, field: String },
    #[error("{field} of a {} is written once", kind.word())]
    Standing { kind: Kind, field: String },
    #[error("{field} of a {} is written in one's own name", kind.word())]
    OtherName { kind: Kind, field: String },
    #[error("{field} of a {} belongs to what somebody else wrote", kind.word())]
    OthersEntry { kind: Kind, field: String },
    #[error("{field} of a {} takes another person than who wrote the line", kind.word())]
    SecondPerson { kind: Kind, field: String },
}

impl Denied {
    pub fn code(&self) -> &'static str {
        match self {
            Self::Field { .. } => "field_not_permitted",
            Self::Create { .. } => "creation_not_permitted",
            Self::NotYours { .. } => "not_your_record",
            Self::OtherClinic { .. } => "other_clinic",
            Self::Form { .. } => "malformed_change",
            Self::Date { .. } => "impossible_date",
            Self::Closed { .. } => "closed",
            Self::Standing { .. } => "written_once",
            Self::OtherName { .. } => "not_in_your_name",
            Self::OthersEntry { .. } => "not_your_entry",
            Self::SecondPerson { .. } => "second_person_needed",
        }
    }
}

/// Days that a person names as past. Moments that a device's clock wrote are not judged: a clock that lies must not cost
/// anybody a visit.
const PAST: &[(Kind, &str)] = &[
    (Kind::Patient, "born"),
    (Kind::Patient, "death/on"),
    (Kind::Patient, "loss/on"),
];

/// What cannot be read as a date passes: reading reports it.
fn judge_date(kind: Kind, field: &str, value: &ScalarValue, now: Timestamp) -> Result<(), Denied> {
    if !PAST.contains(&(kind, field)) {
        return Ok(());
    }
    let ScalarValue::Str(day) = value else {
        return Ok(());
    };
    let Ok(day) = day.parse() else { return Ok(()) };
    past_day(day, now).map(drop).map_err(|why| Denied::Date {
        kind,
        field: field.to_owned(),
        why,
    })
}

/// Roles that may write a field, or `None` if no row of the table knows it.
pub fn writers(kind: Kind, field: &str) -> Option<&'static [Role]> {
    Rule::of(kind, field).map(|rule| rule.roles)
}

/// In which of their parts somebody may do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum As {
    Staff,
    Owner,
}

fn part(
    principal: &Principal,
    rule: Option<&Rule>,
    kind: Kind,
    people: &[ClientId],
    field: &str,
) -> Result<As, Denied> {
    let denied = || Denied::Field {
        kind,
        field: field.to_owned(),
    };
    let roles = rule.ok_or_else(denied)?.roles;
    let as_staff = |role: &Role| *role != Role::Owner && roles.contains(role);
    if principal.roles.iter().any(as_staff) {
        return Ok(As::Staff);
    }
    if roles.contains(&Role::Owner) && principal.roles.contains(&Role::Owner) {
        return match principal.own_client() {
            Some(client) if people.contains(&client) => Ok(As::Owner),
            _ => Err(Denied::NotYours { kind }),
        };
    }
    Err(denied())
}

/// May this person write this field of a document about `people`, which exists? What else has to hold depends on what is
/// written; [`judge`] knows.
pub fn may_write(principal: &Principal, kind: Kind, people: &[ClientId], field: &str) -> Result<(), Denied> {
    let rule = Rule::of(kind, field);
    let part = part(principal, rule, kind, people, field)?;
    if part == As::Owner && rule.is_some_and(|rule| rule.has(Condition::AtCreation)) {
        return Err(Denied::Field {
            kind,
            field: field.to_owned(),
        });
    }
    Ok(())
}

/// May this person create a document of this kind?
pub fn may_create(principal: &Principal, kind: Kind) -> Result<(), Denied> {
    let creates = |role: &Role| {
        creators(kind).contains(role) && (*role != Role::Owner || principal.own_client().is_some())
    };
    match principal.roles.iter().any(creates) {
        true => Ok(()),
        false => Err(Denied::Create { kind }),
    }
}

/// Judges every operation of a change against the table.
///
/// `document` is the document before the change, `is_new` whether it exists only on the writer's device so far, `now`
/// the judge's own clock.
pub fn judge(
    principal: &Principal,
    document: &Document,
    is_new: bool,
    change: &Change,
    now: Timestamp,
) -> Result<(), Denied> {
    Judge::new(principal, document)
        .judge(document, is_new, change, now)
        .map(drop)
}

/// What has to be known of a document to judge one person's changes to it, worked out once for a run of them.
#[derive(Debug)]
pub struct Judge<'a> {
    principal: &'a Principal,
    kind: Kind,
    people: Vec<ClientId>,
    /// Whether it has been signed, posted or accepted.
    closed: bool,
    /// Counter and actor of each text's object, and its field.
    texts: Vec<(u64, ActorId, &'static str)>,
}

/// Whether the same [`Judge`] can go on after a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ground {
    Same,
    /// The change wrote what judging rests on: the next one needs a judge of the document with this change in it.
    Moved,
}

impl<'a> Judge<'a> {
    pub fn new(principal: &'a Principal, document: &Document) -> Self {
        Self {
            principal,
            kind: document.kind,
            people: people_of(document),
            closed: seal(document.kind).is_some_and(|seal| document.value(seal).is_some()),
            texts: document
                .text_objects()
                .into_iter()
                .filter_map(|(id, key)| match id {
                    ObjId::Id(counter, actor, _) => Some((counter, actor, key)),
                    ObjId::Root => None,
                })
                .collect(),
        }
    }

    /// Judges a change to the document as it was when this judge was made, or after changes that did not move the ground.
    pub fn judge(
        &self,
        document: &Document,
        is_new: bool,
        change: &Change,
        now: Timestamp,
    ) -> Result<Ground, Denied> {
        let kind = self.kind;
        if document.clinic != self.principal.clinic {
            return Err(Denied::OtherClinic { kind });
        }
        let operations = change.decode().operations;
        let mut case = Case {
            judge: self,
            document,
            change,
            is_new,
            puts: operations.iter().filter_map(put_key).collect(),
            seen: HashSet::new(),
            people: self.people.clone(),
            allowed: Vec::new(),
            knows_it_closed: None,
        };
        if is_new {
            may_create(self.principal, kind)?;
            case.people
                .extend(own_client_in(self.principal, kind, &operations));
        }
        // After the closing itself nothing is known of what a change builds on before the document has it.
        let mut ground = if self.closed { Ground::Moved } else { Ground::Same };
        for op in &operations {
            if case.operation(op, now)? == Ground::Moved {
                ground = Ground::Moved;
            }
        }
        Ok(ground)
    }

    /// The text that an operation is in.
    fn text_of(&self, object: &automerge::legacy::OpId) -> Option<&'static str> {
        let found = self
            .texts
            .iter()
            .find(|(counter, actor, _)| *counter == object.counter() && actor == object.actor());
        found.map(|(_, _, key)| *key)
    }
}

fn put_key(op: &Op) -> Option<&str> {
    match (&op.obj, &op.key, &op.action) {
        (ObjectId::Root, Key::Map(key), OpType::Put(_)) => Some(key),
        _ => None,
    }
}

/// An owner's document begins with their own client in it: until then it is about nobody.
fn own_client_in(principal: &Principal, kind: Kind, operations: &[Op]) -> Option<ClientId> {
    let own = principal.own_client()?;
    let names_it = |op: &Op| match (&op.obj, &op.key, &op.action) {
        (ObjectId::Root, Key::Map(key), OpType::Put(ScalarValue::Str(value))) => {
            names_people(kind, key) && ClientId::parse(value) == Some(own)
        }
        _ => false,
    };
    operations.iter().any(names_it).then_some(own)
}

/// One change in front of the judge.
struct Case<'c> {
    judge: &'c Judge<'c>,
    document: &'c Document,
    change: &'c Change,
    is_new: bool,
    /// The keys that this change puts: Automerge sorts a change's operations as it likes, so `by` may come behind what it
    /// is beside.
    puts: HashSet<&'c str>,
    /// Those that have come up.
    seen: HashSet<&'c str>,
    people: Vec<ClientId>,
    /// By which rule, and in which part, the writer may write the fields that came up: a text comes up with each letter.
    allowed: Vec<(&'c str, &'static Rule, As)>,
    /// Whether the writer knew that the document is closed.
    knows_it_closed: Option<bool>,
}

impl<'c> Case<'c> {
    fn operation(&mut self, op: &'c Op, now: Timestamp) -> Result<Ground, Denied> {
        let kind = self.judge.kind;
        let form = |what: &str| Denied::Form {
            kind,
            what: String::from(what),
        };
        match (&op.obj, &op.key, &op.action) {
            (ObjectId::Root, Key::Map(key), OpType::Put(_)) if kind.texts().contains(&key.as_str()) => {
                Err(form("a value in place of a text"))
            }
            (ObjectId::Root, Key::Map(key), OpType::Put(value)) => {
                judge_date(kind, key, value, now)?;
                let (rule, part) = self.may_write(key)?;
                self.conditions(rule, part, key, Some(value))?;
                self.seen.insert(key);
                let rests_on_it = rule.has(Condition::Once)
                    || rule.has(Condition::OwnName)
                    || names_people(kind, key)
                    || seal(kind) == Some(key.as_str());
                Ok(if rests_on_it { Ground::Moved } else { Ground::Same })
            }
            (ObjectId::Root, _, OpType::Delete) => Err(form("deleting a field")),
            (ObjectId::Root, _, OpType::Make(ObjType::Map | ObjType::List | ObjType::Table)) => {
                Err(form("a container inside the document"))
            }
            (ObjectId::Root, ..) => Err(form("this operation on a field")),
            (ObjectId::Id(object), Key::Seq(_), OpType::Put(ScalarValue::Str(_)) | OpType::Delete) => {
                let key = self.judge.text_of(object);
                let key = key.ok_or_else(|| form("writing into an unknown text"))?;
                let (rule, part) = self.may_write(key)?;
                self.conditions(rule, part, key, None)?;
                Ok(Ground::Same)
            }
            (ObjectId::Id(_), ..) => Err(form("this operation in a text")),
        }
    }

    /// By role.
    fn may_write(&mut self, field: &'c str) -> Result<(&'static Rule, As), Denied> {
        if let Some((_, rule, part)) = self.allowed.iter().find(|(known, ..)| *known == field) {
            return Ok((*rule, *part));
        }
        let kind = self.judge.kind;
        let rule = Rule::of(kind, field);
        let part = part(self.judge.principal, rule, kind, &self.people, field)?;
        let rule = rule.ok_or_else(|| Denied::Field {
            kind,
            field: field.to_owned(),
        })?;
        self.allowed.push((field, rule, part));
        Ok((rule, part))
    }

    /// And by what a role alone does not tell.
    fn conditions(
        &mut self,
        rule: &Rule,
        part: As,
        field: &str,
        value: Option<&ScalarValue>,
    ) -> Result<(), Denied> {
        let (kind, principal) = (self.judge.kind, self.judge.principal);
        let as_owner = part == As::Owner;
        let named = value.and_then(ScalarValue::as_str);
        let owned = || field.to_owned();
        for condition in rule.conditions {
            let (holds, denied) = match condition {
                Condition::Once => (
                    self.document.value(field).is_none() && !self.seen.contains(field),
                    Denied::Standing { kind, field: owned() },
                ),
                Condition::OwnName => (
                    named == Some(principal.account.to_string().as_str()),
                    Denied::OtherName { kind, field: owned() },
                ),
                Condition::OwnEntry => (
                    self.is_own_entry(field),
                    Denied::OthersEntry { kind, field: owned() },
                ),
                Condition::OthersEntry => (
                    self.is_entry_of_others(field),
                    Denied::SecondPerson { kind, field: owned() },
                ),
                Condition::OwnClient => (
                    !as_owner || named.and_then(ClientId::parse) == principal.own_client(),
                    Denied::NotYours { kind },
                ),
                Condition::AtCreation => (!as_owner || self.is_new, Denied::Field { kind, field: owned() }),
                Condition::Unsealed => (!self.knows_it_closed(), Denied::Closed { kind, field: owned() }),
            };
            if !holds {
                return Err(denied);
            }
        }
        Ok(())
    }

    /// Who began the entry that a field is in, as the document has it.
    fn authors(&self, field: &str) -> (String, Vec<ScalarValue>) {
        let by = match field.rsplit_once('/') {
            Some((entry, _)) => format!("{entry}/by"),
            None => String::from("by"),
        };
        let authors = self.document.values(&by);
        (by, authors)
    }

    fn is_own_entry(&self, field: &str) -> bool {
        let (by, authors) = self.authors(field);
        let own = self.judge.principal.account.to_string();
        match authors.is_empty() {
            // Whoever puts `by` puts their own name there.
            true => self.puts.contains(by.as_str()),
            false => authors.iter().all(|author| author.as_str() == Some(own.as_str())),
        }
    }

    fn is_entry_of_others(&self, field: &str) -> bool {
        let (_, authors) = self.authors(field);
        let own = self.judge.principal.account.to_string();
        !authors.is_empty() && authors.iter().all(|author| author.as_str() != Some(own.as_str()))
    }

    /// Judged by what the change builds on: a device that had not heard of the signature wrote in good faith, and what it
    /// wrote reads as a late entry.
    fn knows_it_closed(&mut self) -> bool {
        let closed = self.judge.closed;
        let (document, change) = (self.document, self.change);
        *self.knows_it_closed.get_or_insert_with(|| {
            closed && seal(document.kind).is_some_and(|seal| document.had(change.deps(), seal))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::documents::Stamp;
    use crate::ids::{AccountId, ClinicId, DocumentId};
    use crate::permissions::Role::{FrontDesk as Desk, Owner, Technician as Tech, Veterinarian as Vet};
    use automerge::{Automerge, ROOT, transaction::Transactable};
    use uuid::Uuid;

    /// 23 November 2026, noon.
    const NOW: Timestamp = Timestamp(1_795_435_200_000);

    fn principal(roles: &[Role], client: Option<u128>) -> Principal {
        Principal {
            account: AccountId(Uuid::from_u128(1)),
            clinic: ClinicId(Uuid::from_u128(2)),
            roles: roles.to_vec(),
            client: client.map(|id| ClientId(Uuid::from_u128(id))),
            name: String::new(),
        }
    }

    #[test]
    fn who_writes_what() {
        let client = [ClientId(Uuid::from_u128(5))];
        let check = |roles: &[Role], kind, field: &str, expected: bool| {
            let verdict = may_write(&principal(roles, Some(5)), kind, &client, field);
            assert_eq!(verdict.is_ok(), expected, "{roles:?} {field}: {verdict:?}");
        };
        check(&[Vet], Kind::Visit, "assessment", true);
        check(&[Tech], Kind::Visit, "assessment", false);
        check(&[Tech], Kind::Visit, "history", true);
        check(&[Desk], Kind::Visit, "history", false);
        check(&[Desk], Kind::Patient, "weights/x/kg", false);
        check(&[Owner], Kind::Client, "phones/x/number", true);
        check(&[Owner], Kind::Client, "family_name", false);
        check(&[Owner], Kind::Appointment, "booking/cancelled_at", true);
        check(&[Owner], Kind::Appointment, "booking/slot", false);
        check(&[Role::SystemAdministrator], Kind::Client, "address", false);
        check(&[Role::Viewer], Kind::Client, "address", false);
        check(&[Vet], Kind::Visit, "kind", false);
        let other = may_write(&principal(&[Owner], Some(6)), Kind::Client, &client, "address");
        assert_eq!(other, Err(Denied::NotYours { kind: Kind::Client }));
    }

    #[test]
    fn operations_are_judged_not_their_effect() {
        let doc = Document::genesis(
            Kind::Visit,
            ClinicId(Uuid::from_u128(2)),
            DocumentId(Uuid::from_u128(3)),
        );
        let mut hostile = Automerge::load(&doc.save())
            .expect("loads")
            .with_actor(ActorId::from([7; 16]));
        let seen = hostile.get_heads();
        let mut tx = hostile.transaction();
        tx.put_object(ROOT, "assessment", ObjType::Text).expect("put");
        tx.commit();
        let change = hostile.get_changes(&seen).remove(0);
        assert!(matches!(
            judge(&principal(&[Vet], None), &doc, false, &change, NOW),
            Err(Denied::Form { .. })
        ));

        let mut tx = hostile.transaction();
        tx.put(ROOT, "reason", "x").expect("put");
        tx.delete(ROOT, "reason").expect("delete");
        tx.commit();
        let change = hostile.get_last_local_change().expect("made");
        // The put is undone within the change, nothing is visible, and still the deletion is refused.
        let verdict = judge(&principal(&[Vet], None), &doc, false, &change, NOW);
        assert!(
            matches!(verdict, Err(Denied::Form { .. })) || change.decode().operations.is_empty(),
            "{verdict:?}"
        );
    }

    #[test]
    fn typing_is_judged_by_the_section_it_lands_in() {
        let mut doc = Document::genesis(
            Kind::Visit,
            ClinicId(Uuid::from_u128(2)),
            DocumentId(Uuid::from_u128(3)),
        );
        let before = doc.clone();
        let stamp = Stamp {
            now: Timestamp(0),
            actor: ActorId::from([7; 16]),
            account: AccountId(Uuid::from_u128(1)),
        };
        let change = doc
            .change(&stamp, "write", |w| {
                w.edit_text("assessment", 0, &[], "gastritis");
                Ok::<_, ()>(())
            })
            .expect("written")
            .expect("a change");
        assert_eq!(
            judge(&principal(&[Vet], None), &before, false, &change, NOW),
            Ok(())
        );
        assert!(matches!(
            judge(&principal(&[Tech], None), &before, false, &change, NOW),
            Err(Denied::Field { field, .. }) if field == "assessment"
        ));
    }

    #[test]
    fn dates_that_cannot_have_been_are_refused() {
        let check = |kind, field: &str, value: ScalarValue, expected: Option<Invalid>| {
            let doc = Document::genesis(kind, ClinicId(Uuid::from_u128(2)), DocumentId(Uuid::from_u128(3)));
            let stamp = Stamp {
                now: Timestamp(0),
                actor: ActorId::from([7; 16]),
                account: AccountId(Uuid::from_u128(1)),
            };
            let change = doc
                .clone()
                .change(&stamp, "write", |w| {
                    w.put(field, value.clone());
                    Ok::<_, ()>(())
                })
                .expect("written")
                .expect("a change");
            let denied = expected.map(|why| Denied::Date {
                kind,
                field: field.to_owned(),
                why,
            });
            let judged = judge(&principal(&[Vet], None), &doc, false, &change, NOW);
            assert_eq!(judged.err(), denied, "{field} {value:?}");
        };
        let day = |day: &str| ScalarValue::Str(day.into());
        check(Kind::Patient, "born", day("2026-11-24"), None);
        check(Kind::Patient, "born", day("2026-11-25"), Some(Invalid::InFuture));
        check(
            Kind::Patient,
            "born",
            day("1899-01-01"),
            Some(Invalid::TooLongAgo),
        );
        check(Kind::Patient, "born", day("in spring"), None);
        check(
            Kind::Patient,
            "death/on",
            day("2027-01-01"),
            Some(Invalid::InFuture),
        );
        let late = ScalarValue::Timestamp(NOW.0 + 2 * 86_400_000);
        check(Kind::Patient, "weights/1/at", late.clone(), None);
        check(Kind::Visit, "started_at", late, None);
        check(Kind::Appointment, "booking/slot", day("2027-01-01"), None);
    }
}
