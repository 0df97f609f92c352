//! Signing out, being taken off the device, and records that make room for others.

use super::*;

#[test]
fn whoever_signs_out_is_not_signed_out_before_every_window_has_saved() {
    let mut tablet = Tablet::new();
    tablet.sign_in(ANA, "Ana Moreno", PASSWORD);
    tablet.world.windows.set(2);
    let said = tablet.ask(ToCore::SignOut);
    assert!(matches!(said[..], [FromCore::Locking]), "{said:?}");
    tablet.ask(ToCore::Lock(left_off("/me")));
    tablet.write().unwrap();
    assert!(locked(&tablet.ask(ToCore::Lock(left_off("/")))).is_none());
    assert_eq!(tablet.write(), Err(Failure::SignedOut));
    let shown = locked(&tablet.input(Input::Response(Purpose::SignOut, None))).unwrap();
    assert!(shown.signs_in);

    // A window that hangs keeps nobody signed in.
    tablet.sign_in(ANA, "Ana Moreno", PASSWORD);
    tablet.ask(ToCore::SignOut);
    tablet.world.now.set(tablet.world.wake.get().unwrap().0);
    let shown = locked(&tablet.input(Input::Tick)).unwrap();
    assert!(shown.signs_in);
    tablet.unlock(ANA, Way::Password, PASSWORD).unwrap();
    assert_eq!(tablet.write(), Err(Failure::SignedOut));
}

#[test]
fn records_that_nobody_opens_and_that_the_clinic_has_may_go() {
    let mut tablet = Tablet::new();
    tablet.device_key = None;
    tablet.sign_in(ANA, "Ana Moreno", PASSWORD);
    assert_eq!(tablet.lock().waiting, Some(0));
    let said = tablet.sign_in(BEN, "Ben Fischer", "copper-otter-window-12");
    assert_eq!(trouble(&said), Some(SignInTrouble::Sealed { waiting: Some(0) }));
    let said = tablet.ask(ToCore::BeginAnew);
    assert!(matches!(said.last(), Some(FromCore::SignedIn(false))), "{said:?}");
    assert!(is_in(&tablet.sign_in(
        BEN,
        "Ben Fischer",
        "copper-otter-window-12"
    )));
    assert_eq!(names(&tablet.lock()), ["Ben Fischer"]);
}

#[test]
fn another_clinics_records_begin_anew_under_another_key_unless_work_waits() {
    let elsewhere = ClinicId(Uuid::from_u128(99));
    let mut tablet = Tablet::new();
    tablet.sign_in(ANA, "Ana Moreno", PASSWORD);
    tablet.write().unwrap();
    let said = tablet.sign_in_at(elsewhere, BEN, "Ben Fischer", "copper-otter-window-12");
    assert!(
        matches!(trouble(&said), Some(SignInTrouble::WorkWaits { waiting: 1, .. })),
        "{said:?}"
    );
    assert!(locked(&said).is_none(), "she goes on: {said:?}");
    assert_eq!(names(&tablet.lock()), ["Ana Moreno"]);
    let said = tablet.sign_in_at(elsewhere, BEN, "Ben Fischer", "copper-otter-window-12");
    assert!(
        matches!(trouble(&said), Some(SignInTrouble::WorkWaits { .. })),
        "{said:?}"
    );
    assert!(locked(&said).unwrap().signs_in);
    tablet.unlock(ANA, Way::Password, PASSWORD).unwrap();
    tablet.write().expect("she is signed in as before");
    // Nor does she herself, whose work waits, come in there; what the server gives her here still opens the device.
    tablet.device_key = Some([3; 32]);
    let said = tablet.sign_in_at(elsewhere, ANA, "Ana Moreno", PASSWORD);
    assert!(
        matches!(trouble(&said), Some(SignInTrouble::WorkWaits { .. })),
        "{said:?}"
    );
    assert_eq!(names(&tablet.lock()), ["Ana Moreno"]);
    tablet.device_key = Some([9; 32]);
    assert!(is_in(&tablet.sign_in(
        BEN,
        "Ben Fischer",
        "copper-otter-window-12"
    )));

    let mut tablet = Tablet::new();
    tablet.sign_in(ANA, "Ana Moreno", PASSWORD);
    tablet.set_pin(PIN, "").unwrap();
    assert!(is_in(&tablet.sign_in_at(
        elsewhere,
        BEN,
        "Ben Fischer",
        "copper-otter-window-12"
    )));
    assert_eq!(names(&tablet.lock()), ["Ben Fischer"]);
    assert_eq!(tablet.unlock(ANA, Way::Pin, PIN), Err(UnlockTrouble::Gone));
}

#[test]
fn whoever_signs_out_has_to_sign_in_again_and_leaves_nothing_open() {
    let mut tablet = Tablet::new();
    tablet.sign_in(ANA, "Ana Moreno", PASSWORD);
    tablet.write().unwrap();
    let shown = locked(&tablet.leave(ToCore::SignOut)).unwrap();
    assert!(shown.signs_in);
    assert_eq!((names(&shown), shown.waiting), (vec!["Ana Moreno"], Some(1)));
    // Her password opens the records, where nobody works until the server has let somebody in.
    let secret = PASSWORD.to_owned().into();
    let said = tablet.ask(ToCore::Unlock {
        account: ANA,
        way: Way::Password,
        secret,
    });
    assert!(
        matches!(unlocked(&said), Some(Ok(()))) && !is_in(&said),
        "{said:?}"
    );
    assert_eq!(tablet.write(), Err(Failure::SignedOut));
    assert!(is_in(&tablet.sign_in(ANA, "Ana Moreno", PASSWORD)));

    // A server that keeps no keys: a colleague who is new here would not get in, so it stays open for a while.
    let mut tablet = Tablet::new();
    tablet.device_key = None;
    tablet.sign_in(ANA, "Ana Moreno", PASSWORD);
    tablet.write().unwrap();
    assert!(locked(&tablet.ask(ToCore::SignOut)).is_none());
    tablet.input(Input::Response(Purpose::SignOut, None));
    tablet.later(1);
    assert!(is_in(&tablet.sign_in(
        BEN,
        "Ben Fischer",
        "copper-otter-window-12"
    )));
    assert_eq!(names(&tablet.lock()), ["Ben Fischer", "Ana Moreno"]);
}

#[test]
fn who_leaves_the_device_leaves_only_when_nothing_of_theirs_waits() {
    let mut tablet = Tablet::new();
    tablet.sign_in(ANA, "Ana Moreno", PASSWORD);
    tablet.lock();
    tablet.sign_in(BEN, "Ben Fischer", "copper-otter-window-12");
    tablet.write().unwrap();
    tablet.ask(ToCore::RemoveMe);
    assert_eq!(names(&tablet.lock()).len(), 2, "work of his waits");
    tablet.unlock(ANA, Way::Password, PASSWORD).unwrap();
    let shown = locked(&tablet.leave(ToCore::RemoveMe)).unwrap();
    assert_eq!(names(&shown), ["Ben Fischer"]);
    assert_eq!(
        tablet.unlock(ANA, Way::Password, PASSWORD),
        Err(UnlockTrouble::Gone)
    );

    let mut alone = Tablet::new();
    alone.sign_in(ANA, "Ana Moreno", PASSWORD);
    let said = alone.leave(ToCore::RemoveMe);
    assert!(matches!(said.last(), Some(FromCore::SignedIn(false))), "{said:?}");
    assert!(!alone.folder.path().join("records.db").exists());
}
