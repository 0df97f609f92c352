//! A disk that takes nothing any more, at whatever moment.

use super::former_build::former_store;
use super::*;
use crate::host::{NotDone, Protection};
use local_core::StorageTrouble;

/// More transactions than any sign-in has.
const MANY: u64 = 40;

fn protection(said: &[FromCore]) -> Option<&Protection> {
    said.iter().rev().find_map(|message| match message {
        FromCore::Protection(protection) => Some(protection),
        _ => None,
    })
}

/// Signs in with a disk that is full after so many transactions; gives what was said, and whether it was full.
fn sign_in_with_room_for(transactions: u64, tablet: &mut Tablet) -> (Vec<FromCore>, bool) {
    tablet.has_room_for(transactions);
    let said = tablet.sign_in(ANA, "Ana Moreno", PASSWORD);
    let was_full = tablet.room.load(Ordering::SeqCst) == 0;
    tablet.has_room_for(ROOM);
    (said, was_full)
}

#[test]
fn a_first_sign_in_is_answered_and_whoever_is_asked_to_unlock_can() {
    let mut failed = 0;
    for transactions in 0..MANY {
        let mut tablet = Tablet::new();
        let (said, was_full) = sign_in_with_room_for(transactions, &mut tablet);
        if !was_full {
            assert!(is_in(&said), "{said:?}");
            break;
        }
        failed += 1;
        let answered = said.iter().any(|message| matches!(message, FromCore::SignIn(_)));
        assert!(answered, "after {transactions}: {said:?}");
        // Somebody else is next, and the disk has room again.
        let said = tablet.sign_in(BEN, "Ben Fischer", "copper-otter-window-12");
        assert!(is_in(&said), "after {transactions}: {said:?}");
        tablet.write().unwrap();
        let shown = tablet.lock();
        assert!(names(&shown).contains(&"Ben Fischer"), "after {transactions}");
        for (account, password) in [(ANA, PASSWORD), (BEN, "copper-otter-window-12")] {
            if shown.people.iter().any(|person| person.account == account) {
                let unlocked = tablet.unlock(account, Way::Password, password);
                assert_eq!(
                    unlocked,
                    Ok(()),
                    "after {transactions}: {}",
                    names(&shown).join(", ")
                );
                assert_eq!(tablet.lock().waiting, Some(1));
            }
        }
    }
    assert!((5..MANY).contains(&failed), "{failed}");
}

#[test]
fn a_former_builds_records_outlive_whatever_fails_while_they_are_sealed() {
    let mut failed = 0;
    for transactions in 0..MANY {
        let mut tablet = Tablet::off();
        former_store(tablet.folder.path());
        tablet.start();
        let (_, was_full) = sign_in_with_room_for(transactions, &mut tablet);
        if !was_full {
            break;
        }
        failed += 1;
        let said = tablet.sign_in(ANA, "Ana Moreno", PASSWORD);
        assert!(is_in(&said), "after {transactions}: {said:?}");
        assert_eq!(tablet.lock().waiting, Some(2), "after {transactions}");
        tablet.assert_nothing_is_readable();
    }
    assert!((5..MANY).contains(&failed), "{failed}");
}

#[test]
fn a_sign_in_that_cannot_be_written_down_says_so_and_changes_nothing() {
    let mut tablet = Tablet::new();
    tablet.sign_in(ANA, "Ana Moreno", PASSWORD);
    tablet.lock();
    let mut failed = 0;
    for transactions in 0..MANY {
        tablet.has_room_for(transactions);
        let said = tablet.sign_in(BEN, "Ben Fischer", "copper-otter-window-12");
        let was_full = tablet.room.load(Ordering::SeqCst) == 0;
        tablet.has_room_for(ROOM);
        if !was_full {
            break;
        }
        failed += 1;
        let stays_locked = locked(&said).is_some();
        let why = trouble(&said);
        if stays_locked {
            let expected = SignInTrouble::Storage(StorageTrouble::Other);
            assert_eq!(why, Some(expected), "after {transactions}");
        } else {
            assert!(is_in(&said) && why.is_none(), "after {transactions}: {said:?}");
            tablet.lock();
        }
        tablet.unlock(ANA, Way::Password, PASSWORD).unwrap();
        tablet.write().expect("she is signed in as before");
        tablet.lock();
    }
    assert!((3..MANY).contains(&failed), "{failed}");
}

#[test]
fn after_the_disk_was_mended_the_screen_shows_what_is_there() {
    let mut tablet = Tablet::new();
    tablet.sign_in(ANA, "Ana Moreno", PASSWORD);
    tablet.lock();
    assert!(locked(&tablet.ask(ToCore::RetryStorage)).is_some());
    let mut empty = Tablet::new();
    let said = empty.ask(ToCore::RetryStorage);
    assert!(matches!(said.last(), Some(FromCore::SignedIn(false))), "{said:?}");
}

#[test]
fn a_full_disk_does_not_swallow_what_somebody_wants_of_the_device() {
    let mut tablet = Tablet::new();
    tablet.sign_in(ANA, "Ana Moreno", PASSWORD);
    tablet.set_pin(PIN, "").unwrap();
    tablet.has_room_for(0);
    let not_done = |said: &[FromCore]| {
        said.iter()
            .any(|message| matches!(message, FromCore::NotDone(NotDone::Storage(_))))
    };
    let said = tablet.ask(ToCore::LockAfter { minutes: 60 });
    assert!(not_done(&said), "{said:?}");
    assert_eq!(protection(&said).unwrap().lock_after, 5);
    let said = tablet.ask(ToCore::ForgetPin);
    assert!(
        said.iter()
            .any(|message| matches!(message, FromCore::Pin(Err(PinRefused::Storage(_))))),
        "{said:?}"
    );
    assert!(protection(&said).unwrap().has_pin);
}
