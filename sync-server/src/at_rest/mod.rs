//! What lies in the database is sealed: documents, what is derived from them, changes, what is told of people, and secrets
//! of the server. The master key, which lies elsewhere, wraps the keys of clinics and of people; a clinic's key wraps one
//! key for each of its documents.
//!
//! Place in the flow: at the storage's edge, below accept and above SQL, the same for both databases. Invariant: who has
//! the database without the master key has ids, kinds, times and sizes, no word of a record, and nobody's name or address.

mod clinic_keys;
mod look_up;
mod master_key;
mod people_keys;
mod person_keys;
mod seal;

pub(crate) use clinic_keys::{ClinicKeys, SealedDocument, SealedWrites};
pub(crate) use look_up::LookUp;
pub use master_key::{MasterKey, MasterKeyError, MasterKeys};
pub(crate) use people_keys::{EMAIL, FULL_NAME, NEW_EMAIL, PeopleKeys};
pub(crate) use person_keys::PersonKey;
pub(crate) use seal::DoesNotOpen;

use crate::storage::{StorageError, Stored};
use seal::Key;
use shared_model::ids::ClinicId;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

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
    look_up: OnceLock<Arc<LookUp>>,
}

impl AtRest {
    pub(crate) fn new(masters: MasterKeys) -> Self {
        Self {
            masters,
            clinics: Mutex::default(),
            look_up: OnceLock::new(),
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
        let place = Places::of(clinic, version).now;
        ClinicKeyRow {
            version,
            wrapped: self.masters.wrap(&place, &Key::fresh()),
        }
    }

    /// Opens a clinic's keys as they lie in the database.
    ///
    /// # Errors
    /// If one does not open with the master keys that are here.
    pub(crate) fn open(&self, clinic: ClinicId, rows: &[ClinicKeyRow]) -> Stored<Arc<ClinicKeys>> {
        let keys = Arc::new(self.open_once(clinic, rows)?);
        let mut clinics = self.clinics.lock().unwrap_or_else(PoisonError::into_inner);
        // Somebody may have been quicker; his has documents' keys already.
        Ok(Arc::clone(clinics.entry(clinic).or_insert(keys)))
    }

    /// The same for a transaction that has written them itself: they are kept only once it has committed.
    pub(crate) fn open_once(&self, clinic: ClinicId, rows: &[ClinicKeyRow]) -> Stored<ClinicKeys> {
        let mut versions = BTreeMap::new();
        for row in rows {
            versions.insert(row.version, self.unwrap_clinic_key(clinic, row)?.0);
        }
        if versions.is_empty() {
            return Err(StorageError::NoSuchClinic);
        }
        Ok(ClinicKeys::new(clinic, versions))
    }

    /// A key, and whether it was wrapped in the form of before.
    fn unwrap_clinic_key(&self, clinic: ClinicId, row: &ClinicKeyRow) -> Stored<(Key, bool)> {
        let places = Places::of(clinic, row.version);
        let now = self.masters.unwrap(&places.now, &row.wrapped);
        match (now, places.before) {
            (Ok(key), _) => Ok((key, false)),
            (Err(_), Some(before)) => Ok((self.masters.unwrap(&before, &row.wrapped)?, true)),
            (Err(error), None) => Err(error),
        }
    }

    /// The server's keys as they have to lie in the database once the trails are sealed. `None` if they lie so already:
    /// that was done before.
    pub(crate) fn of_sealed_trails(&self, rows: &[ClinicKeyRow]) -> Stored<Option<Vec<ClinicKeyRow>>> {
        let mut anew = Vec::with_capacity(rows.len());
        for row in rows {
            let (key, is_of_before) = self.unwrap_clinic_key(NO_CLINIC, row)?;
            if !is_of_before {
                return Ok(None);
            }
            let (version, place) = (row.version, Places::of(NO_CLINIC, row.version).now);
            let wrapped = self.masters.wrap(&place, &key);
            anew.push(ClinicKeyRow { version, wrapped });
        }
        Ok(Some(anew))
    }

    /// Those of these keys that a former master key wraps, wrapped by the one in force.
    pub(crate) fn wrap_clinic_keys_anew(
        &self,
        rows: &[(ClinicId, ClinicKeyRow)],
    ) -> Stored<Vec<(ClinicId, ClinicKeyRow)>> {
        anew(rows, |(clinic, row)| {
            let place = Places::of(*clinic, row.version).now;
            let wrapped = self.masters.wrap_anew(&place, &row.wrapped)?;
            let version = row.version;
            Ok(wrapped.map(|wrapped| (*clinic, ClinicKeyRow { version, wrapped })))
        })
    }
}

fn anew<T>(rows: &[T], wrap: impl Fn(&T) -> Stored<Option<T>>) -> Stored<Vec<T>> {
    rows.iter().map(wrap).filter_map(Result::transpose).collect()
}

impl From<DoesNotOpen> for StorageError {
    fn from(error: DoesNotOpen) -> Self {
        Self::Failed(error.to_string())
    }
}

/// What a clinic's wrapped key is bound to.
///
/// The server's own key has another place once the trails are sealed: whoever takes the seals away and lets the database be
/// opened as one of before cannot put that key back to its former place, and without it nobody is found by an address.
struct Places {
    now: Vec<u8>,
    before: Option<Vec<u8>>,
}

impl Places {
    fn of(clinic: ClinicId, version: u32) -> Self {
        let place = |words: &[u8]| [words, clinic.bytes().as_slice(), &version.to_be_bytes()].concat();
        let plain = place(b"clinic key ");
        match clinic == NO_CLINIC {
            false => Self {
                now: plain,
                before: None,
            },
            true => Self {
                now: place(b"key of sealed trails "),
                before: Some(plain),
            },
        }
    }
}
