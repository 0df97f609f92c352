//! Several people work on one device: each one's work is counted as theirs, and nobody's waits for nothing.

use crate::clinic::{Device, NORA, VET, signing_key};
use crate::recovery::{at_rest, outbox, patient, rename, settled, texts, visit_of, visiting, write};
use crate::server::{connect, pushes};
use local_core::query::{Connection, StatusView};
use local_core::{Effect, Event, Query, View};
use shared_model::authorship::key_id;
use shared_model::commands::*;
use shared_model::documents::Section;
use shared_model::ids::AccountId;
use shared_model::permissions::Role;
use shared_model::protocol::Goodbye;

fn status(device: &mut Device) -> StatusView {
    match device.look(Query::Status) {
        View::Status(status) => status,
        other => panic!("no status: {other:?}"),
    }
}

#[test]
fn the_status_speaks_of_ones_own_work_and_names_the_others() {
    let mut device = Device::new();
    let since = device.now;
    assert_eq!(status(&mut device).waiting, 3);
    device.sign_out();
    device.now = device.now.plus_minutes(5);
    device.nora_signs_in();
    let (_, effects) = connect(&mut device);
    assert!(pushes(&effects).is_empty());

    let shown = status(&mut device);
    assert_eq!(
        (shown.waiting, shown.waiting_since, shown.needs_attention),
        (0, None, 0)
    );
    let [ana] = &shown.others[..] else {
        panic!("one other person: {:?}", shown.others)
    };
    assert_eq!((ana.account, ana.name.as_str()), (VET, "Ana Moreno"));
    assert_eq!((ana.waiting, ana.since, ana.refused), (3, Some(since), 0));
    let page = outbox(&mut device);
    assert_eq!((page.waiting_total, page.waiting.len()), (0, 0));
    assert_eq!(page.others, shown.others);
    assert_eq!(device.core.standing().1, 0);

    device.sign_out();
    assert_eq!(device.core.standing().1, 3, "it waits whoever is signed in");
    device.vet_signs_in();
    let shown = status(&mut device);
    assert_eq!((shown.waiting, shown.others.len()), (3, 0));
    assert_eq!(device.core.standing().1, 3);
}

#[test]
fn whoever_is_kept_out_hears_whose_work_waits() {
    let mut device = Device::new();
    device.sign_out();
    device.nora_signs_in();
    device.sign_out();
    let refused = device
        .sign_in(&[Role::Owner])
        .into_iter()
        .find_map(|effect| match effect {
            Effect::SignInRefused { waiting, name } => Some((waiting, name)),
            _ => None,
        });
    assert_eq!(
        refused,
        Some((3, "Ana Moreno".to_owned())),
        "not Nora, who was here last"
    );
    assert_eq!(device.core.standing().1, 3);
}

/// Somebody's work waits here while the other one is signed in.
fn with_names_of_rex() -> (Device, crate::recovery::Clinic, shared_model::ids::PatientId) {
    let (mut device, clinic, rex) = settled();
    device.must(rename(rex, "Rexie"));
    device.sign_out();
    device.nora_signs_in();
    (device, clinic, rex)
}

fn edit_breed(patient: shared_model::ids::PatientId) -> EditPatient {
    EditPatient {
        breed: Some("Poodle".to_owned()),
        ..EditPatient::of(patient)
    }
}

#[test]
fn whoever_signs_in_sends_a_colleagues_work_as_the_colleagues() {
    let (mut device, mut clinic, rex) = with_names_of_rex();
    let waits = &status(&mut device).others[0];
    assert_eq!((waits.account, waits.waiting), (VET, 1));
    // On the colleague's words and beside them: all of it goes at once.
    device.must(rename(rex, "Rexi"));
    device.must(edit_breed(rex));
    assert_eq!((status(&mut device).waiting, status(&mut device).held), (2, 0));
    let (hello, effects) = connect(&mut device);
    let [push] = &pushes(&effects)[..] else {
        panic!("one push: {effects:?}")
    };
    let [item] = &push.items[..] else {
        panic!("one document: {push:?}")
    };
    assert_eq!(hello.signing_key[..], signing_key(NORA).public());
    assert_eq!(item.changes.len(), 3);
    let signed: Vec<_> = item
        .signatures
        .iter()
        .map(|signature| (signature.change, signature.key.map(|key| *key)))
        .collect();
    let anas = key_id(&signing_key(VET).public());
    assert!(signed.contains(&(0, Some(anas))), "{signed:?}");
    assert!(signed.contains(&(2, None)), "{signed:?}");
    clinic.converse(&mut device, effects, |_| false);
    let shown = status(&mut device);
    assert_eq!(
        (shown.waiting, shown.needs_attention, shown.others.len()),
        (0, 0, 0)
    );
    let now = patient(&mut device, rex);
    assert_eq!((now.name.as_str(), now.breed.as_str()), ("Rexi", "Poodle"));
    at_rest(&mut device, &clinic);
}

#[test]
fn work_of_somebody_whose_key_the_clinic_does_not_know_waits_for_them() {
    let mut device = Device::new();
    let mut clinic = crate::recovery::Clinic::default();
    let petra = device.client("Petra", "Novak", "601555014");
    let rex = device.pet(petra, "Rex", "");
    // She has not been connected since she signed in.
    device.sign_out();
    device.nora_signs_in();
    device.must(edit_breed(rex));
    device.client("Jan", "Svoboda", "601555016");
    assert_eq!((status(&mut device).waiting, status(&mut device).held), (2, 1));
    let (_, effects) = connect(&mut device);
    clinic.converse(&mut device, effects, |_| false);
    let shown = status(&mut device);
    assert_eq!((shown.waiting, shown.held, shown.needs_attention), (1, 1, 0));
    assert_eq!(clinic.documents.len(), 1, "what is nobody else's goes on");

    device.sign_out();
    device.vet_signs_in();
    let (_, effects) = connect(&mut device);
    clinic.converse(&mut device, effects, |_| false);
    assert!(
        status(&mut device).others.is_empty(),
        "hers and what waited for it"
    );
    let now = patient(&mut device, rex);
    assert_eq!((now.name.as_str(), now.breed.as_str()), ("Rex", "Poodle"));
    assert!(outbox(&mut device).refused.is_empty());
    at_rest(&mut device, &clinic);
}

#[test]
fn what_stands_before_what_waits_for_a_colleague_goes() {
    let mut device = Device::new();
    let mut clinic = crate::recovery::Clinic::default();
    device.sign_out();
    device.nora_signs_in();
    let petra = device.client("Petra", "Novak", "601555014");
    let rex = device.pet(petra, "Rex", "");
    // She has not been connected since she signed in.
    device.sign_out();
    device.vet_signs_in();
    device.must(edit_breed(rex));
    device.sign_out();
    device.nora_signs_in();
    device.must(rename(rex, "Rexi"));
    assert_eq!((status(&mut device).waiting, status(&mut device).held), (3, 1));
    let (_, effects) = connect(&mut device);
    clinic.converse(&mut device, effects, |_| false);
    let shown = status(&mut device);
    assert_eq!((shown.waiting, shown.held), (1, 1));
    assert_eq!(clinic.documents.len(), 2, "Petra, and Rex as he was entered");

    device.sign_out();
    device.vet_signs_in();
    let (_, effects) = connect(&mut device);
    clinic.converse(&mut device, effects, |_| false);
    let now = patient(&mut device, rex);
    assert_eq!((now.name.as_str(), now.breed.as_str()), ("Rexi", "Poodle"));
    assert!(status(&mut device).others.is_empty());
    at_rest(&mut device, &clinic);
}

#[test]
fn what_was_written_on_a_colleagues_words_stands_alone_if_theirs_is_refused() {
    let (mut device, mut clinic, rex) = with_names_of_rex();
    device.must(rename(rex, "Rexi"));
    let (_, effects) = connect(&mut device);
    let mut first = true;
    clinic.converse(&mut device, effects, |_| std::mem::take(&mut first));
    assert_eq!(patient(&mut device, rex).name, "Rexi");
    let shown = status(&mut device);
    assert_eq!(
        (shown.waiting, shown.needs_attention, shown.others[0].refused),
        (0, 0, 1)
    );
    at_rest(&mut device, &clinic);
}

#[test]
fn a_colleagues_work_that_was_done_again_without_them_waits_for_their_signature() {
    let (mut device, mut clinic, rex) = settled();
    device.must(rename(rex, "Rexie"));
    device.must(edit_breed(rex));
    device.sign_out();
    device.nora_signs_in();
    let (_, effects) = connect(&mut device);
    let mut first = true;
    clinic.converse(&mut device, effects, |_| std::mem::take(&mut first));
    // The breed was written on the name that was refused: it is another change now, and her key has gone with her.
    let others = &status(&mut device).others[0];
    assert_eq!((others.account, others.waiting, others.refused), (VET, 1, 1));
    assert_eq!(patient(&mut device, rex).breed, "Poodle");
    device.must(EditPatient {
        colour: Some("black".to_owned()),
        ..EditPatient::of(rex)
    });
    assert_eq!(status(&mut device).held, 1);

    device.sign_out();
    device.vet_signs_in();
    let (_, effects) = connect(&mut device);
    clinic.converse(&mut device, effects, |_| false);
    let shown = status(&mut device);
    assert_eq!(
        (shown.waiting, shown.needs_attention, shown.others.len()),
        (0, 1, 0)
    );
    let now = patient(&mut device, rex);
    assert_eq!((now.breed.as_str(), now.colour.as_str()), ("Poodle", "black"));
    at_rest(&mut device, &clinic);
}

#[test]
fn two_whose_work_lacks_their_signatures_do_not_wait_for_each_other() {
    let (mut device, mut clinic, rex) = settled();
    device.sign_out();
    device.nora_signs_in();
    connect(&mut device);
    device.sign_out();
    device.vet_signs_in();
    device.must(rename(rex, "Rexie"));
    device.must(EditPatient {
        colour: Some("black".to_owned()),
        ..EditPatient::of(rex)
    });
    device.sign_out();
    device.nora_signs_in();
    device.must(edit_breed(rex));
    device.sign_out();
    // In a third one's session the first of it is refused, and the rest done again without those whose it is.
    let third = AccountId(uuid::Uuid::from_u128(99));
    device.sign_in_as(third, "Tomas Kral", &[Role::FrontDesk]);
    let (_, effects) = connect(&mut device);
    let mut first = true;
    clinic.converse(&mut device, effects, |_| std::mem::take(&mut first));
    let waiting: u64 = status(&mut device).others.iter().map(|one| one.waiting).sum();
    assert_eq!(waiting, 2);
    for who in [VET, NORA] {
        device.sign_out();
        match who == VET {
            true => device.vet_signs_in(),
            false => device.nora_signs_in(),
        }
        let (_, effects) = connect(&mut device);
        clinic.converse(&mut device, effects, |_| false);
    }
    let shown = status(&mut device);
    assert_eq!((shown.waiting, shown.held), (0, 0));
    assert!(shown.others.iter().all(|one| one.waiting == 0));
    let now = patient(&mut device, rex);
    assert_eq!(
        (now.name.as_str(), now.breed.as_str(), now.colour.as_str()),
        ("Rex", "Poodle", "black")
    );
    at_rest(&mut device, &clinic);
}

#[test]
fn a_store_of_a_build_that_signed_nothing_is_worked_on_and_signed_at_the_next_sign_in() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("clinic.db");
    let mut device = Device::on(rusqlite::Connection::open(&file).unwrap());
    device.vet_signs_in();
    let petra = device.client("Petra", "Novak", "601555014");
    let now = device.now;
    drop(device);
    let former = rusqlite::Connection::open(&file).unwrap();
    former
        .execute_batch(
            "DELETE FROM meta WHERE name LIKE 'signing key %'; UPDATE outbox SET signed_by = NULL, signature = NULL",
        )
        .unwrap();
    drop(former);

    let mut device = Device::on(rusqlite::Connection::open(&file).unwrap());
    device.now = now;
    let effects = device.handle(Event::Started);
    assert!(
        !effects.contains(&Effect::OpenSocket),
        "it has nothing to sign with"
    );
    assert_eq!(
        status(&mut device).connection,
        Connection::Stopped(Goodbye::SignIn)
    );
    device.must(EditClient {
        address: Some("Lipova 4, Brno".to_owned()),
        ..EditClient::of(petra)
    });
    assert_eq!(status(&mut device).waiting, 2);
    device.vet_signs_in();
    let mut clinic = crate::recovery::Clinic::default();
    let (_, effects) = connect(&mut device);
    clinic.converse(&mut device, effects, |_| false);
    at_rest(&mut device, &clinic);
}

#[test]
fn two_write_one_visit_on_one_device() {
    let (mut device, mut clinic, visit) = visiting();
    device.handle(Event::SocketClosed { dice: 0 });
    write(&mut device, visit, Section::History, 0, "Today: ");
    device.sign_out();
    device.sign_in_as(NORA, "Nora Lindqvist", &[Role::Technician, Role::Veterinarian]);
    let seen = visit_of(&mut device, visit).sections[0].text.clone();
    assert_eq!(seen, "Today: Ate grass.");
    let end = seen.chars().count();
    write(&mut device, visit, Section::History, end, " Twice.");
    write(&mut device, visit, Section::Plan, 0, "Diet");
    let (_, effects) = connect(&mut device);
    clinic.converse(&mut device, effects, |_| false);
    let shown = status(&mut device);
    assert_eq!((shown.waiting, shown.others.len()), (0, 0));
    let now = texts(&mut device, visit);
    assert_eq!(
        (now[0].as_str(), now[3].as_str()),
        ("Today: Ate grass. Twice.", "Diet")
    );
    assert!(outbox(&mut device).refused.is_empty());
    at_rest(&mut device, &clinic);
}
