//! The trail's reads, and events behind the last one.

use super::super::trail::{
    Anchors, Dialect, Event, EventsEnd, KeptChange, LinkedEvent, LinkedRun, Mentions, Names, Run, RunsEnd,
    SealedLine, SealedWho, Told, ToldPage, TrailQuery, TrailStorage, WrittenEnd, WrittenRow, gathered,
    open_names,
};
use super::super::{StorageError, Stored, StoredDocument, signed, unsigned};
use super::{SqliteStorage, feeds, id, seal_trails};
use crate::at_rest::{ClinicKeys, NO_CLINIC};
use crate::storage::kind;
use crate::trail::{End, Seals, link_event, seal_on};
use async_trait::async_trait;
use automerge::ChangeHash;
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::json;
use shared_model::ids::{AccountId, ClinicId, DeviceId, DocumentId};
use shared_model::time::Timestamp;
use uuid::Uuid;

/// What [`kept_change`] reads.
macro_rules! kept_columns {
    () => {
        "number, position, document, hash, actor, seq, account, device, accepted_at, signed"
    };
}

#[async_trait]
impl TrailStorage for SqliteStorage {
    async fn note(&self, clinic: ClinicId, events: Vec<Event>) -> Stored<()> {
        let keys = self.keys(clinic).await?;
        self.write(move |connection| note(connection, clinic, &keys, &events))
            .await
    }

    async fn trail_anchors(&self, clinic: ClinicId) -> Stored<Anchors> {
        let keys = self.keys(clinic).await?;
        self.read(move |connection| anchors(connection, clinic, &keys))
            .await
    }

    async fn trail_runs(
        &self,
        clinic: ClinicId,
        after: Option<(u64, u32)>,
        limit: usize,
    ) -> Stored<Vec<LinkedRun>> {
        let after = after.map_or((-1, 0), |(number, position)| (signed(number), position));
        self.read(move |connection| linked_runs(connection, clinic, after, i64::MAX, limit))
            .await
    }

    async fn kept_changes(
        &self,
        clinic: ClinicId,
        after: Option<(u64, u32)>,
        limit: usize,
    ) -> Stored<Vec<(KeptChange, Option<Vec<u8>>)>> {
        let keys = self.keys(clinic).await?;
        self.read(move |connection| opened_changes(connection, clinic, after, limit, &keys))
            .await
    }

    async fn all_documents(
        &self,
        clinic: ClinicId,
        after: Option<DocumentId>,
        limit: usize,
    ) -> Stored<Vec<StoredDocument>> {
        let keys = self.keys(clinic).await?;
        self.read(move |connection| feeds::all_documents(connection, clinic, after, limit, &keys))
            .await
    }

    async fn clinic_roll(&self) -> Stored<Option<Vec<ClinicId>>> {
        let server = self.keys(NO_CLINIC).await?;
        let roll = self.read(seal_trails::roll).await?;
        let sealed = roll.filter(|(roll, seal)| server.has_sealed(&roll.text(), seal.as_deref()));
        Ok(sealed.map(|(roll, _)| roll.0))
    }

    async fn trail_events(&self, clinic: ClinicId, after: u64, limit: usize) -> Stored<Vec<LinkedEvent>> {
        self.read(move |connection| {
            let mut select = connection.prepare_cached(
                "select number, account, device, document, what, at, detail, link from events
                 where clinic = ?1 and number > ?2 order by number limit ?3",
            )?;
            let mut rows = select.query(params![clinic.bytes(), signed(after), limit])?;
            let mut events = Vec::new();
            while let Some(row) = rows.next()? {
                events.push(LinkedEvent {
                    number: unsigned(row.get(0)?),
                    event: Event {
                        account: optional(row, 1, AccountId)?,
                        device: optional(row, 2, DeviceId)?,
                        document: optional(row, 3, DocumentId)?,
                        what: row.get(4)?,
                        at: Timestamp(row.get(5)?),
                        detail: row.get(6)?,
                    },
                    link: row.get(7)?,
                });
            }
            Ok(events)
        })
        .await
    }

    async fn trail(&self, clinic: ClinicId, query: TrailQuery, limit: usize) -> Stored<ToldPage> {
        self.read(move |connection| told(connection, clinic, &query, limit))
            .await
    }

    async fn trail_rows(&self, clinic: ClinicId, rows: Vec<(u64, u32)>) -> Stored<Vec<WrittenRow>> {
        self.read(move |connection| {
            let mut select = connection.prepare_cached(ROWS)?;
            let found = select.query_map(params![clinic.bytes(), json!(rows).to_string()], |row| {
                let hash: Option<[u8; 32]> = row.get(10)?;
                Ok((run(row, 0)?, hash.map(ChangeHash)))
            })?;
            let found: Vec<_> = found.collect::<rusqlite::Result<_>>()?;
            Ok(gathered(found.into_iter()))
        })
        .await
    }

    async fn trail_names(&self, clinic: ClinicId, lines: Vec<Mentions>) -> Stored<Vec<Names>> {
        let keys = self.people_keys().await?;
        self.read(move |connection| Ok(open_names(&keys, &sealed_lines(connection, clinic, lines)?)))
            .await
    }
}

/// Rows with their links, from behind a number and position up to a number.
pub(super) fn linked_runs(
    connection: &Connection,
    clinic: ClinicId,
    (number, position): (i64, u32),
    through: i64,
    limit: usize,
) -> Stored<Vec<LinkedRun>> {
    let mut select = connection.prepare_cached(
        "select a.number, a.position, a.account, a.device, a.document, a.verb, a.at, a.last_at, a.changes, a.hash,
             a.link, a.events, e.link
         from audit a left join events e on e.clinic = a.clinic and e.number = a.events
         where a.clinic = ?1 and (a.number, a.position) > (?2, ?3) and a.number <= ?4
         order by a.number, a.position limit ?5",
    )?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = select.query_map(params![clinic.bytes(), number, position, through, limit], |row| {
        Ok(LinkedRun {
            run: run(row, 0)?,
            link: row.get(10)?,
            events: row.get::<_, Option<i64>>(11)?.map(unsigned),
            happened: row.get(12)?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// From behind a number and position on.
pub(super) fn kept_changes(
    connection: &Connection,
    clinic: ClinicId,
    after: Option<(u64, u32)>,
    limit: usize,
) -> Stored<Vec<KeptChange>> {
    let (number, position) = after.map_or((-1, 0), |(number, position)| (signed(number), position));
    let mut select = connection.prepare_cached(concat!(
        "select ",
        kept_columns!(),
        " from changes
             where clinic = ?1 and (number, position) > (?2, ?3) order by number, position limit ?4"
    ))?;
    let rows = select.query_map(params![clinic.bytes(), number, position, limit], kept_change)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn kept_change(row: &Row) -> rusqlite::Result<KeptChange> {
    Ok(KeptChange {
        number: unsigned(row.get(0)?),
        position: row.get(1)?,
        document: id(row, 2, DocumentId)?,
        hash: ChangeHash(row.get(3)?),
        actor: row.get(4)?,
        seq: unsigned(row.get(5)?),
        account: id(row, 6, AccountId)?,
        device: id(row, 7, DeviceId)?,
        accepted_at: Timestamp(row.get(8)?),
        signed: row.get(9)?,
    })
}

fn opened_changes(
    connection: &Connection,
    clinic: ClinicId,
    after: Option<(u64, u32)>,
    limit: usize,
    keys: &ClinicKeys,
) -> Stored<Vec<(KeptChange, Option<Vec<u8>>)>> {
    let (number, position) = after.map_or((-1, 0), |(number, position)| (signed(number), position));
    let mut select = connection.prepare_cached(concat!(
        "select ",
        kept_columns!(),
        ", bytes,
             (select k.wrapped from document_keys k where k.clinic = c.clinic and k.document = c.document)
             from changes c
             where clinic = ?1 and (number, position) > (?2, ?3) order by number, position limit ?4"
    ))?;
    let rows = select.query_map(params![clinic.bytes(), number, position, limit], |row| {
        let change = kept_change(row)?;
        let wrapped: Option<Vec<u8>> = row.get(11)?;
        let bytes = keys.open_change(change.document, wrapped.as_deref(), row.get(10)?);
        Ok((change, bytes))
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn note(
    connection: &Connection,
    clinic: ClinicId,
    keys: &ClinicKeys,
    events: &[Event],
) -> Stored<()> {
    let (ends, seals) = ends(connection, clinic)?;
    let before = ends.events;
    let mut link = before.link(clinic, ends.written.chained_after);
    let mut insert = connection.prepare_cached(
        "insert into events (clinic, number, at, account, device, document, what, detail, link)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?;
    let mut number = before.events;
    for event in events {
        number += 1;
        link = link_event(clinic, link, number, event);
        insert.execute(params![
            clinic.bytes(),
            signed(number),
            event.at.0,
            event.account.map(|id| *id.bytes()),
            event.device.map(|id| *id.bytes()),
            event.document.map(|id| *id.bytes()),
            event.what,
            event.detail,
            link,
        ])?;
    }
    let end = EventsEnd {
        events: number,
        happened: Some(link),
        ..before
    };
    let seal = seal_on(keys, &before, seals.events.as_deref(), &end)?;
    connection
        .prepare_cached(
            "insert into event_ends (clinic, events, events_end, seal) values (?1, ?2, ?3, ?4)
             on conflict (clinic) do update set events = excluded.events, events_end = excluded.events_end,
                 seal = excluded.seal",
        )?
        .execute(params![clinic.bytes(), signed(number), link, seal])?;
    Ok(())
}

/// Where a clinic's chains stand, and the seals that lie beside it.
pub(super) fn ends(connection: &Connection, clinic: ClinicId) -> Stored<(Anchors, Seals)> {
    let found = connection
        .prepare_cached(
            "select c.chained_after, c.sealed_after, c.head, c.rows_end, c.seal,
                 coalesce(m.horizon, 0), m.runs, m.rows_joint, m.seal,
                 coalesce(e.sealed_after, 0), coalesce(e.events, 0), e.events_end, e.seal
             from clinics c left join compaction m on m.clinic = c.clinic left join event_ends e on e.clinic = c.clinic
             where c.clinic = ?1",
        )?
        .query_row([clinic.bytes()], |row| {
            let anchors = Anchors {
                written: WrittenEnd {
                    chained_after: unsigned(row.get(0)?),
                    sealed_after: unsigned(row.get(1)?),
                    head: unsigned(row.get(2)?),
                    written: row.get(3)?,
                },
                runs: RunsEnd {
                    horizon: unsigned(row.get(5)?),
                    runs: row.get(6)?,
                    joint: row.get(7)?,
                },
                events: EventsEnd {
                    sealed_after: unsigned(row.get(9)?),
                    events: unsigned(row.get(10)?),
                    happened: row.get(11)?,
                },
                unsealed: None,
            };
            let seals = Seals {
                written: row.get(4)?,
                runs: row.get(8)?,
                events: row.get(12)?,
            };
            Ok((anchors, seals))
        })
        .optional()?;
    found.ok_or(StorageError::NoSuchClinic)
}

/// The same, held against the seals.
pub(super) fn anchors(connection: &Connection, clinic: ClinicId, keys: &ClinicKeys) -> Stored<Anchors> {
    let (anchors, seals) = ends(connection, clinic)?;
    Ok(Anchors {
        unsealed: seals.broken(keys, &anchors),
        ..anchors
    })
}

/// From the column of `number` on.
fn run(row: &Row<'_>, first: usize) -> rusqlite::Result<Run> {
    Ok(Run {
        number: unsigned(row.get(first)?),
        position: row.get(first + 1)?,
        account: id(row, first + 2, AccountId)?,
        device: id(row, first + 3, DeviceId)?,
        document: id(row, first + 4, DocumentId)?,
        verb: row.get(first + 5)?,
        at: Timestamp(row.get(first + 6)?),
        last_at: row.get::<_, Option<i64>>(first + 7)?.map(Timestamp),
        changes: row.get(first + 8)?,
        hash: row.get(first + 9)?,
    })
}

/// An id that may be missing.
fn optional<T>(row: &Row<'_>, column: usize, make: impl Fn(Uuid) -> T) -> rusqlite::Result<Option<T>> {
    let bytes: Option<[u8; 16]> = row.get(column)?;
    Ok(bytes.map(|bytes| make(Uuid::from_bytes(bytes))))
}

/// It chooses by what it knows of its tables, which is nothing: each bound makes a stretch look as short as any other.
const DIALECT: Dialect = Dialect {
    mark: '?',
    is_one_of: |column, parameter| format!("{column} in (select value from json_each(?{parameter}))"),
    along: |index| format!(" indexed by {index}"),
};

fn told(connection: &Connection, clinic: ClinicId, query: &TrailQuery, limit: usize) -> Stored<ToldPage> {
    let mut select = connection.prepare_cached(&query.sql(&DIALECT))?;
    let bounds = query.bounds();
    let (at, is_event, number, position) = bounds.below;
    let mut rows = select.query(params![
        clinic.bytes(),
        query.account.map(|id| *id.bytes()),
        query.device.map(|id| *id.bytes()),
        query.document.map(|id| *id.bytes()),
        json!(query.verbs).to_string(),
        json!(query.happenings).to_string(),
        bounds.from,
        bounds.runs_from,
        bounds.until,
        at,
        is_event,
        number,
        position,
        limit,
    ])?;
    let mut page = ToldPage::default();
    while let Some(row) = rows.next()? {
        let number = unsigned(row.get(1)?);
        page.horizon = unsigned(row.get(12)?);
        page.told.push(match row.get(0)? {
            true => Told::Happened(
                number,
                Event {
                    at: Timestamp(row.get(7)?),
                    account: optional(row, 3, AccountId)?,
                    device: optional(row, 4, DeviceId)?,
                    document: optional(row, 5, DocumentId)?,
                    what: row.get(6)?,
                    detail: row.get(11)?,
                },
            ),
            false => Told::Written(run(row, 1)?),
        });
    }
    Ok(page)
}

/// A row for each change of a line; a line's own numbers come as a list of pairs.
const ROWS: &str = "
    select a.number, a.position, a.account, a.device, a.document, a.verb, a.at, a.last_at, a.changes, a.hash, c.hash
    from json_each(?2) line
    join audit a on a.clinic = ?1 and a.number = (line.value ->> 0) and a.position = (line.value ->> 1)
    left join changes c on c.clinic = ?1 and c.number = a.number and c.position >= a.position
        and c.position < coalesce((select min(later.position) from audit later
            where later.clinic = ?1 and later.number = a.number and later.position > a.position), 4294967295)
    order by a.number, a.position, c.position";

/// One row for each line, in their order: ids come as hexadecimal in a list of lists.
const NAMES: &str = "
    select r.kind, a.account is not null, ak.wrapped, a.full_name, d.device is not null, d.name,
        o.account is not null, ok.wrapped, o.full_name, od.device is not null, od.name
    from json_each(?2) line
    left join accounts a on a.account = unhex(line.value ->> 0)
    left join person_keys ak on ak.account = unhex(line.value ->> 0)
    left join devices d on d.account = unhex(line.value ->> 0) and d.device = unhex(line.value ->> 1)
    left join documents r on r.clinic = ?1 and r.id = unhex(line.value ->> 2)
    left join accounts o on o.account = unhex(line.value ->> 3)
    left join person_keys ok on ok.account = unhex(line.value ->> 3)
    left join devices od on od.account = unhex(line.value ->> 3) and od.device = unhex(line.value ->> 4)
    order by line.key";

fn sealed_lines(
    connection: &Connection,
    clinic: ClinicId,
    lines: Vec<Mentions>,
) -> Stored<Vec<(Mentions, SealedLine)>> {
    let ids = |line: &Mentions| {
        [
            line.account.map(|id| hex::encode(id.bytes())),
            line.device.map(|id| hex::encode(id.bytes())),
            line.document.map(|id| hex::encode(id.bytes())),
            line.of.map(|id| hex::encode(id.bytes())),
            line.of_device.map(|id| hex::encode(id.bytes())),
        ]
    };
    let asked: Vec<_> = lines.iter().map(ids).collect();
    let mut select = connection.prepare_cached(NAMES)?;
    let mut rows = select.query(params![clinic.bytes(), json!(asked).to_string()])?;
    let mut sealed = Vec::with_capacity(lines.len());
    for line in lines {
        let Some(row) = rows.next()? else { break };
        let found = SealedLine {
            document: row.get::<_, Option<i64>>(0)?.map(kind).transpose()?,
            who: sealed_who(row, 1)?,
            of: sealed_who(row, 6)?,
        };
        sealed.push((line, found));
    }
    Ok(sealed)
}

/// From the column on that says whether they are there.
fn sealed_who(row: &Row<'_>, first: usize) -> rusqlite::Result<SealedWho> {
    Ok(SealedWho {
        is_known: row.get(first)?,
        wrapped: row.get(first + 1)?,
        full_name: row.get(first + 2)?,
        has_device: row.get(first + 3)?,
        device_name: row.get(first + 4)?,
    })
}

#[cfg(test)]
mod tests {
    use super::super::{migrate, prepare};
    use super::*;
    use crate::storage::trail::bounded_questions;

    /// How it reads tables: by which index, and by which of its columns.
    fn plan(connection: &Connection, query: &TrailQuery) -> Vec<String> {
        let sql = format!("explain query plan {}", query.sql(&DIALECT));
        let mut explain = connection.prepare(&sql).expect("a question");
        let mut steps = explain.raw_query();
        let mut found: Vec<String> = Vec::new();
        while let Some(step) = steps.next().expect("a plan") {
            found.push(step.get(3).expect("a step"));
        }
        found.retain(|step| step.contains(" audit") || step.contains(" events"));
        found
    }

    fn is_bounded(plan: &[String], rows: &str, events: &str) -> bool {
        let is_by = |table: &str, index: &str| {
            let found = format!("SEARCH {table} USING INDEX {index} (clinic=?");
            let steps: Vec<_> = plan.iter().filter(|step| step.contains(table)).collect();
            matches!(steps.as_slice(), [step] if step.starts_with(&found) && step.contains("at>? AND at<?"))
        };
        is_by("audit", rows) && is_by("events", events)
    }

    #[test]
    fn a_filter_reads_no_more_than_its_stretch_of_an_index() {
        let mut connection = Connection::open_in_memory().expect("opens");
        prepare(&connection).expect("prepared");
        migrate(&mut connection).expect("migrated");
        for (query, rows, events) in bounded_questions() {
            let with_them = plan(&connection, &query);
            assert!(is_bounded(&with_them, rows, events), "{query:?}: {with_them:#?}");
        }
    }
}
