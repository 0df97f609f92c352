//! The core: `handle(now, event) -> effects`.
//!
//! Invariant: a failed write reaches the screen and stops further writes until a retry succeeds; it is never
//! swallowed, and memory is left as it was before.

use crate::effect::{Effect, Failure};
use crate::event::{Credentials, Event, KeySeed};
use crate::query::{Query, Touched, View};
use crate::store::{Signed, StorageTrouble, Store, StoreError};
use crate::sync::Sync;
use automerge::{ActorId, Change, ChangeHash};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use minicbor::bytes::{ByteArray, ByteVec};
use shared_model::authorship::{SigningKey, key_id};
use shared_model::commands::{Command, CommandError};
use shared_model::documents::{
    ClinicProfile, ClinicSettings, Document, Kind, OpeningHours, PROJECTION_VERSION, Stamp, project,
};
use shared_model::ids::{AccountId, AppointmentId, AppointmentTypeId, ClinicId, DeviceId, DocumentId};
use shared_model::permissions::{self, Principal};
use shared_model::protocol::{MAX_CHANGE, MAX_OPERATIONS};
use shared_model::time::Timestamp;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// The `meta` entry that says which form the projections have.
const PROJECTIONS: &str = "projection_version";

/// The `meta` entry that says who works here now.
const CURRENT: &str = "current";

/// The `meta` entries with what one person signed in with.
fn credential_names(account: AccountId) -> [String; 4] {
    ["principal", "access_token", "access_expires", "refresh_token"].map(|name| format!("{name} {account}"))
}

/// Opened documents kept in memory; a screen rests on a handful.
const CACHE: usize = 128;

/// One device's core.
#[derive(Debug)]
pub struct Core {
    pub(crate) store: Store,
    pub(crate) signed_in: Option<SignedIn>,
    pub(crate) sync: Sync,
    pub(crate) cache: Cache,
    profile: ClinicProfile,
    settings: ClinicSettings,
    zone: TimeZone,
    watches: BTreeMap<u64, Watched>,
    trouble: Option<StorageTrouble>,
}

#[derive(Debug)]
struct Watched {
    query: Query,
    shown: Option<View>,
}

/// Somebody signed in on this device.
#[derive(Clone, Debug)]
pub(crate) struct SignedIn {
    pub credentials: Credentials,
    pub device: DeviceId,
    pub actor: ActorId,
    /// `None` after a build that signed nothing: what they write is signed at their next sign-in.
    pub key: Option<SigningKey>,
}

impl SignedIn {
    pub(crate) fn sign(&self, document: DocumentId, change: &ChangeHash) -> Option<Signed> {
        let key = self.key.as_ref()?;
        Some(sign(key, self.clinic(), document, change))
    }

    pub(crate) fn clinic(&self) -> ClinicId {
        self.credentials.principal.clinic
    }
}

fn sign(key: &SigningKey, clinic: ClinicId, document: DocumentId, change: &ChangeHash) -> Signed {
    Signed {
        key: key_id(&key.public()),
        signature: key.sign(clinic, document, change),
    }
}

/// The `meta` entry with the seed of somebody's signing key.
fn key_name(account: AccountId) -> String {
    format!("signing key {account}")
}

/// Documents as they are in the store, opened.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    /// Each with the turn at which it was used last.
    documents: RefCell<HashMap<DocumentId, (Arc<Document>, u64)>>,
    turn: Cell<u64>,
    /// Documents whose stored bytes cannot be read. They are neither shown nor written until the server has sent them
    /// again; what waits of them in the outbox is safe there.
    damaged: RefCell<BTreeSet<DocumentId>>,
}

impl Cache {
    pub(crate) fn get(&self, id: DocumentId) -> Option<Arc<Document>> {
        let mut documents = self.documents.borrow_mut();
        let (document, used) = documents.get_mut(&id)?;
        *used = self.next_turn();
        Some(document.clone())
    }

    fn next_turn(&self) -> u64 {
        self.turn.set(self.turn.get() + 1);
        self.turn.get()
    }

    pub(crate) fn put(&self, document: Arc<Document>) {
        let mut documents = self.documents.borrow_mut();
        if documents.len() >= CACHE && !documents.contains_key(&document.id) {
            let oldest = documents.iter().min_by_key(|(_, (_, used))| *used);
            if let Some(id) = oldest.map(|(id, _)| *id) {
                documents.remove(&id);
            }
        }
        documents.insert(document.id, (document, self.next_turn()));
    }

    pub(crate) fn forget(&self, id: DocumentId) {
        self.documents.borrow_mut().remove(&id);
        self.damaged.borrow_mut().remove(&id);
    }

    pub(crate) fn is_damaged(&self, id: DocumentId) -> bool {
        self.damaged.borrow().contains(&id)
    }

    pub(crate) fn damaged(&self) -> BTreeSet<DocumentId> {
        self.damaged.borrow().clone()
    }

    pub(crate) fn clear(&self) {
        self.documents.borrow_mut().clear();
    }
}

/// Opens a document, from memory if it is there. One whose bytes are damaged is noted in the cache and is `None`.
pub(crate) fn open(
    store: &Store,
    cache: &Cache,
    clinic: ClinicId,
    id: DocumentId,
) -> Result<Option<Arc<Document>>, StoreError> {
    if let Some(document) = cache.get(id) {
        return Ok(Some(document));
    }
    let Some(stored) = store.document(id)? else {
        return Ok(None);
    };
    let Ok(document) = Document::load(stored.kind, clinic, id, &stored.bytes) else {
        cache.damaged.borrow_mut().insert(id);
        return Ok(None);
    };
    let document = Arc::new(document);
    cache.put(document.clone());
    Ok(Some(document))
}

/// What queries read from.
pub(crate) struct Reading<'a> {
    pub store: &'a Store,
    pub principal: Option<&'a Principal>,
    pub profile: &'a ClinicProfile,
    pub settings: &'a ClinicSettings,
    pub zone: TimeZone,
    pub now: Timestamp,
    pub sync: &'a Sync,
    pub trouble: Option<StorageTrouble>,
    cache: &'a Cache,
    core: &'a Core,
}

impl Reading<'_> {
    pub(crate) fn today(&self) -> Date {
        self.now.date_in(&self.zone)
    }

    pub(crate) fn document(&self, id: DocumentId) -> Result<Option<Arc<Document>>, StoreError> {
        match self.principal {
            Some(principal) => open(self.store, self.cache, principal.clinic, id),
            None => Ok(None),
        }
    }

    pub(crate) fn damaged(&self) -> u64 {
        u64::try_from(self.cache.damaged.borrow().len()).unwrap_or(u64::MAX)
    }

    /// Somebody's name, empty if nobody here knows it.
    pub(crate) fn person(&self, account: AccountId) -> Result<String, StoreError> {
        self.core.person(account)
    }

    pub(crate) fn staff_name(&self, id: Option<AccountId>) -> String {
        id.and_then(|id| self.settings.staff_member(id))
            .map(|member| member.name.clone())
            .unwrap_or_default()
    }

    pub(crate) fn type_name(&self, id: Option<AppointmentTypeId>) -> String {
        id.and_then(|id| self.settings.appointment_type(id))
            .map(|kind| kind.name.clone())
            .unwrap_or_default()
    }

    pub(crate) fn hours_on(&self, date: Date) -> Option<OpeningHours> {
        let weekday = usize::try_from(date.weekday().to_monday_zero_offset()).unwrap_or(0);
        self.profile.hours.get(weekday).copied().flatten()
    }

    pub(crate) fn room_of(&self, appointment: AppointmentId) -> Result<String, StoreError> {
        use rusqlite::OptionalExtension;
        let room: Option<Option<Vec<u8>>> = self
            .store
            .sql
            .prepare_cached("SELECT room FROM appointment WHERE id = ?1")?
            .query_row([&appointment.bytes()[..]], |row| row.get(0))
            .optional()?;
        let room = room
            .flatten()
            .and_then(|bytes| shared_model::ids::RoomId::from_slice(&bytes));
        Ok(room
            .and_then(|room| self.settings.room(room))
            .map(|room| room.name.clone())
            .unwrap_or_default())
    }

    pub(crate) fn may_write(&self, document: &Document, field: &str) -> bool {
        self.principal.is_some_and(|principal| {
            permissions::may_write(principal, document.kind, &permissions::people_of(document), field).is_ok()
        })
    }
}

/// One document's part of a command, ready to be stored.
pub(crate) struct Written {
    pub kind: Kind,
    pub id: DocumentId,
    pub document: Document,
    pub change: Change,
    command: Vec<u8>,
    made_at: Timestamp,
    is_new: bool,
}

/// A clinic that nothing is known of.
fn unset() -> Document {
    Document::genesis(
        Kind::ClinicProfile,
        ClinicId(Default::default()),
        DocumentId(Default::default()),
    )
}

impl Core {
    pub fn new(store: Store) -> Result<Self, StoreError> {
        let unset = unset();
        let mut core = Self {
            store,
            signed_in: None,
            sync: Sync::default(),
            cache: Cache::default(),
            profile: ClinicProfile::read(&unset).0,
            settings: ClinicSettings::read(&unset).0,
            zone: TimeZone::UTC,
            watches: BTreeMap::new(),
            trouble: None,
        };
        core.restore()?;
        Ok(core)
    }

    /// What the screens knew of the clinic goes from memory.
    pub(crate) fn forget_clinic(&mut self) {
        let unset = unset();
        self.profile = ClinicProfile::read(&unset).0;
        self.settings = ClinicSettings::read(&unset).0;
        self.zone = TimeZone::UTC;
    }

    /// What the clinic calls itself, as far as its records are here.
    pub(crate) fn clinic_name(&self) -> &str {
        &self.profile.name
    }

    /// Whether somebody is signed in, from an earlier run too.
    pub fn principal(&self) -> Option<&Principal> {
        self.signed_in
            .as_ref()
            .map(|signed_in| &signed_in.credentials.principal)
    }

    /// The store, for tests and tools that look at it from outside.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Handles one event. Whatever goes wrong with the store becomes an effect that the screen shows.
    pub fn handle(&mut self, now: Timestamp, event: Event) -> Vec<Effect> {
        let mut effects = Vec::new();
        let ticket = match &event {
            Event::Command { ticket, .. } | Event::Decide { ticket, .. } => Some(*ticket),
            _ => None,
        };
        let is_frame = matches!(event, Event::Frame(_));
        let is_sign_in = matches!(event, Event::SignedIn { .. });
        let done = match self.answered(ticket) {
            // Asked for again by a page that has not heard the answer.
            Ok(Some(answer)) => {
                effects.push(answer);
                Ok(())
            }
            Ok(None) => self.step(now, event, &mut effects),
            Err(error) => Err(error),
        };
        if let Err(error) = done {
            let trouble = StorageTrouble::from(&error);
            self.trouble = Some(trouble);
            // What is in memory may be ahead of the disk: read it again.
            self.cache.clear();
            if let Some(ticket) = ticket {
                effects.push(Effect::Answer {
                    ticket,
                    outcome: Err(Failure::Storage(trouble)),
                });
            }
            if is_sign_in {
                effects.push(Effect::SignInFailed(trouble));
            }
            let touched = Touched {
                status: true,
                ..Touched::default()
            };
            // If even reading fails, the status view alone still says so.
            if self.refresh(now, &touched, &mut effects).is_err() {
                self.show_trouble_only(&mut effects);
            }
            if is_frame {
                self.not_stored(now, &mut effects);
            }
            // Whatever failed, it was not the last that happens here.
            self.wake(now, &mut effects);
        }
        effects
    }

    fn answered(&self, ticket: Option<u64>) -> Result<Option<Effect>, StoreError> {
        let Some(ticket) = ticket else { return Ok(None) };
        let at = self.store.answered(ticket)?;
        Ok(at.map(|at| Effect::Answer {
            ticket,
            outcome: Ok(at),
        }))
    }

    fn step(&mut self, now: Timestamp, event: Event, effects: &mut Vec<Effect>) -> Result<(), StoreError> {
        let mut touched = Touched::default();
        let damaged = self.cache.damaged();
        match event {
            Event::Started => {
                effects.push(Effect::SignedIn(self.signed_in.is_some()));
                self.tell_who_has_left(effects)?;
                if self.signed_in.is_some() {
                    self.replay_deferred()?;
                    self.load_clinic()?;
                    self.connect(now, effects);
                }
                touched.all = true;
            }
            Event::SignedIn {
                credentials,
                device,
                fresh_actor,
                fresh_key,
            } => {
                self.sign_in(now, credentials, device, (fresh_actor, fresh_key), effects)?;
                touched.all = true;
            }
            Event::Entered(account) => {
                self.enter(now, account, effects)?;
                touched.all = true;
            }
            Event::SignedOut => {
                self.sign_out(effects)?;
                touched.all = true;
            }
            Event::SessionRenewed(credentials) => {
                self.session_renewed(now, credentials, effects)?;
                touched.status = true;
            }
            Event::SessionRefused => {
                self.session_refused(now, effects)?;
                touched.status = true;
            }
            Event::HandedIn { answer, dice } => {
                touched.all = self.handed_in(now, &answer, dice, effects)?;
                touched.status = true;
            }
            Event::DeviceLost => {
                self.purge(effects)?;
                touched.all = true;
            }
            Event::SocketOpened => {
                self.socket_opened(now, effects)?;
                touched.status = true;
            }
            Event::Frame(frame) => touched = self.frame(now, &frame, effects)?,
            Event::SocketClosed { dice } => {
                self.socket_closed(now, dice, effects)?;
                touched.status = true;
            }
            Event::NetworkHint => {
                self.connect_now(now, effects);
                self.hand_in_now(now, effects)?;
            }
            Event::Command { ticket, command } => touched = self.command(now, ticket, &command, effects)?,
            Event::Decide { ticket, decision } => touched = self.decide(now, ticket, &decision, effects)?,
            Event::FreshActor(random) => touched = self.fresh_actor(random, effects)?,
            Event::Watch { watch, query } => {
                self.watches.insert(watch, Watched { query, shown: None });
                self.show(now, watch, effects)?;
            }
            Event::Unwatch { watch } => {
                self.watches.remove(&watch);
            }
            Event::Tick => touched.status = self.tick(now, effects)?,
            Event::RetryStorage => {
                self.store
                    .transaction(|| self.store.set_meta("last_retry", &now))?;
                self.trouble = None;
                touched.all = true;
            }
        }
        if touched
            .documents
            .iter()
            .any(|(kind, _)| matches!(kind, Kind::ClinicProfile | Kind::ClinicSettings))
        {
            self.load_clinic()?;
        }
        self.refresh(now, &touched, effects)?;
        if self.cache.damaged() != damaged {
            // One was found, or came back: the status has to say so.
            let status = Touched {
                status: true,
                ..Touched::default()
            };
            self.refresh(now, &status, effects)?;
        }
        self.ask_for_documents(effects);
        self.ask_for_actor(effects);
        Ok(())
    }

    fn command(
        &mut self,
        now: Timestamp,
        ticket: u64,
        command: &Command,
        effects: &mut Vec<Effect>,
    ) -> Result<Touched, StoreError> {
        let mut touched = Touched::default();
        let outcome = match (self.trouble, self.signed_in.clone()) {
            (Some(trouble), _) => Err(Failure::Storage(trouble)),
            (None, None) => Err(Failure::SignedOut),
            (None, Some(signed_in)) => match self.write(now, &signed_in, command)? {
                Err(error) => Err(Failure::Command(error)),
                Ok(written) => {
                    self.store.transaction(|| {
                        self.keep(&signed_in, now, &written)?;
                        self.store.note_answered(ticket, now)
                    })?;
                    for part in written {
                        touched.documents.insert((part.kind, part.id));
                        touched.status = true;
                        self.cache.put(Arc::new(part.document));
                    }
                    Ok(now)
                }
            },
        };
        effects.push(Effect::Answer { ticket, outcome });
        if touched.status {
            self.push(effects)?;
        }
        Ok(touched)
    }

    /// Turns the command into changes, in memory only.
    pub(crate) fn write(
        &self,
        now: Timestamp,
        signed_in: &SignedIn,
        command: &Command,
    ) -> Result<Result<Vec<Written>, CommandError>, StoreError> {
        let mut written = Vec::new();
        for (kind, id) in command.touches(signed_in.clinic()) {
            let stored = open(&self.store, &self.cache, signed_in.clinic(), id)?;
            match self.part(now, now, signed_in, command, kind, id, stored)? {
                Ok(part) => written.extend(part),
                Err(error) => return Ok(Err(error)),
            }
        }
        Ok(Ok(written))
    }

    /// The command's change of one document, `stored` being how it is; `None` if everything stands there already.
    /// `at` is when it was asked for, which can be long before `now`.
    #[allow(clippy::too_many_arguments, reason = "all of them come from different hands")]
    pub(crate) fn part(
        &self,
        now: Timestamp,
        at: Timestamp,
        signed_in: &SignedIn,
        command: &Command,
        kind: Kind,
        id: DocumentId,
        stored: Option<Arc<Document>>,
    ) -> Result<Result<Option<Written>, CommandError>, StoreError> {
        let principal = &signed_in.credentials.principal;
        let stamp = Stamp {
            now: at,
            actor: signed_in.actor.clone(),
            account: principal.account,
        };
        let is_new = stored.is_none();
        let before = match stored {
            Some(document) => document,
            None if command.creates(kind) && !self.cache.is_damaged(id) => {
                Arc::new(Document::genesis(kind, signed_in.clinic(), id))
            }
            None => {
                return Ok(Err(CommandError::NotHere {
                    kind: kind.word().to_owned(),
                }));
            }
        };
        let mut document = (*before).clone();
        let change = match command.write(&mut document, &stamp) {
            Ok(Some(change)) => change,
            Ok(None) => return Ok(Ok(None)),
            Err(error) => return Ok(Err(error)),
        };
        if let Err(denied) = permissions::judge(principal, &before, is_new, &change, now) {
            return Ok(Err(denied.into()));
        }
        if !self.has_room(&before, &change)? {
            let kind = kind.word().to_owned();
            return Ok(Err(CommandError::TooLarge { kind }));
        }
        Ok(Ok(Some(Written {
            kind,
            id,
            document,
            change,
            command: command.to_bytes(),
            made_at: at,
            is_new,
        })))
    }

    /// Whether the server would take a change of this size.
    fn has_room(&self, document: &Document, change: &Change) -> Result<bool, StoreError> {
        let chunk = change.raw_bytes().len();
        let stored = self.store.document_size(document.id)?;
        Ok(chunk <= MAX_CHANGE && change.len() <= MAX_OPERATIONS && document.has_room_for(stored, chunk))
    }

    /// Documents, outbox and projections together, in the caller's transaction: one intent, one transaction.
    pub(crate) fn keep(
        &self,
        signed_in: &SignedIn,
        now: Timestamp,
        written: &[Written],
    ) -> Result<(), StoreError> {
        for part in written {
            let chunk = part.change.raw_bytes();
            let row = if part.is_new {
                self.store
                    .insert_document(part.kind, part.id, &part.document.save())?
            } else {
                let stored = self
                    .store
                    .document(part.id)?
                    .ok_or_else(|| StoreError::Corrupt(format!("{} has gone", part.id)))?;
                self.store.append_to_document(&stored, &part.document, chunk, 1)?;
                stored.row
            };
            let hash = part.change.hash();
            self.store.add_to_outbox(
                signed_in.credentials.principal.account,
                part.kind,
                part.id,
                &hash.0,
                chunk,
                &part.command,
                part.made_at,
                signed_in.sign(part.id, &hash).as_ref(),
            )?;
            self.store.mark_saved(part.id, now)?;
            self.store
                .write_projection(row, part.id, &project(&part.document), part.is_new)?;
        }
        Ok(())
    }

    fn sign_in(
        &mut self,
        now: Timestamp,
        credentials: Credentials,
        device: DeviceId,
        (fresh_actor, fresh_key): ([u8; 16], KeySeed),
        effects: &mut Vec<Effect>,
    ) -> Result<(), StoreError> {
        // Another clinic or another audience means other records: what is here goes, unless work waits in it.
        let principal = &credentials.principal;
        if self.is_of_others(principal)? {
            let before: Option<Principal> = self.store.meta("last_principal")?;
            let counts = self.store.outbox_counts()?;
            if !counts.is_empty() {
                let names: Result<Vec<String>, StoreError> =
                    counts.iter().map(|(account, _)| self.person(*account)).collect();
                let names: Vec<String> = names?.into_iter().filter(|name| !name.is_empty()).collect();
                effects.push(Effect::SignInRefused {
                    waiting: counts.iter().map(|(_, one)| one.all()).sum(),
                    name: if names.is_empty() {
                        before.map(|before| before.name).unwrap_or_default()
                    } else {
                        names.join(", ")
                    },
                });
                return Ok(());
            }
            self.store.transaction(|| self.store.wipe())?;
            self.cache = Cache::default();
        }
        let device_key = self.store.meta::<DeviceId>("device")?.unwrap_or(device);
        let actor_name = format!("actor {}", principal.account);
        let actor = self
            .store
            .meta::<ByteVec>(&actor_name)?
            .map_or(fresh_actor.to_vec(), Vec::from);
        let key = self.signing_key(principal.account)?;
        let (key, seed) = match key {
            Some(key) => (key, None),
            None => (SigningKey::from_seed(&fresh_key.0), Some(fresh_key)),
        };
        self.store.transaction(|| {
            self.store.set_meta("device", &device_key)?;
            self.store.set_meta(&actor_name, &ByteVec::from(actor.clone()))?;
            if let Some(seed) = seed {
                self.store
                    .set_meta(&key_name(principal.account), &ByteArray::from(seed.0))?;
            }
            self.sign_what_waits(principal, &key)?;
            self.store.set_meta("last_principal", principal)?;
            self.store
                .set_meta(&format!("name {}", principal.account), &principal.name)?;
            self.store.set_meta(CURRENT, &principal.account)?;
            self.store.forget_left(principal.account)?;
            self.store.records_are_here_again()?;
            self.save_credentials(&credentials)
        })?;
        self.signed_in = Some(SignedIn {
            credentials,
            device: device_key,
            actor: ActorId::from(actor),
            key: Some(key),
        });
        self.renew_projections()?;
        self.replay_deferred()?;
        self.load_clinic()?;
        effects.push(Effect::SignedIn(true));
        self.tell_who_has_left(effects)?;
        self.sync.reset();
        self.sync.restore(&self.store)?;
        self.connect(now, effects);
        Ok(())
    }

    /// Somebody's signing key on this device, while their sign-in lasts.
    fn signing_key(&self, account: AccountId) -> Result<Option<SigningKey>, StoreError> {
        let seed: Option<ByteArray<32>> = self.store.meta(&key_name(account))?;
        Ok(seed.map(|seed| SigningKey::from_seed(&seed)))
    }

    /// What somebody wrote before and nobody could send without them bears their signature from now on, whoever signs in
    /// next: or two people's work in one record would wait for each other.
    fn sign_what_waits(&self, principal: &Principal, key: &SigningKey) -> Result<(), StoreError> {
        let current = key_id(&key.public());
        for entry in self.store.unvouched(principal.account, &current)? {
            let hash = ChangeHash::try_from(&entry.hash[..])
                .map_err(|_| StoreError::Corrupt("outbox hash".to_owned()))?;
            let signed = sign(key, principal.clinic, entry.document, &hash);
            self.store.set_signature(entry.seq, &signed)?;
        }
        Ok(())
    }

    /// A change signed in its author's name, if their key is here.
    pub(crate) fn sign_for(
        &self,
        author: AccountId,
        document: DocumentId,
        change: &ChangeHash,
    ) -> Result<Option<Signed>, StoreError> {
        let (Some(signed_in), Some(key)) = (&self.signed_in, self.signing_key(author)?) else {
            return Ok(None);
        };
        Ok(Some(sign(&key, signed_in.clinic(), document, change)))
    }

    /// Somebody's name, as far as this device knows it: the clinic's staff, else who has signed in here.
    pub(crate) fn person(&self, account: AccountId) -> Result<String, StoreError> {
        if let Some(member) = self.settings.staff_member(account)
            && !member.full_name.is_empty()
        {
            return Ok(member.full_name.clone());
        }
        if let Some(name) = self.store.meta::<String>(&format!("name {account}"))? {
            return Ok(name);
        }
        let last: Option<Principal> = self.store.meta("last_principal")?;
        let last = last.filter(|last| last.account == account);
        Ok(last.map(|last| last.name).unwrap_or_default())
    }

    pub(crate) fn trouble(&self) -> Option<StorageTrouble> {
        self.trouble
    }

    /// In the caller's transaction: each person's tokens are kept beside the others'.
    pub(crate) fn save_credentials(&self, credentials: &Credentials) -> Result<(), StoreError> {
        let names = credential_names(credentials.principal.account);
        self.store.set_meta(&names[0], &credentials.principal)?;
        self.store.set_meta(&names[1], &credentials.access_token)?;
        self.store.set_meta(&names[2], &credentials.access_expires)?;
        self.store.set_meta(&names[3], &credentials.refresh_token)
    }

    pub(crate) fn credentials(&self, account: AccountId) -> Result<Option<Credentials>, StoreError> {
        let names = credential_names(account);
        let Some(principal) = self.store.meta(&names[0])? else {
            return Ok(None);
        };
        Ok(Some(Credentials {
            principal,
            access_token: self.store.meta(&names[1])?.unwrap_or_default(),
            access_expires: self.store.meta(&names[2])?.unwrap_or(Timestamp(0)),
            refresh_token: self.store.meta(&names[3])?.unwrap_or_default(),
        }))
    }

    /// Forgets the tokens of whoever works here now. Their work stays, and so does what opens the device.
    pub(crate) fn sign_out(&mut self, effects: &mut Vec<Effect>) -> Result<(), StoreError> {
        if let Some(account) = self.principal().map(|principal| principal.account) {
            self.store
                .transaction(|| self.store.forget_credentials(account))?;
        }
        self.signed_in = None;
        self.sync.reset();
        self.cache.clear();
        effects.push(Effect::CloseSocket);
        effects.push(Effect::SignedIn(false));
        Ok(())
    }

    /// Somebody goes on whose tokens are in the store already, as after a colleague; nobody does if they are not. They do on
    /// a disk that takes nothing, too: what is written down last is only who that was.
    fn enter(
        &mut self,
        now: Timestamp,
        account: AccountId,
        effects: &mut Vec<Effect>,
    ) -> Result<(), StoreError> {
        self.signed_in = None;
        self.sync.reset();
        self.cache.clear();
        self.take_up(account)?;
        effects.push(Effect::SignedIn(self.signed_in.is_some()));
        self.tell_who_has_left(effects)?;
        if self.signed_in.is_some() {
            self.replay_deferred()?;
            self.load_clinic()?;
            self.connect(now, effects);
        }
        if self.store.meta::<AccountId>(CURRENT)? == Some(account) {
            return Ok(());
        }
        self.store.transaction(|| match self.principal() {
            Some(principal) => {
                self.store.set_meta(CURRENT, &account)?;
                self.store.set_meta("last_principal", principal)
            }
            None => self.store.clear_meta(CURRENT),
        })
    }

    /// Who was signed in when the program ended.
    fn restore(&mut self) -> Result<(), StoreError> {
        self.keep_credentials_apart()?;
        match self.store.meta::<AccountId>(CURRENT)? {
            Some(account) => self.take_up(account),
            None => Ok(()),
        }
    }

    fn take_up(&mut self, account: AccountId) -> Result<(), StoreError> {
        let Some(credentials) = self.credentials(account)? else {
            return Ok(());
        };
        let actor = self.store.meta::<ByteVec>(&format!("actor {account}"))?;
        let (Some(device), Some(actor)) = (self.store.meta("device")?, actor) else {
            return Ok(());
        };
        let key = self.signing_key(account)?;
        self.signed_in = Some(SignedIn {
            credentials,
            device,
            actor: ActorId::from(Vec::from(actor)),
            key,
        });
        self.renew_projections()?;
        self.sync.restore(&self.store)?;
        self.load_clinic()
    }

    /// Former builds kept the tokens of one person only, under names without anybody's number.
    fn keep_credentials_apart(&self) -> Result<(), StoreError> {
        const FORMER: [&str; 4] = ["principal", "access_token", "access_expires", "refresh_token"];
        let Some(principal) = self.store.meta::<Principal>(FORMER[0])? else {
            return Ok(());
        };
        let credentials = Credentials {
            principal,
            access_token: self.store.meta(FORMER[1])?.unwrap_or_default(),
            access_expires: self.store.meta(FORMER[2])?.unwrap_or(Timestamp(0)),
            refresh_token: self.store.meta(FORMER[3])?.unwrap_or_default(),
        };
        self.store.transaction(|| {
            self.store.set_meta(CURRENT, &credentials.principal.account)?;
            self.save_credentials(&credentials)?;
            for name in FORMER {
                self.store.clear_meta(name)?;
            }
            Ok(())
        })
    }

    /// Fills the projections anew if another build, or a migration, left them in another form.
    fn renew_projections(&mut self) -> Result<(), StoreError> {
        if self.store.meta::<u16>(PROJECTIONS)? == Some(PROJECTION_VERSION) {
            return Ok(());
        }
        self.rebuild()?;
        self.store.set_meta(PROJECTIONS, &PROJECTION_VERSION)
    }

    pub(crate) fn load_clinic(&mut self) -> Result<(), StoreError> {
        let Some(clinic) = self.signed_in.as_ref().map(SignedIn::clinic) else {
            return Ok(());
        };
        if let Some(document) = open(&self.store, &self.cache, clinic, clinic.profile())? {
            self.profile = ClinicProfile::read(&document).0;
            self.zone = self.profile.zone();
        }
        if let Some(document) = open(&self.store, &self.cache, clinic, clinic.settings())? {
            self.settings = ClinicSettings::read(&document).0;
        }
        Ok(())
    }

    fn reading(&self, now: Timestamp) -> Reading<'_> {
        Reading {
            store: &self.store,
            principal: self.principal(),
            profile: &self.profile,
            settings: &self.settings,
            zone: self.zone.clone(),
            now,
            sync: &self.sync,
            trouble: self.trouble,
            cache: &self.cache,
            core: self,
        }
    }

    /// Computes again what rests on `touched`, and tells the screens whose view became another.
    fn refresh(
        &mut self,
        now: Timestamp,
        touched: &Touched,
        effects: &mut Vec<Effect>,
    ) -> Result<(), StoreError> {
        let due: Vec<u64> = self
            .watches
            .iter()
            .filter(|(_, watched)| watched.query.rests_on(touched))
            .map(|(watch, _)| *watch)
            .collect();
        for watch in due {
            self.show(now, watch, effects)?;
        }
        Ok(())
    }

    fn show(&mut self, now: Timestamp, watch: u64, effects: &mut Vec<Effect>) -> Result<(), StoreError> {
        let Some(watched) = self.watches.get(&watch) else {
            return Ok(());
        };
        let view = watched.query.view(&self.reading(now))?;
        if let Some(watched) = self.watches.get_mut(&watch)
            && watched.shown.as_ref() != Some(&view)
        {
            watched.shown = Some(view.clone());
            effects.push(Effect::View { watch, view });
        }
        Ok(())
    }

    fn show_trouble_only(&mut self, effects: &mut Vec<Effect>) {
        let status = self.sync.status_without_store(self.trouble);
        for (watch, watched) in self
            .watches
            .iter()
            .filter(|(_, watched)| watched.query == Query::Status)
        {
            debug_assert!(matches!(watched.query, Query::Status));
            effects.push(Effect::View {
                watch: *watch,
                view: View::Status(status.clone()),
            });
        }
    }

    /// Computes the views that show the time again, as the now line and "late" move on without any change.
    pub(crate) fn refresh_clock_views(
        &mut self,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) -> Result<(), StoreError> {
        let due: Vec<u64> = self
            .watches
            .iter()
            .filter(|(_, watched)| matches!(watched.query, Query::Day(_) | Query::MyPets))
            .map(|(watch, _)| *watch)
            .collect();
        for watch in due {
            self.show(now, watch, effects)?;
        }
        Ok(())
    }

    /// Deletes all projections and derives them from the documents again; gives how many documents there were.
    pub fn rebuild(&mut self) -> Result<u64, StoreError> {
        let Some(clinic) = self.signed_in.as_ref().map(SignedIn::clinic) else {
            return Ok(0);
        };
        let (count, damaged) = self.store.transaction(|| self.store.rebuild(clinic))?;
        self.cache.damaged.borrow_mut().extend(damaged);
        Ok(count)
    }
}

impl Store {
    /// What proves to the server who somebody is goes, and their signing key. In the caller's transaction.
    pub(crate) fn forget_credentials(&self, account: AccountId) -> Result<(), StoreError> {
        for name in credential_names(account) {
            self.clear_meta(&name)?;
        }
        self.clear_meta(&key_name(account))?;
        if self.meta::<AccountId>(CURRENT)? == Some(account) {
            self.clear_meta(CURRENT)?;
        }
        Ok(())
    }

    /// Who has tokens here: they are signed in on this device, whoever works on it now.
    pub(crate) fn signed_in_here(&self) -> Result<Vec<AccountId>, StoreError> {
        let mut statement = self
            .sql
            .prepare_cached("SELECT value FROM meta WHERE name LIKE 'principal %'")?;
        let mut rows = statement.query([])?;
        let mut accounts = Vec::new();
        while let Some(row) = rows.next()? {
            let principal: Principal = minicbor::decode(row.get_ref(0)?.as_blob()?)
                .map_err(|_| StoreError::Corrupt("a principal".to_owned()))?;
            accounts.push(principal.account);
        }
        Ok(accounts)
    }
}

impl Core {
    /// This device's id, once somebody has signed in here.
    pub fn device(&self) -> Result<Option<DeviceId>, StoreError> {
        self.store.meta("device")
    }

    /// Whether somebody signing in would find the records of another clinic or audience here, which have to go first.
    pub fn is_of_others(&self, principal: &Principal) -> Result<bool, StoreError> {
        let before: Option<Principal> = self.store.meta("last_principal")?;
        Ok(before
            .is_some_and(|before| before.clinic != principal.clinic || before.feeds() != principal.feeds()))
    }

    /// What signing out tells the server.
    pub fn refresh_token(&self) -> Option<&str> {
        self.signed_in
            .as_ref()
            .map(|signed_in| signed_in.credentials.refresh_token.as_str())
    }

    /// What proves to the server who asks; `None` once it is about to end, and has to be renewed first.
    pub fn access_token(&self, now: Timestamp) -> Option<&str> {
        let credentials = &self.signed_in.as_ref()?.credentials;
        credentials
            .is_fresh(now)
            .then_some(credentials.access_token.as_str())
    }

    /// Where synchronisation stands: connection, changes of the person signed in that wait, and the number reached in
    /// each feed. Without anybody signed in, everybody's changes.
    pub fn standing(&self) -> (crate::query::Connection, u64, Vec<(permissions::Feed, u64)>) {
        let me = self.principal().map(|principal| principal.account);
        let waiting = self.store.outbox_counts().map_or(u64::MAX, |counts| {
            let own = counts
                .iter()
                .filter(|(account, _)| me.is_none_or(|me| me == *account));
            own.map(|(_, counts)| counts.waiting).sum()
        });
        (self.sync.connection(), waiting, self.sync.feed_numbers())
    }
}
