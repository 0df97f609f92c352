//! The history: one row a visit, the latest first.

use crate::components::{EmptyState, Pill, Tint, icon, icon_xl};
use crate::route::Route;
use crate::text;
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::{LdCheck, LdPenLine, LdStethoscope};
use local_core::query::VisitLine;

#[component]
pub(super) fn Visits(visits: Vec<VisitLine>) -> Element {
    rsx! {
        section { class: "card", "aria-labelledby": "visits-title",
            div { class: "card__head",
                h2 { class: "card__title", id: "visits-title", {text::visits_title()} }
                span { class: "card__count", "{visits.len()}" }
            }
            if visits.is_empty() {
                EmptyState { icon: icon_xl(LdStethoscope), title: text::no_visits(), text: text::no_visits_text() }
            } else {
                ul { class: "list",
                    for line in visits {
                        VisitRow { key: "{line.id}", line, pill: true }
                    }
                }
            }
        }
    }
}

#[component]
pub(in crate::views) fn VisitRow(line: VisitLine, #[props(default)] pill: bool) -> Element {
    let title = if line.reason.is_empty() {
        text::visit_without_reason().to_owned()
    } else {
        line.reason.clone()
    };
    let sub = [line.vet_name.as_str(), line.summary.as_str()]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" · ");
    rsx! {
        li {
            Link { class: "history__row", to: Route::Visit { id: line.id },
                div { class: "history__date",
                    if let Some(date) = line.date {
                        {text::day_and_month(date.day(), text::month_short(date.month()))}
                        " "
                        small { "{date.year()}" }
                    }
                }
                div {
                    div { class: "history__title", {title} }
                    div { class: "list__sub", {sub} }
                }
                if pill {
                    div { class: "list__end",
                        if line.finished {
                            Pill { icon: icon(LdCheck), {text::stage_finished()} }
                        } else {
                            Pill { tone: Tint::Info, icon: icon(LdPenLine), {text::stage_being_written()} }
                        }
                    }
                }
            }
        }
    }
}
