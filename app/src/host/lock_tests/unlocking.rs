//! Coming in: with a password, a PIN or the server, by one person after the other.

use super::*;

#[test]
fn a_device_is_encrypted_from_its_first_sign_in_and_nothing_on_it_is_readable() {
    let mut tablet = Tablet::off();
    let said = tablet.start();
    assert!(matches!(
        said[..],
        [FromCore::Ready { fresh: true }, FromCore::SignedIn(false)]
    ));
    assert!(is_in(&tablet.sign_in(ANA, "Ana Moreno", PASSWORD)));
    tablet.write().unwrap();
    tablet.set_pin(PIN, "").unwrap();
    // While it is open too, log included.
    tablet.assert_nothing_is_readable();
    let shown = tablet.lock();
    assert_eq!((names(&shown), shown.waiting), (vec!["Ana Moreno"], Some(1)));
    assert!(
        !tablet.world.connected.get(),
        "nothing is sent while it is locked"
    );
    tablet.assert_nothing_is_readable();
    assert!(!tablet.folder.path().join("clinic.db").exists());

    // Without a network, after a restart too.
    let said = tablet.start();
    assert!(matches!(
        said[..],
        [FromCore::Ready { fresh: false }, FromCore::Locked(_)]
    ));
    assert_eq!(tablet.write(), Err(Failure::SignedOut));
    tablet.unlock(ANA, Way::Password, PASSWORD).unwrap();
    tablet.write().unwrap();
    assert_eq!(tablet.lock().waiting, Some(2));
    tablet.unlock(ANA, Way::Pin, PIN).unwrap();
}

#[test]
fn who_takes_up_an_invitation_can_unlock_from_then_on() {
    let mut tablet = Tablet::new();
    let entrance = Entrance::Invitation {
        token: "aB3-_x".to_owned().into(),
        full_name: "Ana Moreno".to_owned(),
        password: PASSWORD.to_owned().into(),
    };
    let session = tablet.session(CLINIC, ANA, "Ana Moreno");
    assert!(is_in(&tablet.come_in(entrance, session)));
    tablet.write().unwrap();
    tablet.lock();
    tablet.start();
    tablet.unlock(ANA, Way::Password, PASSWORD).unwrap();
    tablet.assert_nothing_is_readable();
}

#[test]
fn two_windows_that_sign_in_at_once_do_not_share_a_password() {
    let mut tablet = Tablet::new();
    let entrance = |name: &str, password: &str| Entrance::Password {
        email: format!("{name}@clinic.example"),
        password: password.to_owned().into(),
        clinic: None,
    };
    tablet.ask(ToCore::SignIn(entrance("ana", PASSWORD)));
    tablet.ask(ToCore::SignIn(entrance("ben", "copper-otter-window-12")));
    for (number, account, name) in [(1, ANA, "Ana Moreno"), (2, BEN, "Ben Fischer")] {
        let session = tablet.session(CLINIC, account, name);
        let said = tablet.input(Input::Response(Purpose::SignIn(number), Some(session)));
        assert!(is_in(&said), "{said:?}");
    }
    tablet.lock();
    assert_ne!(
        tablet.unlock(ANA, Way::Password, "copper-otter-window-12"),
        Ok(()),
        "it is Ben's"
    );
    tablet
        .unlock(BEN, Way::Password, "copper-otter-window-12")
        .unwrap();
}

#[test]
fn wrong_pins_end_and_what_is_right_later_does_not_help() {
    let mut tablet = Tablet::new();
    tablet.sign_in(ANA, "Ana Moreno", PASSWORD);
    tablet.set_pin(PIN, "").unwrap();
    tablet.lock();
    for left in [4, 3, 2, 1] {
        let wrong = UnlockTrouble::Wrong {
            left: Some(left),
            next: None,
        };
        assert_eq!(tablet.unlock(ANA, Way::Pin, "000000"), Err(wrong));
        tablet.start();
    }
    assert_eq!(tablet.unlock(ANA, Way::Pin, "000000"), Err(UnlockTrouble::Gone));
    assert_eq!(tablet.unlock(ANA, Way::Pin, PIN), Err(UnlockTrouble::Gone));
    tablet.unlock(ANA, Way::Password, PASSWORD).unwrap();
    tablet.set_pin("271828", "").unwrap();
    tablet.lock();
    tablet.unlock(ANA, Way::Pin, "271828").unwrap();
}

#[test]
fn two_vets_take_turns_on_one_tablet_without_a_network() {
    let mut tablet = Tablet::new();
    tablet.sign_in(ANA, "Ana Moreno", PASSWORD);
    tablet.write().unwrap();
    tablet.later(1);
    let shown = tablet.lock();
    assert_eq!(names(&shown), ["Ana Moreno"]);
    // The second one is new here: the server lets her in, which gives the device's key.
    assert!(is_in(&tablet.sign_in(
        BEN,
        "Ben Fischer",
        "copper-otter-window-12"
    )));
    tablet.set_pin("271828", "").unwrap();
    tablet.write().unwrap();
    tablet.write().unwrap();
    let shown = tablet.lock();
    assert_eq!(
        names(&shown),
        ["Ben Fischer", "Ana Moreno"],
        "who was here last comes first"
    );
    assert_eq!(shown.waiting, Some(3));

    for (account, way, secret, own) in [
        (ANA, Way::Password, PASSWORD, 1),
        (BEN, Way::Pin, "271828", 2),
        (ANA, Way::Password, PASSWORD, 1),
    ] {
        tablet.unlock(account, way, secret).unwrap();
        let said = tablet.ask(ToCore::Watch {
            watch: 1,
            query: Query::Status,
        });
        let waiting = said.iter().find_map(|message| match message {
            FromCore::View {
                view: local_core::View::Status(status),
                ..
            } => Some(status.waiting),
            _ => None,
        });
        assert_eq!(waiting, Some(own), "each one's work is counted as theirs");
        tablet.ask(ToCore::Unwatch { watch: 1 });
        tablet.lock();
    }
    tablet.assert_nothing_is_readable();
}

#[test]
fn who_comes_back_finds_their_place() {
    let mut tablet = Tablet::new();
    tablet.sign_in(ANA, "Ana Moreno", PASSWORD);
    tablet.lock();
    let secret = PASSWORD.to_owned().into();
    let said = tablet.ask(ToCore::Unlock {
        account: ANA,
        way: Way::Password,
        secret,
    });
    let place = said.iter().find_map(|message| match message {
        FromCore::Protection(protection) => Some(protection.left_off.place.as_str()),
        _ => None,
    });
    assert_eq!(place, Some("/patients"));
}

#[test]
fn what_is_half_typed_in_any_window_is_given_back_to_who_typed_it_alone() {
    let mut tablet = Tablet::new();
    tablet.sign_in(ANA, "Ana Moreno", PASSWORD);
    tablet.world.windows.set(2);
    let typed = |place: &str, text: &str| HalfTyped {
        place: place.to_owned(),
        field: "client-family".to_owned(),
        text: text.to_owned(),
    };
    let both = [typed("/clients", "Wolfeschlegel"), typed("/", "Hausenstein")];
    for typed in both.clone() {
        tablet.ask(ToCore::Lock(LeftOff {
            place: typed.place.clone(),
            typed: vec![typed],
        }));
    }
    tablet.world.windows.set(1);
    tablet.assert_nothing_is_readable();
    let given_back = |said: &[FromCore]| {
        said.iter().find_map(|message| match message {
            FromCore::Protection(protection) => Some(protection.left_off.typed.clone()),
            _ => None,
        })
    };
    let said = tablet.sign_in(BEN, "Ben Fischer", "copper-otter-window-12");
    assert_eq!(given_back(&said).unwrap(), []);
    tablet.lock();
    tablet.start();
    let unlock = ToCore::Unlock {
        account: ANA,
        way: Way::Password,
        secret: PASSWORD.to_owned().into(),
    };
    assert_eq!(given_back(&tablet.ask(unlock.clone())).unwrap(), both);
    // Recorded meanwhile, or let go: what the next lock does not find open is forgotten.
    tablet.lock();
    assert_eq!(given_back(&tablet.ask(unlock)).unwrap(), []);
}

#[test]
fn without_the_servers_key_a_stranger_does_not_come_in_and_nothing_is_lost() {
    let mut tablet = Tablet::new();
    tablet.device_key = None;
    tablet.sign_in(ANA, "Ana Moreno", PASSWORD);
    tablet.write().unwrap();
    tablet.lock();
    let said = tablet.sign_in(BEN, "Ben Fischer", "copper-otter-window-12");
    assert_eq!(trouble(&said), Some(SignInTrouble::Sealed { waiting: Some(1) }));
    tablet.ask(ToCore::BeginAnew);
    // Another clinic's server, and its key.
    tablet.device_key = Some([3; 32]);
    let said = tablet.sign_in(BEN, "Ben Fischer", "copper-otter-window-12");
    assert_eq!(trouble(&said), Some(SignInTrouble::Sealed { waiting: Some(1) }));
    // Whoever the records were sealed for signs in with the password that opens them.
    tablet.device_key = None;
    assert!(is_in(&tablet.sign_in(ANA, "Ana Moreno", PASSWORD)));
    assert_eq!(tablet.lock().waiting, Some(1));
}

#[test]
fn a_pin_is_set_by_who_has_shown_who_they_are() {
    let mut tablet = Tablet::new();
    tablet.sign_in(ANA, "Ana Moreno", PASSWORD);
    assert_eq!(
        tablet.set_pin("123456", ""),
        Err(PinRefused::Pin(PinTrouble::TooPlain))
    );
    tablet.later(4);
    tablet.set_pin(PIN, "").unwrap();
    tablet.later(2);
    tablet.ask(ToCore::Active);
    assert_eq!(tablet.set_pin("271828", ""), Err(PinRefused::NotProven));
    assert_eq!(tablet.set_pin("271828", "guess"), Err(PinRefused::WrongPassword));
    tablet.set_pin("271828", PASSWORD).unwrap();
    tablet.ask(ToCore::ForgetPin);
    tablet.lock();
    assert_eq!(tablet.unlock(ANA, Way::Pin, "271828"), Err(UnlockTrouble::Gone));
}

#[test]
fn whoever_was_asked_for_a_second_factor_unlocks_with_the_password_all_the_same() {
    let mut tablet = Tablet::new();
    let asked = Response {
        status: 401,
        retry_after: None,
        body: r#"{"code":"second_factor","step":"aB3-_x","totp":true,"recovery_codes":true,"passkey":null}"#
            .to_owned(),
    };
    let entrance = Entrance::Password {
        email: "ana@clinic.example".to_owned(),
        password: PASSWORD.to_owned().into(),
        clinic: None,
    };
    let said = tablet.come_in(entrance, asked);
    let Some(SignInTrouble::Refused(CallTrouble::SecondStep(step))) = trouble(&said) else {
        panic!("{said:?}")
    };
    assert!(step.has_app && step.has_recovery_codes && !step.sets_up);
    let second = Entrance::Second {
        step: step.step,
        shown: Shown::Code("755224".to_owned().into()),
        password: Some(PASSWORD.to_owned().into()),
    };
    let session = tablet.session(CLINIC, ANA, "Ana Moreno");
    assert!(is_in(&tablet.come_in(second, session)));
    let (_, body) = tablet.world.posted.borrow().last().unwrap().clone();
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(
        body,
        serde_json::json!({ "step": "aB3-_x", "proof": { "totp": "755224" } })
    );
    tablet.write().unwrap();
    tablet.lock();
    tablet.start();
    tablet.unlock(ANA, Way::Password, PASSWORD).unwrap();
    tablet.assert_nothing_is_readable();
}

#[test]
fn a_passkey_brings_no_password_and_the_servers_key_opens_the_records() {
    let mut tablet = Tablet::new();
    tablet.sign_in(ANA, "Ana Moreno", PASSWORD);
    tablet.write().unwrap();
    tablet.lock();
    let passkey = Entrance::Passkey {
        offer: "aB3-_x".to_owned().into(),
        credential: "{}".to_owned().into(),
        clinic: None,
    };
    let session = tablet.session(CLINIC, ANA, "Ana Moreno");
    assert!(is_in(&tablet.come_in(passkey, session)));
    tablet.lock();
    // The password from before still does.
    tablet.unlock(ANA, Way::Password, PASSWORD).unwrap();
}
