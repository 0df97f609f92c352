//! Who somebody is: passwords, providers that vouch for people, short access tokens, rotating refresh tokens, links of mails,
//! what members are made into, and the patience with wrong guesses and many requests.

mod access_token;
mod client_address;
mod email_address;
mod link;
mod new_password;
mod one_time_code;
mod openid;
mod passkey;
mod password;
mod refresh_token;
mod request_limits;
mod roles;
mod slow_down;
mod webhook;

pub use access_token::{AccessClaims, AccessTokens};
pub use client_address::{Network, client_address};
pub use email_address::EmailAddress;
pub use link::{link_hash, mint_invitation_link, mint_link, read_invitation_link};
pub use new_password::{PasswordRefused, judge_new_password, normalised};
pub use one_time_code::{TOTP_SECRET, mint_recovery_codes, recovery_hash, totp_address, totp_step};
pub(crate) use openid::{Provider, ProviderTrouble, Providers, Vouched};
pub use openid::{ProviderSetting, ProviderSettingError, read_providers};
pub(crate) use passkey::{Asked, PasskeyTrouble, Passkeys, credential_of};
pub use password::Passwords;
pub(crate) use refresh_token::REMEMBER_ROTATED_MS;
pub use refresh_token::{
    NewRefreshToken, REPEAT_WITHIN_MS, RefreshVerdict, SIGN_IN_DAYS, SignInLife, StoredRefreshToken,
    judge_refresh, mint_refresh_token, refresh_hash,
};
pub use request_limits::{RequestLimit, RequestLimits, Requests};
pub use roles::{MemberRoles, RolesRefused, is_last_administrator, joined, judge_roles};
pub use slow_down::{Address, Guessed, Passed, Secret, SlowDown};
pub(crate) use webhook::{Signed, is_genuine};

/// Random bytes from the operating system.
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system has randomness once it runs");
    bytes
}
