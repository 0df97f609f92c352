//! Stories of a device that is locked and unlocked, on real encrypted files, with a server that the story plays.

#![allow(clippy::unwrap_used, reason = "a story that cannot go on has failed")]

use super::calls::{Request, Response};
use super::native::Folder;
use super::runner::{Input, Io, Purpose, Runner};
use super::vault::{Files, Found, Vault};
use super::{
    Call, CallTrouble, Entrance, FromCore, HostTrouble, Locked, PinRefused, Secret, SignInTrouble, ToCore,
    UnlockTrouble,
};
use base64::Engine;
use local_core::unlock::{DataKey, Fresh, Keyring, PinTrouble, Way};
use local_core::{
    Core, Credentials, Event, Failure, HalfTyped, HasLeft, KeySeed, LeftOff, Query, Store, StoreError,
};
use rusqlite::Connection;
use shared_model::commands::{Command, RegisterClient};
use shared_model::ids::{AccountId, ClientId, ClinicId, DeviceId, EmailId, PhoneId};
use shared_model::late_work::{HandIn, Kept};
use shared_model::permissions::{Principal, Role};
use shared_model::time::Timestamp;
use std::cell::{Cell, RefCell};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use tempfile::TempDir;
use uuid::Uuid;

const CLINIC: ClinicId = ClinicId(Uuid::from_u128(1));
const ANA: AccountId = AccountId(Uuid::from_u128(2));
const BEN: AccountId = AccountId(Uuid::from_u128(3));
const PASSWORD: &str = "lantern-beagle-orchard-47";
const PIN: &str = "481516";
/// What no file may hold.
const SECRETS: [&str; 6] = [
    "Wolfeschlegel",
    "wolfeschlegel@example.org",
    "refresh-of-",
    "access-of-",
    PASSWORD,
    PIN,
];

/// What the platform was asked for, and the clock.
#[derive(Default)]
struct World {
    now: Cell<i64>,
    dice: Cell<u64>,
    said: RefCell<Vec<FromCore>>,
    posted: RefCell<Vec<(Purpose, String)>>,
    wake: Cell<Option<Timestamp>>,
    connected: Cell<bool>,
    /// How many frames went out.
    sent: Cell<usize>,
    /// The number of the socket that was opened last.
    socket: Cell<u64>,
    windows: Cell<usize>,
}

#[derive(Clone)]
struct Platform(Rc<World>);

impl Io for Platform {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.now.get())
    }

    fn random(&self, bytes: &mut [u8]) {
        for byte in bytes {
            let next = self
                .0
                .dice
                .get()
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            self.0.dice.set(next);
            *byte = (next >> 56) as u8;
        }
    }

    fn to_views(&self, messages: Vec<FromCore>) {
        self.0.said.borrow_mut().extend(messages);
    }

    fn windows(&self) -> usize {
        self.0.windows.get()
    }

    fn hands_over(&self) -> bool {
        self.0.windows.get() > 1
    }

    fn open_socket(&mut self, number: u64) {
        self.0.connected.set(true);
        self.0.socket.set(number);
    }

    fn close_socket(&mut self) {
        self.0.connected.set(false);
    }

    fn send(&mut self, _frame: Vec<u8>) {
        self.0.sent.set(self.0.sent.get() + 1);
    }

    fn ask(&mut self, purpose: Purpose, request: Request, _token: Option<Secret>) {
        let body = request.body.text().to_owned();
        self.0.posted.borrow_mut().push((purpose, body));
    }

    fn device_name(&self) -> String {
        "A tablet".to_owned()
    }

    fn wake_at(&mut self, at: Timestamp) {
        self.0.wake.set(Some(at));
    }
}

struct Tablet {
    folder: Rc<TempDir>,
    world: Rc<World>,
    runner: Option<Runner<Folder, Platform>>,
    ticket: u64,
    /// What the server gives this device, if it is one that does.
    device_key: Option<[u8; 32]>,
}

impl Tablet {
    fn new() -> Self {
        let mut tablet = Self::off();
        tablet.start();
        tablet
    }

    /// Not started yet.
    fn off() -> Self {
        let world = World::default();
        world.now.set(1_795_950_000_000);
        world.windows.set(1);
        world.dice.set(7);
        Self {
            folder: Rc::new(tempfile::tempdir().unwrap()),
            world: Rc::new(world),
            runner: None,
            ticket: 0,
            device_key: Some([9; 32]),
        }
    }

    /// The program starts, or starts again: whatever it had in memory is gone.
    fn start(&mut self) -> Vec<FromCore> {
        self.runner = None;
        self.world.said.take();
        let folder = Folder::new(self.folder.path().to_owned());
        self.runner = Runner::start(folder, Platform(Rc::clone(&self.world)));
        self.world.said.take()
    }

    fn input(&mut self, input: Input) -> Vec<FromCore> {
        self.runner.as_mut().expect("the device runs").input(input);
        self.world.said.take()
    }

    fn ask(&mut self, message: ToCore) -> Vec<FromCore> {
        self.input(Input::FromViews(message))
    }

    fn later(&mut self, minutes: i64) {
        self.world.now.set(self.world.now.get() + minutes * 60_000);
    }

    fn sign_in(&mut self, account: AccountId, name: &str, password: &str) -> Vec<FromCore> {
        self.sign_in_at(CLINIC, account, name, password)
    }

    fn sign_in_at(
        &mut self,
        clinic: ClinicId,
        account: AccountId,
        name: &str,
        password: &str,
    ) -> Vec<FromCore> {
        self.come_in(
            Entrance::Password {
                email: format!("{name}@clinic.example"),
                password: password.to_owned().into(),
                clinic: Some(clinic),
            },
            self.session(clinic, account, name),
        )
    }

    /// The server answers like this.
    fn come_in(&mut self, entrance: Entrance, session: Response) -> Vec<FromCore> {
        let mut said = self.ask(ToCore::SignIn(entrance));
        let asked = self.world.posted.borrow().last().unwrap().0;
        assert!(matches!(asked, Purpose::SignIn(_)), "{asked:?}");
        said.extend(self.input(Input::Response(asked, Some(session))));
        said
    }

    fn session(&self, clinic: ClinicId, account: AccountId, name: &str) -> Response {
        let principal = Principal {
            account,
            clinic,
            roles: vec![Role::Veterinarian, Role::ClinicAdministrator],
            client: None,
            name: name.to_owned(),
        };
        let mut body = serde_json::json!({
            "access_token": format!("access-of-{name}"),
            "expires_at": self.world.now.get() + 600_000,
            "refresh_token": format!("refresh-of-{name}"),
            "principal": principal,
        });
        if let Some(key) = self.device_key {
            body["device_key"] = base64::engine::general_purpose::URL_SAFE_NO_PAD
                .encode(key)
                .into();
        }
        Response {
            status: 200,
            retry_after: None,
            body: body.to_string(),
        }
    }

    /// Registers a client whose name no file may show.
    fn write(&mut self) -> Result<Timestamp, Failure> {
        self.ticket += 1;
        let ticket = self.ticket;
        let said = self.ask(ToCore::Command {
            ticket,
            command: client(u128::from(ticket) + 100),
        });
        answer(&said, ticket).expect("every command is answered")
    }

    fn lock(&mut self) -> Locked {
        let said = self.ask(ToCore::Lock(left_off("/patients")));
        locked(&said).expect("the only window has saved, so it locks")
    }

    /// Signs out or is removed: the window has nothing to save, and the server hears of it or does not.
    fn leave(&mut self, message: ToCore) -> Vec<FromCore> {
        self.ask(message);
        self.ask(ToCore::Lock(left_off("")));
        self.input(Input::Response(Purpose::SignOut, None))
    }

    fn unlock(&mut self, account: AccountId, way: Way, secret: &str) -> Result<(), UnlockTrouble> {
        let secret = Secret::from(secret.to_owned());
        let said = self.ask(ToCore::Unlock { account, way, secret });
        unlocked(&said).expect("an attempt is answered")
    }

    fn set_pin(&mut self, pin: &str, password: &str) -> Result<(), PinRefused> {
        let said = self.ask(ToCore::SetPin {
            pin: pin.to_owned().into(),
            password: password.to_owned().into(),
        });
        said.iter()
            .find_map(|message| match message {
                FromCore::Pin(outcome) => Some(*outcome),
                _ => None,
            })
            .expect("a PIN is set or refused")
    }

    fn assert_nothing_is_readable(&self) {
        for file in files_of(self.folder.path()) {
            let bytes = std::fs::read(&file).unwrap();
            for secret in SECRETS {
                let found = bytes
                    .windows(secret.len())
                    .any(|window| window == secret.as_bytes());
                assert!(!found, "{secret} in {}", file.display());
            }
        }
    }
}

fn left_off(place: &str) -> LeftOff {
    LeftOff {
        place: place.to_owned(),
        typed: Vec::new(),
    }
}

fn client(number: u128) -> Command {
    RegisterClient {
        client: ClientId(Uuid::from_u128(number)),
        given_name: "Petra".to_owned(),
        family_name: "Wolfeschlegel".to_owned(),
        phone: Some((
            PhoneId(Uuid::from_u128(number + 1_000_000)),
            "601 234 567".to_owned(),
        )),
        email: Some((
            EmailId(Uuid::from_u128(number + 2_000_000)),
            "wolfeschlegel@example.org".to_owned(),
        )),
        address: String::new(),
        preferred_channel: None,
    }
    .into()
}

fn files_of(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

fn answer(said: &[FromCore], asked: u64) -> Option<Result<Timestamp, Failure>> {
    said.iter().find_map(|message| match message {
        FromCore::Answer { ticket, outcome } if *ticket == asked => Some(outcome.clone()),
        _ => None,
    })
}

fn locked(said: &[FromCore]) -> Option<Locked> {
    said.iter().rev().find_map(|message| match message {
        FromCore::Locked(locked) => Some(locked.clone()),
        _ => None,
    })
}

fn unlocked(said: &[FromCore]) -> Option<Result<(), UnlockTrouble>> {
    said.iter().find_map(|message| match message {
        FromCore::Unlock(outcome) => Some(outcome.clone()),
        _ => None,
    })
}

fn is_in(said: &[FromCore]) -> bool {
    said.iter()
        .any(|message| matches!(message, FromCore::SignedIn(true)))
}

fn trouble(said: &[FromCore]) -> Option<SignInTrouble> {
    said.iter().find_map(|message| match message {
        FromCore::SignIn(Err(trouble)) => Some(trouble.clone()),
        _ => None,
    })
}

fn names(locked: &Locked) -> Vec<&str> {
    locked.people.iter().map(|person| person.name.as_str()).collect()
}

#[test]
fn a_device_is_encrypted_from_its_first_sign_in_and_nothing_on_it_is_readable() {
    let mut tablet = Tablet::off();
    let said = tablet.start();
    assert!(matches!(
        said[..],
        [
            FromCore::Ready { fresh: true },
            FromCore::Left(None),
            FromCore::SignedIn(false)
        ]
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
        [
            FromCore::Ready { fresh: false },
            FromCore::Left(None),
            FromCore::Locked(_)
        ]
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
    let lost = Response {
        status: 403,
        retry_after: None,
        body: r#"{"code":"device_lost"}"#.to_owned(),
    };
    let said = tablet.input(Input::Response(Purpose::Renew(ANA), Some(lost)));
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
        matches!(
            said[..],
            [
                FromCore::Ready { .. },
                FromCore::Left(None),
                FromCore::SignedIn(false)
            ]
        ),
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
    let lost = Response {
        status: 403,
        retry_after: None,
        body: r#"{"code":"device_lost"}"#.to_owned(),
    };
    tablet.input(Input::Response(Purpose::Renew(ANA), Some(lost)));
    assert!(!tablet.folder.path().join("clinic.db").exists());
    tablet.assert_nothing_is_readable();
}

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
    let late = Response {
        status: 200,
        retry_after: None,
        body: "hers".to_owned(),
    };
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
fn what_the_server_renewed_is_waited_for_before_it_locks() {
    let mut tablet = Tablet::new();
    tablet.sign_in(ANA, "Ana Moreno", PASSWORD);
    tablet.later(20);
    tablet.ask(ToCore::LockAfter { minutes: 60 });
    tablet.input(Input::SocketOpened(tablet.world.socket.get()));
    let asked = tablet.world.posted.borrow().last().unwrap().0;
    assert_eq!(asked, Purpose::Renew(ANA));
    let place = || ToCore::Lock(left_off("/"));
    assert!(locked(&tablet.ask(place())).is_none());
    let mut renewed = tablet.session(CLINIC, ANA, "Ana Moreno");
    renewed.body = renewed.body.replace("refresh-of-", "later-refresh-of-");
    let said = tablet.input(Input::Response(Purpose::Renew(ANA), Some(renewed)));
    assert!(locked(&said).is_some());
    tablet.unlock(ANA, Way::Password, PASSWORD).unwrap();
    tablet.leave(ToCore::SignOut);
    let (purpose, body) = tablet.world.posted.borrow().last().unwrap().clone();
    assert_eq!(purpose, Purpose::SignOut);
    assert!(body.contains("later-refresh-of-"), "{body}");
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
fn records_that_nobody_opens_and_that_the_clinic_has_may_go() {
    let mut tablet = Tablet::new();
    tablet.device_key = None;
    tablet.sign_in(ANA, "Ana Moreno", PASSWORD);
    assert_eq!(tablet.lock().waiting, Some(0));
    let said = tablet.sign_in(BEN, "Ben Fischer", "copper-otter-window-12");
    assert_eq!(trouble(&said), Some(SignInTrouble::Sealed { waiting: Some(0) }));
    let said = tablet.ask(ToCore::BeginAnew);
    assert!(matches!(said[..], [FromCore::SignedIn(false)]), "{said:?}");
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
    assert!(locked(&said).is_none_or(|locked| names(&locked) == ["Ana Moreno"]));
    tablet.lock();
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

/// A store as a former build left it: two people's work waits in it, and anybody can read it.
fn former_store(folder: &Path) {
    let sql = Connection::open(folder.join("clinic.db")).unwrap();
    let mut core = Core::new(Store::new(sql).unwrap()).unwrap();
    let now = Timestamp(1_795_900_000_000);
    for (ticket, account, name) in [(1, BEN, "Ben Fischer"), (2, ANA, "Ana Moreno")] {
        let principal = Principal {
            account,
            clinic: CLINIC,
            roles: vec![Role::Veterinarian],
            client: None,
            name: name.to_owned(),
        };
        let credentials = Credentials {
            principal,
            access_token: format!("access-of-{name}"),
            access_expires: now,
            refresh_token: format!("refresh-of-{name}"),
        };
        core.handle(
            now,
            Event::SignedIn {
                credentials,
                device: DeviceId(Uuid::from_u128(55)),
                fresh_actor: [u8::try_from(ticket).unwrap(); 16],
                fresh_key: KeySeed([u8::try_from(ticket).unwrap(); 32]),
            },
        );
        core.handle(
            now,
            Event::Command {
                ticket,
                command: client(u128::from(ticket)),
            },
        );
    }
}

#[test]
fn a_former_builds_store_is_taken_over_when_somebody_signs_in() {
    let mut tablet = Tablet::off();
    former_store(tablet.folder.path());
    // Nobody is kept from their work meanwhile.
    let said = tablet.start();
    assert!(is_in(&said));
    let former = said
        .iter()
        .any(|message| matches!(message, FromCore::Protection(protection) if protection.is_former));
    assert!(former, "{said:?}");
    tablet.write().unwrap();
    tablet.later(600);
    assert!(
        locked(&tablet.ask(ToCore::Active)).is_none(),
        "nobody could unlock it yet"
    );

    let former = tablet.world.socket.get();
    tablet.input(Input::SocketOpened(former));
    tablet.input(Input::Response(Purpose::Renew(ANA), None));
    assert!(is_in(&tablet.sign_in(ANA, "Ana Moreno", PASSWORD)));
    let wake = tablet.world.wake.get();
    tablet.input(Input::SocketClosed(former));
    assert_eq!(
        tablet.world.wake.get(),
        wake,
        "the new store has a socket of its own"
    );
    let posted = tablet.world.posted.borrow().clone();
    let (_, asked) = posted
        .iter()
        .find(|(purpose, _)| matches!(purpose, Purpose::SignIn(_)))
        .unwrap();
    assert!(
        asked.contains(&DeviceId(Uuid::from_u128(55)).to_string()),
        "it is the same device: {asked}"
    );
    tablet.assert_nothing_is_readable();
    assert_eq!(tablet.lock().waiting, Some(3), "everybody's work came along");
    tablet.start();
    tablet.unlock(ANA, Way::Password, PASSWORD).unwrap();
    tablet.write().unwrap();
    assert_eq!(tablet.lock().waiting, Some(4));
}

/// Copies the files as they are whenever something is done to them: what a death at that moment would leave.
struct Dying {
    folder: Folder,
    path: PathBuf,
    left: Arc<Mutex<Vec<TempDir>>>,
}

fn leave(path: &Path, left: &Mutex<Vec<TempDir>>) {
    let copy = tempfile::tempdir().unwrap();
    for file in files_of(path) {
        std::fs::copy(&file, copy.path().join(file.file_name().unwrap())).unwrap();
    }
    left.lock().unwrap().push(copy);
}

impl Files for Dying {
    fn exists(&self, name: &str) -> bool {
        self.folder.exists(name)
    }

    fn open(&self, name: &str) -> Result<Connection, StoreError> {
        leave(&self.path, &self.left);
        let sql = self.folder.open(name)?;
        // Within its transactions as well.
        let (path, left) = (self.path.clone(), Arc::clone(&self.left));
        let look = move || {
            leave(&path, &left);
            false
        };
        sql.progress_handler(STEP, Some(look))?;
        Ok(sql)
    }

    fn delete(&self, name: &str) -> Result<(), StoreError> {
        leave(&self.path, &self.left);
        let done = self.folder.delete(name);
        leave(&self.path, &self.left);
        done
    }
}

/// Steps of SQLite's machine between two looks.
const STEP: i32 = 10;

#[test]
fn wherever_the_take_over_dies_the_former_store_counts_or_the_encrypted_one() {
    let folder = tempfile::tempdir().unwrap();
    former_store(folder.path());
    let key = DataKey::mint(|bytes| bytes.fill(0x5e));
    let left = Arc::new(Mutex::new(Vec::new()));
    let files = Dying {
        folder: Folder::new(folder.path().to_owned()),
        path: folder.path().to_owned(),
        left: Arc::clone(&left),
    };
    let (vault, _) = Vault::open(files, DeviceId(Uuid::from_u128(55))).unwrap();
    assert_eq!(vault.found().unwrap(), Found::Former);
    let fresh = Fresh {
        salt: [1; 16],
        nonce: [2; 24],
    };
    vault.keyring.remember(ANA, "Ana Moreno", Timestamp(0)).unwrap();
    vault.keyring.set_password(ANA, PASSWORD, &key, fresh).unwrap();
    vault.seal_former(&key).unwrap();
    drop(vault);
    leave(folder.path(), &left);

    let (mut former, mut sealed) = (0, 0);
    let copies = left.lock().unwrap();
    for copy in copies.iter() {
        let folder = || Folder::new(copy.path().to_owned());
        let (vault, _) = Vault::open(folder(), DeviceId(Uuid::from_u128(56))).unwrap();
        let core = match vault.found().unwrap() {
            Found::Former => {
                former += 1;
                assert_eq!(
                    vault.keyring.people().unwrap(),
                    [],
                    "nobody is asked to unlock it"
                );
                vault.former().unwrap()
            }
            Found::Sealed => {
                sealed += 1;
                let opened = vault.keyring.open_by_password(ANA, PASSWORD).unwrap().unwrap();
                assert!(!copy.path().join("clinic.db").exists());
                vault.records(&opened).unwrap()
            }
            Found::Nothing => panic!("everything is gone"),
        };
        let waiting: u64 = core
            .store()
            .outbox_counts()
            .unwrap()
            .iter()
            .map(|(_, counts)| counts.waiting)
            .sum();
        assert_eq!(waiting, 2);
    }
    assert!(
        former > 20 && sealed > 1,
        "{former} with the former store, {sealed} encrypted"
    );
}

#[test]
fn after_a_lock_the_key_is_nowhere_in_memory() {
    let mut tablet = Tablet::off();
    // A key of its own: other stories may run in this process.
    tablet.world.dice.set(0xdecade);
    tablet.start();
    tablet.sign_in(ANA, "Ana Moreno", PASSWORD);
    tablet.write().unwrap();
    // What to look for, so that looking for it does not put it there.
    let hidden = {
        let copy = tablet.folder.path().join("copy.db");
        std::fs::copy(tablet.folder.path().join("keys.db"), &copy).unwrap();
        let keyring = Keyring::new(Connection::open(&copy).unwrap()).unwrap();
        let key = keyring.open_by_password(ANA, PASSWORD).unwrap().unwrap();
        let spelled = key.spelled();
        spelled.bytes().map(|byte| byte ^ MASK).collect::<Vec<u8>>()
    };
    let digits = &hidden[2..66];
    let hidden_raw: Vec<u8> = digits
        .chunks(2)
        .map(|pair| {
            let digit = |byte: u8| char::from(byte ^ MASK).to_digit(16).unwrap() as u8;
            (digit(pair[0]) << 4 | digit(pair[1])) ^ MASK
        })
        .collect();
    let forms = [digits.to_vec(), hidden_raw];
    assert!(in_memory(&forms) > 0, "while it is open the key is somewhere");
    tablet.lock();
    assert_eq!(in_memory(&forms), 0);
    tablet.unlock(ANA, Way::Password, PASSWORD).unwrap();
    tablet.write().unwrap();
    tablet.lock();
    assert_eq!(in_memory(&forms), 0);
}

const MASK: u8 = 0xa7;

/// How often any of these stands in what this process can write to, each hidden by a mask.
fn in_memory(forms: &[Vec<u8>]) -> usize {
    use std::io::{Read, Seek, SeekFrom};
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let mut memory = std::fs::File::open("/proc/self/mem").unwrap();
    let mut found = 0;
    let mut part = vec![0; 1 << 20];
    let own = part.as_ptr() as u64;
    for line in maps.lines().filter(|line| line.contains(" rw")) {
        let (from, to) = line.split(' ').next().unwrap().split_once('-').unwrap();
        let (mut at, to) = (
            u64::from_str_radix(from, 16).unwrap(),
            u64::from_str_radix(to, 16).unwrap(),
        );
        while at < to {
            let length = usize::try_from((to - at).min(part.len() as u64)).unwrap();
            memory.seek(SeekFrom::Start(at)).unwrap();
            // Some regions belong to the kernel alone.
            if memory.read_exact(&mut part[..length]).is_err() {
                break;
            }
            for form in forms {
                let first = form[0] ^ MASK;
                for (index, window) in part[..length].windows(form.len()).enumerate() {
                    let here = at + index as u64;
                    let is_own = (own..own + part.len() as u64).contains(&here);
                    if window[0] == first
                        && !is_own
                        && window
                            .iter()
                            .zip(form)
                            .all(|(byte, hidden)| byte ^ MASK == *hidden)
                    {
                        found += 1;
                    }
                }
            }
            // What was found must not be found again here.
            part.fill(0);
            // Overlapping, so that nothing hides at the joint.
            at += if at + (length as u64) < to {
                (length - 128) as u64
            } else {
                length as u64
            };
        }
    }
    found
}

#[test]
fn a_wrong_key_opens_nothing_and_deletes_nothing() {
    let mut tablet = Tablet::new();
    tablet.sign_in(ANA, "Ana Moreno", PASSWORD);
    tablet.lock();
    tablet.runner = None;
    let before = std::fs::read(tablet.folder.path().join("records.db")).unwrap();
    let folder = Folder::new(tablet.folder.path().to_owned());
    let (vault, _) = Vault::open(folder, DeviceId(Uuid::from_u128(56))).unwrap();
    let refused = vault.records(&DataKey::mint(|bytes| bytes.fill(1))).unwrap_err();
    assert!(matches!(refused, StoreError::Corrupt(_)), "{refused}");
    drop(vault);
    assert_eq!(
        before,
        std::fs::read(tablet.folder.path().join("records.db")).unwrap()
    );
}

#[test]
fn a_keyring_of_a_newer_build_is_left_alone() {
    let mut tablet = Tablet::new();
    tablet.runner = None;
    let keys = Connection::open(tablet.folder.path().join("keys.db")).unwrap();
    keys.pragma_update(None, "user_version", 99).unwrap();
    drop(keys);
    let said = tablet.start();
    assert!(
        matches!(
            said[..],
            [FromCore::NoStore(HostTrouble::Storage(
                local_core::StorageTrouble::NewerStore
            ))]
        ),
        "{said:?}"
    );
}

// ---- somebody leaves the clinic ----

/// The server says that whoever works here has left, and keeps everything that is handed in.
fn leaves(tablet: &mut Tablet, account: AccountId) -> Vec<FromCore> {
    tablet.ask(ToCore::LockAfter { minutes: 60 });
    tablet.later(20);
    tablet.input(Input::SocketOpened(tablet.world.socket.get()));
    let ended = Response {
        status: 401,
        retry_after: None,
        body: r#"{"code":"sign_in_again"}"#.to_owned(),
    };
    let mut said = tablet.input(Input::Response(Purpose::Renew(account), Some(ended)));
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
        let kept = Response {
            status: 200,
            retry_after: None,
            body: serde_json::to_string(&kept).unwrap(),
        };
        let asked_before = tablet.world.posted.borrow().len();
        said.extend(tablet.input(Input::Response(purpose, Some(kept))));
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
    let kept = Response {
        status: 200,
        retry_after: None,
        body: serde_json::to_string(&kept).unwrap(),
    };
    let said = tablet.input(Input::Response(Purpose::HandIn(ANA), Some(kept)));
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
