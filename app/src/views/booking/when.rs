//! What for, on which day and at what time; arrow keys move in each row as in any group of radio buttons.

use crate::components::{FieldKind, TextField, Tint, icon, neighbour, use_today, use_zone};
use crate::host::{self, use_query};
use crate::text;
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::{LdChevronLeft, LdChevronRight};
use jiff::ToSpan;
use jiff::civil::Date;
use local_core::query::{ClinicView, FreeSlotsView};
use local_core::{Query, View};
use shared_model::documents::AppointmentType;
use shared_model::ids::AccountId;
use shared_model::time::Timestamp;

use super::Form;

/// So many days stand side by side.
const DAYS: i32 = 6;
const NOON: i16 = 12 * 60;

#[component]
pub(super) fn Types(form: Form, clinic: ClinicView) -> Element {
    let kinds: Vec<AppointmentType> = clinic
        .settings
        .appointment_types
        .iter()
        .filter(|kind| kind.active)
        .cloned()
        .collect();
    let (mut kind, mut minutes) = (form.kind, form.minutes);
    let at = kinds
        .iter()
        .position(|known| Some(known.id) == kind())
        .unwrap_or(0);
    let mut pick = move |picked: &AppointmentType| {
        kind.set(Some(picked.id));
        minutes.set(picked.minutes.to_string());
    };
    let by_key = kinds.clone();
    rsx! {
        div { class: "field",
            span { class: "field__label", id: "booking-types", {text::what_label()} }
            div {
                class: "types",
                role: "radiogroup",
                "aria-labelledby": "booking-types",
                onkeydown: move |event| {
                    if let Some(next) = neighbour(&event.key(), at, by_key.len()) {
                        event.prevent_default();
                        pick(&by_key[next]);
                        host::focus(&format!("booking-type-{next}"));
                    }
                },
                for (index , known) in kinds.into_iter().enumerate() {
                    button {
                        key: "{known.id}",
                        id: "booking-type-{index}",
                        class: "type-chip",
                        r#type: "button",
                        role: "radio",
                        "aria-checked": "{index == at}",
                        tabindex: if index == at { "0" } else { "-1" },
                        "data-tone": Tint::from(known.tone).word(),
                        onclick: {
                            let known = known.clone();
                            move |_| pick(&known)
                        },
                        {known.name.clone()}
                        " "
                        small { {text::minutes(i64::from(known.minutes))} }
                    }
                }
            }
        }
    }
}

fn free(view: Option<&View>) -> Option<&FreeSlotsView> {
    match view {
        Some(View::FreeSlots(free)) => Some(free),
        _ => None,
    }
}

/// The day `days` later; itself at the end of the calendar.
fn later(date: Date, days: i32) -> Date {
    date.checked_add(days.days()).unwrap_or(date)
}

#[component]
pub(super) fn Days(form: Form, vet: AccountId) -> Element {
    let today = use_today();
    let date = form.date;
    let mut first = use_signal(|| today);
    use_effect(move || {
        // The chosen day is always among those that are shown.
        let day = date();
        let shown = *first.peek();
        if day < shown || day >= later(shown, DAYS) {
            first.set(if day < later(today, DAYS) {
                today.min(day)
            } else {
                day
            });
        }
    });
    let pick = move |day: Date| form.pick_day(day);
    let days: Vec<Date> = (0..DAYS).map(|index| later(first(), index)).collect();
    let at = days.iter().position(|day| *day == date()).unwrap_or(0);
    rsx! {
        div { class: "field",
            span { class: "field__label", id: "booking-days", {text::when_label()} }
            div {
                class: "days",
                role: "radiogroup",
                "aria-labelledby": "booking-days",
                onkeydown: move |event| {
                    let step = match event.key() {
                        Key::ArrowRight | Key::ArrowDown => 1,
                        Key::ArrowLeft | Key::ArrowUp => -1,
                        _ => return,
                    };
                    event.prevent_default();
                    let next = later(date(), step).max(today);
                    pick(next);
                    spawn(async move {
                        // The row may have moved on by a week.
                        host::sleep(30).await;
                        host::focus(&format!("booking-day-{next}"));
                    });
                },
                button {
                    class: "btn btn--quiet btn--icon",
                    r#type: "button",
                    "aria-label": text::days_before(),
                    disabled: first() <= today,
                    onclick: move |_| first.set(later(first(), -DAYS).max(today)),
                    {icon(LdChevronLeft)}
                }
                for (index , day) in days.into_iter().enumerate() {
                    Day { key: "{day}", form, vet, day, reachable: index == at, on_pick: pick }
                }
                button {
                    class: "btn btn--quiet btn--icon",
                    r#type: "button",
                    "aria-label": text::days_after(),
                    onclick: move |_| first.set(later(first(), DAYS)),
                    {icon(LdChevronRight)}
                }
            }
        }
    }
}

/// Any other day, typed or picked.
#[component]
pub(super) fn OtherDay(form: Form) -> Element {
    let mut typed = use_signal(|| form.date.peek().to_string());
    use_effect(move || typed.set((form.date)().to_string()));
    rsx! {
        TextField {
            id: "booking-date",
            label: text::day_label(),
            value: typed,
            kind: FieldKind::Date,
            on_input: move |typed: String| {
                if let Ok(day) = typed.parse::<Date>() {
                    form.pick_day(day);
                }
            },
        }
    }
}

#[component]
fn Day(form: Form, vet: AccountId, day: Date, reachable: bool, on_pick: EventHandler<Date>) -> Element {
    let answer = use_query(Query::FreeSlots {
        date: day,
        vet,
        minutes: form.minutes(),
        moving: None,
    });
    let answer = answer.read();
    let words = match free(answer.as_ref()) {
        None => String::new(),
        Some(free) if !free.open => text::day_closed().to_owned(),
        Some(free) => text::free_count(i64::try_from(free.slots.len()).unwrap_or(0)),
    };
    rsx! {
        button {
            id: "booking-day-{day}",
            class: "days__day",
            r#type: "button",
            role: "radio",
            "aria-checked": "{(form.date)() == day}",
            tabindex: if reachable { "0" } else { "-1" },
            onclick: move |_| on_pick.call(day),
            {text::weekday_short(day)}
            b { "{day.day()}" }
            {words}
        }
    }
}

/// A time that can be pressed.
#[derive(Clone, Copy, PartialEq)]
struct Time {
    start: Timestamp,
    minute: i16,
    taken: bool,
}

#[component]
pub(super) fn Times(form: Form, vet: AccountId) -> Element {
    let zone = use_zone();
    let today = use_today();
    let mut start = form.start;
    let mut all = use_signal(|| false);
    let date = (form.date)();
    let answer = use_query(Query::FreeSlots {
        date,
        vet,
        minutes: form.minutes(),
        moving: None,
    });
    let answer = answer.read();
    let Some(free) = free(answer.as_ref()) else {
        return VNode::empty();
    };
    let mut times: Vec<Time> = free
        .slots
        .iter()
        // The former day's times are shown until this day's are there.
        .filter(|slot| slot.start.date_in(&zone) == date)
        .map(|slot| Time {
            start: slot.start,
            minute: slot.start_minute,
            taken: false,
        })
        .collect();
    // What somebody pointed at on the day, free or not.
    let mut others: Vec<Timestamp> = (start()).into_iter().collect();
    if all() {
        others.extend(
            (8 * 60..18 * 60)
                .step_by(10)
                .map(|minute| Timestamp::at_wall_clock(date, minute, &zone)),
        );
    }
    for other in others {
        let local = other.in_zone(&zone);
        if local.date() == date && !times.iter().any(|time| time.start == other) {
            let minute = i16::from(local.hour()) * 60 + i16::from(local.minute());
            times.push(Time {
                start: other,
                minute,
                taken: true,
            });
        }
    }
    times.sort_by_key(|time| time.start);
    let at = times
        .iter()
        .position(|time| Some(time.start) == start())
        .unwrap_or(0);
    let group = times.clone();
    let (morning, afternoon): (Vec<_>, Vec<_>) = times
        .into_iter()
        .enumerate()
        .partition(|(_, time)| time.minute < NOON);
    let nothing = morning.is_empty() && afternoon.is_empty();
    let label = text::free_times_on(text::date_long(date, today));
    rsx! {
        div {
            class: "field",
            role: "radiogroup",
            "aria-label": label,
            onkeydown: move |event| {
                if let Some(next) = neighbour(&event.key(), at, group.len()) {
                    event.prevent_default();
                    start.set(Some(group[next].start));
                    host::focus(&format!("booking-time-{}", group[next].minute));
                }
            },
            if nothing {
                p { class: "field__hint", {if free.open { text::nothing_free() } else { text::day_closed() }} }
            }
            for (words , times) in [(text::morning(), morning), (text::afternoon(), afternoon)] {
                if !times.is_empty() {
                    span { class: "field__hint", {words} }
                    div { class: "slots",
                        for (index , time) in times {
                            button {
                                key: "{time.minute}",
                                id: "booking-time-{time.minute}",
                                class: "slot",
                                r#type: "button",
                                role: "radio",
                                "aria-checked": "{Some(time.start) == start()}",
                                tabindex: if index == at { "0" } else { "-1" },
                                "data-taken": time.taken.then_some(""),
                                onclick: move |_| start.set(Some(time.start)),
                                {text::clock(time.minute)}
                                if time.taken {
                                    span { class: "visually-hidden", {text::taken()} }
                                }
                            }
                        }
                    }
                }
            }
        }
        div { class: "row",
            button {
                class: "btn btn--quiet btn--sm",
                r#type: "button",
                "aria-pressed": "{all}",
                onclick: move |_| all.toggle(),
                {if all() { text::hide_taken() } else { text::show_taken() }}
            }
        }
    }
}
