//! What the clinic asks of its staff at sign-in, and help for somebody who has lost what they show there.

use crate::components::{Switch, use_asked};
use crate::host::{Call, Change};
use crate::text;
use crate::views::change_way_in::ChangeDialog;
use crate::views::me::Setting;
use dioxus::prelude::*;
use shared_model::accounts::Member;
use shared_model::second_factor::SignInRules;

/// Nothing until the server has said how it stands.
#[component]
pub(super) fn AskForSecondFactor(members: Vec<Member>) -> Element {
    let (rules, _) = use_asked(Call::sign_in_rules());
    let mut changing = use_signal(|| None::<Change>);
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
                    on_change: move |second_factor| {
                        changing.set(Some(Change::SignInRules(SignInRules { second_factor })));
                    },
                }
            }
        }
        if let Some(change) = changing() {
            ChangeDialog { change, on_close: move |()| changing.set(None) }
        }
    }
}

/// Whoever has lost the phone and the recovery codes too is let in with less, once the administrator knows that it is they.
#[component]
pub(super) fn TakeFactorsAway(member: Member, offline: bool, may_change: bool) -> Element {
    let mut changing = use_signal(|| None::<Change>);
    if member.has_second_factor == Some(false) {
        return rsx! {
            Setting { title: text::second_factors(), words: text::no_second_factor() }
        };
    }
    if !may_change {
        return rsx! {
            Setting { title: text::second_factors(), words: text::only_system_administrators() }
        };
    }
    rsx! {
        Setting { title: text::second_factors(), words: text::take_factors_away_why(&member.full_name),
            button {
                class: "btn btn--danger",
                r#type: "button",
                disabled: offline,
                onclick: move |_| {
                    changing.set(Some(Change::TakeFactorsAway {
                        account: member.account,
                        name: member.full_name.clone(),
                    }));
                },
                {text::take_factors_away()}
            }
        }
        if let Some(change) = changing() {
            ChangeDialog { change, on_close: move |()| changing.set(None) }
        }
    }
}
