//! The grid: a column per bookable person, a row per ten minutes, a line at now.

use crate::components::{OpenDialog, icon_sm, use_dialogs, use_zone};
use crate::host;
use crate::text;
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::LdPlus;
use jiff::civil::Date;
use local_core::query::DayColumn;
use shared_model::documents::OpeningHours;
use shared_model::ids::AppointmentId;
use shared_model::time::Timestamp;

use super::card::{Card, Landing, minutes};
use super::moving::GRID_ID;
use super::place::{Place, Span};
use super::use_page;

const AHEAD_ID: &str = "day-ahead";
/// So many minutes after now are in sight when the day opens.
const AHEAD: i16 = 150;

/// After the page has come to rest.
pub(super) fn show_what_comes(id: &'static str) {
    spawn(async move {
        host::sleep(150).await;
        host::scroll_into_view(id);
    });
}

#[component]
pub(super) fn Grid() -> Element {
    let page = use_page();
    let mover = page.mover;
    let zone = use_zone();
    let mut reached = use_signal(|| None::<AppointmentId>);
    let view = page.view.read();
    let Some(view) = view.as_ref() else {
        return VNode::empty();
    };
    if view.columns.is_empty() {
        return VNode::empty();
    }
    let span = Span::of(view.hours, &view.items);
    let local = (page.minute)().in_zone(&zone);
    let now = (local.date() == view.date)
        .then(|| i16::from(local.hour()) * 60 + i16::from(local.minute()))
        .filter(|now| (span.from..span.to).contains(now));
    // Tab stops at the card that had the focus last, else at the first that is still to come.
    let reachable = reached()
        .filter(|id| view.items.iter().any(|item| item.id == *id))
        .or_else(|| {
            let coming = view
                .items
                .iter()
                .find(|item| now.is_none_or(|now| item.start_minute >= now));
            coming.or(view.items.first()).map(|item| item.id)
        });
    let moving = *mover.moving.read();
    let moved = moving.and_then(|moving| page.item(moving.id).map(|item| (moving, item)));
    let mut body = mover.body;
    rsx! {
        div {
            id: GRID_ID,
            class: "day__scroll",
            tabindex: "0",
            role: "region",
            "aria-label": text::day_by_vet(),
            onkeydown: move |event| {
                if event.key() == Key::Enter && mover.moving.peek().is_some() {
                    event.prevent_default();
                    event.stop_propagation();
                    mover.drop_here();
                }
            },
            div { class: "day-grid",
                div { class: "day-grid__heads",
                    for column in &view.columns {
                        h2 { key: "{column.vet}", class: "day-grid__head",
                            {column.name.clone()}
                            " "
                            span { "· {column.count}" }
                        }
                    }
                }
                Hours { span, now }
                div {
                    class: "day-grid__body",
                    height: minutes(span.minutes()),
                    onmounted: move |event| body.set(Some(event.data())),
                    for (index , column) in view.columns.iter().enumerate() {
                        ol { key: "{column.vet}", class: "day-col", "aria-label": column.name.clone(),
                            Empty { column: column.clone(), index, span, date: view.date, blocked: view.hours.is_none() }
                            for item in view.items.iter().filter(|item| item.column == index) {
                                Card {
                                    key: "{item.id}",
                                    item: item.clone(),
                                    span,
                                    reachable: reachable == Some(item.id),
                                    on_reach: move |id| reached.set(Some(id)),
                                }
                            }
                            if let Some((moving , item)) = moved.clone().filter(|(moving, _)| moving.to.column == index) {
                                Landing { item, moving, span }
                            }
                        }
                    }
                    Blocked { hours: view.hours, span }
                    if let Some(now) = now {
                        div { class: "now", "aria-hidden": "true", top: minutes(now - span.from) }
                        // What comes next is in sight when the day opens.
                        div {
                            id: AHEAD_ID,
                            class: "day-grid__ahead",
                            "aria-hidden": "true",
                            top: minutes((now + AHEAD).min(span.to) - span.from),
                            onmounted: move |_| show_what_comes(AHEAD_ID),
                        }
                    }
                }
            }
        }
    }
}

#[component]
fn Hours(span: Span, now: Option<i16>) -> Element {
    rsx! {
        div { class: "day-grid__hours", "aria-hidden": "true",
            for hour in span.hours().filter(|hour| now.is_none_or(|now| (hour - now).abs() > 8)) {
                span { key: "{hour}", class: "day-grid__hour", top: minutes(hour - span.from), {text::clock(hour)} }
            }
            if let Some(now) = now {
                span { class: "day-grid__hour day-grid__hour--now", top: minutes(now - span.from), {text::clock(now)} }
            }
        }
    }
}

/// The pause, and what lies before and after the opening hours.
#[component]
fn Blocked(hours: Option<OpeningHours>, span: Span) -> Element {
    let Some(hours) = hours else {
        return rsx! {
            Stretch { from: span.from, to: span.to, span, words: text::closed_day() }
        };
    };
    rsx! {
        if hours.opens > span.from {
            Stretch { from: span.from, to: hours.opens, span, words: text::closed_until(text::clock(hours.opens)) }
        }
        if let Some((from , to)) = hours.pause {
            Stretch { from, to, span, words: text::pause(text::clock(from), text::clock(to)) }
        }
        if hours.closes < span.to {
            Stretch { from: hours.closes, to: span.to, span, words: text::closed_from(text::clock(hours.closes)) }
        }
    }
}

#[component]
fn Stretch(from: i16, to: i16, span: Span, #[props(into)] words: String) -> Element {
    rsx! {
        div { class: "blocked", top: minutes(from - span.from), height: minutes(to - from),
            span { class: "blocked__label", {words} }
        }
    }
}

/// What is free in a column: it offers itself under the pointer. Keys book with B.
#[component]
fn Empty(column: DayColumn, index: usize, span: Span, date: Date, blocked: bool) -> Element {
    let page = use_page();
    let mover = page.mover;
    let dialogs = use_dialogs();
    let zone = use_zone();
    let mut under = use_signal(|| None::<Place>);
    let mut surface = use_signal(|| None::<std::rc::Rc<MountedData>>);
    let vet = column.vet;
    let place = move |event: &PointerData| {
        let at = event.element_coordinates();
        let y = at.y;
        async move {
            let surface = surface.peek().clone()?;
            let rect = surface.get_client_rect().await.ok()?;
            let place = span.at((0.0, y), (1.0, rect.size.height), 1);
            Some(Place {
                column: index,
                ..place
            })
        }
    };
    let moving = mover.moving.read().is_some();
    rsx! {
        li {
            class: "day-col__empty",
            role: "presentation",
            "aria-hidden": "true",
            onmounted: move |event| surface.set(Some(event.data())),
            onpointermove: move |event| {
                if event.pointer_type() == "mouse" {
                    let found = place(&event.data());
                    spawn(async move {
                        let found = found.await;
                        if *under.peek() != found {
                            under.set(found);
                        }
                    });
                }
            },
            onpointerleave: move |_| under.set(None),
            onclick: {
                let zone = zone.clone();
                move |event: MouseEvent| {
                    let y = event.element_coordinates().y;
                    let zone = zone.clone();
                    spawn(async move {
                        let Some(surface) = surface.peek().clone() else { return };
                        let Ok(rect) = surface.get_client_rect().await else { return };
                        let place = span.at((0.0, y), (1.0, rect.size.height), 1);
                        if mover.moving.peek().is_some() {
                            mover.put(Place { column: index, ..place });
                        } else {
                            dialogs.open(OpenDialog::Book {
                                patient: None,
                                vet: Some(vet),
                                start: Some(Timestamp::at_wall_clock(date, place.minute, &zone)),
                            });
                        }
                    });
                }
            },
        }
        if let Some(place) = under().filter(|_| !moving && !blocked) {
            li { class: "free", role: "presentation", "aria-hidden": "true",
                top: minutes(place.minute - span.from),
                height: minutes(20),
                pointer_events: "none",
                {icon_sm(LdPlus)}
                {text::book_at(text::clock(place.minute))}
            }
        }
    }
}
