//! The write path's transaction: begin, lock, (load,) write, commit, each one round trip to the database. All rows of
//! all tables go over in one statement, as arrays.

use super::super::trail::{EventsEnd, WrittenEnd};
use super::super::{
    AcceptTransaction, AcceptWrites, ActorRow, AuditRow, ChangeRow, DocumentRow, FeedRow, LoadedRows,
    StorageError, Stored, feed_key, heads_bytes, signed,
};
use super::trail::link_at;
use super::{PostgresStorage, at_rest, count, feeds, id, length, listen, small};
use crate::at_rest::{ClinicKeys, SealedDocument, SealedWrites};
use crate::trail::{link_rows, seal_on};
use async_trait::async_trait;
use shared_model::ids::{AccountId, ClinicId, DeviceId, DocumentId};
use shared_model::permissions::Feed;
use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use sqlx::{Postgres, Row, Transaction};
use std::sync::Arc;
use uuid::Uuid;

struct PostgresAccept {
    /// Rolls back when it is dropped.
    tx: Transaction<'static, Postgres>,
    clinic: ClinicId,
    keys: Arc<ClinicKeys>,
    /// Where what was written ends, and its seal.
    end: WrittenEnd,
    seal: Option<Vec<u8>>,
    /// How far events have come.
    events: EventsEnd,
    node: Uuid,
}

pub(super) async fn begin(storage: &PostgresStorage, clinic: ClinicId) -> Stored<Box<dyn AcceptTransaction>> {
    let keys = storage.keys(clinic).await?;
    let mut tx = storage.pool.begin().await?;
    // Events come meanwhile: nobody who notes one waits for an accept.
    let row = sqlx::query(
        "select c.chained_after, c.sealed_after, c.head, c.rows_end, c.seal, coalesce(e.events, 0), e.events_end
         from clinics c left join event_ends e on e.clinic = c.clinic where c.clinic = $1 for update of c",
    )
    .bind(clinic.0)
    .fetch_optional(&mut *tx)
    .await?
    .ok_or(StorageError::NoSuchClinic)?;
    let end = WrittenEnd {
        chained_after: count(&row, 0)?,
        sealed_after: count(&row, 1)?,
        head: count(&row, 2)?,
        written: link_at(&row, 3)?,
    };
    let events = EventsEnd {
        events: count(&row, 5)?,
        happened: link_at(&row, 6)?,
        ..EventsEnd::default()
    };
    let seal = row.try_get(4)?;
    Ok(Box::new(PostgresAccept {
        tx,
        clinic,
        keys,
        end,
        seal,
        events,
        node: storage.node,
    }))
}

#[async_trait]
impl AcceptTransaction for PostgresAccept {
    fn head(&self) -> u64 {
        self.end.head
    }

    async fn load(&mut self, documents: &[DocumentId], actors: &[Vec<u8>]) -> Stored<LoadedRows> {
        let mut loaded = LoadedRows::default();
        let ids: Vec<Uuid> = documents.iter().map(|id| id.0).collect();
        let rows = sqlx::query(concat!(
            "select ",
            feeds::document_columns!(),
            " from documents d where d.clinic = $1 and d.id = any($2)"
        ))
        .bind(self.clinic.0)
        .bind(&ids)
        .fetch_all(&mut *self.tx)
        .await?;
        for row in rows {
            loaded.documents.push(feeds::read_document(&row, &self.keys)?);
        }
        if !actors.is_empty() {
            let rows = sqlx::query(
                "select actor, account, device from actors where clinic = $1 and actor = any($2)",
            )
            .bind(self.clinic.0)
            .bind(actors)
            .fetch_all(&mut *self.tx)
            .await?;
            for row in rows {
                loaded.actors.push(ActorRow {
                    actor: row.try_get(0)?,
                    account: id(&row, 1, AccountId)?,
                    device: id(&row, 2, DeviceId)?,
                });
            }
        }
        Ok(loaded)
    }

    async fn commit(mut self: Box<Self>, writes: Arc<AcceptWrites>) -> Stored<()> {
        let found = at_rest::document_keys(&mut self.tx, self.clinic, &self.keys.unknown(&writes)).await?;
        let sealed = seal(&self.keys, &writes, found).await?;
        self.write(&writes, &sealed).await?;
        self.tx.commit().await?;
        self.keys.committed(sealed);
        Ok(())
    }
}

/// Everything that one accept writes, and the word of it to other nodes, which hear it once it is committed. Parts of a
/// statement all run, whatever the others do, and see the tables as they were before it; no two of these touch the same
/// row.
const WRITE: &str = "
with head as (
    update clinics set head = $2, rows_end = $46, seal = $48 where clinic = $1
), actors as (
    -- Somebody may say Hello as the same actor at this moment; whoever comes first has it.
    insert into actors (clinic, actor, account, device)
    select $1, * from unnest($4::bytea[], $5::uuid[], $6::uuid[]) on conflict do nothing
), changes as (
    insert into changes (clinic, accepted_at, number, position, document, hash, actor, seq, account, device, bytes,
        signed)
    select $1, $3, * from unnest($7::bigint[], $8::integer[], $9::uuid[], $10::bytea[], $11::bytea[], $12::bigint[],
        $13::uuid[], $14::uuid[], $15::bytea[], $47::bytea[])
), documents as (
    insert into documents (clinic, id, kind, schema_version, bytes, base, heads, max_op, projection,
        projection_version, needed_at)
    select $1, * from unnest($16::uuid[], $17::smallint[], $18::integer[], $19::bytea[], $20::integer[], $21::bytea[],
        $22::bigint[], $23::bytea[], $24::integer[], $25::bigint[])
    on conflict (clinic, id) do update set schema_version = excluded.schema_version, bytes = excluded.bytes,
        base = excluded.base, heads = excluded.heads, max_op = excluded.max_op, projection = excluded.projection,
        projection_version = excluded.projection_version, needed_at = excluded.needed_at
), granted as (
    insert into audience (clinic, feed, document) select $1, * from unnest($26::bytea[], $27::uuid[])
), lost as (
    delete from audience a using unnest($28::bytea[], $29::uuid[]) as lost (feed, document)
    where a.clinic = $1 and a.feed = lost.feed and a.document = lost.document
), feed as (
    insert into feed (clinic, feed, number, document, what, size)
    select $1, * from unnest($30::bytea[], $31::bigint[], $32::uuid[], $33::smallint[], $34::integer[])
), audit as (
    insert into audit (clinic, at, events, number, position, account, device, document, verb, link)
    select $1, $3, $49, * from unnest($35::bigint[], $36::integer[], $37::uuid[], $38::uuid[], $39::uuid[], $40::text[],
        $45::bytea[])
), keys as (
    insert into document_keys (clinic, document, wrapped) select $1, * from unnest($43::uuid[], $44::bytea[])
)
select pg_notify($41, $42)";

/// What takes longer to seal than a task may hold up others.
const SEAL_ASIDE: usize = 256 << 10;

async fn seal(
    keys: &Arc<ClinicKeys>,
    writes: &Arc<AcceptWrites>,
    found: Vec<(DocumentId, Vec<u8>)>,
) -> Stored<SealedWrites> {
    let documents = writes.documents.iter().map(|row| row.stored.size());
    let changes = writes.changes.iter().map(|row| row.bytes.len());
    if documents.chain(changes).sum::<usize>() < SEAL_ASIDE {
        return Ok(keys.seal(writes, &found)?);
    }
    let (keys, writes) = (Arc::clone(keys), Arc::clone(writes));
    let sealed = tokio::task::spawn_blocking(move || keys.seal(&writes, &found)).await;
    Ok(sealed.map_err(|error| StorageError::Failed(error.to_string()))??)
}

type Statement = Query<'static, Postgres, PgArguments>;

/// One column of rows.
fn column<'r, R, T>(rows: &'r [R], read: impl Fn(&'r R) -> T) -> Vec<T> {
    rows.iter().map(read).collect()
}

impl PostgresAccept {
    async fn write(&mut self, writes: &AcceptWrites, sealed: &SealedWrites) -> Stored<()> {
        // In the order of the numbers above.
        let statement = sqlx::query(WRITE)
            .bind(self.clinic.0)
            .bind(signed(writes.head))
            .bind(writes.at.0);
        let statement = bind_actors(statement, &writes.actors);
        let statement = bind_changes(statement, &writes.changes, &sealed.changes);
        let statement = bind_documents(statement, &writes.documents, &sealed.documents);
        let statement = bind_audience(statement, &writes.granted);
        let statement = bind_audience(statement, &writes.lost);
        let statement = bind_feed(statement, &writes.feed);
        let links = link_rows(self.clinic, &self.end, writes, &self.events);
        let end = WrittenEnd {
            head: writes.head,
            written: links.last().copied().or(self.end.written),
            ..self.end
        };
        let seal = seal_on(&self.keys, &self.end, self.seal.as_deref(), &end)?;
        bind_audit(statement, &writes.audit)
            .bind(listen::CHANNEL)
            .bind(listen::word(self.clinic, writes.head, self.node))
            .bind(column(&sealed.wrapped, |(document, _)| document.0))
            .bind(column(&sealed.wrapped, |(_, wrapped)| wrapped.as_slice()))
            .bind(column(&links, |link| link.to_vec()))
            .bind(end.written.map(|link| link.to_vec()))
            .bind(column(&writes.changes, |row| {
                row.signed.map(|signed| signed.bytes())
            }))
            .bind(seal)
            .bind(signed(self.events.events))
            .execute(&mut *self.tx)
            .await?;
        Ok(())
    }
}

fn bind_actors(statement: Statement, rows: &[ActorRow]) -> Statement {
    statement
        .bind(column(rows, |row| row.actor.as_slice()))
        .bind(column(rows, |row| row.account.0))
        .bind(column(rows, |row| row.device.0))
}

fn bind_changes(statement: Statement, rows: &[ChangeRow], sealed: &[Vec<u8>]) -> Statement {
    statement
        .bind(column(rows, |row| signed(row.number)))
        .bind(column(rows, |row| row.position.cast_signed()))
        .bind(column(rows, |row| row.document.0))
        .bind(column(rows, |row| row.hash.0.as_slice()))
        .bind(column(rows, |row| row.actor.as_slice()))
        .bind(column(rows, |row| signed(row.seq)))
        .bind(column(rows, |row| row.account.0))
        .bind(column(rows, |row| row.device.0))
        .bind(column(sealed, |bytes| bytes.as_slice()))
}

fn bind_documents(statement: Statement, rows: &[DocumentRow], sealed: &[SealedDocument]) -> Statement {
    statement
        .bind(column(rows, |row| row.stored.id.0))
        .bind(column(rows, |row| i16::from(row.stored.kind.number())))
        .bind(column(rows, |row| small(row.stored.schema_version)))
        .bind(column(sealed, |sealed| sealed.bytes.as_slice()))
        .bind(column(sealed, |sealed| length(sealed.base)))
        .bind(column(rows, |row| heads_bytes(&row.heads)))
        .bind(column(rows, |row| signed(row.stored.max_op)))
        .bind(column(sealed, |sealed| sealed.projection.as_slice()))
        .bind(column(rows, |row| small(row.stored.projection_version)))
        .bind(column(rows, |row| row.needed_at.map(|at| at.0)))
}

fn bind_audience(statement: Statement, rows: &[(Feed, DocumentId)]) -> Statement {
    statement
        .bind(column(rows, |(feed, _)| feed_key(*feed)))
        .bind(column(rows, |(_, document)| document.0))
}

fn bind_feed(statement: Statement, rows: &[FeedRow]) -> Statement {
    statement
        .bind(column(rows, |row| feed_key(row.feed)))
        .bind(column(rows, |row| signed(row.number)))
        .bind(column(rows, |row| row.document.0))
        .bind(column(rows, |row| row.what.number()))
        .bind(column(rows, |row| length(row.size)))
}

fn bind_audit(statement: Statement, rows: &[AuditRow]) -> Statement {
    statement
        .bind(column(rows, |row| signed(row.number)))
        .bind(column(rows, |row| row.position.cast_signed()))
        .bind(column(rows, |row| row.account.0))
        .bind(column(rows, |row| row.device.0))
        .bind(column(rows, |row| row.document.0))
        .bind(column(rows, |row| row.verb.clone()))
}
