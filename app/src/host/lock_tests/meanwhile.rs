//! What was begun before the device locked, and ends after it: it must not concern whoever is here by then.

use super::*;
use crate::host::NotDone;

fn password_of(name: &str, password: &str) -> ToCore {
    ToCore::SignIn(Entrance::Password {
        email: format!("{name}@clinic.example"),
        password: password.to_owned().into(),
        clinic: None,
    })
}

#[test]
fn a_sign_in_that_was_under_way_when_the_device_locked_opens_nothing() {
    let mut tablet = Tablet::new();
    tablet.sign_in(ANA, "Ana Moreno", PASSWORD);
    tablet.ask(password_of("ben", "copper-otter-window-12"));
    let asked = asked_last(&tablet);
    tablet.lock();
    let session = tablet.session(CLINIC, BEN, "Ben Fischer");
    let said = tablet.input(Input::Response(asked, Some(session)));
    assert_eq!(trouble(&said), Some(SignInTrouble::Overtaken));
    assert!(!is_in(&said), "{said:?}");
    assert_eq!(tablet.write(), Err(Failure::SignedOut));
    let (purpose, body) = tablet.world.posted.borrow().last().unwrap().clone();
    assert_eq!(purpose, Purpose::SignOut, "nobody has what the server gave");
    assert!(body.contains("refresh-of-Ben"), "{body}");
}

#[test]
fn a_sign_in_at_the_lock_screen_does_not_land_in_the_session_of_who_unlocked_meanwhile() {
    let mut tablet = Tablet::new();
    tablet.sign_in(ANA, "Ana Moreno", PASSWORD);
    tablet.lock();
    tablet.ask(password_of("ben", "copper-otter-window-12"));
    let asked = asked_last(&tablet);
    tablet.unlock(ANA, Way::Password, PASSWORD).unwrap();
    let session = tablet.session(CLINIC, BEN, "Ben Fischer");
    let said = tablet.input(Input::Response(asked, Some(session)));
    assert_eq!(trouble(&said), Some(SignInTrouble::Overtaken));
    tablet.input(Input::Response(Purpose::SignOut, None));
    tablet.write().unwrap();
    assert_eq!(names(&tablet.lock()), ["Ana Moreno"], "and it is hers");

    // Her own may end as it began.
    tablet.ask(password_of("ana", PASSWORD));
    let asked = asked_last(&tablet);
    tablet.unlock(ANA, Way::Password, PASSWORD).unwrap();
    let session = tablet.session(CLINIC, ANA, "Ana Moreno");
    assert!(is_in(&tablet.input(Input::Response(asked, Some(session)))));
}

#[test]
fn who_wants_to_leave_stays_if_a_window_saves_work_of_theirs_on_the_way_out() {
    let mut tablet = Tablet::new();
    tablet.sign_in(ANA, "Ana Moreno", PASSWORD);
    tablet.world.windows.set(2);
    let said = tablet.ask(ToCore::RemoveMe);
    assert!(matches!(said[..], [FromCore::Locking]), "{said:?}");
    tablet.ask(ToCore::Lock(left_off("/me")));
    tablet.write().unwrap();
    let shown = locked(&tablet.ask(ToCore::Lock(left_off("/")))).unwrap();
    assert_eq!((names(&shown), shown.waiting), (vec!["Ana Moreno"], Some(1)));
    tablet.unlock(ANA, Way::Password, PASSWORD).unwrap();
    tablet.write().expect("she is signed in as before");

    // Asked while it waits already, she is told.
    let said = tablet.ask(ToCore::RemoveMe);
    assert!(
        matches!(said[..], [FromCore::NotDone(NotDone::WorkWaits)]),
        "{said:?}"
    );
}

#[test]
fn the_same_where_a_window_does_not_answer_in_time() {
    let mut tablet = Tablet::new();
    tablet.sign_in(ANA, "Ana Moreno", PASSWORD);
    tablet.ask(ToCore::RemoveMe);
    tablet.write().unwrap();
    tablet.world.now.set(tablet.world.wake.get().unwrap().0);
    let shown = locked(&tablet.input(Input::Tick)).unwrap();
    assert_eq!((names(&shown), shown.waiting), (vec!["Ana Moreno"], Some(1)));
}

#[test]
fn what_somebody_who_leaves_had_half_typed_goes_with_them() {
    let mut tablet = Tablet::new();
    tablet.sign_in(ANA, "Ana Moreno", PASSWORD);
    tablet.lock();
    tablet.sign_in(BEN, "Ben Fischer", "copper-otter-window-12");
    tablet.ask(ToCore::RemoveMe);
    tablet.ask(ToCore::Lock(left_off("/me")));
    tablet.input(Input::Response(Purpose::SignOut, None));
    let said = tablet.sign_in(BEN, "Ben Fischer", "copper-otter-window-12");
    let place = said.iter().find_map(|message| match message {
        FromCore::Protection(protection) => Some(protection.left_off.place.clone()),
        _ => None,
    });
    assert_eq!(place.as_deref(), Some(""));
}

#[test]
fn the_last_who_leaves_leaves_a_new_device_to_every_window() {
    let mut tablet = Tablet::new();
    tablet.sign_in(ANA, "Ana Moreno", PASSWORD);
    tablet.ask(ToCore::LockAfter { minutes: 60 });
    let said = tablet.leave(ToCore::RemoveMe);
    assert!(
        said.iter()
            .any(|message| matches!(message, FromCore::HandoverEnds)),
        "{said:?}"
    );
    let said = tablet.sign_in(BEN, "Ben Fischer", "copper-otter-window-12");
    let after = said.iter().find_map(|message| match message {
        FromCore::Protection(protection) => Some(protection.lock_after),
        _ => None,
    });
    assert_eq!(after, Some(5), "as a new device does");
}

#[test]
fn tokens_are_not_asked_for_twice_across_a_lock() {
    let mut tablet = Tablet::new();
    tablet.sign_in(ANA, "Ana Moreno", PASSWORD);
    tablet.ask(ToCore::LockAfter { minutes: 60 });
    tablet.later(20);
    tablet.input(Input::SocketOpened(tablet.world.socket.get()));
    let renewals = |tablet: &Tablet| {
        let posted = tablet.world.posted.borrow();
        posted
            .iter()
            .filter(|(purpose, _)| *purpose == Purpose::Renew(ANA, 1))
            .count()
    };
    assert_eq!(renewals(&tablet), 1);
    // The server takes its time, and the device locks without it.
    tablet.ask(ToCore::Lock(left_off("/")));
    tablet.world.now.set(tablet.world.wake.get().unwrap().0);
    assert!(locked(&tablet.input(Input::Tick)).is_some());
    tablet.unlock(ANA, Way::Password, PASSWORD).unwrap();
    tablet.input(Input::SocketOpened(tablet.world.socket.get()));
    assert_eq!(renewals(&tablet), 1, "to the server it would look stolen");
    let renewed = tablet.session(CLINIC, ANA, "Ana Moreno");
    let sent = tablet.world.sent.get();
    tablet.input(Input::Response(Purpose::Renew(ANA, 1), Some(renewed)));
    assert_eq!(tablet.world.sent.get(), sent + 1, "she connects with it");
    tablet.lock();
}

#[test]
fn a_locked_device_that_was_lost_is_told_by_whoever_wants_to_sign_in_on_it() {
    let mut tablet = Tablet::new();
    tablet.sign_in(ANA, "Ana Moreno", PASSWORD);
    tablet.write().unwrap();
    tablet.lock();
    let lost = refused(403, "device_lost");
    tablet.ask(password_of("ben", "copper-otter-window-12"));
    let said = tablet.input(Input::Response(asked_last(&tablet), Some(lost)));
    assert_eq!(
        trouble(&said),
        Some(SignInTrouble::Refused(CallTrouble::DeviceLost))
    );
    assert!(!tablet.folder.path().join("records.db").exists());
    assert_eq!(
        tablet.unlock(ANA, Way::Password, PASSWORD),
        Err(UnlockTrouble::Gone)
    );
}

#[test]
fn a_pin_that_nobody_has_is_not_taken_away_silently() {
    let mut tablet = Tablet::new();
    tablet.sign_in(ANA, "Ana Moreno", PASSWORD);
    tablet.lock();
    let said = tablet.ask(ToCore::ForgetPin);
    assert!(
        matches!(said[..], [FromCore::Pin(Err(PinRefused::NotProven))]),
        "{said:?}"
    );
}
