//! The lists of all patients and all clients.

use super::lines::{PET_COLUMNS, PetLine, name, pet};
use super::search::{self, Hit};
use crate::core::Reading;
use crate::store::StoreError;
use serde::{Deserialize, Serialize};
use shared_model::documents::Kind;
use shared_model::ids::{ClientId, DocumentId};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Listed {
    Patient {
        pet: PetLine,
        owner: String,
    },
    Client {
        id: ClientId,
        name: String,
        phone: String,
        email: String,
        pets: String,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BrowseView {
    pub rows: Vec<Listed>,
    /// All there are, not only those in `rows`.
    pub total: u64,
}

pub(super) fn view(
    reading: &Reading<'_>,
    kind: Kind,
    text: &str,
    limit: u32,
) -> Result<BrowseView, StoreError> {
    if !text.trim().is_empty() {
        return filtered(reading, kind, text);
    }
    let store = reading.store;
    let mut list = Vec::new();
    let total = if kind == Kind::Patient {
        let sql = format!(
            "SELECT {PET_COLUMNS}, (SELECT trim(c.given_name || ' ' || c.family_name) FROM ownership o \
             JOIN client c ON c.id = o.client WHERE o.patient = p.id LIMIT 1) \
             FROM patient p WHERE p.retracted = 0 ORDER BY p.name COLLATE NOCASE, p.id LIMIT ?1"
        );
        let mut statement = store.sql.prepare_cached(&sql)?;
        let mut rows = statement.query([limit])?;
        while let Some(row) = rows.next()? {
            let owner = row.get::<_, Option<String>>(10)?.unwrap_or_default();
            list.extend(pet(reading, row)?.map(|pet| Listed::Patient { pet, owner }));
        }
        store
            .sql
            .query_row("SELECT count(*) FROM patient WHERE retracted = 0", [], |row| {
                row.get(0)
            })?
    } else {
        let mut statement = store.sql.prepare_cached(
            "SELECT c.id, c.given_name, c.family_name, c.phone, c.email, \
             (SELECT group_concat(p.name, ', ') FROM ownership o JOIN patient p ON p.id = o.patient \
              WHERE o.client = c.id AND p.deceased = 0 AND p.retracted = 0) \
             FROM client c WHERE c.retracted = 0 \
             ORDER BY c.family_name COLLATE NOCASE, c.given_name COLLATE NOCASE, c.id LIMIT ?1",
        )?;
        let mut rows = statement.query([limit])?;
        while let Some(row) = rows.next()? {
            let Some(id) = DocumentId::from_slice(row.get_ref(0)?.as_blob()?) else {
                continue;
            };
            list.push(Listed::Client {
                id: id.into(),
                name: name(&row.get::<_, String>(1)?, &row.get::<_, String>(2)?),
                phone: row.get(3)?,
                email: row.get(4)?,
                pets: row.get::<_, Option<String>>(5)?.unwrap_or_default(),
            });
        }
        store
            .sql
            .query_row("SELECT count(*) FROM client WHERE retracted = 0", [], |row| {
                row.get(0)
            })?
    };
    Ok(BrowseView { rows: list, total })
}

fn filtered(reading: &Reading<'_>, kind: Kind, text: &str) -> Result<BrowseView, StoreError> {
    let found = search::view(reading, text)?;
    let rows: Vec<Listed> = found
        .hits
        .into_iter()
        .filter_map(|hit| match hit {
            Hit::Patient { pet, owner, .. } if kind == Kind::Patient => Some(Listed::Patient { pet, owner }),
            Hit::Client {
                id,
                name,
                phone,
                pets,
            } if kind == Kind::Client => Some(Listed::Client {
                id,
                name,
                phone,
                email: String::new(),
                pets,
            }),
            _ => None,
        })
        .collect();
    Ok(BrowseView {
        total: rows.len() as u64 + found.more as u64,
        rows,
    })
}
