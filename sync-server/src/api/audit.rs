//! The trail for a clinic's administrators: who did what, when and on which device, with filters, page by page or as CSV.
//!
//! Invariant: it tells of the clinic of the access token and of no other, and only to its administrators. What stood
//! before and after a change is in the document's own history (`audit_changes.rs`).

use super::audit_cursor::{Cursor, line_id};
use super::request::Asker;
use crate::error::ApiError;
use crate::identity::AccessClaims;
use crate::server::AppState;
use crate::storage::trail::{Mentions, Told, ToldPage, TrailQuery};
use crate::storage::{Storage, Stored};
use axum::Json;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde::Deserialize;
use serde_json::json;
use shared_model::ids::{AccountId, ClinicId, DeviceId, DocumentId};
use shared_model::permissions::Role;
use shared_model::time::Timestamp;
use shared_model::trail::{Detail, Happening, LONGEST_PAGE, PAGE, TrailEntry, TrailPage, csv_cell};

/// What to look for; everything that is left out is any.
#[derive(Clone, Deserialize)]
pub(crate) struct Wanted {
    person: Option<AccountId>,
    device: Option<DeviceId>,
    document: Option<DocumentId>,
    /// What changes call themselves, and what happened: words, with commas. Whoever names one of the two gets only that.
    verb: Option<String>,
    happening: Option<String>,
    /// In milliseconds since 1970; `to` is the first moment that is not wanted.
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    /// As the page before gave it.
    cursor: Option<String>,
    limit: Option<usize>,
}

pub(crate) async fn audit(
    State(state): State<AppState>,
    asker: Asker,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Response, ApiError> {
    let (mut reading, limit) = asked(&asker, wanted)?;
    // A page that people read is asked for again and again. A cursor proves nothing: who is told where a page begins may
    // have asked for one line before it.
    if limit > PAGE {
        note_export(&state, &asker).await?;
    }
    let (entries, goes_on) = reading.next_page(state.storage.as_ref(), limit).await?;
    let page = TrailPage {
        next: goes_on.then(|| reading.cursor.text()),
        entries,
    };
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(page)).into_response())
}

/// All of it, however much, as it is read.
pub(crate) async fn audit_csv(
    State(state): State<AppState>,
    asker: Asker,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Response, ApiError> {
    let (reading, _) = asked(&asker, wanted)?;
    note_export(&state, &asker).await?;
    let text = String::from(
        "at,last_at,changes,person,person_name,device,device_name,document,kind,is_happening,verb,change,detail\r\n",
    );
    let export = Export {
        state,
        claims: asker.claims,
        reading,
        text,
    };
    let pages = stream::unfold(Some(export), async |export| Some(next_rows(export?).await));
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"audit.csv\""),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, Body::from_stream(pages)).into_response())
}

/// A reading of a clinic's trail: what is looked for, and how far it has come.
struct Reading {
    clinic: ClinicId,
    query: TrailQuery,
    cursor: Cursor,
}

impl Reading {
    /// The next lines, and whether there are more behind them.
    async fn next_page(&mut self, storage: &dyn Storage, limit: usize) -> Stored<(Vec<TrailEntry>, bool)> {
        let query = TrailQuery {
            below: self.cursor.below,
            ..self.query.clone()
        };
        // One more than is told, to know whether there is a next page.
        let ToldPage { mut told, horizon } = storage.trail(self.clinic, query, limit + 1).await?;
        let goes_on = told.len() > limit;
        told.truncate(limit);
        self.cursor.shorten(&mut told);
        self.cursor.move_behind(&told, horizon);
        Ok((named(storage, self.clinic, told).await?, goes_on))
    }
}

/// A table on its way to somebody, with the text that goes before its next rows.
struct Export {
    state: AppState,
    claims: AccessClaims,
    reading: Reading,
    text: String,
}

/// It may take long, so that whoever takes it may have lost the right to meanwhile.
async fn next_rows(mut export: Export) -> (Result<String, std::io::Error>, Option<Export>) {
    let page = async {
        Asker::behind(&export.state, export.claims.clone())
            .await?
            .is(Role::ClinicAdministrator)?;
        let storage = export.state.storage.as_ref();
        Ok::<_, ApiError>(export.reading.next_page(storage, LONGEST_PAGE).await?)
    };
    match page.await {
        // The connection breaks off: half a file must not look like a whole one.
        Err(error) => {
            tracing::warn!(account = %export.claims.account, %error, "an export of the trail breaks off");
            (Err(std::io::Error::other(error)), None)
        }
        Ok((entries, goes_on)) => {
            let mut text = std::mem::take(&mut export.text);
            text.extend(entries.iter().map(csv_row));
            (Ok(text), goes_on.then_some(export))
        }
    }
}

fn asked(asker: &Asker, wanted: Result<Query<Wanted>, QueryRejection>) -> Result<(Reading, usize), ApiError> {
    asker.is(Role::ClinicAdministrator)?;
    let Query(wanted) = wanted.map_err(|rejection| malformed(rejection.body_text()))?;
    let cursor = match &wanted.cursor {
        None => Cursor::default(),
        Some(text) => {
            Cursor::parse(text).ok_or_else(|| malformed("the cursor is none of ours".to_owned()))?
        }
    };
    let query = TrailQuery {
        account: wanted.person,
        device: wanted.device,
        document: wanted.document,
        verbs: words(wanted.verb.as_deref()),
        happenings: words(wanted.happening.as_deref()),
        from: wanted.from,
        to: wanted.to,
        below: None,
    };
    let reading = Reading {
        clinic: asker.principal.clinic,
        query,
        cursor,
    };
    Ok((reading, wanted.limit.unwrap_or(PAGE).clamp(1, LONGEST_PAGE)))
}

fn words(list: Option<&str>) -> Vec<String> {
    list.into_iter()
        .flat_map(|words| words.split(','))
        .map(str::to_owned)
        .collect()
}

/// Whoever takes the trail with them stands in it.
async fn note_export(state: &AppState, asker: &Asker) -> Stored<()> {
    let now = state.settings.clock.now();
    let exported = asker.event(Happening::TrailExported, now, &Detail::default());
    state.storage.note(asker.principal.clinic, vec![exported]).await
}

pub(super) fn malformed(detail: String) -> ApiError {
    ApiError::BadRequest {
        status: StatusCode::BAD_REQUEST,
        detail,
    }
}

/// The lines with the names of whom and what they are about.
async fn named(storage: &dyn Storage, clinic: ClinicId, told: Vec<Told>) -> Stored<Vec<TrailEntry>> {
    let mut entries: Vec<TrailEntry> = told.into_iter().map(entry).collect();
    if entries.is_empty() {
        return Ok(entries);
    }
    let names = storage
        .trail_names(clinic, entries.iter().map(mentions).collect())
        .await?;
    for (entry, names) in entries.iter_mut().zip(names) {
        entry.person_name = names.account;
        entry.device_name = names.device;
        entry.kind = names.document;
        entry.of_name = names.of;
        entry.of_device_name = names.of_device;
    }
    Ok(entries)
}

fn mentions(entry: &TrailEntry) -> Mentions {
    let detail = entry.detail.as_ref();
    Mentions {
        account: entry.person,
        device: entry.device,
        document: entry.document,
        of: detail.and_then(|detail| detail.of),
        of_device: detail.and_then(|detail| detail.device),
    }
}

fn entry(told: Told) -> TrailEntry {
    let id = line_id(told.place());
    match told {
        Told::Written(run) => TrailEntry {
            last_at: run.last_at,
            changes: run.changes,
            person: Some(run.account),
            device: Some(run.device),
            document: Some(run.document),
            change: run.hash.map(hex::encode),
            ..TrailEntry::new(id, run.at, run.verb)
        },
        Told::Happened(_, event) => TrailEntry {
            person: event.account,
            device: event.device,
            document: event.document,
            is_happening: true,
            detail: serde_json::from_str(&event.detail).ok(),
            ..TrailEntry::new(id, event.at, event.what)
        },
    }
}

fn csv_row(entry: &TrailEntry) -> String {
    let text = |value: Option<String>| value.unwrap_or_default();
    let detail = entry.detail.as_ref().map(|detail| json!(detail).to_string());
    let cells = [
        entry.at.rfc3339(),
        text(entry.last_at.map(Timestamp::rfc3339)),
        text(entry.changes.map(|count| count.to_string())),
        text(entry.person.map(|id| id.to_string())),
        text(entry.person_name.clone()),
        text(entry.device.map(|id| id.to_string())),
        text(entry.device_name.clone()),
        text(entry.document.map(|id| id.to_string())),
        text(entry.kind.map(|kind| kind.word().to_owned())),
        entry.is_happening.to_string(),
        entry.verb.clone(),
        text(entry.change.clone()),
        text(detail),
    ];
    cells.map(|cell| csv_cell(&cell)).join(",") + "\r\n"
}
