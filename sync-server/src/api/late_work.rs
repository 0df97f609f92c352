//! Late work: devices of people whose rights have ended hand in what they had not sent, and administrators decide.
//!
//! Whoever has lost their membership has no session any more, and perhaps no token that holds. The access token that their
//! device had last, though it has expired, still proves who they were, where, and on which device; it opens nothing else.
//! What they signed there before they signed out, a colleague's session brings: it is kept as theirs.
//! Invariant: what is handed in is read by administrators alone, and reaches a record only through what they do themselves.

use super::request::{Asker, Body, bearer};
use crate::error::ApiError;
use crate::identity::AccessClaims;
use crate::server::AppState;
use crate::storage::late_work::{Decided, Giver, LateChange, LateDecision, WaitingLateChange};
use crate::storage::trail::Event;
use crate::storage::{StorageError, StoredDocument};
use automerge::ChangeHash;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use serde::Deserialize;
use shared_model::authorship::{KeyId, PublicKey, SIGNATURE};
use shared_model::documents::measure::{Measure, measure};
use shared_model::documents::{Document, read_change};
use shared_model::ids::{AccountId, ClinicId, DeviceId, DocumentId};
use shared_model::late_work::{
    Decide, HAND_IN_BUDGET, HAND_IN_WITHIN_MS, HandIn, HandedIn, Kept, LateWork, LateWorkCount, LateWorkPage,
    MAX_AUTHORS, MAX_COMMAND, MAX_DECIDED, MAX_ITEMS, MAX_REASON, SignedBy, Verdict,
};
use shared_model::permissions::{Feed, Role};
use shared_model::time::Timestamp;
use shared_model::trail::{Detail, Happening};
use shared_model::values;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::panic::AssertUnwindSafe;
use tokio::time::Instant;

pub(crate) async fn hand_in(
    State(state): State<AppState>,
    headers: HeaderMap,
    Body(request): Body<HandIn>,
) -> Result<Json<Kept>, ApiError> {
    let now = state.settings.clock.now();
    let claims = bearer(&headers)
        .and_then(|token| state.tokens.open_at_any_time(token))
        .filter(|claims| now.0.saturating_sub(claims.expires_at.0) <= HAND_IN_WITHIN_MS)
        .filter(|claims| claims.device == request.device)
        .ok_or(ApiError::NotSignedIn)?;
    state
        .requests
        .request_by(claims.account, Instant::now())
        .map_err(ApiError::slow_down)?;
    // What comes from a lost device may come from whoever found it.
    if state.storage.people().is_lost(claims.device).await? {
        return Err(ApiError::DeviceLost);
    }
    let has_left = !is_member(&state, claims.account, claims.clinic).await?;
    if request.left && !has_left {
        return Err(ApiError::StillMember);
    }
    // A member has a session.
    if !has_left && (claims.expires_at <= now || !state.storage.family_lives(claims.family, now).await?) {
        return Err(ApiError::NotSignedIn);
    }
    if request.items.len() > MAX_ITEMS {
        return Err(ApiError::cannot_be("more items than one request has"));
    }
    if request.authors.len() > MAX_AUTHORS {
        return Err(ApiError::cannot_be("more people than one request is about"));
    }
    // Who is of the clinic is for its members to know.
    let others = if has_left { Vec::new() } else { request.authors };
    let items = request.items;
    let items = heavy(&state, move || items.into_iter().filter_map(read).collect()).await?;
    let (works, authors_left) = by_author(&state, &claims, items, others).await?;
    let mut hashes = Vec::new();
    for (author, changes) in works {
        hashes.extend(keep(&state, &claims, author, changes, now).await?);
    }
    Ok(Json(Kept {
        account: claims.account,
        clinic: claims.clinic,
        has_left,
        hashes: hashes.iter().map(ToString::to_string).collect(),
        authors_left,
    }))
}

/// Keeps one author's work; what of it is safe now.
async fn keep(
    state: &AppState,
    claims: &AccessClaims,
    author: AccountId,
    changes: Vec<LateChange>,
    now: Timestamp,
) -> Result<Vec<ChangeHash>, ApiError> {
    let brought_by = (author != claims.account).then_some(claims.account);
    let giver = Giver {
        clinic: claims.clinic,
        account: author,
        device: claims.device,
        brought_by,
    };
    let (taken, late) = part_taken(state, claims.clinic, changes).await?;
    let documents: BTreeMap<ChangeHash, DocumentId> =
        late.iter().map(|late| (late.hash, late.document)).collect();
    let kept = state.storage.keep_late_work(giver, late, now).await?;
    tracing::info!(account = %claims.account, device = %claims.device, %author, items = kept.new.len(), "late work was handed in");
    let new = kept.new.iter().filter_map(|hash| documents.get(hash));
    let happened = by_document(new).into_iter().map(|(document, changes)| {
        let detail = Detail {
            of: brought_by.map(|_| author),
            changes: Some(changes),
            ..Detail::default()
        };
        Event {
            account: Some(claims.account),
            device: Some(claims.device),
            document: Some(document),
            ..Event::new(Happening::LateWorkHandedIn, now, &detail)
        }
    });
    note(state, claims.clinic, happened.collect()).await?;
    Ok(taken.into_iter().chain(kept.there).collect())
}

/// The works as whose they are: of who hands in, and of others who signed them on this device and have left. They are named,
/// with those of `others` who have.
async fn by_author(
    state: &AppState,
    claims: &AccessClaims,
    items: Vec<(LateChange, Option<SignedBy>)>,
    others: Vec<AccountId>,
) -> Result<(BTreeMap<AccountId, Vec<LateChange>>, Vec<AccountId>), ApiError> {
    let mut keys: BTreeMap<KeyId, Option<(AccountId, PublicKey)>> = BTreeMap::new();
    let mut left: BTreeMap<AccountId, bool> = BTreeMap::new();
    for author in others.into_iter().filter(|author| *author != claims.account) {
        if was_on(state, author, claims.device).await? {
            left.insert(author, !is_member(state, author, claims.clinic).await?);
        }
    }
    let mut works: BTreeMap<AccountId, Vec<LateChange>> = BTreeMap::new();
    for (late, signed) in items {
        let author = match signed {
            None => claims.account,
            Some(signed) => match signer(state, claims, &mut keys, &late, &signed).await? {
                Some(author) => author,
                None => continue,
            },
        };
        if author != claims.account {
            let has_left = match left.get(&author) {
                Some(has_left) => *has_left,
                None => !is_member(state, author, claims.clinic).await?,
            };
            left.insert(author, has_left);
            if !has_left {
                continue;
            }
        }
        works.entry(author).or_default().push(late);
    }
    let authors_left = left.into_iter().filter_map(|(author, has)| has.then_some(author));
    Ok((works, authors_left.collect()))
}

/// Who has signed it with a key that is known for the device.
async fn signer(
    state: &AppState,
    claims: &AccessClaims,
    keys: &mut BTreeMap<KeyId, Option<(AccountId, PublicKey)>>,
    late: &LateChange,
    signed: &SignedBy,
) -> Result<Option<AccountId>, ApiError> {
    let (Ok(key), Ok(signature)) = (
        KeyId::try_from(signed.key.as_slice()),
        <[u8; SIGNATURE]>::try_from(signed.signature.as_slice()),
    ) else {
        return Ok(None);
    };
    if !keys.contains_key(&key) && keys.len() < MAX_AUTHORS {
        let found = state.storage.people().signing_key(claims.device, key).await?;
        let known = found.and_then(|(account, key)| Some((account, PublicKey::from_bytes(&key)?)));
        keys.insert(key, known);
    }
    let Some(Some((account, public))) = keys.get(&key) else {
        return Ok(None);
    };
    let has_signed = public.has_signed(claims.clinic, late.document, &late.hash, &signature);
    Ok(has_signed.then_some(*account))
}

async fn is_member(state: &AppState, account: AccountId, clinic: ClinicId) -> Result<bool, ApiError> {
    let principals = state.storage.principals(account).await?;
    Ok(principals.iter().any(|principal| principal.clinic == clinic))
}

/// Whether somebody has ever signed in on a device.
async fn was_on(state: &AppState, account: AccountId, device: DeviceId) -> Result<bool, ApiError> {
    let now = state.settings.clock.now();
    let devices = state.storage.people().devices(account, now).await?;
    Ok(devices.iter().any(|known| known.device == device))
}

async fn note(state: &AppState, clinic: ClinicId, events: Vec<Event>) -> Result<(), ApiError> {
    if !events.is_empty() {
        state.storage.note(clinic, events).await?;
    }
    Ok(())
}

fn by_document<'a>(documents: impl Iterator<Item = &'a DocumentId>) -> BTreeMap<DocumentId, u64> {
    let mut counts = BTreeMap::new();
    for document in documents {
        *counts.entry(*document).or_default() += 1;
    }
    counts
}

/// An item that is what it says it is, and small enough; whether the command can be carried out is for who takes it to see.
fn read(item: HandedIn) -> Option<(LateChange, Option<SignedBy>)> {
    let change = item.change;
    let Measure::Fits(_) = measure(&change) else {
        return None;
    };
    let read = std::panic::catch_unwind(AssertUnwindSafe(|| read_change(&change)));
    let hash = read.ok()?.ok()?.hash();
    let is_whole = hash.to_string() == item.hash && item.command.len() <= MAX_COMMAND;
    let late = LateChange {
        hash,
        kind: item.kind,
        document: item.document,
        change,
        command: item.command,
        made_at: item.made_at,
    };
    is_whole.then_some((late, item.signed))
}

/// Those that are in their documents already, because only the answer to their push was lost, and the others.
async fn part_taken(
    state: &AppState,
    clinic: ClinicId,
    changes: Vec<LateChange>,
) -> Result<(Vec<ChangeHash>, Vec<LateChange>), ApiError> {
    let ids: BTreeSet<DocumentId> = changes.iter().map(|late| late.document).collect();
    let ids: Vec<DocumentId> = ids.into_iter().collect();
    let stored = state.storage.documents_named(clinic, Feed::Staff, &ids).await?;
    let part = move || {
        let mut there = HashSet::new();
        for stored in stored.into_iter().filter_map(StoredDocument::readable) {
            if let Ok(document) = Document::load(stored.kind, clinic, stored.id, &stored.bytes) {
                let of_it = changes.iter().filter(|late| late.document == stored.id);
                there.extend(of_it.map(|late| late.hash).filter(|hash| document.has(hash)));
            }
        }
        let late = changes
            .into_iter()
            .filter(|late| !there.contains(&late.hash))
            .collect();
        (there.into_iter().collect(), late)
    };
    heavy(state, part).await
}

/// What reads bytes of others keeps no request waiting but its own.
async fn heavy<T: Send + 'static>(
    state: &AppState,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ApiError> {
    let done = state.settings.heavy_work.run(work).await;
    Ok(done.map_err(|error| StorageError::Failed(format!("reading late work ended: {error}")))?)
}

#[derive(Deserialize)]
pub(crate) struct Wanted {
    after: Option<i64>,
}

pub(crate) async fn late_work(
    State(state): State<AppState>,
    asker: Asker,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Json<LateWorkPage>, ApiError> {
    asker.is(Role::ClinicAdministrator)?;
    let Query(wanted) = wanted.map_err(|rejection| ApiError::BadRequest {
        status: StatusCode::BAD_REQUEST,
        detail: rejection.body_text(),
    })?;
    let clinic = asker.principal.clinic;
    let budget = HAND_IN_BUDGET as u64;
    let mut page = state
        .storage
        .late_work(clinic, wanted.after.unwrap_or(0), budget)
        .await?;
    // Damaged ones fill no page.
    while let (true, Some(next)) = (page.waiting.is_empty(), page.next) {
        page = state.storage.late_work(clinic, next, budget).await?;
    }
    if !page.waiting.is_empty() {
        let detail = Detail {
            changes: u64::try_from(page.waiting.len()).ok(),
            ..Detail::default()
        };
        let read = asker.event(Happening::LateWorkRead, state.settings.clock.now(), &detail);
        state.storage.note(clinic, vec![read]).await?;
    }
    Ok(Json(LateWorkPage {
        works: page.waiting.into_iter().map(told).collect(),
        next: page.next,
    }))
}

fn told(waiting: WaitingLateChange) -> LateWork {
    LateWork {
        hash: waiting.late.hash.to_string(),
        author: waiting.author,
        author_name: waiting.author_name,
        brought_by: waiting.brought_by,
        device: waiting.device,
        kind: waiting.late.kind,
        document: waiting.late.document,
        change: waiting.late.change,
        command: waiting.late.command,
        made_at: waiting.late.made_at,
        received_at: waiting.received_at,
    }
}

pub(crate) async fn late_work_count(
    State(state): State<AppState>,
    asker: Asker,
) -> Result<Json<LateWorkCount>, ApiError> {
    asker.is(Role::ClinicAdministrator)?;
    let waiting = state.storage.late_work_waiting(asker.principal.clinic).await?;
    Ok(Json(LateWorkCount { waiting }))
}

pub(crate) async fn decide_late_work(
    State(state): State<AppState>,
    asker: Asker,
    Body(request): Body<Decide>,
) -> Result<StatusCode, ApiError> {
    asker.is(Role::ClinicAdministrator)?;
    if request.hashes.is_empty() || request.hashes.len() > MAX_DECIDED {
        return Err(ApiError::cannot_be("nothing, or more than one decision is about"));
    }
    let hashes: BTreeSet<ChangeHash> = request
        .hashes
        .iter()
        .map(|hash| hash.parse().map_err(|_| ApiError::NotFound))
        .collect::<Result<_, _>>()?;
    let let_go = match request.verdict {
        Verdict::Taken => None,
        Verdict::LetGo { reason } => Some(reason_of(&reason)?),
    };
    let what = match let_go {
        None => Happening::LateWorkTaken,
        Some(_) => Happening::LateWorkLetGo,
    };
    let (clinic, now) = (asker.principal.clinic, state.settings.clock.now());
    let decision = LateDecision {
        at: now,
        by: asker.principal.account,
        let_go,
    };
    let decided = state
        .storage
        .decide_late_work(clinic, hashes.into_iter().collect(), decision)
        .await?
        .ok_or(ApiError::NotFound)?;
    tracing::info!(by = %asker.principal.account, items = decided.len(), what = what.word(), "late work was decided about");
    note(&state, clinic, told_of(&asker, what, now, &decided)).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn reason_of(reason: &str) -> Result<String, ApiError> {
    let one_line = values::line(reason, MAX_REASON);
    one_line.map_err(|_| ApiError::cannot_be("letting go has a reason, of one sentence"))
}

/// One event a document and author.
fn told_of(asker: &Asker, what: Happening, now: Timestamp, decided: &[Decided]) -> Vec<Event> {
    let authors: BTreeSet<AccountId> = decided.iter().map(|one| one.author).collect();
    let mut events = Vec::new();
    for author in authors {
        let of_author = decided.iter().filter(|one| one.author == author);
        for (document, changes) in by_document(of_author.map(|one| &one.document)) {
            let detail = Detail {
                changes: Some(changes),
                ..Detail::of(author)
            };
            events.push(Event {
                document: Some(document),
                ..asker.event(what, now, &detail)
            });
        }
    }
    events
}
