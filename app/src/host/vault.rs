//! The device's files: the records, encrypted, and the keyring that says who may open them.
//!
//! Place in the flow: below the runner, above the platform's files. Invariant: wherever the program dies, one store
//! counts and is whole: the encrypted one from the moment at which the keyring says so, until then a former build's.

use local_core::unlock::{DataKey, Keyring};
use local_core::{Core, Store, StoreError};
use rusqlite::Connection;
use shared_model::ids::DeviceId;

const KEYS: &str = "keys.db";
const RECORDS: &str = "records.db";
/// As builds wrote it that did not encrypt.
const FORMER: &str = "clinic.db";

/// What a platform does with the device's files. All of them are databases.
pub(super) trait Files {
    fn exists(&self, name: &str) -> bool;
    fn open(&self, name: &str) -> Result<Connection, StoreError>;
    /// With its log and journal; nothing happens if it is not there.
    fn delete(&self, name: &str) -> Result<(), StoreError>;
}

/// Which records are on the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    Nothing,
    /// A former build's, as anybody can read them.
    Former,
    Sealed,
}

pub(super) struct Vault<F> {
    files: F,
    pub(super) keyring: Keyring,
}

impl<F: Files> Vault<F> {
    /// Opens the keyring and finishes, or takes back, what a death has interrupted. `fresh` is the device's id if it has
    /// none yet.
    pub(super) fn open(files: F, fresh: DeviceId) -> Result<(Self, DeviceId), StoreError> {
        let keyring = Keyring::new(files.open(KEYS)?)?;
        let device = keyring.device(fresh)?;
        let vault = Self { files, keyring };
        if vault.keyring.is_sealed()? {
            vault.files.delete(FORMER)?;
        } else {
            vault.begin_anew()?;
        }
        Ok((vault, device))
    }

    pub(super) fn found(&self) -> Result<Found, StoreError> {
        Ok(if self.keyring.is_sealed()? {
            Found::Sealed
        } else if self.files.exists(FORMER) {
            Found::Former
        } else {
            Found::Nothing
        })
    }

    /// Opens the records of a former build as they are.
    pub(super) fn former(&self) -> Result<Core, StoreError> {
        let core = Core::new(Store::new(self.files.open(FORMER)?)?)?;
        if let Some(device) = core.device()? {
            self.keyring.adopt_device(device)?;
        }
        Ok(core)
    }

    /// Opens the encrypted records; makes them if nobody has written any yet.
    pub(super) fn records(&self, key: &DataKey) -> Result<Core, StoreError> {
        Core::new(self.store(key)?)
    }

    fn store(&self, key: &DataKey) -> Result<Store, StoreError> {
        let sql = self.files.open(RECORDS)?;
        give_key(&sql, key)?;
        Store::new(sql)
    }

    /// Takes the records of a former build, which nobody has open, over into encrypted ones. The keyring has somebody who
    /// can open them already.
    pub(super) fn seal_former(&self, key: &DataKey) -> Result<(), StoreError> {
        self.files.delete(RECORDS)?;
        {
            let former = Store::new(self.files.open(FORMER)?)?;
            self.store(key)?.take_over(&former)?;
        }
        self.keyring.set_sealed()?;
        // Whatever happens from here on, the next start deletes it.
        self.files.delete(FORMER)
    }

    /// Forgets the encrypted records and everybody who could open them. The caller has made sure that no work waits there.
    pub(super) fn begin_anew(&self) -> Result<(), StoreError> {
        self.keyring.forget_everybody()?;
        self.files.delete(RECORDS)
    }

    /// The same for a device that was lost: a former build's records go too.
    pub(super) fn forget_all(&self) -> Result<(), StoreError> {
        self.begin_anew()?;
        self.files.delete(FORMER)
    }
}

/// Everything that is read from and written to a connection goes through this key from here on.
#[allow(
    unsafe_code,
    reason = "the key as a statement's text would stay behind in memory, where SQLite keeps statements"
)]
fn give_key(sql: &Connection, key: &DataKey) -> Result<(), StoreError> {
    let spelled = key.spelled();
    let length = i32::try_from(spelled.len()).expect("a key is spelled in 67 characters");
    // SAFETY: the connection is open as long as it is borrowed, and SQLite has copied the key when it returns.
    let code = unsafe { rusqlite::ffi::sqlite3_key(sql.handle(), spelled.as_ptr().cast(), length) };
    if code == rusqlite::ffi::SQLITE_OK {
        Ok(())
    } else {
        Err(rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None).into())
    }
}
