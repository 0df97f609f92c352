//! Stories of one device on its own: what is saved, shown and found without any network.

#![allow(clippy::unwrap_used, reason = "a story that cannot go on has failed")]
#![allow(clippy::disallowed_methods, reason = "a test is a host, and hosts know files")]

mod as_of;
mod asked_again;
mod clinic;
mod copied;
mod damage;
mod decide;
mod deferred;
mod durable;
mod late_work;
mod limits;
mod nothing_lost;
mod pure;
mod purge;
mod recovery;
mod search;
mod server;
mod sessions;
mod shared;
mod simulated;
mod take_over;
mod unlock;
mod views;
