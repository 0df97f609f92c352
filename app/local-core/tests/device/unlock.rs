//! The keyring: who opens the records with what, and how often somebody may try.

use crate::clinic::{NORA, VET, nine};
use local_core::unlock::{DataKey, DeviceKey, Fresh, Keyring, Outcome, PIN_TRIES, Pin, Way};
use rusqlite::Connection;
use shared_model::ids::DeviceId;
use shared_model::time::Timestamp;
use std::path::Path;
use uuid::Uuid;

const PIN: &str = "481516";
const PASSWORD: &str = "lantern-beagle-orchard-47";

fn data() -> DataKey {
    DataKey::mint(|bytes| bytes.fill(0xd7))
}

fn fresh(number: u8) -> Fresh {
    Fresh {
        salt: [number; 16],
        nonce: [number; 24],
    }
}

fn open(folder: &Path) -> Keyring {
    Keyring::new(Connection::open(folder.join("keys.db")).unwrap()).unwrap()
}

/// A tablet on which Ana has a password and a PIN, and Nora a password.
fn tablet(folder: &Path) -> Keyring {
    let keyring = open(folder);
    keyring.device(DeviceId(Uuid::from_u128(5))).unwrap();
    for (number, account, name) in [(1, VET, "Ana Moreno"), (2, NORA, "Nora Lindqvist")] {
        keyring
            .remember(account, name, nine().plus_minutes(i64::from(number)))
            .unwrap();
        keyring
            .set_password(account, &format!("{PASSWORD}{number}"), &data(), fresh(number))
            .unwrap();
    }
    keyring
        .set_pin(VET, &Pin::parse(PIN).unwrap(), &data(), fresh(3))
        .unwrap();
    keyring
}

fn wrong(left: u32) -> Outcome {
    Outcome::Wrong {
        left: Some(left),
        next: None,
    }
}

#[test]
fn each_person_opens_the_same_records_with_what_they_know() {
    let folder = tempfile::tempdir().unwrap();
    let keyring = tablet(folder.path());
    let people = keyring.people(nine()).unwrap();
    assert_eq!(
        people
            .iter()
            .map(|person| person.name.as_str())
            .collect::<Vec<_>>(),
        ["Nora Lindqvist", "Ana Moreno"],
        "who was here last comes first"
    );
    assert_eq!(
        people.iter().map(|person| person.pin_tries).collect::<Vec<_>>(),
        [None, Some(PIN_TRIES)]
    );
    let unlock = |account, way, secret: &str| keyring.try_unlock(nine(), account, way, secret).unwrap();
    assert_eq!(unlock(VET, Way::Pin, PIN), Outcome::Opened(data()));
    assert_eq!(
        unlock(VET, Way::Password, &format!("{PASSWORD}1")),
        Outcome::Opened(data())
    );
    assert_eq!(
        unlock(NORA, Way::Password, &format!("{PASSWORD}2")),
        Outcome::Opened(data())
    );
    assert_eq!(unlock(NORA, Way::Pin, PIN), Outcome::Gone, "it is not her PIN");
    assert_eq!(
        unlock(NORA, Way::Password, &format!("{PASSWORD}1")),
        Outcome::Wrong {
            left: None,
            next: None
        }
    );
}

#[test]
fn five_wrong_pins_end_the_pin_and_the_password_still_opens() {
    let folder = tempfile::tempdir().unwrap();
    let mut keyring = tablet(folder.path());
    for left in [4, 3] {
        let tried = keyring.try_unlock(nine(), VET, Way::Pin, "000001").unwrap();
        assert_eq!(tried, wrong(left));
    }
    // The right one begins the count anew.
    let right = keyring.try_unlock(nine(), VET, Way::Pin, PIN).unwrap();
    assert_eq!(right, Outcome::Opened(data()));
    for left in [4, 3, 2, 1] {
        // A restart does not.
        drop(keyring);
        keyring = open(folder.path());
        let tried = keyring.try_unlock(nine(), VET, Way::Pin, "000001").unwrap();
        assert_eq!(tried, wrong(left));
    }
    let last = keyring.try_unlock(nine(), VET, Way::Pin, "000001").unwrap();
    assert_eq!(last, Outcome::Gone);
    let after = keyring.try_unlock(nine(), VET, Way::Pin, PIN).unwrap();
    assert_eq!(after, Outcome::Gone);
    assert!(!keyring.has_pin(VET).unwrap());
    let password = keyring
        .try_unlock(nine(), VET, Way::Password, &format!("{PASSWORD}1"))
        .unwrap();
    assert_eq!(password, Outcome::Opened(data()));
}

#[test]
fn an_attempt_counts_although_the_power_goes_before_it_is_judged() {
    let folder = tempfile::tempdir().unwrap();
    let mut keyring = tablet(folder.path());
    for _ in 0..PIN_TRIES {
        assert!(keyring.begin(nine(), VET, Way::Pin).unwrap().is_ok());
        drop(keyring);
        keyring = open(folder.path());
    }
    let people = keyring.people(nine()).unwrap();
    assert_eq!(people[1].pin_tries, Some(0));
    let right = keyring.try_unlock(nine(), VET, Way::Pin, PIN).unwrap();
    assert_eq!(
        right,
        Outcome::Gone,
        "five were begun, whatever they would have been"
    );
}

#[test]
fn wrong_passwords_slow_down_across_a_restart_and_a_clock_set_back() {
    let folder = tempfile::tempdir().unwrap();
    let keyring = tablet(folder.path());
    let right = format!("{PASSWORD}1");
    for next in [None, None, Some(Timestamp(nine().0 + 5_000))] {
        let tried = keyring.try_unlock(nine(), VET, Way::Password, "guess").unwrap();
        assert_eq!(tried, Outcome::Wrong { left: None, next });
    }
    drop(keyring);
    let keyring = open(folder.path());
    assert_eq!(
        keyring.people(nine()).unwrap()[1].password_from,
        Some(Timestamp(nine().0 + 5_000))
    );
    let unlock = |at: i64| {
        keyring
            .try_unlock(Timestamp(nine().0 + at), VET, Way::Password, &right)
            .unwrap()
    };
    assert_eq!(unlock(4_999), Outcome::Wait(Timestamp(nine().0 + 5_000)));
    // An hour back: it waits from there, and what was waited already is of no use.
    let earlier = -3_600_000;
    let at_the_lock = keyring.people(Timestamp(nine().0 + earlier)).unwrap();
    assert_eq!(
        at_the_lock[1].password_from,
        Some(Timestamp(nine().0 + earlier + 5_000)),
        "the screen says the same"
    );
    assert_eq!(
        unlock(earlier),
        Outcome::Wait(Timestamp(nine().0 + earlier + 5_000))
    );
    assert_eq!(unlock(earlier + 5_000), Outcome::Opened(data()));
    assert_eq!(keyring.people(nine()).unwrap()[1].password_from, None);
}

#[test]
fn a_colleague_comes_in_through_the_server_and_a_thief_of_the_disk_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let keyring = tablet(folder.path());
    let served = DeviceKey::new([9; 32]);
    assert_eq!(keyring.open_by_device_key(&served).unwrap(), None);
    keyring.set_device_key(&served, &data(), [4; 24]).unwrap();
    assert_eq!(keyring.open_by_device_key(&served).unwrap(), Some(data()));
    assert_eq!(
        keyring.open_by_device_key(&DeviceKey::new([8; 32])).unwrap(),
        None
    );
    // The password that the server took may be a newer one than this device knows.
    assert_eq!(
        keyring.open_by_password(VET, &format!("{PASSWORD}1")).unwrap(),
        Some(data())
    );
    assert_eq!(keyring.open_by_password(VET, "changed elsewhere").unwrap(), None);
    drop(keyring);
    let file = std::fs::read(folder.path().join("keys.db")).unwrap();
    let holds = |what: &[u8]| file.windows(what.len()).any(|window| window == what);
    assert!(!holds(&[0xd7; 8]) && !holds(PASSWORD.as_bytes()) && !holds(PIN.as_bytes()));
}

#[test]
fn a_spent_pin_is_gone_from_the_disk_too() {
    let folder = tempfile::tempdir().unwrap();
    let keyring = tablet(folder.path());
    let salt = [3; 16];
    let in_file = || {
        std::fs::read(folder.path().join("keys.db"))
            .unwrap()
            .windows(16)
            .any(|window| window == salt)
    };
    assert!(in_file());
    keyring.forget_pin(VET).unwrap();
    assert!(!in_file());
}

#[test]
fn a_window_that_slept_through_a_lock_opens_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let keyring = tablet(folder.path());
    keyring.note_opened(&[1; 16]).unwrap();
    assert!(keyring.still_holds(&[1; 16]).unwrap());
    assert_eq!(keyring.waiting().unwrap(), None);
    keyring.note_locked(3).unwrap();
    assert!(!keyring.still_holds(&[1; 16]).unwrap());
    assert_eq!(keyring.waiting().unwrap(), Some(3));
    keyring.note_opened(&[2; 16]).unwrap();
    assert!(!keyring.still_holds(&[1; 16]).unwrap());
}

#[test]
fn whoever_leaves_the_device_leaves_nothing_to_open_it_with() {
    let folder = tempfile::tempdir().unwrap();
    let keyring = tablet(folder.path());
    keyring.set_sealed().unwrap();
    keyring.forget_person(VET).unwrap();
    let right = keyring
        .try_unlock(nine(), VET, Way::Password, &format!("{PASSWORD}1"))
        .unwrap();
    assert_eq!(right, Outcome::Gone);
    assert_eq!(keyring.people(nine()).unwrap().len(), 1);
    let device = keyring.device(DeviceId(Uuid::from_u128(6))).unwrap();
    keyring.forget_everybody().unwrap();
    assert!(keyring.people(nine()).unwrap().is_empty() && !keyring.is_sealed().unwrap());
    assert_eq!(keyring.device(DeviceId(Uuid::from_u128(7))).unwrap(), device);
}
