//! One person's PIN or password.

use super::keypad::Keypad;
use crate::components::{Alert, FieldKind, PasswordField, TextField, Tint, icon};
use crate::host::{self, UnlockTrouble, use_host};
use crate::text;
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::{LdCircleAlert, LdClock, LdHardDrive, LdKeyRound};
use local_core::StorageTrouble;
use local_core::unlock::{LONGEST_WAIT_MS, PersonHere, Way};
use shared_model::time::Timestamp;
use shared_model::values::Invalid;

const FIELD: &str = "secret";

#[component]
pub(super) fn UnlockForm(person: PersonHere, trouble: Signal<Option<UnlockTrouble>>) -> Element {
    let host = use_host();
    let mut trouble = trouble;
    let has_pin = person.pin_tries.is_some();
    let mut prefers_password = use_signal(|| false);
    let way = if has_pin && !prefers_password() {
        Way::Pin
    } else {
        Way::Password
    };
    let mut typed = use_signal(String::new);
    let mut busy = use_signal(|| false);
    let mut missing = use_signal(|| false);
    // Known from the last attempt, or from before the program started.
    let mut from = use_signal(|| person.password_from.filter(|_| !has_pin));
    let mut left = use_signal(|| seconds_until(*from.peek()));
    use_future(move || async move {
        loop {
            host::sleep(500).await;
            let now_left = seconds_until(*from.peek());
            if *left.peek() != now_left {
                left.set(now_left);
            }
        }
    });
    let waits = way == Way::Password && left() > 0;
    let account = person.account;
    let mut submit = move || {
        if busy() || waits {
            return;
        }
        missing.set(typed.peek().is_empty());
        if missing() {
            return host::focus(FIELD);
        }
        busy.set(true);
        let secret = typed.take();
        // It goes with the lock once it worked, and with another person's name: nobody waits for what came of it then.
        spawn(async move {
            let outcome = host.unlock(account, way, secret).await;
            if let Err(why) = outcome {
                if let UnlockTrouble::Wrong {
                    next: Some(until), ..
                }
                | UnlockTrouble::Wait(until) = &why
                {
                    from.set(Some(*until));
                    left.set(seconds_until(Some(*until)));
                }
                trouble.set(Some(why));
                busy.set(false);
                host::focus(FIELD);
            }
        });
    };
    let mut switch = move |to_password: bool| {
        prefers_password.set(to_password);
        typed.set(String::new());
        trouble.set(None);
        missing.set(false);
    };
    let label = match way {
        Way::Pin => text::pin(),
        Way::Password => text::password(),
    };
    let error = missing().then(|| text::invalid(label, Invalid::Empty));
    let heard = move |_| missing.set(false);
    // Also after the way has changed, which is another field.
    use_effect(use_reactive!(|way| {
        let _ = way;
        host::focus(FIELD);
    }));
    rsx! {
        form {
            class: "sign-in__form",
            novalidate: true,
            onsubmit: move |event| {
                event.prevent_default();
                submit();
            },
            if waits {
                Alert {
                    tone: Tint::Warn,
                    icon: icon(LdClock),
                    title: text::slow_down(),
                    text: text::slow_down_do(format!("{}:{:02}", left() / 60, left() % 60)),
                    line: true,
                    urgent: true,
                }
            } else if let Some(why) = &*trouble.read() {
                UnlockAlert { trouble: why.clone(), has_password: person.has_password }
            } else if !has_pin && !person.has_password {
                Alert { tone: Tint::Info, icon: icon(LdKeyRound), title: text::only_by_signing_in(), line: true }
            }
            if has_pin || person.has_password {
                match way {
                    Way::Pin => rsx! {
                        TextField { id: FIELD, label, value: typed, kind: FieldKind::Pin, error, on_input: heard }
                        Keypad { typed }
                    },
                    Way::Password => rsx! {
                        PasswordField { id: FIELD, label, value: typed, error, on_input: heard }
                    },
                }
                button {
                    class: "btn btn--primary btn--lg btn--block",
                    r#type: "submit",
                    "aria-disabled": "{busy() || waits}",
                    if busy() {
                        {text::unlocking()}
                    } else {
                        {text::unlock()}
                        " "
                        kbd { "↵" }
                    }
                }
                if has_pin && person.has_password {
                    button { class: "btn btn--quiet btn--block", r#type: "button", onclick: move |_| switch(way == Way::Pin),
                        if way == Way::Pin {
                            {text::use_password()}
                        } else {
                            {text::use_pin()}
                        }
                    }
                }
            }
        }
    }
}

/// A wait that is longer than any means that the clock has gone back since: then the keyring says how long it is.
fn seconds_until(from: Option<Timestamp>) -> i64 {
    let left = from.map_or(0, |from| from.0 - host::now().0);
    if (1..=LONGEST_WAIT_MS).contains(&left) {
        (left + 999) / 1000
    } else {
        0
    }
}

#[component]
pub(crate) fn UnlockAlert(trouble: UnlockTrouble, has_password: bool) -> Element {
    let (title, words) = text::unlock_trouble(&trouble, has_password);
    let (tone, icon) = match trouble {
        UnlockTrouble::Wrong { left: Some(1), .. } | UnlockTrouble::Storage(StorageTrouble::Corrupt) => {
            (Tint::Danger, icon(LdCircleAlert))
        }
        UnlockTrouble::Wrong { .. } => (Tint::Warn, icon(LdCircleAlert)),
        UnlockTrouble::Wait(_) => (Tint::Warn, icon(LdClock)),
        UnlockTrouble::Gone => (Tint::Warn, icon(LdKeyRound)),
        UnlockTrouble::Storage(_) => (Tint::Danger, icon(LdHardDrive)),
    };
    rsx! {
        Alert { tone, icon, title, text: words, line: true, urgent: true }
    }
}
