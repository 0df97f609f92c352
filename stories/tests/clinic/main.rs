//! A clinic's day as stories: real devices, the real server, a network that comes and goes.

#![allow(clippy::unwrap_used, reason = "a story that cannot go on has failed")]

mod copied;
mod kill;
mod late_work;
mod lost;
mod morning;
mod refused;
mod restart;
mod shared;
