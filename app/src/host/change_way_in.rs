//! What somebody changes of what decides about signing in, their own or the staff's, as the views ask the clinic's server for
//! it, beside the calls of `calls`.
//!
//! Place in the flow: beside it. Invariants: it is asked for with the word of who has shown who they are; the word is kept in
//! memory alone, for the minutes that it counts and for who is here now.

use super::calls::{Call, Deed, Method};
use super::second_factor::Shown;
use super::{Host, Secret, now};
use dioxus::prelude::*;
use serde::{Deserialize, Serialize};
use shared_model::accounts::{ChangeEmail, ChangePassword};
use shared_model::ids::AccountId;
use shared_model::second_factor::{AskProven, ChangeSignInRules, FinishSignIn, Prove, Proven, SignInRules};
use shared_model::time::Timestamp;
use shared_model::ways_in::{BeginLinking, BeginOpenId, OpenIdBegun, Proof, Provider};
use uuid::Uuid;
use zeroize::Zeroize;

/// The server takes it for five minutes, from before it was here.
const COUNTS_MS: i64 = 4 * 60_000 + 30_000;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Change {
    NewPassword,
    /// Of whoever has none yet.
    FirstPassword,
    NewEmail,
    /// This provider's account becomes another way in.
    Link(Provider),
    Unlink {
        identity: Uuid,
        /// For people.
        provider: String,
    },
    /// An app is set up; a former one counts no more.
    SetAppUp,
    RemoveApp,
    RenewRecoveryCodes,
    AddPasskey,
    RemovePasskey(Uuid),
    /// What the clinic asks of its staff from now on.
    SignInRules(SignInRules),
    /// A colleague has lost every second factor.
    TakeFactorsAway {
        account: AccountId,
        /// For people.
        name: String,
    },
}

impl Change {
    /// Somebody has less to sign in with from then on, or to show at it, and nobody gives it back.
    pub(crate) fn takes_away(&self) -> bool {
        matches!(
            self,
            Self::Unlink { .. } | Self::RemoveApp | Self::RemovePasskey(_) | Self::TakeFactorsAway { .. }
        )
    }
}

impl Host {
    /// The word of whoever has shown a moment ago who they are.
    pub(crate) fn proven(self) -> Option<Secret> {
        let proven = self.proven.peek();
        let (word, _) = proven.as_ref().filter(|(_, until)| now() < *until)?;
        Some(word.clone())
    }

    pub(crate) fn keep_proven(mut self, word: Secret) {
        let until = Timestamp(now().0 + COUNTS_MS);
        self.proven.set(Some((word, until)));
    }

    pub(crate) fn forget_proven(mut self) {
        self.proven.set(None);
    }
}

pub(super) fn asking(word: &Secret) -> Secret {
    let mut body = AskProven {
        proven: word.text().to_owned(),
    };
    let json = Secret::json(&body);
    body.proven.zeroize();
    json
}

/// A second factor that is shown, as the server takes it at sign-in and to prove.
pub(super) fn finishing(step: &Secret, shown: &Shown) -> Secret {
    let mut body = FinishSignIn {
        step: step.text().to_owned(),
        proof: shown.proof(),
    };
    let json = Secret::json(&body);
    body.step.zeroize();
    super::second_factor::wipe(&mut body.proof);
    json
}

impl Call<Proven> {
    pub(crate) fn prove(proof: Proof) -> Self {
        let mut body = Prove { proof };
        let json = Secret::json(&body);
        match &mut body.proof {
            Proof::Password(password) => password.zeroize(),
            Proof::Provider { code, verifier } => {
                code.zeroize();
                verifier.zeroize();
            }
        }
        Self::new(Method::Post, "/me/prove", json)
    }

    pub(crate) fn prove_second(step: &Secret, shown: &Shown) -> Self {
        Self::new(Method::Post, "/me/prove/second", finishing(step, shown))
    }
}

impl Call<OpenIdBegun> {
    pub(super) fn begin_linking(begin: BeginOpenId, word: &Secret) -> Self {
        let mut body = BeginLinking {
            begin,
            proven: word.text().to_owned(),
        };
        let json = Secret::json(&body);
        body.proven.zeroize();
        Self::new(Method::Post, "/me/openid/begin", json)
    }
}

impl Deed {
    pub(crate) fn change_password(word: &Secret, new: String) -> Self {
        let mut body = ChangePassword {
            proven: word.text().to_owned(),
            new,
        };
        let json = Secret::json(&body);
        body.proven.zeroize();
        body.new.zeroize();
        Self::new(Method::Post, "/me/password", json)
    }

    pub(crate) fn change_email(word: &Secret, email: String) -> Self {
        let mut body = ChangeEmail {
            proven: word.text().to_owned(),
            email,
        };
        let json = Secret::json(&body);
        body.proven.zeroize();
        Self::new(Method::Post, "/me/email", json)
    }

    /// What waits is taken back: nobody follows its link any more.
    pub(crate) fn leave_new_email() -> Self {
        Self::new(Method::Delete, "/me/email", Secret::default())
    }

    pub(crate) fn change_sign_in_rules(rules: SignInRules, word: &Secret) -> Self {
        let mut body = ChangeSignInRules {
            proven: word.text().to_owned(),
            rules,
        };
        let json = Secret::json(&body);
        body.proven.zeroize();
        Self::new(Method::Put, "/clinic/sign-in", json)
    }

    /// Whoever has lost all of them signs in without one, or sets one up if the clinic asks for it.
    pub(crate) fn take_factors_away(account: AccountId, word: &Secret) -> Self {
        let path = format!("/staff/{account}/second-factor/remove");
        Self::new(Method::Post, path, asking(word))
    }

    pub(crate) fn unlink(identity: Uuid, word: &Secret) -> Self {
        let path = format!("/me/identities/{identity}/remove");
        Self::new(Method::Post, path, asking(word))
    }

    pub(crate) fn remove_app(word: &Secret) -> Self {
        Self::new(Method::Post, "/me/totp/remove", asking(word))
    }

    pub(crate) fn remove_passkey(passkey: Uuid, word: &Secret) -> Self {
        let path = format!("/me/passkeys/{passkey}/remove");
        Self::new(Method::Post, path, asking(word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_word_is_in_an_address_or_shown() {
        let hidden = Secret::from("hidden".to_owned());
        let shown = Shown::Code(hidden.clone());
        let requests = [
            Call::prove(Proof::Password("hidden".to_owned())).request,
            Call::prove_second(&hidden, &shown).request,
            Deed::change_password(&hidden, "hidden".to_owned()).request,
            Deed::change_email(&hidden, "hidden".to_owned()).request,
            Deed::change_sign_in_rules(SignInRules { second_factor: true }, &hidden).request,
            Deed::take_factors_away(AccountId(Uuid::nil()), &hidden).request,
            Deed::unlink(Uuid::nil(), &hidden).request,
            Deed::remove_app(&hidden).request,
            Deed::remove_passkey(Uuid::nil(), &hidden).request,
        ];
        for request in requests {
            assert!(!request.path().contains("hidden"));
            assert!(!format!("{request:?}").contains("hidden"));
        }
    }
}
