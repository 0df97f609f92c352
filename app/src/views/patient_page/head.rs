//! The patient's name and the next things to do with it.

use super::May;
use super::death::{DeathDialog, RetractDeathDialog};
use super::edit::EditDialog;
use super::facts::{chip_number, facts_line};
use crate::components::{
    MenuButton, MenuItem, OpenDialog, Size, SpeciesMark, icon, use_clinic, use_dialogs, use_is_staff,
    use_page_key, use_toasts,
};
use crate::host::{self, fresh_id, use_host};
use crate::route::Route;
use crate::text;
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::{
    LdEllipsis, LdLeaf, LdPencil, LdPlus, LdPrinter, LdStethoscope, LdUndo2,
};
use local_core::query::{AppointmentLine, PatientView};
use shared_model::commands::StartVisit;
use shared_model::documents::{Booking, Whereabouts};
use shared_model::ids::VisitId;

#[derive(Clone, Copy, PartialEq)]
enum Open {
    Nothing,
    Edit,
    Death,
    RetractDeath,
}

#[component]
pub(super) fn Head(view: PatientView, may: May) -> Element {
    let dialogs = use_dialogs();
    let staff = use_is_staff();
    let mut open = use_signal(|| Open::Nothing);
    let id = view.id;
    let patient = view.patient.clone();
    let died = patient.death.is_some();
    let mut line = facts_line(&patient, view.age);
    if !patient.colour.is_empty() {
        line = format!("{line} · {}", patient.colour);
    }
    if let Some(chip) = &patient.microchip {
        line = format!("{line} · {}", text::chip_short(chip_number(&chip.value)));
    }
    let start = use_start(view.clone());
    use_page_key("e", text::edit_patient(), move |()| {
        if may.identity {
            open.set(Open::Edit);
        }
    });
    use_page_key("v", text::start_visit(), move |()| {
        if may.visit && !died {
            start.call(());
        }
    });
    let mut items = vec![MenuItem::new("print", text::print_record(), icon(LdPrinter))];
    if may.death && died {
        items.push(MenuItem::new("retract", text::retract_death(), icon(LdUndo2)));
    } else if may.death {
        items.push(MenuItem::new(
            "death",
            text::report_death(&patient.name),
            icon(LdLeaf),
        ));
    }
    rsx! {
        div { class: "patient-head",
            SpeciesMark { species: patient.species.value, size: Size::Large }
            div { class: "patient-head__main",
                h1 { {patient.name.clone()} }
                p { class: "sub", {line} }
            }
            div { class: "patient-head__actions",
                MenuButton {
                    label: text::more_of(&patient.name),
                    class: "btn btn--icon",
                    items,
                    on_pick: move |key: String| match key.as_str() {
                        "print" => host::print_page(),
                        "death" => open.set(Open::Death),
                        _ => open.set(Open::RetractDeath),
                    },
                    {icon(LdEllipsis)}
                }
                if may.identity {
                    button {
                        class: "btn",
                        r#type: "button",
                        "aria-keyshortcuts": "E",
                        onclick: move |_| open.set(Open::Edit),
                        {icon(LdPencil)}
                        {text::edit()}
                        " "
                        kbd { "E" }
                    }
                }
                if !died && staff {
                    button {
                        class: "btn",
                        r#type: "button",
                        onclick: move |_| dialogs.open(OpenDialog::Book { patient: Some(id), vet: None, start: None }),
                        {icon(LdPlus)}
                        {text::book()}
                    }
                    if may.visit {
                        button {
                            class: "btn btn--primary",
                            r#type: "button",
                            "aria-keyshortcuts": "V",
                            onclick: move |_| start.call(()),
                            {icon(LdStethoscope)}
                            {if running(&view).is_some() { text::open_visit() } else { text::start_visit() }}
                            " "
                            kbd { "V" }
                        }
                    }
                }
            }
        }
        match open() {
            Open::Nothing => VNode::empty(),
            Open::Edit => rsx! {
                EditDialog { view: view.clone(), on_close: move |()| open.set(Open::Nothing) }
            },
            Open::Death => rsx! {
                DeathDialog { view: view.clone(), on_close: move |()| open.set(Open::Nothing) }
            },
            Open::RetractDeath => rsx! {
                RetractDeathDialog { view: view.clone(), on_close: move |()| open.set(Open::Nothing) }
            },
        }
    }
}

/// Today's appointment, whose visit it would be.
fn todays(view: &PatientView) -> Option<&AppointmentLine> {
    let lines = view.upcoming.iter().chain(&view.past);
    let mut today = lines.filter(|line| {
        line.date == view.today
            && line.booking == Booking::Booked
            && line.whereabouts != Whereabouts::Departed
    });
    today.next()
}

/// A visit of today whose notes are open.
fn running(view: &PatientView) -> Option<VisitId> {
    let line = view
        .visits
        .iter()
        .find(|line| !line.finished && line.date == Some(view.today));
    line.map(|line| line.id)
}

/// Opens the running visit, else begins one: that of today's appointment, or one without.
fn use_start(view: PatientView) -> Callback<()> {
    let (host, toasts, navigator, clinic) = (use_host(), use_toasts(), use_navigator(), use_clinic());
    use_callback(move |()| {
        if let Some(id) = running(&view) {
            navigator.push(Route::Visit { id });
            return;
        }
        let Some(me) = clinic.peek().as_ref().and_then(|clinic| clinic.me.clone()) else {
            return;
        };
        let today = todays(&view);
        let visit = today.map_or_else(|| VisitId(fresh_id()), |line| VisitId::of_appointment(line.id));
        let command = StartVisit {
            visit,
            appointment: today.map(|line| line.id),
            patient: view.id,
            vet: me.account,
            reason: today.map(|line| line.reason.clone()).unwrap_or_default(),
        };
        dioxus::core::spawn_forever(async move {
            match host.run(command).await {
                Ok(_) => drop(navigator.push(Route::Visit { id: visit })),
                Err(failure) => toasts.failed(&failure),
            }
        });
    })
}
