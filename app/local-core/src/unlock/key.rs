//! The key of the records, and how it is sealed with what somebody knows or what the server keeps.
//!
//! Invariant: keys are wiped from memory when they are let go.

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

const LENGTH: usize = 32;

/// The 32 random bytes that encrypt a device's records. They stay in one place: what is moved about would leave copies.
#[derive(Clone, PartialEq, Eq)]
pub struct DataKey(Zeroizing<Vec<u8>>);

/// This device's own secret at the server, which gives it to whoever signs in on the device.
#[derive(Clone)]
pub struct DeviceKey(Zeroizing<[u8; 32]>);

/// For one window of a browser that hands the records over to another.
impl Serialize for DataKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for DataKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = Zeroizing::new(Vec::deserialize(deserializer)?);
        Self::of(bytes).ok_or_else(|| D::Error::custom("a key has 32 bytes"))
    }
}

impl std::fmt::Debug for DataKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DataKey")
    }
}

impl std::fmt::Debug for DeviceKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DeviceKey")
    }
}

impl DataKey {
    /// `fill` has the host's random bytes.
    pub fn mint(fill: impl FnOnce(&mut [u8])) -> Self {
        let mut bytes = Zeroizing::new(vec![0; LENGTH]);
        fill(&mut bytes);
        Self(bytes)
    }

    fn of(bytes: Zeroizing<Vec<u8>>) -> Option<Self> {
        (bytes.len() == LENGTH).then_some(Self(bytes))
    }

    /// As SQLite's ciphers take a key from which nothing more is to be derived: `x'…'`.
    pub fn spelled(&self) -> Zeroizing<String> {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        // Of its full length at once: growing would leave copies behind.
        let mut spelled = Zeroizing::new(String::with_capacity(67));
        spelled.push_str("x'");
        for byte in self.0.iter() {
            spelled.push(char::from(DIGITS[usize::from(byte >> 4)]));
            spelled.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
        spelled.push('\'');
        spelled
    }
}

impl DeviceKey {
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    pub(super) fn seal(&self, data: &DataKey, nonce: [u8; 24]) -> Wrapped {
        seal(&self.0, data, nonce, b"device")
    }

    pub(super) fn open(&self, wrapped: &Wrapped) -> Option<DataKey> {
        open(&self.0, wrapped, b"device")
    }
}

/// What the host's random source gave for one sealing.
#[derive(Clone, Copy, Debug)]
pub struct Fresh {
    pub salt: [u8; 16],
    pub nonce: [u8; 24],
}

/// How dear one guess is. Stored with each way, so that it can be raised for new ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    pub memory_kib: u32,
    pub passes: u32,
    pub lanes: u32,
}

impl Cost {
    /// Two and a half times the work that OWASP asks for at least (19 MiB, two passes); well below half a second in a
    /// browser's Worker.
    pub const NOW: Self = Self {
        memory_kib: 32 * 1024,
        passes: 3,
        lanes: 1,
    };

    /// argon2id of a PIN or password; `None` if these figures are none.
    pub(super) fn derive(self, secret: &str, salt: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
        let params = Params::new(self.memory_kib, self.passes, self.lanes, Some(32)).ok()?;
        let mut key = Zeroizing::new([0; 32]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(secret.as_bytes(), salt, &mut key[..])
            .ok()?;
        Some(key)
    }
}

/// The records' key, sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrapped {
    pub nonce: Vec<u8>,
    pub sealed: Vec<u8>,
}

/// `bound_to` says whose way it is: sealed for one, it does not open in the place of another.
pub(super) fn seal(key: &[u8; 32], data: &DataKey, nonce: [u8; 24], bound_to: &[u8]) -> Wrapped {
    let payload = Payload {
        msg: &data.0,
        aad: bound_to,
    };
    let sealed = XChaCha20Poly1305::new(key.into())
        .encrypt(&XNonce::from(nonce), payload)
        .expect("32 bytes are never too many");
    Wrapped {
        nonce: nonce.to_vec(),
        sealed,
    }
}

/// `None` if it is another key, or somebody has changed what was sealed.
pub(super) fn open(key: &[u8; 32], wrapped: &Wrapped, bound_to: &[u8]) -> Option<DataKey> {
    let nonce: [u8; 24] = wrapped.nonce.as_slice().try_into().ok()?;
    let payload = Payload {
        msg: &wrapped.sealed,
        aad: bound_to,
    };
    let opened = XChaCha20Poly1305::new(key.into()).decrypt(&XNonce::from(nonce), payload);
    DataKey::of(Zeroizing::new(opened.ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_for_its_key_and_its_owner_alone() {
        let data = DataKey::mint(|bytes| bytes.fill(7));
        let wrapped = seal(&[1; 32], &data, [2; 24], b"ana");
        assert_eq!(open(&[1; 32], &wrapped, b"ana"), Some(data));
        assert_eq!(open(&[3; 32], &wrapped, b"ana"), None);
        assert_eq!(open(&[1; 32], &wrapped, b"ben"), None);
        let mut changed = wrapped.clone();
        changed.sealed[0] ^= 1;
        assert_eq!(open(&[1; 32], &changed, b"ana"), None);
        assert!(!wrapped.sealed.windows(4).any(|window| window == [7; 4]));
    }

    #[test]
    fn a_key_is_spelled_as_sqlite_reads_it() {
        let spelled = DataKey::mint(|bytes| bytes.fill(0xa5)).spelled();
        assert_eq!(*spelled, format!("x'{}'", "a5".repeat(32)));
        assert_eq!(spelled.capacity(), 67);
    }

    #[test]
    fn another_salt_or_cost_gives_another_key() {
        let cheap = Cost {
            memory_kib: 32,
            passes: 1,
            lanes: 1,
        };
        let key = cheap.derive("481516", &[1; 16]);
        assert!(key.is_some());
        assert_eq!(key, cheap.derive("481516", &[1; 16]));
        assert_ne!(key, cheap.derive("481516", &[2; 16]));
        assert_ne!(key, Cost { passes: 2, ..cheap }.derive("481516", &[1; 16]));
        assert_eq!(Cost { passes: 0, ..cheap }.derive("481516", &[1; 16]), None);
    }
}
