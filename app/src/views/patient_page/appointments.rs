//! What is booked and what was, of an animal or of a person.

use crate::components::{EmptyState, OpenDialog, Pill, Tint, icon, icon_xl, use_dialogs, use_today};
use crate::route::Route;
use crate::text;
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::{
    LdBan, LdCalendarDays, LdCheck, LdCircleDashed, LdClock, LdPlus, LdReceiptText, LdStethoscope,
};
use local_core::query::AppointmentLine;
use shared_model::documents::{Booking, Whereabouts};
use shared_model::ids::PatientId;

/// So many former ones are listed at first.
const SHOWN: usize = 3;

#[component]
pub(in crate::views) fn Appointments(
    upcoming: Vec<AppointmentLine>,
    past: Vec<AppointmentLine>,
    with_names: bool,
    /// The animal that a booking from here is for.
    book: Option<PatientId>,
) -> Element {
    let dialogs = use_dialogs();
    let mut all = use_signal(|| false);
    let more = past.len().saturating_sub(SHOWN);
    let shown = if all() { past.len() } else { SHOWN };
    let nothing = upcoming.is_empty() && past.is_empty();
    rsx! {
        section { class: "card", "aria-labelledby": "appointments-title",
            div { class: "card__head",
                h2 { class: "card__title", id: "appointments-title", {text::appointments_title()} }
            }
            if nothing {
                EmptyState { icon: icon_xl(LdCalendarDays), title: text::no_appointments(), text: text::no_appointments_text() }
            } else {
                ul { class: "list",
                    for line in upcoming {
                        AppointmentRow { key: "{line.id}", line, with_name: with_names }
                    }
                    for line in past.into_iter().take(shown) {
                        AppointmentRow { key: "{line.id}", line, with_name: with_names }
                    }
                }
            }
            if book.is_some() || (more > 0 && !all()) {
                div { class: "card__foot",
                    if book.is_some() {
                        button {
                            class: "btn btn--quiet btn--sm",
                            r#type: "button",
                            onclick: move |_| dialogs.open(OpenDialog::Book { patient: book, vet: None, start: None }),
                            {icon(LdPlus)}
                            {text::book()}
                        }
                    }
                    if more > 0 && !all() {
                        button { class: "btn btn--quiet btn--sm", r#type: "button", onclick: move |_| all.set(true),
                            {text::earlier_ones(i64::try_from(more).unwrap_or(0))}
                        }
                    }
                }
            }
        }
    }
}

#[component]
fn AppointmentRow(line: AppointmentLine, with_name: bool) -> Element {
    let today = use_today();
    let who = if with_name && !line.patient_name.is_empty() {
        text::pet_with_vet(&line.patient_name, &line.vet_name)
    } else {
        line.vet_name.clone()
    };
    let sub = if line.reason.is_empty() {
        line.type_name.clone()
    } else {
        line.reason.clone()
    };
    rsx! {
        li {
            Link { class: "list__row", to: Route::DayOn { date: line.date },
                div { class: "list__main",
                    div { class: "list__title",
                        {text::when(line.date, line.start_minute, today)}
                        " "
                        span { {who} }
                    }
                    div { class: "list__sub", {sub} }
                }
                div { class: "list__end", Standing { line } }
            }
        }
    }
}

#[component]
fn Standing(line: AppointmentLine) -> Element {
    match (line.booking, line.whereabouts) {
        (Booking::Cancelled, _) => rsx! {
            Pill { icon: icon(LdBan), {text::standing_cancelled()} }
        },
        (_, Whereabouts::Departed) => rsx! {
            Pill { icon: icon(LdCheck), {text::standing_done()} }
        },
        (_, Whereabouts::InRoom) if line.finished => rsx! {
            Pill { tone: Tint::Ok, icon: icon(LdReceiptText), {text::standing_ready()} }
        },
        (_, Whereabouts::InRoom) => rsx! {
            Pill { tone: Tint::Info, icon: icon(LdStethoscope), {text::standing_in_room()} }
        },
        (_, Whereabouts::Waiting) => rsx! {
            Pill { tone: Tint::Warn, icon: icon(LdClock), {text::standing_waiting()} }
        },
        (_, Whereabouts::Expected) => rsx! {
            Pill { icon: icon(LdCircleDashed), {text::standing_booked()} }
        },
    }
}
