//! Signing in with email and password, at the clinic that the person means.

use super::clinic_address::{AddressField, use_clinic_address};
use super::door::{Door, Gate, GateForm, use_doors};
use super::providers::ProviderButtons;
use super::second_factor::{PasskeyButton, SecondStep};
use crate::components::{
    Alert, FieldKind, HeldOpen, PasswordField, TextField, Tint, TroubleLine, icon, seconds_to_wait,
    use_slowed,
};
use crate::host::{self, CallTrouble, Entrance, Errand, Secret, SignInTrouble, use_host};
use crate::text;
use crate::views::shell::LostAlert;
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::{LdChevronRight, LdClock, LdHardDrive, LdHospital, LdInbox, LdLock};
use shared_model::accounts::Membership;
use shared_model::ids::ClinicId;
use shared_model::time::zone;
use shared_model::values::Invalid;

#[component]
pub(crate) fn SignInPage() -> Element {
    rsx! {
        Gate {
            title: text::app_name(),
            sub: text::sign_in_to_clinic(),
            page: text::sign_in(),
            foot: rsx! {
                WithoutPassword {}
            },
            LostAlert {}
            LeftAlert {}
            SignInForm {}
        }
    }
}

/// Somebody who worked here has left the clinic: what became of their work, and of the records.
#[component]
pub(super) fn LeftAlert() -> Element {
    let left = use_host().left;
    let left = left.read();
    let Some(left) = &*left else {
        return rsx! {};
    };
    // The clinic's zone went with its records.
    let zone = zone(&host::system_zone().unwrap_or_default());
    let now = host::now();
    let entries = i64::try_from(left.entries).unwrap_or(i64::MAX);
    let at = text::moment(left.at.unwrap_or(now), now.date_in(&zone), &zone);
    let title = if left.clinic.is_empty() {
        text::left_a_clinic(left.name.clone())
    } else {
        text::left_clinic(left.clinic.clone(), left.name.clone())
    };
    let records = if left.records_gone {
        text::left_records_gone()
    } else {
        text::left_records_stay()
    };
    let words = match entries {
        0 => records.to_owned(),
        _ => text::two_said(text::left_handed_in(at, entries), records),
    };
    rsx! {
        Alert { tone: Tint::Info, icon: icon(LdInbox), title, text: words }
    }
}

/// The ways in for who has no password, or not any more.
#[component]
pub(super) fn WithoutPassword() -> Element {
    let (doors, held) = (use_doors(), use_context::<HeldOpen>());
    let open = move |door| held.leave(|| doors.open(door));
    rsx! {
        button { class: "btn btn--quiet btn--sm", r#type: "button", onclick: move |_| open(Door::Forgot),
            {text::forgot_password()}
        }
        button { class: "btn btn--quiet btn--sm", r#type: "button", onclick: move |_| open(Door::Paste),
            {text::have_link()}
        }
    }
}

/// The form alone; also shown in a dialog, where somebody signs in again or at another of their clinics. `clinic` is the
/// one that is meant if there is a choice; `email` is whose sign-in it has to be.
#[component]
pub(crate) fn SignInForm(
    #[props(default)] in_dialog: bool,
    #[props(default)] clinic: Option<ClinicId>,
    #[props(default)] email: Option<String>,
    #[props(default)] on_done: EventHandler<()>,
) -> Element {
    let host = use_host();
    let address = use_clinic_address();
    let address_first = use_hook(|| address.comes_first());
    let given = email.is_some();
    let email = use_signal(|| email.unwrap_or_default());
    let mut password = use_signal(String::new);
    let mut busy = use_signal(|| false);
    let mut trouble = use_signal(|| None::<SignInTrouble>);
    let mut missing = use_signal(|| false);
    // The offer and what the browser gave, of whoever comes with a passkey instead.
    let mut passkey = use_signal(|| None::<(Secret, Secret)>);
    let slowed = use_slowed(trouble, seconds_left, |left| {
        SignInTrouble::Refused(CallTrouble::SlowDown(left))
    });
    let enter = use_callback(move |at: Option<ClinicId>| {
        busy.set(true);
        spawn(async move {
            let entrance = |clinic| match passkey.peek().clone() {
                Some((offer, credential)) => Entrance::Passkey {
                    offer,
                    credential,
                    clinic,
                },
                None => Entrance::Password {
                    email: email.peek().trim().to_owned(),
                    password: password.peek().clone().into(),
                    clinic,
                },
            };
            let mut outcome = host.sign_in(entrance(at)).await;
            if let (Err(SignInTrouble::ChooseClinic(all)), Some(meant)) = (&outcome, clinic)
                && at.is_none()
                && all.iter().any(|one| one.clinic == meant)
            {
                outcome = host.sign_in(entrance(Some(meant))).await;
            }
            busy.set(false);
            if outcome == Err(SignInTrouble::Refused(CallTrouble::WrongCredentials)) {
                password.set(String::new());
                host::focus("password");
            }
            let done = outcome.is_ok();
            trouble.set(outcome.err());
            if done {
                on_done.call(());
            }
        });
    });
    let submit = move |()| {
        if busy() || slowed() || !address.keep() {
            return;
        }
        let no_email = email.peek().trim().is_empty();
        missing.set(no_email || password.peek().is_empty());
        if missing() {
            return host::focus(if no_email { "email" } else { "password" });
        }
        passkey.set(None);
        enter.call(None);
    };
    let required = move |value: String, label: &str| {
        (missing() && value.trim().is_empty()).then(|| text::invalid(label, Invalid::Empty))
    };
    if let Some(SignInTrouble::ChooseClinic(clinics)) = &*trouble.read() {
        return rsx! {
            ChooseClinic { clinics: clinics.clone(), on_pick: move |at| enter.call(Some(at)) }
        };
    }
    if let Some(SignInTrouble::Refused(CallTrouble::SecondStep(step))) = &*trouble.read() {
        return rsx! {
            SecondStep {
                step: step.clone(),
                password: Secret::from(password.peek().clone()),
                in_dialog,
                on_done,
                on_back: move |why| {
                    password.set(String::new());
                    trouble.set(why);
                },
            }
        };
    }
    rsx! {
        GateForm {
            id: "sign-in",
            in_dialog,
            action: if busy() { text::signing_in() } else { text::sign_in() },
            waits: busy() || slowed(),
            on_submit: submit,
            if let Some(trouble) = &*trouble.read() {
                SignInTroubleAlert { trouble: trouble.clone() }
            }
            AddressField { address }
            TextField {
                id: "email",
                label: text::email(),
                value: email,
                kind: FieldKind::Email,
                autocomplete: "username",
                autofocus: !address_first && !given,
                readonly: given,
                error: required(email(), text::email()),
            }
            PasswordField {
                id: "password",
                label: text::password(),
                value: password,
                autofocus: given,
                error: required(password(), text::password()),
            }
        }
        ProviderButtons { errand: Errand::SignIn { clinic }, waits: busy(), before: move |()| address.keep() }
        PasskeyButton {
            waits: busy() || slowed(),
            on_given: move |given| {
                passkey.set(Some(given));
                enter.call(None);
            },
        }
    }
}

fn seconds_left(trouble: &SignInTrouble) -> Option<u64> {
    match trouble {
        SignInTrouble::Refused(why) => seconds_to_wait(why),
        _ => None,
    }
}

#[component]
pub(super) fn ChooseClinic(clinics: Vec<Membership>, on_pick: EventHandler<ClinicId>) -> Element {
    rsx! {
        div { class: "people", id: "clinics", role: "group", "aria-labelledby": "clinics-title",
            onmounted: |_| host::focus_first_in("clinics"),
            h2 { class: "card__title", id: "clinics-title", {text::which_clinic()} }
            for one in clinics {
                button {
                    key: "{one.clinic}",
                    class: "list__row",
                    r#type: "button",
                    onclick: move |_| on_pick.call(one.clinic),
                    {icon(LdHospital)}
                    span { class: "list__main",
                        span { class: "list__title", {one.clinic_name.clone()} }
                        br {}
                        span { class: "list__sub", {text::roles(&one.roles)} }
                    }
                    {icon(LdChevronRight)}
                }
            }
        }
    }
}

/// Why somebody is not in.
#[component]
pub(super) fn SignInTroubleAlert(trouble: SignInTrouble) -> Element {
    match trouble {
        SignInTrouble::Refused(trouble) => rsx! {
            TroubleLine { trouble }
        },
        SignInTrouble::WorkWaits { waiting, name } => rsx! {
            Alert {
                tone: Tint::Warn,
                icon: icon(LdInbox),
                title: text::sign_in_work_waits(&name, i64::try_from(waiting).unwrap_or(i64::MAX)),
                text: text::sign_in_work_waits_do(&name),
                line: true,
                urgent: true,
            }
        },
        SignInTrouble::Sealed { waiting } => rsx! {
            SealedAlert { nothing_waits: waiting == Some(0) }
        },
        SignInTrouble::Storage(trouble) => rsx! {
            Alert {
                tone: Tint::Danger,
                icon: icon(LdHardDrive),
                title: text::cannot_sign_in_here(),
                text: text::storage(trouble),
                line: true,
                urgent: true,
            }
        },
        SignInTrouble::StepIsOver => rsx! {
            Alert {
                tone: Tint::Warn,
                icon: icon(LdClock),
                title: text::step_is_over(),
                text: text::step_is_over_do(),
                line: true,
                urgent: true,
            }
        },
        SignInTrouble::Overtaken => rsx! {
            Alert {
                tone: Tint::Warn,
                icon: icon(LdLock),
                title: text::sign_in_overtaken(),
                text: text::sign_in_overtaken_do(),
                line: true,
                urgent: true,
            }
        },
        // They are asked, and not told.
        SignInTrouble::ChooseClinic(_) | SignInTrouble::NotLinked(_) => rsx! {},
    }
}

/// Nobody who signs in opens these records: somebody of those who locked them has to.
#[component]
fn SealedAlert(nothing_waits: bool) -> Element {
    let host = use_host();
    let words = if nothing_waits {
        text::sealed_nothing_waits()
    } else {
        text::sealed_work_waits()
    };
    rsx! {
        Alert { tone: Tint::Warn, icon: icon(LdLock), title: text::sealed_by_others(), text: words, line: true, urgent: true,
            if nothing_waits {
                button { class: "btn btn--sm btn--danger", r#type: "button", onclick: move |_| host.begin_anew(),
                    {text::delete_and_begin_anew()}
                }
            }
        }
    }
}
