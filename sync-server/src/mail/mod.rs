//! Mail: written into the outbox by whoever causes it, in the transaction of that, and sent by a task of the server.
//!
//! Place in the flow: beside it. Invariant: a request never waits for a mail server.

mod post;
mod send_mails;
mod sentences;
mod write_mail;

pub use post::{MailWay, Post, PostError, PostSettingError};
pub(crate) use send_mails::{Mails, keep_sending};
pub(crate) use sentences::sentence;
pub(crate) use write_mail::{Letter, Writing};
