//! An animal has died: said once, with the date, and it can be taken back.

use crate::components::{Dialog, FieldKind, TextField, use_toasts};
use crate::host::use_host;
use crate::text;
use crate::views::refused_fields::use_refused_fields;
use dioxus::prelude::*;
use jiff::civil::Date;
use local_core::query::PatientView;
use shared_model::commands::{ReportDeath, RetractDeath};

#[component]
pub(super) fn DeathDialog(view: PatientView, on_close: EventHandler<()>) -> Element {
    let (host, toasts) = (use_host(), use_toasts());
    let refused = use_refused_fields();
    let today = view.today;
    let on = use_signal(|| today.to_string());
    let mut wrong = use_signal(|| None::<&'static str>);
    let (id, name) = (view.id, view.patient.name.clone());
    let booked = view.upcoming.len();
    let done = name.clone();
    rsx! {
        Dialog {
            title: text::report_death(&name),
            on_close,
            foot: rsx! {
                button { class: "btn", r#type: "button", onclick: move |_| on_close.call(()), {text::not_now()} }
                button { class: "btn btn--primary", r#type: "submit", form: "death-form", {text::record_death()} }
            },
            form {
                id: "death-form",
                class: "form",
                novalidate: true,
                onsubmit: move |event| {
                    event.prevent_default();
                    let on: Date = match on.peek().parse() {
                        Ok(date) if date <= today => date,
                        Ok(_) => return wrong.set(Some(text::death_in_future())),
                        Err(_) => return wrong.set(Some(text::death_date_needed())),
                    };
                    let name = done.clone();
                    spawn(async move {
                        match host.run(ReportDeath { patient: id, on }).await {
                            Ok(_) => {
                                let undo = RetractDeath {
                                    patient: id,
                                    reason: text::taken_back_at_once().to_owned(),
                                };
                                toasts.undo(text::death_recorded(&name), undo);
                                on_close.call(());
                            }
                            Err(failure) => refused.set(failure),
                        }
                    });
                },
                p { {text::death_means(&name)} }
                if booked > 0 {
                    p { class: "sub", {text::death_still_booked(i64::try_from(booked).unwrap_or(0))} }
                }
                TextField {
                    id: "died-on",
                    label: text::died_label(),
                    value: on,
                    kind: FieldKind::Date,
                    error: wrong().map(str::to_owned).or_else(|| refused.besides(&[])),
                    autofocus: true,
                    on_input: move |_| {
                        wrong.set(None);
                        refused.clear();
                    },
                }
            }
        }
    }
}

#[component]
pub(super) fn RetractDeathDialog(view: PatientView, on_close: EventHandler<()>) -> Element {
    let (host, toasts) = (use_host(), use_toasts());
    let refused = use_refused_fields();
    let reason = use_signal(String::new);
    let (id, name) = (view.id, view.patient.name.clone());
    let undo = view.patient.death.as_ref().map(|death| ReportDeath {
        patient: id,
        on: death.on,
    });
    let done = name.clone();
    rsx! {
        Dialog {
            title: text::retract_death(),
            on_close,
            foot: rsx! {
                button { class: "btn", r#type: "button", onclick: move |_| on_close.call(()), {text::not_now()} }
                button { class: "btn btn--primary", r#type: "submit", form: "retract-death", {text::is_alive(&name)} }
            },
            form {
                id: "retract-death",
                class: "form",
                novalidate: true,
                onsubmit: move |event| {
                    event.prevent_default();
                    let command = RetractDeath { patient: id, reason: reason() };
                    let (undo, name) = (undo.clone(), done.clone());
                    spawn(async move {
                        match host.run(command).await {
                            Ok(_) => {
                                match undo {
                                    Some(undo) => toasts.undo(text::death_retracted(&name), undo),
                                    None => toasts.say(text::death_retracted(&name)),
                                }
                                on_close.call(());
                            }
                            Err(failure) => refused.set(failure),
                        }
                    });
                },
                TextField {
                    id: "retract-death-reason",
                    label: text::reason_label(),
                    value: reason,
                    hint: text::stays_in_history().to_owned(),
                    error: refused.of("reason", text::reason_label()).or_else(|| refused.besides(&["reason"])),
                    autofocus: true,
                    on_input: move |_| refused.clear(),
                }
            }
        }
    }
}
