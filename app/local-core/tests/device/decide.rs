//! A person decides about what the clinic refused: again, otherwise, by a colleague, or not at all.

use crate::clinic::{Device, NORA, VET, as_an_older_build_left_it};
use crate::recovery::{Clinic, at_rest, outbox, patient, rename, settled, texts, visiting, write};
use crate::server::{connect, entry, page, pushes, reconnect, says};
use local_core::query::{Matter, StatusView};
use local_core::{Decision, Effect, Event, Failure, Query, View};
use rusqlite::Connection;
use shared_model::commands::*;
use shared_model::documents::{Kind, Section};
use shared_model::ids::{PatientId, VisitId};
use shared_model::permissions::Role;
use shared_model::protocol::{Content, RefusalCode};
use shared_model::values::Invalid;

fn status(device: &mut Device) -> StatusView {
    match device.look(Query::Status) {
        View::Status(status) => status,
        other => panic!("no status: {other:?}"),
    }
}

/// The one thing to decide.
fn the_matter(device: &mut Device) -> Matter {
    let mut matters = outbox(device).matters;
    assert_eq!(matters.len(), 1, "{matters:?}");
    matters.remove(0)
}

/// The vet called Rex something else, and the clinic did not take it.
fn refused_name() -> (Device, Clinic, PatientId, Matter) {
    let (mut device, mut clinic, rex) = settled();
    device.must(rename(rex, "Rexie"));
    let (_, effects) = reconnect(&mut device);
    clinic.converse(&mut device, effects, |_| true);
    assert_eq!(patient(&mut device, rex).name, "Rex");
    let matter = the_matter(&mut device);
    (device, clinic, rex, matter)
}

/// The clinic takes everything that is sent now.
fn settle(device: &mut Device, clinic: &mut Clinic) {
    let (_, effects) = reconnect(device);
    clinic.converse(device, effects, |_| false);
    at_rest(device, clinic);
}

#[test]
fn what_was_refused_says_what_it_was() {
    let (mut device, _, rex, matter) = refused_name();
    assert_eq!(
        (matter.verb.as_str(), matter.about.as_str()),
        ("edit_patient", "Rex")
    );
    assert_eq!((matter.author.as_str(), matter.mine), ("Ana Moreno", true));
    assert_eq!(matter.code, RefusalCode::NotPermitted);
    assert_eq!(matter.command, Some(rename(rex, "Rexie").into()));
    assert_eq!(status(&mut device).needs_attention, 1);
}

#[test]
fn again_as_it_is() {
    let (mut device, mut clinic, rex, matter) = refused_name();
    device.decide(Decision::Again { rows: matter.rows }).unwrap();
    assert_eq!(patient(&mut device, rex).name, "Rexie");
    let shown = status(&mut device);
    assert_eq!((shown.waiting, shown.needs_attention), (1, 0));
    settle(&mut device, &mut clinic);
    assert_eq!(patient(&mut device, rex).name, "Rexie");
    assert!(outbox(&mut device).matters.is_empty());
}

#[test]
fn again_and_refused_again_is_listed_again() {
    let (mut device, mut clinic, rex, matter) = refused_name();
    device
        .decide(Decision::Again {
            rows: matter.rows.clone(),
        })
        .unwrap();
    let (_, effects) = reconnect(&mut device);
    clinic.converse(&mut device, effects, |_| true);
    assert_eq!(patient(&mut device, rex).name, "Rex");
    let listed = the_matter(&mut device);
    assert_eq!(listed.command, matter.command);
    assert_eq!(listed.made_at, matter.made_at, "it was written then");
    at_rest(&mut device, &clinic);
}

#[test]
fn what_one_may_not_do_is_not_done_again_and_stays() {
    let (mut device, _, _, matter) = refused_name();
    device.sign_in(&[Role::Viewer]);
    let answer = device.decide(Decision::Again {
        rows: matter.rows.clone(),
    });
    assert!(
        matches!(answer, Err(Failure::Command(CommandError::Denied(_)))),
        "{answer:?}"
    );
    assert_eq!(the_matter(&mut device).rows, matter.rows);
}

#[test]
fn a_moment_stays_the_moment_it_was() {
    let (mut device, mut clinic, rex) = settled();
    let View::Patient(shown) = device.look(Query::Patient(rex)) else {
        panic!("no patient")
    };
    let appointment = device.book(shown.owners[0].id, rex, 600);
    settle(&mut device, &mut clinic);
    let came = device.now;
    device.must(CheckIn { appointment });
    let (_, effects) = reconnect(&mut device);
    clinic.converse(&mut device, effects, |_| true);
    device.now = device.now.plus_minutes(90);
    let matter = the_matter(&mut device);
    device.decide(Decision::Again { rows: matter.rows }).unwrap();
    let View::Day(day) = device.look(Query::Day(None)) else {
        panic!("no day")
    };
    assert_eq!(
        day.items[0].arrived_at,
        Some(came),
        "not an hour and a half later"
    );
}

#[test]
fn something_else_in_its_stead() {
    let (mut device, mut clinic, rex, matter) = refused_name();
    let command = rename(rex, "Max").into();
    device
        .decide(Decision::Instead {
            rows: matter.rows,
            command,
        })
        .unwrap();
    assert!(outbox(&mut device).matters.is_empty());
    settle(&mut device, &mut clinic);
    assert_eq!(patient(&mut device, rex).name, "Max");
}

#[test]
fn what_cannot_be_written_leaves_the_refused_one_where_it_is() {
    let (mut device, _, rex, matter) = refused_name();
    let command = rename(rex, "  ").into();
    let answer = device.decide(Decision::Instead {
        rows: matter.rows.clone(),
        command,
    });
    assert!(matches!(
        answer,
        Err(Failure::Command(CommandError::Invalid { .. }))
    ));
    assert_eq!(the_matter(&mut device).rows, matter.rows);
}

/// Typed into the plan, letter by letter as it were, and all of it refused.
fn refused_plan() -> (Device, Clinic, VisitId) {
    let (mut device, mut clinic, visit) = visiting();
    write(&mut device, visit, Section::Plan, 0, "Deit");
    let seen = crate::recovery::visit_of(&mut device, visit).heads;
    device.must(WriteInSection {
        visit,
        section: Section::Plan,
        seen,
        at: 1,
        delete: 2,
        insert: "ie".to_owned(),
    });
    write(&mut device, visit, Section::Assessment, 0, "Gastritis");
    write(&mut device, visit, Section::Plan, 4, " and rest");
    let (_, effects) = reconnect(&mut device);
    clinic.converse(&mut device, effects, |_| true);
    assert_eq!(texts(&mut device, visit)[2..], ["", ""]);
    (device, clinic, visit)
}

#[test]
fn typing_in_one_text_is_one_thing_to_decide_with_its_words() {
    let (mut device, mut clinic, visit) = refused_plan();
    let matters = outbox(&mut device).matters;
    let words: Vec<_> = matters
        .iter()
        .map(|matter| (matter.words.as_str(), matter.rows.len()))
        .collect();
    assert_eq!(words, [("Gastritis", 1), ("Diet and rest", 3)]);
    for matter in matters {
        device.decide(Decision::Again { rows: matter.rows }).unwrap();
    }
    assert_eq!(texts(&mut device, visit)[2..], ["Gastritis", "Diet and rest"]);
    settle(&mut device, &mut clinic);
    assert_eq!(texts(&mut device, visit)[2..], ["Gastritis", "Diet and rest"]);
}

#[test]
fn one_text_can_be_done_again_without_the_other() {
    for (first, second) in [("Gastritis", "Diet and rest"), ("Diet and rest", "Gastritis")] {
        let (mut device, mut clinic, visit) = refused_plan();
        let matters = outbox(&mut device).matters;
        let matter = matters.into_iter().find(|matter| matter.words == first).unwrap();
        device.decide(Decision::Again { rows: matter.rows }).unwrap();
        settle(&mut device, &mut clinic);
        assert!(texts(&mut device, visit)[2..].contains(&first.to_owned()));
        let other = the_matter(&mut device);
        assert_eq!(other.words, second);
        device.decide(Decision::Again { rows: other.rows }).unwrap();
        settle(&mut device, &mut clinic);
        assert_eq!(texts(&mut device, visit)[2..], ["Gastritis", "Diet and rest"]);
    }
}

/// Meanwhile somebody else wrote before it: the second half of the typing still belongs behind the first.
#[test]
fn typing_comes_again_where_it_belongs_in_a_text_that_has_moved_on() {
    let (mut device, mut clinic, visit) = refused_plan();
    write(&mut device, visit, Section::Plan, 0, "Fast today. ");
    settle(&mut device, &mut clinic);
    let matters = outbox(&mut device).matters;
    let plan = matters
        .into_iter()
        .find(|matter| matter.words == "Diet and rest")
        .unwrap();
    device.decide(Decision::Again { rows: plan.rows }).unwrap();
    let now = texts(&mut device, visit)[3].clone();
    assert!(
        ["Fast today. Diet and rest", "Diet and restFast today. "].contains(&now.as_str()),
        "{now}"
    );
    settle(&mut device, &mut clinic);
}

#[test]
fn a_record_that_was_refused_whole_comes_again_with_what_was_written_in_it() {
    let (mut device, mut clinic, _) = settled();
    let ana = device.client("Ana", "Horak", "601555015");
    device.must(EditClient {
        address: Some("Long Street 5".to_owned()),
        ..EditClient::of(ana)
    });
    let (_, effects) = reconnect(&mut device);
    clinic.converse(&mut device, effects, |verb| verb == "register_client");
    assert_eq!(device.look(Query::Client(ana)), View::Missing);
    let matters = outbox(&mut device).matters;
    // The edit alone has nothing to stand on.
    let answer = device.decide(Decision::Again {
        rows: matters[0].rows.clone(),
    });
    assert!(
        matches!(answer, Err(Failure::Command(CommandError::NotHere { .. }))),
        "{answer:?}"
    );
    let rows = matters.into_iter().flat_map(|matter| matter.rows).collect();
    device.decide(Decision::Again { rows }).unwrap();
    settle(&mut device, &mut clinic);
    let View::Client(shown) = device.look(Query::Client(ana)) else {
        panic!("no client")
    };
    assert_eq!(shown.client.address, "Long Street 5");
}

#[test]
fn a_colleague_takes_it_over_on_the_same_device() {
    let (mut device, mut clinic, rex, _) = refused_name();
    device.sign_out();
    device.nora_signs_in();
    let shown = status(&mut device);
    assert_eq!(
        (shown.needs_attention, shown.others[0].refused),
        (0, 1),
        "it is not hers to decide"
    );
    let matter = the_matter(&mut device);
    assert_eq!((matter.author.as_str(), matter.mine), ("Ana Moreno", false));
    device.decide(Decision::Again { rows: matter.rows }).unwrap();
    let shown = status(&mut device);
    assert_eq!((shown.waiting, shown.others.len()), (1, 0), "it is her work now");
    let (_, effects) = connect(&mut device);
    assert_eq!(pushes(&effects).len(), 1);
    clinic.converse(&mut device, effects, |_| false);
    assert_eq!(patient(&mut device, rex).name, "Rexie");
    at_rest(&mut device, &clinic);
    device.sign_out();
    device.vet_signs_in();
    assert!(outbox(&mut device).matters.is_empty());
}

#[test]
fn letting_go_needs_a_reason_which_is_kept_and_can_be_taken_back() {
    let (mut device, mut clinic, rex, matter) = refused_name();
    let let_go = |reason: &str| Decision::LetGo {
        rows: matter.rows.clone(),
        reason: reason.to_owned(),
    };
    let answer = device.decide(let_go("  "));
    let missing = CommandError::Invalid {
        field: "reason".to_owned(),
        why: Invalid::Empty,
    };
    assert_eq!(answer, Err(Failure::Command(missing)));
    device.decide(let_go("Wrong animal")).unwrap();
    assert_eq!(status(&mut device).needs_attention, 0);
    let page = outbox(&mut device);
    assert!(page.matters.is_empty() && page.refused.is_empty());
    let kept = &page.let_go[0];
    assert_eq!(kept.command, matter.command);
    let discarded = kept.discarded.clone().unwrap();
    assert_eq!(
        (discarded.by.as_str(), discarded.reason.as_str()),
        ("Ana Moreno", "Wrong animal")
    );
    assert_eq!(discarded.at, device.now);

    device
        .decide(Decision::PutBack {
            rows: matter.rows.clone(),
        })
        .unwrap();
    assert_eq!(the_matter(&mut device), matter);
    device
        .decide(Decision::Again {
            rows: matter.rows.clone(),
        })
        .unwrap();
    settle(&mut device, &mut clinic);
    assert_eq!(patient(&mut device, rex).name, "Rexie");
}

#[test]
fn nobody_lets_go_what_is_somebody_elses_but_the_administrator() {
    let (mut device, mut clinic, rex) = settled();
    device.sign_in_as(NORA, "Nora Lindqvist", &[Role::FrontDesk]);
    device.must(rename(rex, "Rexie"));
    let (_, effects) = connect(&mut device);
    clinic.converse(&mut device, effects, |_| true);
    let let_go = Decision::LetGo {
        rows: the_matter(&mut device).rows,
        reason: "Left the clinic".to_owned(),
    };
    device.sign_in(&[Role::Veterinarian]);
    let answer = device.decide(let_go.clone());
    assert!(
        matches!(answer, Err(Failure::Command(CommandError::Denied(_)))),
        "{answer:?}"
    );
    device.sign_in(&[Role::ClinicAdministrator]);
    device.decide(let_go).unwrap();
    let page = outbox(&mut device);
    assert_eq!(
        (page.matters.len(), page.let_go[0].author.as_str()),
        (0, "Nora Lindqvist")
    );
}

#[test]
fn deciding_twice_is_deciding_once() {
    let (mut device, mut clinic, rex, matter) = refused_name();
    let again = Decision::Again { rows: matter.rows };
    device.decide(again.clone()).unwrap();
    device.decide(again).unwrap();
    assert_eq!(status(&mut device).waiting, 1);
    settle(&mut device, &mut clinic);
    assert_eq!(patient(&mut device, rex).name, "Rexie");
}

#[test]
fn on_a_full_disk_nothing_is_decided() {
    let (mut device, _, rex, matter) = refused_name();
    device.core.store().forbid_writing(true).unwrap();
    let answer = device.decide(Decision::Again {
        rows: matter.rows.clone(),
    });
    assert!(matches!(answer, Err(Failure::Storage(_))), "{answer:?}");
    device.core.store().forbid_writing(false).unwrap();
    device.handle(Event::RetryStorage);
    assert_eq!(patient(&mut device, rex).name, "Rex");
    assert_eq!(the_matter(&mut device), matter);
}

/// What the server refused stays through everything that can happen to a device.
#[test]
fn no_refused_work_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("clinic.db");
    let mut device = Device::on(Connection::open(&file).unwrap());
    device.vet_signs_in();
    device.set_up_clinic();
    let petra = device.client("Petra", "Novak", "601555014");
    let rex = device.pet(petra, "Rex", "");
    let mut clinic = Clinic::default();
    let (_, effects) = connect(&mut device);
    clinic.converse(&mut device, effects, |_| false);
    device.must(rename(rex, "Rexie"));
    let (_, effects) = reconnect(&mut device);
    clinic.converse(&mut device, effects, |_| true);
    let matter = the_matter(&mut device);
    let still = |device: &mut Device, what: &str| {
        let matters = outbox(device).matters;
        let rows: Vec<_> = matters
            .iter()
            .map(|matter| (&matter.rows, &matter.command))
            .collect();
        assert_eq!(rows, [(&matter.rows, &matter.command)], "after {what}");
    };

    device.core.rebuild().unwrap();
    still(&mut device, "a rebuild");
    device.sign_out();
    device.nora_signs_in();
    still(&mut device, "a colleague's sign-in");
    device.sign_out();
    let refused = device.sign_in(&[Role::Owner]);
    assert!(
        refused
            .iter()
            .any(|effect| matches!(effect, Effect::SignInRefused { waiting: 1, .. }))
    );
    device.vet_signs_in();
    still(&mut device, "an owner's try to sign in");
    connect(&mut device);
    says(
        &mut device,
        page(0, &[entry(Kind::Patient, rex.into(), Content::Revoked)]),
    );
    assert_eq!(device.look(Query::Patient(rex)), View::Missing);
    still(&mut device, "a revocation");

    drop(device);
    as_an_older_build_left_it(
        &file,
        &[
            include_str!("../../../../migrations/device/0001_store.sql"),
            include_str!("../../../../migrations/device/0002_search_by_owner.sql"),
        ],
    );
    let mut again = Device::on(Connection::open(&file).unwrap());
    still(&mut again, "an upgrade");
    assert_eq!(again.core.principal().unwrap().account, VET);
}
