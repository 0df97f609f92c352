//! The clinic refuses something: it is taken back here and listed with its reason, and what was built on it is done
//! again without it.

use crate::clinic::{CLINIC, Device, NORA, VET, signing_key};
use crate::server::{connect, entry, page, pushes, reconnect, says};
use automerge::ChangeHash;
use local_core::query::{OutboxView, VisitView};
use local_core::{Effect, Query, View};
use shared_model::authorship::{Lineage, PublicKey, key_id};
use shared_model::commands::*;
use shared_model::documents::{Document, Kind, Patient, Section, read_change};
use shared_model::ids::{AppointmentId, DocumentId, PatientId, VisitId, WeightId};
use shared_model::protocol::{Accepted, Content, Push, PushItem, Refusal, RefusalCode, ServerMessage};
use shared_model::values::Weight;
use std::collections::{BTreeMap, BTreeSet};

/// The clinic's side: it takes what builds on what it has, and refuses what it is told to.
#[derive(Default)]
pub(crate) struct Clinic {
    pub(crate) documents: BTreeMap<DocumentId, Document>,
    refused: BTreeSet<ChangeHash>,
}

impl Clinic {
    /// Answers a push; `refuse` is told of each change by the command's word in it.
    pub(crate) fn answer(&mut self, push: &Push, mut refuse: impl FnMut(&str) -> bool) -> ServerMessage {
        let mut refused = Vec::new();
        for item in &push.items {
            everything_is_signed(item);
            let document = self
                .documents
                .entry(item.document)
                .or_insert_with(|| Document::genesis(item.kind, CLINIC, item.document));
            for bytes in &item.changes {
                let change = read_change(bytes).unwrap();
                let verb = change.message().unwrap().to_owned();
                let ours = |known: &&automerge::Change| known.actor_id() == change.actor_id();
                let known = document.changes_since(&[]);
                let last = known.iter().filter(ours).map(automerge::Change::seq).max();
                let code = if document.has(&change.hash()) {
                    None
                } else if change.seq() <= last.unwrap_or(0) {
                    Some(RefusalCode::ActorReused)
                } else if change.deps().iter().any(|dep| self.refused.contains(dep)) {
                    Some(RefusalCode::BuildsOnRefused)
                } else if refuse(&verb) {
                    Some(RefusalCode::NotPermitted)
                } else if document.apply(std::slice::from_ref(&change)).is_err() {
                    Some(RefusalCode::MissingDependencies)
                } else {
                    None
                };
                if code.is_none() {
                    self.refused.remove(&change.hash());
                }
                if let Some(code) = code {
                    self.refused.insert(change.hash());
                    refused.push(Refusal {
                        document: item.document,
                        change: change.hash().0.to_vec().into(),
                        code,
                        reason: "because".to_owned(),
                    });
                }
            }
        }
        ServerMessage::Accepted(Accepted {
            push: push.number,
            refused,
            server_time: crate::clinic::nine(),
        })
    }

    /// Answers until nothing is pushed any more.
    pub(crate) fn converse(
        &mut self,
        device: &mut Device,
        effects: Vec<Effect>,
        mut refuse: impl FnMut(&str) -> bool,
    ) {
        let mut waiting = pushes(&effects);
        while let Some(push) = waiting.first().cloned() {
            waiting.remove(0);
            let answer = self.answer(&push, &mut refuse);
            let effects = says(device, answer);
            waiting.extend(pushes(&effects));
        }
    }
}

/// Each change of an item is signed by somebody who works on the device, or lies below one that is.
pub(crate) fn everything_is_signed(item: &PushItem) {
    let changes: Vec<_> = item
        .changes
        .iter()
        .map(|bytes| read_change(bytes).unwrap())
        .collect();
    let lineage = Lineage::of(changes.iter().map(Some));
    let mut spoken: BTreeSet<usize> = BTreeSet::new();
    for signature in &item.signatures {
        let signed = usize::from(signature.change);
        let good = [VET, NORA].into_iter().any(|account| {
            let public = signing_key(account).public();
            let named = signature.key.is_none_or(|key| key_id(&public) == *key);
            let key = PublicKey::from_bytes(&public).unwrap();
            named && key.has_signed(CLINIC, item.document, &changes[signed].hash(), &signature.bytes)
        });
        assert!(good, "a signature that is none");
        spoken.extend(lineage.spoken_for(signed));
    }
    assert_eq!(spoken.len(), changes.len(), "not everything is signed");
}

pub(crate) fn outbox(device: &mut Device) -> OutboxView {
    match device.look(Query::Outbox) {
        View::Outbox(outbox) => outbox,
        other => panic!("no outbox: {other:?}"),
    }
}

pub(crate) fn patient(device: &mut Device, id: PatientId) -> Patient {
    match device.look(Query::Patient(id)) {
        View::Patient(shown) => shown.patient,
        other => panic!("no patient: {other:?}"),
    }
}

pub(crate) fn visit_of(device: &mut Device, id: VisitId) -> Box<VisitView> {
    match device.look(Query::Visit(id)) {
        View::Visit(shown) => shown,
        other => panic!("no visit: {other:?}"),
    }
}

/// The verbs that need attention, oldest first, with the code of each.
pub(crate) fn needs_attention(device: &mut Device) -> Vec<(String, RefusalCode)> {
    let refused = outbox(device).refused;
    refused
        .into_iter()
        .rev()
        .map(|line| (line.verb, line.refused.unwrap().0))
        .collect()
}

fn bytes(device: &Device, id: impl Into<DocumentId>) -> Vec<u8> {
    device.core.store().document(id.into()).unwrap().unwrap().bytes
}

/// Device and clinic have the same documents, and the rows on the device are those of its documents.
pub(crate) fn at_rest(device: &mut Device, clinic: &Clinic) {
    assert_eq!(outbox(device).waiting_total, 0);
    for (id, there) in &clinic.documents {
        match device.core.store().document(*id).unwrap() {
            Some(stored) => {
                let here = Document::load(stored.kind, CLINIC, *id, &stored.bytes).unwrap();
                assert_eq!(here.heads(), there.heads());
            }
            None => assert_eq!(there.change_count(), 1, "only what was refused whole is not here"),
        }
    }
    let before = device.core.store().dump_projections().unwrap();
    device.core.rebuild().unwrap();
    assert_eq!(device.core.store().dump_projections().unwrap(), before);
}

/// A device whose clinic has everything of it, with a patient, and offline.
pub(crate) fn settled() -> (Device, Clinic, PatientId) {
    let mut device = Device::new();
    let mut clinic = Clinic::default();
    let petra = device.client("Petra", "Novak", "601555014");
    let rex = device.pet(petra, "Rex", "");
    let (_, effects) = connect(&mut device);
    clinic.converse(&mut device, effects, |_| false);
    at_rest(&mut device, &clinic);
    device
        .core
        .handle(device.now, local_core::Event::SocketClosed { dice: 0 });
    (device, clinic, rex)
}

pub(crate) fn rename(patient: PatientId, name: &str) -> EditPatient {
    EditPatient {
        name: Some(name.to_owned()),
        ..EditPatient::of(patient)
    }
}

fn weigh(device: &mut Device, patient: PatientId, kg: &str) {
    let entry = WeightId(device.id());
    let at = device.now;
    device.must(RecordWeight {
        patient,
        entry,
        weight: Weight::parse(kg).unwrap(),
        at,
        visit: None,
    });
}

#[test]
fn what_was_refused_is_taken_back_and_what_came_after_it_stands() {
    let (mut device, mut clinic, rex) = settled();
    device.must(rename(rex, "Rexie"));
    weigh(&mut device, rex, "19.4");
    device.must(EditPatient {
        breed: Some("Poodle".to_owned()),
        ..EditPatient::of(rex)
    });
    let (_, effects) = reconnect(&mut device);
    let mut first = true;
    clinic.converse(&mut device, effects, |verb| {
        verb == "edit_patient" && std::mem::take(&mut first)
    });
    let now = patient(&mut device, rex);
    assert_eq!((now.name.as_str(), now.breed.as_str()), ("Rex", "Poodle"));
    assert_eq!(now.weights.len(), 1);
    at_rest(&mut device, &clinic);
    let refused = outbox(&mut device).refused;
    assert_eq!(refused.len(), 1);
    assert_eq!(
        (refused[0].verb.as_str(), refused[0].about.as_str()),
        ("edit_patient", "Rex")
    );
    assert_eq!(
        refused[0].refused,
        Some((RefusalCode::NotPermitted, "because".to_owned()))
    );
    // And the name can be changed again, by somebody who may.
    device.must(rename(rex, "Max"));
    let (_, effects) = reconnect(&mut device);
    clinic.converse(&mut device, effects, |_| false);
    assert_eq!(patient(&mut device, rex).name, "Max");
    assert_eq!(
        needs_attention(&mut device).len(),
        1,
        "the refused one is still listed"
    );
    at_rest(&mut device, &clinic);
}

/// Every way to refuse some of six commands gives what the others alone would have given.
#[test]
fn any_of_several_commands_may_be_refused() {
    for refused in 0..64_u32 {
        let (mut device, mut clinic, rex) = settled();
        let words: [&str; 6] = ["Rexie", "poodle", "black", "Max", "collie", "white"];
        for (number, word) in words.into_iter().enumerate() {
            let word = Some(word.to_owned());
            let edit = EditPatient::of(rex);
            device.must(match number % 3 {
                0 => EditPatient { name: word, ..edit },
                1 => EditPatient { breed: word, ..edit },
                _ => EditPatient { colour: word, ..edit },
            });
        }
        let (_, effects) = reconnect(&mut device);
        let mut number = 0;
        let mut judged = BTreeSet::new();
        // A change that is refused for what it builds on comes again: each is judged once.
        clinic.converse(&mut device, effects, |_| {
            while judged.contains(&number) {
                number += 1;
            }
            judged.insert(number);
            refused & (1 << number) != 0
        });
        let last = |kind: usize, before: &str| {
            let taken = (0..6).rev().find(|n| n % 3 == kind && refused & (1 << n) == 0);
            taken.map_or(before.to_owned(), |n| words[n].to_owned())
        };
        let now = patient(&mut device, rex);
        assert_eq!(
            (now.name, now.breed, now.colour),
            (last(0, "Rex"), last(1, "Border Collie"), last(2, "")),
            "{refused:06b}"
        );
        assert_eq!(needs_attention(&mut device).len(), refused.count_ones() as usize);
        at_rest(&mut device, &clinic);
    }
}

/// A visit whose history reads "Ate grass." everywhere.
pub(crate) fn visiting() -> (Device, Clinic, VisitId) {
    let (mut device, mut clinic, rex) = settled();
    let visit = VisitId(device.id());
    device.must(StartVisit {
        visit,
        appointment: None,
        patient: rex,
        vet: VET,
        reason: String::new(),
    });
    write(&mut device, visit, Section::History, 0, "Ate grass.");
    let (_, effects) = reconnect(&mut device);
    clinic.converse(&mut device, effects, |_| false);
    at_rest(&mut device, &clinic);
    (device, clinic, visit)
}

pub(crate) fn write(device: &mut Device, visit: VisitId, section: Section, at: usize, insert: &str) {
    let seen = visit_of(device, visit).heads;
    write_having_seen(device, visit, section, seen, at, insert);
}

fn write_having_seen(
    device: &mut Device,
    visit: VisitId,
    section: Section,
    seen: Vec<[u8; 32]>,
    at: usize,
    insert: &str,
) {
    device.must(WriteInSection {
        visit,
        section,
        seen,
        at,
        delete: 0,
        insert: insert.to_owned(),
    });
}

pub(crate) fn texts(device: &mut Device, visit: VisitId) -> Vec<String> {
    let sections = visit_of(device, visit).sections;
    sections.into_iter().map(|section| section.text).collect()
}

#[test]
fn typing_goes_on_where_it_was_meant_without_what_was_refused() {
    let (mut device, mut clinic, visit) = visiting();
    device
        .core
        .handle(device.now, local_core::Event::SocketClosed { dice: 0 });
    let (_, _) = reconnect(&mut device);
    // The connection stands, but the clinic says nothing for a while.
    write(&mut device, visit, Section::Assessment, 0, "Gastritis");
    let seen = visit_of(&mut device, visit).heads;
    // Somebody else writes before the history; it arrives here.
    let there = clinic.documents.get_mut(&visit.into()).unwrap();
    let stamp = shared_model::documents::Stamp {
        now: device.now,
        actor: automerge::ActorId::from([8; 16]),
        account: VET,
    };
    let theirs = there
        .change(&stamp, "write_in_section", |w| {
            w.edit_text("history", 0, &[], "Yesterday: ");
            Ok::<_, ()>(())
        })
        .unwrap()
        .unwrap();
    let news = Content::Changes(vec![theirs.raw_bytes().to_vec().into()]);
    says(&mut device, page(0, &[entry(Kind::Visit, visit.into(), news)]));
    // The typist had not seen it yet.
    write_having_seen(&mut device, visit, Section::History, seen, 10, " Twice");
    write(&mut device, visit, Section::History, 27, ".");
    assert_eq!(texts(&mut device, visit)[0], "Yesterday: Ate grass. Twice.");

    let (_, effects) = reconnect(&mut device);
    let mut first = true;
    clinic.converse(&mut device, effects, |_| std::mem::take(&mut first));
    let now = texts(&mut device, visit);
    assert_eq!(
        (now[0].as_str(), now[2].as_str()),
        ("Yesterday: Ate grass. Twice.", "")
    );
    assert_eq!(
        needs_attention(&mut device),
        [("write_in_section".to_owned(), RefusalCode::NotPermitted)]
    );
    at_rest(&mut device, &clinic);
}

#[test]
fn typing_in_a_text_that_lost_a_part_is_not_guessed_at() {
    let (mut device, mut clinic, visit) = visiting();
    write(&mut device, visit, Section::Plan, 0, "Diet");
    write(&mut device, visit, Section::Plan, 4, " and rest");
    write(&mut device, visit, Section::History, 10, " Twice.");
    let (_, effects) = reconnect(&mut device);
    let mut first = true;
    clinic.converse(&mut device, effects, |_| std::mem::take(&mut first));
    let now = texts(&mut device, visit);
    assert_eq!((now[0].as_str(), now[3].as_str()), ("Ate grass. Twice.", ""));
    let verb = || "write_in_section".to_owned();
    assert_eq!(
        needs_attention(&mut device),
        [
            (verb(), RefusalCode::NotPermitted),
            (verb(), RefusalCode::BuildsOnRefused)
        ],
        "both are kept to be read"
    );
    at_rest(&mut device, &clinic);
}

#[test]
fn a_record_that_was_refused_whole_is_not_there() {
    let (mut device, mut clinic, _) = settled();
    let ana = device.client("Ana", "Moreno", "601555015");
    device.must(EditClient {
        address: Some("Long Street 5".to_owned()),
        ..EditClient::of(ana)
    });
    let (_, effects) = reconnect(&mut device);
    clinic.converse(&mut device, effects, |verb| verb == "register_client");
    assert_eq!(device.look(Query::Client(ana)), View::Missing);
    let View::Search(found) = device.look(Query::Search("moreno".to_owned())) else {
        panic!("no search")
    };
    assert!(found.hits.is_empty());
    assert_eq!(
        needs_attention(&mut device),
        [
            ("register_client".to_owned(), RefusalCode::NotPermitted),
            ("edit_client".to_owned(), RefusalCode::BuildsOnRefused)
        ]
    );
    at_rest(&mut device, &clinic);
}

#[test]
fn one_part_of_a_command_may_be_refused() {
    let (mut device, mut clinic, rex) = settled();
    let View::Patient(shown) = device.look(Query::Patient(rex)) else {
        panic!("no patient")
    };
    let owner = shown.owners[0].id;
    let appointment: AppointmentId = device.book(owner, rex, 600);
    let visit = VisitId::of_appointment(appointment);
    device.must(StartVisit {
        visit,
        appointment: Some(appointment),
        patient: rex,
        vet: VET,
        reason: "Vomiting".to_owned(),
    });
    let (_, effects) = reconnect(&mut device);
    // The visit is refused, its appointment's part is not.
    let mut number = 0;
    clinic.converse(&mut device, effects, |verb| {
        number += usize::from(verb == "start_visit");
        verb == "start_visit" && number == 2
    });
    assert_eq!(
        needs_attention(&mut device),
        [("start_visit".to_owned(), RefusalCode::NotPermitted)]
    );
    at_rest(&mut device, &clinic);
}

#[test]
fn what_was_under_way_when_the_refusal_came_is_sent_again() {
    let (mut device, mut clinic, rex) = settled();
    device.must(rename(rex, "Rexie"));
    let (_, effects) = reconnect(&mut device);
    let first = pushes(&effects).remove(0);
    // Typed while the first push is on its way.
    let effects = {
        let before = bytes(&device, rex);
        let effects = device.core.handle(
            device.now,
            local_core::Event::Command {
                ticket: 5,
                command: EditPatient {
                    breed: Some("Poodle".to_owned()),
                    ..EditPatient::of(rex)
                }
                .into(),
            },
        );
        assert_ne!(bytes(&device, rex), before);
        effects
    };
    let second = pushes(&effects).remove(0);
    let first_answer = clinic.answer(&first, |_| true);
    let effects = says(&mut device, first_answer);
    let third = pushes(&effects).remove(0);
    assert_eq!(third.items[0].changes.len(), 1);
    assert_ne!(
        third.items[0].changes, second.items[0].changes,
        "the same work, another change"
    );
    let now = patient(&mut device, rex);
    assert_eq!((now.name.as_str(), now.breed.as_str()), ("Rex", "Poodle"));

    let second_answer = clinic.answer(&second, |_| false);
    assert!(pushes(&says(&mut device, second_answer)).is_empty());
    assert_eq!(
        outbox(&mut device).waiting_total,
        1,
        "its refusal concerns nothing that is here"
    );
    let third_answer = clinic.answer(&third, |_| false);
    says(&mut device, third_answer);
    assert_eq!(needs_attention(&mut device).len(), 1);
    at_rest(&mut device, &clinic);
}

#[test]
fn typing_that_was_done_again_can_be_done_again_once_more() {
    let (mut device, mut clinic, visit) = visiting();
    let refused_again = std::cell::Cell::new(0);
    // Two refusals in a row, each of what lies below the typing in the history.
    write(&mut device, visit, Section::Plan, 0, "Diet");
    write(&mut device, visit, Section::Assessment, 0, "Gastritis");
    write(&mut device, visit, Section::History, 10, " Twice.");
    write(&mut device, visit, Section::History, 17, " Then slept.");
    let (_, effects) = reconnect(&mut device);
    clinic.converse(&mut device, effects, |_| {
        refused_again.set(refused_again.get() + 1);
        refused_again.get() <= 2
    });
    assert_eq!(texts(&mut device, visit)[0], "Ate grass. Twice. Then slept.");
    assert_eq!(needs_attention(&mut device).len(), 2);
    at_rest(&mut device, &clinic);
}
