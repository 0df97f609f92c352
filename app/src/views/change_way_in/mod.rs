//! Changing what decides about signing in, one's own or the staff's: who it is comes first, the password or a provider and
//! then the second factor; then what is to change is asked for and done. In a dialog, or behind the door for whoever is back
//! from a provider.
//!
//! Invariants: whoever has just shown who they are is not asked again while that counts; what was typed is there still if it
//! counts no more; nothing says that it was not done unless that is known; nobody leaves while recovery codes are on their way,
//! and whoever may have some that they have not seen is led to new ones.

mod first;
mod link;
mod new_email;
mod new_password;
mod passkey;
mod stage;
mod who;

pub(super) use first::{First, TroubleOfWhoIsHere};
pub(super) use who::{CanShow, ChangeDialog, Providers, use_providers};

use super::second_factor::{AskSecondFactor, KeepRecoveryCodes, SetAppUp, use_codes_at_stake};
use crate::components::{Sending, TroubleLine, seconds_to_wait, use_hold_open, use_slowed, use_toasts};
use crate::host::{Call, CallTrouble, Change, Secret, use_host};
use crate::text;
use crate::views::door::{GateForm, TryAgain};
use dioxus::prelude::*;
use first::ShowFirst;
use link::GoAndLink;
use new_email::NewEmail;
use new_password::NewPassword;
use passkey::MakePasskey;
use shared_model::second_factor::Proven;
use stage::{Asked, Form, Stage};

#[component]
pub(in crate::views) fn ChangeWayIn(
    change: Change,
    first: First,
    #[props(default)] in_dialog: bool,
    on_done: EventHandler<()>,
    /// To make new recovery codes instead, where that can be.
    #[props(default)]
    on_renew: Option<EventHandler<()>>,
) -> Element {
    let (host, toasts) = (use_host(), use_toasts());
    let whose = use_hook(|| host.person());
    let stake = use_codes_at_stake(whose, false);
    let comes_back = matches!(first, First::Returned(_));
    let mut stage = use_signal(|| match host.proven() {
        Some(word) if !comes_back => Stage::of_proven(&change, word),
        _ => Stage::First,
    });
    let mut busy = use_signal(|| matches!(&*stage.peek(), Stage::Doing(_)));
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
        stake.ends();
        stage.set(Stage::MayBeDone);
    };
    let is_done = use_callback({
        let change = change.clone();
        move |()| {
            toasts.say(text::way_in_changed(&change));
            on_done.call(());
        }
    });
    let carry_out = use_callback(move |asked: Asked| {
        begins();
        if matches!(asked, Asked::Codes(_)) {
            stake.begins();
        }
        spawn(async move {
            let outcome = asked.carry_out(host).await;
            busy.set(false);
            stake.answered(&outcome);
            match outcome {
                Ok(Some(next)) => stage.set(next),
                Ok(None) => is_done.call(()),
                Err(CallTrouble::LinkNoLongerValid) => too_late(),
                Err(why) => trouble.set(Some(why)),
            }
        });
    });
    use_effect(move || {
        // An app is offered as soon as it may be: there is nothing to be asked about.
        if let Stage::Doing(asked) = &*stage.peek() {
            carry_out.call(asked.clone());
        }
    });
    let go_on = use_callback({
        let change = change.clone();
        move |word: Secret| {
            let next = Stage::of(&change, word);
            stage.set(next.clone());
            if let Stage::Doing(asked) = next {
                carry_out.call(asked);
            }
        }
    });
    let show = use_callback(move |call: Call<Proven>| {
        begins();
        spawn(async move {
            let outcome = host.call(call).await;
            busy.set(false);
            match outcome {
                Ok(shown) => {
                    let word = Secret::from(shown.proven);
                    host.keep_proven(word.clone());
                    once_more.set(false);
                    go_on.call(word);
                }
                Err(CallTrouble::SecondStep(step)) => stage.set(Stage::Second(step)),
                Err(CallTrouble::LinkNoLongerValid) => too_late(),
                Err(why) => trouble.set(Some(why)),
            }
        });
    });
    let confirm = use_callback(move |(offer, code): (String, Secret)| {
        begins();
        stake.begins();
        spawn(async move {
            let outcome = host.call(Call::confirm_app(&offer, &code)).await;
            busy.set(false);
            stake.answered(&outcome);
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
    let stay = use_callback(|()| {});
    use_hold_open(busy() && stage.read().brings_codes(), stay);
    match stage() {
        Stage::First => rsx! {
            if once_more() {
                p { role: "alert", {text::prove_once_more()} }
            }
            ShowFirst { change, first, busy: busy(), trouble, in_dialog, on_proof: move |proof| show.call(Call::prove(proof)) }
        },
        Stage::Second(step) => rsx! {
            AskSecondFactor {
                step: step.clone(),
                busy: busy(),
                trouble,
                in_dialog,
                takes_away: change.takes_away().then(|| text::way_in_change_action(&change)),
                on_show: move |shown| show.call(Call::prove_second(&step.step, &shown)),
            }
        },
        Stage::Sure(word) => rsx! {
            AskWhetherSure { change, in_dialog, on_sure: move |()| go_on.call(word.clone()) }
        },
        Stage::Form(Form::Password, word) => rsx! {
            NewPassword { word, typed, in_dialog, on_done: move |()| is_done.call(()), on_late: move |()| too_late() }
        },
        Stage::Form(Form::Email, word) => rsx! {
            NewEmail { word, typed, in_dialog, on_done, on_late: move |()| too_late() }
        },
        Stage::Form(Form::Passkey, word) => rsx! {
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
        Stage::Link(provider, word) => rsx! {
            GoAndLink { word, provider, on_late: move |()| too_late() }
        },
        Stage::Doing(_) if busy() => rsx! {
            p { class: "sub", role: "status", {text::asking_clinic()} }
        },
        Stage::Doing(asked) => rsx! {
            NotDone { change, asked: asked.clone(), trouble, on_try: move |()| carry_out.call(asked.clone()), on_close: on_done }
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
            KeepRecoveryCodes { codes, whose, busy: false, in_dialog, on_kept: move |()| is_done.call(()) }
        },
        Stage::MayBeDone => rsx! {
            p { role: "alert", {text::way_in_may_be_changed(&change)} }
            if let Some(on_renew) = on_renew {
                button {
                    class: "btn btn--primary btn--lg btn--block",
                    r#type: "button",
                    onclick: move |_| on_renew.call(()),
                    {text::make_new_codes()}
                }
            }
            Close { on_close: on_done, quiet: on_renew.is_some() }
        },
        Stage::Over(why) => rsx! {
            p { role: "alert", {why} }
            Close { on_close: on_done }
        },
    }
}

/// Why it was not carried out, as far as anybody knows.
#[component]
fn NotDone(
    change: Change,
    asked: Asked,
    trouble: Signal<Option<CallTrouble>>,
    on_try: Callback<()>,
    on_close: EventHandler<()>,
) -> Element {
    let why = trouble();
    rsx! {
        match &why {
            Some(why) => match text::way_in_change_refused(&change, why) {
                Some(words) => rsx! {
                    p { role: "alert", {words} }
                },
                None => rsx! {
                    TroubleLine { trouble: why.clone() }
                },
            },
            None => rsx! {},
        }
        if matches!(asked, Asked::Codes(_)) && why.as_ref().is_some_and(CallTrouble::leaves_open_whether_done) {
            p { class: "sub", {text::former_codes_may_be_void()} }
        }
        if why.as_ref().is_none_or(is_worth_a_try) {
            TryOnceMore { trouble, on_try, danger: change.takes_away() }
        } else {
            Close { on_close }
        }
    }
}

/// Nothing stands against it but the way to the clinic, or a moment.
fn is_worth_a_try(why: &CallTrouble) -> bool {
    matches!(
        why,
        CallTrouble::Unreachable | CallTrouble::SlowDown(_) | CallTrouble::Odd
    )
}

/// One more try where that is of use, once there is nothing to wait for.
#[component]
fn TryOnceMore(
    trouble: Signal<Option<CallTrouble>>,
    on_try: Callback<()>,
    #[props(default)] danger: bool,
) -> Element {
    let slowed = use_slowed(trouble, seconds_to_wait, CallTrouble::SlowDown);
    if !trouble.read().as_ref().is_none_or(is_worth_a_try) {
        return rsx! {};
    }
    rsx! {
        TryAgain { waits: slowed(), on_try, danger }
    }
}

/// `on_late` is called once what they had shown counts no more.
fn use_late(sending: Sending, on_late: EventHandler<()>) {
    use_effect(move || {
        if sending.is(&CallTrouble::LinkNoLongerValid) {
            on_late.call(());
        }
    });
}

#[component]
fn AskWhetherSure(change: Change, in_dialog: bool, on_sure: EventHandler<()>) -> Element {
    rsx! {
        GateForm {
            id: "sure",
            in_dialog,
            action: text::way_in_change_action(&change),
            danger: change.takes_away(),
            waits: false,
            on_submit: on_sure,
            div { class: "stack", tabindex: "-1", "data-autofocus": "",
                for words in text::way_in_change_means(&change) {
                    p { class: "sub", {words} }
                }
            }
        }
    }
}

#[component]
fn Close(on_close: EventHandler<()>, #[props(default)] quiet: bool) -> Element {
    rsx! {
        button {
            class: if quiet { "btn btn--lg btn--block" } else { "btn btn--primary" },
            r#type: "button",
            onclick: move |_| on_close.call(()),
            {text::close()}
        }
    }
}
