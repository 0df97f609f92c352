//! The people's part of the storage boundary, cut by what happens: accounts and memberships, invitations, devices, mail, other ways
//! in, second factors, erasure.
//!
//! Invariants: what a person is told by mail is written in the transaction that it tells of; and whoever's rights shrink is
//! named to the other nodes in that transaction too.

mod accounts;
mod devices;
mod erasure;
mod factors;
mod invitations;
mod mail;
mod ways_in;

pub use accounts::{Account, AccountStorage, LinkPurpose, NewLink, RolesJudge, StoredLink};
pub use devices::{BegunSignIn, DeviceStorage, LostJudge, LostReport, NewSigningKey, Registered};
pub use erasure::{Erasure, ErasureStorage, Traces};
pub use factors::{
    Added, Factor, FactorStorage, NewFactor, StoredFactors, StoredPasskey, StoredTotp, TakenAway, Unneeded,
};
pub use invitations::{
    InvitationStorage, NewInvitation, OpenedClinic, StoredInvitation, TakeUp, TakenUp, Taker,
};
pub use mail::{LeasedMail, MailOutcome, MailStorage, NewMail, SETTLED_KEPT_MS};

pub use ways_in::{
    NewIdentity, Profile, ProviderMessage, ProviderNews, StoredIdentity, TakenIn, Unlinked, WaysInStorage,
};

pub(crate) use accounts::{SealedAccount, by_name, place_of_link, small_count};
pub(crate) use devices::place_of_device;
pub(crate) use erasure::erased;
pub(crate) use factors::{place_of_passkey, place_of_passkey_name, place_of_totp};
pub(crate) use invitations::InvitationWords;
pub(crate) use ways_in::{Vouched, new_name, place_of_step};

use shared_model::accounts::Sent;

/// How far an invitation's mail came. Without one the link was handed over otherwise, and what became of an old one is
/// not kept: it has left.
pub(crate) fn sent(has_mail: bool, settled: bool, sent: bool) -> Sent {
    match (has_mail, settled, sent) {
        (true, false, _) => Sent::Waiting,
        (true, true, false) => Sent::Refused,
        (true, true, true) | (false, _, _) => Sent::Sent,
    }
}

/// All of it, as one storage gives it.
pub trait PeopleStorage:
    AccountStorage
    + InvitationStorage
    + DeviceStorage
    + MailStorage
    + WaysInStorage
    + FactorStorage
    + ErasureStorage
{
}

impl<S> PeopleStorage for S where
    S: AccountStorage
        + InvitationStorage
        + DeviceStorage
        + MailStorage
        + WaysInStorage
        + FactorStorage
        + ErasureStorage
{
}
