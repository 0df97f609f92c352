//! Second factors as the views ask the clinic's server for them, beside the calls of `calls`.
//!
//! Place in the flow: beside it. Invariant: steps, codes and what a passkey has signed are secrets like passwords.

use super::Secret;
use super::calls::{Call, Method, read};
use super::change_way_in::asking;
use serde::{Deserialize, Serialize};
use shared_model::second_factor::{
    BeginTotpAtSignIn, ConfirmTotp, Factors, FinishPasskey, NewPasskey, PasskeyOffer, PasskeysOffered,
    RecoveryCodes, SecondProof, SecondStep, SignInRules, TotpOffer, codes,
};
use zeroize::Zeroize;

/// What comes next for somebody whose first factor was right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Step {
    /// With what it goes on; good for ten minutes.
    pub(crate) step: Secret,
    /// They have none, and their clinic asks for one: an app is set up now.
    pub(crate) sets_up: bool,
    pub(crate) has_app: bool,
    pub(crate) has_recovery_codes: bool,
    /// What to ask the browser for, as JSON, if there are passkeys.
    pub(crate) passkey: Option<String>,
}

impl Step {
    pub(super) fn read(code: &str, body: &str) -> Option<Self> {
        let next: SecondStep = read(body)?;
        Some(Self {
            step: next.step.into(),
            sets_up: code == codes::SECOND_FACTOR_TO_SET_UP,
            has_app: next.totp,
            has_recovery_codes: next.recovery_codes,
            passkey: next.passkey,
        })
    }
}

/// What somebody shows as their second factor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Shown {
    /// Six digits of an authenticator app.
    Code(Secret),
    RecoveryCode(Secret),
    /// What the browser gave, as JSON.
    Passkey(Secret),
    /// They have just set an app up.
    SetUp,
}

impl Shown {
    pub(super) fn proof(&self) -> SecondProof {
        match self {
            Self::Code(code) => SecondProof::Totp(code.text().to_owned()),
            Self::RecoveryCode(code) => SecondProof::RecoveryCode(code.text().to_owned()),
            Self::Passkey(credential) => SecondProof::Passkey(credential.text().to_owned()),
            Self::SetUp => SecondProof::SetUp,
        }
    }
}

/// Nothing of what was shown stays in memory.
pub(super) fn wipe(proof: &mut SecondProof) {
    match proof {
        SecondProof::Totp(shown) | SecondProof::RecoveryCode(shown) | SecondProof::Passkey(shown) => {
            shown.zeroize();
        }
        SecondProof::SetUp => {}
    }
}

/// Why a browser gave no passkey.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "desktop",
    expect(dead_code, reason = "only browsers have passkeys for a clinic's address")
)]
pub(crate) enum PasskeyTrouble {
    /// The person said no, or let it be.
    GivenUp,
    /// This device has one of this account already.
    HereAlready,
    /// This browser, or this page, has none.
    NotHere,
}

impl Call<PasskeysOffered> {
    pub(crate) fn passkeys_offered() -> Self {
        Self::get("/passkeys").open()
    }
}

impl Call<PasskeyOffer> {
    pub(crate) fn begin_passkey_sign_in() -> Self {
        Self::new(Method::Post, "/passkeys/begin", Secret::default()).open()
    }

    pub(crate) fn begin_passkey(proven: &Secret) -> Self {
        Self::new(Method::Post, "/me/passkeys/begin", asking(proven))
    }
}

impl Call<NewPasskey> {
    pub(crate) fn finish_passkey(offer: String, credential: &Secret, name: String) -> Self {
        let body = FinishPasskey {
            offer,
            credential: credential.text().to_owned(),
            name,
        };
        Self::new(Method::Post, "/me/passkeys/finish", Secret::json(&body))
    }
}

impl Call<Factors> {
    pub(crate) fn factors() -> Self {
        Self::get("/me/factors")
    }
}

impl Call<TotpOffer> {
    pub(crate) fn begin_app(proven: &Secret) -> Self {
        Self::new(Method::Post, "/me/totp/begin", asking(proven))
    }

    pub(crate) fn begin_app_at_sign_in(step: &Secret) -> Self {
        let body = BeginTotpAtSignIn {
            step: step.text().to_owned(),
        };
        Self::new(Method::Post, "/sign-in/totp/begin", Secret::json(&body)).open()
    }
}

impl Call<RecoveryCodes> {
    pub(crate) fn confirm_app(offer: &str, code: &Secret) -> Self {
        let body = confirmation(offer, code, None);
        Self::new(Method::Post, "/me/totp/confirm", body)
    }

    pub(crate) fn confirm_app_at_sign_in(step: &Secret, offer: &str, code: &Secret) -> Self {
        let body = confirmation(offer, code, Some(step));
        Self::new(Method::Post, "/sign-in/totp/confirm", body).open()
    }

    pub(crate) fn renew_recovery_codes(proven: &Secret) -> Self {
        Self::new(Method::Post, "/me/recovery-codes", asking(proven))
    }
}

impl Call<SignInRules> {
    pub(crate) fn sign_in_rules() -> Self {
        Self::get("/clinic/sign-in")
    }
}

fn confirmation(offer: &str, code: &Secret, step: Option<&Secret>) -> Secret {
    Secret::json(&ConfirmTotp {
        offer: offer.to_owned(),
        code: code.text().to_owned(),
        step: step.map(|step| step.text().to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str =
        r#"{"code":"second_factor","step":"hidden","totp":true,"recovery_codes":false,"passkey":null}"#;

    #[test]
    fn a_step_says_what_comes_next_and_is_a_secret() {
        let step = Step::read(codes::SECOND_FACTOR, BODY).expect("a step");
        assert_eq!(step.step.text(), "hidden");
        assert!(step.has_app && !step.has_recovery_codes && !step.sets_up);
        assert!(!format!("{step:?}").contains("hidden"));
        let to_set_up = Step::read(codes::SECOND_FACTOR_TO_SET_UP, BODY).expect("a step");
        assert!(to_set_up.sets_up);
        assert_eq!(Step::read(codes::SECOND_FACTOR, "{}"), None);
    }

    #[test]
    fn no_code_is_in_an_address_or_shown() {
        let hidden = Secret::from("hidden".to_owned());
        let shown = [
            Shown::Code(hidden.clone()),
            Shown::RecoveryCode(hidden.clone()),
            Shown::Passkey(hidden.clone()),
        ];
        let mut requests = vec![
            Call::begin_app(&hidden).request,
            Call::begin_app_at_sign_in(&hidden).request,
            Call::confirm_app_at_sign_in(&hidden, "hidden", &hidden).request,
            Call::renew_recovery_codes(&hidden).request,
        ];
        for shown in shown {
            assert!(!format!("{shown:?}").contains("hidden"));
            requests.push(Call::prove_second(&hidden, &shown).request);
        }
        for request in requests {
            assert!(!request.path().contains("hidden"));
            assert!(!format!("{request:?}").contains("hidden"));
        }
    }
}
