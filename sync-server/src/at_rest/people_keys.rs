//! What people's rows are sealed, opened and found with: each person's own key, the look-up, and the server's key for what
//! is nobody's alone.

use super::{AtRest, ClinicKeys, LookUp, NO_CLINIC, PersonKey};
use crate::storage::Stored;
use crate::storage::people::NewMail;
use shared_model::ids::AccountId;
use shared_model::time::Timestamp;
use std::sync::Arc;
use uuid::Uuid;

/// What it is of a person's that lies sealed with their key.
pub(crate) const FULL_NAME: &str = "full name";
pub(crate) const EMAIL: &str = "address";
pub(crate) const NEW_EMAIL: &str = "address to be confirmed";

#[derive(Clone, Debug)]
pub(crate) struct PeopleKeys {
    pub(crate) at_rest: Arc<AtRest>,
    pub(crate) look_up: Arc<LookUp>,
    /// Of what belongs to no clinic.
    pub(crate) server: Arc<ClinicKeys>,
}

impl AtRest {
    /// What people's rows are worked with, if their secrets have been opened.
    pub(crate) fn people(self: &Arc<Self>) -> Option<PeopleKeys> {
        Some(PeopleKeys {
            at_rest: Arc::clone(self),
            look_up: Arc::clone(self.look_up.get()?),
            server: self.known(NO_CLINIC)?,
        })
    }

    /// The same with the secret of the look-up as it lies in the database, opened, and the server's keys.
    pub(crate) fn open_people(self: &Arc<Self>, server: Arc<ClinicKeys>, secret: Vec<u8>) -> PeopleKeys {
        let look_up = self.look_up.get_or_init(|| Arc::new(LookUp::new(secret)));
        PeopleKeys {
            at_rest: Arc::clone(self),
            look_up: Arc::clone(look_up),
            server,
        }
    }
}

impl PeopleKeys {
    /// # Errors
    /// If it does not open with the master keys that are here.
    pub(crate) fn of(&self, account: AccountId, wrapped: &[u8]) -> Stored<PersonKey> {
        self.at_rest.open_person_key(account, wrapped)
    }

    /// A text of a person's to be shown among those of others. Empty if they were erased, and if it does not open: nobody
    /// is to be kept from the others.
    pub(crate) fn shown(
        &self,
        account: AccountId,
        wrapped: Option<&[u8]>,
        what: &str,
        sealed: Option<&[u8]>,
    ) -> String {
        let (Some(wrapped), Some(sealed)) = (wrapped, sealed) else {
            return String::new();
        };
        let key = self.of(account, wrapped);
        let opened = key.and_then(|key| Ok(key.open_text(what, sealed)?));
        opened.unwrap_or_else(|error| {
            tracing::error!(%account, what, %error, "what is stored of a person does not open");
            String::new()
        })
    }

    pub(crate) fn seal_mail(&self, mail: &NewMail) -> Stored<Vec<u8>> {
        Ok(self
            .server
            .seal_value(&place_of_mail(mail.mail), &mail.letter())?)
    }

    /// `None` if it does not open.
    pub(crate) fn open_mail(&self, mail: Uuid, letter: &[u8], due_at: Timestamp) -> Option<NewMail> {
        let opened = self.server.open_value(&place_of_mail(mail), letter);
        let read = opened
            .ok()
            .and_then(|letter| NewMail::read(mail, &letter, due_at));
        if read.is_none() {
            tracing::error!(%mail, "a mail that waits does not open");
        }
        read
    }
}

fn place_of_mail(mail: Uuid) -> String {
    format!("mail {mail}")
}
