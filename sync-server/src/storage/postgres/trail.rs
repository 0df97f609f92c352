//! The trail's reads, and events behind the last one.

use super::super::trail::{
    Anchors, Dialect, Event, EventsEnd, KeptChange, Link, LinkedEvent, LinkedRun, Mentions, Names, Run,
    RunsEnd, SealedLine, SealedWho, Told, ToldPage, TrailQuery, TrailStorage, WrittenEnd, WrittenRow,
    gathered, open_names,
};
use super::super::{StorageError, Stored, StoredDocument, signed, unsigned};
use super::{PostgresStorage, count, feeds, id, seal_trails};
use crate::at_rest::{ClinicKeys, NO_CLINIC};
use crate::storage::kind;
use crate::trail::{End, Seals, link_event, seal_on};
use async_trait::async_trait;
use automerge::ChangeHash;
use shared_model::ids::{AccountId, ClinicId, DeviceId, DocumentId};
use shared_model::time::Timestamp;
use sqlx::postgres::{PgArguments, PgConnection, PgRow};
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, Postgres, Row};
use uuid::Uuid;

/// What [`kept_change`] reads.
macro_rules! kept_columns {
    () => {
        "number, position, document, hash, actor, seq, account, device, accepted_at, signed"
    };
}

#[async_trait]
impl TrailStorage for PostgresStorage {
    async fn note(&self, clinic: ClinicId, events: Vec<Event>) -> Stored<()> {
        let keys = self.keys(clinic).await?;
        let mut tx = self.pool.begin().await?;
        note(&mut tx, clinic, &keys, &events).await?;
        Ok(tx.commit().await?)
    }

    async fn trail_anchors(&self, clinic: ClinicId) -> Stored<Anchors> {
        let keys = self.keys(clinic).await?;
        anchors(&mut *self.pool.acquire().await?, clinic, &keys).await
    }

    async fn trail_runs(
        &self,
        clinic: ClinicId,
        after: Option<(u64, u32)>,
        limit: usize,
    ) -> Stored<Vec<LinkedRun>> {
        let mut connection = self.pool.acquire().await?;
        linked_runs(&mut connection, clinic, after, None, Some(limit)).await
    }

    async fn kept_changes(
        &self,
        clinic: ClinicId,
        after: Option<(u64, u32)>,
        limit: usize,
    ) -> Stored<Vec<(KeptChange, Option<Vec<u8>>)>> {
        let keys = self.keys(clinic).await?;
        let (number, position) = after.map_or((-1, 0), place);
        let rows = sqlx::query(concat!(
            "select ",
            kept_columns!(),
            ", bytes,
             (select k.wrapped from document_keys k where k.clinic = c.clinic and k.document = c.document)
             from changes c
             where clinic = $1 and (number, position) > ($2, $3) order by number, position limit $4"
        ))
        .bind(clinic.0)
        .bind(number)
        .bind(position)
        .bind(signed(limit as u64))
        .fetch_all(&self.pool)
        .await?;
        let read = |row: &PgRow| {
            let change = kept_change(row)?;
            let wrapped: Option<Vec<u8>> = row.try_get(11)?;
            let bytes = keys.open_change(change.document, wrapped.as_deref(), row.try_get(10)?);
            Ok((change, bytes))
        };
        rows.iter().map(read).collect()
    }

    async fn all_documents(
        &self,
        clinic: ClinicId,
        after: Option<DocumentId>,
        limit: usize,
    ) -> Stored<Vec<StoredDocument>> {
        let keys = self.keys(clinic).await?;
        let rows = sqlx::query(concat!(
            "select ",
            feeds::document_columns!(),
            " from documents d where d.clinic = $1 and ($2::uuid is null or d.id > $2) order by d.id limit $3"
        ))
        .bind(clinic.0)
        .bind(after.map(|id| id.0))
        .bind(signed(limit as u64))
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(|row| feeds::read_document(row, &keys)).collect()
    }

    async fn clinic_roll(&self) -> Stored<Option<Vec<ClinicId>>> {
        let server = self.keys(NO_CLINIC).await?;
        let roll = seal_trails::roll(&mut *self.pool.acquire().await?).await?;
        let sealed = roll.filter(|(roll, seal)| server.has_sealed(&roll.text(), seal.as_deref()));
        Ok(sealed.map(|(roll, _)| roll.0))
    }

    async fn trail_events(&self, clinic: ClinicId, after: u64, limit: usize) -> Stored<Vec<LinkedEvent>> {
        let rows = sqlx::query(
            "select number, account, device, document, what, at, detail, link from events
             where clinic = $1 and number > $2 order by number limit $3",
        )
        .bind(clinic.0)
        .bind(signed(after))
        .bind(signed(limit as u64))
        .fetch_all(&self.pool)
        .await?;
        let read = |row: &PgRow| {
            Ok(LinkedEvent {
                number: count(row, 0)?,
                event: Event {
                    account: row.try_get::<Option<Uuid>, _>(1)?.map(AccountId),
                    device: row.try_get::<Option<Uuid>, _>(2)?.map(DeviceId),
                    document: row.try_get::<Option<Uuid>, _>(3)?.map(DocumentId),
                    what: row.try_get(4)?,
                    at: Timestamp(row.try_get(5)?),
                    detail: row.try_get(6)?,
                },
                link: link_at(row, 7)?
                    .ok_or_else(|| StorageError::Failed("an event without a link".to_owned()))?,
            })
        };
        rows.iter().map(read).collect()
    }

    async fn trail(&self, clinic: ClinicId, query: TrailQuery, limit: usize) -> Stored<ToldPage> {
        let asked = ask(query.sql(&DIALECT), clinic, &query, limit);
        let rows = asked.fetch_all(&self.pool).await?;
        let horizon = rows.first().map(|row| count(row, 12)).transpose()?;
        let read = |row: &PgRow| {
            Ok(match row.try_get::<i32, _>(0)? {
                0 => Told::Written(run(row, 1)?),
                _ => Told::Happened(
                    count(row, 1)?,
                    Event {
                        at: Timestamp(row.try_get(7)?),
                        account: row.try_get::<Option<Uuid>, _>(3)?.map(AccountId),
                        device: row.try_get::<Option<Uuid>, _>(4)?.map(DeviceId),
                        document: row.try_get::<Option<Uuid>, _>(5)?.map(DocumentId),
                        what: row.try_get(6)?,
                        detail: row.try_get(11)?,
                    },
                ),
            })
        };
        Ok(ToldPage {
            told: rows.iter().map(read).collect::<Stored<_>>()?,
            horizon: horizon.unwrap_or_default(),
        })
    }

    async fn trail_rows(&self, clinic: ClinicId, rows: Vec<(u64, u32)>) -> Stored<Vec<WrittenRow>> {
        let (numbers, positions): (Vec<i64>, Vec<i32>) = rows
            .into_iter()
            .map(|(number, position)| (signed(number), position.cast_signed()))
            .unzip();
        let found = sqlx::query(ROWS)
            .bind(clinic.0)
            .bind(numbers)
            .bind(positions)
            .fetch_all(&self.pool)
            .await?;
        let read = |row: &PgRow| Stored::Ok((run(row, 0)?, link_at(row, 10)?.map(ChangeHash)));
        let found: Vec<_> = found.iter().map(read).collect::<Stored<_>>()?;
        Ok(gathered(found.into_iter()))
    }

    async fn trail_names(&self, clinic: ClinicId, lines: Vec<Mentions>) -> Stored<Vec<Names>> {
        let keys = self.people_keys().await?;
        let column = |id: fn(&Mentions) -> Option<Uuid>| lines.iter().map(id).collect::<Vec<_>>();
        let rows = sqlx::query(NAMES)
            .bind(clinic.0)
            .bind(column(|line| line.account.map(|id| id.0)))
            .bind(column(|line| line.device.map(|id| id.0)))
            .bind(column(|line| line.document.map(|id| id.0)))
            .bind(column(|line| line.of.map(|id| id.0)))
            .bind(column(|line| line.of_device.map(|id| id.0)))
            .fetch_all(&self.pool)
            .await?;
        let sealed = |row: &PgRow| {
            let kind_of = row.try_get::<Option<i16>, _>(0)?;
            Stored::Ok(SealedLine {
                document: kind_of.map(|number| kind(number.into())).transpose()?,
                who: sealed_who(row, 1)?,
                of: sealed_who(row, 6)?,
            })
        };
        let found: Vec<SealedLine> = rows.iter().map(sealed).collect::<Stored<_>>()?;
        let lines: Vec<_> = lines.into_iter().zip(found).collect();
        let opened = tokio::task::spawn_blocking(move || open_names(&keys, &lines)).await;
        opened.map_err(|error| StorageError::Failed(format!("opening names ended: {error}")))
    }
}

/// From the column on that says whether they are there.
fn sealed_who(row: &PgRow, first: usize) -> Stored<SealedWho> {
    Ok(SealedWho {
        is_known: row.try_get(first)?,
        wrapped: row.try_get(first + 1)?,
        full_name: row.try_get(first + 2)?,
        has_device: row.try_get(first + 3)?,
        device_name: row.try_get(first + 4)?,
    })
}

/// A row for each change of a line.
const ROWS: &str = "
    select a.number, a.position, a.account, a.device, a.document, a.verb, a.at, a.last_at, a.changes, a.hash, c.hash
    from unnest($2::bigint[], $3::integer[]) as line (number, position)
    join audit a on a.clinic = $1 and a.number = line.number and a.position = line.position
    left join changes c on c.clinic = $1 and c.number = a.number and c.position >= a.position
        and c.position < coalesce((select min(later.position) from audit later
            where later.clinic = $1 and later.number = a.number and later.position > a.position), 2147483647)
    order by a.number, a.position, c.position";

/// One row for each line, in their order.
const NAMES: &str = "
    select r.kind, a.account is not null, ak.wrapped, a.full_name, d.device is not null, d.name,
        o.account is not null, ok.wrapped, o.full_name, od.device is not null, od.name
    from unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::uuid[]) with ordinality
        as line (account, device, document, of_account, of_device, place)
    left join accounts a on a.account = line.account
    left join person_keys ak on ak.account = line.account
    left join devices d on d.account = line.account and d.device = line.device
    left join documents r on r.clinic = $1 and r.id = line.document
    left join accounts o on o.account = line.of_account
    left join person_keys ok on ok.account = line.of_account
    left join devices od on od.account = line.of_account and od.device = line.of_device
    order by line.place";

const DIALECT: Dialect = Dialect {
    mark: '$',
    is_one_of: |column, parameter| format!("{column} = any(${parameter})"),
    along: |_| String::new(),
};

/// The question in `sql`, which is the query's or one about it.
fn ask(
    sql: String,
    clinic: ClinicId,
    query: &TrailQuery,
    limit: usize,
) -> Query<'static, Postgres, PgArguments> {
    let bounds = query.bounds();
    let (at, is_event, number, position) = bounds.below;
    sqlx::query(AssertSqlSafe(sql))
        .bind(clinic.0)
        .bind(query.account.map(|id| id.0))
        .bind(query.device.map(|id| id.0))
        .bind(query.document.map(|id| id.0))
        .bind(query.verbs.clone())
        .bind(query.happenings.clone())
        .bind(bounds.from)
        .bind(bounds.runs_from)
        .bind(bounds.until)
        .bind(at)
        .bind(is_event)
        .bind(number)
        .bind(position)
        .bind(signed(limit as u64))
}

/// From the column of `number` on.
fn run(row: &PgRow, first: usize) -> Stored<Run> {
    Ok(Run {
        number: count(row, first)?,
        position: row.try_get::<i32, _>(first + 1)?.cast_unsigned(),
        account: id(row, first + 2, AccountId)?,
        device: id(row, first + 3, DeviceId)?,
        document: id(row, first + 4, DocumentId)?,
        verb: row.try_get(first + 5)?,
        at: Timestamp(row.try_get(first + 6)?),
        last_at: row.try_get::<Option<i64>, _>(first + 7)?.map(Timestamp),
        changes: row.try_get::<Option<i32>, _>(first + 8)?.map(i32::cast_unsigned),
        hash: link_at(row, first + 9)?,
    })
}

/// A column of 32 bytes.
pub(super) fn link_at(row: &PgRow, column: usize) -> Stored<Option<Link>> {
    let bytes: Option<Vec<u8>> = row.try_get(column)?;
    let link = |bytes: Vec<u8>| {
        Link::try_from(bytes).map_err(|_| StorageError::Failed("a hash of another length".to_owned()))
    };
    bytes.map(link).transpose()
}

/// A position behind or at which rows begin, as a pair of columns.
fn place((number, position): (u64, u32)) -> (i64, i32) {
    (signed(number), i32::try_from(position).unwrap_or(i32::MAX))
}

/// Rows with their links, from behind a number and position up to a number.
pub(super) async fn linked_runs(
    connection: &mut PgConnection,
    clinic: ClinicId,
    after: Option<(u64, u32)>,
    through: Option<u64>,
    limit: Option<usize>,
) -> Stored<Vec<LinkedRun>> {
    let (number, position) = after.map_or((-1, 0), place);
    let rows = sqlx::query(
        "select a.number, a.position, a.account, a.device, a.document, a.verb, a.at, a.last_at, a.changes, a.hash,
             a.link, a.events, e.link
         from audit a left join events e on e.clinic = a.clinic and e.number = a.events
         where a.clinic = $1 and (a.number, a.position) > ($2, $3) and a.number <= $4
         order by a.number, a.position limit $5",
    )
    .bind(clinic.0)
    .bind(number)
    .bind(position)
    .bind(through.map_or(i64::MAX, signed))
    .bind(limit.map(|limit| signed(limit as u64)))
    .fetch_all(connection)
    .await?;
    let read = |row: &PgRow| {
        Ok(LinkedRun {
            run: run(row, 0)?,
            link: link_at(row, 10)?,
            events: row.try_get::<Option<i64>, _>(11)?.map(unsigned),
            happened: link_at(row, 12)?,
        })
    };
    rows.iter().map(read).collect()
}

/// From behind a number and position on.
pub(super) async fn kept_changes(
    connection: &mut PgConnection,
    clinic: ClinicId,
    after: Option<(u64, u32)>,
    limit: usize,
) -> Stored<Vec<KeptChange>> {
    let (number, position) = after.map_or((-1, 0), place);
    let rows = sqlx::query(concat!(
        "select ",
        kept_columns!(),
        " from changes
             where clinic = $1 and (number, position) > ($2, $3) order by number, position limit $4"
    ))
    .bind(clinic.0)
    .bind(number)
    .bind(position)
    .bind(signed(limit as u64))
    .fetch_all(connection)
    .await?;
    rows.iter().map(kept_change).collect()
}

fn kept_change(row: &PgRow) -> Stored<KeptChange> {
    let hash = link_at(row, 3)?.ok_or_else(|| StorageError::Failed("a change without a hash".to_owned()))?;
    Ok(KeptChange {
        number: count(row, 0)?,
        position: row.try_get::<i32, _>(1)?.cast_unsigned(),
        document: id(row, 2, DocumentId)?,
        hash: ChangeHash(hash),
        actor: row.try_get(4)?,
        seq: count(row, 5)?,
        account: id(row, 6, AccountId)?,
        device: id(row, 7, DeviceId)?,
        accepted_at: Timestamp(row.try_get(8)?),
        signed: row.try_get(9)?,
    })
}

/// Where a clinic's chains stand, and the seals that lie beside it.
pub(super) async fn ends(connection: &mut PgConnection, clinic: ClinicId) -> Stored<(Anchors, Seals)> {
    let row = sqlx::query(
        "select c.chained_after, c.sealed_after, c.head, c.rows_end, c.seal,
             coalesce(m.horizon, 0), m.runs, m.rows_joint, m.seal,
             coalesce(e.sealed_after, 0), coalesce(e.events, 0), e.events_end, e.seal
         from clinics c left join compaction m on m.clinic = c.clinic left join event_ends e on e.clinic = c.clinic
         where c.clinic = $1",
    )
    .bind(clinic.0)
    .fetch_optional(connection)
    .await?
    .ok_or(StorageError::NoSuchClinic)?;
    let anchors = Anchors {
        written: WrittenEnd {
            chained_after: count(&row, 0)?,
            sealed_after: count(&row, 1)?,
            head: count(&row, 2)?,
            written: link_at(&row, 3)?,
        },
        runs: RunsEnd {
            horizon: count(&row, 5)?,
            runs: link_at(&row, 6)?,
            joint: link_at(&row, 7)?,
        },
        events: EventsEnd {
            sealed_after: count(&row, 9)?,
            events: count(&row, 10)?,
            happened: link_at(&row, 11)?,
        },
        unsealed: None,
    };
    let seals = Seals {
        written: row.try_get(4)?,
        runs: row.try_get(8)?,
        events: row.try_get(12)?,
    };
    Ok((anchors, seals))
}

/// The same, held against the seals.
pub(super) async fn anchors(
    connection: &mut PgConnection,
    clinic: ClinicId,
    keys: &ClinicKeys,
) -> Stored<Anchors> {
    let (anchors, seals) = ends(connection, clinic).await?;
    Ok(Anchors {
        unsealed: seals.broken(keys, &anchors),
        ..anchors
    })
}

pub(super) async fn note(
    connection: &mut PgConnection,
    clinic: ClinicId,
    keys: &ClinicKeys,
    events: &[Event],
) -> Stored<()> {
    sqlx::query("insert into event_ends (clinic, events) values ($1, 0) on conflict do nothing")
        .bind(clinic.0)
        .execute(&mut *connection)
        .await?;
    let row = sqlx::query(
        "select c.chained_after, e.sealed_after, e.events, e.events_end, e.seal from event_ends e join clinics c using (clinic)
         where clinic = $1 for update of e",
    )
    .bind(clinic.0)
    .fetch_optional(&mut *connection)
    .await?
    .ok_or(StorageError::NoSuchClinic)?;
    let before = EventsEnd {
        sealed_after: count(&row, 1)?,
        events: count(&row, 2)?,
        happened: link_at(&row, 3)?,
    };
    let mut link = before.link(clinic, count(&row, 0)?);
    let mut number = before.events;
    let first = number + 1;
    let mut links = Vec::with_capacity(events.len());
    for event in events {
        number += 1;
        link = link_event(clinic, link, number, event);
        links.push(link.to_vec());
    }
    sqlx::query(
        "insert into events (clinic, number, at, account, device, document, what, detail, link)
         select $1, * from unnest($2::bigint[], $3::bigint[], $4::uuid[], $5::uuid[], $6::uuid[], $7::text[],
             $8::text[], $9::bytea[])",
    )
    .bind(clinic.0)
    .bind((first..=number).map(signed).collect::<Vec<_>>())
    .bind(events.iter().map(|event| event.at.0).collect::<Vec<_>>())
    .bind(
        events
            .iter()
            .map(|event| event.account.map(|id| id.0))
            .collect::<Vec<_>>(),
    )
    .bind(
        events
            .iter()
            .map(|event| event.device.map(|id| id.0))
            .collect::<Vec<_>>(),
    )
    .bind(
        events
            .iter()
            .map(|event| event.document.map(|id| id.0))
            .collect::<Vec<_>>(),
    )
    .bind(events.iter().map(|event| event.what.clone()).collect::<Vec<_>>())
    .bind(
        events
            .iter()
            .map(|event| event.detail.clone())
            .collect::<Vec<_>>(),
    )
    .bind(links)
    .execute(&mut *connection)
    .await?;
    let end = EventsEnd {
        events: number,
        happened: Some(link),
        ..before
    };
    let seal = seal_on(keys, &before, row.try_get(4)?, &end)?;
    sqlx::query("update event_ends set events = $2, events_end = $3, seal = $4 where clinic = $1")
        .bind(clinic.0)
        .bind(signed(number))
        .bind(link.to_vec())
        .bind(seal)
        .execute(&mut *connection)
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::at_rest::MasterKey;
    use crate::storage::trail::bounded_questions;
    use throw_away_postgres::Cluster;

    const CLINIC: ClinicId = ClinicId(Uuid::from_u128(1));

    /// How it reads a table: each step with what it looks for in an index.
    async fn plan(connection: &mut PgConnection, query: &TrailQuery) -> String {
        let sql = format!("explain (costs off) {}", query.sql(&DIALECT));
        let steps = ask(sql, CLINIC, query, 100).fetch_all(connection).await;
        let steps = steps.expect("a plan");
        let steps = steps.iter().map(|step| step.get::<String, _>(0) + "\n");
        steps.collect()
    }

    fn is_bounded(plan: &str, rows: &str, events: &str) -> bool {
        let is_by = |table: &str, index: &str| {
            let condition = plan
                .split_once(&format!("Index Scan Backward using {index} on {table}\n"))
                .and_then(|(_, rest)| rest.trim_start().lines().next());
            condition.is_some_and(|line| {
                line.starts_with("Index Cond:") && line.contains("(at >= ") && line.contains("(at <= ")
            })
        };
        is_by("audit", rows) && is_by("events", events)
    }

    #[tokio::test]
    async fn a_filter_reads_no_more_than_its_stretch_of_an_index() {
        let cluster = Cluster::start();
        let masters = MasterKey::from_bytes([1; 32]).into();
        let storage = PostgresStorage::connect(&cluster.url(), masters)
            .await
            .expect("connects");
        let id = |of: &str| format!("lpad(to_hex({of}), 32, '0')::uuid");
        // A fortieth each of so many people and records, over months: what a planner has to choose for.
        let filled = format!(
            "insert into audit (clinic, number, position, account, device, document, verb, at)
             select {clinic}, one, 0, {part}, {part}, {part}, 'edit_patient', one * 1000
             from generate_series(1, 20000) as one;
             insert into events (clinic, number, account, device, document, what, at, detail, link)
             select {clinic}, one, {part}, {part}, {part}, 'record_read', one * 1000, '{{}}', ''
             from generate_series(1, 20000) as one;
             analyze",
            clinic = id("1"),
            part = id("one % 40"),
        );
        let mut tx = storage.pool.begin().await.expect("begins");
        sqlx::raw_sql(AssertSqlSafe(filled))
            .execute(&mut *tx)
            .await
            .expect("filled");
        for (query, rows, events) in bounded_questions() {
            let with_them = plan(&mut tx, &query).await;
            assert!(is_bounded(&with_them, rows, events), "{query:?}:\n{with_them}");
        }
    }
}
