//! The way to a sign-in provider and back: through the browser, with something of one's own left behind to go on with.
//!
//! Place in the flow: between the views, which send somebody off and take them in again, and the platform: a page goes
//! itself and is loaded anew, a program opens the system's browser and listens (RFC 8252, 7.3). Invariant: what comes back
//! is a code that is worth nothing without the verifier, and the verifier never travels.

use super::calls::{Call, CallTrouble};
use super::{Change, Entrance, Host, Secret, platform};
use serde::{Deserialize, Serialize};
use shared_model::ids::ClinicId;
use shared_model::ways_in::{BeginOpenId, LinkWith, OpenIdBegun, Proof, challenge_of};

/// What somebody goes to a provider for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Errand {
    SignIn {
        /// The clinic that is meant, if it has been said.
        clinic: Option<ClinicId>,
    },
    TakeUp {
        invitation: Secret,
        full_name: String,
    },
    /// Whoever is signed in here and has no password shows that it is they, to change this.
    Prove(Change),
    /// The provider's account is to be another way into the one that is signed in here.
    Link,
}

impl Errand {
    /// What comes of it is for whoever is signed in here.
    pub(crate) fn is_of_whoever_is_here(&self) -> bool {
        matches!(self, Self::Prove(_) | Self::Link)
    }
}

/// What is kept here meanwhile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Journey {
    pub(crate) provider: String,
    pub(crate) errand: Errand,
    verifier: Secret,
}

/// Somebody is back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Returned {
    pub(crate) journey: Journey,
    pub(crate) code: Secret,
}

impl Returned {
    /// What signing in needs of it; the account that it is to be linked with if the clinic asked for one.
    pub(crate) fn entrance(&self, clinic: Option<ClinicId>, link_with: Option<LinkWith>) -> Entrance {
        let full_name = match &self.journey.errand {
            Errand::TakeUp { full_name, .. } => full_name.clone(),
            Errand::SignIn { .. } | Errand::Prove(_) | Errand::Link => String::new(),
        };
        Entrance::Provider {
            code: self.code.clone(),
            verifier: self.journey.verifier.clone(),
            clinic,
            full_name,
            email: link_with.as_ref().map(|with| with.email.clone()),
            password: link_with.map(|with| Secret::from(with.password)),
        }
    }

    /// That it is they, for what a session alone may not do.
    pub(crate) fn proof(&self) -> Proof {
        Proof::Provider {
            code: self.code.text().to_owned(),
            verifier: self.journey.verifier.text().to_owned(),
        }
    }

    pub(crate) fn linking(&self) -> Call<shared_model::ways_in::LinkedIdentity> {
        Call::finish_linking(&self.code, &self.journey.verifier)
    }
}

fn fresh_verifier() -> Secret {
    let mut random = [0; 32];
    getrandom::fill(&mut random).expect("every platform we run on has a random source");
    Secret::from(hex::encode(random))
}

impl Host {
    /// Sends somebody to a provider. A program gets them back here; a page is gone by then, unless its browser does not go.
    /// Whoever does not wait for it any more breaks it off, and what comes back then comes to nobody.
    pub(crate) async fn travel(
        self,
        provider: String,
        errand: Errand,
    ) -> Result<Option<Returned>, CallTrouble> {
        let proves = matches!(errand, Errand::Prove { .. });
        let call = |begin| {
            if proves {
                Call::begin_proving(&begin)
            } else {
                Call::begin_openid(&begin)
            }
        };
        self.go(provider, errand, call).await
    }

    /// The same to link the provider's account, with the word of who has shown who they are.
    pub(crate) async fn travel_to_link(
        self,
        provider: String,
        word: Secret,
    ) -> Result<Option<Returned>, CallTrouble> {
        let call = |begin| Call::begin_linking(begin, &word);
        self.go(provider, Errand::Link, call).await
    }

    async fn go(
        self,
        provider: String,
        errand: Errand,
        call: impl FnOnce(BeginOpenId) -> Call<OpenIdBegun>,
    ) -> Result<Option<Returned>, CallTrouble> {
        let Some(station) = platform::Station::open().await else {
            return Err(CallTrouble::Odd);
        };
        let verifier = fresh_verifier();
        let begin = BeginOpenId {
            provider: provider.clone(),
            return_to: station.return_to(),
            challenge: challenge_of(verifier.text()),
            invitation: match &errand {
                Errand::TakeUp { invitation, .. } => Some(invitation.text().to_owned()),
                Errand::SignIn { .. } | Errand::Prove(_) | Errand::Link => None,
            },
        };
        let begun = self.call(call(begin)).await?;
        let journey = Journey {
            provider,
            errand,
            verifier,
        };
        let code = station.send_off(&begun.address, &journey).await;
        Ok(code.map(|code| Returned { journey, code }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_it_is_shown_in_a_log() {
        let journey = Journey {
            provider: "acme".to_owned(),
            errand: Errand::TakeUp {
                invitation: Secret::from("hidden".to_owned()),
                full_name: "Nora".to_owned(),
            },
            verifier: Secret::from("hidden".to_owned()),
        };
        let returned = Returned {
            journey,
            code: Secret::from("hidden".to_owned()),
        };
        let link_with = LinkWith {
            email: "a@b.example".to_owned(),
            password: "hidden".to_owned(),
        };
        assert!(!format!("{returned:?}").contains("hidden"));
        let entrance = returned.entrance(None, Some(link_with));
        assert!(!format!("{entrance:?}").contains("hidden"));
        assert_ne!(fresh_verifier(), fresh_verifier());
    }
}
