//! Several people work on one device: each one's work is counted as theirs, and nobody's waits for nothing.

use crate::clinic::{Device, NORA, VET};
use crate::recovery::{at_rest, outbox, patient, rename, settled, texts, visit_of, visiting, write};
use crate::server::{connect, pushes, reconnect};
use local_core::query::StatusView;
use local_core::{Effect, Event, Query, View};
use shared_model::commands::*;
use shared_model::documents::Section;
use shared_model::permissions::Role;

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

#[test]
fn work_beside_a_colleagues_is_sent_without_it() {
    let (mut device, mut clinic, rex) = with_names_of_rex();
    device.must(EditPatient {
        breed: Some("Poodle".to_owned()),
        ..EditPatient::of(rex)
    });
    let shown = patient(&mut device, rex);
    assert_eq!((shown.name.as_str(), shown.breed.as_str()), ("Rexie", "Poodle"));
    let (_, effects) = connect(&mut device);
    clinic.converse(&mut device, effects, |_| false);
    assert_eq!(
        (status(&mut device).waiting, outbox(&mut device).refused.len()),
        (0, 0)
    );
    assert_eq!(status(&mut device).others[0].waiting, 1);

    device.sign_out();
    device.vet_signs_in();
    let (_, effects) = connect(&mut device);
    clinic.converse(&mut device, effects, |_| false);
    let shown = patient(&mut device, rex);
    assert_eq!((shown.name.as_str(), shown.breed.as_str()), ("Rexie", "Poodle"));
    assert!(outbox(&mut device).refused.is_empty());
    at_rest(&mut device, &clinic);
}

#[test]
fn work_on_a_colleagues_words_waits_for_them_and_says_so() {
    let (mut device, mut clinic, rex) = with_names_of_rex();
    device.must(rename(rex, "Rexi"));
    device.must(EditPatient {
        breed: Some("Poodle".to_owned()),
        ..EditPatient::of(rex)
    });
    let (_, effects) = connect(&mut device);
    assert!(
        pushes(&effects).is_empty(),
        "it builds on what is not at the clinic"
    );
    let shown = status(&mut device);
    assert_eq!((shown.waiting, shown.held, shown.needs_attention), (2, 2, 0));
    // Other work goes on.
    device.client("Jan", "Svoboda", "601555016");
    let (_, effects) = reconnect(&mut device);
    clinic.converse(&mut device, effects, |_| false);
    let shown = status(&mut device);
    assert_eq!((shown.waiting, shown.held), (2, 2));

    for who in [VET, NORA] {
        device.sign_out();
        if who == VET {
            device.vet_signs_in()
        } else {
            device.nora_signs_in()
        }
        let (_, effects) = connect(&mut device);
        clinic.converse(&mut device, effects, |_| false);
        assert_eq!(status(&mut device).held, 0);
    }
    let shown = patient(&mut device, rex);
    assert_eq!((shown.name.as_str(), shown.breed.as_str()), ("Rexi", "Poodle"));
    assert!(outbox(&mut device).refused.is_empty());
    at_rest(&mut device, &clinic);
}

#[test]
fn what_waited_for_a_colleague_stands_alone_if_theirs_is_refused() {
    let (mut device, mut clinic, rex) = with_names_of_rex();
    device.must(rename(rex, "Rexi"));
    device.sign_out();
    device.vet_signs_in();
    let (_, effects) = connect(&mut device);
    clinic.converse(&mut device, effects, |_| true);
    device.sign_out();
    device.nora_signs_in();
    assert_eq!(status(&mut device).held, 0);
    let (_, effects) = connect(&mut device);
    clinic.converse(&mut device, effects, |_| false);
    assert_eq!(patient(&mut device, rex).name, "Rexi");
    let shown = status(&mut device);
    assert_eq!(
        (shown.waiting, shown.needs_attention, shown.others[0].refused),
        (0, 0, 1)
    );
    at_rest(&mut device, &clinic);
}

#[test]
fn two_write_one_visit_on_one_device() {
    let (mut device, mut clinic, visit) = visiting();
    device.handle(Event::SocketClosed { dice: 0 });
    write(&mut device, visit, Section::History, 0, "Today: ");
    device.sign_out();
    device.sign_in_as(NORA, "Nora Lindqvist", &[Role::Technician, Role::Veterinarian]);
    // She has seen the other's words, and writes elsewhere.
    write(&mut device, visit, Section::Plan, 0, "Diet");
    write(&mut device, visit, Section::Plan, 4, " and rest");
    let (_, effects) = connect(&mut device);
    clinic.converse(&mut device, effects, |_| false);
    assert_eq!(status(&mut device).waiting, 0);
    // In the same text she builds on the words.
    let seen = visit_of(&mut device, visit).sections[0].text.clone();
    assert_eq!(seen, "Today: Ate grass.");
    write(
        &mut device,
        visit,
        Section::History,
        seen.chars().count(),
        " Twice.",
    );
    assert_eq!((status(&mut device).waiting, status(&mut device).held), (1, 1));
    for vet in [true, false] {
        device.sign_out();
        if vet {
            device.vet_signs_in();
        } else {
            device.sign_in_as(NORA, "Nora Lindqvist", &[Role::Technician, Role::Veterinarian]);
        }
        let (_, effects) = connect(&mut device);
        clinic.converse(&mut device, effects, |_| false);
    }
    let now = texts(&mut device, visit);
    assert_eq!(
        (now[0].as_str(), now[3].as_str()),
        ("Today: Ate grass. Twice.", "Diet and rest")
    );
    assert!(outbox(&mut device).refused.is_empty());
    at_rest(&mut device, &clinic);
}
