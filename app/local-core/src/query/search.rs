//! Ctrl/Cmd-K: pets and people as fast as one types.

use super::lines::{PET_COLUMNS, PetLine, name, pet};
use crate::core::Reading;
use crate::store::{StoreError, fold};
use serde::{Deserialize, Serialize};
use shared_model::documents::Kind;
use shared_model::ids::{ClientId, DocumentId};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Hit {
    Patient {
        pet: PetLine,
        owner: String,
        phone: String,
    },
    Client {
        id: ClientId,
        name: String,
        phone: String,
        pets: String,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SearchView {
    /// What was asked, so that a late answer is not shown for a later question.
    pub text: String,
    pub hits: Vec<Hit>,
    /// More than the list shows.
    pub more: usize,
}

const SHOWN: usize = 20;

pub(super) fn view(reading: &Reading<'_>, text: &str) -> Result<SearchView, StoreError> {
    let found = reading.store.find(text)?;
    let typed = fold(text.trim());
    let mut hits = Vec::with_capacity(found.len());
    for (kind, id) in found {
        let hit = match kind {
            Kind::Patient => patient(reading, id)?,
            Kind::Client => client(reading, id)?,
            _ => None,
        };
        hits.extend(hit.map(|hit| (rank(&hit, &typed), hit)));
    }
    hits.sort_by(|a, b| a.0.cmp(&b.0));
    let more = hits.len().saturating_sub(SHOWN);
    Ok(SearchView {
        text: text.to_owned(),
        hits: hits.into_iter().take(SHOWN).map(|(_, hit)| hit).collect(),
        more,
    })
}

/// Exact names first, then names that begin so, the dead after the living, then by name.
fn rank(hit: &Hit, typed: &str) -> (bool, u8, bool, String) {
    let (deceased, is_client, title) = match hit {
        Hit::Patient { pet, .. } => (pet.deceased, false, fold(&pet.name)),
        Hit::Client { name, .. } => (false, true, fold(name)),
    };
    let closeness = if title == typed {
        0
    } else if title.starts_with(typed) {
        1
    } else {
        2
    };
    (deceased, closeness, is_client, title)
}

fn patient(reading: &Reading<'_>, id: DocumentId) -> Result<Option<Hit>, StoreError> {
    let sql = format!(
        "SELECT {PET_COLUMNS}, c.given_name, c.family_name, c.phone FROM patient p \
         LEFT JOIN ownership o ON o.patient = p.id LEFT JOIN client c ON c.id = o.client \
         WHERE p.id = ?1 AND p.retracted = 0 LIMIT 1"
    );
    let mut statement = reading.store.sql.prepare_cached(&sql)?;
    let mut rows = statement.query([&id.bytes()[..]])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let owner = name(
        &row.get::<_, Option<String>>(10)?.unwrap_or_default(),
        &row.get::<_, Option<String>>(11)?.unwrap_or_default(),
    );
    let phone = row.get::<_, Option<String>>(12)?.unwrap_or_default();
    Ok(pet(reading, row)?.map(|pet| Hit::Patient { pet, owner, phone }))
}

fn client(reading: &Reading<'_>, id: DocumentId) -> Result<Option<Hit>, StoreError> {
    let mut statement = reading.store.sql.prepare_cached(
        "SELECT given_name, family_name, phone, \
         (SELECT group_concat(p.name, ', ') FROM ownership o JOIN patient p ON p.id = o.patient \
          WHERE o.client = c.id AND p.deceased = 0 AND p.retracted = 0) \
         FROM client c WHERE id = ?1 AND retracted = 0",
    )?;
    let mut rows = statement.query([&id.bytes()[..]])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    Ok(Some(Hit::Client {
        id: id.into(),
        name: name(&row.get::<_, String>(0)?, &row.get::<_, String>(1)?),
        phone: row.get(2)?,
        pets: row.get::<_, Option<String>>(3)?.unwrap_or_default(),
    }))
}
