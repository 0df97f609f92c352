//! Second factors: showing one, setting an app up, and keeping recovery codes; on the way in and on one's own page.

mod ask;
mod at_sign_in;
mod at_stake;
mod code_field;
mod offer_new_codes;
mod passkey_button;
mod qr_code;
mod recovery_codes;
mod set_app_up;

pub(super) use ask::{AskSecondFactor, PasskeyTroubleLine};
pub(super) use at_sign_in::SecondStep;
pub(super) use at_stake::use_codes_at_stake;
pub(super) use offer_new_codes::OfferNewCodes;
pub(super) use passkey_button::PasskeyButton;
pub(super) use recovery_codes::KeepRecoveryCodes;
pub(super) use set_app_up::SetAppUp;
