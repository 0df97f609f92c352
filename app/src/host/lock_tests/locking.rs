//! Locking: by whom and when, what is waited for, and what goes on.

use super::*;

#[test]
fn a_call_of_who_has_locked_is_answered_to_nobody_else() {
    let mut tablet = Tablet::new();
    tablet.sign_in(ANA, "Ana Moreno", PASSWORD);
    tablet.ask(ToCore::Call {
        ticket: 7,
        request: Call::me().request,
    });
    let answers = |said: &[FromCore]| -> Vec<Result<String, CallTrouble>> {
        said.iter()
            .filter_map(|message| match message {
                FromCore::Called { ticket: 7, outcome } => Some(outcome.clone()),
                _ => None,
            })
            .collect()
    };
    let said = tablet.ask(ToCore::Lock(left_off("")));
    assert_eq!(answers(&said), [Err(CallTrouble::SignInAgain)]);
    let late = answered(&"hers");
    assert_eq!(
        answers(&tablet.input(Input::Response(Purpose::Call(7), Some(late)))),
        []
    );
}

#[test]
fn what_a_socket_of_an_earlier_unlocking_says_is_not_heard() {
    let mut tablet = Tablet::new();
    tablet.sign_in(ANA, "Ana Moreno", PASSWORD);
    let former = tablet.world.socket.get();
    tablet.input(Input::SocketOpened(former));
    tablet.lock();
    tablet.unlock(ANA, Way::Password, PASSWORD).unwrap();
    let socket = tablet.world.socket.get();
    assert_ne!(former, socket);
    let sent = tablet.world.sent.get();
    let wake = tablet.world.wake.get();
    tablet.input(Input::SocketClosed(former));
    assert_eq!(tablet.world.wake.get(), wake, "nothing is to be done about it");
    tablet.input(Input::SocketOpened(former));
    assert_eq!(tablet.world.sent.get(), sent);
    tablet.input(Input::SocketOpened(socket));
    assert_eq!(tablet.world.sent.get(), sent + 1, "it says Hello");
}

#[test]
fn it_locks_itself_once_every_window_has_saved() {
    let mut tablet = Tablet::new();
    tablet.sign_in(ANA, "Ana Moreno", PASSWORD);
    tablet.world.windows.set(2);
    let due = tablet.world.wake.get().unwrap();
    tablet.later(4);
    tablet.ask(ToCore::Active);
    tablet.later(4);
    assert!(
        locked(&tablet.input(Input::Tick)).is_none(),
        "somebody was here meanwhile"
    );
    tablet.later(1);
    assert!(due.0 <= tablet.world.now.get());
    let said = tablet.input(Input::Tick);
    assert!(matches!(said[0], FromCore::Locking), "{said:?}");
    // What is typed is saved first, in both windows.
    tablet.write().unwrap();
    let place = || ToCore::Lock(left_off("/"));
    assert!(locked(&tablet.ask(place())).is_none());
    let shown = locked(&tablet.ask(place())).unwrap();
    assert_eq!(shown.waiting, Some(1));

    // A window that does not answer keeps nothing open.
    tablet.unlock(ANA, Way::Password, PASSWORD).unwrap();
    tablet.later(5);
    tablet.input(Input::Tick);
    let grace = tablet.world.wake.get().unwrap();
    tablet.world.now.set(grace.0);
    assert!(locked(&tablet.input(Input::Tick)).is_some());
}

#[test]
fn a_machine_that_slept_locks_before_it_does_anything_else() {
    let mut tablet = Tablet::new();
    tablet.sign_in(ANA, "Ana Moreno", PASSWORD);
    tablet.later(600);
    let said = tablet.ask(ToCore::Active);
    assert!(matches!(said[0], FromCore::Locking), "{said:?}");
    tablet.world.now.set(tablet.world.wake.get().unwrap().0);
    assert!(locked(&tablet.ask(ToCore::Active)).is_some());
}

#[test]
fn a_window_that_was_away_hears_whether_the_device_is_still_open() {
    let mut tablet = Tablet::new();
    tablet.sign_in(ANA, "Ana Moreno", PASSWORD);
    tablet.later(4);
    assert!(
        is_in(&tablet.ask(ToCore::Returned)),
        "somebody may work in another window"
    );
    tablet.later(2);
    let said = tablet.ask(ToCore::Returned);
    assert!(matches!(said[..], [FromCore::Locking]), "{said:?}");
}

#[test]
fn what_the_server_renewed_is_waited_for_before_it_locks() {
    let mut tablet = Tablet::new();
    tablet.sign_in(ANA, "Ana Moreno", PASSWORD);
    tablet.later(20);
    tablet.ask(ToCore::LockAfter { minutes: 60 });
    tablet.input(Input::SocketOpened(tablet.world.socket.get()));
    let asked = tablet.world.posted.borrow().last().unwrap().0;
    assert_eq!(asked, Purpose::Renew(ANA, 1));
    let place = || ToCore::Lock(left_off("/"));
    assert!(locked(&tablet.ask(place())).is_none());
    let mut renewed = tablet.session(CLINIC, ANA, "Ana Moreno");
    renewed.body = renewed.body.replace("refresh-of-", "later-refresh-of-");
    let said = tablet.input(Input::Response(Purpose::Renew(ANA, 1), Some(renewed)));
    assert!(locked(&said).is_some());
    tablet.unlock(ANA, Way::Password, PASSWORD).unwrap();
    tablet.leave(ToCore::SignOut);
    let (purpose, body) = tablet.world.posted.borrow().last().unwrap().clone();
    assert_eq!(purpose, Purpose::SignOut);
    assert!(body.contains("later-refresh-of-"), "{body}");
}

#[test]
fn a_window_takes_over_from_one_that_died_but_not_through_a_lock() {
    let mut tablet = Tablet::new();
    tablet.world.windows.set(2);
    tablet.sign_in(ANA, "Ana Moreno", PASSWORD);
    // Everything that a window was handed is handed again at the next unlocking.
    let handed = |said: &[FromCore]| {
        said.iter().find_map(|message| match message {
            FromCore::Handover(handover) => Some(handover.clone()),
            _ => None,
        })
    };
    let place = || ToCore::Lock(left_off(""));
    tablet.ask(place());
    tablet.ask(place());
    let secret: Secret = PASSWORD.to_owned().into();
    let unlock = ToCore::Unlock {
        account: ANA,
        way: Way::Password,
        secret,
    };
    let said = tablet.ask(unlock.clone());
    let handover = handed(&said).unwrap();
    tablet.write().unwrap();

    // The window with the records crashes, another one starts on them.
    assert!(locked(&tablet.start()).is_some());
    let said = tablet.ask(ToCore::Resume(handover));
    assert!(is_in(&said), "{said:?}");
    let handover = handed(&said).unwrap();
    tablet.ask(place());
    assert!(locked(&tablet.ask(place())).is_some());
    // One that slept meanwhile opens nothing.
    let said = tablet.ask(ToCore::Resume(handover));
    assert!(!is_in(&said) && locked(&said).is_some(), "{said:?}");
    let said = tablet.ask(unlock);
    assert!(is_in(&said));
}

/// What a window relies on that asks again because nobody was there to say whether its command was carried out.
#[test]
fn what_is_asked_of_locked_records_is_carried_out_once_when_it_is_asked_again_after_unlocking() {
    let mut tablet = Tablet::new();
    tablet.world.windows.set(2);
    let said = tablet.sign_in(ANA, "Ana Moreno", PASSWORD);
    let handover = said.iter().find_map(|message| match message {
        FromCore::Handover(handover) => Some(handover.clone()),
        _ => None,
    });
    let ticket = |number: u64| (7 << PAGE_BITS) + number;
    let registers = |number: u64| ToCore::Command {
        ticket: ticket(number),
        command: client(u128::from(number) + 100),
    };
    let carried_out = answer(&tablet.ask(registers(1)), ticket(1)).unwrap();
    assert!(carried_out.is_ok());

    // The window with the records crashes before anybody hears that. The next one starts on them, and is asked for that
    // command and for another one before it is unlocked.
    tablet.start();
    for number in [1, 2] {
        let said = tablet.ask(registers(number));
        assert_eq!(answer(&said, ticket(number)), Some(Err(Failure::SignedOut)));
    }
    tablet.world.now.set(tablet.world.now.get() + 5_000);
    assert!(is_in(&tablet.ask(ToCore::Resume(handover.unwrap()))));
    let said = tablet.ask(registers(1));
    assert_eq!(
        answer(&said, ticket(1)),
        Some(carried_out),
        "it was, at that time"
    );
    let now = Timestamp(tablet.world.now.get());
    let said = tablet.ask(registers(2));
    assert_eq!(answer(&said, ticket(2)), Some(Ok(now)), "it had not been");
    let said = tablet.ask(registers(2));
    assert_eq!(answer(&said, ticket(2)), Some(Ok(now)), "and is not again");
}
