//! One's own account: name, email address and password, as the clinic's server knows them.

use super::Setting;
use super::clinics::MyClinics;
use super::devices::Devices;
use super::factors::SignInFactors;
use super::linked::LinkedAccounts;
use crate::components::{
    CallDialog, Pill, ServerSays, TextField, Tint, TroubleLine, icon, use_asked, use_sending, use_toasts,
};
use crate::host::{Call, Change, Deed, Whose};
use crate::text;
use crate::views::change_way_in::{CanShow, ChangeDialog, use_providers};
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::{LdCheck, LdMailQuestion};
use shared_model::accounts::Me;
use shared_model::values::Invalid;

/// Everything that the server alone knows of whoever is signed in. What decides about signing in is changed in one dialog,
/// which stays whatever the server says meanwhile.
#[component]
pub(super) fn Account() -> Element {
    let (me, asking) = use_asked(Call::me());
    let offline = asking.is_unreachable();
    let mut changing = use_signal(|| None::<Change>);
    rsx! {
        h2 { class: "settings__title", {text::my_account()} }
        ServerSays { asking }
        if let Some(me) = me.clone() {
            WaysIn { me, offline, on_change: move |change| changing.set(Some(change)) }
        }
        h2 { class: "settings__title", {text::my_devices()} }
        Devices { whose: Whose::Mine, briefly: true }
        // Nearly everybody has one clinic.
        if let Some(me) = me.filter(|me| me.memberships.len() > 1) {
            h2 { class: "settings__title", {text::my_clinics()} }
            MyClinics { me, offline }
        }
        if let Some(change) = changing() {
            ChangeDialog { change, on_close: move |()| changing.set(None) }
        }
    }
}

/// Who one is, and what one signs in with.
#[component]
fn WaysIn(me: Me, offline: bool, on_change: EventHandler<Change>) -> Element {
    let providers = use_providers();
    let can_show = CanShow::of(&me, providers.as_ref().ok());
    let proves = matches!(can_show, CanShow::This(_));
    let cannot = offline || !proves;
    let needs_providers = !me.has_password;
    rsx! {
        You { me, offline, can_show: can_show.clone(), on_change }
        SignInFactors { cannot, on_change }
        if can_show == CanShow::Nothing {
            p { class: "sub", {text::no_proof()} }
        }
        match providers {
            Ok(providers) => rsx! {
                LinkedAccounts { providers, cannot, on_change }
            },
            Err(asking) if needs_providers || asking.has_trouble() => rsx! {
                h2 { class: "settings__title", {text::linked_accounts()} }
                ServerSays { asking, briefly: offline }
            },
            Err(_) => rsx! {},
        }
    }
}

#[component]
fn You(me: Me, offline: bool, can_show: CanShow, on_change: EventHandler<Change>) -> Element {
    let toasts = use_toasts();
    let sending = use_sending();
    let mut naming = use_signal(|| false);
    let change_name = move |_| naming.set(true);
    let waits = offline || sending.is_busy();
    let proves = matches!(can_show, CanShow::This(_));
    let about = |what: &'static str| text::change_of_setting(what);
    rsx! {
        if let Some(trouble) = sending.trouble() {
            TroubleLine { trouble }
        }
        div { class: "card",
            Setting { title: text::your_name(), words: me.full_name.clone(),
                button {
                    class: "btn btn--sm",
                    r#type: "button",
                    disabled: offline,
                    "aria-label": about(text::your_name()),
                    onclick: change_name,
                    {text::change_it()}
                }
            }
            Setting { title: text::email(), words: me.email.clone(),
                if me.email_verified {
                    Pill { tone: Tint::Ok, small: true, icon: icon(LdCheck), {text::verified()} }
                } else {
                    Pill { tone: Tint::Warn, small: true, icon: icon(LdMailQuestion), {text::not_verified()} }
                    button {
                        class: "btn btn--sm btn--quiet",
                        r#type: "button",
                        disabled: waits,
                        onclick: move |_| sending.send(Deed::send_verification(), move |_| toasts.say(text::verification_sent())),
                        {text::send_again()}
                    }
                }
                button {
                    class: "btn btn--sm",
                    r#type: "button",
                    disabled: offline || !proves,
                    "aria-label": about(text::email()),
                    onclick: move |_| on_change.call(Change::NewEmail),
                    {text::change_it()}
                }
            }
            if let Some(new) = &me.new_email {
                Setting { title: text::new_email_waits(), words: text::new_email_waits_do(new),
                    button {
                        class: "btn btn--sm",
                        r#type: "button",
                        disabled: waits,
                        "aria-label": text::what_of(text::new_email_waits(), text::leave_new_email()),
                        onclick: move |_| sending.send(Deed::leave_new_email(), move |_| toasts.say(text::new_email_left())),
                        {text::leave_new_email()}
                    }
                }
            }
            if me.has_password {
                Setting { title: text::password(), words: text::password_why(),
                    button {
                        class: "btn btn--sm",
                        r#type: "button",
                        disabled: offline,
                        "aria-label": about(text::password()),
                        onclick: move |_| on_change.call(Change::NewPassword),
                        {text::change_it()}
                    }
                }
            } else {
                Setting { title: text::password(), words: text::no_password_why(),
                    button {
                        class: "btn btn--sm",
                        r#type: "button",
                        disabled: waits || can_show == CanShow::Unknown,
                        onclick: {
                            let email = me.email.clone();
                            move |_| {
                                if proves {
                                    return on_change.call(Change::FirstPassword);
                                }
                                let words = text::choose_password_sent(&email);
                                sending.send(Deed::forgot_password(email.clone()), move |_| toasts.say(words));
                            }
                        },
                        {text::choose_one()}
                    }
                }
            }
        }
        if naming() {
            NameDialog { me, on_close: move |()| naming.set(false) }
        }
    }
}

#[component]
fn NameDialog(me: Me, on_close: EventHandler<()>) -> Element {
    let toasts = use_toasts();
    let sending = use_sending();
    let name = use_signal(|| me.full_name.clone());
    let mut missing = use_signal(|| false);
    rsx! {
        CallDialog {
            title: text::your_name(),
            action: text::save(),
            sending,
            on_close,
            on_submit: move |()| {
                let typed = name.peek().trim().to_owned();
                missing.set(typed.is_empty());
                if missing() {
                    return;
                }
                let back = Deed::change_me(me.full_name.clone());
                sending.send(Deed::change_me(typed), move |_| {
                    toasts.undo_deed(text::name_changed(), back, None);
                    on_close.call(());
                });
            },
            TextField {
                id: "your-name",
                label: text::your_name(),
                value: name,
                autocomplete: "name",
                autofocus: true,
                error: missing().then(|| text::invalid(text::your_name(), Invalid::Empty)),
            }
        }
    }
}
