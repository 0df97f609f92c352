//! Who somebody is: passwords, short access tokens, rotating refresh tokens, and the patience with wrong guesses.

mod access_token;
mod client_address;
mod password;
mod refresh_token;
mod slow_down;

pub use access_token::{AccessClaims, AccessTokens};
pub use client_address::{Network, client_address};
pub use password::Passwords;
pub(crate) use refresh_token::REMEMBER_ROTATED_MS;
pub use refresh_token::{
    NewRefreshToken, REFRESH_DAYS, REPEAT_WITHIN_MS, RefreshVerdict, StoredRefreshToken, judge_refresh,
    mint_refresh_token, refresh_hash,
};
pub use slow_down::{Address, SlowDown};

use shared_model::ids::AccountId;

/// What sign-in compares a password with.
#[derive(Clone, Debug)]
pub struct AccountRecord {
    pub account: AccountId,
    pub password_hash: String,
}

/// Random bytes from the operating system.
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system has randomness once it runs");
    bytes
}
