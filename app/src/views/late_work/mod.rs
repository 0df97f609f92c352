//! Late work: what people wrote before their rights ended. The clinic's administrators do it again in their own name, or
//! let it go.
//!
//! Invariant: what was done again here is not offered a second time, whether the server has heard of it or not.

mod let_go;
mod matter;

use crate::components::{
    Badge, EmptyState, PageLink, Pill, ServerSays, Tint, Toasts, icon, icon_xl, use_asked, use_may,
    use_minute, use_title, use_toasts, use_zone,
};
use crate::host::{Call, CallTrouble, Deed, Host, use_host, use_query};
use crate::route::Route;
use crate::text;
use crate::views::staff::NotForYou;
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::{LdArchiveRestore, LdCheckCheck, LdInbox};
use local_core::query::LateMatter;
use local_core::{Decision, Failure, Query, View};
use matter::MatterCard;
use shared_model::commands::CommandError;
use shared_model::ids::{AccountId, DocumentId};
use shared_model::late_work::{Decide, LateWork, LateWorkCount, LateWorkPage as Page, MAX_DECIDED, Verdict};
use shared_model::permissions::{Denied, Role};
use std::cell::Cell;
use std::collections::BTreeSet;
use std::rc::Rc;

#[component]
pub(crate) fn LateWorkPage() -> Element {
    use_title(text::late_work());
    if use_may(Role::ClinicAdministrator) {
        rsx! {
            Inbox {}
        }
    } else {
        rsx! {
            NotForYou { words: text::only_administrators_decide() }
        }
    }
}

/// How much there is to decide, beside the page's name.
#[component]
pub(crate) fn LateWorkBadge() -> Element {
    let (count, _) = use_asked(Call::late_work_count());
    let waiting = count.map_or(0, |count: LateWorkCount| count.waiting);
    rsx! {
        if waiting > 0 {
            Badge { count: waiting, tone: Tint::Warn, said: text::to_decide() }
        }
    }
}

/// What is listed, shared by all that is drawn of it.
#[derive(Clone)]
struct Works(Rc<Vec<LateWork>>);

impl PartialEq for Works {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0) || self.0 == other.0
    }
}

impl Works {
    /// With what else is listed of the same records, on which typing may rest.
    fn take_over(&self, hashes: Vec<String>) -> Decision {
        let these = self.0.iter().filter(|work| hashes.contains(&work.hash));
        let records: BTreeSet<DocumentId> = these.map(|work| work.document).collect();
        let works = self.0.iter().filter(|work| records.contains(&work.document));
        Decision::TakeOver {
            works: works.cloned().collect(),
            hashes,
        }
    }
}

#[component]
fn Inbox() -> Element {
    let (page, asking) = use_asked(Call::late_work());
    let offline = asking.is_unreachable();
    let (goes_on, works) = match page {
        Some(Page { works, next }) => (next.is_some(), Some(works)),
        None => (false, None),
    };
    rsx! {
        div { class: "page page--narrow stack",
            div { class: "page__head",
                h1 { {text::late_work()} }
            }
            ServerSays { asking }
            if let Some(works) = works {
                if works.is_empty() {
                    EmptyState {
                        icon: icon_xl(LdCheckCheck),
                        title: text::no_late_work(),
                        text: text::no_late_work_why(),
                        actions: rsx! {
                            PageLink { to: Route::Day {}, class: "btn", {text::back_to_day()} }
                        },
                    }
                } else {
                    Listed { works, goes_on, offline }
                }
            }
        }
    }
}

#[component]
fn Listed(works: Vec<LateWork>, goes_on: bool, offline: bool) -> Element {
    let late = use_query(Query::LateWork(works.clone()));
    use_report_of_taken(late);
    let late = late.read();
    let Some(View::LateWork(late)) = &*late else {
        return rsx! {};
    };
    let works = Works(Rc::new(works));
    let open: Vec<LateMatter> = late.iter().filter(|one| !one.taken).cloned().collect();
    let mut authors: Vec<AccountId> = Vec::new();
    for one in &open {
        if !authors.contains(&one.author) {
            authors.push(one.author);
        }
    }
    let of = |author: AccountId| -> Vec<LateMatter> {
        open.iter().filter(|one| one.author == author).cloned().collect()
    };
    rsx! {
        p { class: "sub prose", {text::late_work_what()} }
        for author in authors {
            OfOne { key: "{author}", late: of(author), works: works.clone(), offline }
        }
        if goes_on {
            p { class: "sub", {text::late_work_goes_on()} }
        }
    }
}

/// All of one person's.
#[component]
fn OfOne(late: Vec<LateMatter>, works: Works, offline: bool) -> Element {
    let (host, toasts, zone) = (use_host(), use_toasts(), use_zone());
    let today = use_minute().read().date_in(&zone);
    let Some(first) = late.first() else {
        return rsx! {};
    };
    let name = text::person(&first.matter.author).to_owned();
    let received = text::handed_in_at(text::moment(first.received_at, today, &zone));
    let count = i64::try_from(late.len()).unwrap_or(i64::MAX);
    let all: Vec<Vec<String>> = late.iter().map(|one| one.hashes.clone()).collect();
    let of_all = works.clone();
    rsx! {
        section { class: "stack", "aria-label": name.clone(),
            div { class: "row row--wrap",
                h2 { class: "card__title", {name.clone()} }
                Pill { tone: Tint::Warn, icon: icon(LdInbox), {text::entries_count(count)} }
                span { class: "faint", {received} }
                if late.len() > 1 {
                    div { class: "push",
                        button {
                            class: "btn btn--primary",
                            r#type: "button",
                            disabled: offline,
                            onclick: move |_| {
                                dioxus::core::spawn_forever(take_over_all(host, toasts, of_all.clone(), all.clone()));
                            },
                            {icon(LdArchiveRestore)}
                            {text::take_over_all()}
                        }
                    }
                }
            }
            div { class: "card",
                for one in late {
                    MatterCard { key: "{one.hashes[0]}", late: one, works: works.clone(), offline }
                }
            }
        }
    }
}

/// One after the other, in the order in which they were made: what this person may not do holds up none of the rest.
async fn take_over_all(host: Host, toasts: Toasts, works: Works, all: Vec<Vec<String>>) {
    let mut all_taken = true;
    for hashes in all {
        match host.decide(works.take_over(hashes)).await {
            Ok(_) => {}
            Err(Failure::Command(_)) => all_taken = false,
            Err(failure) => return toasts.failed(&failure),
        }
    }
    toasts.say(if all_taken {
        text::on_its_way()
    } else {
        text::late_some_stay()
    });
}

/// Whoever reads it is the administrator whom others are told to ask.
fn why_not(failure: &Failure) -> String {
    match failure {
        Failure::Command(CommandError::Denied(Denied::Field { .. } | Denied::Create { .. })) => {
            text::late_not_your_role().to_owned()
        }
        failure => text::failure(failure),
    }
}

/// The server is told of what was done again here, until it knows: of all that has come together since it was told last.
fn use_report_of_taken(late: ReadSignal<Option<View>>) {
    let host = use_host();
    let minute = use_minute();
    let telling = use_hook(|| Rc::new(Cell::new(false)));
    let taken = use_memo(move || match &*late.read() {
        Some(View::LateWork(late)) => late
            .iter()
            .filter(|one| one.taken)
            .flat_map(|one| one.hashes.clone())
            .collect::<Vec<String>>(),
        _ => Vec::new(),
    });
    use_effect(move || {
        let _ = minute();
        let taken = taken();
        // What is taken over meanwhile is told of afterwards: the answer makes the page ask again.
        if taken.is_empty() || telling.replace(true) {
            return;
        }
        let telling = Rc::clone(&telling);
        dioxus::core::spawn_forever(async move {
            report_taken(host, taken).await;
            telling.set(false);
        });
    });
}

async fn report_taken(host: Host, hashes: Vec<String>) {
    for some in hashes.chunks(MAX_DECIDED) {
        let told = host.call(decided(some.to_vec(), Verdict::Taken)).await;
        if told == Err(CallTrouble::NotFound) {
            // Somebody else has decided about one of them: the others are told one by one.
            for one in some {
                drop(host.call(decided(vec![one.clone()], Verdict::Taken)).await);
            }
        }
    }
}

fn decided(hashes: Vec<String>, verdict: Verdict) -> Deed {
    Deed::decide_late_work(&Decide { hashes, verdict })
}
