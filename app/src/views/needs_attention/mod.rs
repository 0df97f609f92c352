//! What the clinic could not take. It stays here, in words, until somebody has done it again, another way, or let it go.

mod change_it;
mod handed_in;
mod let_go;
mod matter;

use crate::components::{
    EmptyState, PageLink, Pill, Tint, icon, icon_xl, use_clinic, use_minute, use_title, use_toasts, use_zone,
};
use crate::host::{self, Device, Host, use_host, use_query};
use crate::route::Route;
use crate::text;
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::{LdCopy, LdInbox, LdRefreshCw};
use local_core::query::Matter;
use local_core::{Decision, Failure, Query, View};
use shared_model::time::Timestamp;

use handed_in::HandedInList;
use let_go::LetGoList;
use matter::{MatterCard, whole};
pub(super) use matter::{OpenRecord, Said, use_copy, what};

#[component]
pub(crate) fn NeedsAttentionPage() -> Element {
    use_title(text::needs_attention());
    let outbox = use_query(Query::Outbox);
    let outbox = outbox.read();
    let Some(View::Outbox(outbox)) = &*outbox else {
        return rsx! {};
    };
    let (mine, others): (Vec<Matter>, Vec<Matter>) =
        outbox.matters.iter().cloned().partition(|matter| matter.mine);
    let (let_go, handed) = (outbox.let_go.clone(), outbox.handed.clone());
    if mine.is_empty() && others.is_empty() && let_go.is_empty() && handed.is_empty() {
        return rsx! {
            EmptyState {
                icon: icon_xl(LdInbox),
                title: text::nothing_needs_you(),
                text: text::nothing_needs_you_why(),
                page: true,
                actions: rsx! {
                    PageLink { to: Route::Day {}, class: "btn", {text::back_to_day()} }
                },
            }
        };
    }
    rsx! {
        div { class: "page page--narrow stack",
            Head { mine: mine.clone() }
            if !mine.is_empty() {
                Matters { matters: mine }
            }
            if !others.is_empty() {
                h2 { class: "settings__title", {text::of_colleagues()} }
                p { class: "sub prose", {text::of_colleagues_why()} }
                Matters { matters: others }
            }
            if !handed.is_empty() {
                HandedInList { matters: handed }
            }
            if !let_go.is_empty() {
                LetGoList { matters: let_go }
            }
        }
    }
}

/// What was decided leaves the page, and its parts with it: who waits for the answer belongs to the root.
pub(super) fn decide(
    host: Host,
    decision: Decision,
    then: impl FnOnce(Result<Timestamp, Failure>) + 'static,
) {
    dioxus::core::spawn_forever(async move { then(host.decide(decision).await) });
}

/// What can be done with all of one's own at once.
#[component]
fn Head(mine: Vec<Matter>) -> Element {
    let (host, toasts, clinic, zone) = (use_host(), use_toasts(), use_clinic(), use_zone());
    let today = use_minute().read().date_in(&zone);
    let safe = match host::device() {
        Device::Computer => text::refused_safe_on_computer(),
        Device::Tablet => text::refused_safe_on_tablet(),
        Device::Phone => text::refused_safe_on_phone(),
    };
    let (count, mine_is_empty) = (text::number(mine.len() as u64), mine.is_empty());
    let rows: Vec<i64> = mine.iter().flat_map(|matter| matter.rows.clone()).collect();
    rsx! {
        div { class: "page__head",
            h1 { {text::needs_attention()} }
            if mine.is_empty() {
                p { class: "sub", {text::nothing_needs_you()} }
            } else {
                Pill { tone: Tint::Danger, icon: icon(LdInbox), {text::count_to_decide(count)} }
            }
            if mine.len() > 1 {
                div { class: "push",
                    button {
                        class: "btn",
                        r#type: "button",
                        onclick: move |_| {
                            if let Some(clinic) = &*clinic.read() {
                                let all = mine.iter().map(|matter| whole(matter, &clinic.settings, today, &zone));
                                let copying = host::copy_to_clipboard(&all.collect::<Vec<_>>().join("\n\n"));
                                spawn(async move { toasts.say(text::whether_copied(copying.await)) });
                            }
                        },
                        {icon(LdCopy)}
                        {text::copy_all()}
                    }
                    button {
                        class: "btn btn--primary",
                        r#type: "button",
                        onclick: move |_| {
                            let decision = Decision::Again { rows: rows.clone() };
                            decide(host, decision, move |decided| match decided {
                                Ok(_) => toasts.say(text::on_its_way()),
                                Err(failure) => toasts.failed(&failure),
                            });
                        },
                        {icon(LdRefreshCw)}
                        {text::try_all_again()}
                    }
                }
            }
        }
        if !mine_is_empty {
            p { class: "sub prose", {safe} " " {text::refused_yours_too()} }
        }
    }
}

#[component]
fn Matters(matters: Vec<Matter>) -> Element {
    rsx! {
        div { class: "card",
            for matter in matters {
                MatterCard { key: "{what(&matter)}-{matter.rows[0]}", matter }
            }
        }
    }
}
