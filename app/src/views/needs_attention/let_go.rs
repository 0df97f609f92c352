//! Letting refused work go: with a reason, which is kept, and a way back.

use super::decide;
use super::matter::{author, what};
use crate::components::{Dialog, TextField, icon, use_minute, use_toasts, use_zone};
use crate::host::use_host;
use crate::text;
use crate::views::refused_fields::use_refused_fields;
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::LdUndo2;
use local_core::Decision;
use local_core::query::Matter;

#[component]
pub(super) fn LetGoDialog(matter: Matter, on_close: EventHandler<()>) -> Element {
    let (host, toasts) = (use_host(), use_toasts());
    let refused = use_refused_fields();
    let reason = use_signal(String::new);
    let title = what(&matter);
    rsx! {
        Dialog {
            title: text::let_go_title(),
            on_close,
            keep_open: true,
            foot: rsx! {
                button { class: "btn", r#type: "button", onclick: move |_| on_close.call(()), {text::not_now()} }
                button { class: "btn btn--danger btn--primary", r#type: "submit", form: "let-go", {text::let_go_do()} }
            },
            form {
                id: "let-go",
                class: "form",
                novalidate: true,
                oninput: move |_| refused.clear(),
                onsubmit: move |event| {
                    event.prevent_default();
                    let rows = matter.rows.clone();
                    let decision = Decision::LetGo {
                        rows: rows.clone(),
                        reason: reason(),
                    };
                    decide(host, decision, move |decided| match decided {
                        Ok(_) => toasts.undo_decision(text::let_go_done(), Decision::PutBack { rows }),
                        Err(failure) => refused.set(failure),
                    });
                },
                p {
                    b { {title} }
                }
                p { class: "sub", {text::let_go_what_stays()} }
                TextField {
                    id: "let-go-why",
                    label: text::let_go_why(),
                    value: reason,
                    error: refused.of("reason", text::reason_label()).or_else(|| refused.besides(&["reason"])),
                    autofocus: true,
                }
            }
        }
    }
}

/// What was let go on this device, by whom and why.
#[component]
pub(super) fn LetGoList(matters: Vec<Matter>) -> Element {
    rsx! {
        h2 { class: "settings__title", {text::let_go_list()} }
        div { class: "card",
            ul { class: "list",
                for matter in matters {
                    Line { key: "{matter.rows[0]}", matter }
                }
            }
        }
    }
}

#[component]
fn Line(matter: Matter) -> Element {
    let (host, toasts, zone) = (use_host(), use_toasts(), use_zone());
    let today = use_minute().read().date_in(&zone);
    let title = what(&matter);
    let moment = |at| text::moment(at, today, &zone);
    let written = text::written_by(author(&matter), moment(matter.made_at));
    let gone = matter.discarded.clone();
    let gone = gone.map(|gone| text::let_go_by(gone.by, gone.reason, moment(gone.at)));
    rsx! {
        li { class: "list__row",
            div { class: "list__main",
                div { class: "list__title", {title} }
                div { class: "list__sub", {gone} }
                div { class: "list__sub list__sub--faint", {written} }
            }
            div { class: "list__end",
                button {
                    class: "btn btn--sm btn--quiet",
                    r#type: "button",
                    onclick: move |_| {
                        let rows = matter.rows.clone();
                        decide(host, Decision::PutBack { rows }, move |decided| match decided {
                            Ok(_) => toasts.say(text::is_put_back()),
                            Err(failure) => toasts.failed(&failure),
                        });
                    },
                    {icon(LdUndo2)}
                    {text::put_back()}
                }
            }
        }
    }
}
