//! Signing in with email and password.

use crate::components::{Alert, FieldKind, TextField, Tint, icon, logo, use_title};
use crate::host::{self, AddressTrouble, SignInTrouble, use_host};
use crate::text;
use crate::views::shell::LostAlert;
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::{LdCircleAlert, LdClock, LdCloudOff, LdEye, LdEyeOff, LdInbox};

#[component]
pub(crate) fn SignInPage() -> Element {
    use_title(text::sign_in());
    rsx! {
        main { class: "sign-in", id: "content",
            div { class: "sign-in__card",
                div { class: "sign-in__brand",
                    {logo()}
                    div {
                        h1 { {text::app_name()} }
                        p { class: "sub", {text::sign_in_to_clinic()} }
                    }
                }
                LostAlert {}
                SignInForm {}
            }
            p { class: "sign-in__foot", {text::forgot_password()} }
        }
    }
}

/// The form alone; also shown over a page whose session has ended, where the dialog is frame enough.
#[component]
pub(crate) fn SignInForm(
    #[props(default)] in_dialog: bool,
    #[props(default)] on_done: EventHandler<()>,
) -> Element {
    let host = use_host();
    // Whoever signs in again is with the clinic whose records are here.
    let asks_for_address = use_hook(|| host::asks_for_address() && !in_dialog);
    let address = use_signal(host::remembered_address);
    let mut address_trouble = use_signal(|| None::<AddressTrouble>);
    // The first field that waits to be filled.
    let starts_with_address = use_hook(|| asks_for_address && address.peek().is_empty());
    let email = use_signal(String::new);
    let mut password = use_signal(String::new);
    let mut shown = use_signal(|| false);
    let mut busy = use_signal(|| false);
    let mut trouble = use_signal(|| None::<SignInTrouble>);
    let mut missing = use_signal(|| false);
    let slowed = use_memo(move || matches!(*trouble.read(), Some(SignInTrouble::Slowed(left)) if left > 0));
    use_future(move || async move {
        loop {
            host::sleep(1_000).await;
            let left = match *trouble.peek() {
                Some(SignInTrouble::Slowed(left)) => left,
                _ => continue,
            };
            trouble.set((left > 1).then_some(SignInTrouble::Slowed(left.saturating_sub(1))));
        }
    });
    let submit = move |event: FormEvent| {
        event.prevent_default();
        if busy() || slowed() {
            return;
        }
        let (given_email, given_password) = (email().trim().to_owned(), password());
        if asks_for_address {
            address_trouble.set(host::keep_address(&address.peek()).err());
            if address_trouble.peek().is_some() {
                host::focus("clinic-address");
                return;
            }
        }
        missing.set(given_email.is_empty() || given_password.is_empty());
        if missing() {
            host::focus(if given_email.is_empty() {
                "email"
            } else {
                "password"
            });
            return;
        }
        busy.set(true);
        spawn(async move {
            let outcome = host.sign_in(given_email, given_password).await;
            busy.set(false);
            match outcome {
                Ok(()) => {
                    trouble.set(None);
                    on_done.call(());
                }
                Err(why) => {
                    if why == SignInTrouble::Wrong {
                        password.set(String::new());
                        host::focus("password");
                    }
                    trouble.set(Some(why));
                }
            }
        });
    };
    let required = move |value: String, label: &str| {
        (missing() && value.trim().is_empty())
            .then(|| text::invalid(label, shared_model::values::Invalid::Empty))
    };
    rsx! {
        form {
            id: "sign-in",
            class: if in_dialog { "form" } else { "sign-in__form" },
            novalidate: true,
            onmounted: |_| host::focus_into("sign-in"),
            onsubmit: submit,
            if let Some(trouble) = &*trouble.read() {
                TroubleAlert { trouble: trouble.clone() }
            }
            if asks_for_address {
                TextField {
                    id: "clinic-address",
                    label: text::clinic_address(),
                    value: address,
                    hint: text::clinic_address_hint().to_owned(),
                    autocomplete: "url",
                    autofocus: starts_with_address,
                    error: address_trouble().map(|trouble| text::address_trouble(trouble).to_owned()),
                    on_input: move |_| address_trouble.set(None),
                }
            }
            TextField {
                id: "email",
                label: text::email(),
                value: email,
                kind: FieldKind::Email,
                autocomplete: "username",
                autofocus: !starts_with_address,
                error: required(email(), text::email()),
            }
            TextField {
                id: "password",
                label: text::password(),
                value: password,
                kind: if shown() { FieldKind::Text } else { FieldKind::Password },
                autocomplete: "current-password",
                error: required(password(), text::password()),
                button {
                    class: "btn btn--icon",
                    r#type: "button",
                    "aria-label": text::show_password(),
                    "aria-pressed": "{shown}",
                    onclick: move |_| shown.toggle(),
                    if shown() {
                        {icon(LdEyeOff)}
                    } else {
                        {icon(LdEye)}
                    }
                }
            }
            button {
                class: "btn btn--primary btn--lg btn--block",
                r#type: "submit",
                "aria-disabled": "{busy() || slowed()}",
                if busy() {
                    {text::signing_in()}
                } else {
                    {text::sign_in()}
                }
            }
        }
    }
}

#[component]
fn TroubleAlert(trouble: SignInTrouble) -> Element {
    let (title, words) = text::sign_in_trouble(&trouble);
    let (tone, icon) = match trouble {
        SignInTrouble::Wrong | SignInTrouble::Odd => (Tint::Danger, icon(LdCircleAlert)),
        SignInTrouble::Slowed(_) => (Tint::Warn, icon(LdClock)),
        SignInTrouble::Unreachable => (Tint::Warn, icon(LdCloudOff)),
        SignInTrouble::WorkWaits { .. } => (Tint::Warn, icon(LdInbox)),
    };
    rsx! {
        Alert { tone, icon, title, text: words, line: true, urgent: true }
    }
}
