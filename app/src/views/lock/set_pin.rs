//! Setting a PIN: offered when somebody works here without one, changed in Me.

use crate::components::{Dialog, FieldKind, PasswordField, TextField, Tint, icon, use_toasts};
use crate::host::{self, PinRefused, use_host};
use crate::text;
use crate::views::shell::{Banner, SignInAgainDialog};
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::{LdKeyRound, LdLockOpen};

/// Offers a PIN to whoever has none; asks who works on records of a former build to protect them.
#[component]
pub(crate) fn PinBanner() -> Element {
    let host = use_host();
    let mut later = use_signal(|| false);
    let mut open = use_signal(|| false);
    let protection = host.protection.read();
    let Some(protection) = protection.as_ref() else {
        return rsx! {};
    };
    if protection.is_former {
        return rsx! {
            Banner { tone: Tint::Warn, icon: icon(LdLockOpen), title: text::not_protected(), words: text::not_protected_why(),
                button { class: "btn btn--sm btn--primary", r#type: "button", onclick: move |_| open.set(true),
                    {text::sign_in_again()}
                }
            }
            if open() {
                SignInAgainDialog { on_close: move |()| open.set(false) }
            }
        };
    }
    if (protection.has_pin && !open()) || later() {
        return rsx! {};
    }
    rsx! {
        Banner { tone: Tint::Info, icon: icon(LdKeyRound), title: text::pin_offer(), words: text::pin_offer_why(),
            button { class: "btn btn--sm", r#type: "button", onclick: move |_| later.set(true), {text::not_now()} }
            button { class: "btn btn--sm btn--primary", r#type: "button", onclick: move |_| open.set(true),
                {text::set_pin()}
            }
        }
        if open() {
            PinDialog { on_close: move |()| open.set(false) }
        }
    }
}

#[component]
pub(crate) fn PinDialog(on_close: EventHandler<()>) -> Element {
    let host = use_host();
    let toasts = use_toasts();
    let pin = use_signal(String::new);
    let again = use_signal(String::new);
    let password = use_signal(String::new);
    // Whoever has none here signs in again instead, as through a provider.
    let has_password = host
        .protection
        .peek()
        .as_ref()
        .is_some_and(|protection| protection.has_password);
    let mut asks_proof = use_signal(|| false);
    let mut signs_in = use_signal(|| false);
    let mut busy = use_signal(|| false);
    let mut differs = use_signal(|| false);
    let mut refused = use_signal(|| None::<PinRefused>);
    let mut submit = move || {
        if busy() {
            return;
        }
        refused.set(None);
        differs.set(pin.peek().as_str() != again.peek().as_str());
        if differs() {
            return host::focus("pin-again");
        }
        busy.set(true);
        spawn(async move {
            let (given, proof) = (pin.peek().clone(), password.peek().clone());
            match host.set_pin(given, proof).await {
                Ok(()) => {
                    toasts.say(text::pin_is_set());
                    on_close.call(());
                }
                Err(why) => {
                    busy.set(false);
                    asks_proof.set(asks_proof() || why == PinRefused::NotProven);
                    refused.set((why != PinRefused::NotProven).then_some(why));
                    host::focus(match why {
                        PinRefused::Pin(_) | PinRefused::Storage(_) => "pin",
                        PinRefused::NotProven | PinRefused::WrongPassword | PinRefused::Wait(_) => {
                            "pin-password"
                        }
                    });
                }
            }
        });
    };
    if signs_in() {
        return rsx! {
            SignInAgainDialog { on_close: move |()| signs_in.set(false) }
        };
    }
    let words = |why| text::pin_refused(why, host::now());
    let wrong = *refused.read();
    let of_pin = wrong.filter(|why| matches!(why, PinRefused::Pin(_) | PinRefused::Storage(_)));
    let of_password = wrong.filter(|why| matches!(why, PinRefused::WrongPassword | PinRefused::Wait(_)));
    rsx! {
        Dialog {
            title: text::set_pin(),
            on_close,
            keep_open: true,
            foot: rsx! {
                button { class: "btn", r#type: "button", onclick: move |_| on_close.call(()), {text::not_now()} }
                button {
                    class: "btn btn--primary",
                    r#type: "submit",
                    form: "set-pin",
                    "aria-disabled": "{busy}",
                    {text::set_pin()}
                }
            },
            form {
                id: "set-pin",
                class: "form",
                novalidate: true,
                onsubmit: move |event| {
                    event.prevent_default();
                    submit();
                },
                p { class: "sub", {text::pin_what_for()} }
                TextField {
                    id: "pin",
                    label: text::new_pin(),
                    value: pin,
                    kind: FieldKind::Pin,
                    autofocus: true,
                    hint: text::pin_rules().to_owned(),
                    error: of_pin.map(words),
                    on_input: move |_| refused.set(None),
                }
                TextField {
                    id: "pin-again",
                    label: text::pin_again(),
                    value: again,
                    kind: FieldKind::Pin,
                    error: differs().then(|| text::pins_differ().to_owned()),
                    on_input: move |_| differs.set(false),
                }
                if asks_proof() && !has_password {
                    p { class: "sub", {text::pin_needs_sign_in()} }
                    button { class: "btn", r#type: "button", onclick: move |_| signs_in.set(true), {text::sign_in_again()} }
                } else if asks_proof() {
                    p { class: "sub", {text::pin_needs_password()} }
                    PasswordField {
                        id: "pin-password",
                        label: text::password(),
                        value: password,
                        error: of_password.map(words),
                        on_input: move |_| refused.set(None),
                    }
                }
            }
        }
    }
}
