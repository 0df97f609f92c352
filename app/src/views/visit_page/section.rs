//! One part of the notes: its head, whatever stands above the text, and the text as a page to write on.

use crate::components::{Alert, Tint, icon};
use crate::host;
use crate::text;
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::{LdCopy, LdTriangleAlert};
use shared_model::documents::Section;

use super::notes::{Notes, field_id};

pub(super) fn letter(section: Section) -> &'static str {
    match section {
        Section::History => text::letter_history(),
        Section::Examination => text::letter_examination(),
        Section::Assessment => text::letter_assessment(),
        Section::Plan => text::letter_plan(),
    }
}

/// The element that a jump goes to.
pub(super) fn part_id(section: Section) -> String {
    format!("part-{}", section.word())
}

/// `may_write`: this person, in this section, while the visit is open. `why_not` says it in words otherwise.
#[component]
pub(super) fn Part(
    section: Section,
    may_write: bool,
    #[props(default)] why_not: Option<String>,
    children: Element,
) -> Element {
    let heading = format!("heading-{}", section.word());
    let notes = use_context::<Notes>();
    let written = use_memo(move || notes.shown(section));
    let left_over = !may_write && notes.is_unsaved(section);
    rsx! {
        section { class: "soap", id: part_id(section), "aria-labelledby": heading.clone(),
            div { class: "soap__head",
                span { class: "soap__letter", "aria-hidden": "true", {letter(section)} }
                h2 { id: heading, {text::section(section)} }
                if let Some(why) = why_not.filter(|_| !may_write) {
                    span { class: "faint", {why} }
                }
            }
            {children}
            if may_write {
                Writing { section }
            } else if left_over {
                LeftOver { words: written() }
            } else if written.read().is_empty() {
                p { class: "sub", {text::nothing_written()} }
            } else {
                p { class: "written", {written()} }
            }
        }
    }
}

#[component]
fn Writing(section: Section) -> Element {
    let notes = use_context::<Notes>();
    let written = use_memo(move || notes.shown(section));
    let mut focused = notes.focused;
    use_effect(move || {
        // After the field shows the new text.
        if let Some(caret) = notes.caret.read().filter(|caret| caret.section == section) {
            host::select_text(&field_id(section), caret.start, caret.end);
        }
    });
    rsx! {
        div { class: "writing", "data-text": "{written}",
            textarea {
                // The browser keeps what is in a field for its next session otherwise, on the disk and readable.
                "autocomplete": "off",
                id: field_id(section),
                "aria-label": text::section(section),
                rows: 1,
                spellcheck: "true",
                placeholder: placeholder(section),
                value: "{written}",
                oninput: move |event| notes.typed(section, &event.value()),
                onfocus: move |_| focused.set(Some(section)),
                onblur: move |_| {
                    focused.set(None);
                    notes.flush();
                },
            }
        }
    }
}

fn placeholder(section: Section) -> &'static str {
    match section {
        Section::History => text::ask_history(),
        Section::Examination => text::ask_examination(),
        Section::Assessment => text::ask_assessment(),
        Section::Plan => text::ask_plan(),
    }
}

/// Words that could not be saved before the notes were closed: they stay readable, to be taken elsewhere.
#[component]
fn LeftOver(words: String) -> Element {
    let copy = words.clone();
    let mut copied = use_signal(|| None::<bool>);
    rsx! {
        Alert {
            tone: Tint::Danger,
            icon: icon(LdTriangleAlert),
            title: text::left_over(),
            text: words,
            urgent: true,
            button {
                class: "btn btn--sm",
                r#type: "button",
                onclick: move |_| {
                    let copying = host::copy_to_clipboard(&copy);
                    spawn(async move { copied.set(Some(copying.await)) });
                },
                {icon(LdCopy)}
                span { "aria-live": "polite",
                    {copied().map_or(text::copy_text(), text::whether_copied)}
                }
            }
        }
    }
}
