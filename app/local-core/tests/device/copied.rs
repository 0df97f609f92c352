//! A device's files were copied, or an older copy of them restored: two stores write in one name until they notice.

use crate::clinic::{Device, nine};
use crate::recovery::{Clinic, at_rest, outbox, patient, rename, texts, write};
use crate::server::{connect, entry, page, pushes, reconnect, says, snapshot, wants};
use local_core::query::Connection;
use local_core::{Effect, Event};
use shared_model::commands::*;
use shared_model::documents::{Document, Section};
use shared_model::ids::{PatientId, VisitId};
use shared_model::protocol::{self, Content, ServerMessage};
use std::path::Path;
use tempfile::TempDir;

struct Copies {
    folder: TempDir,
    clinic: Clinic,
    rex: PatientId,
    visit: VisitId,
}

fn open(folder: &Path, name: &str, salt: u64) -> Device {
    let mut device = Device::on(rusqlite::Connection::open(folder.join(name)).unwrap());
    device.salt = salt;
    device.handle(Event::Started);
    device
}

impl Copies {
    /// A device whose clinic has everything, closed; `before` is done on it last and not sent.
    fn new(before: impl FnOnce(&mut Device, PatientId, VisitId)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut device = Device::on(rusqlite::Connection::open(folder.path().join("one.db")).unwrap());
        device.vet_signs_in();
        device.set_up_clinic();
        let petra = device.client("Petra", "Novak", "601555014");
        let rex = device.pet(petra, "Rex", "");
        let visit = VisitId(device.id());
        device.must(StartVisit {
            visit,
            appointment: None,
            patient: rex,
            vet: crate::clinic::VET,
            reason: String::new(),
        });
        write(&mut device, visit, Section::History, 0, "Ate grass.");
        let mut clinic = Clinic::default();
        let (_, effects) = connect(&mut device);
        clinic.converse(&mut device, effects, |_| false);
        device.handle(Event::SocketClosed { dice: 0 });
        before(&mut device, rex, visit);
        Self {
            folder,
            clinic,
            rex,
            visit,
        }
    }

    fn pair(&self) -> [Device; 2] {
        let path = self.folder.path();
        std::fs::copy(path.join("one.db"), path.join("two.db")).unwrap();
        [open(path, "one.db", 1), open(path, "two.db", 2)]
    }

    /// Everything that the clinic has, as its feed brings it.
    fn feed(&self) -> ServerMessage {
        let of = |document: &Document| {
            let genesis = Document::genesis(document.kind, document.clinic, document.id);
            let changes = document.changes_since(&genesis.heads());
            let changes = changes.iter().map(|change| change.raw_bytes().to_vec().into());
            entry(document.kind, document.id, Content::Changes(changes.collect()))
        };
        page(0, &self.clinic.documents.values().map(of).collect::<Vec<_>>())
    }

    /// The device connects, hears what the clinic has before or after it sends, and is answered.
    fn connects(&mut self, device: &mut Device, hears_first: bool) {
        let (_, pushed) = if device.core.standing().0 == Connection::Online {
            reconnect(device)
        } else {
            connect(device)
        };
        if hears_first {
            let effects = says(device, self.feed());
            self.talk(device, effects);
        }
        self.talk(device, pushed);
        let effects = says(device, self.feed());
        self.talk(device, effects);
    }

    /// Answers what the device sends and asks for, until it has no more.
    fn talk(&mut self, device: &mut Device, effects: Vec<Effect>) {
        let mut todo = vec![effects];
        while let Some(effects) = todo.pop() {
            for push in pushes(&effects) {
                let answer = self.clinic.answer(&push, |_| false);
                todo.push(says(device, answer));
            }
            for id in wants(&effects) {
                let document = &self.clinic.documents[&id];
                let whole = snapshot(document, document.save());
                todo.push(says(device, ServerMessage::Snapshot(whole)));
            }
        }
    }

    fn ends_with(&mut self, devices: &mut [Device], names: &[&str], history: &str) {
        for device in devices.iter_mut() {
            // Each hears what the others sent.
            self.connects(device, true);
        }
        for device in devices.iter_mut() {
            self.connects(device, true);
            assert!(outbox(device).refused.is_empty(), "{:?}", outbox(device).refused);
            let name = patient(device, self.rex).name;
            assert!(names.contains(&name.as_str()), "{name}");
            assert_eq!(texts(device, self.visit)[0], history);
            at_rest(device, &self.clinic);
        }
    }
}

/// Both write in the same records without the clinic, and nothing of either is lost or done twice.
#[test]
fn two_copies_write_and_both_copies_work_ends_at_the_clinic() {
    for hears_first in [false, true] {
        let mut copies = Copies::new(|_, _, _| {});
        let mut pair = copies.pair();
        pair[0].must(rename(copies.rex, "Rexie"));
        write(&mut pair[0], copies.visit, Section::History, 10, " Twice.");
        pair[1].must(EditPatient {
            breed: Some("Poodle".to_owned()),
            ..EditPatient::of(copies.rex)
        });
        write(&mut pair[1], copies.visit, Section::History, 0, "Yesterday: ");
        write(&mut pair[1], copies.visit, Section::History, 20, "!");
        for device in &mut pair {
            copies.connects(device, hears_first);
        }
        copies.ends_with(&mut pair, &["Rexie"], "Yesterday: Ate grass!. Twice.");
        assert_eq!(patient(&mut pair[0], copies.rex).breed, "Poodle");
        let ids: Vec<_> = pair.iter_mut().map(|device| reconnect(device).0.actor).collect();
        assert_ne!(ids[0], ids[1], "each has a name of its own");
    }
}

/// What waited when the copy was made is in both outboxes, and is done once.
#[test]
fn work_that_was_copied_with_the_store_is_done_once() {
    for hears_first in [false, true] {
        let mut copies = Copies::new(|device, _, visit| {
            write(device, visit, Section::History, 10, " Twice.");
        });
        let mut pair = copies.pair();
        write(&mut pair[0], copies.visit, Section::History, 17, " Slept.");
        write(&mut pair[1], copies.visit, Section::History, 0, "Today: ");
        for device in &mut pair {
            copies.connects(device, hears_first);
        }
        copies.ends_with(&mut pair, &["Rex"], "Today: Ate grass. Twice. Slept.");
    }
}

/// The program ends between noticing and the fresh name.
#[test]
fn noticing_survives_the_end_of_the_program() {
    let mut copies = Copies::new(|_, _, _| {});
    let [mut one, mut two] = copies.pair();
    write(&mut one, copies.visit, Section::History, 10, " Twice.");
    write(&mut two, copies.visit, Section::History, 0, "Today: ");
    copies.connects(&mut one, false);
    connect(&mut two);
    // Not through `Device::handle`: nobody answers the question for a fresh actor.
    let frame = protocol::encode(&copies.feed());
    let effects = two.core.handle(two.now, Event::Frame(frame));
    assert!(effects.contains(&Effect::FreshActor), "{effects:?}");
    drop(two);
    let mut two = Device::on(rusqlite::Connection::open(copies.folder.path().join("two.db")).unwrap());
    two.now = nine();
    assert!(
        two.core
            .handle(two.now, Event::Started)
            .contains(&Effect::FreshActor)
    );
    two.salt = 2;
    two.core.handle(two.now, Event::FreshActor([9; 16]));
    copies.connects(&mut two, true);
    copies.ends_with(&mut [one, two], &["Rex"], "Today: Ate grass. Twice.");
}

/// An older copy of the files is put back: what the clinic has of its own comes from the feed, and it goes on.
#[test]
fn an_older_copy_is_restored() {
    let mut copies = Copies::new(|_, _, _| {});
    let [mut one, mut two] = copies.pair();
    // The first goes on, the clinic has it, and then its files are lost; the second is what was saved of it.
    one.must(rename(copies.rex, "Rexie"));
    write(&mut one, copies.visit, Section::History, 10, " Twice.");
    copies.connects(&mut one, false);
    drop(one);
    copies.connects(&mut two, true);
    assert_eq!(patient(&mut two, copies.rex).name, "Rexie");
    write(&mut two, copies.visit, Section::History, 17, " Slept.");
    copies.ends_with(&mut [two], &["Rexie"], "Ate grass. Twice. Slept.");
}
