//! One thing that the clinic did not take: what it was, whose, why not, and what can be done about it.

use super::change_it::{ChangeDialog, can_be_changed};
use super::decide;
use super::let_go::LetGoDialog;
use crate::components::{
    Dialog, MenuButton, MenuItem, PageLink, icon, use_clinic, use_minute, use_toasts, use_zone,
};
use crate::host::{self, use_host};
use crate::text;
use crate::views::outbox::record_of;
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::{
    LdCircleX, LdCopy, LdEllipsis, LdInbox, LdPencil, LdRefreshCw, LdTrash2, LdUserPlus,
};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use local_core::query::Matter;
use local_core::{Decision, Failure};
use shared_model::commands::Command;
use shared_model::documents::ClinicSettings;
use shared_model::permissions::Role;

#[derive(Clone, Copy, PartialEq)]
enum Open {
    Nothing,
    Change,
    HandOver,
    LetGo,
}

/// "Rex: details changed".
pub(in crate::views) fn what(matter: &Matter) -> String {
    text::change(&matter.verb, matter.kind, &matter.about)
}

/// The label of typed words: the text they belong to.
fn text_of(matter: &Matter) -> Option<&'static str> {
    match &matter.command {
        Some(Command::WriteInSection(edit)) => Some(text::section(edit.section)),
        _ => None,
    }
}

/// Everything about it as text: for a letter, or for doing it again by hand somewhere else.
pub(super) fn whole(matter: &Matter, settings: &ClinicSettings, today: Date, zone: &TimeZone) -> String {
    let date = text::date_long(matter.made_at.date_in(zone), today);
    let when = text::date_and_time(date, text::time_of(matter.made_at, zone));
    let mut lines = vec![what(matter), text::written_by(author(matter), when)];
    if let Some(command) = &matter.command {
        let asked = text::asked_for(command, settings, today, zone);
        lines.extend(
            asked
                .into_iter()
                .map(|(label, value)| format!("{label}: {value}")),
        );
    }
    if let Some(label) = text_of(matter).filter(|_| !matter.words.is_empty()) {
        lines.push(format!("{label}: {}", matter.words));
    }
    lines.push(text::not_taken(text::refusal(matter.code)));
    lines.join("\n")
}

pub(crate) fn author(matter: &Matter) -> String {
    if matter.author.is_empty() {
        text::somebody().to_owned()
    } else {
        matter.author.clone()
    }
}

/// To the record that it is about.
#[component]
pub(crate) fn OpenRecord(matter: Matter) -> Element {
    rsx! {
        if let Some(route) = record_of(matter.kind, matter.document) {
            PageLink { to: route, class: "btn btn--sm btn--quiet",
                if matter.about.is_empty() {
                    {text::open_record()}
                } else {
                    {text::open_record_of(matter.about.clone())}
                }
            }
        }
    }
}

#[component]
pub(super) fn MatterCard(matter: Matter) -> Element {
    let (host, toasts) = (use_host(), use_toasts());
    let clinic = use_clinic();
    let mut open = use_signal(|| Open::Nothing);
    let mut failure = use_signal(|| None::<Failure>);
    let title = what(&matter);
    let administers = clinic.read().as_ref().is_some_and(|clinic| {
        let me = clinic.me.as_ref();
        me.is_some_and(|me| me.roles.contains(&Role::ClinicAdministrator))
    });
    let mut items = vec![MenuItem::new("copy", text::copy_it(), icon(LdCopy))];
    if matter.mine {
        items.push(MenuItem::new("hand-over", text::hand_over(), icon(LdUserPlus)));
    }
    if matter.mine || administers {
        let mut let_go = MenuItem::new("let-go", text::let_go(), icon(LdTrash2));
        let_go.danger = true;
        let_go.apart = true;
        items.push(let_go);
    }
    let copy = use_copy(matter.clone());
    let again = {
        let rows = matter.rows.clone();
        move |_| {
            let rows = rows.clone();
            decide(host, Decision::Again { rows }, move |decided| match decided {
                Ok(_) => toasts.say(text::on_its_way()),
                Err(why) => {
                    // The page may have been left.
                    if let Ok(mut failure) = failure.try_write() {
                        *failure = Some(why);
                    }
                }
            });
        }
    };
    rsx! {
        section { class: "refused",
            Said { matter: matter.clone(), title }
            if let Some(failure) = &*failure.read() {
                p { class: "refused__reason", role: "alert",
                    {icon(LdCircleX)}
                    {text::failure(failure)}
                }
            } else {
                p { class: "refused__reason",
                    {icon(LdCircleX)}
                    {text::refusal(matter.code)}
                }
            }
            div { class: "refused__actions",
                if matter.command.is_some() {
                    button { class: "btn btn--sm", r#type: "button", onclick: again,
                        if matter.mine {
                            {icon(LdRefreshCw)}
                            {text::try_again()}
                        } else {
                            {icon(LdUserPlus)}
                            {text::do_as_mine()}
                        }
                    }
                }
                if can_be_changed(&matter) {
                    button { class: "btn btn--sm", r#type: "button", onclick: move |_| open.set(Open::Change),
                        {icon(LdPencil)}
                        {text::change_it()}
                    }
                }
                OpenRecord { matter: matter.clone() }
                div { class: "push",
                    MenuButton {
                        label: text::more_of(what(&matter)),
                        class: "btn btn--sm btn--icon",
                        items,
                        on_pick: move |key: String| match key.as_str() {
                            "copy" => copy.call(()),
                            "hand-over" => open.set(Open::HandOver),
                            _ => open.set(Open::LetGo),
                        },
                        {icon(LdEllipsis)}
                    }
                }
            }
        }
        match open() {
            Open::Nothing => VNode::empty(),
            Open::Change => rsx! {
                ChangeDialog { matter, on_close: move |()| open.set(Open::Nothing) }
            },
            Open::HandOver => rsx! {
                HandOverDialog { rows: matter.rows.clone(), copy, on_close: move |()| open.set(Open::Nothing) }
            },
            Open::LetGo => rsx! {
                LetGoDialog { matter, on_close: move |()| open.set(Open::Nothing) }
            },
        }
    }
}

pub(in crate::views) fn use_copy(matter: Matter) -> Callback<()> {
    let (toasts, clinic, zone) = (use_toasts(), use_clinic(), use_zone());
    let today = use_minute().read().date_in(&zone);
    use_callback(move |()| {
        if let Some(clinic) = &*clinic.peek() {
            let copying = host::copy_to_clipboard(&whole(&matter, &clinic.settings, today, &zone));
            spawn(async move { toasts.say(text::whether_copied(copying.await)) });
        }
    })
}

/// Title and what was asked for.
#[component]
pub(in crate::views) fn Said(matter: Matter, title: String) -> Element {
    let zone = use_zone();
    let today = use_minute().read().date_in(&zone);
    let clinic = use_clinic();
    let when = text::moment(matter.made_at, today, &zone);
    let asked = match (&matter.command, &*clinic.read()) {
        (Some(command), Some(clinic)) => text::asked_for(command, &clinic.settings, today, &zone),
        _ => Vec::new(),
    };
    let words = text_of(&matter);
    rsx! {
        div { class: "refused__head",
            h2 { class: "refused__title", {title} }
            span { class: "faint",
                if matter.mine {
                    {text::written_at(when)}
                } else {
                    {text::written_by(author(&matter), when)}
                }
            }
        }
        if !asked.is_empty() {
            dl { class: "facts",
                for (label , value) in asked {
                    dt { {label} }
                    dd { {value} }
                }
            }
        }
        if let Some(label) = words {
            figure { class: "refused__words",
                figcaption { class: "faint", {label} }
                if matter.words.is_empty() {
                    p { class: "sub", {text::only_taken_away()} }
                } else {
                    blockquote { {matter.words.clone()} }
                }
            }
        }
        if matter.command.is_none() {
            p { class: "sub", {text::not_readable_here()} }
        }
    }
}

#[component]
fn HandOverDialog(rows: Vec<i64>, copy: Callback<()>, on_close: EventHandler<()>) -> Element {
    let (host, toasts) = (use_host(), use_toasts());
    let hand_in = move |_| {
        let decision = Decision::HandIn { rows: rows.clone() };
        decide(host, decision, move |decided| match decided {
            Ok(_) => toasts.say(text::goes_to_administrator()),
            Err(failure) => toasts.failed(&failure),
        });
        on_close.call(());
    };
    rsx! {
        Dialog {
            title: text::hand_over_title(),
            on_close,
            foot: rsx! {
                button { class: "btn", r#type: "button", onclick: move |_| on_close.call(()), {text::close()} }
                button {
                    class: "btn btn--primary",
                    r#type: "button",
                    "data-autofocus": "",
                    onclick: move |_| {
                        copy.call(());
                        on_close.call(());
                    },
                    {icon(LdCopy)}
                    {text::copy_it()}
                }
            },
            dl { class: "ways",
                dt { {text::hand_over_here()} }
                dd { {text::hand_over_here_how()} }
                dt { {text::hand_over_elsewhere()} }
                dd { {text::hand_over_elsewhere_how()} }
                dt { {text::hand_over_administrator()} }
                dd {
                    p { {text::hand_over_administrator_how()} }
                    button { class: "btn btn--sm", r#type: "button", onclick: hand_in,
                        {icon(LdInbox)}
                        {text::hand_over_administrator_do()}
                    }
                }
            }
        }
    }
}
