//! A device that was reported lost.

use super::former_build::former_store;
use super::*;

#[test]
fn a_lost_device_keeps_no_records_and_nobody_who_could_open_them() {
    let mut tablet = Tablet::new();
    tablet.sign_in(ANA, "Ana Moreno", PASSWORD);
    tablet.set_pin(PIN, "").unwrap();
    tablet.write().unwrap();
    let device = |tablet: &Tablet| {
        let posted = tablet.world.posted.borrow();
        let (_, body) = posted
            .iter()
            .rfind(|(purpose, _)| matches!(purpose, Purpose::SignIn(_)))
            .unwrap();
        serde_json::from_str::<serde_json::Value>(body).unwrap()["device"].clone()
    };
    let before = device(&tablet);
    tablet.ask(ToCore::LockAfter { minutes: 60 });
    tablet.later(20);
    tablet.input(Input::SocketOpened(tablet.world.socket.get()));
    let lost = refused(403, "device_lost");
    let said = tablet.input(Input::Response(Purpose::Renew(ANA, 1), Some(lost)));
    assert!(
        said.iter()
            .any(|message| matches!(message, FromCore::HandoverEnds)),
        "no window goes on: {said:?}"
    );
    assert!(matches!(said.last(), Some(FromCore::SignedIn(false))), "{said:?}");
    let (purpose, told) = tablet.world.posted.borrow().last().unwrap().clone();
    assert_eq!(purpose, Purpose::Purged);
    assert!(told.contains("refresh-of-Ana"), "it proves who it was: {told}");
    assert!(!tablet.world.connected.get());
    for gone in ["records.db", "records.db-wal", "clinic.db"] {
        assert!(!tablet.folder.path().join(gone).exists(), "{gone}");
    }
    let keys = std::fs::read(tablet.folder.path().join("keys.db")).unwrap();
    assert!(
        !keys.windows(3).any(|window| window == b"Ana"),
        "her name and her ways are gone"
    );
    assert_eq!(tablet.unlock(ANA, Way::Pin, PIN), Err(UnlockTrouble::Gone));

    // It is still this device to the server, and whoever may use it begins with nothing.
    let said = tablet.start();
    assert!(
        matches!(said[..], [FromCore::Ready { .. }, FromCore::SignedIn(false)]),
        "{said:?}"
    );
    assert!(is_in(&tablet.sign_in(
        BEN,
        "Ben Fischer",
        "copper-otter-window-12"
    )));
    assert_eq!(device(&tablet), before);
    let shown = tablet.lock();
    assert_eq!((names(&shown), shown.waiting), (vec!["Ben Fischer"], Some(0)));
}

#[test]
fn a_former_builds_store_goes_too_when_its_device_was_lost() {
    let mut tablet = Tablet::off();
    former_store(tablet.folder.path());
    tablet.start();
    tablet.input(Input::SocketOpened(tablet.world.socket.get()));
    let lost = refused(403, "device_lost");
    tablet.input(Input::Response(Purpose::Renew(ANA, 0), Some(lost)));
    assert!(!tablet.folder.path().join("clinic.db").exists());
    tablet.assert_nothing_is_readable();
}
