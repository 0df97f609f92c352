//! Who may do what: one table, asked by the device (to refuse early) and by the server (to refuse surely).
//!
//! Invariant: a change is judged on its operations, never on the visible difference it makes: an operation that loses
//! a conflict today can win tomorrow.

use crate::documents::{Document, Kind};
use crate::ids::{AccountId, ClientId, ClinicId};
use crate::time::Timestamp;
use crate::values::{Invalid, past_day};
use automerge::legacy::{Key, ObjectId, OpType};
use automerge::{ActorId, Change, ObjId, ObjType, ScalarValue};
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

crate::documents::word_enum! {
    /// What somebody is at a clinic. One person can be several things.
    Role {
        Owner = "owner",
        FrontDesk = "front_desk",
        Technician = "technician",
        Veterinarian = "veterinarian",
        ClinicAdministrator = "clinic_administrator",
        /// Looks after clinics and their accounts; reads no medical record.
        SystemAdministrator = "system_administrator",
        Viewer = "viewer",
    }
}

impl Role {
    /// Whether the role reads the clinic's staff feed.
    pub fn is_staff(self) -> bool {
        !matches!(self, Self::Owner | Self::SystemAdministrator)
    }
}

/// Somebody signed in at a clinic.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct Principal {
    #[n(0)]
    pub account: AccountId,
    #[n(1)]
    pub clinic: ClinicId,
    #[n(2)]
    pub roles: Vec<Role>,
    /// The owner's own client record.
    #[n(3)]
    pub client: Option<ClientId>,
    #[n(4)]
    pub name: String,
}

impl Principal {
    pub fn is_staff(&self) -> bool {
        self.roles.iter().any(|role| role.is_staff())
    }

    /// The feeds this person reads.
    pub fn feeds(&self) -> Vec<Feed> {
        let mut feeds = Vec::new();
        if self.is_staff() {
            feeds.push(Feed::Staff);
        } else if let Some(client) = self.client
            && self.roles.contains(&Owner)
        {
            feeds.extend([Feed::Everyone, Feed::Client(client)]);
        }
        feeds
    }
}

/// An audience of a clinic: everything in a feed may be read by everybody who reads the feed.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode, Serialize, Deserialize,
)]
pub enum Feed {
    /// The clinic's people.
    #[n(0)]
    Staff,
    /// Owners too: the clinic's name, hours and contact.
    #[n(1)]
    Everyone,
    /// One owner's own records.
    #[n(2)]
    Client(#[n(0)] ClientId),
}

/// The feeds that carry a document. `people` are the clients it is about: itself for a Client, the present owners of
/// a Patient, the client of an Appointment.
pub fn audience(kind: Kind, people: &[ClientId]) -> Vec<Feed> {
    let mut feeds = vec![Feed::Staff];
    match kind {
        Kind::ClinicProfile => feeds.push(Feed::Everyone),
        Kind::Client | Kind::Patient | Kind::Appointment => {
            feeds.extend(people.iter().map(|id| Feed::Client(*id)))
        }
        Kind::ClinicSettings | Kind::Visit => {}
    }
    feeds
}

/// The clients that a document is about, by what it says now.
pub fn people_of(doc: &Document) -> Vec<ClientId> {
    match doc.kind {
        Kind::Client => vec![doc.id.into()],
        Kind::Patient => crate::documents::Patient::read(doc).0.present_owners().collect(),
        Kind::Appointment => crate::documents::Appointment::read(doc)
            .0
            .client
            .into_iter()
            .collect(),
        Kind::ClinicProfile | Kind::ClinicSettings | Kind::Visit => Vec::new(),
    }
}

/// Why something may not be done. The words on screen come from the translations; the code is stable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum Denied {
    #[error("nobody with these roles may write {field} of a {}", kind.word())]
    Field { kind: Kind, field: String },
    #[error("a {} is not created by these roles", kind.word())]
    Create { kind: Kind },
    #[error("the {} belongs to somebody else", kind.word())]
    NotYours { kind: Kind },
    #[error("{what} is not how a {} is written", kind.word())]
    Form { kind: Kind, what: String },
    /// A device refuses this with a better word while the person types.
    #[error("{field} of a {} cannot have been then: {why}", kind.word())]
    Date { kind: Kind, field: String, why: Invalid },
}

impl Denied {
    pub fn code(&self) -> &'static str {
        match self {
            Self::Field { .. } => "field_not_permitted",
            Self::Create { .. } => "creation_not_permitted",
            Self::NotYours { .. } => "not_your_record",
            Self::Form { .. } => "malformed_change",
            Self::Date { .. } => "impossible_date",
        }
    }
}

use Role::{ClinicAdministrator as Admin, FrontDesk as Desk, Owner, Technician as Tech, Veterinarian as Vet};

const STAFF: &[Role] = &[Desk, Tech, Vet, Admin];
const CLINICAL: &[Role] = &[Tech, Vet];

/// One row: who may write the fields that a pattern matches. `*` stands for one segment, a trailing `**` for the rest.
struct Rule {
    kind: Kind,
    fields: &'static str,
    roles: &'static [Role],
}

const fn rule(kind: Kind, fields: &'static str, roles: &'static [Role]) -> Rule {
    Rule { kind, fields, roles }
}

/// The permission table. The first row whose pattern matches decides; what no row matches nobody writes.
const RULES: &[Rule] = &[
    rule(Kind::ClinicProfile, "name", &[Admin]),
    rule(Kind::ClinicProfile, "phone", &[Admin]),
    rule(Kind::ClinicProfile, "email", &[Admin]),
    rule(Kind::ClinicProfile, "address", &[Admin]),
    rule(Kind::ClinicProfile, "time_zone", &[Admin]),
    rule(Kind::ClinicProfile, "hours/*", &[Admin]),
    rule(Kind::ClinicSettings, "rooms/*/*", &[Admin]),
    rule(Kind::ClinicSettings, "staff/*/*", &[Admin]),
    rule(Kind::ClinicSettings, "types/*/*", &[Admin]),
    rule(Kind::Client, "phones/*/*", &[Desk, Tech, Vet, Admin, Owner]),
    rule(Kind::Client, "emails/*/*", &[Desk, Tech, Vet, Admin, Owner]),
    rule(Kind::Client, "address", &[Desk, Tech, Vet, Admin, Owner]),
    rule(
        Kind::Client,
        "preferred_channel",
        &[Desk, Tech, Vet, Admin, Owner],
    ),
    rule(Kind::Client, "given_name", STAFF),
    rule(Kind::Client, "family_name", STAFF),
    rule(Kind::Client, "client/*", STAFF),
    rule(Kind::Patient, "weights/**", CLINICAL),
    rule(Kind::Patient, "alerts/**", CLINICAL),
    rule(Kind::Patient, "death/*", &[Desk, Tech, Vet, Admin, Owner]),
    rule(Kind::Patient, "owners/*/*", STAFF),
    rule(Kind::Patient, "name", STAFF),
    rule(Kind::Patient, "species", STAFF),
    rule(Kind::Patient, "breed", STAFF),
    rule(Kind::Patient, "colour", STAFF),
    rule(Kind::Patient, "sex", STAFF),
    rule(Kind::Patient, "neutered", STAFF),
    rule(Kind::Patient, "born", STAFF),
    rule(Kind::Patient, "microchip", STAFF),
    rule(Kind::Patient, "patient/*", STAFF),
    rule(Kind::Appointment, "client", STAFF),
    rule(Kind::Appointment, "patient", STAFF),
    rule(
        Kind::Appointment,
        "booking/cancelled_at",
        &[Desk, Tech, Vet, Admin, Owner],
    ),
    rule(
        Kind::Appointment,
        "booking/cancel_reason",
        &[Desk, Tech, Vet, Admin, Owner],
    ),
    rule(Kind::Appointment, "booking/*", STAFF),
    rule(Kind::Appointment, "whereabouts/*", STAFF),
    rule(Kind::Appointment, "clinical/*", CLINICAL),
    rule(Kind::Visit, "history", CLINICAL),
    rule(Kind::Visit, "vitals/*/*", CLINICAL),
    rule(Kind::Visit, "patient", CLINICAL),
    rule(Kind::Visit, "appointment", CLINICAL),
    rule(Kind::Visit, "reason", CLINICAL),
    rule(Kind::Visit, "vet", CLINICAL),
    rule(Kind::Visit, "started_at", CLINICAL),
    rule(Kind::Visit, "started_by", CLINICAL),
    rule(Kind::Visit, "examination", &[Vet]),
    rule(Kind::Visit, "assessment", &[Vet]),
    rule(Kind::Visit, "plan", &[Vet]),
    rule(Kind::Visit, "finished_at", CLINICAL),
    rule(Kind::Visit, "finished_by", CLINICAL),
];

/// Days that a person names as past. Moments that a device's clock wrote are not judged: a clock that lies must not cost
/// anybody a visit.
const PAST: &[(Kind, &str)] = &[(Kind::Patient, "born"), (Kind::Patient, "death/on")];

/// What cannot be read as a date passes: reading reports it.
fn judge_date(kind: Kind, field: &str, value: &ScalarValue, now: Timestamp) -> Result<(), Denied> {
    if !PAST
        .iter()
        .any(|(of, pattern)| *of == kind && matches(pattern, field))
    {
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

/// Who may bring a document of a kind into being.
fn creators(kind: Kind) -> &'static [Role] {
    match kind {
        Kind::ClinicProfile | Kind::ClinicSettings => &[Admin],
        Kind::Client | Kind::Patient | Kind::Appointment => STAFF,
        Kind::Visit => CLINICAL,
    }
}

fn matches(pattern: &str, field: &str) -> bool {
    let (mut pattern, mut field) = (pattern.split('/'), field.split('/'));
    loop {
        match (pattern.next(), field.next()) {
            (None, None) => return true,
            (Some("**"), Some(_)) => return true,
            (Some("*"), Some(segment)) if !segment.is_empty() => {}
            (Some(expected), Some(segment)) if expected == segment => {}
            _ => return false,
        }
    }
}

/// Roles that may write a field, or `None` if no row of the table knows it.
pub fn writers(kind: Kind, field: &str) -> Option<&'static [Role]> {
    RULES
        .iter()
        .find(|rule| rule.kind == kind && matches(rule.fields, field))
        .map(|rule| rule.roles)
}

/// May this person write this field of a document about `people`?
pub fn may_write(principal: &Principal, kind: Kind, people: &[ClientId], field: &str) -> Result<(), Denied> {
    let denied = || Denied::Field {
        kind,
        field: field.to_owned(),
    };
    let roles = writers(kind, field).ok_or_else(denied)?;
    if principal
        .roles
        .iter()
        .any(|role| *role != Owner && roles.contains(role))
    {
        return Ok(());
    }
    if roles.contains(&Owner) && principal.roles.contains(&Owner) {
        return match principal.client {
            Some(client) if people.contains(&client) => Ok(()),
            _ => Err(Denied::NotYours { kind }),
        };
    }
    Err(denied())
}

/// May this person create a document of this kind?
pub fn may_create(principal: &Principal, kind: Kind) -> Result<(), Denied> {
    if principal.roles.iter().any(|role| creators(kind).contains(role)) {
        Ok(())
    } else {
        Err(Denied::Create { kind })
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
        .judge(is_new, change, now)
        .map(drop)
}

/// What has to be known of a document to judge one person's changes to it, worked out once for a run of them.
#[derive(Debug)]
pub struct Judge<'a> {
    principal: &'a Principal,
    kind: Kind,
    people: Vec<ClientId>,
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
    pub fn judge(&self, is_new: bool, change: &Change, now: Timestamp) -> Result<Ground, Denied> {
        let kind = self.kind;
        let form = |what: &str| Denied::Form {
            kind,
            what: String::from(what),
        };
        if is_new {
            may_create(self.principal, kind)?;
        }
        let mut ground = Ground::Same;
        let mut allowed: Vec<&str> = Vec::new();
        let operations = change.decode().operations;
        for op in &operations {
            let field: &str = match (&op.obj, &op.key, &op.action) {
                (ObjectId::Root, Key::Map(key), OpType::Put(value)) => {
                    judge_date(kind, key, value, now)?;
                    key
                }
                (ObjectId::Root, _, OpType::Delete) => return Err(form("deleting a field")),
                (ObjectId::Root, _, OpType::Make(ObjType::Map | ObjType::List | ObjType::Table)) => {
                    return Err(form("a container inside the document"));
                }
                (ObjectId::Root, ..) => return Err(form("this operation on a field")),
                (ObjectId::Id(object), Key::Seq(_), OpType::Put(ScalarValue::Str(_)) | OpType::Delete) => {
                    let text = self
                        .texts
                        .iter()
                        .find(|(counter, actor, _)| *counter == object.counter() && actor == object.actor());
                    match text {
                        Some((_, _, key)) => key,
                        None => return Err(form("writing into an unknown text")),
                    }
                }
                (ObjectId::Id(_), ..) => return Err(form("this operation in a text")),
            };
            if !allowed.contains(&field) {
                may_write(self.principal, kind, &self.people, field)?;
                allowed.push(field);
            }
            if op.obj == ObjectId::Root && carries_judging(kind, field) {
                ground = Ground::Moved;
            }
        }
        Ok(ground)
    }
}

/// Whether judging rests on a field of the root: who the document is about, and where its texts are.
fn carries_judging(kind: Kind, field: &str) -> bool {
    let names_people = match kind {
        Kind::Patient => field.starts_with("owners/"),
        Kind::Appointment => field == "client",
        Kind::Client | Kind::Visit | Kind::ClinicProfile | Kind::ClinicSettings => false,
    };
    names_people || kind.texts().contains(&field)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::documents::Stamp;
    use crate::ids::{AccountId, ClinicId, DocumentId};
    use automerge::{ActorId, Automerge, ROOT, transaction::Transactable};
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
    fn patterns() {
        let check =
            |pattern, field, expected| assert_eq!(matches(pattern, field), expected, "{pattern} {field}");
        check("name", "name", true);
        check("name", "name/x", false);
        check("hours/*", "hours/1", true);
        check("hours/*", "hours/", false);
        check("hours/*", "hours", false);
        check("weights/**", "weights/1/kg", true);
        check("weights/**", "weights", false);
    }

    #[test]
    fn every_field_that_a_rule_names_is_reachable() {
        for (index, rule) in RULES.iter().enumerate() {
            let sample = rule.fields.replace("**", "x/y").replace('*', "x");
            let first = RULES
                .iter()
                .position(|r| r.kind == rule.kind && matches(r.fields, &sample));
            assert_eq!(
                first,
                Some(index),
                "{} {} is shadowed",
                rule.kind.word(),
                rule.fields
            );
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
    fn the_ground_moves_where_judging_rests_on_it() {
        let check = |kind, field: &str, expected: bool| {
            assert_eq!(carries_judging(kind, field), expected, "{} {field}", kind.word());
        };
        check(Kind::Patient, "owners/x/since", true);
        check(Kind::Patient, "name", false);
        check(Kind::Appointment, "client", true);
        check(Kind::Appointment, "patient", false);
        check(Kind::Visit, "plan", true);
        check(Kind::Visit, "reason", false);
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
