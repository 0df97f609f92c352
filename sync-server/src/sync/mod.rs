//! The sync flow: session, then authorize, then accept, then fan-out to the other devices.

mod accept;
mod authorize;
mod authorship;
mod automerge_repo;
mod catch_up;
mod fan_out;
mod follow_other_nodes;
mod look_again;
mod page;
mod quota;
mod room;
mod session;
mod single_push;

pub(crate) use accept::{Accept, Author, ReadItem, WorkingSet, Writer, plan_accept};
pub use accept::{Rehearsed, rehearse};
pub(crate) use automerge_repo::{
    Guests, MAX_MESSAGE as MAX_AUTOMERGE_REPO_MESSAGE, person_behind, run as run_automerge_repo,
};
pub(crate) use fan_out::{FanOut, SessionId};
pub(crate) use follow_other_nodes::follow_other_nodes;
pub(crate) use look_again::LookAgain;
pub(crate) use quota::Accounts;
pub use quota::{Limit, Limits, Quotas};
pub(crate) use session::run as run_session;
pub(crate) use single_push::{NotPushed, charge_want, push_once};
