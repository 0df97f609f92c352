//! Changing what decides about signing in: who it is comes first, the password or a provider and then the second factor;
//! then what is to change is asked for and done. In a dialog of one's own page, or behind the door for whoever is back from
//! a provider.
//!
//! Invariants: whoever has just shown who they are is not asked again while that counts; what was typed is there still if it
//! counts no more; nothing says that it was not done unless that is known.

mod first;
mod link;
mod new_email;
mod new_password;
mod passkey;

pub(super) use first::{First, TroubleUnderMe};

use super::second_factor::{AskSecondFactor, KeepRecoveryCodes, SetAppUp};
use crate::components::{TroubleLine, use_toasts};
use crate::host::{Call, CallTrouble, Change, Deed, Host, Secret, Shown, Step, use_host};
use crate::text;
use crate::views::door::{GateForm, TryAgain};
use dioxus::prelude::*;
use first::ShowFirst;
use link::GoAndLink;
use new_email::NewEmail;
use new_password::NewPassword;
use passkey::MakePasskey;
use shared_model::second_factor::TotpOffer;
use shared_model::ways_in::Proof;

/// How far it has come. Each secret is the word of who has shown who they are.
#[derive(Clone, PartialEq)]
enum Stage {
    First,
    Second(Step),
    /// Nothing was asked for yet but by the button that led here.
    Sure(Secret),
    /// It needs to know more: a new password, a new address, the name of a passkey.
    Form(Secret),
    /// On to the provider whose account is to be linked.
    Link(Secret),
    /// It is being done, or could not be.
    Doing(Secret),
    App(TotpOffer),
    Codes(Vec<String>),
    /// There is nothing to go on with.
    Over(&'static str),
}

impl Stage {
    /// After everything was shown for it.
    fn of(change: &Change, word: Secret) -> Self {
        match change {
            Change::NewPassword | Change::FirstPassword | Change::NewEmail | Change::AddPasskey => {
                Self::Form(word)
            }
            Change::Link(_) => Self::Link(word),
            Change::SetAppUp
            | Change::RemoveApp
            | Change::RenewRecoveryCodes
            | Change::RemovePasskey(_)
            | Change::Unlink { .. } => Self::Doing(word),
        }
    }

    /// For whoever has shown everything before: what is done at once, or goes elsewhere, is asked about.
    fn of_proven(change: &Change, word: Secret) -> Self {
        match Self::of(change, word) {
            Self::Doing(word) if *change != Change::SetAppUp => Self::Sure(word),
            Self::Link(word) => Self::Sure(word),
            stage => stage,
        }
    }
}

#[component]
pub(in crate::views) fn ChangeWayIn(
    change: Change,
    first: First,
    #[props(default)] in_dialog: bool,
    on_done: EventHandler<()>,
) -> Element {
    let (host, toasts) = (use_host(), use_toasts());
    let comes_back = matches!(first, First::Returned(_));
    let mut stage = use_signal(|| match host.proven() {
        Some(word) if !comes_back => Stage::of_proven(&change, word),
        _ => Stage::First,
    });
    let mut busy = use_signal(|| false);
    let mut trouble = use_signal(|| None::<CallTrouble>);
    // What they had shown counts no more.
    let mut once_more = use_signal(|| false);
    // What is typed outlives that.
    let typed = use_signal(String::new);
    let mut begins = move || {
        busy.set(true);
        trouble.set(None);
    };
    let mut too_late = move || {
        host.forget_proven();
        trouble.set(None);
        if comes_back {
            stage.set(Stage::Over(text::proof_is_over()));
        } else {
            once_more.set(true);
            stage.set(Stage::First);
        }
    };
    // It may be done: then what was shown without it counts no more.
    let mut may_be_done = move || {
        host.forget_proven();
        stage.set(Stage::Over(text::may_be_done()));
    };
    let is_done = use_callback({
        let change = change.clone();
        move |()| {
            toasts.say(text::way_in_changed(&change));
            on_done.call(());
        }
    });
    let carry_out = use_callback({
        let change = change.clone();
        move |word: Secret| {
            let change = change.clone();
            begins();
            spawn(async move {
                let outcome = carry_out(host, &change, &word).await;
                busy.set(false);
                match outcome {
                    Ok(Some(next)) => stage.set(next),
                    Ok(None) => is_done.call(()),
                    Err(CallTrouble::LinkNoLongerValid) => too_late(),
                    Err(why) => trouble.set(Some(why)),
                }
            });
        }
    });
    use_effect(move || {
        // An app is offered as soon as it may be: there is nothing to be asked about.
        if let Stage::Doing(word) = &*stage.peek() {
            carry_out.call(word.clone());
        }
    });
    let go_on = use_callback({
        let change = change.clone();
        move |word: Secret| {
            let next = Stage::of(&change, word.clone());
            let does = matches!(next, Stage::Doing(_));
            stage.set(next);
            if does {
                carry_out.call(word);
            }
        }
    });
    let mut has_shown = move |outcome: Result<Secret, CallTrouble>| match outcome {
        Ok(word) => {
            host.keep_proven(word.clone());
            once_more.set(false);
            go_on.call(word);
        }
        Err(CallTrouble::SecondStep(step)) => stage.set(Stage::Second(step)),
        Err(CallTrouble::LinkNoLongerValid) => too_late(),
        Err(why) => trouble.set(Some(why)),
    };
    let prove = use_callback(move |proof: Proof| {
        begins();
        spawn(async move {
            let outcome = host.call(Call::prove(proof)).await;
            busy.set(false);
            has_shown(outcome.map(|shown| shown.proven.into()));
        });
    });
    let prove_second = use_callback(move |(step, shown): (Secret, Shown)| {
        begins();
        spawn(async move {
            let outcome = host.call(Call::prove_second(&step, &shown)).await;
            busy.set(false);
            has_shown(outcome.map(|shown| shown.proven.into()));
        });
    });
    let confirm = use_callback(move |(offer, code): (String, Secret)| {
        begins();
        spawn(async move {
            let outcome = host.call(Call::confirm_app(&offer, &code)).await;
            busy.set(false);
            match outcome {
                Ok(fresh) => {
                    // Shown without the app, it counts no more.
                    host.forget_proven();
                    stage.set(Stage::Codes(fresh.codes));
                }
                Err(CallTrouble::LinkNoLongerValid) => may_be_done(),
                Err(why) => trouble.set(Some(why)),
            }
        });
    });
    match stage() {
        Stage::First => rsx! {
            if once_more() {
                p { role: "alert", {text::prove_once_more()} }
            }
            ShowFirst { change, first, busy: busy(), trouble: trouble(), in_dialog, on_proof: move |proof| prove.call(proof) }
        },
        Stage::Second(step) => rsx! {
            AskSecondFactor {
                step: step.clone(),
                busy: busy(),
                trouble,
                in_dialog,
                on_show: move |shown| prove_second.call((step.step.clone(), shown)),
            }
        },
        Stage::Sure(word) => rsx! {
            AskWhetherSure { change, in_dialog, on_sure: move |()| go_on.call(word.clone()) }
        },
        Stage::Form(word) => match change {
            Change::NewEmail => rsx! {
                NewEmail { word, typed, in_dialog, on_done, on_late: move |()| too_late() }
            },
            Change::AddPasskey => rsx! {
                MakePasskey {
                    word,
                    typed,
                    in_dialog,
                    on_made: move |codes: Vec<String>| {
                        if codes.is_empty() {
                            is_done.call(());
                        } else {
                            host.forget_proven();
                            stage.set(Stage::Codes(codes));
                        }
                    },
                    on_late: move |()| too_late(),
                    on_over: move |()| may_be_done(),
                }
            },
            _ => rsx! {
                NewPassword { word, typed, in_dialog, on_done: move |()| is_done.call(()), on_late: move |()| too_late() }
            },
        },
        Stage::Link(word) => match change {
            Change::Link(provider) => rsx! {
                GoAndLink { word, provider, on_late: move |()| too_late() }
            },
            _ => rsx! {},
        },
        Stage::Doing(word) => rsx! {
            match trouble() {
                Some(trouble) => rsx! {
                    TroubleLine { trouble: trouble.clone() }
                    if is_worth_a_try(&trouble) {
                        TryAgain { waits: busy(), on_try: move |()| carry_out.call(word.clone()) }
                    } else {
                        Close { on_close: on_done }
                    }
                },
                None => rsx! {
                    p { class: "sub", role: "status", {text::asking_clinic()} }
                },
            }
        },
        Stage::App(offer) => rsx! {
            SetAppUp {
                offer: offer.clone(),
                busy: busy(),
                trouble,
                in_dialog,
                on_code: move |code| confirm.call((offer.offer.clone(), code)),
            }
        },
        Stage::Codes(codes) => rsx! {
            KeepRecoveryCodes { codes, busy: false, in_dialog, on_kept: move |()| is_done.call(()) }
        },
        Stage::Over(why) => rsx! {
            p { role: "alert", {why} }
            Close { on_close: on_done }
        },
    }
}

/// What comes next of it; `None` if it is done.
async fn carry_out(host: Host, change: &Change, word: &Secret) -> Result<Option<Stage>, CallTrouble> {
    let deed = match change {
        Change::SetAppUp => return Ok(Some(Stage::App(host.call(Call::begin_app(word)).await?))),
        Change::RenewRecoveryCodes => {
            let fresh = host.call(Call::renew_recovery_codes(word)).await?;
            return Ok(Some(Stage::Codes(fresh.codes)));
        }
        Change::RemoveApp => Deed::remove_app(word),
        Change::RemovePasskey(passkey) => Deed::remove_passkey(*passkey, word),
        Change::Unlink { identity, .. } => Deed::unlink(*identity, word),
        Change::NewPassword
        | Change::FirstPassword
        | Change::NewEmail
        | Change::AddPasskey
        | Change::Link(_) => return Ok(Some(Stage::of(change, word.clone()))),
    };
    host.call(deed).await.map(|_| None)
}

/// Nothing stands against it but the way to the clinic, or a moment.
fn is_worth_a_try(why: &CallTrouble) -> bool {
    matches!(
        why,
        CallTrouble::Unreachable | CallTrouble::SlowDown(_) | CallTrouble::Odd
    )
}

#[component]
fn AskWhetherSure(change: Change, in_dialog: bool, on_sure: EventHandler<()>) -> Element {
    rsx! {
        GateForm {
            id: "sure",
            in_dialog,
            action: text::way_in_change_action(&change),
            waits: false,
            on_submit: on_sure,
            p { class: "sub", tabindex: "-1", "data-autofocus": "", {text::way_in_change_means(&change)} }
        }
    }
}

#[component]
fn Close(on_close: EventHandler<()>) -> Element {
    rsx! {
        button {
            class: "btn btn--primary",
            r#type: "button",
            onclick: move |_| on_close.call(()),
            {text::close()}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared_model::ways_in::Provider;
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
        let changes = [
            Change::RemoveApp,
            Change::RenewRecoveryCodes,
            Change::RemovePasskey(Uuid::nil()),
            unlink,
            Change::Link(acme),
        ];
        for change in changes {
            assert!(
                Stage::of_proven(&change, word()) == Stage::Sure(word()),
                "{change:?}"
            );
        }
        assert!(Stage::of_proven(&Change::SetAppUp, word()) == Stage::Doing(word()));
        for change in [
            Change::NewPassword,
            Change::FirstPassword,
            Change::NewEmail,
            Change::AddPasskey,
        ] {
            assert!(
                Stage::of_proven(&change, word()) == Stage::Form(word()),
                "{change:?}"
            );
        }
    }
}
