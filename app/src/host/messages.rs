//! What travels between the views' side and the core's side, and nothing else does.

use super::{CallTrouble, Request, Secret, Shown};
use local_core::unlock::{DataKey, PersonHere, PinTrouble, Way};
use local_core::{Decision, Failure, HasLeft, LeftOff, Query, StorageTrouble, StoreError, View};
use serde::{Deserialize, Serialize};
use shared_model::accounts::Membership;
use shared_model::commands::Command;
use shared_model::ids::{AccountId, ClinicId};
use shared_model::time::Timestamp;
use shared_model::values::Invalid;
use shared_model::ways_in::NotLinked;

/// What the views' side sends to the core's side.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum ToCore {
    SignIn(Entrance),
    SignOut,
    Call {
        ticket: u64,
        request: Request,
    },
    Command {
        ticket: u64,
        command: Command,
    },
    Decide {
        ticket: u64,
        decision: Decision,
    },
    Watch {
        watch: u64,
        query: Query,
    },
    Unwatch {
        watch: u64,
    },
    NetworkHint,
    RetryStorage,
    Unlock {
        account: AccountId,
        way: Way,
        secret: Secret,
    },
    /// A window that was open when another one had the records goes on without it.
    Resume(Handover),
    /// What is typed in this window is saved, and this is where its person was: the device may lock.
    Lock(LeftOff),
    /// Somebody pressed a key, a button or the screen.
    Active,
    /// This window was away for longer than the device stays open untouched: is it still?
    Returned,
    /// `password` may be empty for who has just signed in or unlocked.
    SetPin {
        pin: Secret,
        password: Secret,
    },
    ForgetPin,
    LockAfter {
        minutes: u16,
    },
    RemoveMe,
    /// Nobody can open the records here, and nothing waits in them.
    BeginAnew,
}

/// What a window keeps while the device is unlocked, so that it can go on when the one with the records closes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Handover {
    pub(crate) key: DataKey,
    pub(crate) account: AccountId,
    /// Of this unlocking: void once somebody locks.
    pub(crate) pass: [u8; 16],
}

/// What the lock screen shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Locked {
    /// Whoever was here last first.
    pub(crate) people: Vec<PersonHere>,
    /// How many changes wait on this device; `None` if it ended without being locked.
    pub(crate) waiting: Option<u64>,
    /// Somebody has just signed out: whoever comes next may be none of them.
    pub(crate) signs_in: bool,
}

/// How this device is protected, for whoever works on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Protection {
    pub(crate) account: AccountId,
    pub(crate) has_pin: bool,
    /// The password that the clinic knows opens this device; whoever signs in through a provider has none here.
    pub(crate) has_password: bool,
    /// The records are those of a former build, which did not encrypt; signing in encrypts them.
    pub(crate) is_former: bool,
    /// Minutes without any input after which the device locks itself; 0 is never.
    pub(crate) lock_after: u16,
    /// Where this person was when the device was locked.
    pub(crate) left_off: LeftOff,
}

/// Why the device did not unlock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum UnlockTrouble {
    /// `left` wrong PINs more, or the next password at `next`.
    Wrong {
        left: Option<u32>,
        next: Option<Timestamp>,
    },
    Wait(Timestamp),
    /// The PIN was tried too often, or was taken away.
    Gone,
    Storage(StorageTrouble),
}

/// Why a PIN was not set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum PinRefused {
    Pin(PinTrouble),
    /// It has been a while since this person showed who they are: the password is asked for.
    NotProven,
    WrongPassword,
    Wait(Timestamp),
    Storage(StorageTrouble),
}

/// Why the device did not do what it was asked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum NotDone {
    /// What the person who wants to leave it wrote has not reached the clinic.
    WorkWaits,
    Storage(StorageTrouble),
}

impl From<StoreError> for PinRefused {
    fn from(error: StoreError) -> Self {
        Self::Storage((&error).into())
    }
}

/// How somebody comes in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Entrance {
    Password {
        email: String,
        password: Secret,
        /// Which of their clinics, if they have said.
        clinic: Option<ClinicId>,
    },
    Invitation {
        token: Secret,
        full_name: String,
        password: Secret,
    },
    /// Somebody for whom a provider vouches, with what came back from there.
    Provider {
        code: Secret,
        verifier: Secret,
        clinic: Option<ClinicId>,
        /// What whoever takes up an invitation is called.
        full_name: String,
        /// Whose account it is to be linked with, and its password; for an invitation the address stands fast.
        email: Option<String>,
        password: Option<Secret>,
    },
    /// Somebody whose first factor was right goes on from there.
    Second {
        step: Secret,
        shown: Shown,
        /// What they came with, if it was a password: it unlocks the device from then on.
        password: Option<Secret>,
    },
    /// A passkey alone: two factors in one.
    Passkey {
        offer: Secret,
        credential: Secret,
        clinic: Option<ClinicId>,
    },
}

/// What comes back.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum FromCore {
    /// The store is open; `fresh` if nobody has ever signed in with it.
    Ready {
        fresh: bool,
    },
    /// There is no store: why, so that the screen can say what to do.
    NoStore(HostTrouble),
    SignedIn(bool),
    SignIn(Result<(), SignInTrouble>),
    /// The device is locked, as long as nothing else comes.
    Locked(Locked),
    /// Who has left the clinic since somebody last worked here, for the screen that the next person sees.
    Left(Option<HasLeft>),
    /// It is about to lock: every window saves what is typed in it and answers with `ToCore::Lock`.
    Locking,
    Unlock(Result<(), UnlockTrouble>),
    Protection(Protection),
    Pin(Result<(), PinRefused>),
    /// What was asked of the device itself did not happen.
    NotDone(NotDone),
    /// For the page's end of it, not for the views.
    Handover(Handover),
    /// Somebody has locked since this page was handed the key.
    HandoverEnds,
    Answer {
        ticket: u64,
        outcome: Result<Timestamp, Failure>,
    },
    View {
        watch: u64,
        view: View,
    },
    /// The body of the answer to a call.
    Called {
        ticket: u64,
        outcome: Result<String, CallTrouble>,
    },
    /// Not from the core but from the page's end of it: the browser freezes the page, and nobody knows for how long.
    #[serde(skip)]
    #[cfg_attr(
        feature = "desktop",
        expect(dead_code, reason = "only a browser freezes pages")
    )]
    Frozen,
    /// Not from the core but from the page's end of it.
    #[serde(skip)]
    #[cfg_attr(
        feature = "desktop",
        expect(
            dead_code,
            reason = "only a browser deletes records or shares them between windows"
        )
    )]
    Keeping(Keeping),
}

/// How well the browser keeps the records of this device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Keeping {
    /// The window that has them does not answer at the moment.
    pub(crate) silent: bool,
    /// It may delete them when it wants room.
    pub(crate) may_evict: bool,
    /// Megabytes that are left for them, if they are few.
    pub(crate) room_left: Option<u32>,
    /// It has deleted them, and so many changes had not reached the clinic.
    pub(crate) lost: Option<u64>,
}

/// Why the device has no store to work with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum HostTrouble {
    /// No origin-private file system: a private window, or a browser that is too old.
    NoPrivateFiles,
    /// Another tab or window of this browser holds the store.
    OpenElsewhere,
    Storage(StorageTrouble),
    Other(String),
}

/// Why signing in did not work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum SignInTrouble {
    /// The server did not let them in, or could not be asked.
    Refused(CallTrouble),
    /// They belong to several clinics and have to say which.
    ChooseClinic(Vec<Membership>),
    /// What they began to sign in with is not good any more; its first step was right.
    StepIsOver,
    /// The provider vouches for them, and no account here is linked with that.
    NotLinked(NotLinked),
    /// So many changes of somebody else wait on this device.
    WorkWaits {
        waiting: u64,
        name: String,
    },
    /// The records here were sealed by others, and the server knows of no key to them.
    Sealed {
        waiting: Option<u64>,
    },
    /// Meanwhile the device was locked, or somebody has unlocked it.
    Overtaken,
    Storage(StorageTrouble),
}

impl From<StoreError> for SignInTrouble {
    fn from(error: StoreError) -> Self {
        Self::Storage((&error).into())
    }
}

/// Why the clinic's address was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "web",
    expect(dead_code, reason = "a page comes from its clinic and asks for no address")
)]
pub(crate) enum AddressTrouble {
    Invalid(Invalid),
    NotKept(StorageTrouble),
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared_model::documents::Kind;
    use shared_model::ids::{AccountId, DeviceId, DocumentId};
    use shared_model::late_work::LateWork;
    use uuid::Uuid;

    /// Between page and Worker, fields are told by their place: none may be left out.
    #[test]
    fn late_work_crosses_from_page_to_worker() {
        let id = Uuid::from_u128(7);
        let works = [None, Some("Nora".to_owned())].map(|brought_by| LateWork {
            hash: "9f".to_owned(),
            author: AccountId(id),
            author_name: "Ana".to_owned(),
            brought_by,
            device: DeviceId(id),
            kind: Kind::Patient,
            document: DocumentId(id),
            change: vec![1, 2],
            command: Vec::new(),
            made_at: Timestamp(5),
            received_at: Timestamp(9),
        });
        let query = Query::LateWork(works.to_vec());
        let message = ToCore::Watch { watch: 1, query };
        let bytes = postcard::to_stdvec(&message).expect("plain values");
        let ToCore::Watch { query, .. } = postcard::from_bytes(&bytes).expect("as it was sent") else {
            panic!("another message")
        };
        assert_eq!(query, Query::LateWork(works.to_vec()));
    }
}
