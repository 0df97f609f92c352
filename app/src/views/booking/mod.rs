//! Booking an appointment: which animal, what for, with whom and when. What is taken may be booked all the same, said
//! aloud.

mod when;
mod who;

use crate::components::{
    Alert, Dialog, SelectField, TextField, Tint, icon, use_clinic, use_toasts, use_today, use_zone,
};
use crate::host::{fresh_id, use_host, use_query};
use crate::route::Route;
use crate::text;
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::{LdCircleAlert, LdTriangleAlert};
use jiff::civil::Date;
use local_core::query::{ClinicView, Stage};
use local_core::{Failure, Query, View};
use shared_model::commands::{BookAppointment, CancelAppointment, Command};
use shared_model::documents::Slot;
use shared_model::ids::{AccountId, AppointmentId, AppointmentTypeId, PatientId};
use shared_model::time::Timestamp;

use super::refused_fields::use_refused_fields;
use when::{Days, OtherDay, Times, Types};
use who::{Picked, Who};

/// What is chosen so far.
#[derive(Clone, Copy, PartialEq)]
struct Form {
    picked: Signal<Option<Picked>>,
    kind: Signal<Option<AppointmentTypeId>>,
    vet: Signal<String>,
    minutes: Signal<String>,
    date: Signal<Date>,
    start: Signal<Option<Timestamp>>,
    reason: Signal<String>,
}

impl Form {
    /// Another day has other times.
    fn pick_day(mut self, day: Date) {
        if *self.date.peek() != day {
            self.date.set(day);
            self.start.set(None);
        }
    }

    fn vet(self) -> Option<AccountId> {
        AccountId::parse(&self.vet.read())
    }

    fn minutes(self) -> u16 {
        self.minutes.read().parse().unwrap_or(20)
    }
}

/// Who takes appointments, in the clinic's order.
fn bookable(clinic: &ClinicView) -> Vec<(AccountId, String)> {
    let staff = clinic
        .settings
        .staff
        .iter()
        .filter(|member| member.bookable && member.active);
    staff.map(|member| (member.id, member.name.clone())).collect()
}

#[component]
pub(crate) fn BookDialog(
    patient: Option<PatientId>,
    vet: Option<AccountId>,
    start: Option<Timestamp>,
    on_close: EventHandler<()>,
) -> Element {
    let clinic = use_clinic();
    let clinic = clinic.read();
    let Some(clinic) = clinic.as_ref() else {
        return VNode::empty();
    };
    let people = bookable(clinic);
    let kinds = clinic
        .settings
        .appointment_types
        .iter()
        .filter(|kind| kind.active);
    if people.is_empty() || kinds.clone().count() == 0 {
        return rsx! {
            Dialog { title: text::book_title(), on_close,
                Alert {
                    tone: Tint::Warn,
                    icon: icon(LdCircleAlert),
                    title: text::nobody_bookable(),
                    text: text::nobody_bookable_text(),
                }
            }
        };
    }
    let me = clinic
        .me
        .as_ref()
        .map(|me| me.account)
        .filter(|me| people.iter().any(|(id, _)| id == me));
    let vet = vet.or(me).or(people.first().map(|(id, _)| *id));
    rsx! {
        Booking { clinic: clinic.clone(), patient, vet, start, on_close }
    }
}

#[component]
fn Booking(
    clinic: ClinicView,
    patient: Option<PatientId>,
    vet: Option<AccountId>,
    start: Option<Timestamp>,
    on_close: EventHandler<()>,
) -> Element {
    let (host, toasts) = (use_host(), use_toasts());
    let refused = use_refused_fields();
    let (zone, today) = (use_zone(), use_today());
    let shown = match use_route::<Route>() {
        Route::DayOn { date } if date >= today => date,
        _ => today,
    };
    let mut missing = use_signal(|| false);
    let form = {
        let kind = clinic.settings.appointment_types.iter().find(|kind| kind.active);
        let date = start.map_or(shown, |start| start.date_in(&zone));
        Form {
            picked: use_signal(|| None),
            kind: use_signal(|| kind.map(|kind| kind.id)),
            vet: use_signal(|| vet.map(|vet| vet.to_string()).unwrap_or_default()),
            minutes: use_signal(|| kind.map_or(20, |kind| kind.minutes).to_string()),
            date: use_signal(|| date),
            start: use_signal(|| start),
            reason: use_signal(String::new),
        }
    };
    let vet_id = form.vet();
    let vet_name = bookable(&clinic)
        .into_iter()
        .find(|(id, _)| Some(*id) == vet_id)
        .map(|(_, name)| name)
        .unwrap_or_default();
    let clash = use_clash(form);
    let chosen = (form.start)().map(|start| {
        let local = start.in_zone(&zone);
        let minute = i16::from(local.hour()) * 60 + i16::from(local.minute());
        let end = minute + i16::try_from(form.minutes()).unwrap_or(0);
        (local.date(), minute, end)
    });
    let summary = match (&*form.picked.read(), chosen) {
        (None, _) => text::choose_patient_first().to_owned(),
        (_, None) => text::choose_time().to_owned(),
        (_, Some((date, minute, end))) => text::when_and_vet(
            text::date_short(date, today),
            text::from_to(text::clock(minute), text::clock(end)),
            &vet_name,
        ),
    };
    let submit = use_callback(move |()| {
        let (Some(picked), Some(start), Some(kind), Some(vet)) = (
            form.picked.peek().clone(),
            *form.start.peek(),
            *form.kind.peek(),
            form.vet(),
        ) else {
            return missing.set(true);
        };
        let Some(client) = picked.client else {
            return missing.set(true);
        };
        let appointment = AppointmentId(fresh_id());
        let command = BookAppointment {
            appointment,
            client,
            patient: picked.id,
            appointment_type: kind,
            slot: Slot {
                start,
                minutes: form.minutes(),
                vet,
                room: None,
            },
            reason: form.reason.peek().clone(),
        };
        let place = {
            let local = start.in_zone(&zone);
            let minute = i16::from(local.hour()) * 60 + i16::from(local.minute());
            text::when(local.date(), minute, today)
        };
        let done = text::booked(&picked.name, place);
        let undo = CancelAppointment {
            appointment,
            reason: text::taken_back_at_once().to_owned(),
        };
        spawn(async move {
            let outcome: Result<Timestamp, Failure> = host.run(Command::from(command)).await;
            match outcome {
                Ok(_) => {
                    toasts.undo(done, undo);
                    on_close.call(());
                }
                Err(failure) => refused.set(failure),
            }
        });
    });
    let incomplete = form.picked.read().is_none() || form.start.read().is_none();
    let typed = form.picked.read().is_some() || !form.reason.read().is_empty();
    rsx! {
        Dialog {
            title: text::book_title(),
            on_close,
            wide: true,
            keep_open: typed,
            foot: rsx! {
                span { class: "sub", {summary} }
                button { class: "btn", r#type: "button", onclick: move |_| on_close.call(()),
                    {text::not_now()}
                    " "
                    kbd { "Esc" }
                }
                button {
                    class: "btn btn--primary",
                    r#type: "submit",
                    form: "booking",
                    "aria-disabled": incomplete.then_some("true"),
                    {if clash.is_some() { text::book_anyway() } else { text::book() }}
                    " "
                    kbd { {text::enter_key()} }
                }
            },
            form {
                id: "booking",
                class: "form",
                novalidate: true,
                oninput: move |_| refused.clear(),
                onsubmit: move |event| {
                    event.prevent_default();
                    submit.call(());
                },
                Who { given: patient, picked: form.picked, missing: missing() && form.picked.read().is_none(), on_close }
                Types { form, clinic: clinic.clone() }
                div { class: "form__columns",
                    SelectField {
                        id: "booking-vet",
                        label: text::with_label(),
                        value: form.vet,
                        options: bookable(&clinic).into_iter().map(|(id, name)| (id.to_string(), name)).collect::<Vec<_>>(),
                    }
                    SelectField {
                        id: "booking-minutes",
                        label: text::how_long(),
                        value: form.minutes,
                        options: lengths(form.minutes()),
                    }
                    OtherDay { form }
                }
                if let Some(vet) = vet_id {
                    Days { form, vet }
                    Times { form, vet }
                }
                if let Some(clash) = clash {
                    Alert { tone: Tint::Warn, icon: icon(LdTriangleAlert), title: clash.words, text: clash.hint, line: true, urgent: true }
                }
                TextField {
                    id: "booking-reason",
                    label: text::reason_of_visit(),
                    value: form.reason,
                    optional: true,
                    hint: text::vet_reads_first().to_owned(),
                    error: refused.of("reason", text::reason_of_visit()).or_else(|| refused.besides(&["reason"])),
                }
            }
        }
    }
}

/// The lengths that are offered, with the one that is chosen.
fn lengths(chosen: u16) -> Vec<(String, String)> {
    let mut lengths: Vec<u16> = vec![10, 15, 20, 30, 40, 50, 60, 90, 120];
    if !lengths.contains(&chosen) {
        lengths.push(chosen);
        lengths.sort_unstable();
    }
    lengths
        .into_iter()
        .map(|minutes| (minutes.to_string(), text::minutes(i64::from(minutes))))
        .collect()
}

/// What speaks against the chosen time; it can be booked all the same.
struct Clash {
    words: String,
    hint: &'static str,
}

fn use_clash(form: Form) -> Option<Clash> {
    let date = (form.date)();
    let zone = use_zone();
    let day = use_query(Query::Day(Some(date)));
    let day = day.read();
    let Some(View::Day(day)) = &*day else { return None };
    let start = (form.start)().filter(|start| start.date_in(&zone) == day.date)?;
    let slot = Slot {
        start,
        minutes: form.minutes(),
        vet: form.vet()?,
        room: None,
    };
    let other = day.items.iter().find(|item| {
        !matches!(item.stage, Stage::Cancelled | Stage::Departed) && item.slot.clashes_with(&slot)
    });
    if let Some(other) = other {
        return Some(Clash {
            words: text::taken_by(
                text::clock(other.start_minute),
                &other.patient_name,
                &other.vet_name,
            ),
            hint: text::both_stay(),
        });
    }
    let local = start.in_zone(&zone);
    let minute = i16::from(local.hour()) * 60 + i16::from(local.minute());
    let end = minute + i16::try_from(slot.minutes).unwrap_or(0);
    let open = day.hours.is_some_and(|hours| {
        minute >= hours.opens
            && end <= hours.closes
            && hours.pause.is_none_or(|(from, to)| end <= from || minute >= to)
    });
    (!open).then(|| Clash {
        words: text::outside_hours(text::clock(minute)),
        hint: text::book_all_the_same(),
    })
}
