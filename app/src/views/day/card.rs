//! One appointment on the grid.

use crate::components::Tint;
use crate::text;
use dioxus::prelude::*;
use local_core::query::{DayItem, Stage};
use shared_model::ids::AppointmentId;

use super::act::{Step, use_acts};
use super::moving::card_id;
use super::place::{Moving, Span, neighbour};
use super::stage::{length, spoken, stage_now, status, status_icon, sub, title};
use super::use_page;
use crate::host;

/// A length of the day in the stylesheet's measure.
pub(super) fn minutes(count: i16) -> String {
    format!("calc(var(--minute) * {count})")
}

/// `reachable`: the one card that Tab stops at; arrows go on from there.
#[component]
pub(super) fn Card(
    item: DayItem,
    span: Span,
    reachable: bool,
    on_reach: EventHandler<AppointmentId>,
) -> Element {
    let page = use_page();
    let acts = use_acts();
    let mover = page.mover;
    let id = item.id;
    let stage = stage_now(&item, (page.minute)());
    let moving = (*mover.moving.read()).filter(|moving| moving.id == id);
    // What is on its way is drawn by the column it would land in.
    let ghost = moving.is_some();
    let (left, width) = lane(&item, stage);
    let mut opened = page.opened;
    let keys = item.clone();
    rsx! {
        li {
            class: if ghost { "appt appt--ghost" } else { "appt" },
            "data-tone": Tint::from(item.tone).word(),
            "data-status": status(&item, stage),
            "data-clash": item.clash.then_some(""),
            top: minutes(item.start_minute - span.from),
            height: minutes(length(item.minutes)),
            left,
            width,
            if ghost {
                div { class: "appt__card", "aria-hidden": "true", {text::was_at(text::clock(item.start_minute))} }
            } else {
                button {
                    id: card_id(id),
                    class: "appt__card",
                    r#type: "button",
                    tabindex: if reachable { "0" } else { "-1" },
                    "aria-haspopup": "dialog",
                    "aria-keyshortcuts": "M I",
                    onfocus: move |_| on_reach.call(id),
                    onpointerdown: move |event| mover.pressed(id, &event),
                    onclick: move |_| {
                        if !mover.was_drag() {
                            opened.set(Some(id));
                        }
                    },
                    onkeydown: move |event| {
                        let (down, aside) = match event.key() {
                            Key::ArrowDown => (1, 0),
                            Key::ArrowUp => (-1, 0),
                            Key::ArrowRight => (0, 1),
                            Key::ArrowLeft => (0, -1),
                            Key::Character(letter) if event.modifiers().is_empty() => {
                                match letter.to_lowercase().as_str() {
                                    "m" if movable(stage) => mover.start(id),
                                    "i" if matches!(stage, Stage::Expected | Stage::Late) => acts.take(Step::CheckIn, &keys),
                                    _ => return,
                                }
                                event.prevent_default();
                                event.stop_propagation();
                                return;
                            }
                            _ => return,
                        };
                        event.prevent_default();
                        event.stop_propagation();
                        let view = page.view.peek();
                        if let Some(next) = view.as_ref().and_then(|view| neighbour(&view.items, id, down, aside)) {
                            host::focus(&card_id(next));
                        }
                    },
                    span { class: "visually-hidden", {spoken(&item, stage)} }
                    span { class: "appt__title", {title(&item)} }
                    span { class: "appt__sub", {sub(&item)} }
                    span { class: "appt__status", {status_icon(&item, stage)} }
                }
            }
        }
    }
}

/// What has begun is where it is.
pub(super) fn movable(stage: Stage) -> bool {
    matches!(stage, Stage::Expected | Stage::Late | Stage::Waiting)
}

/// Left edge and width of its lane; the stylesheet has both for the whole column.
fn lane(item: &DayItem, stage: Stage) -> (Option<String>, Option<String>) {
    if item.lanes < 2 || stage == Stage::Cancelled {
        return (None, None);
    }
    let share = 100.0 / item.lanes as f64;
    let left = share * item.lane as f64;
    (
        Some(format!("calc({left:.3}% + 3px)")),
        Some(format!("calc({share:.3}% - 5px)")),
    )
}

/// What is moved, where it would land.
#[component]
pub(super) fn Landing(item: DayItem, moving: Moving, span: Span) -> Element {
    let page = use_page();
    let stage = stage_now(&item, (page.minute)());
    rsx! {
        li {
            class: "appt",
            "data-tone": Tint::from(item.tone).word(),
            "data-moving": "",
            "aria-hidden": "true",
            top: minutes(moving.to.minute - span.from),
            height: minutes(length(item.minutes)),
            div { class: "appt__card",
                span { class: "appt__title", {title(&item)} }
                span { class: "appt__sub", {text::from_to(text::clock(moving.to.minute), text::clock(moving.end()))} }
                span { class: "appt__status", {status_icon(&item, stage)} }
            }
        }
    }
}
