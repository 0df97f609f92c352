//! A clinic's server in this process, on a port of its own, with data that survive its death.

use crate::Device;
use crate::master_keys;
use demonstration::{DemoAccount, DemoClinic};
use shared_model::ids::{AccountId, ClinicId};
use shared_model::permissions::Role;
use shared_model::time::Timestamp;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use sync_server::server::{Settings, serve};
use sync_server::storage::Storage;
use sync_server::storage::postgres::PostgresStorage;
use sync_server::storage::sqlite::SqliteStorage;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// What the clock of this machine says.
pub fn now() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("the clock is after 1970");
    Timestamp(i64::try_from(since.as_millis()).expect("the year is near"))
}

pub struct Clinic {
    pub id: ClinicId,
    pub accounts: Vec<DemoAccount>,
    pub storage: Arc<dyn Storage>,
    pub address: SocketAddr,
    folder: TempDir,
    running: Option<(CancellationToken, JoinHandle<()>)>,
}

impl Clinic {
    /// The demonstration clinic with so many patients, on the embedded database.
    pub async fn with_patients(patients: usize) -> Self {
        Self::of(demonstration::clinic_with(demonstration::Options {
            seed: 1,
            patients,
            years: 1,
            now: now(),
        }))
        .await
    }

    /// A demonstration on the embedded database.
    pub async fn of(demo: DemoClinic) -> Self {
        Self::of_in(demo, None).await
    }

    /// A demonstration in the empty Postgres database at an address; on the embedded database if there is none.
    pub async fn of_in(demo: DemoClinic, database: Option<&str>) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let storage: Arc<dyn Storage> = match database {
            Some(url) => Arc::new(
                PostgresStorage::connect(url, master_keys())
                    .await
                    .expect("the database answers"),
            ),
            None => {
                let file = folder.path().join("clinic.db");
                Arc::new(SqliteStorage::open(&file, master_keys()).expect("a fresh database opens"))
            }
        };
        let (id, accounts) = (demo.clinic, demo.accounts.clone());
        sync_server::import_demonstration(&storage, demo)
            .await
            .expect("the demonstration is imported");
        let mut clinic = Self {
            id,
            accounts,
            storage,
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            folder,
            running: None,
        };
        clinic.revive().await;
        clinic
    }

    /// A clinic that has nothing but people, each with a name and roles; all with the demonstration's password.
    pub async fn empty(id: ClinicId, people: &[(&str, &[Role])]) -> Self {
        Self::empty_in(id, people, None).await
    }

    /// The same in a Postgres database, as [`Self::of_in`] has it.
    pub async fn empty_in(id: ClinicId, people: &[(&str, &[Role])], database: Option<&str>) -> Self {
        let accounts = people
            .iter()
            .enumerate()
            .map(|(number, (name, roles))| DemoAccount {
                account: AccountId(Uuid::from_u128(number as u128 + 1)),
                email: format!("{}@clinic.example", name.to_lowercase()),
                full_name: (*name).to_owned(),
                roles: roles.to_vec(),
                client: None,
                password: demonstration::DEMO_PASSWORD,
            });
        let demo = DemoClinic {
            clinic: id,
            accounts: accounts.collect(),
            deeds: Vec::new(),
        };
        Self::of_in(demo, database).await
    }

    /// Starts the server (again), on the same data and port.
    pub async fn revive(&mut self) {
        self.revive_with(|_| ()).await;
    }

    /// The same with other settings than a server has by itself.
    pub async fn revive_with(&mut self, change: impl FnOnce(&mut Settings)) {
        let listener = TcpListener::bind(self.address).await.expect("the port is ours");
        self.address = listener.local_addr().expect("a bound socket has an address");
        let stop = CancellationToken::new();
        let mut settings = Settings::new(self.web());
        change(&mut settings);
        let serving = serve(self.storage.clone(), settings, listener, stop.clone());
        let task = tokio::spawn(async move { serving.await.expect("the server serves") });
        self.running = Some((stop, task));
    }

    /// The server is gone, in order (a deploy) as far as sessions see it.
    pub async fn stop(&mut self) {
        if let Some((stop, task)) = self.running.take() {
            stop.cancel();
            task.await.expect("the server ends");
        }
    }

    /// Where the embedded database lies.
    pub fn database_file(&self) -> PathBuf {
        self.folder.path().join("clinic.db")
    }

    fn web(&self) -> PathBuf {
        self.folder.path().join("web")
    }

    pub fn email_of(&self, name: &str) -> &str {
        let found = self
            .accounts
            .iter()
            .find(|account| account.full_name.contains(name));
        &found.expect("somebody of that name works here").email
    }

    /// A new device on which somebody has signed in; connected, and its first sync done.
    pub async fn device(&self, name: &str) -> Device {
        let mut device = Device::fresh(self.address);
        device
            .sign_in(self.email_of(name), demonstration::DEMO_PASSWORD)
            .await;
        self.settle(&mut [&mut device]).await;
        device
    }

    /// The desk's and a vet's.
    pub async fn two_devices(&self) -> [Device; 2] {
        [self.device("Jana Dvorak").await, self.device("Ana Moreno").await]
    }

    /// Waits until nothing waits anywhere and everybody has everything; panics after a minute.
    pub async fn settle(&self, devices: &mut [&mut Device]) {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            for device in devices.iter_mut() {
                while device.step(Duration::from_millis(5)).await {}
            }
            let head = self.storage.head(self.id).await.expect("the database answers");
            if devices.iter().all(|device| device.is_settled(head)) {
                return;
            }
            assert!(
                Instant::now() < deadline,
                "not settled at head {head}: {:?}",
                devices.iter().map(|device| device.standing()).collect::<Vec<_>>()
            );
        }
    }
}
