//! The trail for a clinic's administrators: who did what, when and on which device, with filters, page by page or as CSV.
//!
//! Invariant: it tells of the clinic of the access token and of no other, and only to its administrators. What stands
//! before and after a change is in the document's own history, to which hash and document lead.

use super::request::Asker;
use crate::error::ApiError;
use crate::server::AppState;
use crate::storage::Storage;
use crate::storage::trail::{Place, Told, TrailQuery};
use axum::Json;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde::{Deserialize, Serialize};
use shared_model::ids::{AccountId, ClinicId, DeviceId, DocumentId};
use shared_model::permissions::Role;
use shared_model::time::Timestamp;
use std::sync::Arc;

const PAGE: usize = 100;
const LONGEST_PAGE: usize = 1_000;

/// What to look for; everything that is left out is any.
#[derive(Clone, Deserialize)]
pub(crate) struct Wanted {
    person: Option<AccountId>,
    device: Option<DeviceId>,
    document: Option<DocumentId>,
    verb: Option<String>,
    /// In milliseconds since 1970; `to` is the first moment that is not wanted.
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    /// As the page before gave it.
    cursor: Option<String>,
    limit: Option<usize>,
}

#[derive(Serialize)]
pub(crate) struct TrailPage {
    /// The latest first.
    entries: Vec<TrailEntry>,
    /// Where the next page begins; `null` if there is none.
    next: Option<String>,
}

#[derive(Serialize)]
pub(crate) struct TrailEntry {
    at: Timestamp,
    /// Of a run of changes: when the last was taken, and how many they are.
    last_at: Option<Timestamp>,
    changes: Option<u32>,
    person: Option<AccountId>,
    device: Option<DeviceId>,
    document: Option<DocumentId>,
    verb: String,
    /// Of a run: the hash of its last change.
    change: Option<String>,
    /// What else there is to say of something that happened.
    detail: serde_json::Value,
}

pub(crate) async fn audit(
    State(state): State<AppState>,
    asker: Asker,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Response, ApiError> {
    let (clinic, mut query, limit) = asked(&asker, wanted)?;
    // One more than is told, to know whether there is a next page.
    let mut told = state.storage.trail(clinic, query.clone(), limit + 1).await?;
    let goes_on = told.len() > limit;
    told.truncate(limit);
    query.below = told.last().map(Told::place);
    let page = TrailPage {
        next: query.below.filter(|_| goes_on).map(cursor),
        entries: told.into_iter().map(entry).collect(),
    };
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(page)).into_response())
}

/// All of it, however much, as it is read.
pub(crate) async fn audit_csv(
    State(state): State<AppState>,
    asker: Asker,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Response, ApiError> {
    let (clinic, query, _) = asked(&asker, wanted)?;
    let storage = Arc::clone(&state.storage);
    let first = String::from("at,last_at,changes,person,device,document,verb,change,detail\r\n");
    let pages = stream::unfold(Some((query, first)), move |state| {
        let storage = Arc::clone(&storage);
        async move {
            let (query, text) = state?;
            Some(next_rows(storage.as_ref(), clinic, query, text).await)
        }
    });
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"audit.csv\""),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, Body::from_stream(pages)).into_response())
}

type Rows = (Result<String, std::io::Error>, Option<(TrailQuery, String)>);

async fn next_rows(storage: &dyn Storage, clinic: ClinicId, mut query: TrailQuery, mut text: String) -> Rows {
    match storage.trail(clinic, query.clone(), LONGEST_PAGE).await {
        // The connection breaks off: half a file must not look like a whole one.
        Err(error) => (Err(std::io::Error::other(error)), None),
        Ok(told) => {
            query.below = told.last().map(Told::place);
            let goes_on = told.len() == LONGEST_PAGE;
            for told in told {
                text += &csv_row(&entry(told));
            }
            (Ok(text), goes_on.then(|| (query, String::new())))
        }
    }
}

fn asked(
    asker: &Asker,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<(ClinicId, TrailQuery, usize), ApiError> {
    asker.is(Role::ClinicAdministrator)?;
    let malformed = |detail: String| ApiError::BadRequest {
        status: StatusCode::BAD_REQUEST,
        detail,
    };
    let Query(wanted) = wanted.map_err(|rejection| malformed(rejection.body_text()))?;
    let below = match &wanted.cursor {
        None => None,
        Some(text) => Some(place(text).ok_or_else(|| malformed("the cursor is none of ours".to_owned()))?),
    };
    let query = TrailQuery {
        account: wanted.person,
        device: wanted.device,
        document: wanted.document,
        verb: wanted.verb,
        from: wanted.from,
        to: wanted.to,
        below,
    };
    let limit = wanted.limit.unwrap_or(PAGE).clamp(1, LONGEST_PAGE);
    Ok((asker.principal.clinic, query, limit))
}

fn cursor(place: Place) -> String {
    let kind = if place.is_event { "event" } else { "row" };
    format!("{}.{kind}.{}.{}", place.at.0, place.number, place.position)
}

fn place(cursor: &str) -> Option<Place> {
    let mut parts = cursor.split('.');
    let place = Place {
        at: Timestamp(parts.next()?.parse().ok()?),
        is_event: match parts.next()? {
            "event" => true,
            "row" => false,
            _ => return None,
        },
        number: parts.next()?.parse().ok()?,
        position: parts.next()?.parse().ok()?,
    };
    parts.next().is_none().then_some(place)
}

fn entry(told: Told) -> TrailEntry {
    match told {
        Told::Written(run) => TrailEntry {
            at: run.at,
            last_at: run.last_at,
            changes: run.changes,
            person: Some(run.account),
            device: Some(run.device),
            document: Some(run.document),
            verb: run.verb,
            change: run.hash.map(hex::encode),
            detail: serde_json::Value::Null,
        },
        Told::Happened(_, event) => TrailEntry {
            at: event.at,
            last_at: None,
            changes: None,
            person: event.account,
            device: event.device,
            document: event.document,
            verb: event.what,
            change: None,
            detail: serde_json::from_str(&event.detail).unwrap_or_default(),
        },
    }
}

fn csv_row(entry: &TrailEntry) -> String {
    let text = |value: Option<String>| value.unwrap_or_default();
    let detail = match &entry.detail {
        serde_json::Value::Null => String::new(),
        detail => detail.to_string(),
    };
    let cells = [
        entry.at.rfc3339(),
        text(entry.last_at.map(Timestamp::rfc3339)),
        text(entry.changes.map(|count| count.to_string())),
        text(entry.person.map(|id| id.to_string())),
        text(entry.device.map(|id| id.to_string())),
        text(entry.document.map(|id| id.to_string())),
        entry.verb.clone(),
        text(entry.change.clone()),
        detail,
    ];
    cells.map(|cell| csv_cell(&cell)).join(",") + "\r\n"
}

/// Quoted; and what a spreadsheet would take for a formula is text (a verb is whatever a device called its change).
fn csv_cell(cell: &str) -> String {
    let guard = if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        "'"
    } else {
        ""
    };
    format!("\"{guard}{}\"", cell.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_as_it_was() {
        for is_event in [false, true] {
            let there = Place {
                at: Timestamp(-5),
                is_event,
                number: 7,
                position: 3,
            };
            assert_eq!(place(&cursor(there)), Some(there));
        }
        for odd in [
            "",
            "1.row.2",
            "1.row.2.3.4",
            "1.other.2.3",
            "x.row.1.1",
            "1.row.-1.0",
        ] {
            assert_eq!(place(odd), None, "{odd}");
        }
    }

    #[test]
    fn a_spreadsheet_finds_no_formula() {
        assert_eq!(csv_cell("=HYPERLINK(\"x\")"), "\"'=HYPERLINK(\"\"x\"\")\"");
        assert_eq!(csv_cell("record_weight"), "\"record_weight\"");
    }
}
