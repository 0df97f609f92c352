//! What is saved on this device and not yet at the clinic.

use crate::components::PageLink;
use crate::components::{EmptyState, Pill, Tint, icon, icon_xl, use_minute, use_status, use_title, use_zone};
use crate::host::{use_host, use_query};
use crate::route::Route;
use crate::text;
use crate::views::shell::saved_here;
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::{LdCheckCheck, LdClock, LdRefreshCw};
use local_core::query::{Connection, OutboxLine};
use local_core::{Query, View};
use shared_model::documents::Kind;

#[component]
pub(crate) fn WaitingPage() -> Element {
    use_title(text::what_waits());
    let host = use_host();
    let zone = use_zone();
    let today = use_minute().read().date_in(&zone);
    let status = use_status();
    let outbox = use_query(Query::Outbox);
    let online = status
        .read()
        .as_ref()
        .is_some_and(|status| status.connection == Connection::Online);
    let outbox = outbox.read();
    let Some(View::Outbox(outbox)) = &*outbox else {
        return rsx! {};
    };
    if outbox.waiting.is_empty() {
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
                h1 { {saved_here(outbox.waiting_total)} }
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
                if online {
                    {text::being_sent()}
                } else {
                    {text::sent_when_reached()}
                }
            }
            div { class: "card",
                ul { class: "list",
                    for line in grouped(&outbox.waiting) {
                        li { key: "{line.seq}", class: "list__row",
                            div { class: "list__main",
                                div { class: "list__title", {text::change(&line.verb, line.kind, &line.about)} }
                                div { class: "list__sub list__sub--faint", {text::moment(line.made_at, today, &zone)} }
                            }
                            div { class: "list__end",
                                if let Some(route) = record(line.kind, &line) {
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

/// Where the record of a change is shown.
pub(crate) fn record(kind: Kind, line: &OutboxLine) -> Option<Route> {
    match kind {
        Kind::Client => Some(Route::Client {
            id: line.document.into(),
        }),
        Kind::Patient => Some(Route::Patient {
            id: line.document.into(),
        }),
        Kind::Visit => Some(Route::Visit {
            id: line.document.into(),
        }),
        Kind::Appointment => Some(Route::Day {}),
        Kind::ClinicProfile | Kind::ClinicSettings => None,
    }
}
