//! Documents over HTTP: one at a time to read, and changes to push.
//!
//! Invariant: who reads and who writes is decided where sessions have it decided: by the feeds of the database and by
//! accept. What may not be read and what does not exist have the same answer.

use super::request::Asker;
use crate::error::ApiError;
use crate::server::AppState;
use crate::storage::trail::Event;
use crate::storage::{StorageError, StoredDocument};
use crate::sync::{charge_want, push_once};
use automerge::{ChangeHash, ScalarValue};
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use shared_model::documents::{Document, Kind};
use shared_model::ids::{ClinicId, DocumentId};
use shared_model::permissions::Principal;
use shared_model::protocol::{self, Goodbye, SinglePush};
use shared_model::trail::{Detail, Happening};

const CBOR: &str = "application/cbor";

/// The fields of a document as they stand now.
pub(crate) async fn document(
    State(state): State<AppState>,
    Asker { principal, claims }: Asker,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    charge_want(&state, &principal)?;
    let id = DocumentId::parse(&id).ok_or(ApiError::NotFound)?;
    let stored = readable(&state, &principal, id).await?;
    // The clinic's own profile and settings are nobody's record.
    if !matches!(stored.kind, Kind::ClinicProfile | Kind::ClinicSettings) {
        let detail = Detail {
            kind: Some(stored.kind.word().to_owned()),
            ..Detail::default()
        };
        let read = Event {
            account: Some(principal.account),
            device: Some(claims.device),
            document: Some(id),
            ..Event::new(Happening::RecordRead, state.settings.clock.now(), &detail)
        };
        state.storage.note(principal.clinic, vec![read]).await?;
    }
    let known = headers.get(header::IF_NONE_MATCH).cloned();
    let clinic = principal.clinic;
    let answer = move || answer(clinic, &stored, known.as_ref());
    state
        .settings
        .heavy_work
        .run(answer)
        .await
        .map_err(|error| StorageError::Failed(format!("reading a document ended: {error}")))?
}

/// A document that somebody may read.
pub(super) async fn readable(
    state: &AppState,
    principal: &Principal,
    id: DocumentId,
) -> Result<StoredDocument, ApiError> {
    let mut found = None;
    for feed in principal.feeds() {
        let storage = &state.storage;
        let mut documents = storage.documents_named(principal.clinic, feed, &[id]).await?;
        found = found.or(documents.pop().and_then(StoredDocument::readable));
    }
    found.ok_or_else(|| {
        tracing::info!(document = %id, "asked for a record that is not there for them");
        ApiError::NotFound
    })
}

fn answer(
    clinic: ClinicId,
    stored: &StoredDocument,
    known: Option<&HeaderValue>,
) -> Result<Response, ApiError> {
    let document = Document::load(stored.kind, clinic, stored.id, &stored.bytes)
        .map_err(|error| StorageError::Failed(format!("{}: {error}", stored.id)))?;
    let tag = entity_tag(&document.heads());
    let headers = [(header::ETAG, tag.clone())];
    if known.is_some_and(|known| names(known, &tag)) {
        return Ok((StatusCode::NOT_MODIFIED, headers).into_response());
    }
    Ok((headers, axum::Json(as_json(&document, stored.schema_version))).into_response())
}

fn as_json(document: &Document, schema_version: u16) -> Value {
    let (mut fields, mut contested) = (Map::new(), Map::new());
    let own = ["kind", "clinic", "id", "schema_version"];
    for (key, values) in document.fields().iter().filter(|(key, _)| !own.contains(key)) {
        let mut values: Vec<Value> = values.iter().map(scalar).collect();
        if values.len() > 1 {
            contested.insert(key.to_owned(), values.clone().into());
        }
        fields.insert(key.to_owned(), values.swap_remove(0));
    }
    for key in document.kind.texts() {
        fields.insert((*key).to_owned(), document.text(key).into());
    }
    let heads: Vec<String> = document.heads().iter().map(ChangeHash::to_string).collect();
    json!({
        "id": document.id,
        "kind": document.kind.word(),
        "schema_version": schema_version,
        "heads": heads,
        "fields": fields,
        "contested": contested,
    })
}

/// Moments are milliseconds since 1970, as everywhere in the API.
fn scalar(value: &ScalarValue) -> Value {
    match value {
        ScalarValue::Str(text) => text.as_str().into(),
        ScalarValue::Int(number) | ScalarValue::Timestamp(number) => (*number).into(),
        ScalarValue::Uint(number) => (*number).into(),
        ScalarValue::F64(number) => (*number).into(),
        ScalarValue::Boolean(flag) => (*flag).into(),
        ScalarValue::Bytes(bytes) => STANDARD.encode(bytes).into(),
        ScalarValue::Counter(counter) => i64::from(counter).into(),
        ScalarValue::Unknown { .. } | ScalarValue::Null => Value::Null,
    }
}

/// The head, or what stands for several: heads and content go together.
fn entity_tag(heads: &[ChangeHash]) -> String {
    let tag = match heads {
        [head] => *head,
        heads => {
            let all = heads
                .iter()
                .fold(Sha256::new(), |all, head| all.chain_update(head.0));
            ChangeHash(all.finalize().into())
        }
    };
    format!("\"{tag}\"")
}

fn names(known: &HeaderValue, tag: &str) -> bool {
    let known = known.to_str().unwrap_or_default();
    known
        .split(',')
        .map(|one| one.trim().trim_start_matches("W/"))
        .any(|one| one == tag || one == "*")
}

/// Changes of one or more documents, without a session.
pub(crate) async fn push(
    State(state): State<AppState>,
    Asker { claims, principal }: Asker,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, ApiError> {
    let body = body.map_err(|_| Goodbye::TooLarge)?;
    let single: SinglePush = protocol::decode(&body).map_err(Goodbye::from)?;
    let accepted = push_once(&state, principal, claims.device, single).await?;
    let headers = [(header::CONTENT_TYPE, CBOR), (header::CACHE_CONTROL, "no-store")];
    Ok((headers, protocol::encode(&accepted)).into_response())
}
