//! A lost device: the server says so at the first contact, and everything that could be read here goes.
//!
//! Invariant: the one way in which work that the server has not acknowledged is given up, and by intent: whoever holds the
//! device now is not to have it, and nobody is there who could send it. What cannot be deleted now is at the next contact.

use crate::core::{Cache, Core};
use crate::effect::Effect;
use crate::store::{Store, StoreError};
use shared_model::ids::DeviceId;

impl Core {
    /// Deletes documents, outbox, search index and credentials, and signs out. The device keeps its number: under another
    /// one it would come back as a device that was never lost.
    pub(crate) fn purge(&mut self, effects: &mut Vec<Effect>) -> Result<(), StoreError> {
        let Some(signed_in) = &self.signed_in else {
            return Ok(());
        };
        self.store.purge(signed_in.device, || Ok(()))?;
        effects.push(Effect::Purged {
            refresh_token: signed_in.credentials.refresh_token.clone(),
            device: signed_in.device,
        });
        self.signed_in = None;
        self.sync.reset();
        self.cache = Cache::default();
        self.forget_clinic();
        effects.push(Effect::CloseSocket);
        effects.push(Effect::SignedIn(false));
        Ok(())
    }
}

impl Store {
    /// Leaves nothing of the clinic in the file, in its free pages or in its log, but what `note` writes.
    pub(super) fn purge(
        &self,
        device: DeviceId,
        note: impl FnOnce() -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.sql.pragma_update(None, "secure_delete", true)?;
        self.transaction(|| {
            self.wipe()?;
            self.sql.execute_batch("DELETE FROM answered")?;
            self.set_meta("device", &device)?;
            note()
        })?;
        self.give_back_pages()
    }

    /// What was deleted is neither in the log nor in free pages any more.
    pub(super) fn give_back_pages(&self) -> Result<(), StoreError> {
        self.empty_log()?;
        self.sql.execute_batch("VACUUM")?;
        self.empty_log()
    }

    fn empty_log(&self) -> Result<(), StoreError> {
        Ok(self
            .sql
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?)
    }
}
