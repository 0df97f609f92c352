//! How far a change of what decides about signing in has come, and what is asked for once everything was shown for it.

use crate::host::{Call, CallTrouble, Change, Deed, Host, Secret, Step};
use shared_model::second_factor::{RecoveryCodes, TotpOffer};
use shared_model::ways_in::Provider;

/// Each secret is the word of who has shown who they are.
#[derive(Clone, PartialEq)]
pub(super) enum Stage {
    First,
    Second(Step),
    /// Nothing was asked for yet but by the button that led here.
    Sure(Secret),
    /// It needs to know more.
    Form(Form, Secret),
    /// On to the provider whose account is to be linked.
    Link(Provider, Secret),
    /// It is being done, or could not be.
    Doing(Asked),
    App(TotpOffer),
    Codes(Vec<String>),
    /// The answer was lost, or came too late.
    MayBeDone,
    /// There is nothing to go on with.
    Over(&'static str),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Password,
    Email,
    Passkey,
}

/// What the clinic's server is asked for.
#[derive(Clone, PartialEq)]
pub(super) enum Asked {
    App(Call<TotpOffer>),
    Codes(Call<RecoveryCodes>),
    Deed(Deed),
}

impl Stage {
    /// After everything was shown for it.
    pub(super) fn of(change: &Change, word: Secret) -> Self {
        let deed = |deed| Self::Doing(Asked::Deed(deed));
        match change {
            Change::NewPassword | Change::FirstPassword => Self::Form(Form::Password, word),
            Change::NewEmail => Self::Form(Form::Email, word),
            Change::AddPasskey => Self::Form(Form::Passkey, word),
            Change::Link(provider) => Self::Link(provider.clone(), word),
            Change::SetAppUp => Self::Doing(Asked::App(Call::begin_app(&word))),
            Change::RenewRecoveryCodes => Self::Doing(Asked::Codes(Call::renew_recovery_codes(&word))),
            Change::RemoveApp => deed(Deed::remove_app(&word)),
            Change::RemovePasskey(passkey) => deed(Deed::remove_passkey(*passkey, &word)),
            Change::Unlink { identity, .. } => deed(Deed::unlink(*identity, &word)),
            Change::SignInRules(rules) => deed(Deed::change_sign_in_rules(*rules, &word)),
            Change::TakeFactorsAway { account, .. } => deed(Deed::take_factors_away(*account, &word)),
        }
    }

    /// For whoever has shown everything before: what is done at once, or goes elsewhere, is asked about.
    pub(super) fn of_proven(change: &Change, word: Secret) -> Self {
        match Self::of(change, word.clone()) {
            // An app is offered as soon as it may be: there is nothing to be asked about.
            stage @ (Self::Doing(Asked::App(_)) | Self::Form(..)) => stage,
            _ => Self::Sure(word),
        }
    }

    /// Whether recovery codes are on their way while an answer is waited for.
    pub(super) fn brings_codes(&self) -> bool {
        matches!(self, Self::Doing(Asked::Codes(_)) | Self::App(_))
    }
}

impl Asked {
    /// What comes next of it; `None` if it is done.
    pub(super) async fn carry_out(self, host: Host) -> Result<Option<Stage>, CallTrouble> {
        Ok(match self {
            Self::App(call) => Some(Stage::App(host.call(call).await?)),
            Self::Codes(call) => Some(Stage::Codes(host.call(call).await?.codes)),
            Self::Deed(deed) => {
                host.call(deed).await?;
                None
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared_model::ids::AccountId;
    use shared_model::second_factor::SignInRules;
    use uuid::Uuid;

    #[test]
    fn what_cannot_be_taken_back_is_asked_about_by_who_was_asked_for_nothing() {
        let word = || Secret::from("word".to_owned());
        let acme = Provider {
            name: "acme".to_owned(),
            label: "Acme".to_owned(),
        };
        let unlink = Change::Unlink {
            identity: Uuid::nil(),
            provider: "Acme".to_owned(),
        };
        let take_away = Change::TakeFactorsAway {
            account: AccountId(Uuid::nil()),
            name: "Nora".to_owned(),
        };
        let changes = [
            Change::RemoveApp,
            Change::RenewRecoveryCodes,
            Change::RemovePasskey(Uuid::nil()),
            unlink,
            Change::Link(acme),
            Change::SignInRules(SignInRules { second_factor: false }),
            take_away,
        ];
        for change in changes {
            let stage = Stage::of_proven(&change, word());
            assert!(stage == Stage::Sure(word()), "{change:?}");
        }
        let offer = Asked::App(Call::begin_app(&word()));
        assert!(Stage::of_proven(&Change::SetAppUp, word()) == Stage::Doing(offer));
        for (change, form) in [
            (Change::NewPassword, Form::Password),
            (Change::FirstPassword, Form::Password),
            (Change::NewEmail, Form::Email),
            (Change::AddPasskey, Form::Passkey),
        ] {
            let stage = Stage::of_proven(&change, word());
            assert!(stage == Stage::Form(form, word()), "{change:?}");
        }
    }
}
