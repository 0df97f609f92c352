//! What unlocking costs on this machine: argon2id and the way around it, for a PIN.

use crate::{Row, percentile, row};
use local_core::unlock::{DataKey, Fresh, Keyring, Outcome, Pin, Way};
use rusqlite::Connection;
use shared_model::ids::{AccountId, DeviceId};
use std::time::Instant;
use uuid::Uuid;

const PIN: &str = "481516";

pub(crate) fn rows() -> Vec<Row> {
    let folder = tempfile::tempdir().unwrap();
    let keyring = Keyring::new(Connection::open(folder.path().join("keys.db")).unwrap()).unwrap();
    keyring.device(DeviceId(Uuid::from_u128(1))).unwrap();
    let account = AccountId(Uuid::from_u128(2));
    let data = DataKey::mint(|bytes| bytes.fill(7));
    let fresh = Fresh {
        salt: [1; 16],
        nonce: [2; 24],
    };
    keyring.remember(account, "Ana Moreno", stories::now()).unwrap();
    keyring
        .set_pin(account, &Pin::parse(PIN).unwrap(), &data, fresh)
        .unwrap();
    let mut times: Vec<f64> = (0..15)
        .map(|_| {
            let started = Instant::now();
            let outcome = keyring
                .try_unlock(stories::now(), account, Way::Pin, PIN)
                .unwrap();
            assert_eq!(outcome, Outcome::Opened(data.clone()));
            started.elapsed().as_secs_f64() * 1_000.0
        })
        .collect();
    vec![row(
        "native_unlock_p50_ms",
        percentile(&mut times, 50.0),
        "ms",
        Some("≤ 500"),
    )]
}
