//! The second step of signing in, whichever way the first one went.

use super::ask::AskSecondFactor;
use super::at_stake::use_codes_at_stake;
use super::recovery_codes::KeepRecoveryCodes;
use super::set_app_up::SetAppUp;
use crate::components::{Alert, HeldOpen, Tint, TroubleLine, icon, use_hold_open};
use crate::host::{Call, CallTrouble, Entrance, Secret, Shown, SignInTrouble, Step, use_host};
use crate::text;
use crate::views::door::TryAgain;
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::LdShieldCheck;
use shared_model::second_factor::TotpOffer;

/// `password` is what the first step was taken with, if it was one: it unlocks the device from then on. `on_back` is called
/// with the reason if there is nothing to go on with any more, and without one by who begins anew.
#[component]
pub(in crate::views) fn SecondStep(
    step: Step,
    password: Option<Secret>,
    #[props(default)] in_dialog: bool,
    on_done: EventHandler<()>,
    on_back: EventHandler<Option<SignInTrouble>>,
) -> Element {
    let host = use_host();
    let mut busy = use_signal(|| false);
    let mut trouble = use_signal(|| None::<CallTrouble>);
    let token = step.step.clone();
    let enter = use_callback(move |shown: Shown| {
        let entrance = Entrance::Second {
            step: token.clone(),
            shown,
            password: password.clone(),
        };
        busy.set(true);
        trouble.set(None);
        spawn(async move {
            let outcome = host.sign_in(entrance).await;
            busy.set(false);
            match outcome {
                Ok(()) => on_done.call(()),
                Err(SignInTrouble::Refused(why)) if leaves_step_good(&why) => trouble.set(Some(why)),
                Err(why) => on_back.call(Some(without_step(why))),
            }
        });
    });
    if step.sets_up {
        return rsx! {
            SetUpAtSignIn { step, busy, trouble, in_dialog, on_set_up: move |()| enter.call(Shown::SetUp), on_back }
        };
    }
    rsx! {
        AskSecondFactor {
            step,
            busy: busy(),
            trouble,
            in_dialog,
            on_show: move |shown| enter.call(shown),
            on_back: (!in_dialog).then(|| EventHandler::new(move |()| on_back.call(None))),
        }
    }
}

/// Whether there is something to go on with all the same.
fn leaves_step_good(why: &CallTrouble) -> bool {
    matches!(
        why,
        CallTrouble::Unreachable
            | CallTrouble::SlowDown(_)
            | CallTrouble::WrongCode
            | CallTrouble::PasskeyRefused
            | CallTrouble::Odd
    )
}

fn without_step(why: SignInTrouble) -> SignInTrouble {
    match why {
        SignInTrouble::Refused(CallTrouble::LinkNoLongerValid) => SignInTrouble::StepIsOver,
        why => why,
    }
}

/// The clinic asks its staff for a second factor, and whoever comes has none: they set an app up on the way in.
#[component]
fn SetUpAtSignIn(
    step: Step,
    busy: Signal<bool>,
    trouble: Signal<Option<CallTrouble>>,
    in_dialog: bool,
    on_set_up: EventHandler<()>,
    on_back: EventHandler<Option<SignInTrouble>>,
) -> Element {
    let host = use_host();
    let (mut busy, mut trouble) = (busy, trouble);
    let mut offer = use_signal(|| None::<TotpOffer>);
    let mut codes = use_signal(|| None::<Vec<String>>);
    let stake = use_codes_at_stake(None, false);
    let mut failed = move |why: CallTrouble| {
        if why == CallTrouble::LinkNoLongerValid {
            on_back.call(Some(SignInTrouble::StepIsOver));
        } else {
            trouble.set(Some(why));
        }
    };
    let token = step.step.clone();
    let begin = use_callback(move |()| {
        let call = Call::begin_app_at_sign_in(&token);
        busy.set(true);
        trouble.set(None);
        spawn(async move {
            let outcome = host.call(call).await;
            busy.set(false);
            match outcome {
                Ok(offered) => offer.set(Some(offered)),
                Err(why) => failed(why),
            }
        });
    });
    use_effect(move || begin.call(()));
    let token = step.step;
    let confirm = use_callback(move |code: Secret| {
        let Some(offered) = offer.peek().clone() else {
            return;
        };
        let call = Call::confirm_app_at_sign_in(&token, &offered.offer, &code);
        busy.set(true);
        trouble.set(None);
        stake.begins();
        spawn(async move {
            let outcome = host.call(call).await;
            busy.set(false);
            stake.answered(&outcome);
            match outcome {
                Ok(kept) => codes.set(Some(kept.codes)),
                Err(why) => failed(why),
            }
        });
    });
    let confirming = busy() && offer.read().is_some() && codes.read().is_none();
    let stay = use_callback(|()| {});
    use_hold_open(confirming, stay);
    let held = use_hook(try_consume_context::<HeldOpen>);
    let back = move |_| match held {
        Some(held) => held.leave(|| on_back.call(None)),
        None => on_back.call(None),
    };
    let back = rsx! {
        if !in_dialog {
            div { class: "other-ways",
                button {
                    class: "btn btn--quiet btn--sm",
                    r#type: "button",
                    "aria-disabled": "{confirming}",
                    onclick: back,
                    {text::back_to_sign_in()}
                }
            }
        }
    };
    if let Some(codes) = codes() {
        return rsx! {
            if let Some(trouble) = trouble() {
                TroubleLine { trouble }
            }
            KeepRecoveryCodes { codes, whose: None, busy: busy(), in_dialog, on_kept: move |()| on_set_up.call(()) }
            {back}
        };
    }
    rsx! {
        Alert {
            tone: Tint::Info,
            icon: icon(LdShieldCheck),
            title: text::clinic_asks_for_second_factor(),
            text: text::clinic_asks_for_second_factor_do(),
            line: true,
        }
        match offer() {
            Some(offer) => rsx! {
                SetAppUp { offer, busy: busy(), trouble, in_dialog, on_code: move |code| confirm.call(code) }
            },
            None => match trouble() {
                Some(trouble) => rsx! {
                    TroubleLine { trouble }
                    TryAgain { waits: busy(), on_try: begin }
                },
                None => rsx! {
                    p { class: "sub", role: "status", {text::asking_clinic()} }
                },
            },
        }
        {back}
    }
}
