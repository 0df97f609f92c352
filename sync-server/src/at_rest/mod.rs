//! What lies in the database is sealed: documents, what is derived from them, changes, and secrets of the server. The
//! master key, which lies elsewhere, wraps the keys of clinics; a clinic's key wraps one key for each of its documents.
//!
//! Place in the flow: at the storage's edge, below accept and above SQL, the same for both databases. Invariant: who has
//! the database without the master key has ids, kinds, times and sizes, and no word of a record.

mod clinic_keys;
mod master_key;
mod seal;

pub(crate) use clinic_keys::{ClinicKeys, SealedDocument, SealedWrites};
pub use master_key::{MasterKey, MasterKeyError, MasterKeys};
pub(crate) use seal::DoesNotOpen;

use crate::storage::{StorageError, Stored};
use seal::Key;
use shared_model::ids::ClinicId;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

/// The keys of what belongs to no clinic are kept as those of this one.
pub(crate) const NO_CLINIC: ClinicId = ClinicId(uuid::Uuid::nil());

/// A clinic's key as it lies in the database: the master key's name, then the sealed key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ClinicKeyRow {
    pub(crate) version: u32,
    pub(crate) wrapped: Vec<u8>,
}

/// The keys that a storage works with, opened as they are needed.
#[derive(Debug)]
pub(crate) struct AtRest {
    masters: MasterKeys,
    clinics: Mutex<HashMap<ClinicId, Arc<ClinicKeys>>>,
}

impl AtRest {
    pub(crate) fn new(masters: MasterKeys) -> Self {
        Self {
            masters,
            clinics: Mutex::default(),
        }
    }

    /// A clinic's keys, if they have been opened.
    pub(crate) fn known(&self, clinic: ClinicId) -> Option<Arc<ClinicKeys>> {
        let clinics = self.clinics.lock().unwrap_or_else(PoisonError::into_inner);
        clinics.get(&clinic).cloned()
    }

    /// A fresh key for a clinic that has none.
    pub(crate) fn first_key(&self, clinic: ClinicId) -> ClinicKeyRow {
        let version = 1;
        let master = &self.masters.current;
        let sealed = master
            .key
            .seal(&place_of_clinic_key(clinic, version), Key::fresh().bytes());
        ClinicKeyRow {
            version,
            wrapped: [master.name.as_slice(), &sealed].concat(),
        }
    }

    /// Opens a clinic's keys as they lie in the database.
    ///
    /// # Errors
    /// If one does not open with the master keys that are here.
    pub(crate) fn open(&self, clinic: ClinicId, rows: &[ClinicKeyRow]) -> Stored<Arc<ClinicKeys>> {
        let mut versions = BTreeMap::new();
        for row in rows {
            versions.insert(row.version, self.open_clinic_key(clinic, row)?);
        }
        if versions.is_empty() {
            return Err(StorageError::NoSuchClinic);
        }
        let keys = Arc::new(ClinicKeys::new(clinic, versions));
        let mut clinics = self.clinics.lock().unwrap_or_else(PoisonError::into_inner);
        // Somebody may have been quicker; his has documents' keys already.
        Ok(Arc::clone(clinics.entry(clinic).or_insert(keys)))
    }

    fn open_clinic_key(&self, clinic: ClinicId, row: &ClinicKeyRow) -> Stored<Key> {
        let (name, sealed) = row
            .wrapped
            .split_first_chunk::<8>()
            .ok_or_else(|| StorageError::Failed("a clinic's key is cut short".to_owned()))?;
        let master = self.masters.named(name).ok_or_else(|| {
            StorageError::Failed(
                "this database was sealed with another master key than the one that is configured here"
                    .to_owned(),
            )
        })?;
        let plain = master
            .key
            .open(&place_of_clinic_key(clinic, row.version), sealed)
            .map(zeroize::Zeroizing::new)
            .map_err(|error| StorageError::Failed(format!("a clinic's key: {error}")))?;
        let bytes: [u8; 32] = plain
            .as_slice()
            .try_into()
            .map_err(|_| StorageError::Failed("a clinic's key has another length".to_owned()))?;
        Ok(Key::from_bytes(bytes.into()))
    }

    /// The same key, wrapped by the master key in force; `None` if it is already.
    fn wrap_anew(&self, clinic: ClinicId, row: &ClinicKeyRow) -> Stored<Option<ClinicKeyRow>> {
        let master = &self.masters.current;
        if row.wrapped.starts_with(&master.name) {
            return Ok(None);
        }
        let key = self.open_clinic_key(clinic, row)?;
        let sealed = master
            .key
            .seal(&place_of_clinic_key(clinic, row.version), key.bytes());
        Ok(Some(ClinicKeyRow {
            version: row.version,
            wrapped: [master.name.as_slice(), &sealed].concat(),
        }))
    }
}

/// Those of these keys that a former master key wraps, wrapped by the one in force.
pub(crate) fn wrap_anew(
    at_rest: &AtRest,
    rows: &[(ClinicId, ClinicKeyRow)],
) -> Stored<Vec<(ClinicId, ClinicKeyRow)>> {
    let anew = rows.iter().map(|(clinic, row)| {
        let anew = at_rest.wrap_anew(*clinic, row)?;
        Ok(anew.map(|row| (*clinic, row)))
    });
    anew.filter_map(Result::transpose).collect()
}

impl From<DoesNotOpen> for StorageError {
    fn from(error: DoesNotOpen) -> Self {
        Self::Failed(error.to_string())
    }
}

fn place_of_clinic_key(clinic: ClinicId, version: u32) -> Vec<u8> {
    [
        b"clinic key ".as_slice(),
        clinic.bytes().as_slice(),
        &version.to_be_bytes(),
    ]
    .concat()
}
