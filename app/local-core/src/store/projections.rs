//! Projection rows on the device: written with the document, never the truth.

use super::{Store, StoreError, fold};
use rusqlite::OptionalExtension;
use shared_model::documents::{Booking, Kind, Projection, Whereabouts};
use shared_model::ids::DocumentId;
use std::hash::{DefaultHasher, Hash, Hasher};

pub(crate) fn booking_number(booking: Booking) -> u8 {
    match booking {
        Booking::Booked => 0,
        Booking::Cancelled => 1,
    }
}

pub(crate) fn whereabouts_number(whereabouts: Whereabouts) -> u8 {
    match whereabouts {
        Whereabouts::Expected => 0,
        Whereabouts::Waiting => 1,
        Whereabouts::InRoom => 2,
        Whereabouts::Departed => 3,
    }
}

/// Of what stands in a search row. Another build may sum otherwise, which costs one more writing of the row.
fn sum(text: &str, owners: &str) -> i64 {
    let mut hasher = DefaultHasher::new();
    (text, owners).hash(&mut hasher);
    hasher.finish().cast_signed()
}

impl Store {
    /// Writes a document's rows. `fresh` says that it has none yet, which saves looking for them.
    pub fn write_projection(
        &self,
        document_row: i64,
        id: DocumentId,
        projection: &Projection,
        fresh: bool,
    ) -> Result<(), StoreError> {
        let id = &id.bytes()[..];
        match projection {
            Projection::Single => {}
            Projection::Client(row) => {
                let names = |(given, family): &(String, String)| {
                    *given == row.given_name && *family == row.family_name
                };
                // Its pets may have come before it.
                let renamed = fresh || !self.owner_names(id)?.as_ref().is_some_and(names);
                self.sql
                    .prepare_cached("INSERT OR REPLACE INTO client VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
                    .execute((
                        id,
                        &row.given_name,
                        &row.family_name,
                        &row.phone,
                        &row.email,
                        row.retracted,
                    ))?;
                self.index(document_row, &row.search, "", fresh)?;
                if renamed {
                    self.index_pets_of(id)?;
                }
            }
            Projection::Patient(row) => {
                let alerts =
                    minicbor::to_vec(&row.alerts).map_err(|error| StoreError::Corrupt(error.to_string()))?;
                self.sql
                    .prepare_cached(
                        "INSERT OR REPLACE INTO patient VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
                    )?
                    .execute(rusqlite::params![
                        id,
                        &row.name,
                        row.species.word(),
                        &row.breed,
                        row.sex.word(),
                        row.neutered,
                        &row.born,
                        &row.microchip,
                        row.deceased,
                        alerts,
                        &row.weight_kg,
                        row.retracted,
                        &row.search,
                    ])?;
                if !fresh {
                    self.sql
                        .prepare_cached("DELETE FROM ownership WHERE patient = ?1")?
                        .execute([id])?;
                }
                for owner in &row.owners {
                    self.sql
                        .prepare_cached("INSERT INTO ownership VALUES (?1, ?2)")?
                        .execute((&owner.bytes()[..], id))?;
                }
                let owners = self.names_of_owners(id)?;
                self.index(document_row, &row.search, &owners, fresh)?;
            }
            Projection::Appointment(row) => {
                self.sql
                    .prepare_cached(
                        "INSERT OR REPLACE INTO appointment VALUES \
                         (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
                    )?
                    .execute(rusqlite::params![
                        id,
                        row.client.as_ref().map(|id| &id.bytes()[..]),
                        row.patient.as_ref().map(|id| &id.bytes()[..]),
                        row.appointment_type.as_ref().map(|id| &id.bytes()[..]),
                        row.reason,
                        row.start.0,
                        row.minutes,
                        row.vet.as_ref().map(|id| &id.bytes()[..]),
                        row.room.as_ref().map(|id| &id.bytes()[..]),
                        row.slot_contested,
                        booking_number(row.booking),
                        whereabouts_number(row.whereabouts),
                        row.arrived_at.map(|at| at.0),
                        row.in_room_at.map(|at| at.0),
                        row.visit.as_ref().map(|id| &id.bytes()[..]),
                        row.finished_at.map(|at| at.0),
                    ])?;
            }
            Projection::Visit(row) => {
                self.sql
                    .prepare_cached("INSERT OR REPLACE INTO visit VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?
                    .execute((
                        id,
                        row.patient.as_ref().map(|id| &id.bytes()[..]),
                        row.vet.as_ref().map(|id| &id.bytes()[..]),
                        &row.reason,
                        row.started_at.map(|at| at.0),
                        row.finished_at.map(|at| at.0),
                        &row.summary,
                    ))?;
            }
        }
        Ok(())
    }

    fn index(&self, document_row: i64, text: &str, owners: &str, fresh: bool) -> Result<(), StoreError> {
        let (text, owners) = (fold(text), fold(owners));
        if !fresh {
            let sum = sum(&text, &owners);
            if self.indexed(document_row)? == Some(sum) {
                return Ok(());
            }
            self.sql
                .prepare_cached("DELETE FROM search WHERE rowid = ?1")?
                .execute([document_row])?;
            self.sql
                .prepare_cached("INSERT OR REPLACE INTO indexed VALUES (?1, ?2)")?
                .execute([document_row, sum])?;
        }
        self.sql
            .prepare_cached("INSERT INTO search (rowid, text, owners) VALUES (?1, ?2, ?3)")?
            .execute((document_row, text, owners))?;
        Ok(())
    }

    /// What the search row of a document was made of, if that is known.
    fn indexed(&self, document_row: i64) -> Result<Option<i64>, StoreError> {
        Ok(self
            .sql
            .prepare_cached("SELECT sum FROM indexed WHERE row = ?1")?
            .query_row([document_row], |row| row.get(0))
            .optional()?)
    }

    /// Given and family name, if the client is here.
    fn owner_names(&self, client: &[u8]) -> Result<Option<(String, String)>, StoreError> {
        let mut statement = self
            .sql
            .prepare_cached("SELECT given_name, family_name FROM client WHERE id = ?1")?;
        Ok(statement
            .query_row([client], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?)
    }

    fn names_of_owners(&self, patient: &[u8]) -> Result<String, StoreError> {
        let mut statement = self.sql.prepare_cached(
            "SELECT c.given_name, c.family_name FROM ownership o JOIN client c ON c.id = o.client WHERE o.patient = ?1",
        )?;
        let mut rows = statement.query([patient])?;
        let mut names = String::new();
        while let Some(row) = rows.next()? {
            for column in 0..2 {
                names.push_str(row.get_ref(column)?.as_str()?);
                names.push(' ');
            }
        }
        Ok(names)
    }

    /// Writes the search rows of a client's pets anew, because the client's name has changed.
    fn index_pets_of(&self, client: &[u8]) -> Result<(), StoreError> {
        let mut statement = self.sql.prepare_cached(
            "SELECT d.row, p.id, p.search FROM ownership o JOIN patient p ON p.id = o.patient \
             JOIN document d ON d.id = p.id WHERE o.client = ?1",
        )?;
        let mut rows = statement.query([client])?;
        while let Some(row) = rows.next()? {
            let owners = self.names_of_owners(row.get_ref(1)?.as_blob()?)?;
            self.index(row.get(0)?, row.get_ref(2)?.as_str()?, &owners, false)?;
        }
        Ok(())
    }

    pub(super) fn clear_projection(
        &self,
        document_row: i64,
        kind: Kind,
        id: DocumentId,
    ) -> Result<(), StoreError> {
        let id = &id.bytes()[..];
        let searched = match kind {
            Kind::ClinicProfile
            | Kind::ClinicSettings
            | Kind::ClientNotes
            | Kind::VisitSummary
            | Kind::Estimate
            | Kind::Invoice
            | Kind::Payment
            | Kind::Conversation
            | Kind::StockLot
            | Kind::ControlledDrugLedger
            | Kind::Consent
            | Kind::Certificate => false,
            Kind::Client => {
                self.sql
                    .prepare_cached("DELETE FROM client WHERE id = ?1")?
                    .execute([id])?;
                self.index_pets_of(id)?;
                true
            }
            Kind::Patient => {
                self.sql
                    .prepare_cached("DELETE FROM ownership WHERE patient = ?1")?
                    .execute([id])?;
                self.sql
                    .prepare_cached("DELETE FROM patient WHERE id = ?1")?
                    .execute([id])?;
                true
            }
            Kind::Appointment => {
                self.sql
                    .prepare_cached("DELETE FROM appointment WHERE id = ?1")?
                    .execute([id])?;
                false
            }
            Kind::Visit => {
                self.sql
                    .prepare_cached("DELETE FROM visit WHERE id = ?1")?
                    .execute([id])?;
                false
            }
        };
        if searched {
            for table in ["search WHERE rowid", "indexed WHERE row"] {
                self.sql
                    .prepare_cached(&format!("DELETE FROM {table} = ?1"))?
                    .execute([document_row])?;
            }
        }
        Ok(())
    }

    pub(crate) fn clear_projections(&self) -> Result<(), StoreError> {
        // Deleting rows of a search index leaves their words in it until it is tidied up some day.
        self.sql.execute_batch(
            "DELETE FROM client; DELETE FROM patient; DELETE FROM ownership; DELETE FROM appointment; \
             DELETE FROM visit; INSERT INTO search (search) VALUES ('delete-all'); DELETE FROM indexed;",
        )?;
        Ok(())
    }

    /// Every projection row as text, for the test that `rebuild` gives the same ones.
    pub fn dump_projections(&self) -> Result<Vec<String>, StoreError> {
        let mut lines = Vec::new();
        for table in ["client", "patient", "ownership", "appointment", "visit"] {
            let mut statement = self
                .sql
                .prepare(&format!("SELECT * FROM {table} ORDER BY 1, 2"))?;
            let columns = statement.column_count();
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let mut line = table.to_owned();
                for column in 0..columns {
                    line.push_str(&format!(" {:?}", row.get_ref(column)?));
                }
                lines.push(line);
            }
        }
        let indexed: Option<i64> = self
            .sql
            .query_row("SELECT count(*) FROM search", [], |row| row.get(0))
            .optional()?;
        lines.push(format!("search {indexed:?}"));
        Ok(lines)
    }
}
