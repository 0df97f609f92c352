//! The same day on a phone: one list, of one person or of everybody.

use crate::components::{
    EmptyState, OpenDialog, Tint, icon, icon_xl, use_clinic, use_dialogs, use_today, use_zone,
};
use crate::text;
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::{LdCalendarDays, LdPlus};
use local_core::query::{DayItem, DayView};
use shared_model::ids::AccountId;

use super::grid::show_what_comes;
use super::side::of_vet;
use super::stage::{stage_now, stage_word, status, status_icon, sub, title};
use super::use_page;

#[component]
pub(super) fn Agenda() -> Element {
    let page = use_page();
    let clinic = use_clinic();
    let zone = use_zone();
    let mut chosen = use_signal(|| None::<Option<AccountId>>);
    let view = page.view.read();
    let Some(view) = view.as_ref() else {
        return VNode::empty();
    };
    let me = clinic
        .read()
        .as_ref()
        .and_then(|clinic| clinic.me.as_ref().map(|me| me.account));
    // Who has a column sees the own day first.
    let mine = view
        .columns
        .iter()
        .find(|column| Some(column.vet) == me)
        .map(|column| column.vet);
    let vet = chosen().unwrap_or(mine);
    let column = vet.and_then(|vet| view.columns.iter().position(|column| column.vet == vet));
    let items = of_vet(view, column);
    let local = (page.minute)().in_zone(&zone);
    let now = (local.date() == view.date).then(|| i16::from(local.hour()) * 60 + i16::from(local.minute()));
    let mut chips: Vec<(Option<AccountId>, String)> = vec![(None, text::everyone_count(view.booked))];
    for column in &view.columns {
        let words = if Some(column.vet) == mine {
            text::mine_count(column.count)
        } else {
            text::vet_count(column.count, &column.name)
        };
        chips.push((Some(column.vet), words));
    }
    chips.sort_by_key(|(chip, _)| (*chip != mine || mine.is_none(), chip.is_some()));
    rsx! {
        div { class: "agenda",
            div { class: "agenda__vets", role: "group", "aria-label": text::whose_day(),
                for (chip , words) in chips {
                    button {
                        key: "{chip:?}",
                        class: "chip",
                        r#type: "button",
                        "aria-pressed": "{chip == vet}",
                        onclick: move |_| chosen.set(Some(chip)),
                        {words}
                    }
                }
            }
            if items.is_empty() {
                NothingBooked { view: view.clone() }
            } else {
                ol { class: "agenda__list",
                    for entry in entries(view, items, now) {
                        {entry_row(entry)}
                    }
                }
            }
        }
    }
}

const AGENDA_NOW: &str = "agenda-now";

enum Entry {
    Item(DayItem),
    Now(i16),
    Pause(i16, i16),
}

impl Entry {
    fn minute(&self) -> i16 {
        match self {
            Self::Item(item) => item.start_minute,
            Self::Now(minute) | Self::Pause(minute, _) => *minute,
        }
    }
}

fn entries(view: &DayView, items: Vec<DayItem>, now: Option<i16>) -> Vec<Entry> {
    let mut entries: Vec<Entry> = items.into_iter().map(Entry::Item).collect();
    entries.extend(now.map(Entry::Now));
    let pause = view.hours.and_then(|hours| hours.pause);
    entries.extend(pause.map(|(from, to)| Entry::Pause(from, to)));
    entries.sort_by_key(Entry::minute);
    entries
}

fn entry_row(entry: Entry) -> Element {
    match entry {
        Entry::Item(item) => rsx! {
            Row { key: "{item.id}", item }
        },
        Entry::Now(minute) => rsx! {
            li { id: AGENDA_NOW, class: "agenda__now", onmounted: move |_| show_what_comes(AGENDA_NOW), {text::now_at(text::clock(minute))} }
        },
        Entry::Pause(from, to) => rsx! {
            li { class: "agenda__break", {text::pause(text::clock(from), text::clock(to))} }
        },
    }
}

#[component]
fn Row(item: DayItem) -> Element {
    let page = use_page();
    let mut opened = page.opened;
    let id = item.id;
    let stage = stage_now(&item, (page.minute)());
    rsx! {
        li {
            class: "agenda__row",
            "data-status": status(&item, stage),
            "data-clash": item.clash.then_some(""),
            time { class: "agenda__time", {text::clock(item.start_minute)} }
            button {
                class: "agenda__card",
                r#type: "button",
                "data-tone": Tint::from(item.tone).word(),
                "aria-haspopup": "dialog",
                onclick: move |_| opened.set(Some(id)),
                span { class: "agenda__title",
                    {title(&item)}
                    " "
                    span { "· " {text::minutes(i64::from(item.minutes))} }
                }
                span { class: "agenda__sub", {sub(&item)} " · " {stage_word(stage)} }
                span { class: "appt__status", {status_icon(&item, stage)} }
            }
        }
    }
}

#[component]
fn NothingBooked(view: DayView) -> Element {
    let dialogs = use_dialogs();
    let today = use_today();
    let date = text::date_long(view.date, today);
    let words = match view.hours {
        Some(hours) => text::day_is_open(text::clock(hours.closes), date, text::clock(hours.opens)),
        None => text::closed_day_text(date),
    };
    rsx! {
        EmptyState {
            icon: icon_xl(LdCalendarDays),
            title: text::nothing_booked(),
            text: words,
            actions: rsx! {
                button {
                    class: "btn btn--primary",
                    r#type: "button",
                    onclick: move |_| dialogs.open(OpenDialog::BOOK),
                    {icon(LdPlus)}
                    {text::book()}
                }
            },
        }
    }
}
