//! The links of mails: a token that is in the link alone, and its hash that is kept here.
//!
//! Invariant: whoever reads the database cannot follow a link, once its mail has left. (Until then the mail itself waits
//! there.)

use super::random;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use shared_model::ids::ClinicId;

/// Longer than any token of ours; what is longer is not looked at.
const MAX: usize = 128;
const SECRET: usize = 32;

/// A fresh token and the hash to keep of it.
pub fn mint_link() -> (String, [u8; 32]) {
    let token = URL_SAFE_NO_PAD.encode(random::<SECRET>());
    let hash = link_hash(&token);
    (token, hash)
}

/// `[0; 32]` is nobody's: what is no token of ours gets it.
pub fn link_hash(token: &str) -> [u8; 32] {
    if token.len() > MAX {
        return [0; 32];
    }
    Sha256::digest(token.as_bytes()).into()
}

/// An invitation's token begins with its clinic, so that it is found where the clinic's rows are.
pub fn mint_invitation_link(clinic: ClinicId) -> (String, [u8; 32]) {
    let bytes = [clinic.bytes().as_slice(), &random::<SECRET>()].concat();
    let token = URL_SAFE_NO_PAD.encode(bytes);
    let hash = link_hash(&token);
    (token, hash)
}

/// The clinic and the hash that an invitation is found by; `None` for what is no token of one.
pub fn read_invitation_link(token: &str) -> Option<(ClinicId, [u8; 32])> {
    if token.len() > MAX {
        return None;
    }
    let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
    let (clinic, secret) = bytes.split_at_checked(16)?;
    let clinic = ClinicId::from_slice(clinic)?;
    (secret.len() == SECRET).then(|| (clinic, link_hash(token)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn an_invitation_is_found_by_what_is_in_its_link() {
        let clinic = ClinicId(Uuid::from_u128(5));
        let (token, hash) = mint_invitation_link(clinic);
        assert_eq!(read_invitation_link(&token), Some((clinic, hash)));
        let (another, _) = mint_link();
        for none in ["", "%%%", another.as_str(), &"a".repeat(10_000)] {
            assert_eq!(read_invitation_link(none), None, "{none}");
        }
    }
}
