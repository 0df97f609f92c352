//! The keys of one clinic, opened, and what is sealed with them: documents, the rows derived from them, and changes.
//!
//! Invariant: a document's key is remembered only once the transaction that wrote it has committed; until then nothing
//! but that transaction may rely on it.

use super::seal::{DoesNotOpen, Key, OVERHEAD, is_sealed, version_of};
use crate::storage::{AcceptWrites, StoredDocument};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use shared_model::ids::{ClinicId, DocumentId};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use zeroize::Zeroizing;

/// Opened keys of documents that are kept; beyond that all are forgotten and opened again as they are needed.
const KEEP_DOCUMENT_KEYS: usize = 20_000;

/// Secrets of the server have 32 bytes, and more once they are sealed.
const PLAIN_SECRET: usize = 32;

/// What a sealed value is, beside where it belongs.
#[derive(Clone, Copy)]
enum Part {
    Key,
    Document,
    Projection,
    Change,
}

impl Part {
    fn word(self) -> &'static [u8] {
        match self {
            Self::Key => b"document key ",
            Self::Document => b"document ",
            Self::Projection => b"projection ",
            Self::Change => b"change ",
        }
    }
}

#[derive(Debug)]
pub(crate) struct ClinicKeys {
    clinic: ClinicId,
    /// By version. The highest wraps what is new.
    versions: BTreeMap<u32, Key>,
    /// By the same version: what the ends of the trail are sealed with, derived from it.
    of_ends: BTreeMap<u32, Key>,
    documents: Mutex<HashMap<DocumentId, Key>>,
}

/// What an accept writes, sealed, in the order in which it stands there.
#[derive(Debug, Default)]
pub(crate) struct SealedWrites {
    pub(crate) changes: Vec<Vec<u8>>,
    pub(crate) documents: Vec<SealedDocument>,
    /// Keys that have to be stored in the same transaction, wrapped.
    pub(crate) wrapped: Vec<(DocumentId, Vec<u8>)>,
    fresh: Vec<(DocumentId, Key)>,
}

#[derive(Debug)]
pub(crate) struct SealedDocument {
    pub(crate) bytes: Vec<u8>,
    /// How many of the bytes are the saved document, sealing included.
    pub(crate) base: usize,
    pub(crate) projection: Vec<u8>,
}

impl ClinicKeys {
    /// `versions` is not empty.
    pub(super) fn new(clinic: ClinicId, versions: BTreeMap<u32, Key>) -> Self {
        let of_ends = versions.iter().map(|(version, key)| (*version, key_of_ends(key)));
        Self {
            clinic,
            of_ends: of_ends.collect(),
            versions,
            documents: Mutex::default(),
        }
    }

    fn place(&self, part: Part, document: DocumentId) -> Vec<u8> {
        [
            part.word(),
            self.clinic.bytes().as_slice(),
            document.bytes().as_slice(),
        ]
        .concat()
    }

    fn documents(&self) -> MutexGuard<'_, HashMap<DocumentId, Key>> {
        self.documents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remember(&self, keys: impl IntoIterator<Item = (DocumentId, Key)>) {
        let mut documents = self.documents();
        for (document, key) in keys {
            if documents.len() >= KEEP_DOCUMENT_KEYS {
                documents.clear();
            }
            documents.insert(document, key);
        }
    }

    fn document_key(&self, document: DocumentId, wrapped: &[u8]) -> Result<Key, DoesNotOpen> {
        if let Some(key) = self.documents().get(&document) {
            return Ok(key.clone());
        }
        let (version, _) = version_of(wrapped)?;
        let outer = self.versions.get(&version).ok_or(DoesNotOpen)?;
        let key = outer.unwrap(&self.place(Part::Key, document), wrapped)?;
        self.remember([(document, key.clone())]);
        Ok(key)
    }

    /// Opens a value; one of a time before anything was sealed is as it is.
    fn open(
        &self,
        part: Part,
        document: DocumentId,
        wrapped: Option<&[u8]>,
        value: Vec<u8>,
    ) -> Result<Vec<u8>, DoesNotOpen> {
        if !is_sealed(&value) {
            return Ok(value);
        }
        let key = self.document_key(document, wrapped.ok_or(DoesNotOpen)?)?;
        key.open(&self.place(part, document), &value)
    }

    /// A document as it lay in the database, opened. `wrapped` is its key. One that does not open has no bytes, as a
    /// damaged one: it takes nothing and is shown to nobody, and keeps nobody from the others.
    pub(crate) fn open_document(
        &self,
        mut stored: StoredDocument,
        wrapped: Option<Vec<u8>>,
    ) -> StoredDocument {
        let sealed = is_sealed(&stored.bytes);
        let (id, wrapped) = (stored.id, wrapped.as_deref());
        let open = |part, value| self.open(part, id, wrapped, value);
        let opened = open(Part::Document, stored.bytes)
            .and_then(|bytes| Ok((bytes, open(Part::Projection, stored.projection)?)));
        match opened {
            Ok((bytes, projection)) => {
                stored.bytes = bytes;
                stored.projection = projection;
                if sealed {
                    stored.base = stored.base.saturating_sub(OVERHEAD);
                }
            }
            Err(error) => {
                tracing::error!(clinic = %self.clinic, document = %id, %error, "a stored document does not open");
                stored.bytes = Vec::new();
                stored.projection = Vec::new();
                stored.base = 0;
            }
        }
        stored
    }

    /// A change as it lay in the database, opened; `None` if it does not open.
    pub(crate) fn open_change(
        &self,
        document: DocumentId,
        wrapped: Option<&[u8]>,
        value: Vec<u8>,
    ) -> Option<Vec<u8>> {
        self.open(Part::Change, document, wrapped, value)
            .inspect_err(|error| {
                tracing::error!(clinic = %self.clinic, %document, %error, "a stored change does not open");
            })
            .ok()
    }

    /// The documents of these writes whose keys have to be looked up before they can be sealed.
    pub(crate) fn unknown(&self, writes: &AcceptWrites) -> Vec<DocumentId> {
        let documents = self.documents();
        let unknown: BTreeSet<DocumentId> = documents_of(writes)
            .filter(|document| !documents.contains_key(document))
            .collect();
        unknown.into_iter().collect()
    }

    /// Seals everything that an accept writes. `found` are the wrapped keys of those that were [`Self::unknown`] and have
    /// one; the others get a fresh one.
    pub(crate) fn seal(
        &self,
        writes: &AcceptWrites,
        found: &[(DocumentId, Vec<u8>)],
    ) -> Result<SealedWrites, DoesNotOpen> {
        for (document, wrapped) in found {
            self.document_key(*document, wrapped)?;
        }
        let (version, outer) = self.versions.last_key_value().ok_or(DoesNotOpen)?;
        let mut sealed = SealedWrites::default();
        let mut keys: HashMap<DocumentId, Key> = HashMap::new();
        for document in documents_of(writes) {
            if keys.contains_key(&document) {
                continue;
            }
            let known = self.documents().get(&document).cloned();
            let key = known.unwrap_or_else(|| {
                let key = Key::fresh();
                let wrapped = outer.wrap(*version, &self.place(Part::Key, document), &key);
                sealed.wrapped.push((document, wrapped));
                sealed.fresh.push((document, key.clone()));
                key
            });
            keys.insert(document, key);
        }
        let seal = |part, document, value: &[u8]| {
            keys.get(&document)
                .ok_or(DoesNotOpen)
                .map(|key| key.seal(&self.place(part, document), value))
        };
        for row in &writes.changes {
            sealed.changes.push(seal(Part::Change, row.document, &row.bytes)?);
        }
        for row in &writes.documents {
            let stored = &row.stored;
            sealed.documents.push(SealedDocument {
                bytes: seal(Part::Document, stored.id, &stored.bytes)?,
                base: stored.base + OVERHEAD,
                projection: seal(Part::Projection, stored.id, &stored.projection)?,
            });
        }
        Ok(sealed)
    }

    /// The transaction that wrote these has committed.
    pub(crate) fn committed(&self, sealed: SealedWrites) {
        self.remember(sealed.fresh);
    }

    /// Seals a small value that is no part of a document; `place` says what it is and whose.
    pub(crate) fn seal_value(&self, place: &str, plain: &[u8]) -> Result<Vec<u8>, DoesNotOpen> {
        let (version, outer) = self.versions.last_key_value().ok_or(DoesNotOpen)?;
        let mut sealed = version.to_be_bytes().to_vec();
        sealed.extend(outer.seal(place.as_bytes(), plain));
        Ok(sealed)
    }

    pub(crate) fn open_value(&self, place: &str, sealed: &[u8]) -> Result<Vec<u8>, DoesNotOpen> {
        let (version, sealed) = version_of(sealed)?;
        let outer = self.versions.get(&version).ok_or(DoesNotOpen)?;
        outer.open(place.as_bytes(), sealed)
    }

    pub(crate) fn clinic(&self) -> ClinicId {
        self.clinic
    }

    /// The seal of where a chain of the clinic's trail ends: the key's version, then an HMAC of the text.
    pub(crate) fn seal_end(&self, text: &[u8]) -> Result<Vec<u8>, DoesNotOpen> {
        let (version, key) = self.of_ends.last_key_value().ok_or(DoesNotOpen)?;
        let mut seal = version.to_be_bytes().to_vec();
        seal.extend(self.mac(key, text).finalize().into_bytes());
        Ok(seal)
    }

    /// Whether it is this end that the seal was made for.
    pub(crate) fn has_sealed(&self, text: &[u8], seal: Option<&[u8]>) -> bool {
        let Some((version, mac)) = seal.and_then(|seal| version_of(seal).ok()) else {
            return false;
        };
        let key = self.of_ends.get(&version);
        key.is_some_and(|key| self.mac(key, text).verify_slice(mac).is_ok())
    }

    fn mac(&self, key: &Key, text: &[u8]) -> Hmac<Sha256> {
        keyed(key).chain_update(self.clinic.bytes()).chain_update(text)
    }

    /// A secret of the server as it lies in the database, and how it has to lie there instead if it is of a time before
    /// anything was sealed.
    pub(crate) fn open_secret(
        &self,
        name: &str,
        value: Vec<u8>,
    ) -> Result<(Vec<u8>, Option<Vec<u8>>), DoesNotOpen> {
        if value.len() == PLAIN_SECRET {
            let sealed = self.seal_value(name, &value)?;
            return Ok((value, Some(sealed)));
        }
        Ok((self.open_value(name, &value)?, None))
    }

    /// A document's bytes, saved anew; `None` if its key is not at hand, as of one that is not sealed yet.
    pub(crate) fn seal_saved(&self, document: DocumentId, bytes: &[u8]) -> Option<Vec<u8>> {
        let key = self.documents().get(&document).cloned()?;
        Some(key.seal(&self.place(Part::Document, document), bytes))
    }
}

fn keyed(key: &Key) -> Hmac<Sha256> {
    Hmac::new_from_slice(key.bytes()).expect("HMAC takes keys of any length")
}

/// A key of its own for each purpose.
fn key_of_ends(key: &Key) -> Key {
    let derived = keyed(key).chain_update(b"seals of the trail");
    Key::from_bytes(Zeroizing::new(derived.finalize().into_bytes().into()))
}

fn documents_of(writes: &AcceptWrites) -> impl Iterator<Item = DocumentId> {
    let changed = writes.changes.iter().map(|row| row.document);
    changed.chain(writes.documents.iter().map(|row| row.stored.id))
}
