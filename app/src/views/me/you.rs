//! One's own account: name, email address and password, as the clinic's server knows them.

use super::Setting;
use super::clinics::MyClinics;
use super::devices::Devices;
use super::factors::SignInFactors;
use super::linked::LinkedAccounts;
use crate::components::{
    CallDialog, FieldKind, PasswordField, Pill, ServerSays, TextField, Tint, WhosePassword, icon, use_asked,
    use_sending, use_toasts,
};
use crate::host::{Call, CallTrouble, Deed, Whose};
use crate::text;
use crate::views::door::too_short;
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::{LdCheck, LdMailQuestion};
use shared_model::accounts::{ChangeEmail, ChangePassword, Me};
use shared_model::values::Invalid;

#[derive(Clone, Copy, PartialEq)]
enum Changing {
    Name,
    Email,
    Password,
}

/// Everything that the server alone knows of whoever is signed in.
#[component]
pub(super) fn Account() -> Element {
    let (me, asking) = use_asked(Call::me());
    let offline = asking.is_unreachable();
    rsx! {
        h2 { class: "settings__title", {text::my_account()} }
        ServerSays { asking }
        if let Some(me) = me.clone() {
            You { me: me.clone(), offline }
            SignInFactors { me: me.clone(), offline }
            LinkedAccounts { me, offline }
        }
        h2 { class: "settings__title", {text::my_devices()} }
        Devices { whose: Whose::Mine, briefly: true }
        // Nearly everybody has one clinic.
        if let Some(me) = me.filter(|me| me.memberships.len() > 1) {
            h2 { class: "settings__title", {text::my_clinics()} }
            MyClinics { me, offline }
        }
    }
}

#[component]
fn You(me: Me, offline: bool) -> Element {
    let toasts = use_toasts();
    let sending = use_sending();
    let mut changing = use_signal(|| None::<Changing>);
    let close = move |()| changing.set(None);
    let change = move |what: Changing, label: &'static str| {
        rsx! {
            button {
                class: "btn btn--sm",
                r#type: "button",
                disabled: offline,
                "aria-label": text::change_of_setting(label),
                onclick: move |_| changing.set(Some(what)),
                {text::change_it()}
            }
        }
    };
    rsx! {
            div { class: "card",
                Setting { title: text::your_name(), words: me.full_name.clone(), {change(Changing::Name, text::your_name())} }
                Setting { title: text::email(), words: me.email.clone(),
                    if me.email_verified {
                        Pill { tone: Tint::Ok, small: true, icon: icon(LdCheck), {text::verified()} }
                    } else {
                        Pill { tone: Tint::Warn, small: true, icon: icon(LdMailQuestion), {text::not_verified()} }
                        button {
                            class: "btn btn--sm btn--quiet",
                            r#type: "button",
                            disabled: offline || sending.is_busy(),
                            onclick: move |_| sending.send(Deed::send_verification(), move |_| toasts.say(text::verification_sent())),
                            {text::send_again()}
                        }
                    }
                    {change(Changing::Email, text::email())}
                }
                if let Some(new) = &me.new_email {
                    Setting { title: text::new_email_waits(), words: text::new_email_waits_do(new) }
                }
                if me.has_password {
                    Setting { title: text::password(), words: text::password_why(), {change(Changing::Password, text::password())} }
                } else {
                    Setting { title: text::password(), words: text::no_password_why(),
                        button {
                            class: "btn btn--sm",
                            r#type: "button",
                            disabled: offline || sending.is_busy(),
                            onclick: {
                                let email = me.email.clone();
                                move |_| {
                                    let words = text::choose_password_sent(&email);
                                    sending.send(Deed::forgot_password(email.clone()), move |_| toasts.say(words));
                                }
                            },
                            {text::choose_one()}
                        }
                    }
                }
            }
            match changing() {
                None => rsx! {},
                Some(Changing::Name) => rsx! {
                    NameDialog { me, on_close: close }
                },
                Some(Changing::Email) => rsx! {
                    EmailDialog { on_close: close }
                },
                Some(Changing::Password) => rsx! {
                    PasswordDialog { email: me.email.clone(), on_close: close }
                },
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

#[component]
fn EmailDialog(on_close: EventHandler<()>) -> Element {
    let toasts = use_toasts();
    let sending = use_sending();
    let email = use_signal(String::new);
    let password = use_signal(String::new);
    let wrong = sending
        .is(&CallTrouble::WrongCredentials)
        .then(|| text::password_not_that().to_owned());
    rsx! {
        CallDialog {
            title: text::change_email(),
            action: text::send_mail(),
            sending,
            on_close,
            keep_open: true,
            known: vec![CallTrouble::WrongCredentials],
            on_submit: move |()| {
                let email = email.peek().trim().to_owned();
                let change = ChangeEmail { password: password.peek().clone(), email };
                sending.send(Deed::change_email(&change), move |_| {
                    toasts.say(text::new_email_sent(change.email));
                    on_close.call(());
                });
            },
            p { class: "sub", {text::change_email_how()} }
            TextField {
                id: "new-email",
                label: text::new_email(),
                value: email,
                kind: FieldKind::Email,
                autocomplete: "email",
                autofocus: true,
            }
            PasswordField { id: "password-now", label: text::your_password(), value: password, error: wrong }
        }
    }
}

#[component]
fn PasswordDialog(email: String, on_close: EventHandler<()>) -> Element {
    let toasts = use_toasts();
    let sending = use_sending();
    let current = use_signal(String::new);
    let new = use_signal(String::new);
    let mut short = use_signal(|| None);
    let wrong = sending
        .is(&CallTrouble::WrongCredentials)
        .then(|| text::password_not_that().to_owned());
    let weak = sending
        .is(&CallTrouble::WeakPassword)
        .then(|| text::password_weak().to_owned());
    rsx! {
        CallDialog {
            title: text::change_password(),
            action: text::save_password(),
            sending,
            on_close,
            keep_open: true,
            known: vec![CallTrouble::WrongCredentials, CallTrouble::WeakPassword],
            on_submit: move |()| {
                short.set(too_short(&new.peek()));
                if short.peek().is_some() {
                    return;
                }
                let change = ChangePassword { current: current.peek().clone(), new: new.peek().clone() };
                sending.send(Deed::change_password(&change), move |_| {
                    toasts.say(text::password_changed());
                    on_close.call(());
                });
            },
            WhosePassword { email }
            PasswordField { id: "password-now", label: text::your_password(), value: current, autofocus: true, error: wrong }
            PasswordField {
                id: "password-new",
                label: text::new_password(),
                value: new,
                new: true,
                error: short().or(weak),
                on_input: move |_| short.set(None),
            }
            p { class: "sub", {text::change_signs_out()} }
        }
    }
}
