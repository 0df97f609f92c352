//! What the clinic asks of its staff at sign-in, and help for somebody who has lost what they show there.

use crate::components::{CallDialog, ConfirmDialog, Question, Switch, use_asked, use_sending, use_toasts};
use crate::host::{Call, CallTrouble, Deed};
use crate::text;
use crate::views::me::Setting;
use dioxus::prelude::*;
use shared_model::accounts::Member;
use shared_model::second_factor::SignInRules;

/// Nothing until the server has said how it stands.
#[component]
pub(super) fn AskForSecondFactor(members: Vec<Member>) -> Element {
    let (rules, _) = use_asked(Call::sign_in_rules());
    let mut question = use_signal(|| None::<Question>);
    let Some(rules) = rules else {
        return rsx! {};
    };
    let have = members
        .iter()
        .filter(|member| member.has_second_factor == Some(true))
        .count();
    let have = text::second_factor_count(members.len(), have);
    rsx! {
        div { class: "card",
            Setting {
                title: text::ask_for_second_factor(),
                words: text::two_sentences(text::ask_for_second_factor_why(), have),
                Switch {
                    label: text::ask_for_second_factor(),
                    on: rules.second_factor,
                    on_change: move |second_factor| question.set(Some(asked(second_factor))),
                }
            }
        }
        if let Some(question_now) = question() {
            ConfirmDialog { question: question_now, on_close: move |()| question.set(None) }
        }
    }
}

fn asked(second_factor: bool) -> Question {
    let deed = Deed::set_sign_in_rules(&SignInRules { second_factor });
    if second_factor {
        Question {
            title: text::ask_for_second_factor_question().to_owned(),
            consequences: vec![
                text::ask_for_second_factor_none().to_owned(),
                text::ask_for_second_factor_others().to_owned(),
            ],
            action: text::ask_for_it(),
            deed,
            done: text::second_factor_is_asked_for().to_owned(),
        }
    } else {
        Question {
            title: text::ask_no_more_question().to_owned(),
            consequences: vec![text::ask_no_more_what().to_owned()],
            action: text::ask_no_more(),
            deed,
            done: text::second_factor_is_not_asked_for().to_owned(),
        }
    }
}

/// Whoever has lost the phone and the recovery codes too is let in with less, once the administrator knows that it is they.
#[component]
pub(super) fn TakeFactorsAway(member: Member, offline: bool) -> Element {
    let mut asking = use_signal(|| false);
    if member.has_second_factor == Some(false) {
        return rsx! {
            Setting { title: text::second_factors(), words: text::no_second_factor() }
        };
    }
    rsx! {
        Setting { title: text::second_factors(), words: text::take_factors_away_why(&member.full_name),
            button {
                class: "btn btn--danger",
                r#type: "button",
                disabled: offline,
                onclick: move |_| asking.set(true),
                {text::take_factors_away()}
            }
        }
        if asking() {
            TakeAwayDialog { member, on_close: move |()| asking.set(false) }
        }
    }
}

#[component]
fn TakeAwayDialog(member: Member, on_close: EventHandler<()>) -> Element {
    let (toasts, sending) = (use_toasts(), use_sending());
    let name = member.full_name.clone();
    let why_not = match sending.trouble() {
        Some(CallTrouble::NotFound) => Some(text::no_factors_to_take_away(&name)),
        Some(CallTrouble::NotPermitted) => Some(text::belongs_elsewhere_too(&name)),
        _ => None,
    };
    rsx! {
        CallDialog {
            title: text::take_factors_away_question(&name),
            action: text::take_factors_away(),
            danger: true,
            sending,
            on_close,
            known: vec![CallTrouble::NotFound, CallTrouble::NotPermitted],
            on_submit: move |()| {
                let done = text::factors_taken_away(&member.full_name);
                sending.send(Deed::forget_factors(member.account), move |_| {
                    toasts.say(done);
                    on_close.call(());
                });
            },
            if let Some(words) = why_not {
                p { role: "alert", {words} }
            }
            p { {text::take_factors_away_sure(&name)} }
            p { {text::take_factors_away_what(&name)} }
        }
    }
}
