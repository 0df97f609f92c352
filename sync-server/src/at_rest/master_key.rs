//! The master key: the one secret that is not in the database. It wraps the keys of clinics and of people and does nothing
//! else.
//!
//! Invariant: it is read from a file or the environment and is written nowhere but into a fresh file of its own.

use super::seal::Key;
use crate::identity::random;
use crate::storage::{StorageError, Stored};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use std::io::Write;
use std::path::Path;
use std::str::FromStr;
use zeroize::Zeroizing;

/// Why there is no master key to work with.
#[derive(Debug, thiserror::Error)]
pub enum MasterKeyError {
    #[error("a master key is 32 bytes in base64, as `sync-server admin make-master-key FILE` writes it")]
    Form,
    #[error("the master key's file {file} cannot be read or written: {cause}")]
    File { file: String, cause: std::io::Error },
    #[error(
        "Postgres needs a master key that lies outside of it: make one with `sync-server admin make-master-key FILE`, keep \
         it where backups of the database are not, and name it in MASTER_KEY_FILE on every node"
    )]
    Missing,
}

/// A master key. Its name says which one wrapped something and tells nothing about it.
#[derive(Clone, Debug)]
pub struct MasterKey {
    name: [u8; 8],
    key: Key,
}

impl MasterKey {
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self::new(Key::from_bytes(Zeroizing::new(bytes)))
    }

    fn new(key: Key) -> Self {
        let digest = Sha256::new()
            .chain_update(b"name of a master key")
            .chain_update(key.bytes())
            .finalize();
        let mut name = [0; 8];
        name.copy_from_slice(&digest[..8]);
        Self { name, key }
    }

    /// Reads the file.
    ///
    /// # Errors
    /// If it cannot be read, or holds anything but 32 bytes in base64.
    pub fn read(file: &Path) -> Result<Self, MasterKeyError> {
        let text = std::fs::read_to_string(file).map_err(|cause| of_file(file, cause))?;
        Zeroizing::new(text).parse()
    }

    /// Makes a fresh one and writes it to a file that must not be there yet, readable for its owner alone.
    ///
    /// # Errors
    /// If the file is there, or cannot be written durably.
    pub fn create(file: &Path) -> Result<Self, MasterKeyError> {
        let key = Self::new(Key::from_bytes(Zeroizing::new(random())));
        let text = Zeroizing::new(format!("{}\n", STANDARD.encode(key.key.bytes())));
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let write = || {
            if let Some(folder) = file.parent() {
                std::fs::create_dir_all(folder)?;
            }
            let mut out = options.open(file)?;
            out.write_all(text.as_bytes())?;
            // Before anything is sealed that only this key opens.
            out.sync_all()?;
            match file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
                Some(folder) => std::fs::File::open(folder)?.sync_all(),
                None => Ok(()),
            }
        };
        write().map_err(|cause| of_file(file, cause))?;
        Ok(key)
    }
}

impl FromStr for MasterKey {
    type Err = MasterKeyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bytes = Zeroizing::new(STANDARD.decode(text.trim()).map_err(|_| MasterKeyError::Form)?);
        let bytes: [u8; 32] = bytes.as_slice().try_into().map_err(|_| MasterKeyError::Form)?;
        Ok(Self::from_bytes(bytes))
    }
}

fn of_file(file: &Path, cause: std::io::Error) -> MasterKeyError {
    MasterKeyError::File {
        file: file.display().to_string(),
        cause,
    }
}

/// The master key in force, and former ones, which still open what they wrapped.
#[derive(Clone, Debug)]
pub struct MasterKeys {
    current: MasterKey,
    former: Vec<MasterKey>,
}

impl MasterKeys {
    pub fn new(current: MasterKey, former: Vec<MasterKey>) -> Self {
        Self { current, former }
    }

    fn named(&self, name: &[u8]) -> Option<&MasterKey> {
        std::iter::once(&self.current)
            .chain(&self.former)
            .find(|key| key.name == name)
    }

    /// A key as it lies in the database: the name of the master key in force, then the sealed key.
    pub(super) fn wrap(&self, place: &[u8], key: &Key) -> Vec<u8> {
        let sealed = self.current.key.seal(place, key.bytes());
        [self.current.name.as_slice(), &sealed].concat()
    }

    /// # Errors
    /// If none of the master keys that are here wrapped it, or not for this place.
    pub(super) fn unwrap(&self, place: &[u8], wrapped: &[u8]) -> Stored<Key> {
        let (name, sealed) = wrapped
            .split_first_chunk::<8>()
            .ok_or_else(|| StorageError::Failed("a key is cut short".to_owned()))?;
        let master = self.named(name).ok_or_else(|| {
            StorageError::Failed(
                "this database was sealed with another master key than the one that is configured here"
                    .to_owned(),
            )
        })?;
        let plain = master
            .key
            .open(place, sealed)
            .map(Zeroizing::new)
            .map_err(|error| StorageError::Failed(format!("a key: {error}")))?;
        let bytes: [u8; 32] = plain
            .as_slice()
            .try_into()
            .map_err(|_| StorageError::Failed("a key has another length".to_owned()))?;
        Ok(Key::from_bytes(bytes.into()))
    }

    /// The same key, wrapped by the master key in force; `None` if it is already.
    pub(super) fn wrap_anew(&self, place: &[u8], wrapped: &[u8]) -> Stored<Option<Vec<u8>>> {
        if wrapped.starts_with(&self.current.name) {
            return Ok(None);
        }
        let key = self.unwrap(place, wrapped)?;
        Ok(Some(self.wrap(place, &key)))
    }
}

impl From<MasterKey> for MasterKeys {
    fn from(current: MasterKey) -> Self {
        Self::new(current, Vec::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_made_file_is_read_again_and_never_written_over() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("keys/master.key");
        let made = MasterKey::create(&file).expect("made");
        assert_eq!(MasterKey::read(&file).expect("read").name, made.name);
        assert!(MasterKey::create(&file).is_err(), "it would have been lost");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(&file).expect("there").permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn what_is_no_key_is_refused_in_words() {
        for wrong in ["", "secret", &STANDARD.encode([1; 31]), &STANDARD.encode([1; 33])] {
            assert!(
                matches!(wrong.parse::<MasterKey>(), Err(MasterKeyError::Form)),
                "{wrong}"
            );
        }
        let key: MasterKey = format!(" {}\n", STANDARD.encode([1; 32])).parse().expect("a key");
        assert_ne!(key.name, MasterKey::from_bytes([2; 32]).name);
        assert_eq!(format!("{key:?}").matches("AQEB").count(), 0, "no key in a log");
    }
}
