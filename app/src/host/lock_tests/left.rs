//! Somebody leaves the clinic.

use super::*;
use local_core::HasLeft;
use shared_model::late_work::{HandIn, Kept};

/// The server says that whoever works here has left, and keeps everything that is handed in.
fn leaves(tablet: &mut Tablet, account: AccountId) -> Vec<FromCore> {
    tablet.ask(ToCore::LockAfter { minutes: 60 });
    tablet.later(20);
    tablet.input(Input::SocketOpened(tablet.world.socket.get()));
    let ended = refused(401, "sign_in_again");
    let mut said = tablet.input(Input::Response(asked_last(tablet), Some(ended)));
    loop {
        let (purpose, body) = tablet.world.posted.borrow().last().unwrap().clone();
        assert_eq!(purpose, Purpose::HandIn(account));
        let asked: HandIn = serde_json::from_str(&body).unwrap();
        let kept = Kept {
            account,
            clinic: CLINIC,
            has_left: true,
            hashes: asked.items.iter().map(|item| item.hash.clone()).collect(),
            authors_left: Vec::new(),
        };
        let asked_before = tablet.world.posted.borrow().len();
        said.extend(tablet.input(Input::Response(purpose, Some(answered(&kept)))));
        if tablet.world.posted.borrow().len() == asked_before {
            return said;
        }
    }
}

fn told_of(said: &[FromCore]) -> Option<HasLeft> {
    said.iter().rev().find_map(|message| match message {
        FromCore::Left(left) => Some(left.clone()),
        _ => None,
    })?
}

/// Ana and Ben work on it, and Ana has written something that nobody else has.
fn of_two() -> Tablet {
    let mut tablet = Tablet::new();
    tablet.sign_in(BEN, "Ben Okafor", "another-lantern-beagle-48");
    tablet.lock();
    tablet.sign_in(ANA, "Ana Moreno", PASSWORD);
    tablet.write().unwrap();
    tablet
}

#[test]
fn whoever_leaves_a_shared_tablet_does_not_come_in_again_and_the_others_do() {
    let mut tablet = of_two();
    let said = leaves(&mut tablet, ANA);
    let shown = locked(&said).expect("it is locked");
    let people: Vec<AccountId> = shown.people.iter().map(|person| person.account).collect();
    assert_eq!(people, [BEN]);
    let told = told_of(&said).expect("whoever comes next reads it");
    assert_eq!((told.account, told.entries, told.records_gone), (ANA, 1, false));
    assert_eq!(
        tablet.unlock(ANA, Way::Password, PASSWORD),
        Err(UnlockTrouble::Gone)
    );
    let said = tablet.start();
    assert_eq!(told_of(&said), Some(told), "after a restart too");
    assert_eq!(
        tablet.unlock(BEN, Way::Password, "another-lantern-beagle-48"),
        Ok(())
    );
    tablet.write().unwrap();
    tablet.lock();
    let said = tablet.start();
    assert_eq!(told_of(&said), None, "Ben has read it");
    let keys = std::fs::read(tablet.folder.path().join("keys.db")).unwrap();
    assert!(!keys.windows(10).any(|window| window == b"Ana Moreno"));
    tablet.assert_nothing_is_readable();
}

/// Ana's session hears that Ben, who is signed in here too, has left.
#[test]
fn a_colleague_who_has_left_does_not_come_in_again() {
    let mut tablet = of_two();
    let kept = Kept {
        account: ANA,
        clinic: CLINIC,
        has_left: false,
        hashes: Vec::new(),
        authors_left: vec![BEN],
    };
    let said = tablet.input(Input::Response(Purpose::HandIn(ANA), Some(answered(&kept))));
    assert!(locked(&said).is_none(), "Ana goes on: {said:?}");
    tablet.write().unwrap();
    tablet.lock();
    let said = tablet.start();
    let shown = locked(&said).expect("it is locked");
    let people: Vec<AccountId> = shown.people.iter().map(|person| person.account).collect();
    assert_eq!(people, [ANA]);
    assert_eq!(told_of(&said).map(|left| left.account), Some(BEN));
    assert_eq!(
        tablet.unlock(BEN, Way::Password, "another-lantern-beagle-48"),
        Err(UnlockTrouble::Gone)
    );
    assert_eq!(tablet.unlock(ANA, Way::Password, PASSWORD), Ok(()));
}

#[test]
fn a_death_before_the_keyring_has_heard_lets_nobody_in_who_has_left() {
    let mut tablet = of_two();
    let keys = tablet.folder.path().join("keys.db");
    let before = std::fs::read(&keys).unwrap();
    leaves(&mut tablet, ANA);
    tablet.runner = None;
    std::fs::write(&keys, before).unwrap();
    tablet.start();
    assert_eq!(
        tablet.unlock(ANA, Way::Password, PASSWORD),
        Err(UnlockTrouble::Gone)
    );
    let said = tablet.start();
    let people: Vec<AccountId> = locked(&said)
        .unwrap()
        .people
        .iter()
        .map(|person| person.account)
        .collect();
    assert_eq!(people, [BEN]);
    assert!(told_of(&said).is_some());
}

#[test]
fn with_the_last_one_the_records_and_their_key_go() {
    let mut tablet = Tablet::new();
    tablet.sign_in(ANA, "Ana Moreno", PASSWORD);
    tablet.write().unwrap();
    let said = leaves(&mut tablet, ANA);
    assert!(
        said.iter()
            .any(|message| matches!(message, FromCore::SignedIn(false))),
        "{said:?}"
    );
    assert!(told_of(&said).expect("it is told").records_gone);
    let purged = |(purpose, _): &(Purpose, String)| *purpose == Purpose::Purged;
    assert!(
        !tablet.world.posted.borrow().iter().any(purged),
        "it is no lost device"
    );
    for gone in ["records.db", "records.db-wal", "clinic.db"] {
        assert!(!tablet.folder.path().join(gone).exists(), "{gone}");
    }
    let said = tablet.start();
    assert!(matches!(said[0], FromCore::Ready { fresh: true }), "{said:?}");
    assert!(told_of(&said).is_some());
    assert_eq!(
        tablet.unlock(ANA, Way::Password, PASSWORD),
        Err(UnlockTrouble::Gone)
    );
}
