//! Which commands were carried out, for windows that ask again.
//!
//! Invariant: a ticket is noted in the transaction that carries its command out, so that no kill comes between the two.

use super::{Store, StoreError};
use crate::event::PAGE_BITS;
use rusqlite::OptionalExtension;
use shared_model::time::Timestamp;

/// More than all windows of a browser together wait for at any time.
const REMEMBERED: i64 = 512;

impl Store {
    /// When the command of this ticket was carried out, if it was lately.
    pub fn answered(&self, ticket: u64) -> Result<Option<Timestamp>, StoreError> {
        if ticket >> PAGE_BITS == 0 {
            return Ok(None);
        }
        // So few rows are read through sooner than an index of them is written.
        let mut statement = self
            .sql
            .prepare_cached("SELECT at FROM answered WHERE ticket = ?1")?;
        let at = statement.query_row([ticket.cast_signed()], |row| row.get(0));
        Ok(at.optional()?.map(Timestamp))
    }

    pub(crate) fn note_answered(&self, ticket: u64, at: Timestamp) -> Result<(), StoreError> {
        if ticket >> PAGE_BITS == 0 {
            return Ok(());
        }
        self.sql
            .prepare_cached("INSERT INTO answered (ticket, at) VALUES (?1, ?2)")?
            .execute((ticket.cast_signed(), at.0))?;
        let row = self.sql.last_insert_rowid();
        self.sql
            .prepare_cached("DELETE FROM answered WHERE row <= ?1")?
            .execute([row - REMEMBERED])?;
        Ok(())
    }
}
