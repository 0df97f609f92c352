//! The keyring: the small open file beside the records, with one row for each way to unlock them.
//!
//! Invariant: what somebody who has the file can learn from it is who works on this device, and nothing of any record.

use super::attempts::{Attempts, Verdict};
use super::key::{self, Cost, DataKey, DeviceKey, Fresh, Wrapped};
use super::pin::Pin;
use crate::effect::HasLeft;
use crate::store::{StoreError, migrate, transaction};
use rusqlite::{Connection, OptionalExtension};
use serde::{Deserialize, Serialize};
use shared_model::ids::{AccountId, DeviceId};
use shared_model::time::Timestamp;

const MIGRATIONS: &[&str] = &[
    include_str!("../../../../migrations/device_keys/0001_keys.sql"),
    include_str!("../../../../migrations/device_keys/0002_left.sql"),
];

/// What somebody unlocks with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Way {
    Password,
    Pin,
}

impl Way {
    fn number(self) -> u8 {
        match self {
            Self::Password => 1,
            Self::Pin => 2,
        }
    }

    /// Whose way it is: what is sealed for one person and way opens for no other.
    fn binding(self, account: AccountId) -> Vec<u8> {
        let mut binding = account.bytes().to_vec();
        binding.push(self.number());
        binding
    }
}

/// Somebody who can unlock this device, as the lock screen shows them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonHere {
    pub account: AccountId,
    pub name: String,
    /// Wrong PINs that are left; `None` without a PIN.
    pub pin_tries: Option<u32>,
    pub has_password: bool,
    /// Not before this moment may a password be tried again.
    pub password_from: Option<Timestamp>,
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Opened(DataKey),
    /// `left` wrong PINs more, or the next password at `next`.
    Wrong {
        left: Option<u32>,
        next: Option<Timestamp>,
    },
    /// Nothing was tried: not before this moment.
    Wait(Timestamp),
    /// There is no such way, or not any more.
    Gone,
}

/// An attempt that is counted and not judged yet.
#[derive(Debug)]
pub struct Begun {
    account: AccountId,
    way: Way,
    cost: Cost,
    salt: Vec<u8>,
    wrapped: Wrapped,
    attempts: Attempts,
}

#[derive(Debug)]
pub struct Keyring {
    sql: Connection,
}

impl Keyring {
    /// Prepares an opened connection; the host opens it, because only the host knows files.
    pub fn new(sql: Connection) -> Result<Self, StoreError> {
        sql.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
        sql.query_row("PRAGMA journal_mode = TRUNCATE", [], |_| Ok(()))?;
        sql.pragma_update(None, "synchronous", "FULL")?;
        sql.pragma_update(None, "temp_store", "MEMORY")?;
        // A PIN that is spent is gone from the disk too.
        sql.query_row("PRAGMA secure_delete = ON", [], |_| Ok(()))?;
        migrate(&sql, MIGRATIONS)?;
        Ok(Self { sql })
    }

    /// The device's id, `fresh` if it has none yet.
    pub fn device(&self, fresh: DeviceId) -> Result<DeviceId, StoreError> {
        self.sql.execute(
            "INSERT INTO device (only_one, id) VALUES (1, ?1) ON CONFLICT DO NOTHING",
            [&fresh.bytes()[..]],
        )?;
        let id: Vec<u8> = self
            .sql
            .query_row("SELECT id FROM device", [], |row| row.get(0))?;
        DeviceId::from_slice(&id).ok_or_else(|| StoreError::Corrupt("the device's id".to_owned()))
    }

    /// The records were made under this id before there was a keyring.
    pub fn adopt_device(&self, id: DeviceId) -> Result<(), StoreError> {
        self.sql.execute("UPDATE device SET id = ?1", [&id.bytes()[..]])?;
        Ok(())
    }

    /// Whether the records are the encrypted ones.
    pub fn is_sealed(&self) -> Result<bool, StoreError> {
        Ok(self
            .sql
            .query_row("SELECT sealed FROM device", [], |row| row.get(0))
            .optional()?
            .unwrap_or(false))
    }

    /// From now on the encrypted records count, whatever else lies beside them.
    pub fn set_sealed(&self) -> Result<(), StoreError> {
        self.sql.execute("UPDATE device SET sealed = 1", [])?;
        Ok(())
    }

    /// Minutes without any input after which the device locks itself; 0 is never.
    pub fn lock_after(&self) -> Result<u16, StoreError> {
        Ok(self
            .sql
            .query_row("SELECT lock_after FROM device", [], |row| row.get(0))?)
    }

    pub fn set_lock_after(&self, minutes: u16) -> Result<(), StoreError> {
        self.sql.execute("UPDATE device SET lock_after = ?1", [minutes])?;
        Ok(())
    }

    /// How many changes waited when the device was locked; `None` if it was never, or died before it was.
    pub fn waiting(&self) -> Result<Option<u64>, StoreError> {
        Ok(self
            .sql
            .query_row("SELECT waiting FROM device", [], |row| row.get(0))?)
    }

    /// The records are open from now on, for whoever holds `pass`. Who has left before is no news any more.
    pub fn note_opened(&self, pass: &[u8; 16]) -> Result<(), StoreError> {
        transaction(&self.sql, || {
            self.sql
                .execute("UPDATE device SET waiting = NULL, pass = ?1", [&pass[..]])?;
            self.sql.execute("DELETE FROM has_left", [])?;
            Ok(())
        })
    }

    pub fn note_locked(&self, waiting: u64) -> Result<(), StoreError> {
        self.sql
            .execute("UPDATE device SET waiting = ?1, pass = NULL", [waiting])?;
        Ok(())
    }

    /// No window goes on without unlocking.
    pub fn end_pass(&self) -> Result<(), StoreError> {
        self.sql.execute("UPDATE device SET pass = NULL", [])?;
        Ok(())
    }

    /// Whether a window that was open at the last unlocking may go on: nobody has locked the device since.
    pub fn still_holds(&self, pass: &[u8; 16]) -> Result<bool, StoreError> {
        let kept: Option<Vec<u8>> = self
            .sql
            .query_row("SELECT pass FROM device", [], |row| row.get(0))?;
        Ok(kept.is_some_and(|kept| kept == pass))
    }

    /// Who can unlock here, whoever was here last first.
    pub fn people(&self, now: Timestamp) -> Result<Vec<PersonHere>, StoreError> {
        let mut statement = self
            .sql
            .prepare("SELECT account, name FROM person ORDER BY last_at DESC, name")?;
        let mut rows = statement.query([])?;
        let mut people = Vec::new();
        while let Some(row) = rows.next()? {
            let account = AccountId::from_slice(row.get_ref(0)?.as_blob()?)
                .ok_or_else(|| StoreError::Corrupt("an account of the keyring".to_owned()))?;
            let pin = self.attempts(account, Way::Pin)?;
            let password = self.attempts(account, Way::Password)?;
            people.push(PersonHere {
                account,
                name: row.get(1)?,
                pin_tries: pin.and_then(|pin| pin.left(Way::Pin)),
                has_password: password.is_some(),
                password_from: password.and_then(|password| password.waits_until(Way::Password, now)),
            });
        }
        Ok(people)
    }

    fn attempts(&self, account: AccountId, way: Way) -> Result<Option<Attempts>, StoreError> {
        Ok(self
            .sql
            .query_row(
                "SELECT failed, tried_at FROM way WHERE account = ?1 AND kind = ?2",
                (&account.bytes()[..], way.number()),
                |row| {
                    Ok(Attempts {
                        failed: row.get(0)?,
                        tried_at: Timestamp(row.get(1)?),
                    })
                },
            )
            .optional()?)
    }

    pub fn has_pin(&self, account: AccountId) -> Result<bool, StoreError> {
        Ok(self.attempts(account, Way::Pin)?.is_some())
    }

    /// Whether somebody's password opens the records.
    pub fn has_password(&self, account: AccountId) -> Result<bool, StoreError> {
        Ok(self.attempts(account, Way::Password)?.is_some())
    }

    /// Somebody works here: under this name, and at this moment for the last time.
    pub fn remember(&self, account: AccountId, name: &str, now: Timestamp) -> Result<(), StoreError> {
        self.sql.execute(
            "INSERT INTO person VALUES (?1, ?2, ?3) ON CONFLICT (account) DO UPDATE SET name = ?2, last_at = ?3",
            (&account.bytes()[..], name, now.0),
        )?;
        Ok(())
    }

    /// Somebody's password, which the server has just taken, opens the records from now on.
    pub fn set_password(
        &self,
        account: AccountId,
        password: &str,
        data: &DataKey,
        fresh: Fresh,
    ) -> Result<(), StoreError> {
        self.set_way(account, Way::Password, password, data, fresh)
    }

    pub fn set_pin(
        &self,
        account: AccountId,
        pin: &Pin,
        data: &DataKey,
        fresh: Fresh,
    ) -> Result<(), StoreError> {
        self.set_way(account, Way::Pin, pin.digits(), data, fresh)
    }

    fn set_way(
        &self,
        account: AccountId,
        way: Way,
        secret: &str,
        data: &DataKey,
        fresh: Fresh,
    ) -> Result<(), StoreError> {
        let cost = Cost::NOW;
        let key = cost
            .derive(secret, &fresh.salt)
            .expect("the cost of new ways is one that argon2 takes");
        let wrapped = key::seal(&key, data, fresh.nonce, &way.binding(account));
        self.sql.execute(
            "INSERT INTO way VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0, 0) ON CONFLICT (account, kind) DO UPDATE SET \
             memory_kib = ?3, passes = ?4, lanes = ?5, salt = ?6, nonce = ?7, wrapped = ?8, failed = 0, tried_at = 0",
            (
                &account.bytes()[..],
                way.number(),
                cost.memory_kib,
                cost.passes,
                cost.lanes,
                &fresh.salt[..],
                wrapped.nonce,
                wrapped.sealed,
            ),
        )?;
        Ok(())
    }

    /// Whoever signs in at the server on this device can open the records, with what it gives them then.
    pub fn set_device_key(
        &self,
        device_key: &DeviceKey,
        data: &DataKey,
        nonce: [u8; 24],
    ) -> Result<(), StoreError> {
        let wrapped = device_key.seal(data, nonce);
        self.sql.execute(
            "UPDATE device SET nonce = ?1, wrapped = ?2",
            (wrapped.nonce, wrapped.sealed),
        )?;
        Ok(())
    }

    /// Whether whoever signs in at the server can open the records.
    pub fn has_device_key(&self) -> Result<bool, StoreError> {
        Ok(self
            .sql
            .query_row("SELECT wrapped IS NOT NULL FROM device", [], |row| row.get(0))?)
    }

    /// The records' key, for somebody who has just signed in at the server.
    pub fn open_by_device_key(&self, device_key: &DeviceKey) -> Result<Option<DataKey>, StoreError> {
        let wrapped: Option<Wrapped> = self
            .sql
            .query_row(
                "SELECT nonce, wrapped FROM device WHERE wrapped IS NOT NULL",
                [],
                |row| {
                    Ok(Wrapped {
                        nonce: row.get(0)?,
                        sealed: row.get(1)?,
                    })
                },
            )
            .optional()?;
        Ok(wrapped.and_then(|wrapped| device_key.open(&wrapped)))
    }

    /// The records' key, for somebody whose password the server has just taken: no attempt, so it is not counted.
    pub fn open_by_password(
        &self,
        account: AccountId,
        password: &str,
    ) -> Result<Option<DataKey>, StoreError> {
        let Some(known) = self.way(account, Way::Password)? else {
            return Ok(None);
        };
        let opened = known.open(password);
        if opened.is_some() {
            self.note_right(account, Way::Password)?;
        }
        Ok(opened)
    }

    fn way(&self, account: AccountId, way: Way) -> Result<Option<Begun>, StoreError> {
        Ok(self
            .sql
            .query_row(
                "SELECT memory_kib, passes, lanes, salt, nonce, wrapped, failed, tried_at FROM way \
                 WHERE account = ?1 AND kind = ?2",
                (&account.bytes()[..], way.number()),
                |row| {
                    Ok(Begun {
                        account,
                        way,
                        cost: Cost {
                            memory_kib: row.get(0)?,
                            passes: row.get(1)?,
                            lanes: row.get(2)?,
                        },
                        salt: row.get(3)?,
                        wrapped: Wrapped {
                            nonce: row.get(4)?,
                            sealed: row.get(5)?,
                        },
                        attempts: Attempts {
                            failed: row.get(6)?,
                            tried_at: Timestamp(row.get(7)?),
                        },
                    })
                },
            )
            .optional()?)
    }

    /// Tries a PIN or password.
    pub fn try_unlock(
        &self,
        now: Timestamp,
        account: AccountId,
        way: Way,
        secret: &str,
    ) -> Result<Outcome, StoreError> {
        match self.begin(now, account, way)? {
            Ok(begun) => self.judge(&begun, secret),
            Err(outcome) => Ok(outcome),
        }
    }

    /// Counts an attempt, on the disk, before anybody knows whether it is right.
    pub fn begin(
        &self,
        now: Timestamp,
        account: AccountId,
        way: Way,
    ) -> Result<Result<Begun, Outcome>, StoreError> {
        let Some(known) = self.way(account, way)? else {
            return Ok(Err(Outcome::Gone));
        };
        let (attempts, verdict) = known.attempts.begin(way, now);
        if verdict == Verdict::Spent {
            self.forget_way(account, way)?;
            return Ok(Err(Outcome::Gone));
        }
        if attempts != known.attempts {
            self.sql.execute(
                "UPDATE way SET failed = ?3, tried_at = ?4 WHERE account = ?1 AND kind = ?2",
                (
                    &account.bytes()[..],
                    way.number(),
                    attempts.failed,
                    attempts.tried_at.0,
                ),
            )?;
        }
        Ok(match verdict {
            Verdict::Wait(until) => Err(Outcome::Wait(until)),
            _ => Ok(Begun { attempts, ..known }),
        })
    }

    /// Whether a counted attempt was right. What is spent with it goes.
    pub fn judge(&self, begun: &Begun, secret: &str) -> Result<Outcome, StoreError> {
        if let Some(data) = begun.open(secret) {
            self.note_right(begun.account, begun.way)?;
            return Ok(Outcome::Opened(data));
        }
        let left = begun.attempts.left(begun.way);
        if left == Some(0) {
            self.forget_way(begun.account, begun.way)?;
            return Ok(Outcome::Gone);
        }
        Ok(Outcome::Wrong {
            left,
            next: begun.attempts.waits_until(begun.way, begun.attempts.tried_at),
        })
    }

    fn note_right(&self, account: AccountId, way: Way) -> Result<(), StoreError> {
        self.sql.execute(
            "UPDATE way SET failed = 0, tried_at = 0 WHERE account = ?1 AND kind = ?2",
            (&account.bytes()[..], way.number()),
        )?;
        Ok(())
    }

    pub fn forget_pin(&self, account: AccountId) -> Result<(), StoreError> {
        self.forget_way(account, Way::Pin)
    }

    fn forget_way(&self, account: AccountId, way: Way) -> Result<(), StoreError> {
        self.sql.execute(
            "DELETE FROM way WHERE account = ?1 AND kind = ?2",
            (&account.bytes()[..], way.number()),
        )?;
        Ok(())
    }

    /// Somebody does not work here any more.
    pub fn forget_person(&self, account: AccountId) -> Result<(), StoreError> {
        transaction(&self.sql, || {
            self.forget_account(account)?;
            Ok(())
        })
    }

    /// Whether they were one of those who can unlock.
    fn forget_account(&self, account: AccountId) -> Result<bool, StoreError> {
        let account = account.bytes();
        self.sql
            .execute("DELETE FROM way WHERE account = ?1", [&account[..]])?;
        let known = self
            .sql
            .execute("DELETE FROM person WHERE account = ?1", [&account[..]])?;
        Ok(known > 0)
    }

    /// Somebody has left the clinic: they unlock here no more, and whoever comes next reads what became of their work.
    /// Told again, it is no news.
    pub fn note_left(&self, left: &HasLeft) -> Result<(), StoreError> {
        transaction(&self.sql, || {
            // Nobody can unlock the records of a former build.
            let is_news = self.forget_account(left.account)? || !self.is_sealed()?;
            if is_news {
                self.sql.execute(
                    "INSERT OR REPLACE INTO has_left VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6)",
                    (
                        &left.account.bytes()[..],
                        &left.name,
                        &left.clinic,
                        left.entries,
                        left.at.map(|at| at.0),
                        left.records_gone,
                    ),
                )?;
            }
            Ok(())
        })
    }

    /// Who has left since somebody last worked here.
    pub fn has_left(&self) -> Result<Option<HasLeft>, StoreError> {
        let mut statement = self
            .sql
            .prepare("SELECT account, name, clinic, entries, at, records_gone FROM has_left")?;
        let mut rows = statement.query([])?;
        let Some(row) = rows.next()? else {
            return Ok(None);
        };
        Ok(Some(HasLeft {
            account: AccountId::from_slice(row.get_ref(0)?.as_blob()?)
                .ok_or_else(|| StoreError::Corrupt("an account of the keyring".to_owned()))?,
            name: row.get(1)?,
            clinic: row.get(2)?,
            entries: row.get(3)?,
            at: row.get::<_, Option<i64>>(4)?.map(Timestamp),
            records_gone: row.get(5)?,
        }))
    }

    /// Nobody can open what was encrypted so far: for records that begin anew, or were never taken over. The device keeps
    /// its id, and locks as a new one does: an owner's phone that never did may be a clinic's next.
    pub fn forget_everybody(&self) -> Result<(), StoreError> {
        transaction(&self.sql, || {
            self.sql.execute_batch(
                "DELETE FROM way; DELETE FROM person; \
                 UPDATE device SET sealed = 0, lock_after = 5, waiting = NULL, pass = NULL, nonce = NULL, wrapped = NULL;",
            )?;
            Ok(())
        })
    }
}

impl Begun {
    fn open(&self, secret: &str) -> Option<DataKey> {
        let key = self.cost.derive(secret, &self.salt)?;
        key::open(&key, &self.wrapped, &self.way.binding(self.account))
    }
}
