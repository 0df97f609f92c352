//! Sealing: XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03) under a key of 256 bits, with a random nonce of 192 bits, so
//! that no count has to be kept of what a key has sealed. What is sealed is bound to what it is and where it belongs: a
//! value that somebody moves to another row or column does not open there.
//!
//! Invariant: a key leaves this module only wrapped, and memory that held one is cleared.

use crate::identity::random;
use chacha20poly1305::{AeadInOut, KeyInit, XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

/// The first byte of whatever is sealed in this form. Neither an Automerge document nor a CBOR array or map begins so.
const FORM: u8 = 1;
const NONCE: usize = 24;
const TAG: usize = 16;
/// How much longer a sealed value is.
pub(crate) const OVERHEAD: usize = 1 + NONCE + TAG;
/// A wrapped key: sealed, and before that the version of what wraps it.
const WRAPPED: usize = 4 + OVERHEAD + 32;

/// It does not open: another key sealed it, it belongs elsewhere, or it was damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("sealed with another key, for another place, or damaged")]
pub struct DoesNotOpen;

/// A key of 256 bits.
#[derive(Clone)]
pub(super) struct Key(Zeroizing<[u8; 32]>);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key")
    }
}

impl Key {
    pub(super) fn from_bytes(bytes: Zeroizing<[u8; 32]>) -> Self {
        Self(bytes)
    }

    pub(super) fn fresh() -> Self {
        Self(Zeroizing::new(random()))
    }

    pub(super) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Seals a value for a place.
    pub(super) fn seal(&self, place: &[u8], plain: &[u8]) -> Vec<u8> {
        let nonce: [u8; NONCE] = random();
        let mut sealed = Vec::with_capacity(OVERHEAD + plain.len());
        sealed.push(FORM);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plain);
        let tag = XChaCha20Poly1305::new((&*self.0).into())
            .encrypt_inout_detached(&XNonce::from(nonce), place, (&mut sealed[1 + NONCE..]).into())
            .expect("a value is shorter than 256 GiB");
        sealed.extend_from_slice(&tag);
        sealed
    }

    /// Opens what was sealed for this place.
    pub(super) fn open(&self, place: &[u8], sealed: &[u8]) -> Result<Vec<u8>, DoesNotOpen> {
        let rest = sealed.strip_prefix(&[FORM]).ok_or(DoesNotOpen)?;
        let (nonce, rest) = rest.split_first_chunk::<NONCE>().ok_or(DoesNotOpen)?;
        let (body, tag) = rest.split_last_chunk::<TAG>().ok_or(DoesNotOpen)?;
        let mut plain = body.to_vec();
        XChaCha20Poly1305::new((&*self.0).into())
            .decrypt_inout_detached(
                &XNonce::from(*nonce),
                place,
                plain.as_mut_slice().into(),
                &(*tag).into(),
            )
            .map_err(|_| DoesNotOpen)?;
        Ok(plain)
    }

    /// Wraps another key; `version` is this one's and stands in front.
    pub(super) fn wrap(&self, version: u32, place: &[u8], key: &Self) -> Vec<u8> {
        let mut wrapped = Vec::with_capacity(WRAPPED);
        wrapped.extend_from_slice(&version.to_be_bytes());
        wrapped.extend(self.seal(place, &*key.0));
        wrapped
    }

    /// Opens the part behind the version.
    pub(super) fn unwrap(&self, place: &[u8], wrapped: &[u8]) -> Result<Self, DoesNotOpen> {
        let (_, sealed) = version_of(wrapped)?;
        let plain = Zeroizing::new(self.open(place, sealed)?);
        let bytes: [u8; 32] = plain.as_slice().try_into().map_err(|_| DoesNotOpen)?;
        Ok(Self(Zeroizing::new(bytes)))
    }
}

/// What wrapped a key, and the sealed rest.
pub(super) fn version_of(wrapped: &[u8]) -> Result<(u32, &[u8]), DoesNotOpen> {
    let (version, sealed) = wrapped.split_first_chunk::<4>().ok_or(DoesNotOpen)?;
    Ok((u32::from_be_bytes(*version), sealed))
}

/// Whether a value has the form of a sealed one.
pub(super) fn is_sealed(value: &[u8]) -> bool {
    value.len() >= OVERHEAD && value.first() == Some(&FORM)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_in_its_place_alone_and_not_once_touched() {
        let key = Key::fresh();
        let sealed = key.seal(b"here", b"Rex bites");
        assert_eq!(sealed.len(), OVERHEAD + 9);
        assert_eq!(key.open(b"here", &sealed).as_deref(), Ok(&b"Rex bites"[..]));
        assert_eq!(key.open(b"there", &sealed), Err(DoesNotOpen));
        assert_eq!(Key::fresh().open(b"here", &sealed), Err(DoesNotOpen));
        for at in 0..sealed.len() {
            let mut touched = sealed.clone();
            touched[at] ^= 0x80;
            assert_eq!(key.open(b"here", &touched), Err(DoesNotOpen), "byte {at}");
            assert_eq!(key.open(b"here", &sealed[..at]), Err(DoesNotOpen), "cut at {at}");
        }
        assert_ne!(key.seal(b"here", b"Rex bites"), sealed, "no nonce comes twice");
    }

    #[test]
    fn an_empty_value_is_a_value() {
        let key = Key::fresh();
        assert_eq!(key.open(b"", &key.seal(b"", b"")).as_deref(), Ok(&b""[..]));
    }

    #[test]
    fn a_wrapped_key_is_the_same_key() {
        let (outer, inner) = (Key::fresh(), Key::fresh());
        let wrapped = outer.wrap(7, b"place", &inner);
        assert_eq!(wrapped.len(), WRAPPED);
        assert_eq!(version_of(&wrapped).expect("a version").0, 7);
        let again = outer.unwrap(b"place", &wrapped).expect("it opens");
        assert_eq!(again.bytes(), inner.bytes());
        assert_eq!(outer.unwrap(b"elsewhere", &wrapped).map(drop), Err(DoesNotOpen));
        assert_eq!(inner.unwrap(b"place", &wrapped).map(drop), Err(DoesNotOpen));
    }
}
