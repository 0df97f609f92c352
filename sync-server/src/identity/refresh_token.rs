//! Refresh tokens: each is used once and replaced by the next of its family. A token that comes twice has been copied,
//! so its whole family ends and the person signs in again.
//!
//! One repetition is innocent: the answer with the successor got lost on the way. So for a short time the same device
//! gets another successor for its former token, as long as nobody has used the first one. That one is void from then
//! on: if it does turn up, there are two who hold tokens of this family, and it ends.

use super::random;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use shared_model::ids::{AccountId, ClinicId, DeviceId};
use shared_model::time::Timestamp;

/// A device that was away for longer signs in again. A holiday and a slow season fit.
const REFRESH_DAYS: i64 = 60;

/// A sign-in ends after so long even if it is used every day, unless whoever runs the server says otherwise.
pub const SIGN_IN_DAYS: u16 = 90;

const DAY_MS: i64 = 24 * 3_600_000;

/// How long a sign-in lasts, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignInLife {
    /// Without any use.
    pub unused: i64,
    /// From its beginning.
    pub at_most: i64,
}

impl SignInLife {
    pub fn of_days(days: u16) -> Self {
        Self {
            unused: REFRESH_DAYS * DAY_MS,
            at_most: i64::from(days) * DAY_MS,
        }
    }

    /// Until when a token is good that is given out now.
    pub fn expires_at(self, begun_at: Timestamp, now: Timestamp) -> Timestamp {
        let unused = now.0.saturating_add(self.unused);
        Timestamp(unused.min(begun_at.0.saturating_add(self.at_most)))
    }
}

impl Default for SignInLife {
    fn default() -> Self {
        Self::of_days(SIGN_IN_DAYS)
    }
}

/// Used tokens are remembered for a week, to notice their reuse; older ones are refused as unknown.
pub(crate) const REMEMBER_ROTATED_MS: i64 = 7 * 24 * 3_600_000;

/// How long a lost answer may be asked for again. Devices try every half a minute at the latest while they have a
/// network; beyond this the network was gone, and signing in is the smaller harm.
pub const REPEAT_WITHIN_MS: i64 = 10 * 60_000;

#[derive(Clone, Debug)]
pub struct NewRefreshToken {
    pub hash: [u8; 32],
    pub family: [u8; 16],
    pub account: AccountId,
    pub clinic: ClinicId,
    pub device: DeviceId,
    /// When its family did, which is the sign-in.
    pub begun_at: Timestamp,
    pub expires_at: Timestamp,
}

#[derive(Clone, Debug)]
pub struct StoredRefreshToken {
    pub family: [u8; 16],
    pub account: AccountId,
    pub clinic: ClinicId,
    pub device: DeviceId,
    /// When its family did.
    pub begun_at: Timestamp,
    pub expires_at: Timestamp,
    /// When it was used first.
    pub rotated_at: Option<Timestamp>,
    /// It was used, and what it was replaced by has neither been used nor replaced.
    pub successor_is_unused: bool,
    pub device_lost: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefreshVerdict {
    Rotate,
    Refuse,
    /// A copy is in somebody's hands.
    EndFamily,
    /// The device was reported lost; it is told so, and its tokens are kept as its proof.
    DeviceLost,
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
        Some(stored) if stored.device != device => RefreshVerdict::EndFamily,
        Some(stored) if stored.device_lost => RefreshVerdict::DeviceLost,
        Some(stored) if stored.rotated_at.is_some() && !may_repeat(stored, now) => RefreshVerdict::EndFamily,
        Some(stored) if stored.expires_at <= now => RefreshVerdict::Refuse,
        Some(_) => RefreshVerdict::Rotate,
    }
}

fn may_repeat(stored: &StoredRefreshToken, now: Timestamp) -> bool {
    stored.successor_is_unused
        && stored
            .rotated_at
            .is_some_and(|used| (0..=REPEAT_WITHIN_MS).contains(&(now.0 - used.0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn a_sign_in_lasts_as_long_as_it_is_used_and_no_longer_than_it_may() {
        let life = SignInLife {
            unused: 60,
            at_most: 90,
        };
        let check = |begun: i64, now: i64, expected: i64| {
            assert_eq!(
                life.expires_at(Timestamp(begun), Timestamp(now)),
                Timestamp(expected)
            );
        };
        check(1_000, 1_000, 1_060);
        check(1_000, 1_030, 1_090);
        check(1_000, 1_089, 1_090);
        check(1_000, 1_200, 1_090);
        check(0, i64::MAX, 90);
        assert_eq!(SignInLife::default().at_most, 90 * DAY_MS);
    }

    #[test]
    fn verdicts() {
        let device = DeviceId(Uuid::from_u128(1));
        let other = DeviceId(Uuid::from_u128(2));
        let fresh = StoredRefreshToken {
            family: [0; 16],
            account: AccountId(Uuid::nil()),
            clinic: ClinicId(Uuid::nil()),
            device,
            begun_at: Timestamp(0),
            expires_at: Timestamp(10),
            rotated_at: None,
            successor_is_unused: false,
            device_lost: false,
        };
        let of_lost = StoredRefreshToken {
            device_lost: true,
            ..fresh.clone()
        };
        let used = StoredRefreshToken {
            rotated_at: Some(Timestamp(5)),
            ..fresh.clone()
        };
        let lost = StoredRefreshToken {
            successor_is_unused: true,
            expires_at: Timestamp(REPEAT_WITHIN_MS * 2),
            ..used.clone()
        };
        let check = |stored, device, now, expected| {
            assert_eq!(judge_refresh(stored, device, Timestamp(now)), expected);
        };
        check(None, device, 0, RefreshVerdict::Refuse);
        check(Some(&fresh), device, 9, RefreshVerdict::Rotate);
        check(Some(&fresh), device, 10, RefreshVerdict::Refuse);
        check(Some(&fresh), other, 9, RefreshVerdict::EndFamily);
        check(Some(&used), device, 9, RefreshVerdict::EndFamily);
        check(Some(&of_lost), device, 99, RefreshVerdict::DeviceLost);
        check(Some(&of_lost), other, 9, RefreshVerdict::EndFamily);
        check(Some(&lost), device, 5, RefreshVerdict::Rotate);
        check(Some(&lost), device, 5 + REPEAT_WITHIN_MS, RefreshVerdict::Rotate);
        check(
            Some(&lost),
            device,
            6 + REPEAT_WITHIN_MS,
            RefreshVerdict::EndFamily,
        );
        check(Some(&lost), other, 9, RefreshVerdict::EndFamily);
    }
}
