//! What the permission table says beyond roles, as clinics meet it; and that no sequence of permitted changes shows
//! anybody what the table keeps from them.

use automerge::{ActorId, Change, ROOT, ReadDoc, transaction::Transactable};
use proptest::prelude::*;
use shared_model::documents::{
    Consent, ControlledDrugLedger, Conversation, Document, Invoice, Kind, LedgerVerb, Stamp, Visit, Writer,
};
use shared_model::ids::{AccountId, ClientId, ClinicId, DocumentId};
use shared_model::permissions::Role::{
    self, ClinicAdministrator, FrontDesk, Owner, SystemAdministrator, Technician, Veterinarian, Viewer,
};
use shared_model::permissions::{
    Condition, Denied, Feed, Principal, RULES, Reads, Rule, audience, judge, may_write, people_of, reads,
};
use shared_model::time::Timestamp;
use std::collections::BTreeSet;
use uuid::Uuid;

const NOW: Timestamp = Timestamp(1_795_435_200_000);
const CLINIC: ClinicId = ClinicId(Uuid::from_u128(1));
const ENTRY: Uuid = Uuid::from_u128(0xe);

/// Somebody at a device of their own.
struct Person {
    principal: Principal,
    actor: ActorId,
}

fn person(number: u8, roles: &[Role], client: Option<u128>) -> Person {
    Person {
        principal: Principal {
            account: AccountId(Uuid::from_u128(u128::from(number))),
            clinic: CLINIC,
            roles: roles.to_vec(),
            client: client.map(|id| ClientId(Uuid::from_u128(id))),
            name: String::new(),
        },
        actor: ActorId::from([number; 16]),
    }
}

fn vet() -> Person {
    person(10, &[Veterinarian], None)
}

fn tech() -> Person {
    person(11, &[Technician], None)
}

fn owner() -> Person {
    person(12, &[Owner], Some(0x100))
}

fn client(id: u128) -> String {
    ClientId(Uuid::from_u128(id)).to_string()
}

fn begin(kind: Kind) -> Document {
    Document::genesis(kind, CLINIC, DocumentId(Uuid::from_u128(0xd0c)))
}

impl Person {
    fn name(&self) -> String {
        self.principal.account.to_string()
    }

    fn change(&self, on: &Document, write: impl FnOnce(&mut Writer<'_>)) -> Change {
        self.try_change(on, write).expect("it writes something")
    }

    /// `None` if all of it stands there already.
    fn try_change(&self, on: &Document, write: impl FnOnce(&mut Writer<'_>)) -> Option<Change> {
        let stamp = Stamp {
            now: NOW,
            actor: self.actor.clone(),
            account: self.principal.account,
        };
        let change = on.clone().change(&stamp, "test", |w| {
            write(w);
            Ok::<_, ()>(())
        });
        change.expect("written")
    }

    /// Writes, if it is permitted; the document has it then.
    fn writes(&self, doc: &mut Document, write: impl FnOnce(&mut Writer<'_>)) -> Result<(), Denied> {
        let change = self.change(doc, write);
        self.pushes(doc, &change)
    }

    /// A change that may have been made on an older state.
    fn pushes(&self, doc: &mut Document, change: &Change) -> Result<(), Denied> {
        let is_new = doc.change_count() == 1;
        judge(&self.principal, doc, is_new, change, NOW)?;
        doc.apply(std::slice::from_ref(change)).expect("it fits");
        Ok(())
    }
}

fn heads(doc: &Document) -> String {
    let heads: Vec<String> = doc.heads().iter().map(ToString::to_string).collect();
    heads.join(" ")
}

fn sign(vet: &Person, doc: &mut Document) -> Result<(), Denied> {
    let heads = heads(doc);
    vet.writes(doc, |w| {
        w.put("signature/by", vet.name());
        w.put_time("signature/at", NOW);
        w.put("signature/heads", heads);
    })
}

#[test]
fn a_signed_visit_takes_addenda_and_nothing_else() {
    let (vet, tech) = (vet(), tech());
    let mut visit = begin(Kind::Visit);
    tech.writes(&mut visit, |w| {
        w.edit_text("history", 0, &[], "Vomits since Monday.")
    })
    .expect("a technician takes the history");
    let before = visit.clone();
    sign(&vet, &mut visit).expect("a veterinarian signs");

    let denied = |verdict: Result<(), Denied>, field: &str| {
        let closed = Denied::Closed {
            kind: Kind::Visit,
            field: field.to_owned(),
        };
        assert_eq!(verdict, Err(closed));
    };
    denied(
        vet.writes(&mut visit, |w| w.edit_text("assessment", 0, &[], "Gastritis.")),
        "assessment",
    );
    denied(tech.writes(&mut visit, |w| w.put("reason", "other")), "reason");
    let again = sign(&vet, &mut visit);
    assert!(matches!(again, Err(Denied::Standing { .. })), "{again:?}");

    let addendum = format!("addenda/{ENTRY}");
    tech.writes(&mut visit, |w| {
        w.put(&format!("{addendum}/text"), "The owner called: ate a sock.");
        w.put(&format!("{addendum}/by"), tech.name());
        w.put_time(&format!("{addendum}/at"), NOW);
    })
    .expect("an addendum");
    // Going on with a colleague's addendum would put words into their mouth.
    let goes_on = vet.writes(&mut visit, |w| w.put(&format!("{addendum}/more"), "x"));
    assert!(matches!(goes_on, Err(Denied::OthersEntry { .. })), "{goes_on:?}");
    // Nor is there a way around through somebody who builds on the addendum.
    denied(tech.writes(&mut visit, |w| w.put("vet", "x")), "vet");

    // Written at the same time, without knowing of the signature: kept, and shown as what it is.
    let away = person(16, &[Technician], None);
    let late = away.change(&before, |w| w.edit_text("history", 0, &[], "Late: "));
    away.pushes(&mut visit, &late).expect("nothing is dropped");
    let (read, problems) = Visit::read(&visit);
    let signature = read.signature.expect("signed");
    assert_eq!(signature.late_entries, ["history"]);
    assert_eq!(signature.made.by, Some(vet.principal.account));
    assert_eq!(read.addenda.len(), 1);
    assert_eq!(problems, []);
}

#[test]
fn waste_of_a_controlled_drug_takes_two_people() {
    let (vet, tech) = (vet(), tech());
    let mut ledger = begin(Kind::ControlledDrugLedger);
    vet.writes(&mut ledger, |w| w.put("drug", "Ketamine"))
        .expect("begun");
    let line = format!("lines/{ENTRY}");
    let key = |field: &str| format!("{line}/{field}");
    vet.writes(&mut ledger, |w| {
        w.put(&key("by"), vet.name());
        w.put_time(&key("at"), NOW);
        w.put(&key("verb"), LedgerVerb::Wasted.word());
        w.put(&key("quantity"), "0.4");
    })
    .expect("a line");
    assert_eq!(
        ControlledDrugLedger::read(&ledger).1.len(),
        1,
        "the witness is missing"
    );

    let alone = vet.writes(&mut ledger, |w| w.put(&key("witness"), vet.name()));
    assert!(matches!(alone, Err(Denied::SecondPerson { .. })), "{alone:?}");
    let for_another = vet.writes(&mut ledger, |w| w.put(&key("witness"), tech.name()));
    assert!(for_another.is_err(), "a name that one writes down proves nothing");
    let unseen = tech.writes(&mut ledger, |w| {
        w.put(&format!("lines/{}/witness", Uuid::from_u128(9)), tech.name());
    });
    assert!(
        matches!(unseen, Err(Denied::SecondPerson { .. })),
        "a line that is not there"
    );
    tech.writes(&mut ledger, |w| w.put(&key("witness"), tech.name()))
        .expect("the second person");

    let altered = vet.writes(&mut ledger, |w| w.put(&key("quantity"), "4"));
    assert!(matches!(altered, Err(Denied::Standing { .. })), "{altered:?}");
    let forged = tech.writes(&mut ledger, |w| w.put(&key("remark"), "x"));
    assert!(matches!(forged, Err(Denied::OthersEntry { .. })), "{forged:?}");
    vet.writes(&mut ledger, |w| {
        w.put_time(&key("retracted_at"), NOW);
        w.put(&key("retracted_by"), vet.name());
        w.put(&key("retracted_reason"), "wrong vial");
    })
    .expect("a retraction is keys of its own");
    let (read, problems) = ControlledDrugLedger::read(&ledger);
    assert_eq!(read.lines[0].witness, Some(tech.principal.account));
    assert!(read.lines[0].retracted.is_some());
    assert_eq!(read.balance(), 0.into());
    assert_eq!(problems, []);
}

#[test]
fn what_an_older_state_allowed_does_not_overwrite_a_line() {
    let (vet, tech) = (vet(), tech());
    let mut ledger = begin(Kind::ControlledDrugLedger);
    vet.writes(&mut ledger, |w| w.put("drug", "Ketamine"))
        .expect("begun");
    let before = ledger.clone();
    let key = |field: &str| format!("lines/{ENTRY}/{field}");
    vet.writes(&mut ledger, |w| {
        w.put(&key("by"), vet.name());
        w.put(&key("quantity"), "0.4");
    })
    .expect("a line");
    // Beside the line, in its place: it might win.
    let rival = tech.change(&before, |w| {
        w.put(&key("by"), tech.name());
        w.put(&key("quantity"), "0.1");
    });
    let verdict = tech.pushes(&mut ledger, &rival);
    assert!(matches!(verdict, Err(Denied::Standing { .. })), "{verdict:?}");
}

#[test]
fn an_owner_asks_for_an_appointment_and_may_cancel_it() {
    let (owner, desk) = (owner(), person(13, &[FrontDesk], None));
    let ask = |whose: u128| {
        let mut asked = begin(Kind::Appointment);
        let verdict = owner.writes(&mut asked, |w| {
            w.put("request/reason", "limping");
            w.put("request/by", owner.name());
            w.put_time("request/at", NOW);
            w.put("client", client(whose));
        });
        (asked, verdict)
    };
    assert_eq!(
        ask(0x101).1,
        Err(Denied::NotYours {
            kind: Kind::Appointment
        })
    );
    let (mut asked, verdict) = ask(0x100);
    verdict.expect("their own");
    let without = owner.writes(&mut begin(Kind::Appointment), |w| w.put("request/reason", "x"));
    assert!(
        matches!(without, Err(Denied::NotYours { .. })),
        "it is about nobody: {without:?}"
    );
    let on_behalf = owner.writes(&mut asked, |w| w.put("request/by", desk.name()));
    assert!(
        matches!(on_behalf, Err(Denied::OtherName { .. })),
        "{on_behalf:?}"
    );

    for (field, value) in [
        ("booking/slot", "1/2/3/"),
        ("whereabouts/arrived_at", "x"),
        ("client", &client(0x101)),
        ("patient", "x"),
    ] {
        let verdict = owner.writes(&mut asked, |w| w.put(field, value.to_owned()));
        // What stands there already is no change; that would be no test.
        assert!(
            matches!(verdict, Err(Denied::Field { .. })),
            "{field}: {verdict:?}"
        );
    }
    owner
        .writes(&mut asked, |w| w.put_time("booking/cancelled_at", NOW))
        .expect("cancelled");
    desk.writes(&mut asked, |w| w.put("booking/slot", "1/2/3/"))
        .expect("the desk books");
    let others =
        person(14, &[Owner], Some(0x101)).writes(&mut asked, |w| w.put("booking/cancel_reason", "x"));
    assert!(matches!(others, Err(Denied::NotYours { .. })));
}

#[test]
fn nobody_speaks_or_signs_in_anothers_name() {
    let (owner, desk) = (owner(), person(13, &[FrontDesk], None));
    let mut talk = begin(Kind::Conversation);
    let message = |id: u128, field: &str| format!("messages/{}/{field}", Uuid::from_u128(id));
    owner
        .writes(&mut talk, |w| {
            w.put("client", client(0x100));
            w.put(&message(1, "body"), "Is Rex awake?");
            w.put(&message(1, "by"), owner.name());
            w.put_time(&message(1, "at"), NOW);
        })
        .expect("an owner begins");
    let as_owner = desk.writes(&mut talk, |w| {
        w.put(&message(2, "body"), "I agree to everything");
        w.put(&message(2, "by"), owner.name());
    });
    assert!(matches!(as_owner, Err(Denied::OtherName { .. })), "{as_owner:?}");
    let anonymous = desk.writes(&mut talk, |w| w.put(&message(2, "body"), "x"));
    assert!(
        matches!(anonymous, Err(Denied::OthersEntry { .. })),
        "{anonymous:?}"
    );
    assert_eq!(Conversation::read(&talk).0.messages.len(), 1);

    let mut form = begin(Kind::Consent);
    desk.writes(&mut form, |w| {
        w.put("client", client(0x100));
        w.put("form/text", "I consent to anaesthesia.");
    })
    .expect("the desk prepares it");
    let signature = |field: &str| format!("signatures/{ENTRY}/{field}");
    owner
        .writes(&mut form, |w| {
            w.put(&signature("by"), owner.name());
            w.put_time(&signature("at"), NOW);
            w.put(&signature("name"), "Petra Novak");
        })
        .expect("the signer");
    let text = desk.writes(&mut form, |w| w.put("form/text", "I consent to euthanasia."));
    assert!(matches!(text, Err(Denied::Standing { .. })), "{text:?}");
    let by_owner = owner.writes(&mut form, |w| w.put("form/title", "x"));
    assert!(matches!(by_owner, Err(Denied::Field { .. })), "{by_owner:?}");
    assert_eq!(Consent::read(&form).0.signatures[0].name, "Petra Novak");
}

#[test]
fn a_posted_invoice_stays_as_it_is() {
    let desk = person(13, &[FrontDesk], None);
    let mut bill = begin(Kind::Invoice);
    let line = |field: &str| format!("lines/{ENTRY}/{field}");
    desk.writes(&mut bill, |w| {
        w.put("client", client(0x100));
        w.put(&line("what"), "Half a tablet");
        w.put(&line("quantity"), "0.5");
        w.put(&line("unit_price"), 333_i64);
    })
    .expect("drafted");
    let heads = heads(&bill);
    desk.writes(&mut bill, |w| {
        w.put("posted/number", "2026-17");
        w.put("posted/heads", heads);
        w.put("posted/by", desk.name());
        w.put_time("posted/at", NOW);
    })
    .expect("posted");
    let cheaper = desk.writes(&mut bill, |w| w.put(&line("unit_price"), 1_i64));
    assert!(matches!(cheaper, Err(Denied::Closed { .. })), "{cheaper:?}");
    let (read, problems) = Invoice::read(&bill);
    assert_eq!(read.total(), 167, "half a cent goes up, once");
    assert_eq!(read.posted.expect("posted").1.late_entries, Vec::<String>::new());
    assert_eq!(problems, []);
    desk.writes(&mut bill, |w| w.put_time("invoice/retracted_at", NOW))
        .expect("voided, on the record");
}

#[test]
fn a_value_does_not_take_the_place_of_a_text() {
    let mut notes = begin(Kind::ClientNotes);
    let verdict = vet().writes(&mut notes, |w| w.put("notes", "all that others wrote is gone"));
    assert!(matches!(verdict, Err(Denied::Form { .. })), "{verdict:?}");
}

#[test]
fn another_clinic_is_another_clinic() {
    let mut visit = Document::genesis(
        Kind::Visit,
        ClinicId(Uuid::from_u128(2)),
        DocumentId(Uuid::from_u128(3)),
    );
    let verdict = vet().writes(&mut visit, |w| w.put("reason", "x"));
    assert_eq!(verdict, Err(Denied::OtherClinic { kind: Kind::Visit }));
}

#[test]
fn a_screen_offers_no_more_than_the_judge_allows() {
    let owner = owner();
    let own = [ClientId(Uuid::from_u128(0x100))];
    assert!(may_write(&owner.principal, Kind::Appointment, &own, "client").is_err());
    assert!(may_write(&owner.principal, Kind::Appointment, &own, "request/reason").is_ok());
    // An account without a client record of its own owns nothing.
    let nobody = person(15, &[Owner], None);
    assert!(may_write(&nobody.principal, Kind::Appointment, &own, "request/reason").is_err());
}

/// Everybody who might try something; the owners have clients 0x100 and 0x101.
fn everybody() -> Vec<Person> {
    let single = Role::ALL
        .iter()
        .zip(20..)
        .map(|(role, number)| person(number, &[*role], Some(0x100)));
    single
        .chain([
            person(30, &[Owner, Viewer], Some(0x100)),
            person(31, &[Owner, Technician], Some(0x101)),
            person(32, &[Owner], Some(0x101)),
            person(33, &[Owner, SystemAdministrator], Some(0x101)),
            person(34, &[ClinicAdministrator, Veterinarian, FrontDesk], None),
        ])
        .collect()
}

/// One thing that somebody tries: who, which row of the table, with which value, on which earlier state.
type Attempt = (usize, usize, u8, usize);

fn attempt(person: &Person, doc: &Document, rule: &Rule, value: u8) -> Option<Change> {
    let named = [0x100, 0x101][usize::from(value % 2)];
    let field = match rule.fields.strip_prefix("owners/") {
        Some(_) => format!(
            "owners/{}/{}",
            client(named),
            ["since", "until"][usize::from(value / 2 % 2)]
        ),
        None => rule.fields.replace("**", "x/y").replace('*', "x"),
    };
    person.try_change(doc, |w| {
        if doc.kind.texts().contains(&field.as_str()) {
            w.edit_text(&field, 0, &[], "x");
        } else if rule.has(Condition::OwnName) {
            w.put(&field, person.name());
        } else if field.starts_with("owners/") {
            w.put_time(&field, Timestamp(i64::from(value)));
        } else if field == "client" {
            w.put(&field, client(named));
        } else {
            w.put(&field, format!("{value} {}", doc.change_count()));
        }
        if rule.has(Condition::OwnEntry) {
            let (entry, _) = field.rsplit_once('/').expect("an entry's field");
            w.put(&format!("{entry}/by"), person.name());
        }
        // An owner's own documents begin with themself.
        if value.is_multiple_of(3) && field != "client" && person.principal.roles.contains(&Owner) {
            w.put("client", client(named));
        }
    })
}

fn clients_among(feeds: &[Feed]) -> BTreeSet<ClientId> {
    let client = |feed: &Feed| match feed {
        Feed::Client(client) => Some(*client),
        _ => None,
    };
    feeds.iter().filter_map(client).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn no_sequence_of_permitted_changes_shows_more_than_the_table(
        kind in 0..Kind::ALL.len(),
        attempts in prop::collection::vec((0_usize..12, 0_usize..40, any::<u8>(), 0_usize..6), 1..25),
    ) {
        let kind = Kind::ALL[kind];
        let rules: Vec<&Rule> = RULES.iter().filter(|rule| rule.kind == kind).collect();
        let everybody = everybody();
        let mut states = vec![begin(kind)];
        let mut doc = begin(kind);
        let attempts: Vec<Attempt> = attempts;
        for (who, what, value, back) in attempts {
            let person = &everybody[who % everybody.len()];
            let seen = &states[states.len() - 1 - back.min(states.len() - 1)];
            let mut one = person.principal.clone();
            one.name = String::new();
            let Some(change) = attempt(person, seen, rules[what % rules.len()], value) else {
                continue;
            };
            let before = audience(kind, &people_of(&doc));
            let is_new = doc.change_count() == 1;
            if doc.has(&change.hash()) || judge(&one, &doc, is_new, &change, NOW).is_err() {
                continue;
            }
            // A device numbers its changes one after the other; a state of long ago would number them anew.
            let stale = doc.numbering().writers.get(&person.actor).is_some_and(|n| n.seq >= change.seq());
            if stale {
                continue;
            }
            doc.apply(std::slice::from_ref(&change)).expect("it fits");
            states.push(doc.clone());

            let after = audience(kind, &people_of(&doc));
            let (had, has) = (clients_among(&before), clients_among(&after));
            prop_assert!(after.contains(&Feed::Staff));
            prop_assert_eq!(after.contains(&Feed::Everyone), reads(kind) == Reads::Everyone);
            if reads(kind) == Reads::Staff {
                prop_assert!(has.is_empty(), "a {} reached an owner", kind.word());
            }
            let own = person.principal.own_client();
            let as_owner_alone = person.principal.roles.iter().all(|role| {
                matches!(role, Owner | Viewer | SystemAdministrator)
            });
            if as_owner_alone && kind != Kind::Client {
                // An owner gives nobody anything and takes nothing from anybody.
                prop_assert!(had.is_subset(&has), "an owner took it from somebody");
                prop_assert!(has.difference(&had).all(|gained| Some(*gained) == own), "an owner gave it away");
                prop_assert!(is_new || had == has, "an owner changed who reads it");
            }
            // Whoever wrote it could have read it: nobody writes blindly.
            let reads_it = person.principal.feeds().iter().any(|feed| after.contains(feed));
            prop_assert!(reads_it, "{:?} wrote a {} that they cannot read", person.principal.roles, kind.word());
        }
        // Texts are still texts, whatever was tried.
        let saved = automerge::Automerge::load(&doc.save()).expect("loads");
        for text in kind.texts() {
            let (value, _) = saved.get(ROOT, *text).expect("reads").expect("is there");
            prop_assert!(value.is_object());
        }
    }
}

#[test]
fn operations_that_no_table_knows_are_refused_for_everybody() {
    let people = [
        vet(),
        person(34, &[ClinicAdministrator, Veterinarian, FrontDesk], None),
    ];
    for kind in Kind::ALL {
        let doc = begin(kind);
        let seen = doc.heads();
        let hostile = |write: fn(&mut automerge::transaction::Transaction<'_>)| {
            let mut copy = automerge::Automerge::load(&doc.save()).expect("loads");
            copy.set_actor(ActorId::from([9; 16]));
            let mut tx = copy.transaction();
            write(&mut tx);
            tx.commit();
            copy.get_changes(&seen).remove(0)
        };
        let changes = [
            hostile(|tx| drop(tx.put_object(ROOT, "name", automerge::ObjType::Map))),
            hostile(|tx| drop(tx.put_object(ROOT, "name", automerge::ObjType::List))),
            hostile(|tx| drop(tx.put_object(ROOT, "name", automerge::ObjType::Text))),
            hostile(|tx| drop(tx.delete(ROOT, "kind"))),
            hostile(|tx| drop(tx.put(ROOT, "kind", "something"))),
            hostile(|tx| drop(tx.put(ROOT, "schema_version", 9))),
        ];
        for person in &people {
            for change in &changes {
                let verdict = judge(&person.principal, &doc, false, change, NOW);
                assert!(verdict.is_err(), "{}", kind.word());
            }
        }
    }
}
