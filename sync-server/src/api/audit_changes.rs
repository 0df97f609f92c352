//! What lines of the trail did to their record: before and after, read off the record's own history.
//!
//! Invariants: it tells of what the asker may read and of nothing else, and that somebody looked is in the trail itself.

use super::audit::malformed;
use super::audit_cursor::line_with;
use super::documents::readable;
use super::request::Asker;
use crate::error::ApiError;
use crate::server::AppState;
use crate::storage::trail::{Event, WrittenRow};
use crate::storage::{StorageError, StoredDocument};
use crate::sync::charge_want;
use automerge::ChangeHash;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use shared_model::documents::{ChangesOfLine, Document, Kind};
use shared_model::ids::ClinicId;
use shared_model::permissions::Role;
use shared_model::trail::{Detail, Happening, MAX_LINES_OF_CHANGES, TrailChanges};
use std::collections::BTreeSet;

#[derive(Deserialize)]
pub(crate) struct Asked {
    /// Ids of lines that are about one record, with commas.
    lines: String,
}

pub(crate) async fn audit_changes(
    State(state): State<AppState>,
    asker: Asker,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, ApiError> {
    asker.is(Role::ClinicAdministrator)?;
    charge_want(&state, &asker.principal)?;
    let Query(asked) = asked.map_err(|rejection| malformed(rejection.body_text()))?;
    let lines = written(&asked.lines)
        .ok_or_else(|| malformed("lines are ids of at most 200 lines that tell of changes".to_owned()))?;
    let clinic = asker.principal.clinic;
    let rows = state.storage.trail_rows(clinic, lines).await?;
    let document = rows.first().ok_or(ApiError::NotFound)?.run.document;
    if rows.iter().any(|row| row.run.document != document) {
        return Err(malformed("the lines are about several records".to_owned()));
    }
    let stored = readable(&state, &asker.principal, document).await?;
    if !matches!(stored.kind, Kind::ClinicProfile | Kind::ClinicSettings) {
        let detail = Detail {
            kind: Some(stored.kind.word().to_owned()),
            ..Detail::default()
        };
        let looked = Event {
            document: Some(document),
            ..asker.event(Happening::ChangeRead, state.settings.clock.now(), &detail)
        };
        state.storage.note(clinic, vec![looked]).await?;
    }
    let told = state
        .settings
        .heavy_work
        .run(move || tell(clinic, &stored, &rows));
    let told = told
        .await
        .map_err(|error| StorageError::Failed(format!("reading changes ended: {error}")))??;
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(told)).into_response())
}

/// Number and position of each line, once.
fn written(lines: &str) -> Option<Vec<(u64, u32)>> {
    let places: Option<Vec<_>> = lines.split(',').map(line_with).collect();
    let places = places?;
    let fit = places.len() <= MAX_LINES_OF_CHANGES && places.iter().all(|place| !place.is_event);
    let written: BTreeSet<_> = places
        .iter()
        .map(|place| (place.number, place.position))
        .collect();
    fit.then(|| written.into_iter().collect())
}

fn tell(clinic: ClinicId, stored: &StoredDocument, rows: &[WrittenRow]) -> Result<TrailChanges, ApiError> {
    let document = Document::load(stored.kind, clinic, stored.id, &stored.bytes)
        .map_err(|error| StorageError::Failed(format!("{}: {error}", stored.id)))?;
    let lines: Vec<ChangesOfLine> = rows
        .iter()
        .map(|row| match row.run.hash.map(ChangeHash) {
            Some(last) => ChangesOfLine::UpTo {
                last,
                count: row.run.changes.unwrap_or(1).into(),
            },
            None => ChangesOfLine::These(row.changes.clone()),
        })
        .collect();
    Ok(document.before_and_after(&lines))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_ids_of_what_was_written() {
        assert_eq!(written("5.row.17.0,9.row.18.2"), Some(vec![(17, 0), (18, 2)]));
        for odd in ["", "5.event.1.0", "5.row.17.0,", "17"] {
            assert_eq!(written(odd), None, "{odd}");
        }
        assert_eq!(
            written("5.row.17.0,9.row.18.2,5.row.17.0"),
            Some(vec![(17, 0), (18, 2)]),
            "who asks twice is told once"
        );
        let many = vec!["5.row.17.0"; MAX_LINES_OF_CHANGES + 1].join(",");
        assert_eq!(written(&many), None);
    }
}
