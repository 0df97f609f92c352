//! Somebody leaves the clinic while their device has work that nobody else has: it goes to the administrators, and then
//! the records go. And an administrator does it again.

use crate::clinic::{CLINIC, Device, NORA, VET, nine, signing_key};
use crate::recovery::{Clinic, at_rest, outbox, patient, rename, settled, visiting, write};
use crate::server::{connect, page, pushes, reconnect, says, snapshot};
use local_core::query::{Connection as Online, LateMatter, Matter, StatusView};
use local_core::{Credentials, Decision, Effect, Event, Failure, HandInAnswer, HasLeft, Query, View};
use rusqlite::Connection;
use shared_model::authorship::key_id;
use shared_model::commands::*;
use shared_model::documents::Section;
use shared_model::ids::{AccountId, ClinicId, WeightId};
use shared_model::late_work::{HandIn, Kept, LateWork, MAX_AUTHORS, MAX_ITEMS};
use shared_model::permissions::Role;
use shared_model::protocol::Entry;
use shared_model::time::Timestamp;
use shared_model::values::Weight;
use std::path::Path;
use uuid::Uuid;

/// What the device hands in with these effects, and the token that it shows.
fn handed_in(effects: &[Effect]) -> Option<(&str, &HandIn)> {
    let mut all = effects.iter().filter_map(|effect| match effect {
        Effect::HandIn { access_token, work } => Some((access_token.as_str(), work)),
        _ => None,
    });
    let first = all.next();
    assert!(all.next().is_none(), "one at a time: {effects:?}");
    first
}

fn the_work(effects: &[Effect]) -> HandIn {
    let (token, work) = handed_in(effects).unwrap_or_else(|| panic!("nothing is handed in: {effects:?}"));
    assert_eq!(token, "access");
    work.clone()
}

fn answer(device: &mut Device, answer: HandInAnswer) -> Vec<Effect> {
    device.handle(Event::HandedIn { answer, dice: 0 })
}

/// The clinic keeps these of a vet's who has left, or who hands in as a member.
fn keeps(has_left: bool, hashes: Vec<String>) -> HandInAnswer {
    keeps_as(VET, has_left, hashes)
}

fn keeps_as(account: AccountId, has_left: bool, hashes: Vec<String>) -> HandInAnswer {
    HandInAnswer::Kept(Kept {
        account,
        clinic: CLINIC,
        has_left,
        hashes,
        authors_left: Vec::new(),
    })
}

fn kept(device: &mut Device, work: &HandIn) -> Vec<Effect> {
    let hashes = work.items.iter().map(|item| item.hash.clone()).collect();
    answer(device, keeps(work.left, hashes))
}

/// The server refuses the session, and says that the person has left. What is handed in then.
fn leaves(device: &mut Device) -> Vec<Effect> {
    leaves_as(device, VET)
}

fn leaves_as(device: &mut Device, account: AccountId) -> Vec<Effect> {
    let effects = device.handle(Event::SessionRefused);
    let asked = the_work(&effects);
    assert!(
        asked.left && asked.items.is_empty(),
        "first it is asked whether it is so"
    );
    let hashes = Vec::new();
    answer(device, keeps_as(account, true, hashes))
}

fn status(device: &mut Device) -> StatusView {
    match device.look(Query::Status) {
        View::Status(status) => status,
        other => panic!("no status: {other:?}"),
    }
}

/// Of whom the host is told that they have left.
fn left(effects: &[Effect]) -> Vec<HasLeft> {
    let left = effects.iter().filter_map(|effect| match effect {
        Effect::HasLeft(left) => Some(left.clone()),
        _ => None,
    });
    left.collect()
}

/// Whether a word stands anywhere in the store's files.
fn is_readable(folder: &Path, word: &str) -> bool {
    std::fs::read_dir(folder).unwrap().any(|file| {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        bytes.windows(word.len()).any(|window| window == word.as_bytes())
    })
}

/// A vet's device on a file, offline, with a client and a pet that nobody else knows.
fn device_on(file: &Path) -> Device {
    let mut device = Device::on(Connection::open(file).unwrap());
    device.vet_signs_in();
    device.set_up_clinic();
    let client = device.client("Petra", "Unmistakable", "601555014");
    device.pet(client, "Snowball", "");
    device
}

/// The program dies and starts again on the same file.
fn restart(device: Device, file: &Path) -> Device {
    let now = device.now;
    drop(device);
    let mut device = Device::on(Connection::open(file).unwrap());
    device.now = now;
    device.handle(Event::Started);
    device
}

#[test]
fn everything_that_waits_is_handed_in_and_then_the_records_go() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("clinic.db");
    let mut device = device_on(&file);
    let waiting = device.core.standing().1;
    assert!(is_readable(folder.path(), "Unmistakable"));
    let effects = leaves(&mut device);
    let work = the_work(&effects);
    assert!(work.left);
    assert_eq!(work.items.len() as u64, waiting);
    let made: Vec<Timestamp> = work.items.iter().map(|item| item.made_at).collect();
    assert!(made.is_sorted(), "in the order in which it was made");
    assert!(device.core.principal().is_some(), "not before it is safe");
    let effects = kept(&mut device, &work);
    for expected in [Effect::CloseSocket, Effect::SignedIn(false)] {
        assert!(effects.contains(&expected), "{expected:?} of {effects:?}");
    }
    assert_eq!(device.core.standing(), (Online::SignedOut, 0, Vec::new()));
    for word in ["Unmistakable", "unmistakable", "Snowball", "snowball", "refresh"] {
        assert!(!is_readable(folder.path(), word), "{word} is still there");
    }
    let told = vec![HasLeft {
        account: VET,
        name: "Ana Moreno".to_owned(),
        clinic: "Northgate Vets".to_owned(),
        entries: waiting,
        at: Some(device.now),
        records_gone: true,
    }];
    assert_eq!(left(&effects), told);
    // The host had no time to see to it.
    let now = device.now;
    drop(device);
    let mut device = Device::on(Connection::open(&file).unwrap());
    device.now = now;
    assert_eq!(left(&device.handle(Event::Started)), told);
    // They come back to the clinic.
    let effects = device.sign_in(&[Role::Veterinarian]);
    assert_eq!(left(&effects), []);
    assert_eq!(left(&device.handle(Event::Entered(VET))), []);
}

#[test]
fn a_session_that_has_merely_ended_hands_nothing_in() {
    let (mut device, _, rex) = settled();
    device.must(rename(rex, "Rexie"));
    let asked = the_work(&device.handle(Event::SessionRefused));
    assert!(asked.items.is_empty());
    let effects = answer(&mut device, HandInAnswer::StillMember);
    assert!(handed_in(&effects).is_none(), "{effects:?}");
    assert_eq!(patient(&mut device, rex).name, "Rexie", "work goes on");
    assert_eq!(device.core.standing().1, 1);
    // It may come later that they have left.
    device.now = device.now.plus_minutes(5);
    let asked = the_work(&device.handle(Event::Tick));
    assert!(asked.left && asked.items.is_empty());
    // They sign in again.
    device.vet_signs_in();
    device.now = device.now.plus_minutes(9);
    assert!(handed_in(&device.handle(Event::Tick)).is_none());
}

#[test]
fn an_answer_that_comes_late_is_about_whom_it_names() {
    let (mut device, mut clinic, rex) = settled();
    device.must(rename(rex, "Rexie"));
    let (_, effects) = reconnect(&mut device);
    clinic.converse(&mut device, effects, |_| true);
    let rows = outbox(&mut device).matters[0].rows.clone();
    device.decide(Decision::HandIn { rows }).unwrap();
    // The session ends before the answer comes: it was a member who handed in.
    assert!(
        handed_in(&device.handle(Event::SessionRefused)).is_none(),
        "one at a time"
    );
    let effects = answer(&mut device, keeps(false, Vec::new()));
    assert!(device.core.principal().is_some(), "{effects:?}");
    // Somebody else signs in before it comes that the vet has left.
    device.sign_out();
    device.nora_signs_in();
    for theirs in [
        keeps(true, Vec::new()),
        HandInAnswer::Kept(Kept {
            account: NORA,
            clinic: ClinicId(Uuid::from_u128(99)),
            has_left: true,
            hashes: Vec::new(),
            authors_left: Vec::new(),
        }),
    ] {
        answer(&mut device, theirs);
        assert_eq!(device.core.principal().map(|nora| nora.account), Some(NORA));
        assert_eq!(patient(&mut device, rex).name, "Rex");
    }
}

#[test]
fn what_did_not_arrive_is_tried_again() {
    let (mut device, _, rex) = settled();
    device.must(rename(rex, "Rexie"));
    let work = the_work(&leaves(&mut device));
    // Unreachable: again after a while, and sooner when the network is believed to be back.
    let effects = answer(&mut device, HandInAnswer::Unreachable);
    assert!(handed_in(&effects).is_none());
    assert!(handed_in(&device.handle(Event::Tick)).is_none(), "not at once");
    device.now = Timestamp(device.now.0 + 6_000);
    assert_eq!(the_work(&device.handle(Event::Tick)), work);
    answer(&mut device, HandInAnswer::Unreachable);
    assert_eq!(the_work(&device.handle(Event::NetworkHint)), work);
    // No answer at all.
    assert!(
        handed_in(&device.handle(Event::NetworkHint)).is_none(),
        "one at a time"
    );
    device.now = device.now.plus_minutes(2);
    assert_eq!(the_work(&device.handle(Event::Tick)), work);
    // The clock goes back by a day.
    answer(&mut device, HandInAnswer::Unreachable);
    device.now = Timestamp(device.now.0 - 86_400_000);
    assert_eq!(the_work(&device.handle(Event::Tick)), work);
    kept(&mut device, &work);
    assert!(device.core.principal().is_none());
}

#[test]
fn waits_between_attempts_grow_and_end() {
    let (mut device, _, rex) = settled();
    device.must(rename(rex, "Rexie"));
    leaves(&mut device);
    let mut waits = Vec::new();
    for _ in 0..10 {
        answer(&mut device, HandInAnswer::Unreachable);
        let begin = device.now;
        while handed_in(&device.handle(Event::Tick)).is_none() {
            device.now = Timestamp(device.now.0 + 500);
        }
        waits.push(device.now.0 - begin.0);
    }
    assert!(waits.is_sorted(), "{waits:?}");
    assert!(waits[0] <= 5_000 && waits[9] <= 120_000, "{waits:?}");
}

#[test]
fn a_kill_between_any_two_steps_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("clinic.db");
    let mut device = device_on(&file);
    let waiting = device.core.standing().1;
    let work = the_work(&leaves(&mut device));
    // Before the answer came.
    let mut device = restart(device, &file);
    assert_eq!(device.core.standing().1, waiting);
    assert_eq!(the_work(&leaves(&mut device)), work, "the same again");
    // A part of it was kept.
    let some = HandIn {
        items: work.items[..2].to_vec(),
        ..work.clone()
    };
    let effects = kept(&mut device, &some);
    assert!(handed_in(&effects).is_none(), "not at once again: {effects:?}");
    let mut device = restart(device, &file);
    let rest = the_work(&leaves(&mut device));
    assert_eq!(rest.items, work.items[2..]);
    // All was kept, and the records could not be deleted.
    device.core.store().forbid_writing(true).unwrap();
    let effects = kept(&mut device, &rest);
    assert!(!effects.contains(&Effect::SignedIn(false)), "{effects:?}");
    device.core.store().forbid_writing(false).unwrap();
    let mut device = restart(device, &file);
    assert!(device.core.principal().is_some());
    let rest = the_work(&leaves(&mut device));
    let effects = kept(&mut device, &rest);
    assert!(effects.contains(&Effect::SignedIn(false)), "{effects:?}");
    assert_eq!(left(&effects)[0].entries, waiting);
}

#[test]
fn nothing_to_hand_in_is_an_end_too() {
    let (mut device, _, _) = settled();
    let effects = leaves(&mut device);
    assert!(
        handed_in(&effects).is_none() && effects.contains(&Effect::SignedIn(false)),
        "{effects:?}"
    );
    assert_eq!(left(&effects)[0].entries, 0);
}

#[test]
fn what_the_clinic_does_not_keep_stays_and_keeps_the_records() {
    let (mut device, _, rex) = settled();
    device.must(rename(rex, "Rexie"));
    let work = the_work(&leaves(&mut device));
    let effects = answer(&mut device, keeps(true, Vec::new()));
    assert!(handed_in(&effects).is_none(), "not at once again: {effects:?}");
    assert_eq!(
        (device.core.standing().1, patient(&mut device, rex).name.as_str()),
        (1, "Rexie")
    );
    device.now = device.now.plus_minutes(5);
    assert_eq!(the_work(&device.handle(Event::Tick)), work);
    // Nothing proves any more who this is.
    let effects = answer(&mut device, HandInAnswer::TooLate);
    assert!(handed_in(&effects).is_none());
    device.now = device.now.plus_minutes(60);
    assert!(handed_in(&device.handle(Event::Tick)).is_none());
    assert_eq!(device.core.standing().1, 1);
}

#[test]
fn one_piece_that_the_clinic_does_not_keep_holds_up_none_of_the_others() {
    let (mut device, _, rex) = settled();
    for number in 0..MAX_ITEMS + 3 {
        device.must(rename(rex, &format!("Rex {number}")));
    }
    let first = the_work(&leaves(&mut device));
    // Not one of a whole request is kept, and of the rest one is not.
    let second = the_work(&answer(&mut device, keeps(true, Vec::new())));
    assert_eq!(second.items.len(), 3);
    let two = second.items[..2].iter().map(|item| item.hash.clone()).collect();
    let effects = answer(&mut device, keeps(true, two));
    assert!(handed_in(&effects).is_none(), "not at once again: {effects:?}");
    assert!(device.core.principal().is_some(), "the records stay");
    device.now = device.now.plus_minutes(5);
    assert_eq!(the_work(&device.handle(Event::Tick)), first, "all of it again");
    let last = the_work(&kept(&mut device, &first));
    assert_eq!(last.items, second.items[2..]);
    kept(&mut device, &last);
    assert!(device.core.principal().is_none());
}

#[test]
fn more_than_one_request_has_goes_in_several() {
    let (mut device, _, rex) = settled();
    for number in 0..MAX_ITEMS + 3 {
        device.must(rename(rex, &format!("Rex {number}")));
    }
    let first = the_work(&leaves(&mut device));
    assert_eq!(first.items.len(), MAX_ITEMS);
    let second = the_work(&kept(&mut device, &first));
    assert_eq!(second.items.len(), 3);
    kept(&mut device, &second);
    assert!(device.core.principal().is_none());
}

#[test]
fn a_colleagues_work_stays_until_it_has_been_sent() {
    let (mut device, mut clinic, rex) = settled();
    device.sign_out();
    device.nora_signs_in();
    device.must(rename(rex, "Rexa"));
    device.sign_out();
    device.vet_signs_in();
    device.must(EditPatient {
        breed: Some("Poodle".to_owned()),
        ..EditPatient::of(rex)
    });
    let work = the_work(&leaves(&mut device));
    assert_eq!(work.items.len(), 1, "one's own alone");
    let effects = kept(&mut device, &work);
    assert!(effects.contains(&Effect::SignedIn(false)), "{effects:?}");
    assert!(!left(&effects)[0].records_gone);
    assert_eq!(device.core.standing().1, 1, "hers waits");
    device.nora_signs_in();
    let now = patient(&mut device, rex);
    assert_eq!(
        (now.name.as_str(), now.breed.as_str()),
        ("Rexa", "Border Collie"),
        "what was handed in is not in the record"
    );
    let (_, effects) = connect(&mut device);
    clinic.converse(&mut device, effects, |_| false);
    assert_eq!(device.core.standing().1, 0);
    at_rest(&mut device, &clinic);
}

/// The vet leaves on a tablet on which a colleague is signed in too.
fn leaves_a_shared_tablet() -> (Device, Clinic, shared_model::ids::PatientId, Vec<Effect>) {
    let (mut device, clinic, rex) = settled();
    device.nora_signs_in();
    device.handle(Event::Entered(VET));
    device.must(rename(rex, "Rexie"));
    device.must(EditPatient {
        breed: Some("Poodle".to_owned()),
        ..EditPatient::of(rex)
    });
    let work = the_work(&leaves(&mut device));
    let effects = kept(&mut device, &work);
    (device, clinic, rex, effects)
}

#[test]
fn colleagues_who_are_signed_in_here_go_on_with_the_records() {
    let (mut device, mut clinic, rex, effects) = leaves_a_shared_tablet();
    assert!(effects.contains(&Effect::SignedIn(false)), "{effects:?}");
    let told = left(&effects);
    assert_eq!(
        (told[0].account, told[0].entries, told[0].records_gone),
        (VET, 2, false)
    );
    let effects = device.handle(Event::Entered(NORA));
    assert!(effects.contains(&Effect::SignedIn(true)), "{effects:?}");
    assert_eq!(left(&effects), told, "in case the host had no time");
    let now = patient(&mut device, rex);
    assert_eq!(
        (now.name.as_str(), now.breed.as_str()),
        ("Rex", "Border Collie"),
        "as the clinic has it"
    );
    assert!(outbox(&mut device).others.is_empty() && outbox(&mut device).refused.is_empty());
    device.must(rename(rex, "Rexa"));
    let (_, effects) = connect(&mut device);
    clinic.converse(&mut device, effects, |_| false);
    at_rest(&mut device, &clinic);
}

#[test]
fn nothing_of_whoever_left_opens_anything_any_more() {
    let (mut device, ..) = leaves_a_shared_tablet();
    let effects = device.handle(Event::Entered(VET));
    assert!(effects.contains(&Effect::SignedIn(false)), "{effects:?}");
    assert_eq!(left(&effects).len(), 1);
    let names: Vec<String> = {
        let store = device.core.store();
        [
            format!("principal {VET}"),
            format!("access_token {VET}"),
            format!("refresh_token {VET}"),
            format!("signing key {VET}"),
        ]
        .into_iter()
        .filter(|name| !matches!(store.meta::<String>(name), Ok(None)))
        .collect()
    };
    assert_eq!(names, Vec::<String>::new());
    let effects = device.handle(Event::Entered(NORA));
    assert!(effects.contains(&Effect::SignedIn(true)), "hers are there");
}

#[test]
fn the_last_one_takes_the_records_along() {
    let (mut device, ..) = leaves_a_shared_tablet();
    device.handle(Event::Entered(NORA));
    let asked = the_work(&device.handle(Event::SessionRefused));
    let effects = answer(
        &mut device,
        HandInAnswer::Kept(Kept {
            account: NORA,
            clinic: CLINIC,
            has_left: asked.left,
            hashes: Vec::new(),
            authors_left: Vec::new(),
        }),
    );
    assert!(left(&effects)[0].records_gone);
    assert_eq!(
        device.core.store().dump_projections().unwrap(),
        ["search Some(0)"]
    );
}

/// They do not unlock it any more, though they never came back to it.
#[test]
fn whoever_works_here_hears_who_of_those_signed_in_has_left() {
    let (mut device, ..) = settled();
    device.nora_signs_in();
    let (_, effects) = connect(&mut device);
    let asked = the_work(&effects);
    assert_eq!(
        (asked.left, asked.items.len(), &asked.authors[..]),
        (false, 0, &[VET][..])
    );
    let effects = answer(&mut device, keeps_of_others(Vec::new(), Vec::new()));
    assert_eq!(left(&effects), []);
    let (_, effects) = reconnect(&mut device);
    assert_eq!(the_work(&effects).authors, [VET]);
    let effects = answer(&mut device, keeps_of_others(Vec::new(), vec![VET]));
    let told = left(&effects);
    assert_eq!(
        (told.len(), told[0].account, told[0].records_gone),
        (1, VET, false)
    );
    assert_eq!(device.core.principal().map(|nora| nora.account), Some(NORA));
    let (_, effects) = reconnect(&mut device);
    assert!(handed_in(&effects).is_none(), "once is enough: {effects:?}");
    let effects = device.handle(Event::Entered(VET));
    assert!(effects.contains(&Effect::SignedIn(false)), "{effects:?}");
}

#[test]
fn a_tablet_of_many_asks_about_all_of_them() {
    let (mut device, ..) = settled();
    let many: Vec<AccountId> = (0..MAX_AUTHORS as u128 + 5)
        .map(|number| AccountId(Uuid::from_u128(0x1_0000 + number)))
        .collect();
    for account in &many {
        device.sign_in_as(*account, "Somebody", &[Role::Technician]);
    }
    device.nora_signs_in();
    let (_, effects) = connect(&mut device);
    let first = the_work(&effects).authors;
    let effects = answer(&mut device, keeps_of_others(Vec::new(), vec![first[0]]));
    let second = the_work(&effects).authors;
    let effects = answer(&mut device, keeps_of_others(Vec::new(), vec![second[0]]));
    assert!(handed_in(&effects).is_none(), "that was all: {effects:?}");
    let mut asked = [first, second].concat();
    asked.sort_unstable();
    let mut everybody = [many, vec![VET]].concat();
    everybody.sort_unstable();
    assert_eq!(asked, everybody);
    device.now = device.now.plus_minutes(5);
    assert!(handed_in(&device.handle(Event::Tick)).is_none(), "once a session");
}

/// The answer comes when a colleague works there already.
#[test]
fn somebody_who_signed_out_before_their_work_arrived_is_seen_to_by_a_colleague() {
    let (mut device, mut clinic, rex) = settled();
    device.must(rename(rex, "Rexie"));
    let work = the_work(&leaves(&mut device));
    device.sign_out();
    device.nora_signs_in();
    assert_eq!(left(&kept(&mut device, &work)), []);
    let (_, effects) = connect(&mut device);
    clinic.converse(&mut device, effects.clone(), |_| true);
    assert!(the_work(&effects).authors.contains(&VET));
    let effects = answer(&mut device, keeps_of_others(Vec::new(), vec![VET]));
    let told = left(&effects);
    assert_eq!((told.len(), told[0].account, told[0].entries), (1, VET, 1));
    let shown = outbox(&mut device);
    assert!(shown.matters.is_empty() && shown.handed.is_empty(), "{shown:?}");
    assert_eq!(patient(&mut device, rex).name, "Rex");
}

// ---- a colleague brings the work of somebody who has left ----

/// The vet has signed out, and the clinic takes nothing of theirs any more: Nora's session brings what waits.
fn carried(refuse: impl FnMut(&str) -> bool) -> (Device, Clinic, shared_model::ids::PatientId, Vec<Effect>) {
    let (mut device, mut clinic, rex) = settled();
    device.must(rename(rex, "Rexie"));
    device.sign_out();
    device.nora_signs_in();
    device.must(EditPatient {
        colour: Some("black".to_owned()),
        ..EditPatient::of(rex)
    });
    let (_, effects) = connect(&mut device);
    assert!(handed_in(&effects).is_none(), "nothing was refused yet");
    let push = pushes(&effects).remove(0);
    let answer = clinic.answer(&push, refuse);
    let effects = says(&mut device, answer);
    (device, clinic, rex, effects)
}

fn first_alone() -> impl FnMut(&str) -> bool {
    let mut first = true;
    move |_| std::mem::take(&mut first)
}

fn keeps_of_others(hashes: Vec<String>, authors_left: Vec<AccountId>) -> HandInAnswer {
    HandInAnswer::Kept(Kept {
        account: NORA,
        clinic: CLINIC,
        has_left: false,
        hashes,
        authors_left,
    })
}

#[test]
fn what_the_clinic_refused_of_somebody_who_has_left_is_handed_in_by_a_colleague() {
    let (mut device, mut clinic, rex, effects) = carried(first_alone());
    let work = the_work(&effects);
    assert!(!work.left);
    let [item] = &work.items[..] else {
        panic!("one: {:?}", work.items)
    };
    assert_eq!(
        Command::from_bytes(&item.command),
        Some(rename(rex, "Rexie").into())
    );
    let signed = item.signed.as_ref().expect("the author's signature");
    assert_eq!(signed.key, key_id(&signing_key(VET).public()));
    let effects2 = answer(&mut device, keeps_of_others(vec![item.hash.clone()], vec![VET]));
    let told = left(&effects2);
    assert_eq!(
        (told[0].account, told[0].entries, told[0].records_gone),
        (VET, 1, false)
    );
    assert!(handed_in(&effects2).is_none());
    assert_eq!(device.core.principal().map(|nora| nora.account), Some(NORA));
    let shown = outbox(&mut device);
    assert!(
        shown.matters.is_empty() && shown.handed.is_empty() && shown.others.is_empty(),
        "{shown:?}"
    );
    clinic.converse(&mut device, effects, |_| false);
    assert_eq!(patient(&mut device, rex).colour, "black");
    at_rest(&mut device, &clinic);
}

#[test]
fn the_refused_work_of_a_member_stays_with_its_device() {
    let (mut device, _, _, effects) = carried(first_alone());
    let work = the_work(&effects);
    // The clinic does not take it: its author is of the clinic.
    let effects = answer(&mut device, keeps_of_others(Vec::new(), Vec::new()));
    assert!(handed_in(&effects).is_none());
    assert_eq!(left(&effects), []);
    assert_eq!(outbox(&mut device).matters.len(), 1);
    device.now = device.now.plus_minutes(5);
    assert!(
        handed_in(&device.handle(Event::Tick)).is_none(),
        "not again in this session"
    );
    // In the next they may have left.
    let (_, effects) = reconnect(&mut device);
    assert_eq!(the_work(&effects), work);
}

#[test]
fn work_that_nobody_can_send_any_more_holds_up_nothing() {
    let (mut device, mut clinic, rex) = settled();
    device.must(rename(rex, "Rexie"));
    device.must(EditPatient {
        breed: Some("Poodle".to_owned()),
        ..EditPatient::of(rex)
    });
    device.sign_out();
    device.nora_signs_in();
    let (_, effects) = connect(&mut device);
    clinic.converse(&mut device, effects, first_alone());
    // The breed was done again without a signature, and waits for one.
    device.must(EditPatient {
        colour: Some("black".to_owned()),
        ..EditPatient::of(rex)
    });
    assert_eq!(status(&mut device).held, 1);
    answer(&mut device, keeps_of_others(Vec::new(), Vec::new()));
    // Meanwhile she leaves.
    let (_, effects) = reconnect(&mut device);
    let work = the_work(&effects);
    assert_eq!(work.authors, [VET], "it is asked whether they come back");
    let hashes = work.items.iter().map(|item| item.hash.clone()).collect();
    let effects = answer(&mut device, keeps_of_others(hashes, vec![VET]));
    assert_eq!(left(&effects).len(), 1);
    clinic.converse(&mut device, effects, |_| false);
    assert_eq!((status(&mut device).held, status(&mut device).waiting), (0, 0));
    let now = patient(&mut device, rex);
    assert_eq!(
        (now.breed.as_str(), now.colour.as_str()),
        ("Border Collie", "black")
    );
    let listed = outbox(&mut device).matters;
    assert_eq!(listed.len(), 1, "it is listed for whoever may do it: {listed:?}");
    at_rest(&mut device, &clinic);
}

const ELA: AccountId = AccountId(Uuid::from_u128(0xe1a));

/// Somebody signs in and writes while the clinic cannot be reached, so it never hears of their key; and then they have left.
/// Their colleague wrote in the same record before and after them, and elsewhere later.
fn left_before_their_key_was_known(signs_out: bool) -> (Device, shared_model::ids::PatientId) {
    let (mut device, mut clinic, rex) = settled();
    device.nora_signs_in();
    device.must(EditPatient {
        colour: Some("black".to_owned()),
        ..EditPatient::of(rex)
    });
    device.sign_in_as(ELA, "Ela Brown", &[Role::Veterinarian]);
    device.must(rename(rex, "Rexie"));
    if signs_out {
        device.sign_out();
    }
    device.handle(Event::Entered(NORA));
    device.must(EditPatient {
        breed: Some("Poodle".to_owned()),
        ..EditPatient::of(rex)
    });
    device.client("Ivo", "Kral", "601555015");
    let (_, effects) = connect(&mut device);
    let pushed = pushes(&effects);
    let changes: Vec<usize> = pushed[0].items.iter().map(|item| item.changes.len()).collect();
    assert_eq!(
        (pushed.len(), &changes[..]),
        (1, &[1, 1][..]),
        "what stands before hers and elsewhere is on its way: {pushed:?}"
    );
    assert_eq!(status(&mut device).held, 1);
    let work = the_work(&effects);
    assert!(work.authors.contains(&ELA), "{:?}", work.authors);
    let released = answer(&mut device, keeps_of_others(Vec::new(), vec![ELA]));
    let again = pushes(&released);
    assert_eq!(
        (again.len(), again[0].items.len()),
        (1, 1),
        "what stands behind hers, and nothing twice: {again:?}"
    );
    assert_eq!(again[0].items[0].changes.len(), 1, "{again:?}");
    assert_eq!(again[0].items[0].document, rex.into());
    clinic.converse(&mut device, effects, |_| false);
    clinic.converse(&mut device, released, |_| false);
    assert_eq!((status(&mut device).held, status(&mut device).waiting), (0, 0));
    let now = patient(&mut device, rex);
    assert_eq!(
        (now.name.as_str(), now.colour.as_str(), now.breed.as_str()),
        ("Rex", "black", "Poodle")
    );
    let listed = outbox(&mut device).matters;
    assert_eq!(listed.len(), 1, "{listed:?}");
    at_rest(&mut device, &clinic);
    (device, rex)
}

#[test]
fn nobody_waits_for_somebody_who_signed_out_before_they_left() {
    let (mut device, _) = left_before_their_key_was_known(true);
    let effects = device.handle(Event::Entered(ELA));
    assert!(effects.contains(&Effect::SignedIn(false)), "{effects:?}");
}

#[test]
fn nobody_waits_for_somebody_who_left_and_may_come_back_to_the_device() {
    let (mut device, rex) = left_before_their_key_was_known(false);
    let effects = device.handle(Event::Entered(ELA));
    assert!(effects.contains(&Effect::SignedIn(true)), "{effects:?}");
    let work = the_work(&leaves_as(&mut device, ELA));
    assert_eq!(
        Command::from_bytes(&work.items[0].command),
        Some(rename(rex, "Rexie").into())
    );
}

#[test]
fn what_was_refused_is_handed_in_with_the_rest_and_what_was_let_go_is_not() {
    let (mut device, mut clinic, rex) = settled();
    device.must(rename(rex, "Refused"));
    let (_, effects) = reconnect(&mut device);
    clinic.converse(&mut device, effects, |_| true);
    device.must(rename(rex, "Let go"));
    let (_, effects) = reconnect(&mut device);
    clinic.converse(&mut device, effects, |_| true);
    let rows = outbox(&mut device).matters[0].rows.clone();
    device
        .decide(Decision::LetGo {
            rows,
            reason: "Not needed".to_owned(),
        })
        .unwrap();
    device.must(rename(rex, "Waits"));
    let work = the_work(&leaves(&mut device));
    let names: Vec<Option<Command>> = work
        .items
        .iter()
        .map(|item| Command::from_bytes(&item.command))
        .collect();
    assert_eq!(
        names,
        [
            Some(rename(rex, "Refused").into()),
            Some(rename(rex, "Waits").into())
        ]
    );
}

// ---- a member hands in what they may not do any more ----

#[test]
fn a_member_hands_in_what_they_choose() {
    let (mut device, mut clinic, rex) = settled();
    device.must(rename(rex, "Rexie"));
    let (_, effects) = reconnect(&mut device);
    clinic.converse(&mut device, effects, |_| true);
    let rows = outbox(&mut device).matters[0].rows.clone();
    device.decide(Decision::HandIn { rows: rows.clone() }).unwrap();
    let shown = outbox(&mut device);
    assert!(shown.matters.is_empty());
    assert_eq!(shown.handed[0].handed.map(|handed| handed.arrived_at), Some(None));
    assert_eq!(status(&mut device).needs_attention, 0);
    let again = device.decide(Decision::Again { rows: rows.clone() });
    assert!(again.is_ok());
    assert_eq!(
        outbox(&mut device).handed.len(),
        1,
        "it is the administrator's now"
    );
    // The answer was lost; it goes again with the next session.
    device.now = device.now.plus_minutes(2);
    let work = the_work(&device.handle(Event::Tick));
    assert!(!work.left);
    assert_eq!(work.items.len(), 1);
    kept(&mut device, &work);
    let shown: Vec<Matter> = outbox(&mut device).handed;
    assert_eq!(
        shown[0].handed.and_then(|handed| handed.arrived_at),
        Some(device.now)
    );
    assert!(device.core.principal().is_some());
    let (_, effects) = reconnect(&mut device);
    assert!(handed_in(&effects).is_none(), "once is enough: {effects:?}");
}

#[test]
fn what_a_member_hands_in_is_tried_again_after_their_tokens_were_renewed() {
    let (mut device, mut clinic, rex) = settled();
    device.must(rename(rex, "Rexie"));
    let (_, effects) = reconnect(&mut device);
    clinic.converse(&mut device, effects, |_| true);
    let rows = outbox(&mut device).matters[0].rows.clone();
    for answered in [true, false] {
        device
            .decide(Decision::HandIn { rows: rows.clone() })
            .expect("it is theirs to hand in");
        if answered {
            answer(&mut device, HandInAnswer::Unreachable);
        }
        device.handle(Event::SessionRenewed(Some(Credentials {
            principal: device.core.principal().expect("a vet").clone(),
            access_token: "access".to_owned(),
            access_expires: device.now.plus_minutes(60),
            refresh_token: "later".to_owned(),
        })));
        device.now = device.now.plus_minutes(3);
        assert_eq!(the_work(&device.handle(Event::Tick)).items.len(), 1);
        answer(&mut device, HandInAnswer::Unreachable);
    }
}

#[test]
fn nobody_hands_in_a_colleagues_work() {
    let (mut device, mut clinic, rex) = settled();
    device.must(rename(rex, "Rexie"));
    let (_, effects) = reconnect(&mut device);
    clinic.converse(&mut device, effects, |_| true);
    let rows = outbox(&mut device).matters[0].rows.clone();
    device.sign_out();
    device.nora_signs_in();
    let answer = device.decide(Decision::HandIn { rows });
    assert!(
        matches!(answer, Err(Failure::Command(CommandError::Denied(_)))),
        "{answer:?}"
    );
    assert_eq!(outbox(&mut device).matters.len(), 1);
}

// ---- an administrator takes over ----

/// What the server lists of a vet's work.
fn listed(work: &HandIn) -> Vec<LateWork> {
    work.items
        .iter()
        .map(|item| LateWork {
            hash: item.hash.clone(),
            author: VET,
            author_name: "Ana Moreno".to_owned(),
            brought_by: None,
            device: work.device,
            kind: item.kind,
            document: item.document,
            change: item.change.clone(),
            command: item.command.clone(),
            made_at: item.made_at,
            received_at: nine().plus_minutes(90),
        })
        .collect()
}

fn inbox(device: &mut Device, works: &[LateWork]) -> Vec<LateMatter> {
    match device.look(Query::LateWork(works.to_vec())) {
        View::LateWork(late) => late,
        other => panic!("{other:?}"),
    }
}

/// Another administrator's device, with what the clinic has.
fn administrator(clinic: &Clinic) -> Device {
    let mut device = Device::on(Connection::open_in_memory().unwrap());
    device.salt = 9_000;
    device.sign_in_as(
        NORA,
        "Nora Lindqvist",
        &[Role::Veterinarian, Role::ClinicAdministrator],
    );
    connect(&mut device);
    let entries: Vec<Entry> = clinic
        .documents
        .values()
        .map(|document| snapshot(document, document.save()))
        .collect();
    says(&mut device, page(0, &entries));
    device
}

fn take_over(device: &mut Device, works: &[LateWork], hashes: Vec<String>) -> Result<Timestamp, Failure> {
    device.decide(Decision::TakeOver {
        works: works.to_vec(),
        hashes,
    })
}

#[test]
fn an_administrator_sees_whose_it_is_and_does_it_again() {
    let (mut vet, clinic, rex) = settled();
    let written = vet.now;
    vet.must(rename(rex, "Rexie"));
    let works = listed(&the_work(&leaves(&mut vet)));
    let mut nora = administrator(&clinic);
    nora.now = written.plus_minutes(300);
    let late = inbox(&mut nora, &works);
    assert_eq!(late.len(), 1);
    let matter = &late[0].matter;
    assert_eq!(
        (
            matter.about.as_str(),
            matter.verb.as_str(),
            matter.author.as_str()
        ),
        ("Rex", "edit_patient", "Ana Moreno")
    );
    assert_eq!(
        (matter.made_at, matter.mine, late[0].taken),
        (written, false, false)
    );
    assert_eq!(matter.command, Some(rename(rex, "Rexie").into()));
    assert_eq!(late[0].hashes, [works[0].hash.clone()]);
    take_over(&mut nora, &works, late[0].hashes.clone()).unwrap();
    assert_eq!(patient(&mut nora, rex).name, "Rexie");
    let rows = nora.core.store().waiting(NORA, 9).unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(
        (rows[0].account, rows[0].made_at),
        (NORA, written),
        "in her name, when it was written"
    );
    assert!(inbox(&mut nora, &works)[0].taken);
    // However often it is asked for.
    take_over(&mut nora, &works, late[0].hashes.clone()).unwrap();
    assert_eq!(nora.core.store().waiting(NORA, 9).unwrap().len(), 1);
}

/// Its author was taken back into the clinic, and their device sent it.
#[test]
fn what_has_come_into_its_record_since_is_not_done_again() {
    let (mut vet, mut clinic, visit) = visiting();
    let (_, effects) = reconnect(&mut vet);
    clinic.converse(&mut vet, effects, |_| false);
    write(&mut vet, visit, Section::Plan, 0, "Rest.");
    let works = listed(&the_work(&leaves(&mut vet)));
    vet.vet_signs_in();
    let (_, effects) = connect(&mut vet);
    clinic.converse(&mut vet, effects, |_| false);
    let mut nora = administrator(&clinic);
    assert!(inbox(&mut nora, &works)[0].taken);
    take_over(&mut nora, &works, vec![works[0].hash.clone()]).unwrap();
    let View::Visit(shown) = nora.look(Query::Visit(visit)) else {
        panic!("no visit")
    };
    let plan = shown
        .sections
        .iter()
        .find(|text| text.section == Section::Plan)
        .unwrap();
    assert_eq!(plan.text, "Rest.");
    assert_eq!(nora.core.standing().1, 0);
}

#[test]
fn whoever_may_not_do_it_does_not_do_it() {
    let (mut vet, clinic, rex) = settled();
    let (entry, at) = (WeightId(vet.id()), vet.now);
    vet.must(RecordWeight {
        patient: rex,
        entry,
        weight: Weight::parse("19.4").unwrap(),
        at,
        visit: None,
    });
    let works = listed(&the_work(&leaves(&mut vet)));
    let mut nora = administrator(&clinic);
    nora.sign_in_as(NORA, "Nora Lindqvist", &[Role::ClinicAdministrator]);
    let answer = take_over(&mut nora, &works, vec![works[0].hash.clone()]);
    assert!(
        matches!(answer, Err(Failure::Command(CommandError::Denied(_)))),
        "{answer:?}"
    );
    assert!(!inbox(&mut nora, &works)[0].taken);
    assert!(patient(&mut nora, rex).weights.is_empty());
}

#[test]
fn typing_finds_its_place_among_what_was_written_since() {
    let (mut vet, mut clinic, visit) = visiting();
    let (_, effects) = reconnect(&mut vet);
    clinic.converse(&mut vet, effects, |_| false);
    let mut nora = administrator(&clinic);
    // Offline the vet measures and types, each on top of the other.
    write(&mut vet, visit, Section::Plan, 0, "Rest.");
    vet.must(RecordVitals {
        visit,
        set: visit.vitals(),
        readings: vec![(shared_model::clinical::VitalSign::HeartRate, "96".to_owned())],
        mucous_membranes: None,
    });
    write(&mut vet, visit, Section::Plan, 5, " Recheck in a week.");
    let works = listed(&the_work(&leaves(&mut vet)));
    assert_eq!(works.len(), 3);
    let late = inbox(&mut nora, &works);
    assert_eq!(late.len(), 2, "typing in one text is one thing: {late:?}");
    let typing = late
        .iter()
        .find(|one| one.matter.verb == "write_in_section")
        .unwrap();
    assert_eq!(typing.matter.words, "Rest. Recheck in a week.");
    // The typing first, though it was written on top of the measuring.
    take_over(&mut nora, &works, typing.hashes.clone()).unwrap();
    let others: Vec<LateWork> = works
        .iter()
        .filter(|work| !typing.hashes.contains(&work.hash))
        .cloned()
        .collect();
    take_over(&mut nora, &others, vec![others[0].hash.clone()]).unwrap();
    let View::Visit(shown) = nora.look(Query::Visit(visit)) else {
        panic!("no visit")
    };
    let plan = shown
        .sections
        .iter()
        .find(|text| text.section == Section::Plan)
        .unwrap();
    assert_eq!(plan.text, "Rest. Recheck in a week.");
}

#[test]
fn typing_goes_on_from_what_was_taken_over_before() {
    let (mut vet, mut clinic, visit) = visiting();
    let (_, effects) = reconnect(&mut vet);
    clinic.converse(&mut vet, effects, |_| false);
    let mut nora = administrator(&clinic);
    write(&mut vet, visit, Section::Plan, 0, "Rest.");
    write(&mut vet, visit, Section::Plan, 5, " Recheck.");
    let works = listed(&the_work(&leaves(&mut vet)));
    // The first page of the list ends between the two.
    take_over(&mut nora, &works[..1], vec![works[0].hash.clone()]).unwrap();
    take_over(&mut nora, &works[1..], vec![works[1].hash.clone()]).unwrap();
    let View::Visit(shown) = nora.look(Query::Visit(visit)) else {
        panic!("no visit")
    };
    let plan = shown
        .sections
        .iter()
        .find(|text| text.section == Section::Plan)
        .unwrap();
    assert_eq!(plan.text, "Rest. Recheck.");
}

#[test]
fn a_record_that_exists_in_late_work_alone_is_told_by_its_name() {
    let (mut vet, clinic, _) = settled();
    let client = vet.client("Mona", "Late", "601555014");
    let pet = vet.pet(client, "Comet", "");
    vet.book(client, pet, 600);
    let works = listed(&the_work(&leaves(&mut vet)));
    let mut nora = administrator(&clinic);
    let late = inbox(&mut nora, &works);
    let about: Vec<&str> = late.iter().map(|one| one.matter.about.as_str()).collect();
    assert_eq!(about, ["Mona Late", "Comet", "Comet"]);
    let all = works.iter().map(|work| work.hash.clone()).collect();
    take_over(&mut nora, &works, all).unwrap();
    assert_eq!(patient(&mut nora, pet).name, "Comet");
}

#[test]
fn what_is_not_what_it_says_it_is_is_not_shown() {
    let (mut vet, clinic, rex) = settled();
    vet.must(rename(rex, "Rexie"));
    let mut works = listed(&the_work(&leaves(&mut vet)));
    let last = works[0].change.len() - 1;
    works[0].change[last] ^= 1;
    let mut nora = administrator(&clinic);
    assert!(inbox(&mut nora, &works).is_empty());
    take_over(&mut nora, &works, vec![works[0].hash.clone()]).unwrap();
    assert_eq!(patient(&mut nora, rex).name, "Rex");
}
