//! Finding people by what lies sealed: HMAC-SHA-256 of it under a secret of the server, which lies sealed too. Whoever has
//! the database alone cannot try addresses.
//!
//! Invariant: an address has one hash, however it is written.

use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

pub(crate) struct LookUp {
    secret: Zeroizing<Vec<u8>>,
}

impl LookUp {
    /// What the secret is called.
    pub(crate) const SECRET: &str = "look-up of people";

    pub(crate) fn new(secret: Vec<u8>) -> Self {
        Self {
            secret: Zeroizing::new(secret),
        }
    }

    /// Of an e-mail address; capital letters and blanks around it make no difference.
    pub(crate) fn address(&self, email: &str) -> [u8; 32] {
        self.hash(&[b"address", email.trim().to_lowercase().as_bytes()])
    }

    /// Of a provider and its name for a person.
    pub(crate) fn identity(&self, issuer: &str, subject: &str) -> [u8; 32] {
        self.hash(&[b"identity", issuer.as_bytes(), subject.as_bytes()])
    }

    /// Each part with its length, so that no two lists of parts look alike.
    fn hash(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.secret).expect("HMAC takes keys of any length");
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}

impl std::fmt::Debug for LookUp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LookUp")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_one_hash_and_under_another_secret_another() {
        let look_up = LookUp::new(vec![1; 32]);
        let hash = look_up.address("lena.vogel@example.org");
        assert_eq!(look_up.address(" Lena.Vogel@Example.ORG "), hash);
        assert_ne!(look_up.address("lena.vogel@example.com"), hash);
        assert_ne!(LookUp::new(vec![2; 32]).address("lena.vogel@example.org"), hash);
    }

    #[test]
    fn no_two_identities_look_alike() {
        let look_up = LookUp::new(vec![1; 32]);
        assert_ne!(look_up.identity("ab", "c"), look_up.identity("a", "bc"));
        assert_ne!(look_up.identity("ab", "C"), look_up.identity("ab", "c"));
    }
}
