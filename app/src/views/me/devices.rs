//! The devices that somebody has signed in on: their own, or those of a member of the staff.

use crate::components::{
    CallDialog, ConfirmDialog, EmptyState, MenuButton, MenuItem, Pill, Question, ServerSays, TextField, Tint,
    Toasts, icon, icon_xl, use_asked, use_minute, use_sending, use_toasts, use_zone,
};
use crate::host::{Call, Deed, Host, Whose};
use crate::text;
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::{
    LdEllipsis, LdLogOut, LdMonitor, LdPencil, LdSearchCheck, LdShieldAlert, LdSmartphone,
};
use shared_model::accounts::Device;

/// `name` is whose they are, if they are not one's own.
#[component]
pub(crate) fn Devices(
    whose: Whose,
    #[props(default)] name: String,
    #[props(default)] briefly: bool,
) -> Element {
    let (devices, asking) = use_asked(Call::devices(whose));
    rsx! {
        ServerSays { asking, briefly }
        if let Some(devices) = devices {
            div { class: "card",
                if devices.is_empty() {
                    EmptyState { icon: icon_xl(LdMonitor), title: text::no_devices(), text: text::no_devices_why() }
                }
                ul { class: "list",
                    for device in devices {
                        DeviceRow {
                            key: "{device.device}",
                            device,
                            whose,
                            name: name.clone(),
                            offline: asking.is_unreachable(),
                        }
                    }
                }
            }
        }
    }
}

#[component]
fn DeviceRow(device: Device, whose: Whose, name: String, offline: bool) -> Element {
    let zone = use_zone();
    let today = use_minute().read().date_in(&zone);
    let toasts = use_toasts();
    let mut question = use_signal(|| None::<Question>);
    let mut renaming = use_signal(|| false);
    let moment = |at| text::moment(at, today, &zone);
    let id = device.device;
    let shown = if device.name.is_empty() {
        text::unnamed_device().to_owned()
    } else {
        device.name.clone()
    };
    let since = text::date_plain(device.first_seen.date_in(&zone));
    let seen = text::device_seen(moment(device.last_seen), since);
    let lost = device.lost_at.map(|at| match device.purged_at {
        Some(purged) => text::device_lost_purged(moment(at), moment(purged)),
        None => text::device_lost_waits(moment(at)),
    });
    let mut items = Vec::new();
    if whose == Whose::Mine {
        items.push(MenuItem::new("rename", text::rename(), icon(LdPencil)));
    }
    if device.signed_in && !device.current {
        items.push(MenuItem::new("sign-out", text::sign_out_there(), icon(LdLogOut)));
    }
    if device.lost_at.is_some() {
        items.push(MenuItem::new("found", text::found_again(), icon(LdSearchCheck)));
    } else if !device.current {
        items.push(MenuItem {
            danger: true,
            apart: !items.is_empty(),
            ..MenuItem::new("lost", text::report_lost(), icon(LdShieldAlert))
        });
    }
    let pick = {
        let (shown, name) = (shown.clone(), name.clone());
        move |key: String| {
            let asked = match key.as_str() {
                "rename" => return renaming.set(true),
                "found" => {
                    let back = Deed::report_lost(whose, id);
                    let words = text::device_found(&shown);
                    return take_back_lost(Deed::found_again(whose, id), back, words, toasts);
                }
                "sign-out" => Question {
                    title: text::sign_out_device_question(&shown),
                    consequences: vec![if name.is_empty() {
                        text::sign_out_device_mine().to_owned()
                    } else {
                        text::sign_out_device_of(&name)
                    }],
                    action: text::sign_out_there(),
                    deed: Deed::sign_out_device(whose, id),
                    done: text::device_signed_out(&shown),
                },
                _ => Question {
                    title: text::report_lost_question(&shown),
                    consequences: vec![
                        text::report_lost_what().to_owned(),
                        text::report_lost_unsent().to_owned(),
                        text::report_lost_found().to_owned(),
                    ],
                    action: text::report_lost(),
                    deed: Deed::report_lost(whose, id),
                    done: text::device_reported(&shown),
                },
            };
            question.set(Some(asked));
        }
    };
    let is_phone = ["Android", "iPhone", "iPad"]
        .iter()
        .any(|word| device.name.contains(word));
    rsx! {
        li { class: "list__row device",
            if is_phone {
                {icon(LdSmartphone)}
            } else {
                {icon(LdMonitor)}
            }
            div { class: "list__main",
                div { class: "list__title", {shown.clone()} }
                div { class: "list__sub", {seen} }
                if let Some(lost) = lost {
                    div { class: "list__sub device__lost", {lost} }
                }
            }
            div { class: "list__end",
                if device.lost_at.is_some() {
                    Pill { tone: Tint::Danger, small: true, icon: icon(LdShieldAlert), {text::lost()} }
                } else if device.current {
                    Pill { tone: Tint::Accent, small: true, {text::this_device()} }
                } else if !device.signed_in {
                    Pill { small: true, {text::signed_out()} }
                }
                if !items.is_empty() && !offline {
                    MenuButton { label: text::more_of(&shown), class: "btn btn--quiet btn--icon btn--sm", items, on_pick: pick, {icon(LdEllipsis)} }
                }
            }
            if renaming() {
                RenameDialog { device: device.clone(), on_close: move |()| renaming.set(false) }
            }
            if let Some(asked) = question() {
                ConfirmDialog { question: asked, on_close: move |()| question.set(None) }
            }
        }
    }
}

/// Nothing is lost by a device that was found: it is done at once, and can be taken back.
fn take_back_lost(deed: Deed, back: Deed, words: String, toasts: Toasts) {
    let host: Host = consume_context();
    spawn(async move {
        match host.call(deed).await {
            Ok(_) => toasts.undo_deed(words, back, None),
            Err(why) => toasts.say(text::call_trouble_line(&why)),
        }
    });
}

#[component]
fn RenameDialog(device: Device, on_close: EventHandler<()>) -> Element {
    let toasts = use_toasts();
    let sending = use_sending();
    let name = use_signal(|| device.name.clone());
    rsx! {
        CallDialog {
            title: text::rename_device(),
            action: text::save(),
            sending,
            on_close,
            on_submit: move |()| {
                let (id, before) = (device.device, device.name.clone());
                let deed = Deed::name_device(id, name.peek().trim().to_owned());
                sending.send(deed, move |_| {
                    toasts.undo_deed(text::device_renamed(), Deed::name_device(id, before), None);
                    on_close.call(());
                });
            },
            TextField { id: "device-name", label: text::device_name(), value: name, hint: text::device_name_hint().to_owned(), autofocus: true }
        }
    }
}
