//! The world of a run: people with their devices, links, nodes and the database, and what follows from every event.
//!
//! Invariant: one thing happens at a time, in an order that the seed decides; nodes come to rest after each.

use crate::dice::{Concern, Dice};
use crate::faults::{Class, Plan};
use crate::invariant::{Holds, Invariant, Violation, broken};
use crate::ledger::Ledger;
use crate::link::Link;
use crate::log::Log;
use crate::node::{Server, Wall, runtime};
use crate::people::{Books, Person};
use crate::promise::{self, TakenBack};
use crate::storage::{Shared, lock};
use crate::tablet::{Request, Tablet};
use automerge::ChangeHash;
use local_core::query::{Connection as Online, StatusView};
use local_core::{Credentials, Effect, Event, HandInAnswer, KeySeed, View};
use shared_model::accounts::SignedIn;
use shared_model::commands::Command;
use shared_model::ids::{AccountId, ClinicId, DeviceId};
use shared_model::late_work::Kept;
use shared_model::protocol::{self, ServerMessage};
use shared_model::time::Timestamp;
use shared_model::trail::{CameBy, Detail};
use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, OnceLock};
use sync_server::HeavyWork;
use sync_server::at_rest::{MasterKey, MasterKeys};
use sync_server::identity::{AccessClaims, AccessTokens, NewRefreshToken, SignInLife, mint_refresh_token};
use sync_server::storage::people::BegunSignIn;
use sync_server::storage::sqlite::SqliteStorage;
use sync_server::storage::{NewAccount, NewClinic, Storage};
use tokio::runtime::Runtime;

/// 23 November 2026, noon.
pub(crate) const BEGIN: i64 = 1_795_435_200_000;

pub(crate) struct World {
    pub(crate) plan: Plan,
    /// Milliseconds since the run began.
    pub(crate) time: i64,
    pub(crate) log: Log,
    pub(crate) schedule: Dice,
    pub(crate) work: Dice,
    pub(crate) luck: Dice,
    pub(crate) clinic: ClinicId,
    pub(crate) people: Vec<Person>,
    pub(crate) books: Books,
    pub(crate) tablets: Vec<Tablet>,
    pub(crate) links: BTreeMap<u64, Link>,
    next_link: u64,
    pub(crate) servers: Vec<Server>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) ledger: Arc<Mutex<Ledger>>,
    pub(crate) wall: Wall,
    /// The server's clock is wrong by this.
    pub(crate) wall_off_by: i64,
    pub(crate) tokens: AccessTokens,
    /// For what is done at the database directly.
    pub(crate) desk: Runtime,
    pub(crate) folder: PathBuf,
    /// Deaths and losses still happen.
    pub(crate) faults_on: bool,
    pub(crate) statuses: Vec<Option<StatusView>>,
    pub(crate) counts: Counts,
}

/// How much of what happened.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    pub commands: u64,
    pub denied: u64,
    pub frames: u64,
    pub deaths: u64,
    pub faults: u64,
    pub refused: u64,
    /// People who left the clinic.
    pub left: u64,
}

/// What the simulation's databases are sealed with.
fn master_keys() -> MasterKeys {
    MasterKey::from_bytes([7; 32]).into()
}

/// An empty database as this build makes it, made once.
fn empty_database(folder: &Path) -> &'static [u8] {
    static DATABASE: OnceLock<Vec<u8>> = OnceLock::new();
    DATABASE.get_or_init(|| {
        let file = folder.join("empty-server.db");
        drop(
            SqliteStorage::open_with(&file, master_keys(), HeavyWork::InPlace).expect("a new database opens"),
        );
        std::fs::read(&file).expect("the database was written")
    })
}

fn credentials(signed_in: SignedIn) -> Credentials {
    Credentials {
        principal: signed_in.principal,
        access_token: signed_in.access_token,
        access_expires: signed_in.expires_at,
        refresh_token: signed_in.refresh_token,
    }
}

impl World {
    pub(crate) fn new(seed: u64, plan: Plan, folder: &Path) -> Result<Self, Violation> {
        let mut names = Dice::new(seed, Concern::People);
        let clinic = ClinicId(names.id(BEGIN));
        let people = Person::draw(&mut names, plan.devices);
        let file = folder.join("server.db");
        std::fs::write(&file, empty_database(folder)).expect("the simulation's folder can be written");
        let failed = |error: sync_server::storage::StorageError| {
            broken(Invariant::NothingBreaks, format!("the database: {error}"))
        };
        let database: Arc<dyn Storage> =
            Arc::new(SqliteStorage::open_with(&file, master_keys(), HeavyWork::InPlace).map_err(failed)?);
        let desk = runtime();
        let accounts = people.iter().map(|person| NewAccount {
            account: person.account,
            email: format!("{}@clinic.example", person.name),
            full_name: person.name.clone(),
            password_hash: "nobody signs in with a password here".to_owned(),
            roles: person.roles.clone(),
            client: person.client,
        });
        let new = NewClinic {
            clinic,
            name: "Simulated Vets".to_owned(),
            created_at: Timestamp(BEGIN),
            accounts: accounts.collect(),
            demonstration: Vec::new(),
        };
        desk.block_on(database.create_clinic(new)).map_err(failed)?;
        let secret = desk
            .block_on(database.secret("access tokens", names.bytes()))
            .map_err(failed)?;
        let ledger = Arc::new(Mutex::new(Ledger::default()));
        lock(&ledger).head = desk.block_on(database.head(clinic)).map_err(failed)?;
        let shared = Arc::new(Shared::new(database, Arc::clone(&ledger)));
        let wall: Wall = Arc::new(BEGIN.into());
        let nodes = 1 + usize::from(names.permille(300));
        let servers = (0..nodes).map(|number| {
            Server::new(
                number,
                Arc::clone(&shared),
                Arc::clone(&wall),
                plan.token_life,
                nodes > 1,
            )
        });
        let mut devices = Dice::new(seed, Concern::Devices);
        let tablets = people
            .iter()
            .enumerate()
            .flat_map(|(person, who)| (0..who.devices).map(move |_| person))
            .enumerate()
            .map(|(number, person)| {
                let device = DeviceId(devices.id(BEGIN));
                Tablet::new(folder, number, person, device)
            });
        let tablets: Vec<Tablet> = tablets.collect();
        let mut world = Self {
            time: 0,
            log: Log::default(),
            schedule: Dice::new(seed, Concern::Schedule),
            work: Dice::new(seed, Concern::Work),
            luck: devices,
            clinic,
            books: Books::new(&people, &mut names),
            people,
            statuses: vec![None; tablets.len()],
            tablets,
            links: BTreeMap::new(),
            next_link: 0,
            servers: servers.collect(),
            shared,
            ledger,
            wall,
            wall_off_by: 0,
            tokens: AccessTokens::new(secret),
            desk,
            folder: folder.to_owned(),
            faults_on: false,
            counts: Counts::default(),
            plan,
        };
        for node in 0..world.servers.len() {
            world.start_server(node);
        }
        for tablet in 0..world.tablets.len() {
            world.start_tablet(tablet)?;
            world.sign_in(tablet)?;
        }
        Ok(world)
    }

    pub(crate) fn note(&mut self, line: impl AsRef<str>) {
        self.log.note(self.time, line);
    }

    /// Whether a fault of this class strikes at something that happens anyway, `times` as often as its rate says.
    pub(crate) fn strikes(&mut self, class: Class, times: u32) -> bool {
        let rate = self.plan.rate(class);
        self.faults_on && rate > 0 && self.schedule.permille((rate * times).min(900))
    }

    fn tablet_now(&self, tablet: usize) -> Timestamp {
        Timestamp(BEGIN + self.time + self.tablets[tablet].clock)
    }

    // ---- time ----

    /// So much time passes at the nodes, and they come to rest.
    fn run_servers(&mut self, millis: i64) -> Holds {
        self.time += millis;
        self.wall
            .store(BEGIN + self.time + self.wall_off_by, Ordering::Relaxed);
        for server in &self.servers {
            server.run(millis);
        }
        self.collect()
    }

    pub(crate) fn settle(&mut self) -> Holds {
        self.run_servers(1)
    }

    /// Time passes; devices are woken when they want it.
    pub(crate) fn pass(&mut self, millis: i64) -> Holds {
        let end = self.time + millis;
        while self.time < end {
            let due = self.tablets.iter().filter_map(|tablet| tablet.wake).min();
            let until = due.unwrap_or(end).clamp(self.time + 1, end);
            self.run_servers(until - self.time)?;
            self.wake_tablets()?;
        }
        Ok(())
    }

    pub(crate) fn wake_tablets(&mut self) -> Holds {
        for tablet in 0..self.tablets.len() {
            if self.tablets[tablet].wake.is_some_and(|at| at <= self.time) {
                self.tablets[tablet].wake = None;
                self.note(format!("device {tablet} wakes"));
                self.handle(tablet, Event::Tick)?;
            }
        }
        Ok(())
    }

    /// Takes what the nodes have sent off their hands, and looks at every byte of it.
    fn collect(&mut self) -> Holds {
        let Self {
            links,
            ledger,
            people,
            clinic,
            ..
        } = self;
        for link in links.values_mut() {
            for frame in link.collect() {
                let mut ledger = lock(ledger);
                look_at(&mut ledger, *clinic, link, &people[link.person], &frame)?;
            }
        }
        let closed: Vec<u64> = self
            .links
            .iter()
            .filter(|(_, link)| link.is_over())
            .map(|(id, _)| *id)
            .collect();
        for id in closed {
            if let Some(link) = self.links.remove(&id)
                && !link.left
                && !link.down_silent
                && self.tablets[link.device].link == Some(id)
            {
                self.tablets[link.device].link = None;
                self.closes(link.device);
            }
        }
        lock(&self.ledger).holds()
    }

    /// The host will tell the core that its socket has closed.
    pub(crate) fn closes(&mut self, tablet: usize) {
        let dice = self.luck.number();
        self.tablets[tablet]
            .events
            .push_back(Event::SocketClosed { dice });
    }

    // ---- devices ----

    pub(crate) fn start_tablet(&mut self, tablet: usize) -> Holds {
        self.note(format!("device {tablet} starts"));
        self.tablets[tablet].start().map_err(|error| {
            broken(
                Invariant::AcknowledgedSurvives,
                format!(
                    "device {tablet} does not start after {} deaths: {error}",
                    self.tablets[tablet].deaths
                ),
            )
        })?;
        self.look_at_promises(tablet, &TakenBack::Nothing)?;
        self.handle(tablet, Tablet::watch())?;
        self.handle(tablet, Event::Started)?;
        // It died after one person had signed out and before the next had signed in.
        let Tablet {
            core, wants_sign_in, ..
        } = &mut self.tablets[tablet];
        *wants_sign_in |= core.as_ref().is_some_and(|core| core.principal().is_none());
        Ok(())
    }

    /// Somebody else takes the device over; whoever worked on it signs out, unless its disk does not let them.
    pub(crate) fn hand_over(&mut self, tablet: usize, person: usize) -> Holds {
        self.handle(tablet, Event::SignedOut)?;
        let free = |core: &local_core::Core| core.principal().is_none();
        if self.tablets[tablet].core.as_ref().is_some_and(free) {
            self.note(format!("{} takes device {tablet}", self.people[person].name));
            self.tablets[tablet].person = person;
            self.tablets[tablet].wants_sign_in = true;
            self.tablets[tablet].is_new_to_it = true;
        }
        Ok(())
    }

    /// The person signs in again, at the server's door.
    pub(crate) fn sign_in(&mut self, tablet: usize) -> Holds {
        let (account, device) = {
            let tablet = &self.tablets[tablet];
            (self.people[tablet.person].account, tablet.device)
        };
        if self.people[self.tablets[tablet].person].has_left() {
            self.tablets[tablet].wants_sign_in = false;
            return Ok(());
        }
        let Some(credentials) = self.credentials(account, device) else {
            return Ok(());
        };
        self.note(format!("device {tablet} signs in"));
        self.tablets[tablet].wants_sign_in = false;
        self.tablets[tablet].is_new_to_it = false;
        let (fresh_actor, fresh_key) = (self.luck.bytes(), KeySeed(self.luck.bytes()));
        self.handle(
            tablet,
            Event::SignedIn {
                credentials,
                device,
                fresh_actor,
                fresh_key,
            },
        )
    }

    /// What a sign-in gives, as the database knows the person now; `None` if it does not answer.
    pub(crate) fn credentials(&mut self, account: AccountId, device: DeviceId) -> Option<Credentials> {
        let (refresh_token, hash) = mint_refresh_token();
        let family: [u8; 16] = self.luck.bytes();
        let now = self.wall.load(Ordering::Relaxed);
        let database = Arc::clone(&self.shared.database);
        let clinic = self.clinic;
        let asking = async move {
            let principals = database.principals(account).await.ok()?;
            let token = NewRefreshToken {
                hash,
                family,
                account,
                clinic,
                device,
                begun_at: Timestamp(now),
                expires_at: SignInLife::default().expires_at(Timestamp(now), Timestamp(now)),
            };
            let how = Detail::came(CameBy::Password, None);
            let begun = BegunSignIn::new(token, "a device".to_owned(), &how);
            database.people().begin_sign_in(begun).await.ok()?;
            principals
                .into_iter()
                .find(|principal| principal.clinic == clinic)
        };
        let patience = std::time::Duration::from_millis(5);
        let principal = self
            .desk
            .block_on(async { tokio::time::timeout(patience, asking).await })
            .ok()??;
        let expires_at = Timestamp(now + self.plan.token_life);
        let access_token = self.tokens.seal(&AccessClaims {
            account,
            clinic,
            device,
            family,
            expires_at,
        });
        Some(Credentials {
            principal,
            access_token,
            access_expires: expires_at,
            refresh_token,
        })
    }

    /// A person asks for something; whether the device did it.
    pub(crate) fn command(&mut self, tablet: usize, command: Command) -> Result<bool, Violation> {
        self.tablets[tablet].tickets += 1;
        let ticket = self.tablets[tablet].tickets;
        self.note(format!("device {tablet} {}", command.verb()));
        self.counts.commands += 1;
        let before = self.counts.denied;
        self.handle(tablet, Event::Command { ticket, command })?;
        Ok(self.counts.denied == before)
    }

    /// The core handles an event, and the host does what it asks for, unless it dies meanwhile.
    pub(crate) fn handle(&mut self, tablet: usize, event: Event) -> Holds {
        let mut events = VecDeque::from([event]);
        while let Some(event) = events.pop_front() {
            let now = self.tablet_now(tablet);
            if self.strikes(Class::TornTransaction, 1) {
                if self.schedule.permille(500) {
                    let work = self.schedule.between(1, 60);
                    self.tablets[tablet].light_fuse(work);
                } else {
                    self.tablets[tablet].light_fuse_at_commit();
                }
            }
            let command = match &event {
                Event::Command { command, .. } => Some(command.clone()),
                _ => None,
            };
            let Tablet { core, promises, .. } = &mut self.tablets[tablet];
            let Some(core) = core else {
                return Ok(());
            };
            let taken_back = TakenBack::by(&event, core.store(), promises);
            let effects = core.handle(now, event);
            if self.tablets[tablet].has_burnt() {
                self.note(format!("device {tablet} dies inside a transaction"));
                return self.kill_tablet(tablet, true);
            }
            self.tablets[tablet].put_out_fuse();
            self.counts.refused += taken_back.refused();
            if !matches!(taken_back, TakenBack::Nothing) {
                self.look_at_promises(tablet, &taken_back)?;
            }
            for effect in effects {
                if self.strikes(Class::KillDevice, 1) && self.schedule.permille(100) {
                    self.note(format!("device {tablet} dies between two effects"));
                    return self.kill_tablet(tablet, false);
                }
                self.perform(tablet, effect, command.as_ref(), &mut events)?;
            }
        }
        Ok(())
    }

    fn perform(
        &mut self,
        tablet: usize,
        effect: Effect,
        command: Option<&Command>,
        events: &mut VecDeque<Event>,
    ) -> Holds {
        match effect {
            Effect::OpenSocket => self.open_socket(tablet),
            Effect::CloseSocket => self.close_socket(tablet),
            Effect::Send(frame) => {
                if let Some(link) = self.tablets[tablet].link.and_then(|id| self.links.get_mut(&id)) {
                    link.up.push_back(frame);
                }
            }
            Effect::RenewSession { refresh_token, .. } => {
                self.tablets[tablet]
                    .requests
                    .push(Request::Renew { refresh_token });
            }
            Effect::HandIn { access_token, work } => {
                self.tablets[tablet]
                    .requests
                    .push(Request::HandIn { access_token, work });
            }
            Effect::WakeAt(at) => {
                let wait = (at.0 - self.tablet_now(tablet).0).max(1);
                self.tablets[tablet].wake = Some(self.time + wait);
            }
            Effect::View {
                view: View::Status(status),
                ..
            } => {
                self.look_at_status(tablet, &status)?;
                self.note_status(tablet, &status);
                self.statuses[tablet] = Some(status);
            }
            Effect::View { .. }
            | Effect::SignedIn(_)
            | Effect::SignInRefused { .. }
            | Effect::SignInFailed(_)
            | Effect::HasLeft(_)
            | Effect::Purged { .. } => {}
            Effect::FreshActor => events.push_back(Event::FreshActor(self.luck.bytes())),
            Effect::Answer { outcome, .. } => match (outcome, command) {
                (Ok(_), Some(command)) => self.promised(tablet, command),
                (Ok(_), None) => {}
                (Err(failure), _) => {
                    self.counts.denied += 1;
                    self.note(format!("device {tablet} says no: {failure:?}"));
                }
            },
        }
        Ok(())
    }

    /// What a person would see change, without what changes all the time.
    fn note_status(&mut self, tablet: usize, status: &StatusView) {
        let shown = |status: &StatusView| {
            (
                format!("{:?}", status.connection),
                status.waiting,
                status.needs_attention,
                status.storage,
            )
        };
        let now = shown(status);
        if self.statuses[tablet].as_ref().map(shown).as_ref() != Some(&now) {
            self.note(format!("device {tablet} shows {now:?}"));
        }
    }

    fn promised(&mut self, tablet: usize, command: &Command) {
        let clinic = self.clinic;
        let account = self.people[self.tablets[tablet].person].account;
        let Tablet { core, promises, .. } = &mut self.tablets[tablet];
        let Some(core) = core else { return };
        let documents = command.touches(clinic).into_iter().map(|(_, id)| id);
        let made = promise::made(core.store(), promises, account, command, documents);
        promises.extend(made);
    }

    pub(crate) fn look_at_promises(&mut self, tablet: usize, taken_back: &TakenBack) -> Holds {
        let ledger = lock(&self.ledger);
        let Tablet { core, promises, .. } = &mut self.tablets[tablet];
        match core {
            Some(core) => {
                let inbox = |hash: &ChangeHash| is_with_administrators(&self.folder, hash);
                promise::settle(core.store(), self.clinic, promises, &ledger, inbox, taken_back)
            }
            None => Ok(()),
        }
        .map_err(|violation| Violation {
            what: format!("device {tablet}: {}", violation.what),
            ..violation
        })
    }

    /// "Synced" is never shown while anything is pending.
    fn look_at_status(&mut self, tablet: usize, status: &StatusView) -> Holds {
        if status.connection != Online::Online || status.waiting > 0 {
            return Ok(());
        }
        let account = self.people[self.tablets[tablet].person].account;
        let ledger = lock(&self.ledger);
        let Tablet { core, promises, .. } = &self.tablets[tablet];
        let Some(core) = core else { return Ok(()) };
        for promise in promises
            .iter()
            .filter(|promise| promise.is_open() && promise.account == account)
        {
            let rows = core.store().outbox_of(promise.document).unwrap_or_default();
            let waits = rows
                .iter()
                .any(|row| row.hash[..] == promise.hash.0[..] && row.refused.is_none());
            if waits && !ledger.has(&promise.hash) {
                return Err(broken(
                    Invariant::StatusIsTrue,
                    format!(
                        "device {tablet} says that nothing waits, but {} of {} does",
                        promise.command.verb(),
                        promise.document
                    ),
                ));
            }
        }
        Ok(())
    }

    pub(crate) fn kill_tablet(&mut self, tablet: usize, torn: bool) -> Holds {
        self.counts.deaths += 1;
        let link = self.tablets[tablet].link;
        self.tablets[tablet].die();
        self.note(format!(
            "device {tablet} is dead{}",
            if torn { ", torn" } else { "" }
        ));
        if let Some(link) = link.and_then(|id| self.links.get_mut(&id)) {
            link.left = true;
        }
        Ok(())
    }

    // ---- network ----

    fn open_socket(&mut self, tablet: usize) {
        self.abandon_link(tablet);
        self.tablets[tablet].opening = true;
        let up: Vec<usize> = (0..self.servers.len())
            .filter(|node| self.servers[*node].is_running())
            .collect();
        let node = if self.tablets[tablet].offline {
            None
        } else {
            self.schedule.pick(&up)
        };
        let words = match node {
            Some(node) => format!("device {tablet} opens a socket to node {node}"),
            None => format!("device {tablet} finds nobody"),
        };
        self.note(words);
        let Some(node) = node else {
            // Refused at once, or answered by nobody until the core gives up.
            if self.schedule.permille(700) {
                self.tablets[tablet].opening = false;
                self.closes(tablet);
            }
            return;
        };
        if let Some(wire) = self.servers[node].connect() {
            let id = self.next_link;
            self.next_link += 1;
            let person = self.tablets[tablet].person;
            self.links.insert(id, Link::new(tablet, person, node, wire));
            self.tablets[tablet].link = Some(id);
            self.tablets[tablet].opening = false;
            self.tablets[tablet].events.push_back(Event::SocketOpened);
        }
    }

    fn close_socket(&mut self, tablet: usize) {
        // The end of a socket is told once, also if it came by itself and has not been told yet.
        let untold = self.tablets[tablet]
            .events
            .iter()
            .any(|event| matches!(event, Event::SocketOpened | Event::SocketClosed { .. }));
        let had = untold || self.tablets[tablet].link.is_some() || self.tablets[tablet].opening;
        self.note(format!(
            "device {tablet} closes {}",
            if had { "its socket" } else { "no socket" }
        ));
        self.abandon_link(tablet);
        if had {
            self.closes(tablet);
        }
    }

    /// The device turns to another connection, or to none. What it had sent may still arrive, and events of the former
    /// socket have no say any more.
    fn abandon_link(&mut self, tablet: usize) {
        self.tablets[tablet].opening = false;
        self.tablets[tablet]
            .events
            .retain(|event| !matches!(event, Event::SocketOpened | Event::SocketClosed { .. }));
        if let Some(id) = self.tablets[tablet].link.take()
            && let Some(link) = self.links.get_mut(&id)
        {
            link.left = true;
        }
    }

    /// Links that have something to carry, upwards and downwards.
    pub(crate) fn busy_links(&self) -> (Vec<u64>, Vec<u64>) {
        let moves = |link: &Link| !self.tablets[link.device].offline;
        let up = self
            .links
            .iter()
            .filter(|(_, link)| !link.up.is_empty() && moves(link))
            .map(|(id, _)| *id);
        let down = self
            .links
            .iter()
            .filter(|(_, link)| !link.down.is_empty() && (moves(link) || link.left))
            .map(|(id, _)| *id);
        (up.collect(), down.collect())
    }

    pub(crate) fn carry_up(&mut self, id: u64) {
        let Some(link) = self.links.get_mut(&id) else {
            return;
        };
        let (device, silent) = (link.device, link.up_silent);
        if let Some(frame) = link.carry_up() {
            self.counts.frames += 1;
            let lost = if silent { ", lost" } else { "" };
            let what = crate::words::of_client(&frame);
            self.note(format!("link {id} up from device {device}: {what}{lost}"));
        }
    }

    pub(crate) fn carry_down(&mut self, id: u64) -> Holds {
        let Some(link) = self.links.get_mut(&id) else {
            return Ok(());
        };
        let device = link.device;
        let Some(frame) = link.carry_down() else {
            return Ok(());
        };
        self.counts.frames += 1;
        let what = crate::words::of_server(&frame);
        self.note(format!("link {id} down to device {device}: {what}"));
        let frame = if self.tablets[device].old_build {
            crate::older_build::as_it_sees(&frame)
        } else {
            frame.to_vec()
        };
        self.handle(device, Event::Frame(frame))
    }

    /// The host tells the core the next thing that happened to its socket.
    pub(crate) fn next_event(&mut self, tablet: usize) -> Holds {
        if self.tablets[tablet].core.is_none() {
            return Ok(());
        }
        match self.tablets[tablet].events.pop_front() {
            Some(event) => {
                self.note(format!(
                    "device {tablet} hears {}",
                    crate::words::of_event(&event)
                ));
                // The screen asks the person to sign in again.
                self.tablets[tablet].wants_sign_in |= matches!(event, Event::SessionRefused);
                self.handle(tablet, event)
            }
            None => Ok(()),
        }
    }

    /// A request, for fresh tokens or with work that is handed in, goes to a node and comes back, if nothing happens to it.
    pub(crate) fn renew(&mut self, tablet: usize) -> Holds {
        let count = self.tablets[tablet].requests.len();
        if count == 0 {
            return Ok(());
        }
        let reorder = self.strikes(Class::LostAnswer, 1);
        let which = if reorder { self.schedule.below(count) } else { 0 };
        let request = self.tablets[tablet].requests.remove(which);
        let up: Vec<usize> = (0..self.servers.len())
            .filter(|node| self.servers[*node].is_running())
            .collect();
        let lost = self.strikes(Class::LostAnswer, 1);
        let node = self
            .schedule
            .pick(&up)
            .filter(|_| !self.tablets[tablet].offline && !lost);
        let answer = node.and_then(|node| match &request {
            Request::Renew { refresh_token } => {
                let device = self.tablets[tablet].device;
                let body = serde_json::json!({ "refresh_token": refresh_token, "device": device });
                self.servers[node].post("/api/v1/refresh", None, body.to_string())
            }
            Request::HandIn { access_token, work } => {
                let body = serde_json::json!(work).to_string();
                self.servers[node].post("/api/v1/late-work", Some(access_token), body)
            }
        });
        self.settle()?;
        let forgotten = self.strikes(Class::LostAnswer, 1);
        let answer = answer.filter(|_| !forgotten);
        if let Request::HandIn { work, .. } = &request {
            let event = self.handed_in(work.left, answer)?;
            self.tablets[tablet].events.push_back(event);
            return Ok(());
        }
        let event = match answer {
            Some((200, body)) => match serde_json::from_str::<SignedIn>(&body) {
                Ok(signed_in) => Event::SessionRenewed(Some(credentials(signed_in))),
                Err(error) => {
                    return Err(broken(Invariant::NothingBreaks, format!("/refresh: {error}")));
                }
            },
            Some((401 | 403, _)) => Event::SessionRefused,
            Some(_) | None => Event::SessionRenewed(None),
        };
        self.tablets[tablet].events.push_back(event);
        Ok(())
    }

    /// What the clinic says to work that was handed in.
    fn handed_in(&mut self, left: bool, answer: Option<(u16, String)>) -> Result<Event, Violation> {
        let answer = match answer {
            Some((200, body)) => match serde_json::from_str::<Kept>(&body) {
                Ok(kept) => HandInAnswer::Kept(kept),
                Err(error) => {
                    return Err(broken(Invariant::NothingBreaks, format!("/late-work: {error}")));
                }
            },
            Some((409, _)) => HandInAnswer::StillMember,
            Some((401, body)) if left => {
                return Err(broken(Invariant::NothingBreaks, format!("/late-work: {body}")));
            }
            Some((401, _)) => HandInAnswer::TooLate,
            Some(_) | None => HandInAnswer::Unreachable,
        };
        let dice = self.luck.number();
        Ok(Event::HandedIn { answer, dice })
    }

    pub(crate) fn look_at_frame(&self, link: &mut Link, person: usize, frame: &[u8]) -> Holds {
        look_at(
            &mut lock(&self.ledger),
            self.clinic,
            link,
            &self.people[person],
            frame,
        )
    }

    // ---- nodes ----

    pub(crate) fn start_server(&mut self, node: usize) {
        let started = self.servers[node].start();
        self.note(format!(
            "node {node} {}",
            if started { "starts" } else { "cannot start" }
        ));
    }

    pub(crate) fn kill_server(&mut self, node: usize) -> Holds {
        self.note(format!("node {node} dies"));
        self.counts.deaths += 1;
        self.servers[node].kill();
        // What it had sent is on its way; nothing more comes, and whether devices are told is the network's affair.
        self.collect()?;
        let told = self.schedule.permille(600);
        for link in self.links.values_mut().filter(|link| link.node == node) {
            if !told {
                link.up_silent = true;
                link.down_silent = true;
            }
        }
        Ok(())
    }
}

/// Whether the clinic's administrators have it, or have decided about it.
pub(crate) fn is_with_administrators(folder: &Path, hash: &ChangeHash) -> bool {
    let there = rusqlite::Connection::open(folder.join("server.db")).and_then(|database| {
        database
            .prepare("select 1 from late_work where hash = ?1")?
            .exists([&hash.0[..]])
    });
    there.unwrap_or(false)
}

/// Everything that a node sends is looked at, whether it arrives or not.
fn look_at(ledger: &mut Ledger, clinic: ClinicId, link: &mut Link, person: &Person, frame: &[u8]) -> Holds {
    let message = protocol::decode::<ServerMessage>(frame).map_err(|error| {
        broken(
            Invariant::NothingBreaks,
            format!("a node sent what is no message: {error}"),
        )
    })?;
    match message {
        ServerMessage::Welcome(welcome) => {
            if welcome.principal.roles != person.roles {
                return Err(broken(
                    Invariant::OnlyThePermitted,
                    format!("{} was welcomed as {:?}", person.name, welcome.principal.roles),
                ));
            }
            link.feeds = welcome.principal.feeds();
        }
        ServerMessage::Page(page) => {
            if !link.feeds.contains(&page.cursor.feed) {
                return Err(broken(
                    Invariant::NoDeniedByte,
                    format!("{} got a page of {:?}", person.name, page.cursor.feed),
                ));
            }
            let entries = protocol::unpack(&page.body).map_err(|error| {
                broken(
                    Invariant::NothingBreaks,
                    format!("a page cannot be unpacked: {error}"),
                )
            })?;
            for entry in &entries {
                ledger.may_be_sent(clinic, page.cursor.feed, entry)?;
            }
        }
        ServerMessage::Snapshot(entry) => {
            let mut verdict = Ok(());
            for feed in &link.feeds {
                verdict = ledger.may_be_sent(clinic, *feed, &entry);
                if verdict.is_ok() {
                    break;
                }
            }
            verdict?;
        }
        ServerMessage::Goodbye(_) | ServerMessage::Accepted(_) | ServerMessage::Pong(_) => {}
    }
    Ok(())
}
