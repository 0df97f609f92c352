//! The sync flow: session, then authorize, then accept, then fan-out to the other devices.

mod accept;
mod authorize;
mod catch_up;
mod fan_out;
mod measure;
mod page;
mod session;

pub(crate) use accept::{Accept, Author, ReadItem, WorkingSet, Writer, plan_accept};
pub(crate) use fan_out::{FanOut, SessionId};
pub(crate) use session::run as run_session;
