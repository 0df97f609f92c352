//! The column of right now: what clashes, who waits and for how long, who is in a room, who can go.

use crate::components::{Alert, Drawer, DrawerClose, EmptyState, Pill, Tint, icon, icon_xl, use_zone};
use crate::text;
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::{LdClock, LdLogIn, LdStethoscope, LdTriangleAlert};
use local_core::query::{Clash, DayItem, DayView, Stage};
use shared_model::ids::AppointmentId;
use std::collections::HashSet;

use super::act::{Step, use_acts};
use super::stage::{stage_now, title};
use super::use_page;

/// From so many minutes of waiting on somebody should be told why.
const LONG_WAIT: i64 = 15;

/// Clashes that somebody on this device wants as they are, for as long as the program runs.
#[derive(Clone, Copy, PartialEq)]
struct Kept(Signal<HashSet<(AppointmentId, AppointmentId)>>);

fn use_kept() -> Kept {
    use_hook(|| {
        try_consume_context::<Kept>().unwrap_or_else(|| {
            dioxus::core::provide_root_context(Kept(Signal::new_in_scope(HashSet::new(), ScopeId::ROOT)))
        })
    })
}

#[component]
pub(super) fn Side() -> Element {
    let page = use_page();
    let kept = use_kept();
    let now = (page.minute)();
    let view = page.view.read();
    let Some(view) = view.as_ref() else {
        return VNode::empty();
    };
    let at = |stage: Stage| -> Vec<DayItem> {
        let mut found: Vec<DayItem> = view
            .items
            .iter()
            .filter(|item| stage_now(item, now) == stage)
            .cloned()
            .collect();
        found.sort_by_key(|item| (item.arrived_at, item.start));
        found
    };
    let waiting = at(Stage::Waiting);
    let in_rooms = at(Stage::InRoom);
    let ready = at(Stage::Ready);
    let mut next = if view.is_today {
        at(Stage::Late)
    } else {
        Vec::new()
    };
    if view.is_today {
        next.extend(
            at(Stage::Expected)
                .into_iter()
                .filter(|item| item.start.minutes_since(now) <= 60),
        );
    }
    let nothing = waiting.is_empty() && in_rooms.is_empty() && ready.is_empty();
    rsx! {
        aside { id: Drawer::Side.id(), class: "work__side", "aria-label": text::right_now(),
            DrawerClose {}
            for clash in view.clashes.iter().filter(|clash| !kept.0.read().contains(&(clash.first, clash.second))) {
                ClashCard { key: "{clash.first}-{clash.second}", clash: clash.clone(), kept }
            }
            for item in view.items.iter().filter(|item| !item.rival_slots.is_empty()) {
                Contested { key: "{item.id}", item: item.clone() }
            }
            section { class: "card", "aria-labelledby": "waiting-title",
                Title { id: "waiting-title", words: text::waiting_title(), count: waiting.len() }
                if nothing && !view.is_today {
                    EmptyState { icon: icon_xl(LdClock), title: text::nobody_waits(), text: text::nobody_waits_other_day() }
                } else if waiting.is_empty() {
                    EmptyState { icon: icon_xl(LdClock), title: text::nobody_waits(), text: text::nobody_waits_text() }
                } else {
                    ul { class: "list waiting",
                        for item in waiting {
                            WaitingRow { key: "{item.id}", item }
                        }
                    }
                }
            }
            if !next.is_empty() {
                section { class: "card", "aria-labelledby": "next-title",
                    Title { id: "next-title", words: text::next_title(), count: next.len() }
                    ul { class: "list",
                        for item in next.into_iter().take(6) {
                            NextRow { key: "{item.id}", item }
                        }
                    }
                }
            }
            if !in_rooms.is_empty() {
                section { class: "card", "aria-labelledby": "rooms-title",
                    Title { id: "rooms-title", words: text::rooms_title(), count: in_rooms.len() }
                    ul { class: "list",
                        for item in in_rooms {
                            RoomRow { key: "{item.id}", item }
                        }
                    }
                }
            }
            if !ready.is_empty() {
                section { class: "card", "aria-labelledby": "ready-title",
                    Title { id: "ready-title", words: text::ready_title(), count: ready.len() }
                    ul { class: "list",
                        for item in ready {
                            ReadyRow { key: "{item.id}", item }
                        }
                    }
                }
            }
        }
    }
}

#[component]
fn Title(id: &'static str, words: &'static str, count: usize) -> Element {
    rsx! {
        div { class: "card__head",
            h2 { class: "card__title", id, {words} }
            span { class: "card__count", "{count}" }
        }
    }
}

/// The name opens the appointment.
#[component]
fn Who(item: DayItem, sub: String, beside: String) -> Element {
    let page = use_page();
    let mut opened = page.opened;
    let id = item.id;
    rsx! {
        button { class: "list__main", r#type: "button", onclick: move |_| opened.set(Some(id)),
            div { class: "list__title",
                {title(&item)}
                " "
                span { {beside} }
            }
            div { class: "list__sub list__sub--faint", {sub} }
        }
    }
}

#[component]
fn WaitingRow(item: DayItem) -> Element {
    let page = use_page();
    let zone = use_zone();
    let acts = use_acts();
    let waits = item
        .arrived_at
        .map_or(0, |at| (page.minute)().minutes_since(at).max(0));
    let since = item
        .arrived_at
        .map(|at| text::arrived_at(text::time_of(at, &zone)))
        .unwrap_or_default();
    let tone = if waits >= LONG_WAIT {
        Tint::Warn
    } else {
        Tint::Plain
    };
    let starts = (page.starts_visits)() && item.patient.is_some();
    let started = item.clone();
    rsx! {
        li { class: "list__row",
            Who { item: item.clone(), sub: since, beside: item.client_name.clone() }
            div { class: "list__end",
                Pill { tone, icon: icon(LdClock), {text::minutes(waits)} }
                if starts {
                    button {
                        class: "btn btn--sm btn--icon",
                        r#type: "button",
                        "aria-label": text::start_visit_of(title(&item)),
                        title: text::start_visit(),
                        onclick: move |_| acts.take(Step::StartVisit, &started),
                        {icon(LdStethoscope)}
                    }
                }
            }
        }
    }
}

#[component]
fn NextRow(item: DayItem) -> Element {
    let page = use_page();
    let acts = use_acts();
    let late = stage_now(&item, (page.minute)()) == Stage::Late;
    let sub = if late {
        let minutes = text::minutes((page.minute)().minutes_since(item.start));
        text::late_by(minutes, text::clock(item.start_minute), &item.vet_name)
    } else {
        text::clock_and_vet(text::clock(item.start_minute), &item.vet_name)
    };
    let coming = item.clone();
    rsx! {
        li { class: "list__row",
            Who { item: item.clone(), sub, beside: item.client_name.clone() }
            div { class: "list__end",
                button {
                    class: "btn btn--sm",
                    r#type: "button",
                    "aria-label": text::check_in_pet(title(&item)),
                    onclick: move |_| acts.take(Step::CheckIn, &coming),
                    {icon(LdLogIn)}
                    {text::check_in()}
                }
            }
        }
    }
}

#[component]
fn RoomRow(item: DayItem) -> Element {
    let zone = use_zone();
    let acts = use_acts();
    let since = item
        .in_room_at
        .map(|at| text::time_of(at, &zone))
        .unwrap_or_default();
    let visit = item.clone();
    rsx! {
        li { class: "list__row",
            Who { item: item.clone(), sub: text::vet_since(since, &item.vet_name), beside: item.room_name.clone() }
            div { class: "list__end",
                button {
                    class: "chip",
                    r#type: "button",
                    "data-tone": "info",
                    "aria-label": text::exam_of(title(&item)),
                    onclick: move |_| acts.take(Step::OpenVisit, &visit),
                    {icon(LdStethoscope)}
                    {text::exam()}
                }
            }
        }
    }
}

#[component]
fn ReadyRow(item: DayItem) -> Element {
    let acts = use_acts();
    let leaving = item.clone();
    rsx! {
        li { class: "list__row",
            Who { item: item.clone(), sub: text::notes_finished(&item.vet_name), beside: item.client_name.clone() }
            div { class: "list__end",
                button {
                    class: "btn btn--sm",
                    r#type: "button",
                    "aria-label": text::check_out_pet(title(&item)),
                    onclick: move |_| acts.take(Step::CheckOut, &leaving),
                    {text::check_out()}
                }
            }
        }
    }
}

#[component]
fn ClashCard(clash: Clash, kept: Kept) -> Element {
    let page = use_page();
    let acts = use_acts();
    let mut kept = kept.0;
    let (Some(first), Some(second)) = (page.item(clash.first), page.item(clash.second)) else {
        return VNode::empty();
    };
    let heading = text::two_bookings(text::clock(clash.start_minute), &clash.vet_name);
    let words = text::clash_text(title(&first), title(&second));
    let pair = (clash.first, clash.second);
    let proposal = clash
        .proposal
        .and_then(|(id, slot, minute)| page.item(id).map(|item| (item, slot, minute)));
    rsx! {
        Alert { tone: Tint::Danger, icon: icon(LdTriangleAlert), title: heading, text: words,
            if let Some((item , slot , minute)) = proposal.clone() {
                button {
                    class: "btn btn--sm",
                    r#type: "button",
                    onclick: {
                        let item = item.clone();
                        let place = text::clock_and_vet(text::clock(minute), &clash.vet_name);
                        move |_| acts.move_to(&item, slot, place.clone())
                    },
                    {text::move_pet_to(text::clock(minute), title(&item))}
                }
            }
            if proposal.is_none() {
                button {
                    class: "btn btn--sm",
                    r#type: "button",
                    onclick: move |_| page.mover.start(clash.second),
                    {text::move_pet(title(&second))}
                }
            }
            button {
                class: "btn btn--sm",
                r#type: "button",
                onclick: move |_| {
                    kept.write().insert(pair);
                },
                {text::keep_both()}
            }
        }
    }
}

#[component]
fn Contested(item: DayItem) -> Element {
    let page = use_page();
    let mut opened = page.opened;
    let id = item.id;
    rsx! {
        Alert {
            tone: Tint::Danger,
            icon: icon(LdTriangleAlert),
            title: text::two_places_title(title(&item)),
            text: text::two_places(title(&item)),
            button { class: "btn btn--sm", r#type: "button", onclick: move |_| opened.set(Some(id)), {text::choose()} }
        }
    }
}

/// The view's items of one person, or of everybody.
pub(super) fn of_vet(view: &DayView, column: Option<usize>) -> Vec<DayItem> {
    view.items
        .iter()
        .filter(|item| column.is_none_or(|column| item.column == column))
        .cloned()
        .collect()
}
