//! Somebody is something else at the clinic now, and may not read any more what they read as what they were: it goes from
//! this device as soon as the device hears so, the search index and the file's free pages included.
//!
//! Invariant: the outbox stays. What waits in it is judged by the server, and listed here if it is refused.

use crate::core::{Cache, Core};
use crate::store::{Store, StoreError};
use shared_model::permissions::Principal;

impl Core {
    /// To be called before the principal becomes this one.
    pub(super) fn forget_what_they_may_not_read(&mut self, principal: &Principal) -> Result<(), StoreError> {
        let Some(signed_in) = &self.signed_in else {
            return Ok(());
        };
        // The clinic's people read what owners read.
        let readable = principal.feeds();
        let lost = !principal.is_staff()
            && signed_in
                .credentials
                .principal
                .feeds()
                .iter()
                .any(|feed| !readable.contains(feed));
        if !lost {
            return Ok(());
        }
        self.store.forget_records()?;
        self.cache = Cache::default();
        self.sync.forget_feeds();
        self.forget_clinic();
        Ok(())
    }
}

impl Store {
    /// Everything that feeds brought, and nothing of what was made here.
    fn forget_records(&self) -> Result<(), StoreError> {
        self.sql.pragma_update(None, "secure_delete", true)?;
        self.transaction(|| {
            self.clear_projections()?;
            Ok(self.sql.execute_batch(
                "DELETE FROM document; DELETE FROM feed_cursor; DELETE FROM deferred;
                 DELETE FROM meta WHERE name IN ('as_of', 'wanted');",
            )?)
        })?;
        self.give_back_pages()
    }
}
