//! Asks for a second factor: the code of an app, a recovery code, or a passkey.

use super::code_field::{CodeField, use_typed_code};
use crate::components::{Alert, TextField, Tint, TroubleLine, icon, seconds_to_wait, use_slowed};
use crate::host::{self, CallTrouble, PasskeyTrouble, Shown, Step};
use crate::text;
use crate::views::door::GateForm;
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::{LdCircleAlert, LdKeyRound, LdTicket};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    App,
    RecoveryCode,
    Passkey,
}

/// The ways that somebody has here, the handiest first.
fn ways(step: &Step, has_passkeys: bool) -> Vec<Way> {
    let has = |way, has: bool| has.then_some(way);
    [
        has(Way::App, step.has_app),
        has(Way::Passkey, step.passkey.is_some() && has_passkeys),
        has(Way::RecoveryCode, step.has_recovery_codes),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// `trouble` is why what was shown last did not do; whoever sends it clears it first.
#[component]
pub(in crate::views) fn AskSecondFactor(
    step: Step,
    busy: bool,
    trouble: Signal<Option<CallTrouble>>,
    #[props(default)] in_dialog: bool,
    /// What is taken away with it.
    #[props(default)]
    takes_away: Option<String>,
    on_show: EventHandler<Shown>,
    /// To begin anew.
    #[props(default)]
    on_back: Option<EventHandler<()>>,
) -> Element {
    let ways = ways(&step, host::has_passkeys());
    let mut way = use_signal(|| ways.first().copied());
    let mut no_passkey = use_signal(|| None::<PasskeyTrouble>);
    let mut asking = use_signal(|| false);
    let slowed = use_slowed(trouble, seconds_to_wait, CallTrouble::SlowDown);
    let waits = busy || asking() || slowed();
    let options = step.passkey.clone();
    let show_passkey = use_callback(move |()| {
        let Some(options) = options.clone() else { return };
        asking.set(true);
        no_passkey.set(None);
        spawn(async move {
            let given = host::show_passkey(&options).await;
            asking.set(false);
            match given {
                Ok(credential) => on_show.call(Shown::Passkey(credential)),
                Err(why) => no_passkey.set(Some(why)),
            }
        });
    });
    let others = ways.iter().copied().filter(|other| Some(*other) != way());
    rsx! {
        match way() {
            Some(Way::App) => rsx! {
                CodeForm { waits, trouble, in_dialog, takes_away, on_show }
            },
            Some(Way::RecoveryCode) => rsx! {
                RecoveryCodeForm { waits, trouble, in_dialog, takes_away, on_show }
            },
            Some(Way::Passkey) => rsx! {
                GateForm {
                    id: "second",
                    in_dialog,
                    action: text::use_passkey(),
                    danger: takes_away.is_some(),
                    waits,
                    on_submit: move |()| {
                        if !waits {
                            show_passkey.call(());
                        }
                    },
                    h2 { class: "card__title", {text::one_more_step()} }
                    p { class: "sub", {text::show_passkey_do()} }
                    if let Some(trouble) = trouble() {
                        TroubleLine { trouble }
                    }
                    if let Some(trouble) = no_passkey() {
                        PasskeyTroubleLine { trouble }
                    }
                }
            },
            None => rsx! {
                Alert {
                    tone: Tint::Warn,
                    icon: icon(LdCircleAlert),
                    title: text::no_second_factor_here(),
                    text: text::no_second_factor_here_do(),
                    line: true,
                    urgent: true,
                }
            },
        }
        div { class: "other-ways",
            for other in others {
                button {
                    key: "{other:?}",
                    class: "btn btn--quiet btn--sm",
                    r#type: "button",
                    "aria-disabled": "{busy || asking()}",
                    onclick: move |_| {
                        if busy || asking() {
                            return;
                        }
                        let mut trouble = trouble;
                        // What is to be waited for is to be waited for whichever way is taken.
                        if !slowed() {
                            trouble.set(None);
                        }
                        no_passkey.set(None);
                        way.set(Some(other));
                        if other == Way::Passkey && !slowed() {
                            show_passkey.call(());
                        }
                    },
                    match other {
                        Way::App => rsx! {
                            {text::use_app()}
                        },
                        Way::RecoveryCode => rsx! {
                            {icon(LdTicket)}
                            {text::use_recovery_code()}
                        },
                        Way::Passkey => rsx! {
                            {icon(LdKeyRound)}
                            {text::use_passkey()}
                        },
                    }
                }
            }
            if let Some(on_back) = on_back {
                button { class: "btn btn--quiet btn--sm", r#type: "button", onclick: move |_| on_back.call(()),
                    {text::back_to_sign_in()}
                }
            }
        }
    }
}

/// The code of an app, which goes off by itself once it is whole.
#[component]
fn CodeForm(
    waits: bool,
    trouble: Signal<Option<CallTrouble>>,
    in_dialog: bool,
    takes_away: Option<String>,
    on_show: EventHandler<Shown>,
) -> Element {
    let typed = use_typed_code();
    let submit = move |()| {
        if waits {
            return;
        }
        if let Some(code) = typed.take() {
            on_show.call(Shown::Code(code));
        }
    };
    rsx! {
        TypedForm { words: text::code_of_app_do(), waits, trouble, in_dialog, takes_away, on_submit: submit,
            CodeField { label: text::code_of_app(), typed, trouble, autofocus: true, on_whole: submit }
        }
    }
}

#[component]
fn RecoveryCodeForm(
    waits: bool,
    trouble: Signal<Option<CallTrouble>>,
    in_dialog: bool,
    takes_away: Option<String>,
    on_show: EventHandler<Shown>,
) -> Element {
    const ID: &str = "recovery-code";
    let mut code = use_signal(String::new);
    let mut missing = use_signal(|| false);
    use_effect(move || {
        if *trouble.read() == Some(CallTrouble::WrongCode) {
            code.set(String::new());
            host::focus(ID);
        }
    });
    let submit = move |()| {
        if waits {
            return;
        }
        let typed = code.peek().trim().to_owned();
        missing.set(typed.is_empty());
        if typed.is_empty() {
            host::focus(ID);
        } else {
            on_show.call(Shown::RecoveryCode(typed.into()));
        }
    };
    let error = if missing() {
        Some(text::recovery_code_missing())
    } else {
        (*trouble.read() == Some(CallTrouble::WrongCode)).then(text::recovery_code_wrong)
    };
    rsx! {
        TypedForm { words: text::recovery_code_do(), waits, trouble, in_dialog, takes_away, on_submit: submit,
            TextField {
                id: ID,
                label: text::recovery_code(),
                value: code,
                secret: true,
                autofocus: true,
                error: error.map(str::to_owned),
                on_input: move |_| missing.set(false),
            }
        }
    }
}

/// The form around what is typed; its field says itself that a code is wrong.
#[component]
fn TypedForm(
    words: &'static str,
    waits: bool,
    trouble: Signal<Option<CallTrouble>>,
    in_dialog: bool,
    takes_away: Option<String>,
    on_submit: EventHandler<()>,
    children: Element,
) -> Element {
    let danger = takes_away.is_some();
    let action = takes_away.unwrap_or_else(|| text::go_on().to_owned());
    rsx! {
        GateForm {
            id: "second",
            in_dialog,
            danger,
            action: if waits && trouble.read().is_none() { text::asking_clinic().to_owned() } else { action },
            waits,
            on_submit,
            h2 { class: "card__title", {text::one_more_step()} }
            p { class: "sub", {words} }
            match trouble() {
                Some(trouble) if trouble != CallTrouble::WrongCode => rsx! {
                    TroubleLine { trouble }
                },
                _ => rsx! {},
            }
            {children}
        }
    }
}

/// Why the browser gave no passkey.
#[component]
pub(in crate::views) fn PasskeyTroubleLine(trouble: PasskeyTrouble) -> Element {
    let (title, words) = text::passkey_trouble(trouble);
    rsx! {
        Alert { tone: Tint::Warn, icon: icon(LdCircleAlert), title, text: words, line: true, urgent: true }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::Secret;

    #[test]
    fn only_what_somebody_has_here_is_offered() {
        let step = |has_app, has_recovery_codes, passkey: bool| Step {
            step: Secret::default(),
            sets_up: false,
            has_app,
            has_recovery_codes,
            passkey: passkey.then(String::new),
        };
        let check = |step: Step, here, expected: &[Way]| assert_eq!(ways(&step, here), expected, "{step:?}");
        check(
            step(true, true, true),
            true,
            &[Way::App, Way::Passkey, Way::RecoveryCode],
        );
        check(step(true, true, true), false, &[Way::App, Way::RecoveryCode]);
        check(step(false, true, true), true, &[Way::Passkey, Way::RecoveryCode]);
        check(step(false, false, true), false, &[]);
    }
}
