//! One appointment in a dialog: who comes and why, how far it is, and everything that can be done with it.

use crate::components::{Alert, Dialog, SpeciesMark, TextField, Tint, icon, use_today, use_zone};
use crate::route::Route;
use crate::text;
use crate::views::receipt::ReceiptOf;
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::{
    LdDoorOpen, LdLogIn, LdLogOut, LdMove, LdScale, LdStethoscope, LdTriangleAlert, LdUndo2,
};
use local_core::query::{DayItem, Stage};
use shared_model::documents::Slot;

use super::act::{Step, use_acts};
use super::card::movable;
use super::stage::{end_minute, length, stage_now, title};
use super::use_page;

#[component]
pub(super) fn AppointmentDialog(item: DayItem) -> Element {
    let page = use_page();
    let mut opened = page.opened;
    let cancelling = use_signal(|| false);
    let stage = stage_now(&item, (page.minute)());
    let heading = if item.client_name.is_empty() {
        title(&item)
    } else {
        text::pet_of(title(&item), &item.client_name)
    };
    rsx! {
        Dialog {
            title: heading,
            on_close: move |()| opened.set(None),
            foot: rsx! {
                Foot { item: item.clone(), stage }
            },
            if let Some(allergy) = item.allergy.clone() {
                Alert { tone: Tint::Danger, icon: icon(LdTriangleAlert), title: text::allergy_to(allergy), line: true }
            }
            if item.deceased {
                Alert { icon: icon(LdTriangleAlert), title: text::pet_has_died(title(&item)), line: true }
            }
            if !item.rival_slots.is_empty() {
                TwoPlaces { item: item.clone() }
            }
            div { class: "row",
                SpeciesMark { species: item.species }
                Facts { item: item.clone(), stage }
            }
            if cancelling() {
                Cancelling { item: item.clone(), open: cancelling }
            } else {
                Others { item: item.clone(), stage, cancelling }
            }
            ReceiptOf { document: item.id.into() }
        }
    }
}

#[component]
fn Facts(item: DayItem, stage: Stage) -> Element {
    let page = use_page();
    let zone = use_zone();
    let today = use_today();
    let date = item.start.date_in(&zone);
    let minute = (page.minute)();
    let place = match stage {
        Stage::Waiting => item.arrived_at.map(|at| {
            text::waiting_since(
                text::minutes(minute.minutes_since(at).max(0)),
                text::time_of(at, &zone),
            )
        }),
        Stage::InRoom | Stage::Ready => item.in_room_at.map(|at| {
            let time = text::time_of(at, &zone);
            if item.room_name.is_empty() {
                text::in_a_room_since(time)
            } else {
                text::in_room_since(&item.room_name, time)
            }
        }),
        _ => None,
    };
    let place = place.unwrap_or_else(|| super::stage::stage_word(stage).to_owned());
    let span = text::from_to(text::clock(item.start_minute), text::clock(end_minute(&item)));
    rsx! {
        dl { class: "facts",
            dt { {text::when_label()} }
            dd { {text::when_and_vet(text::date_short(date, today), span, &item.vet_name)} }
            dt { {text::what_label()} }
            dd { {item.type_name.clone()} }
            if !item.reason.is_empty() {
                dt { {text::why_label()} }
                dd { {item.reason.clone()} }
            }
            dt { {text::where_label()} }
            dd { {place} }
            if !item.client_phone.is_empty() {
                dt { {text::phone_label()} }
                dd {
                    a { href: "tel:{item.client_phone}", {item.client_phone.clone()} }
                }
            }
        }
    }
}

/// The one next thing, and a way to the animal's page.
#[component]
fn Foot(item: DayItem, stage: Stage) -> Element {
    let page = use_page();
    let may_start = (page.starts_visits)() && item.patient.is_some();
    // The last one is the next thing to do.
    let steps: &[Step] = match stage {
        Stage::Expected | Stage::Late if may_start => &[Step::StartVisit, Step::CheckIn],
        Stage::Expected | Stage::Late => &[Step::CheckIn],
        Stage::Waiting if may_start => &[Step::StartVisit],
        Stage::InRoom => &[Step::OpenVisit],
        Stage::Ready => &[Step::OpenVisit, Step::CheckOut],
        Stage::Departed if item.visit.is_some() => &[Step::OpenVisit],
        Stage::Cancelled => &[Step::Reinstate],
        Stage::Waiting | Stage::Departed => &[],
    };
    rsx! {
        if let Some(id) = item.patient {
            Link { class: "btn", to: Route::Patient { id }, {text::open_pet(title(&item))} }
        }
        if let Some(id) = item.client {
            Link { class: "btn", to: Route::Client { id }, {text::open_owner()} }
        }
        for (index , step) in steps.iter().copied().enumerate() {
            StepButton { key: "{step:?}", item: item.clone(), step, primary: index + 1 == steps.len() }
        }
    }
}

#[component]
fn StepButton(item: DayItem, step: Step, #[props(default)] primary: bool) -> Element {
    let page = use_page();
    let acts = use_acts();
    let mut opened = page.opened;
    let (words, mark) = match step {
        Step::CheckIn => (text::check_in(), icon(LdLogIn)),
        Step::UndoCheckIn => (text::undo_check_in(), icon(LdUndo2)),
        Step::StartVisit => (text::start_visit(), icon(LdStethoscope)),
        Step::OpenVisit => (text::open_visit(), icon(LdDoorOpen)),
        Step::CheckOut => (text::check_out(), icon(LdLogOut)),
        Step::UndoCheckOut => (text::undo_check_out(), icon(LdUndo2)),
        Step::Reinstate => (text::reinstate(), icon(LdUndo2)),
    };
    rsx! {
        button {
            class: if primary { "btn btn--primary" } else { "btn" },
            r#type: "button",
            "data-autofocus": primary.then_some(""),
            onclick: move |_| {
                acts.take(step, &item);
                opened.set(None);
            },
            {mark}
            {words}
        }
    }
}

/// What is done less often: moving, and taking a step back.
#[component]
fn Others(item: DayItem, stage: Stage, cancelling: Signal<bool>) -> Element {
    let page = use_page();
    let mut opened = page.opened;
    let mut cancelling = cancelling;
    let id = item.id;
    if stage == Stage::Cancelled {
        return VNode::empty();
    }
    let back = match stage {
        Stage::Waiting => Some(Step::UndoCheckIn),
        Stage::InRoom => Some(Step::CheckOut),
        Stage::Departed => Some(Step::UndoCheckOut),
        _ => None,
    };
    rsx! {
        div { class: "row row--wrap",
            if movable(stage) {
                button {
                    class: "btn",
                    r#type: "button",
                    onclick: move |_| {
                        opened.set(None);
                        page.mover.start(id);
                    },
                    {icon(LdMove)}
                    {text::move_appointment()}
                }
            }
            if let Some(step) = back {
                StepButton { item: item.clone(), step }
            }
            if movable(stage) {
                button { class: "btn btn--danger", r#type: "button", onclick: move |_| cancelling.set(true),
                    {text::cancel_booking()}
                }
            }
        }
    }
}

/// A reason may be given; it is not asked for twice.
#[component]
fn Cancelling(item: DayItem, open: Signal<bool>) -> Element {
    let page = use_page();
    let acts = use_acts();
    let mut open = open;
    let mut opened = page.opened;
    let mut reason = use_signal(String::new);
    let usual = [
        text::reason_owner_called(),
        text::reason_did_not_come(),
        text::reason_clinic(),
    ];
    rsx! {
        form {
            class: "form__section",
            novalidate: true,
            onsubmit: move |event| {
                event.prevent_default();
                acts.cancel(&item, reason());
                opened.set(None);
            },
            TextField {
                id: "cancel-reason",
                label: text::cancel_reason(),
                value: reason,
                optional: true,
                autofocus: true,
            }
            div { class: "row row--wrap",
                for words in usual {
                    button {
                        class: "chip",
                        r#type: "button",
                        "aria-pressed": "{reason() == words}",
                        onclick: move |_| reason.set(words.to_owned()),
                        {words}
                    }
                }
            }
            div { class: "row row--wrap",
                button { class: "btn", r#type: "button", onclick: move |_| open.set(false), {text::keep_booking()} }
                button { class: "btn btn--danger btn--primary", r#type: "submit", {text::cancel_booking()} }
            }
        }
    }
}

/// Two people moved it at the same moment: both places stand side by side until somebody chooses.
#[component]
fn TwoPlaces(item: DayItem) -> Element {
    let page = use_page();
    let acts = use_acts();
    let zone = use_zone();
    let today = use_today();
    let mut opened = page.opened;
    let view = page.view.read();
    let vet_name = |slot: &Slot| {
        let columns = view
            .as_ref()
            .map(|view| view.columns.as_slice())
            .unwrap_or_default();
        let column = columns.iter().find(|column| column.vet == slot.vet);
        column.map(|column| column.name.clone()).unwrap_or_default()
    };
    let mut slots = vec![item.slot];
    slots.extend(item.rival_slots.iter().copied());
    rsx! {
        div { class: "late",
            p { class: "late__from", {icon(LdScale)} {text::two_places(title(&item))} }
            div { class: "two-values",
                for slot in slots {
                    {
                        let local = slot.start.in_zone(&zone);
                        let minute = i16::from(local.hour()) * 60 + i16::from(local.minute());
                        let place = text::clock_and_vet(text::clock(minute), vet_name(&slot));
                        let until = text::clock(minute + length(slot.minutes));
                        let item = item.clone();
                        rsx! {
                            button {
                                key: "{slot.start.0}-{slot.vet}",
                                class: "two-values__choice",
                                r#type: "button",
                                onclick: {
                                    let place = place.clone();
                                    move |_| {
                                        acts.settle(&item, slot, place.clone());
                                        opened.set(None);
                                    }
                                },
                                b { {place.clone()} }
                                span { class: "faint", {text::day_until(text::date_short(local.date(), today), until)} }
                            }
                        }
                    }
                }
            }
        }
    }
}
