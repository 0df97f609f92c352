//! A visit: the patient in sight, four texts that people write together, the vital signs, and the way to the end.

mod context;
mod history;
mod managed_text;
mod notes;
mod saved;
mod section;
mod text_edit;
mod tile;
mod vitals;

use crate::components::{
    Drawer, DrawerButton, EmptyState, Pill, Tint, icon, icon_xl, use_drawers, use_title_of, use_toasts,
    use_zone,
};
use crate::host::{self, use_host};
use crate::route::Route;
use crate::text;
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::{
    LdCheck, LdFileQuestion, LdHand, LdPawPrint, LdStethoscope, LdTriangleAlert, LdUndo2,
};
use futures_channel::mpsc::unbounded;
use futures_util::StreamExt;
use local_core::View;
use local_core::query::VisitView;
use shared_model::commands::{FinishVisit, ReopenVisit};
use shared_model::documents::{AlertKind, Section};
use shared_model::ids::VisitId;

pub(crate) use notes::{others_have_unsaved_notes, settle_all_notes};

use context::Context;
use history::Beside;
use notes::{Notes, field_id, use_notes};
use saved::Saved;
use section::{Part, letter, part_id};
use vitals::Vitals;

#[component]
pub(crate) fn VisitPage(id: VisitId) -> Element {
    // Another visit is another page, with its own notes.
    rsx! {
        for id in [id] {
            OneVisit { key: "{id}", id }
        }
    }
}

#[component]
fn OneVisit(id: VisitId) -> Element {
    let notes = use_notes(id);
    use_context_provider(|| notes);
    let view = use_memo(move || match notes.view() {
        Some(View::Visit(view)) => Some(Some(*view)),
        Some(_) => Some(None),
        None => None,
    });
    match &*view.read() {
        None => rsx! {
            div { class: "page", "aria-busy": "true",
                p { class: "sub", {text::visit_opening()} }
            }
        },
        Some(None) => rsx! {
            EmptyState {
                icon: icon_xl(LdFileQuestion),
                title: text::visit_missing(),
                text: text::visit_missing_text(),
                page: true,
                actions: rsx! {
                    Link { class: "btn btn--primary", to: Route::Day {}, {text::to_the_day()} }
                },
            }
        },
        Some(Some(view)) => rsx! {
            Sheet { view: view.clone() }
        },
    }
}

/// Opens and closes the notes for good; used by the button and by its key.
#[derive(Clone, Copy, PartialEq)]
struct Ending(Callback<()>);

fn use_ending(view: &VisitView) -> Ending {
    let notes = use_context::<Notes>();
    let (host, toasts) = (use_host(), use_toasts());
    let (visit, appointment, finished) = (view.id, view.appointment, view.visit.finished_at.is_some());
    let may = view.may_write[3];
    Ending(use_callback(move |()| {
        if !may {
            return;
        }
        let finish = FinishVisit { visit, appointment };
        let reopen = ReopenVisit { visit, appointment };
        dioxus::core::spawn_forever(async move {
            if finished {
                match host.run(reopen).await {
                    Ok(_) => toasts.undo(text::visit_reopened(), finish),
                    Err(failure) => toasts.failed(&failure),
                }
            } else if notes.settle().await {
                // What is still being typed belongs into the visit before it closes.
                match host.run(finish).await {
                    Ok(_) => toasts.undo(text::visit_finished(), reopen),
                    Err(failure) => toasts.failed(&failure),
                }
            } else {
                toasts.say(text::finish_waits());
            }
        });
    }))
}

/// What the visit's keys ask for.
#[derive(Clone, Copy)]
enum Meant {
    Jump(Section),
    End,
}

/// The keys work wherever the focus is; inside of the notes the page has seen them already.
fn use_visit_keys(ending: Ending) {
    use_hook(move || {
        let (meant, mut pressed) = unbounded::<Meant>();
        let listening = host::listen_keys(move |press| {
            let what = match press.key.as_str() {
                "1" if press.alt => Meant::Jump(Section::History),
                "2" if press.alt => Meant::Jump(Section::Examination),
                "3" if press.alt => Meant::Jump(Section::Assessment),
                "4" if press.alt => Meant::Jump(Section::Plan),
                "Enter" if press.command => Meant::End,
                _ => return false,
            };
            meant.unbounded_send(what).is_ok()
        });
        spawn(async move {
            let _listening = listening;
            while let Some(what) = pressed.next().await {
                match what {
                    Meant::Jump(section) => jump(section),
                    Meant::End => ending.0.call(()),
                }
            }
        });
    });
}

#[component]
fn Sheet(view: VisitView) -> Element {
    let ending = use_ending(&view);
    use_visit_keys(ending);
    let finished = view.visit.finished_at.is_some();
    let name_of_patient = view
        .patient
        .as_ref()
        .map(|patient| patient.name.clone())
        .unwrap_or_default();
    use_title_of(text::page_of_visit(), text::visit_of(&name_of_patient));
    rsx! {
        div {
            class: "work work--both",
            onkeydown: move |event| {
                let section = match event.code() {
                    Code::Digit1 => Section::History,
                    Code::Digit2 => Section::Examination,
                    Code::Digit3 => Section::Assessment,
                    Code::Digit4 => Section::Plan,
                    Code::Enter if event.modifiers().intersects(Modifiers::CONTROL | Modifiers::META) && !finished => {
                        event.prevent_default();
                        ending.0.call(());
                        return;
                    }
                    _ => return,
                };
                if event.modifiers() == Modifiers::ALT {
                    event.prevent_default();
                    jump(section);
                }
            },
            Context { view: view.clone() }
            div { class: "work__main", tabindex: "0", role: "region", "aria-label": text::visit_of(name_of_patient),
                div { class: "visit",
                    Head { view: view.clone() }
                    Parts { view: view.clone() }
                }
            }
            Beside { view: view.clone(), ending }
        }
    }
}

fn jump(section: Section) {
    host::scroll_into_view(&part_id(section));
    host::focus(&field_id(section));
}

#[component]
fn Head(view: VisitView) -> Element {
    let zone = use_zone();
    let drawers = use_drawers();
    let notes = use_context::<Notes>();
    let title = if view.visit.reason.is_empty() {
        text::visit_without_reason().to_owned()
    } else {
        view.visit.reason.clone()
    };
    let since = view
        .visit
        .started_at
        .map(|at| text::time_of(at, &zone))
        .unwrap_or_default();
    let place = if view.room_name.is_empty() {
        text::vet_at(since, &view.vet_name)
    } else {
        text::room_at(&view.room_name, since, &view.vet_name)
    };
    let weight = view
        .patient
        .as_ref()
        .and_then(|patient| patient.latest_weight().cloned());
    rsx! {
        header { class: "visit__head",
            div { class: "visit__line",
                h1 { class: "visit__title", {title} }
                Pill { icon: icon(LdStethoscope), {place} }
            }
            div { class: "visit__sticky",
                div { class: "visit__dock",
                    button { class: "chip", r#type: "button", onclick: move |_| drawers.open(Drawer::Context),
                        {icon(LdPawPrint)}
                        if let Some(patient) = &view.patient {
                            {patient.name.clone()}
                            if let Some(weight) = weight {
                                " · "
                                {text::weight(weight.weight.value)}
                            }
                        }
                    }
                    span { class: "visit__alerts",
                        if let Some(patient) = &view.patient {
                            for alert in patient.standing_alerts() {
                                Pill {
                                    key: "{alert.id}",
                                    tone: if alert.kind == AlertKind::Allergy { Tint::Danger } else { Tint::Warn },
                                    icon: if alert.kind == AlertKind::Handling { icon(LdHand) } else { icon(LdTriangleAlert) },
                                    {text::alert_line(text::alert_kind(alert.kind), &alert.text.value)}
                                }
                            }
                        }
                    }
                    span { class: "push", DrawerButton { drawer: Drawer::Side, {text::finish_and_more()} } }
                }
                div { class: "visit__line",
                    nav { class: "visit__jumps", "aria-label": text::parts_of_visit(),
                        for (index , section) in Section::ALL.iter().copied().enumerate() {
                            button {
                                class: "chip",
                                r#type: "button",
                                "aria-current": (*notes.focused.read() == Some(section)).then_some("location"),
                                "aria-keyshortcuts": "Alt+{index + 1}",
                                title: "Alt+{index + 1}",
                                onclick: move |_| jump(section),
                                b { {letter(section)} }
                                " "
                                span { {text::section(section)} }
                            }
                        }
                    }
                    Saved { receipt: view.receipt }
                }
            }
        }
    }
}

#[component]
fn Parts(view: VisitView) -> Element {
    let zone = use_zone();
    let finished = view.visit.finished_at;
    let may = |index: usize| view.may_write[index] && finished.is_none();
    let why_not = |index: usize| {
        let words = if finished.is_some() {
            return None;
        } else if view.may_write[0] && index > 0 {
            text::written_by_vet()
        } else {
            text::read_only()
        };
        Some(words.to_owned())
    };
    rsx! {
        if let Some(at) = finished {
            div { class: "signed",
                {icon(LdCheck)}
                {text::finished_at(text::time_of(at, &zone), &view.vet_name)}
                " "
                span { class: "sub", {text::finished_hint()} }
            }
        }
        Part { section: Section::History, may_write: may(0), why_not: why_not(0) }
        Part { section: Section::Examination, may_write: may(1), why_not: why_not(1),
            Vitals { view: view.clone(), may_write: may(0) }
        }
        Part { section: Section::Assessment, may_write: may(2), why_not: why_not(2) }
        Part { section: Section::Plan, may_write: may(3), why_not: why_not(3) }
    }
}

/// Finish, or reopen.
#[component]
fn EndButton(view: VisitView, ending: Ending) -> Element {
    let finished = view.visit.finished_at.is_some();
    if !view.may_write[3] {
        return VNode::empty();
    }
    rsx! {
        if finished {
            button { class: "btn", r#type: "button", onclick: move |_| ending.0.call(()),
                {icon(LdUndo2)}
                {text::reopen_visit()}
            }
        } else {
            button {
                class: "btn btn--primary",
                r#type: "button",
                "aria-keyshortcuts": "Control+Enter",
                onclick: move |_| ending.0.call(()),
                {icon(LdCheck)}
                {text::finish_visit()}
                " "
                kbd { {text::finish_key()} }
            }
        }
    }
}
