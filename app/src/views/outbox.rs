//! What is saved on this device and not yet at the clinic.

use crate::components::PageLink;
use crate::components::{EmptyState, Pill, Tint, icon, icon_xl, use_minute, use_status, use_title, use_zone};
use crate::host::{self, Device, use_host, use_query};
use crate::route::Route;
use crate::text;
use crate::views::shell::saved_here;
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::{LdCheckCheck, LdClock, LdRefreshCw};
use local_core::query::{Connection, OthersWork, OutboxLine};
use local_core::{Query, View};
use shared_model::documents::Kind;
use shared_model::ids::DocumentId;

#[component]
pub(crate) fn WaitingPage() -> Element {
    use_title(text::what_waits());
    let host = use_host();
    let zone = use_zone();
    let today = use_minute().read().date_in(&zone);
    let status = use_status();
    let outbox = use_query(Query::Outbox);
    let (online, held) = status.read().as_ref().map_or((false, 0), |status| {
        (status.connection == Connection::Online, status.held)
    });
    let outbox = outbox.read();
    let Some(View::Outbox(outbox)) = &*outbox else {
        return rsx! {};
    };
    let others: Vec<OthersWork> = outbox
        .others
        .iter()
        .filter(|one| one.waiting > 0)
        .cloned()
        .collect();
    if outbox.waiting.is_empty() && others.is_empty() {
        return rsx! {
            EmptyState {
                icon: icon_xl(LdCheckCheck),
                title: text::all_at_clinic(),
                text: text::nothing_waits(),
                page: true,
                actions: rsx! {
                    PageLink { to: Route::Day {}, class: "btn", {text::back_to_day()} }
                },
            }
        };
    }
    let listed = outbox.waiting.len() as u64;
    let more = outbox.waiting_total.saturating_sub(listed);
    rsx! {
        div { class: "page page--narrow stack",
            div { class: "page__head",
                h1 {
                    if outbox.waiting.is_empty() {
                        {text::yours_at_clinic()}
                    } else {
                        {saved_here(outbox.waiting_total)}
                    }
                }
                if !online {
                    div { class: "push",
                        button { class: "btn btn--primary", r#type: "button", onclick: move |_| host.network_hint(),
                            {icon(LdRefreshCw)}
                            {text::try_now()}
                        }
                    }
                }
            }
            p { class: "sub prose",
                if outbox.waiting.is_empty() {
                    {text::yours_all_sent()}
                } else if !online {
                    {text::sent_when_reached()}
                } else if held < outbox.waiting_total {
                    {text::being_sent()}
                }
                if held > 0 {
                    " "
                    {text::held_why(i64::try_from(held).unwrap_or(i64::MAX))}
                }
            }
            if !others.is_empty() {
                div { class: "card",
                    ul { class: "list",
                        for other in others {
                            li { key: "{other.account}", class: "list__row",
                                OthersLine { other }
                                div { class: "list__end",
                                    Pill { tone: Tint::Warn, small: true, icon: icon(LdClock), {text::waiting()} }
                                }
                            }
                        }
                    }
                }
            }
            if !outbox.waiting.is_empty() {
            div { class: "card",
                ul { class: "list",
                    for line in grouped(&outbox.waiting) {
                        li { key: "{line.seq}", class: "list__row",
                            div { class: "list__main",
                                div { class: "list__title", {text::change(&line.verb, line.kind, &line.about)} }
                                div { class: "list__sub list__sub--faint", {text::moment(line.made_at, today, &zone)} }
                            }
                            div { class: "list__end",
                                if let Some(route) = record_of(line.kind, line.document) {
                                    PageLink { to: route, class: "btn btn--sm btn--quiet", {text::open()} }
                                }
                                Pill { tone: Tint::Warn, small: true, icon: icon(LdClock), {text::waiting()} }
                            }
                        }
                    }
                }
                if more > 0 {
                    div { class: "card__foot", {text::and_more(text::number(more))} }
                }
            }
            }
        }
    }
}

/// "2 changes of Nora Lindqvist on this computer are not at the clinic yet.", and since when.
#[component]
pub(crate) fn OthersLine(other: OthersWork) -> Element {
    let zone = use_zone();
    let today = use_minute().read().date_in(&zone);
    rsx! {
        div { class: "list__main",
            div { class: "list__sub", {others_wait(&other)} }
            if let Some(since) = other.since {
                div { class: "list__sub list__sub--faint", {text::since(text::moment(since, today, &zone))} }
            }
        }
    }
}

pub(crate) fn others_wait(other: &OthersWork) -> String {
    let count = i64::try_from(other.waiting).unwrap_or(i64::MAX);
    let name = if other.name.is_empty() {
        text::somebody()
    } else {
        &other.name
    };
    match host::device() {
        Device::Computer => text::others_wait_on_computer(count, name),
        Device::Tablet => text::others_wait_on_tablet(count, name),
        Device::Phone => text::others_wait_on_phone(count, name),
    }
}

/// One line for all the typing in one place: a paragraph is written in many small changes. Newest first.
pub(crate) fn grouped(lines: &[OutboxLine]) -> Vec<OutboxLine> {
    let mut grouped: Vec<OutboxLine> = Vec::new();
    for line in lines.iter().rev() {
        if !grouped
            .iter()
            .any(|former| former.document == line.document && former.verb == line.verb)
        {
            grouped.push(line.clone());
        }
    }
    grouped
}

/// Where a record is shown.
pub(crate) fn record_of(kind: Kind, document: DocumentId) -> Option<Route> {
    match kind {
        Kind::Client => Some(Route::Client { id: document.into() }),
        Kind::Patient => Some(Route::Patient { id: document.into() }),
        Kind::Visit => Some(Route::Visit { id: document.into() }),
        Kind::Appointment => Some(Route::Day {}),
        // No screen shows them yet.
        Kind::ClinicProfile
        | Kind::ClinicSettings
        | Kind::ClientNotes
        | Kind::VisitSummary
        | Kind::Estimate
        | Kind::Invoice
        | Kind::Payment
        | Kind::Conversation
        | Kind::StockLot
        | Kind::ControlledDrugLedger
        | Kind::Consent
        | Kind::Certificate => None,
    }
}
