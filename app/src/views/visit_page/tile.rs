//! One measured value: typed in place, recorded when the field is left or with Enter.

use crate::components::{Tint, icon, use_leaving};
use crate::host;
use crate::text;
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::LdTriangleAlert;
use local_core::Failure;
use shared_model::commands::CommandError;

/// What a tile says below its value.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Note {
    pub words: String,
    pub warns: bool,
}

/// Where a typed value goes; the tile hears what became of it through `answer`.
#[derive(Clone, PartialEq)]
pub(super) struct Typed {
    pub value: String,
    pub answer: Callback<Result<(), Failure>>,
}

#[component]
pub(super) fn Tile(
    #[props(into)] id: String,
    #[props(into)] label: String,
    #[props(into)] unit: String,
    value: String,
    note: Note,
    may_write: bool,
    /// Typed below the value, as the colour of the gums below their refill.
    #[props(default = VNode::empty())]
    below: Element,
    on_typed: EventHandler<Typed>,
) -> Element {
    // What is typed and not yet recorded; the recorded value shows otherwise.
    let mut typed = use_signal(|| None::<String>);
    let mut error = use_signal(|| None::<String>);
    let label = use_signal(|| label);
    let answer = use_callback(move |outcome: Result<(), Failure>| match outcome {
        Ok(()) => {
            error.set(None);
            spawn(async move {
                // Until the view with it is there, so that the former value does not flash up.
                host::sleep(80).await;
                typed.set(None);
            });
        }
        Err(Failure::Command(CommandError::Invalid { why, .. })) => {
            error.set(Some(text::invalid(&label.peek(), why)))
        }
        Err(failure) => error.set(Some(text::failure(&failure))),
    });
    let shown = typed().unwrap_or_else(|| value.clone());
    let recorded = value.clone();
    let record = use_callback(move |()| {
        let Some(new) = typed.peek().clone() else { return };
        if new.trim() == recorded {
            typed.set(None);
            error.set(None);
        } else {
            on_typed.call(Typed {
                value: new.trim().to_owned(),
                answer,
            });
        }
    });
    use_leaving(move || typed.peek().is_some(), record);
    let tone = if error().is_some() && may_write {
        Tint::Danger
    } else if note.warns {
        Tint::Warn
    } else {
        Tint::Plain
    };
    let note_id = format!("{id}-note");
    if !may_write {
        return rsx! {
            div { class: "vital", "data-tone": tone.word(),
                span { class: "vital__name", {label()} }
                span { class: "vital__value",
                    if value.is_empty() {
                        "–"
                    } else {
                        {value}
                        span { class: "vital__unit", {unit} }
                    }
                }
                span { class: "vital__note", {note.words} }
                {below}
            }
        };
    }
    rsx! {
        label { class: "vital", "data-tone": tone.word(),
            span { class: "vital__name", {label()} }
            span { class: "vital__value",
                input {
                    id,
                    class: "vital__input",
                    inputmode: "decimal",
                    autocomplete: "off",
                    size: 4,
                    placeholder: "–",
                    value: shown,
                    "aria-describedby": note_id.clone(),
                    "aria-invalid": error().is_some().then_some("true"),
                    oninput: move |event| typed.set(Some(event.value())),
                    onblur: move |_| record.call(()),
                    onkeydown: move |event| match event.key() {
                        Key::Enter if event.modifiers().is_empty() => {
                            event.prevent_default();
                            record.call(());
                        }
                        Key::Escape if typed.peek().is_some() => {
                            event.stop_propagation();
                            typed.set(None);
                            error.set(None);
                        }
                        _ => {}
                    },
                }
                span { class: "vital__unit", {unit} }
            }
            span { class: "vital__note", id: note_id, role: "status",
                if let Some(error) = error() {
                    {icon(LdTriangleAlert)}
                    {error}
                } else {
                    {note.words}
                }
            }
            {below}
        }
    }
}
