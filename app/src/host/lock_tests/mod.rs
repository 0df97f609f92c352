//! Stories of a device that is locked and unlocked, on real encrypted files, with a server that the story plays.

#![allow(clippy::unwrap_used, reason = "a story that cannot go on has failed")]

mod former_build;
mod full_disk;
mod keys;
mod leaving;
mod left;
mod locking;
mod lost;
mod meanwhile;
mod unlocking;

use super::calls::{Request, Response};
use super::native::Folder;
use super::runner::{Input, Io, Purpose, Runner};
use super::vault::{Files, Found, Vault};
use super::{
    Call, CallTrouble, Entrance, FromCore, HostTrouble, Locked, PinRefused, Secret, Shown, SignInTrouble,
    ToCore, UnlockTrouble,
};
use base64::Engine;
use local_core::unlock::{DataKey, Fresh, Keyring, PinTrouble, Way};
use local_core::{
    Core, Credentials, Event, Failure, HalfTyped, KeySeed, LeftOff, PAGE_BITS, Query, Store, StoreError,
};
use rusqlite::Connection;
use serde::Serialize;
use shared_model::commands::{Command, RegisterClient};
use shared_model::ids::{AccountId, ClientId, ClinicId, DeviceId, EmailId, PhoneId};
use shared_model::permissions::{Principal, Role};
use shared_model::time::Timestamp;
use std::cell::{Cell, RefCell};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
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

/// A folder on a disk that takes so many transactions more, and then none.
struct Disk {
    folder: Folder,
    room: Arc<AtomicU64>,
}

const ROOM: u64 = u64::MAX / 2;

impl Files for Disk {
    fn exists(&self, name: &str) -> bool {
        self.folder.exists(name)
    }

    fn open(&self, name: &str) -> Result<Connection, StoreError> {
        let sql = self.folder.open(name)?;
        let room = Arc::clone(&self.room);
        let is_full = move || {
            let left = room.load(Ordering::SeqCst);
            room.store(left.saturating_sub(1), Ordering::SeqCst);
            left == 0
        };
        sql.commit_hook(Some(is_full))?;
        Ok(sql)
    }

    fn delete(&self, name: &str) -> Result<(), StoreError> {
        self.folder.delete(name)
    }
}

struct Tablet {
    folder: Rc<TempDir>,
    room: Arc<AtomicU64>,
    world: Rc<World>,
    runner: Option<Runner<Disk, Platform>>,
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
            room: Arc::new(AtomicU64::new(ROOM)),
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
        let disk = Disk {
            folder: Folder::new(self.folder.path().to_owned()),
            room: Arc::clone(&self.room),
        };
        self.runner = Runner::start(disk, Platform(Rc::clone(&self.world)));
        self.world.said.take()
    }

    fn input(&mut self, input: Input) -> Vec<FromCore> {
        self.runner.as_mut().expect("the device runs").input(input);
        self.world.said.take()
    }

    fn ask(&mut self, message: ToCore) -> Vec<FromCore> {
        self.input(Input::FromViews(message))
    }

    /// From now on the disk takes so many transactions more.
    fn has_room_for(&self, transactions: u64) {
        self.room.store(transactions, Ordering::SeqCst);
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
        answered(&body)
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

/// The server does what it was asked for.
fn answered(body: &impl Serialize) -> Response {
    Response {
        status: 200,
        retry_after: None,
        body: serde_json::to_string(body).unwrap(),
    }
}

/// It does not.
fn refused(status: u16, code: &str) -> Response {
    Response {
        status,
        retry_after: None,
        body: serde_json::json!({ "code": code }).to_string(),
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

/// What the server was asked for last.
fn asked_last(tablet: &Tablet) -> Purpose {
    tablet.world.posted.borrow().last().unwrap().0
}
