//! Refresh tokens: each is used once and replaced by the next of its family. A token that comes twice has been copied,
//! so its whole family ends and the person signs in again.

use super::random;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use shared_model::ids::{AccountId, ClinicId, DeviceId};
use shared_model::time::Timestamp;

/// A device that was away for longer signs in again. A holiday and a slow season fit.
pub const REFRESH_DAYS: i64 = 60;

/// Used tokens are remembered for a week, to notice their reuse; older ones are refused as unknown.
pub(crate) const REMEMBER_ROTATED_MS: i64 = 7 * 24 * 3_600_000;

#[derive(Clone, Debug)]
pub struct NewRefreshToken {
    pub hash: [u8; 32],
    pub family: [u8; 16],
    pub account: AccountId,
    pub clinic: ClinicId,
    pub device: DeviceId,
    pub expires_at: Timestamp,
}

#[derive(Clone, Debug)]
pub struct StoredRefreshToken {
    pub family: [u8; 16],
    pub account: AccountId,
    pub clinic: ClinicId,
    pub device: DeviceId,
    pub expires_at: Timestamp,
    pub rotated_at: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefreshVerdict {
    Rotate,
    Refuse,
    /// A copy is in somebody's hands.
    EndFamily,
}

/// A fresh token and the hash to keep of it.
pub fn mint_refresh_token() -> (String, [u8; 32]) {
    let token = URL_SAFE_NO_PAD.encode(random::<32>());
    let hash = refresh_hash(&token);
    (token, hash)
}

pub fn refresh_hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// Decides about a refresh token that a device presents.
pub fn judge_refresh(
    stored: Option<&StoredRefreshToken>,
    device: DeviceId,
    now: Timestamp,
) -> RefreshVerdict {
    match stored {
        None => RefreshVerdict::Refuse,
        Some(stored) if stored.rotated_at.is_some() || stored.device != device => RefreshVerdict::EndFamily,
        Some(stored) if stored.expires_at <= now => RefreshVerdict::Refuse,
        Some(_) => RefreshVerdict::Rotate,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn verdicts() {
        let device = DeviceId(Uuid::from_u128(1));
        let other = DeviceId(Uuid::from_u128(2));
        let fresh = StoredRefreshToken {
            family: [0; 16],
            account: AccountId(Uuid::nil()),
            clinic: ClinicId(Uuid::nil()),
            device,
            expires_at: Timestamp(10),
            rotated_at: None,
        };
        let used = StoredRefreshToken {
            rotated_at: Some(Timestamp(5)),
            ..fresh.clone()
        };
        let check = |stored, device, now, expected| {
            assert_eq!(judge_refresh(stored, device, Timestamp(now)), expected);
        };
        check(None, device, 0, RefreshVerdict::Refuse);
        check(Some(&fresh), device, 9, RefreshVerdict::Rotate);
        check(Some(&fresh), device, 10, RefreshVerdict::Refuse);
        check(Some(&fresh), other, 9, RefreshVerdict::EndFamily);
        check(Some(&used), device, 9, RefreshVerdict::EndFamily);
    }
}
