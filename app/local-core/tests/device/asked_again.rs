//! A window that did not hear the answer asks again, and nothing is carried out twice.

use crate::clinic::{Device, VET};
use crate::recovery::{outbox, rename, settled, texts, visit_of};
use crate::server::reconnect;
use local_core::{Decision, Effect, Event, Failure, PAGE_BITS, StorageTrouble};
use rusqlite::Connection;
use shared_model::commands::*;
use shared_model::documents::Section;
use shared_model::ids::VisitId;
use shared_model::permissions::Role;
use shared_model::time::Timestamp;
use std::path::Path;

/// The number of a browser window's question.
fn ticket(page: u64, number: u64) -> u64 {
    page << PAGE_BITS | number
}

/// The answers that come to a command, in order.
fn ask(device: &mut Device, ticket: u64, command: impl Into<Command>) -> Vec<Result<Timestamp, Failure>> {
    let command = command.into();
    answers(ticket, device.handle(Event::Command { ticket, command }))
}

fn answers(asked: u64, effects: Vec<Effect>) -> Vec<Result<Timestamp, Failure>> {
    let outcome = |effect| match effect {
        Effect::Answer { ticket, outcome } if ticket == asked => Some(outcome),
        _ => None,
    };
    effects.into_iter().filter_map(outcome).collect()
}

fn visiting(folder: &Path) -> (Device, VisitId) {
    let mut device = Device::on(Connection::open(folder.join("clinic.db")).unwrap());
    device.sign_in(&[Role::Veterinarian, Role::ClinicAdministrator]);
    device.set_up_clinic();
    let petra = device.client("Petra", "Novak", "601555014");
    let patient = device.pet(petra, "Rex", "");
    let visit = VisitId(device.id());
    device.must(StartVisit {
        visit,
        appointment: None,
        patient,
        vet: VET,
        reason: String::new(),
    });
    (device, visit)
}

/// A sentence that stands there twice if it is written twice.
fn typing(device: &mut Device, visit: VisitId) -> WriteInSection {
    WriteInSection {
        visit,
        section: Section::History,
        seen: visit_of(device, visit).heads,
        at: 0,
        delete: 0,
        insert: "Ate grass.".to_owned(),
    }
}

/// The program is killed at this moment: what another one finds is what lies in the folder now.
fn killed(device: Device, folder: &Path) -> (Device, tempfile::TempDir) {
    let after = tempfile::tempdir().unwrap();
    for name in ["clinic.db", "clinic.db-wal"] {
        std::fs::copy(folder.join(name), after.path().join(name)).unwrap();
    }
    let now = device.now.plus_minutes(1);
    drop(device);
    let mut again = Device::on(Connection::open(after.path().join("clinic.db")).unwrap());
    again.now = now;
    again.handle(Event::Started);
    (again, after)
}

#[test]
fn killed_between_the_commit_and_its_answer_the_command_is_not_carried_out_again() {
    let folder = tempfile::tempdir().unwrap();
    let (mut device, visit) = visiting(folder.path());
    let typed = typing(&mut device, visit);
    let first = device.now;
    // Nobody hears this answer.
    ask(&mut device, ticket(7, 1), typed.clone());
    let (mut device, _folder) = killed(device, folder.path());
    let waiting = outbox(&mut device).waiting_total;

    assert_eq!(ask(&mut device, ticket(7, 1), typed.clone()), [Ok(first)]);
    assert_eq!(texts(&mut device, visit)[0], "Ate grass.");
    assert_eq!(outbox(&mut device).waiting_total, waiting);

    // The same number of another window is another command.
    let now = device.now;
    assert_eq!(ask(&mut device, ticket(8, 1), typed), [Ok(now)]);
    assert_eq!(texts(&mut device, visit)[0], "Ate grass.Ate grass.");
}

#[test]
fn killed_before_the_commit_the_command_is_carried_out_once() {
    let folder = tempfile::tempdir().unwrap();
    let (mut device, visit) = visiting(folder.path());
    let typed = typing(&mut device, visit);
    let (mut device, _folder) = killed(device, folder.path());
    let now = device.now;
    for _ in 0..3 {
        assert_eq!(ask(&mut device, ticket(7, 1), typed.clone()), [Ok(now)]);
        device.now = device.now.plus_minutes(1);
    }
    assert_eq!(texts(&mut device, visit)[0], "Ate grass.");
}

#[test]
fn what_could_not_be_saved_is_carried_out_when_it_is_asked_for_again() {
    let folder = tempfile::tempdir().unwrap();
    let (mut device, visit) = visiting(folder.path());
    let typed = typing(&mut device, visit);
    device.core.store().forbid_writing(true).unwrap();
    let refused = Err(Failure::Storage(StorageTrouble::ReadOnly));
    assert_eq!(ask(&mut device, ticket(7, 1), typed.clone()), [refused]);
    device.core.store().forbid_writing(false).unwrap();
    device.handle(Event::RetryStorage);
    let now = device.now;
    assert_eq!(ask(&mut device, ticket(7, 1), typed), [Ok(now)]);
    assert_eq!(texts(&mut device, visit)[0], "Ate grass.");
}

#[test]
fn a_decision_is_made_once() {
    let (mut device, mut clinic, rex) = settled();
    device.must(rename(rex, "Rexie"));
    let (_, effects) = reconnect(&mut device);
    clinic.converse(&mut device, effects, |_| true);
    let rows = outbox(&mut device).matters.remove(0).rows;
    let instead = Event::Decide {
        ticket: ticket(7, 1),
        decision: Decision::Instead {
            rows,
            command: rename(rex, "Rexik").into(),
        },
    };
    let now = device.now;
    assert_eq!(answers(ticket(7, 1), device.handle(instead.clone())), [Ok(now)]);
    // Somebody has called him something else since.
    device.must(rename(rex, "Rex"));
    device.now = device.now.plus_minutes(1);
    assert_eq!(answers(ticket(7, 1), device.handle(instead)), [Ok(now)]);
    assert_eq!(crate::recovery::patient(&mut device, rex).name, "Rex");
}

#[test]
fn what_is_remembered_of_old_commands_does_not_grow() {
    let folder = tempfile::tempdir().unwrap();
    let (mut device, visit) = visiting(folder.path());
    for number in 1..=600 {
        let typed = typing(&mut device, visit);
        ask(&mut device, ticket(7, number), typed);
    }
    let store = device.core.store();
    assert_eq!(store.answered(ticket(7, 88)).unwrap(), None);
    assert_eq!(store.answered(ticket(7, 89)).unwrap(), Some(device.now));
    assert_eq!(store.answered(ticket(7, 600)).unwrap(), Some(device.now));
    // A host that never asks twice has nothing remembered.
    assert_eq!(store.answered(3).unwrap(), None);
}
