//! Coming in: signing in at the server, and unlocking without it.
//!
//! Invariant: whoever comes in can unlock the device from then on, and nobody else was let in on the way.

use super::leaving::Ends;
use super::{Io, Purpose, Runner};
use crate::host::auto_lock::AutoLock;
use crate::host::calls::{self, Response};
use crate::host::change_way_in::finishing;
use crate::host::vault::{Files, Found};
use crate::host::{
    CallTrouble, Entrance, FromCore, Handover, PinRefused, Secret, SignInTrouble, UnlockTrouble,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use local_core::unlock::{DataKey, DeviceKey, Outcome, Pin, Way};
use local_core::{Core, Credentials, Event, KeySeed, StoreError};
use serde::Deserialize;
use shared_model::accounts::{AcceptInvitation, ChooseClinic, SignIn, codes};
use shared_model::ids::AccountId;
use shared_model::permissions::Principal;
use shared_model::second_factor::EnterWithPasskey;
use shared_model::time::Timestamp;
use shared_model::ways_in::{self, FinishOpenId, LinkWith};
use zeroize::{Zeroize, Zeroizing};

/// So long after unlocking or signing in somebody is still who they were: a PIN is set without asking once more.
const PROVEN_MS: i64 = 5 * 60_000;

/// What of the server's answer to signing in and to renewing concerns the device.
#[derive(Deserialize)]
struct Session {
    access_token: String,
    expires_at: Timestamp,
    refresh_token: String,
    principal: Principal,
    /// Empty from a server that keeps no keys of devices.
    #[serde(default)]
    device_key: Secret,
}

pub(super) fn read(body: &str) -> Option<(Credentials, Option<DeviceKey>)> {
    let session: Session = calls::read(body)?;
    let mut bytes = Zeroizing::new([0; 32]);
    let decoded = URL_SAFE_NO_PAD.decode_slice(session.device_key.text(), &mut bytes[..]);
    let device_key = (decoded == Ok(bytes.len())).then(|| DeviceKey::new(*bytes));
    let credentials = Credentials {
        principal: session.principal,
        access_token: session.access_token,
        access_expires: session.expires_at,
        refresh_token: session.refresh_token,
    };
    Some((credentials, device_key))
}

/// What the server wants to know before it lets somebody in.
fn question(response: &Response) -> Option<SignInTrouble> {
    match response.code()?.as_str() {
        codes::CHOOSE_CLINIC => {
            let choose: ChooseClinic = calls::read(&response.body)?;
            Some(SignInTrouble::ChooseClinic(choose.memberships))
        }
        ways_in::codes::NOT_LINKED => Some(SignInTrouble::NotLinked(calls::read(&response.body)?)),
        _ => None,
    }
}

/// Somebody of whom the server says that they are of the clinic.
struct Newcomer {
    credentials: Credentials,
    /// What they signed in with, if this device has asked for it.
    password: Option<Secret>,
    device_key: Option<DeviceKey>,
}

impl<F: Files, I: Io> Runner<F, I> {
    pub(super) fn sign_in(&mut self, entrance: Entrance) {
        self.sign_ins += 1;
        let purpose = Purpose::SignIn(self.sign_ins);
        let (device, device_name) = (self.device, self.io.device_name());
        match entrance {
            Entrance::Password {
                email,
                password,
                clinic,
            } => {
                let mut body = SignIn {
                    email,
                    password: password.text().to_owned(),
                    device,
                    device_name,
                    clinic,
                };
                self.post(purpose, "/sign-in", &body);
                body.password.zeroize();
                self.password = Some(password);
            }
            Entrance::Invitation {
                token,
                full_name,
                password,
            } => {
                let mut body = AcceptInvitation {
                    token: token.text().to_owned(),
                    full_name,
                    password: password.text().to_owned(),
                    device,
                    device_name,
                };
                self.post(purpose, "/invitations/accept", &body);
                body.token.zeroize();
                body.password.zeroize();
                self.password = Some(password);
            }
            Entrance::Provider {
                code,
                verifier,
                clinic,
                full_name,
                email,
                password,
            } => {
                let link_with = password.as_ref().map(|password| LinkWith {
                    email: email.unwrap_or_default(),
                    password: password.text().to_owned(),
                });
                let mut body = FinishOpenId {
                    code: code.text().to_owned(),
                    verifier: verifier.text().to_owned(),
                    device,
                    device_name,
                    clinic,
                    full_name,
                    link_with,
                };
                self.post(purpose, "/openid/finish", &body);
                body.code.zeroize();
                body.verifier.zeroize();
                if let Some(link_with) = &mut body.link_with {
                    link_with.password.zeroize();
                }
                self.password = password;
            }
            Entrance::Second {
                step,
                shown,
                password,
            } => {
                self.post_body(purpose, "/sign-in/second", finishing(&step, &shown));
                self.password = password;
            }
            Entrance::Passkey {
                offer,
                credential,
                clinic,
            } => {
                let mut body = EnterWithPasskey {
                    offer: offer.text().to_owned(),
                    credential: credential.text().to_owned(),
                    device,
                    device_name,
                    clinic,
                };
                self.post(purpose, "/passkeys/finish", &body);
                body.offer.zeroize();
                body.credential.zeroize();
                self.password = None;
            }
        }
    }

    pub(super) fn sign_in_answered(&mut self, number: u64, response: Option<Response>) {
        // Of two windows that sign in at once, one has another's password to show.
        let password = self.password.take_if(|_| number == self.sign_ins);
        let trouble = match (response.as_ref().and_then(question), calls::outcome(response)) {
            (Some(question), _) => question,
            (None, Err(why)) => {
                if why == CallTrouble::DeviceLost {
                    self.is_lost();
                }
                SignInTrouble::Refused(why)
            }
            (None, Ok(body)) => match read(&body) {
                Some((credentials, _)) if self.has_been_overtaken(number, &credentials) => {
                    // Nobody has what the server gave.
                    self.unanswered += 1;
                    self.post_token(Purpose::SignOut, "/sign-out", credentials.refresh_token);
                    SignInTrouble::Overtaken
                }
                Some((credentials, device_key)) => {
                    let newcomer = Newcomer {
                        credentials,
                        password,
                        device_key,
                    };
                    // The core says what came of it, unless the records cannot be opened.
                    let Err(trouble) = self.enter(&newcomer) else {
                        return;
                    };
                    trouble
                }
                None => SignInTrouble::Refused(CallTrouble::Odd),
            },
        };
        self.io.to_views(vec![FromCore::SignIn(Err(trouble))]);
    }

    /// Whether the device was locked or unlocked since they began to sign in, and it is not they who work here now.
    fn has_been_overtaken(&self, number: u64, credentials: &Credentials) -> bool {
        number < self.signs_in_from && self.account() != Some(credentials.principal.account)
    }

    /// The one way in for whoever the server has let in: they can unlock the device from now on.
    fn enter(&mut self, newcomer: &Newcomer) -> Result<(), SignInTrouble> {
        let was_locked = self.core.is_none();
        let entered = self.try_to_enter(newcomer, was_locked);
        if entered.is_err() && was_locked {
            drop(self.close());
            self.key = None;
        }
        if entered.is_err() && self.core.is_none() {
            self.show_how_it_stands();
        }
        entered
    }

    fn try_to_enter(&mut self, newcomer: &Newcomer, was_locked: bool) -> Result<(), SignInTrouble> {
        let principal = &newcomer.credentials.principal;
        let mut is_new = was_locked;
        if was_locked {
            match self.vault.found()? {
                Found::Sealed => {
                    let key = self.key_for(newcomer)?;
                    self.core = Some(self.vault.records(&key)?);
                    self.key = Some(key);
                }
                // Sealing them has failed before.
                Found::Former => self.core = Some(self.vault.former()?),
                Found::Nothing => {}
            }
        }
        let others = self.is_of_others(principal)?;
        let nothing_waits = match &self.core {
            Some(core) => core.store().outbox_counts()?.is_empty(),
            None => true,
        };
        match &self.key {
            Some(key) if !others => self.admit(newcomer, key)?,
            // Another clinic's records, or another audience's, make room for new ones under a new key: whoever could
            // open those has no business here.
            Some(_) if nothing_waits => {
                drop(self.close());
                self.key = None;
                self.vault.begin_anew()?;
                self.auto_lock = AutoLock::new(self.vault.keyring.lock_after()?, self.io.now());
            }
            // The core refuses.
            Some(_) => {}
            None => {}
        }
        if self.core.is_none() {
            // Whoever was admitted on the way to records that were never made cannot open these.
            self.vault.begin_anew()?;
            let key = DataKey::mint(|bytes| self.io.random(bytes));
            // Who can open them comes before there is anything to open.
            self.admit(newcomer, &key)?;
            self.vault.keyring.set_sealed()?;
            self.core = Some(self.vault.records(&key)?);
            self.key = Some(key);
            is_new = true;
        }
        let now = self.io.now();
        self.auto_lock.touched(now);
        let before = self.account();
        self.event(Event::SignedIn {
            credentials: newcomer.credentials.clone(),
            device: self.device,
            fresh_actor: self.random(),
            fresh_key: KeySeed(self.random()),
        });
        let is_in = self.account() == Some(principal.account)
            && self.core.as_ref().and_then(Core::refresh_token) == Some(&newcomer.credentials.refresh_token);
        if !is_in || self.is_of_others(principal)? {
            // The core has said why.
            if was_locked {
                self.ends = Ends::Refused;
                self.lock();
            }
            return Ok(());
        }
        self.session_begins(principal.account);
        if before.is_some_and(|before| before != principal.account) {
            self.end_calls();
        }
        self.proven_at = Some(now);
        self.go_on_with_calls(None);
        if self.key.is_none() {
            self.seal_former(newcomer)?;
        } else if is_new {
            self.watch_again();
        }
        Ok(self.opened()?)
    }

    fn is_of_others(&self, principal: &Principal) -> Result<bool, StoreError> {
        self.core
            .as_ref()
            .map_or(Ok(false), |core| core.is_of_others(principal))
    }

    /// Opens with what the server gave, else with the password that it took.
    fn key_for(&self, newcomer: &Newcomer) -> Result<DataKey, SignInTrouble> {
        let keyring = &self.vault.keyring;
        if let Some(device_key) = &newcomer.device_key
            && let Some(key) = keyring.open_by_device_key(device_key)?
        {
            return Ok(key);
        }
        let account = newcomer.credentials.principal.account;
        if let Some(password) = &newcomer.password
            && let Some(key) = keyring.open_by_password(account, password.text())?
        {
            return Ok(key);
        }
        let waiting = keyring.waiting()?;
        Err(SignInTrouble::Sealed { waiting })
    }

    /// From now on this person can unlock the device, with what the server has just taken or given.
    fn admit(&self, newcomer: &Newcomer, key: &DataKey) -> Result<(), StoreError> {
        let keyring = &self.vault.keyring;
        let principal = &newcomer.credentials.principal;
        keyring.remember(principal.account, &principal.name, self.io.now())?;
        if let Some(device_key) = &newcomer.device_key {
            keyring.set_device_key(device_key, key, self.random())?;
        }
        match &newcomer.password {
            Some(password) => keyring.set_password(principal.account, password.text(), key, self.fresh()),
            None => Ok(()),
        }
    }

    /// The records of a former build are encrypted now that there is somebody who can open them again. Where that fails
    /// they stay as they were, and the next sign-in tries once more.
    fn seal_former(&mut self, newcomer: &Newcomer) -> Result<(), StoreError> {
        let key = DataKey::mint(|bytes| self.io.random(bytes));
        self.admit(newcomer, &key)?;
        drop(self.close());
        let sealed = self
            .vault
            .seal_former(&key)
            .and_then(|()| self.vault.records(&key));
        match sealed {
            Ok(core) => {
                self.core = Some(core);
                self.key = Some(key);
            }
            Err(_) if !self.vault.keyring.is_sealed()? => {
                self.vault.begin_anew()?;
                self.core = Some(self.vault.former()?);
            }
            // They are locked, and whoever was admitted opens them.
            Err(error) => return Err(error),
        }
        self.event(Event::Started);
        self.watch_again();
        Ok(())
    }

    pub(super) fn unlock(&mut self, account: AccountId, way: Way, secret: &Secret) {
        if self.core.is_some() {
            // Another window was faster.
            return self.io.to_views(vec![FromCore::Unlock(Ok(()))]);
        }
        let now = self.io.now();
        let outcome = match self.vault.keyring.try_unlock(now, account, way, secret.text()) {
            Err(error) => Err(UnlockTrouble::Storage((&error).into())),
            Ok(Outcome::Wrong { left, next }) => Err(UnlockTrouble::Wrong { left, next }),
            Ok(Outcome::Wait(until)) => Err(UnlockTrouble::Wait(until)),
            Ok(Outcome::Gone) => Err(UnlockTrouble::Gone),
            Ok(Outcome::Opened(key)) => {
                let opened = self.open(key, account).and_then(|()| self.opened());
                match opened {
                    Err(error) => {
                        drop(self.close());
                        self.key = None;
                        Err(UnlockTrouble::Storage((&error).into()))
                    }
                    // They have left, and the records have only now said so.
                    Ok(()) if self.core.is_none() => Err(UnlockTrouble::Gone),
                    Ok(()) => Ok(()),
                }
            }
        };
        let failed = outcome.is_err();
        if !failed {
            self.proven_at = Some(now);
        }
        self.io.to_views(vec![FromCore::Unlock(outcome)]);
        if failed {
            self.show_door();
        }
    }

    /// What is before whoever is not in: the lock, or signing in where there is nothing to open.
    fn show_door(&self) {
        match self.vault.keyring.is_sealed() {
            Ok(false) => self.io.to_views(vec![FromCore::SignedIn(false)]),
            Ok(true) | Err(_) => self.show_lock(false),
        }
    }

    /// A window goes on that was open at the last unlocking, because the one that had the records is gone.
    pub(super) fn resume(&mut self, handover: Handover) {
        if self.core.is_some() {
            return;
        }
        let Handover { key, account, pass } = handover.clone();
        let resumed = match self.vault.keyring.still_holds(&pass) {
            // Nothing has to be written down for it, which a disk that is full would refuse.
            Ok(true) => self.open(key, account).is_ok() && self.core.is_some(),
            _ => false,
        };
        if resumed {
            self.io.to_views(vec![FromCore::Handover(handover)]);
        } else {
            drop(self.close());
            self.key = None;
            self.io.to_views(vec![FromCore::HandoverEnds]);
            self.show_door();
        }
    }

    /// Somebody looks at a window again that was away for long: it shows the records again if it has not become time to
    /// lock them.
    pub(super) fn returned(&mut self) {
        if self.account().is_some() && !self.auto_lock.is_locking() {
            self.io.to_views(vec![FromCore::SignedIn(true)]);
            self.event(Event::NetworkHint);
        }
    }

    fn open(&mut self, key: DataKey, account: AccountId) -> Result<(), StoreError> {
        self.core = Some(self.vault.records(&key)?);
        self.key = Some(key);
        self.overtake_sign_ins();
        self.auto_lock.touched(self.io.now());
        self.event(Event::Entered(account));
        self.watch_again();
        self.wake_at(self.io.now().plus_minutes(1));
        Ok(())
    }

    /// Whoever is being let in by the server meanwhile did not mean this session.
    pub(super) fn overtake_sign_ins(&mut self) {
        self.signs_in_from = self.sign_ins + 1;
        self.password = None;
    }

    /// The records are open: windows may hand them over among themselves until somebody locks.
    fn opened(&mut self) -> Result<(), StoreError> {
        let principal = self.core.as_ref().and_then(Core::principal);
        if let (Some(key), Some(principal)) = (&self.key, principal) {
            let (account, pass) = (principal.account, self.random());
            self.vault
                .keyring
                .remember(account, &principal.name, self.io.now())?;
            self.vault.keyring.note_opened(&pass)?;
            self.io.to_views(vec![FromCore::Left(None)]);
            if self.io.hands_over() {
                let key = key.clone();
                let handover = Handover { key, account, pass };
                self.io.to_views(vec![FromCore::Handover(handover)]);
            }
        }
        self.tell_protection();
        self.wake_at(self.io.now().plus_minutes(1));
        Ok(())
    }

    pub(super) fn watch_again(&mut self) {
        for (watch, query) in self.watches.clone() {
            self.event(Event::Watch { watch, query });
        }
    }

    pub(super) fn set_pin(&mut self, pin: &Secret, password: &Secret) -> Result<(), PinRefused> {
        let (Some(key), Some(account)) = (self.key.clone(), self.account()) else {
            return Err(PinRefused::NotProven);
        };
        let pin = Pin::parse(pin.text()).map_err(PinRefused::Pin)?;
        let now = self.io.now();
        let keyring = &self.vault.keyring;
        if self
            .proven_at
            .is_none_or(|at| !(0..PROVEN_MS).contains(&(now.0 - at.0)))
        {
            if password.is_empty() {
                return Err(PinRefused::NotProven);
            }
            match keyring.try_unlock(now, account, Way::Password, password.text())? {
                Outcome::Opened(_) => self.proven_at = Some(now),
                Outcome::Wait(until) => return Err(PinRefused::Wait(until)),
                Outcome::Wrong { .. } | Outcome::Gone => return Err(PinRefused::WrongPassword),
            }
        }
        self.vault.keyring.set_pin(account, &pin, &key, self.fresh())?;
        Ok(())
    }
}
