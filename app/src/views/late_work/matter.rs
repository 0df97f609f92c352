//! One piece of late work: whose, when, which record, what it would do, and what can be done about it.

use super::let_go::LetGoDialog;
use super::{Works, why_not};
use crate::components::{MenuButton, MenuItem, icon, use_toasts};
use crate::host::use_host;
use crate::text;
use crate::views::needs_attention::{OpenRecord, Said, decide, use_copy, what};
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::{LdArchiveRestore, LdCircleX, LdCopy, LdEllipsis, LdTrash2};
use local_core::Failure;
use local_core::query::LateMatter;

#[component]
pub(super) fn MatterCard(late: LateMatter, works: Works, offline: bool) -> Element {
    let (host, toasts) = (use_host(), use_toasts());
    let mut letting_go = use_signal(|| false);
    let mut failure = use_signal(|| None::<Failure>);
    let matter = late.matter.clone();
    let title = what(&matter);
    let copy = use_copy(matter.clone());
    let mut let_go = MenuItem::new("let-go", text::let_go(), icon(LdTrash2));
    let_go.danger = true;
    let_go.apart = true;
    let mut items = vec![MenuItem::new("copy", text::copy_it(), icon(LdCopy))];
    if !offline {
        items.push(let_go);
    }
    let hashes = late.hashes.clone();
    let take_over = move |_| {
        decide(
            host,
            works.take_over(hashes.clone()),
            move |decided| match decided {
                Ok(_) => toasts.say(text::on_its_way()),
                Err(why) => {
                    // The page may have been left.
                    if let Ok(mut failure) = failure.try_write() {
                        *failure = Some(why);
                    }
                }
            },
        );
    };
    rsx! {
        section { class: "refused",
            Said { matter: matter.clone(), title: title.clone() }
            if let Some(name) = late.brought_by.clone() {
                p { class: "sub", {text::handed_in_by(text::person(&name))} }
            }
            if let Some(failure) = &*failure.read() {
                p { class: "refused__reason", role: "alert",
                    {icon(LdCircleX)}
                    {why_not(failure)}
                }
            }
            div { class: "refused__actions",
                if matter.command.is_some() {
                    button { class: "btn btn--sm", r#type: "button", disabled: offline, onclick: take_over,
                        {icon(LdArchiveRestore)}
                        {text::take_over()}
                    }
                }
                OpenRecord { matter: matter.clone() }
                div { class: "push",
                    MenuButton {
                        label: text::more_of(title),
                        class: "btn btn--sm btn--icon",
                        items,
                        on_pick: move |key: String| match key.as_str() {
                            "copy" => copy.call(()),
                            _ => letting_go.set(true),
                        },
                        {icon(LdEllipsis)}
                    }
                }
            }
        }
        if letting_go() {
            LetGoDialog { late, on_close: move |()| letting_go.set(false) }
        }
    }
}
