//! Allergies and warnings: always in sight, recorded and taken back here.

use crate::components::{Dialog, Segmented, TextField, icon, use_toasts, use_zone};
use crate::host::{fresh_id, use_host};
use crate::text;
use crate::views::refused_fields::use_refused_fields;
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::{LdActivity, LdHand, LdPlus, LdTriangleAlert, LdX};
use shared_model::commands::{RecordAlert, RetractAlert};
use shared_model::documents::{Alert, AlertKind, Patient};
use shared_model::ids::{AlertId, PatientId};

#[derive(Clone, PartialEq)]
enum Open {
    Nothing,
    New,
    Retract(Alert),
}

#[component]
pub(in crate::views) fn Alerts(id: PatientId, patient: Patient, may_edit: bool) -> Element {
    let mut open = use_signal(|| Open::Nothing);
    rsx! {
        for alert in patient.standing_alerts().cloned() {
            OneAlert {
                key: "{alert.id}",
                alert: alert.clone(),
                on_retract: may_edit.then(|| EventHandler::new(move |alert: Alert| open.set(Open::Retract(alert)))),
            }
        }
        if may_edit && patient.death.is_none() {
            button { class: "btn btn--sm", r#type: "button", onclick: move |_| open.set(Open::New),
                {icon(LdPlus)}
                {text::add_alert()}
            }
        }
        match open() {
            Open::Nothing => VNode::empty(),
            Open::New => rsx! {
                NewAlert { id, on_close: move |()| open.set(Open::Nothing) }
            },
            Open::Retract(alert) => rsx! {
                Retract { id, alert, on_close: move |()| open.set(Open::Nothing) }
            },
        }
    }
}

#[component]
fn OneAlert(alert: Alert, on_retract: Option<EventHandler<Alert>>) -> Element {
    let zone = use_zone();
    let (tone, mark) = match alert.kind {
        AlertKind::Allergy => ("danger", icon(LdTriangleAlert)),
        AlertKind::Handling => ("warn", icon(LdHand)),
        AlertKind::Medical => ("warn", icon(LdActivity)),
    };
    let texts: Vec<String> = std::iter::once(&alert.text.value)
        .chain(&alert.text.rivals)
        .cloned()
        .collect();
    let title = match alert.kind {
        AlertKind::Allergy => text::allergy_to(texts.join(" / ")),
        kind => text::alert_kind(kind).to_owned(),
    };
    let since = text::recorded_on(text::date_plain(alert.at.date_in(&zone)));
    let words = match alert.kind {
        AlertKind::Allergy => since,
        _ => format!("{} · {since}", texts.join(" / ")),
    };
    rsx! {
        section { class: "alert", "data-tone": tone,
            {mark}
            p { class: "alert__title", {title} }
            p { class: "alert__text",
                {words}
                if let Some(on_retract) = on_retract {
                    " "
                    button {
                        class: "btn btn--quiet btn--sm",
                        r#type: "button",
                        "aria-label": text::retract_alert(&alert.text.value),
                        onclick: move |_| on_retract.call(alert.clone()),
                        {icon(LdX)}
                        {text::no_longer_true()}
                    }
                }
            }
        }
    }
}

#[component]
fn NewAlert(id: PatientId, on_close: EventHandler<()>) -> Element {
    let (host, toasts) = (use_host(), use_toasts());
    let refused = use_refused_fields();
    let mut kind = use_signal(|| AlertKind::Allergy);
    let words = use_signal(String::new);
    let save = move || {
        let alert = AlertId(fresh_id());
        let command = RecordAlert {
            patient: id,
            alert,
            kind: kind(),
            text: words(),
        };
        spawn(async move {
            match host.run(command).await {
                Ok(_) => {
                    let undo = RetractAlert {
                        patient: id,
                        alert,
                        reason: text::taken_back_at_once().to_owned(),
                    };
                    toasts.undo(text::alert_recorded(), undo);
                    on_close.call(());
                }
                Err(failure) => refused.set(failure),
            }
        });
    };
    let options = AlertKind::ALL
        .iter()
        .map(|kind| (kind.word().to_owned(), text::alert_kind(*kind).to_owned()))
        .collect();
    let label = if kind() == AlertKind::Allergy {
        text::allergic_to()
    } else {
        text::what_to_know()
    };
    rsx! {
        Dialog {
            title: text::add_alert(),
            on_close,
            keep_open: !words.read().is_empty(),
            foot: rsx! {
                button { class: "btn", r#type: "button", onclick: move |_| on_close.call(()), {text::not_now()} }
                button { class: "btn btn--primary", r#type: "submit", form: "alert-form", {text::save()} }
            },
            form {
                id: "alert-form",
                class: "form",
                novalidate: true,
                onsubmit: move |event| {
                    event.prevent_default();
                    save();
                },
                Segmented {
                    label: text::kind_of_alert(),
                    options,
                    value: kind().word(),
                    block: true,
                    on_pick: move |word: String| {
                        if let Some(picked) = AlertKind::from_word(&word) {
                            kind.set(picked);
                        }
                    },
                }
                TextField {
                    id: "alert-text",
                    label,
                    value: words,
                    error: refused.of("text", label).or_else(|| refused.besides(&["text"])),
                    autofocus: true,
                    on_input: move |_| refused.clear(),
                }
            }
        }
    }
}

#[component]
fn Retract(id: PatientId, alert: Alert, on_close: EventHandler<()>) -> Element {
    let (host, toasts) = (use_host(), use_toasts());
    let refused = use_refused_fields();
    let reason = use_signal(String::new);
    let again = RecordAlert {
        patient: id,
        alert: AlertId(fresh_id()),
        kind: alert.kind,
        text: alert.text.value.clone(),
    };
    let entry = alert.id;
    rsx! {
        Dialog {
            title: text::retract_alert(&alert.text.value),
            on_close,
            foot: rsx! {
                button { class: "btn", r#type: "button", onclick: move |_| on_close.call(()), {text::not_now()} }
                button { class: "btn btn--danger btn--primary", r#type: "submit", form: "retract-alert", {text::take_back()} }
            },
            form {
                id: "retract-alert",
                class: "form",
                novalidate: true,
                onsubmit: move |event| {
                    event.prevent_default();
                    let command = RetractAlert { patient: id, alert: entry, reason: reason() };
                    let again = again.clone();
                    spawn(async move {
                        match host.run(command).await {
                            Ok(_) => {
                                toasts.undo(text::alert_retracted(), again);
                                on_close.call(());
                            }
                            Err(failure) => refused.set(failure),
                        }
                    });
                },
                TextField {
                    id: "retract-reason",
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
