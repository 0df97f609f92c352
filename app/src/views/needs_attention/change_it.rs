//! Doing refused work again in another form: everything that was typed stands in the fields.

use super::decide;
use super::matter::what;
use crate::components::{Dialog, TextArea, TextField, use_toasts};
use crate::host::{use_host, use_query};
use crate::text;
use crate::views::refused_fields::use_refused_fields;
use dioxus::prelude::*;
use local_core::query::{Matter, VisitView};
use local_core::{Decision, Query, View};
use shared_model::commands::{Command, WriteInSection};

/// Whether there is a text in it that can be typed otherwise.
pub(super) fn can_be_changed(matter: &Matter) -> bool {
    match &matter.command {
        Some(Command::WriteInSection(_)) => !matter.words.is_empty(),
        Some(command) => !text::typed(&mut command.clone()).is_empty(),
        None => false,
    }
}

#[component]
pub(super) fn ChangeDialog(matter: Matter, on_close: EventHandler<()>) -> Element {
    match matter.command.clone() {
        Some(Command::WriteInSection(edit)) => rsx! { WordsDialog { matter, edit, on_close } },
        Some(command) => rsx! { FieldsDialog { matter, command, on_close } },
        None => rsx! {},
    }
}

#[component]
fn FieldsDialog(matter: Matter, command: Command, on_close: EventHandler<()>) -> Element {
    let (host, toasts) = (use_host(), use_toasts());
    let refused = use_refused_fields();
    let fields = use_hook(|| {
        let mut command = command.clone();
        let typed = text::typed(&mut command).into_iter();
        typed
            .map(|one| (one.field, one.label, Signal::new(one.value.clone())))
            .collect::<Vec<_>>()
    });
    let names: Vec<&str> = fields.iter().map(|(field, ..)| *field).collect();
    let save = {
        let (fields, rows) = (fields.clone(), matter.rows.clone());
        move || {
            let mut command = command.clone();
            for (one, (_, _, value)) in text::typed(&mut command).into_iter().zip(&fields) {
                one.value.clone_from(&value.peek());
            }
            let rows = rows.clone();
            decide(
                host,
                Decision::Instead { rows, command },
                move |decided| match decided {
                    Ok(_) => toasts.say(text::on_its_way()),
                    Err(failure) => refused.set(failure),
                },
            );
        }
    };
    rsx! {
        Dialog {
            title: what(&matter),
            on_close,
            keep_open: true,
            foot: rsx! {
                if let Some(why) = refused.besides(&names) {
                    span { class: "field__error", {why} }
                }
                button { class: "btn", r#type: "button", onclick: move |_| on_close.call(()), {text::not_now()} }
                button { class: "btn btn--primary", r#type: "submit", form: "change-it", {text::change_and_try_again()} }
            },
            form {
                id: "change-it",
                class: "form",
                novalidate: true,
                oninput: move |_| refused.clear(),
                onsubmit: move |event| {
                    event.prevent_default();
                    save();
                },
                for (index , (field , label , value)) in fields.iter().copied().enumerate() {
                    TextField {
                        key: "{index}",
                        id: "change-{index}",
                        label,
                        value,
                        error: refused.of(field, label),
                        autofocus: index == 0,
                    }
                }
            }
        }
    }
}

/// Words of a visit's notes: they are added to what stands there now, which can be another text than it was.
#[component]
fn WordsDialog(matter: Matter, edit: WriteInSection, on_close: EventHandler<()>) -> Element {
    let (host, toasts) = (use_host(), use_toasts());
    let refused = use_refused_fields();
    let words = use_signal(|| matter.words.clone());
    let visit = use_query(Query::Visit(edit.visit));
    let label = text::section(edit.section);
    let title = what(&matter);
    let save = {
        let rows = matter.rows.clone();
        move || {
            let visit = visit.peek();
            let Some(View::Visit(visit)) = &*visit else {
                return;
            };
            let command = added(visit, &edit, &words.peek());
            let rows = rows.clone();
            decide(
                host,
                Decision::Instead { rows, command },
                move |decided| match decided {
                    Ok(_) => toasts.say(text::on_its_way()),
                    Err(failure) => refused.set(failure),
                },
            );
        }
    };
    let missing = matches!(&*visit.read(), Some(View::Missing)).then(|| text::failed_not_here().to_owned());
    rsx! {
        Dialog {
            title,
            on_close,
            wide: true,
            keep_open: true,
            foot: rsx! {
                if let Some(why) = missing.clone().or_else(|| refused.besides(&[])) {
                    span { class: "field__error", {why} }
                }
                button { class: "btn", r#type: "button", onclick: move |_| on_close.call(()), {text::not_now()} }
                button {
                    class: "btn btn--primary",
                    r#type: "submit",
                    form: "change-words",
                    disabled: missing.is_some(),
                    {text::change_and_try_again()}
                }
            },
            form {
                id: "change-words",
                class: "form",
                novalidate: true,
                oninput: move |_| refused.clear(),
                onsubmit: move |event| {
                    event.prevent_default();
                    save();
                },
                TextArea {
                    id: "change-words-text",
                    label,
                    value: words,
                    hint: text::goes_to_end().to_owned(),
                    rows: 6,
                    autofocus: true,
                }
            }
        }
    }
}

/// Puts the words behind what stands there, on a line of their own.
fn added(visit: &VisitView, edit: &WriteInSection, words: &str) -> Command {
    let section = visit.sections.iter().find(|shown| shown.section == edit.section);
    let text = section.map(|shown| shown.text.as_str()).unwrap_or_default();
    let apart = if text.is_empty() || text.ends_with('\n') {
        ""
    } else {
        "\n"
    };
    Command::from(WriteInSection {
        visit: edit.visit,
        section: edit.section,
        seen: visit.heads.clone(),
        at: text.chars().count(),
        delete: 0,
        insert: format!("{apart}{words}"),
    })
}
