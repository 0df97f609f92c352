//! Connecting, greeting, staying alive, and what to do when it ends.

use super::Phase;
use crate::core::Core;
use crate::effect::Effect;
use crate::event::Credentials;
use crate::query::Touched;
use crate::store::StoreError;
use minicbor::bytes::ByteVec;
use shared_model::SCHEMA_VERSION;
use shared_model::authorship::key_id;
use shared_model::protocol::{
    self, ClientMessage, Goodbye, HEARTBEAT_MS, Hello, PROTOCOL_VERSION, ServerMessage,
};
use shared_model::time::Timestamp;

/// First wait after a lost connection; it doubles up to `MAX_WAIT_MS`, each time spread by the dice.
const FIRST_WAIT_MS: i64 = 500;
const MAX_WAIT_MS: i64 = 30_000;
/// An attempt that has not led to a welcome by then is given up.
const ATTEMPT_MS: i64 = 20_000;
/// How often views that show the time are computed again.
const CLOCK_VIEWS_MS: i64 = 30_000;

impl Core {
    pub(crate) fn connect(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        if self
            .principal()
            .is_some_and(|principal| principal.feeds().is_empty())
        {
            // The server has nothing to send to them, and would send them away.
            self.sync.phase = Phase::NoFeeds;
            return;
        }
        if self
            .signed_in
            .as_ref()
            .is_some_and(|signed_in| signed_in.key.is_none())
        {
            // The server takes no work that nobody has signed; it goes on here, and signing in makes a key.
            self.sync.phase = Phase::Stopped(Goodbye::SignIn);
            return;
        }
        self.sync.phase = Phase::Opening;
        self.sync.asked_at = Some(now);
        effects.push(Effect::OpenSocket);
        self.wake(now, effects);
    }

    /// A hint that the network is back cuts the waiting short.
    pub(crate) fn connect_now(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        if matches!(self.sync.phase, Phase::Waiting(_)) {
            self.connect(now, effects);
        }
    }

    pub(crate) fn socket_opened(
        &mut self,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) -> Result<(), StoreError> {
        let Some(signed_in) = &self.signed_in else {
            return Ok(());
        };
        if !signed_in.credentials.is_fresh(now) {
            self.sync.phase = Phase::Renewing;
            effects.push(renew(signed_in));
        } else {
            self.hello(effects);
        }
        Ok(())
    }

    fn hello(&mut self, effects: &mut Vec<Effect>) {
        let Some(signed_in) = &self.signed_in else { return };
        let Some(key) = &signed_in.key else { return };
        self.sync.phase = Phase::Greeting;
        let hello = ClientMessage::Hello(Hello {
            protocol: PROTOCOL_VERSION,
            schema_version: SCHEMA_VERSION,
            token: signed_in.credentials.access_token.clone(),
            device: signed_in.device,
            actor: ByteVec::from(signed_in.actor.to_bytes().to_vec()),
            cursors: self.sync.cursors.values().cloned().collect(),
            signing_key: key.public().into(),
        });
        effects.push(Effect::Send(protocol::encode(&hello)));
    }

    pub(crate) fn session_renewed(
        &mut self,
        now: Timestamp,
        credentials: Option<Credentials>,
        effects: &mut Vec<Effect>,
    ) -> Result<(), StoreError> {
        // Somebody else works here by now: their colleague finds the fresh tokens when they come back, unless they have
        // signed out meanwhile, or in at another clinic.
        if let (Some(given), Some(current)) = (&credentials, self.principal())
            && given.principal.account != current.account
        {
            let kept = self.credentials(given.principal.account)?;
            return match kept {
                Some(kept) if kept.principal.clinic == given.principal.clinic => {
                    self.store.transaction(|| self.save_credentials(given))
                }
                _ => Ok(()),
            };
        }
        self.sync.renewing_in_session = false;
        // Whoever it was asked for may have signed out meanwhile, and somebody else in.
        let who = |credentials: &Credentials| (credentials.principal.account, credentials.principal.clinic);
        let here = self
            .signed_in
            .as_ref()
            .map(|signed_in| who(&signed_in.credentials));
        if here.is_none() || credentials.as_ref().is_some_and(|given| Some(who(given)) != here) {
            return Ok(());
        }
        match credentials {
            Some(credentials) => {
                self.forget_what_they_may_not_read(&credentials.principal)?;
                self.store.transaction(|| {
                    self.store.set_meta("last_principal", &credentials.principal)?;
                    self.save_credentials(&credentials)
                })?;
                let token = credentials.access_token.clone();
                if let Some(signed_in) = &mut self.signed_in {
                    signed_in.credentials = credentials;
                }
                self.sync.handing_in.begin_anew();
                match self.sync.phase {
                    Phase::Live => {
                        effects.push(Effect::Send(protocol::encode(&ClientMessage::Renew(token))));
                        self.wake(now, effects);
                    }
                    Phase::Renewing => self.hello(effects),
                    Phase::Stopped(Goodbye::SignIn) | Phase::NoFeeds => self.connect(now, effects),
                    _ => {}
                }
            }
            // The server could not be asked: the attempt has failed like any other.
            None if self.sync.phase == Phase::Renewing => effects.push(Effect::CloseSocket),
            None => {}
        }
        Ok(())
    }

    /// The refresh token is no good any more. The records and the outbox stay; the person signs in again, unless the clinic
    /// says that they have left it.
    pub(crate) fn session_refused(
        &mut self,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) -> Result<(), StoreError> {
        if self.signed_in.is_none() {
            return Ok(());
        }
        self.sync.phase = Phase::Stopped(Goodbye::SignIn);
        effects.push(Effect::CloseSocket);
        self.may_have_left(now, effects)
    }

    pub(crate) fn socket_closed(
        &mut self,
        now: Timestamp,
        dice: u32,
        effects: &mut Vec<Effect>,
    ) -> Result<(), StoreError> {
        if matches!(self.sync.phase, Phase::Off | Phase::NoFeeds | Phase::Stopped(_)) {
            return Ok(());
        }
        if matches!(self.sync.phase, Phase::Live) || self.sync.lost_at.is_none() {
            self.sync.lost_at = Some(now);
        }
        let ceiling = MAX_WAIT_MS.min(FIRST_WAIT_MS << self.sync.attempts.min(10));
        // Between half of the ceiling and all of it.
        let wait = ceiling / 2 + i64::from(dice) % (ceiling / 2 + 1);
        self.sync.attempts = self.sync.attempts.saturating_add(1);
        self.sync.in_flight.clear();
        self.sync.phase = Phase::Waiting(Timestamp(now.0 + wait));
        self.wake(now, effects);
        // What is on the screen is as old as this from now on, after a restart too.
        if let Some(as_of) = self.sync.as_of {
            self.store
                .replayable_transaction(|| self.store.set_meta("as_of", &as_of))?;
        }
        Ok(())
    }

    /// Writes down, in the caller's transaction, that everything has arrived by now, if it has.
    pub(super) fn note_as_of(&self, now: Timestamp) -> Result<(), StoreError> {
        if self.sync.is_current() {
            self.store.set_meta("as_of", &now)?;
        }
        Ok(())
    }

    pub(crate) fn tick(&mut self, now: Timestamp, effects: &mut Vec<Effect>) -> Result<bool, StoreError> {
        let mut changed = false;
        match self.sync.phase {
            // A wait that is longer than any means that the clock has gone back since.
            Phase::Waiting(until) if now >= until || until.0 - now.0 > MAX_WAIT_MS => {
                self.connect(now, effects);
                changed = true;
            }
            Phase::Opening | Phase::Renewing | Phase::Greeting | Phase::Closing
                if self
                    .sync
                    .asked_at
                    .is_some_and(|asked| !(0..ATTEMPT_MS).contains(&(now.0 - asked.0))) =>
            {
                // The host answers with `SocketClosed`, which plans the next attempt.
                self.sync.asked_at = Some(now);
                effects.push(Effect::CloseSocket);
            }
            Phase::Live => {
                // Heard in the future: the clock has gone back, and the silence is counted from here.
                self.sync.last_heard = self.sync.last_heard.map(|at| at.min(now));
                let silent = now.0 - self.sync.last_heard.map_or(now.0, |at| at.0);
                if silent >= 3 * HEARTBEAT_MS {
                    effects.push(Effect::CloseSocket);
                } else if silent >= HEARTBEAT_MS {
                    effects.push(Effect::Send(protocol::encode(&ClientMessage::Ping)));
                }
                if let Some(signed_in) = &self.signed_in
                    && !signed_in.credentials.is_fresh(now)
                    && !self.sync.renewing_in_session
                {
                    effects.push(renew(signed_in));
                    self.sync.renewing_in_session = true;
                }
            }
            _ => {}
        }
        let clock_views_due = |at: Timestamp| now >= at || at.0 - now.0 > CLOCK_VIEWS_MS;
        if self.sync.clock_views_at.is_none_or(clock_views_due) {
            self.sync.clock_views_at = Some(Timestamp(now.0 + CLOCK_VIEWS_MS));
            self.refresh_clock_views(now, effects)?;
        }
        self.hand_in_when_due(now, effects)?;
        self.wake(now, effects);
        Ok(changed)
    }

    pub(crate) fn wake(&self, now: Timestamp, effects: &mut Vec<Effect>) {
        let clock = self.sync.clock_views_at.map_or(now.0 + CLOCK_VIEWS_MS, |at| at.0);
        let session = match self.sync.phase {
            Phase::Off | Phase::NoFeeds | Phase::Stopped(_) => i64::MAX,
            Phase::Waiting(until) => until.0,
            Phase::Opening | Phase::Renewing | Phase::Greeting | Phase::Closing => now.0 + ATTEMPT_MS,
            Phase::Live => now.0 + HEARTBEAT_MS,
        };
        // Never later than anything takes: the clock may have gone back since these moments were set.
        let at = session.min(clock).clamp(now.0 + 1, now.0 + MAX_WAIT_MS);
        effects.push(Effect::WakeAt(Timestamp(at)));
    }

    /// What came cannot be read. Nothing of it is kept, nothing that comes behind it is looked at, and connecting
    /// again fetches it anew.
    pub(super) fn unreadable(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        self.sync.unreadable = self.sync.unreadable.saturating_add(1);
        self.sync.phase = Phase::Closing;
        self.sync.lost_at = Some(now);
        self.sync.asked_at = Some(now);
        effects.push(Effect::CloseSocket);
    }

    /// What came could not be stored. Going on would leave a gap behind the pages that follow; the next session begins
    /// where the store stands.
    pub(crate) fn not_stored(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        if matches!(
            self.sync.phase,
            Phase::Off | Phase::NoFeeds | Phase::Stopped(_) | Phase::Closing
        ) {
            return;
        }
        self.sync.not_stored = self.sync.not_stored.saturating_add(1);
        self.sync.phase = Phase::Closing;
        self.sync.lost_at = Some(now);
        self.sync.asked_at = Some(now);
        effects.push(Effect::CloseSocket);
    }

    /// Asks once a session for the documents that are not whole here.
    pub(crate) fn ask_for_documents(&mut self, effects: &mut Vec<Effect>) {
        if self.sync.phase != Phase::Live {
            return;
        }
        let damaged = self.cache.damaged();
        for document in self.sync.wanted.union(&damaged) {
            if self.sync.asked.insert(*document) {
                effects.push(Effect::Send(protocol::encode(&ClientMessage::Want(*document))));
            }
        }
    }

    /// One frame from the server.
    pub(crate) fn frame(
        &mut self,
        now: Timestamp,
        frame: &[u8],
        effects: &mut Vec<Effect>,
    ) -> Result<Touched, StoreError> {
        let status = Touched {
            status: true,
            ..Touched::default()
        };
        if self.sync.phase == Phase::Closing {
            return Ok(status);
        }
        let Ok(message) = protocol::decode::<ServerMessage>(frame) else {
            self.unreadable(now, effects);
            return Ok(status);
        };
        self.sync.last_heard = Some(now);
        let touched = self.message(now, message, effects)?;
        if self.sync.is_current() {
            self.sync.as_of = Some(now);
        }
        Ok(touched)
    }

    fn message(
        &mut self,
        now: Timestamp,
        message: ServerMessage,
        effects: &mut Vec<Effect>,
    ) -> Result<Touched, StoreError> {
        let status = Touched {
            status: true,
            ..Touched::default()
        };
        match message {
            ServerMessage::Welcome(welcome) => {
                self.forget_what_they_may_not_read(&welcome.principal)?;
                let Some(signed_in) = &mut self.signed_in else {
                    return Ok(status);
                };
                let principal_changed = signed_in.credentials.principal != welcome.principal;
                if principal_changed {
                    signed_in.credentials.principal = welcome.principal.clone();
                    let credentials = signed_in.credentials.clone();
                    self.store.transaction(|| {
                        self.save_credentials(&credentials)?;
                        self.store.set_meta("last_principal", &welcome.principal)
                    })?;
                }
                self.sync.clock_off_by = welcome.server_time.0 - now.0;
                self.sync.phase = Phase::Live;
                self.sync.heads = welcome.heads;
                // What could not be read or stored may be no better now: then the waits go on growing.
                self.sync.attempts = self.sync.unreadable.max(self.sync.not_stored);
                self.sync.asked.clear();
                self.sync.lost_at = None;
                self.sync.next_push = 0;
                self.sync.in_flight.clear();
                self.sync.sent = 0;
                let signed_in = self.signed_in.as_ref();
                let key = signed_in.and_then(|signed_in| Some(signed_in.key.as_ref()?.public()));
                self.store.replayable_transaction(|| {
                    self.store.set_meta("last_heard", &now)?;
                    if let Some(key) = &key {
                        self.store.key_is_known(&key_id(key))?;
                    }
                    self.note_as_of(now)
                })?;
                self.push(effects)?;
                self.sync.handing_in.bring_again();
                self.hand_in(now, effects)?;
                self.wake(now, effects);
                Ok(Touched {
                    all: principal_changed,
                    ..status
                })
            }
            ServerMessage::Goodbye(why) => {
                match why {
                    Goodbye::Later | Goodbye::TooSlow => {}
                    // Whatever this device's clock says: the next attempt begins with fresh tokens, and if there are none,
                    // the person has to sign in.
                    Goodbye::SignIn => {
                        if let Some(signed_in) = &mut self.signed_in {
                            signed_in.credentials.access_expires = Timestamp(0);
                        }
                    }
                    // A copy of this store has been taken for another device: it needs a name of its own.
                    Goodbye::ForeignActor => self.disown_actor()?,
                    Goodbye::Purge => {
                        self.purge(effects)?;
                        return Ok(Touched { all: true, ..status });
                    }
                    why => self.sync.phase = Phase::Stopped(why),
                }
                effects.push(Effect::CloseSocket);
                Ok(status)
            }
            ServerMessage::Page(page) => self.apply_page(now, page, effects),
            ServerMessage::Snapshot(entry) => self.apply_entry(now, entry, effects),
            ServerMessage::Accepted(accepted) => self.accepted(now, &accepted, effects),
            ServerMessage::Pong(server_time) => {
                self.sync.clock_off_by = server_time.0 - now.0;
                Ok(status)
            }
        }
    }
}

fn renew(signed_in: &crate::core::SignedIn) -> Effect {
    Effect::RenewSession {
        refresh_token: signed_in.credentials.refresh_token.clone(),
        device: signed_in.device,
    }
}
