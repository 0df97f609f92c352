//! Stories of one device on its own: what is saved, shown and found without any network.

#![allow(clippy::unwrap_used, reason = "a story that cannot go on has failed")]
#![allow(clippy::disallowed_methods, reason = "a test is a host, and hosts know files")]

mod clinic;
mod damage;
mod deferred;
mod durable;
mod limits;
mod pure;
mod recovery;
mod search;
mod server;
mod views;
