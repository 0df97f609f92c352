//! `kill -9` under load: many devices write, something dies in the middle of it, and everything that was acknowledged
//! is in the database and on every device afterwards.
//!
//! Invariant: what dies is a real process, killed without warning while pushes are under way.

mod nodes;
mod worker;

use crate::{Device, now};
use automerge::ChangeHash;
use demonstration::{DemoAccount, DemoClinic};
use nodes::{Data, Node};
use shared_model::commands::RegisterClient;
use shared_model::documents::Document;
use shared_model::ids::{AccountId, ClientId, ClinicId, DocumentId};
use shared_model::permissions::{Feed, Role};
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::JoinSet;
use uuid::Uuid;
use worker::{Diary, Order, Task, Worker};

/// What dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Victim {
    /// The only server, on the embedded database; started again at once, as its supervisor would.
    Server,
    /// One of two nodes on one Postgres database; its devices go to the other.
    Node,
    /// Postgres itself, started again at once.
    Database,
}

#[derive(Clone, Copy, Debug)]
pub struct Load {
    pub devices: usize,
    /// How often the victim dies.
    pub rounds: usize,
    /// Between two edits of one device.
    pub pace: Duration,
}

#[derive(Debug)]
pub struct Outcome {
    /// Changes that devices were told to be at the clinic.
    pub acknowledged: usize,
    /// Of these, how many the database does not have.
    pub lost: usize,
    /// Documents that a device has otherwise than the database, of all devices together.
    pub different: usize,
    /// Changes that were refused, on all devices together.
    pub refused: usize,
    /// Per kill: until the first device had a change acknowledged that it made after the kill, and until all had.
    pub first_back: Vec<Duration>,
    pub all_back: Vec<Duration>,
    /// From the last acknowledgement until every device had everything.
    pub converged_in: Duration,
}

/// A load that does not get on for longer has failed.
const PATIENCE: Duration = Duration::from_secs(240);
/// Clients that all devices edit.
const SHARED: usize = 10;
const PEOPLE: [&str; 4] = ["Ana", "Ben", "Cora", "Dan"];

/// Has so many devices write at `victim`'s expense; `server` is the server's program.
pub async fn kill_under_load(server: &Path, victim: Victim, load: Load) -> Outcome {
    let clinic = ClinicId(Uuid::from_bytes(crate::device::random()));
    let data = Data::new(victim);
    let storage = data.open().await;
    sync_server::import_demonstration(&storage, people(clinic))
        .await
        .expect("a clinic with its people");
    drop(storage);
    let mut nodes = vec![Node::start(server, &data)];
    if victim != Victim::Server {
        nodes.push(Node::start(server, &data));
    }
    let clients = shared_clients(&nodes[0]).await;

    let mut stage = Stage::new(&nodes, load);
    for number in 0..load.devices {
        let mut device = Device::fresh(nodes[number % nodes.len()].address);
        device
            .sign_in(
                &email(PEOPLE[number % PEOPLE.len()]),
                demonstration::DEMO_PASSWORD,
            )
            .await;
        stage.send_in(number, device, Arc::clone(&clients));
    }
    stage.until("everybody writes", Diary::everybody_wrote).await;

    let (mut first_back, mut all_back) = (Vec::new(), Vec::new());
    for round in 0..load.rounds {
        // In the middle of a burst, so that pushes are under way.
        let half = stage.diary(Diary::written) + load.devices / 2;
        stage.order(|order| order.bursts += 1);
        stage
            .until("the burst is under way", move |diary| diary.written() >= half)
            .await;
        let killed_at = Instant::now();
        match victim {
            Victim::Server => nodes[0].kill(),
            Victim::Node => nodes[round % 2].kill(),
            Victim::Database => data.kill_database(),
        }
        if victim == Victim::Node {
            let alive = nodes[(round + 1) % 2].address;
            stage.order(|order| order.nodes = vec![alive]);
        }
        stage.order(|order| order.bursts += 1);
        match victim {
            Victim::Server => nodes[0].revive(server, &data),
            Victim::Node => nodes[round % 2].revive(server, &data),
            Victim::Database => data.restart_database(),
        }
        stage
            .until("everybody is back", move |diary| {
                diary.back_since(killed_at).all(|back| back.is_some())
            })
            .await;
        let back: Vec<Instant> = stage.diary(|diary| diary.back_since(killed_at).flatten().collect());
        first_back.extend(back.iter().min().map(|first| first.duration_since(killed_at)));
        all_back.extend(back.iter().max().map(|last| last.duration_since(killed_at)));
    }

    stage.order(|order| order.task = Task::Drain);
    stage.until("nothing waits", Diary::everybody_drained).await;
    let drained_at = Instant::now();
    let storage = data.open().await;
    let head = storage.head(clinic).await.expect("the database answers");
    stage.order(|order| order.task = Task::CatchUp(head));
    let devices = stage.come_home().await;
    let converged_in = drained_at.elapsed();
    let database = documents(&storage, clinic).await;
    let acknowledged = stage.diary(|diary| diary.acknowledged.clone());
    let mut lost = 0;
    for (document, hash) in &acknowledged {
        let found = database.get(document).is_some_and(|document| document.has(hash));
        lost += usize::from(!found);
    }
    let checked = tokio::task::spawn_blocking(move || compare(&devices, &database));
    let (different, refused) = checked.await.expect("compared");
    Outcome {
        acknowledged: acknowledged.len(),
        lost,
        different,
        refused,
        first_back,
        all_back,
        converged_in,
    }
}

fn email(name: &str) -> String {
    format!("{}@clinic.example", name.to_lowercase())
}

fn people(clinic: ClinicId) -> DemoClinic {
    let accounts = PEOPLE.map(|name| DemoAccount {
        account: AccountId(Uuid::from_bytes(crate::device::random())),
        email: email(name),
        full_name: name.to_owned(),
        roles: vec![Role::Veterinarian, Role::ClinicAdministrator],
        client: None,
        password: demonstration::DEMO_PASSWORD,
    });
    DemoClinic {
        clinic,
        accounts: accounts.into(),
        deeds: Vec::new(),
    }
}

async fn shared_clients(node: &Node) -> Arc<Vec<ClientId>> {
    let mut desk = Device::fresh(node.address);
    desk.sign_in(&email(PEOPLE[0]), demonstration::DEMO_PASSWORD)
        .await;
    let clients: Vec<ClientId> = (0..SHARED).map(|_| ClientId(desk.fresh_id())).collect();
    for client in &clients {
        desk.must(register(*client, "Shared")).await;
    }
    let deadline = Instant::now() + PATIENCE;
    while desk.standing().1 > 0 {
        assert!(Instant::now() < deadline, "the first clients are acknowledged");
        desk.step(Duration::from_millis(20)).await;
    }
    Arc::new(clients)
}

fn register(client: ClientId, family_name: &str) -> RegisterClient {
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

/// Every document of the clinic, as the database has it.
async fn documents(
    storage: &Arc<dyn sync_server::storage::Storage>,
    clinic: ClinicId,
) -> HashMap<DocumentId, Document> {
    let mut found = HashMap::new();
    let mut below = None;
    loop {
        let page = storage
            .documents_below(clinic, Feed::Staff, below, 1 << 20)
            .await
            .expect("the database answers");
        let Some(last) = page.last() else { return found };
        below = Some(last.id);
        for stored in page {
            let document = Document::load(stored.kind, clinic, stored.id, &stored.bytes);
            found.insert(stored.id, document.expect("a whole document"));
        }
    }
}

/// Documents that differ, and changes that were refused.
fn compare(devices: &[Device], database: &HashMap<DocumentId, Document>) -> (usize, usize) {
    let (mut different, mut refused) = (0, 0);
    for device in devices {
        let store = device.core.store();
        refused += store.refused().expect("the store is sound").len();
        for (id, expected) in database {
            let stored = store.document(*id).expect("the store is sound");
            let same = stored.is_some_and(|stored| {
                Document::load(stored.kind, expected.clinic, *id, &stored.bytes)
                    .is_ok_and(|document| document.heads() == expected.heads())
            });
            different += usize::from(!same);
        }
    }
    (different, refused)
}

/// The devices at work, and the words that reach them.
struct Stage {
    order: watch::Sender<Order>,
    diary: watch::Sender<Diary>,
    working: JoinSet<Device>,
    load: Load,
}

impl Stage {
    fn new(nodes: &[Node], load: Load) -> Self {
        Self {
            order: watch::Sender::new(Order {
                task: Task::Write,
                bursts: 0,
                nodes: nodes.iter().map(|node| node.address).collect(),
            }),
            diary: watch::Sender::new(Diary::of(load.devices)),
            working: JoinSet::new(),
            load,
        }
    }

    fn send_in(&mut self, number: usize, device: Device, clients: Arc<Vec<ClientId>>) {
        let worker = Worker {
            number,
            device,
            clients,
            orders: self.order.subscribe(),
            diary: self.diary.clone(),
            pace: self.load.pace,
        };
        self.working.spawn(worker.work());
    }

    fn order(&self, change: impl FnOnce(&mut Order)) {
        self.order.send_modify(change);
    }

    fn diary<T>(&self, read: impl FnOnce(&Diary) -> T) -> T {
        read(&self.diary.borrow())
    }

    async fn until(&mut self, what: &str, done: impl Fn(&Diary) -> bool) {
        let mut diary = self.diary.subscribe();
        tokio::select! {
            // Not the diary itself: whoever holds it keeps everybody from writing.
            reached = async { tokio::time::timeout(PATIENCE, diary.wait_for(|diary| done(diary))).await.is_ok() } => {
                let told = self.diary.borrow().told();
                assert!(reached, "not reached in time: {what}; {told}");
            }
            Some(ended) = self.working.join_next() => {
                ended.expect("a device works until it is told to stop");
            }
        }
    }

    async fn come_home(&mut self) -> Vec<Device> {
        let mut devices = Vec::new();
        let all = async {
            while let Some(device) = self.working.join_next().await {
                devices.push(device.expect("a device works until it is told to stop"));
            }
        };
        tokio::time::timeout(PATIENCE, all)
            .await
            .expect("every device comes to have everything");
        devices
    }
}

/// What was acknowledged: which change of which document.
type Acknowledged = (DocumentId, ChangeHash);

/// For names in the diary.
fn moment() -> String {
    format!("at {}", now().0)
}
