//! A small practice with a server of its own: one person of each role, and an owner with an animal.

use crate::database::{Database, Engine};
use crate::device::Device;
use crate::http;
use crate::letter_box::LetterBox;
use serde_json::json;
use shared_model::commands::{RegisterClient, RegisterPatient, SetClinicProfile};
use shared_model::documents::{Sex, Species};
use shared_model::ids::{AccountId, ClientId, ClinicId, DeviceId, PatientId};
use shared_model::permissions::Role;
use shared_model::time::Timestamp;
use shared_model::trail::{CameBy, Detail};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use sync_server::identity::{NewRefreshToken, Passwords, random};
use sync_server::server::{self, Settings};
use sync_server::storage::people::BegunSignIn;
use sync_server::storage::{NewAccount, NewClinic, Storage};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub const PASSWORD: &str = "correct horse";
pub const OWNER: ClientId = ClientId(Uuid::from_u128(0x100));
pub const OTHER_OWNER: ClientId = ClientId(Uuid::from_u128(0x101));
pub const REX: PatientId = PatientId(Uuid::from_u128(0x200));
pub const MIA: PatientId = PatientId(Uuid::from_u128(0x201));

pub fn fresh_id<T>(make: impl Fn(Uuid) -> T) -> T {
    make(Uuid::from_bytes(random()))
}

/// The practice's server, running.
pub struct Practice {
    pub clinic: ClinicId,
    pub database: Database,
    pub storage: Arc<dyn Storage>,
    pub address: SocketAddr,
    pub settings: Settings,
    stopping: CancellationToken,
    serving: JoinHandle<()>,
}

const PEOPLE: [(&str, &[Role], Option<ClientId>); 6] = [
    ("desk", &[Role::FrontDesk], None),
    ("vet", &[Role::Veterinarian], None),
    ("tech", &[Role::Technician], None),
    ("admin", &[Role::ClinicAdministrator], None),
    ("owner", &[Role::Owner], Some(OWNER)),
    ("system", &[Role::SystemAdministrator], None),
];

impl Practice {
    pub async fn open(engine: Engine) -> Self {
        Self::open_with(engine, |_| {}).await
    }

    pub async fn open_with(engine: Engine, adjust: impl FnOnce(&mut Settings)) -> Self {
        Self::open_on(Database::new(engine).await, adjust).await
    }

    /// With a mail server that brings letters here.
    pub async fn with_mail(engine: Engine) -> (Self, LetterBox) {
        let letters = LetterBox::open();
        let post = letters.post();
        let practice = Self::open_with(engine, |settings| settings.post = post).await;
        (practice, letters)
    }

    pub async fn open_on(database: Database, adjust: impl FnOnce(&mut Settings)) -> Self {
        let clinic = fresh_id(ClinicId);
        let storage = database.open().await;
        found_clinic(&storage, clinic, "").await;
        let mut settings = Settings::new(PathBuf::from("/nowhere"));
        adjust(&mut settings);
        let (address, stopping, serving) = start(&storage, &settings, "127.0.0.1:0").await;
        Self {
            clinic,
            database,
            storage,
            address,
            settings,
            stopping,
            serving,
        }
    }

    /// Another server process on the same database.
    pub async fn second_node(first: &Self) -> Self {
        let database = match &first.database {
            Database::Postgres(url) => Database::Postgres(url.clone()),
            Database::Sqlite(_) => panic!("one file has one server"),
        };
        let storage = database.open().await;
        let (address, stopping, serving) = start(&storage, &first.settings, "127.0.0.1:0").await;
        Self {
            clinic: first.clinic,
            database,
            storage,
            address,
            settings: first.settings.clone(),
            stopping,
            serving,
        }
    }

    /// With a profile, two owners and a patient of each.
    pub async fn with_records(engine: Engine) -> Self {
        let practice = Self::open(engine).await;
        practice.enter_records().await;
        practice
    }

    pub async fn enter_records(&self) {
        let mut admin = self.device("admin").await;
        admin.connect().await;
        admin.run(SetClinicProfile {
            name: "Northgate".to_owned(),
            phone: String::new(),
            email: String::new(),
            address: String::new(),
            time_zone: "Europe/Prague".to_owned(),
            hours: [None; 7],
        });
        admin.settled().await;
        let mut desk = self.device("desk").await;
        desk.connect().await;
        for (client, patient, name) in [(OWNER, REX, "Rex"), (OTHER_OWNER, MIA, "Mia")] {
            desk.run(register_client(client, &format!("Owner of {name}")));
            desk.run(register_patient(patient, client, name));
        }
        desk.settled().await;
    }

    /// A device of its own for a person, signed in, not yet connected.
    pub async fn device(&self, person: &str) -> Device {
        let device = fresh_id(DeviceId);
        let answer = self.sign_in(person, PASSWORD, device).await;
        assert_eq!(answer.status, 200, "{:?}", answer.body);
        Device::new(self.address, device, &answer.json())
    }

    pub async fn sign_in(&self, person: &str, password: &str, device: DeviceId) -> http::Response {
        let body = json!({
            "email": format!("{person}@example.org"), "password": password,
            "device": device, "device_name": "a device",
        });
        http::post(self.address, "/api/v1/sign-in", &body).await
    }

    /// Stops the server in order.
    pub async fn stop(&mut self) {
        self.stopping.cancel();
        (&mut self.serving).await.expect("it ended in order");
    }

    /// Stops it and starts it on what the database holds, at the same address.
    pub async fn restart(&mut self) {
        self.stop().await;
        self.storage = self.database.open().await;
        let address = self.address.to_string();
        (self.address, self.stopping, self.serving) = start(&self.storage, &self.settings, &address).await;
    }
}

/// A clinic with its people; their addresses begin with `prefix`.
pub async fn found_clinic(storage: &Arc<dyn Storage>, clinic: ClinicId, prefix: &str) {
    let password_hash = Passwords::new().await.hash(PASSWORD.to_owned()).await;
    let accounts = PEOPLE.map(|(name, roles, client)| NewAccount {
        account: fresh_id(AccountId),
        email: format!("{prefix}{name}@example.org"),
        full_name: name.to_owned(),
        password_hash: password_hash.clone(),
        roles: roles.to_vec(),
        client,
    });
    storage
        .create_clinic(NewClinic {
            clinic,
            name: "Practice".to_owned(),
            created_at: Timestamp(1_000),
            accounts: accounts.into(),
            demonstration: Vec::new(),
        })
        .await
        .expect("created");
}

async fn start(
    storage: &Arc<dyn Storage>,
    settings: &Settings,
    address: &str,
) -> (SocketAddr, CancellationToken, JoinHandle<()>) {
    let listener = TcpListener::bind(address).await.expect("a free address");
    let address = listener.local_addr().expect("bound");
    let stopping = CancellationToken::new();
    let serve = server::serve(Arc::clone(storage), settings.clone(), listener, stopping.clone());
    let serving = tokio::spawn(async move { serve.await.expect("it serves") });
    (address, stopping, serving)
}

pub fn register_client(client: ClientId, family_name: &str) -> RegisterClient {
    RegisterClient {
        client,
        given_name: "Petra".to_owned(),
        family_name: family_name.to_owned(),
        phone: None,
        email: None,
        address: String::new(),
        preferred_channel: None,
    }
}

pub fn register_patient(patient: PatientId, owner: ClientId, name: &str) -> RegisterPatient {
    RegisterPatient {
        patient,
        owner,
        name: name.to_owned(),
        species: Species::Dog,
        breed: String::new(),
        colour: String::new(),
        sex: Sex::Female,
        neutered: None,
        born: None,
        microchip: String::new(),
    }
}

/// What proves somebody's sign-in on a device, from one moment until another.
pub fn refresh_token(
    (account, clinic, device): (AccountId, ClinicId, DeviceId),
    (begun_at, expires_at): (i64, i64),
) -> NewRefreshToken {
    NewRefreshToken {
        hash: random(),
        family: random(),
        account,
        clinic,
        device,
        begun_at: Timestamp(begun_at),
        expires_at: Timestamp(expires_at),
    }
}

/// Somebody comes in with a password on a device that calls itself so.
pub async fn come_in(storage: &dyn Storage, token: NewRefreshToken, device_name: &str) {
    let how = Detail::came(CameBy::Password, None);
    let begun = BegunSignIn::new(token, device_name.to_owned(), &how);
    storage.people().begin_sign_in(begun).await.expect("written");
}
