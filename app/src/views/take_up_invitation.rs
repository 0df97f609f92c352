//! Taking up an invitation: who invites to what, and a name and a password to come in with.

use super::door::{BackToSignIn, DeadLink, Gate, GateForm, TryAgain, too_short, use_doors};
use super::providers::ProviderButtons;
use super::second_factor::SecondStep;
use super::sign_in::SignInTroubleAlert;
use crate::components::{FieldKind, PasswordField, TextField, TroubleLine, use_sending};
use crate::host::{self, Call, CallTrouble, Entrance, Errand, Secret, SignInTrouble, use_host};
use crate::text;
use dioxus::prelude::*;
use jiff::tz::TimeZone;
use shared_model::accounts::Invited;
use shared_model::values::Invalid;

#[component]
pub(super) fn InvitationPage(token: Secret) -> Element {
    let sending = use_sending();
    let mut invited = use_signal(|| None::<Invited>);
    let asked = token.clone();
    let look = use_callback(move |()| {
        sending.send(Call::look_at_invitation(asked.clone()), move |found| {
            invited.set(Some(found))
        });
    });
    use_effect(move || look.call(()));
    if let Some(invited) = invited() {
        return rsx! {
            TakeUp { token, invited }
        };
    }
    rsx! {
        Gate { title: text::invitation(),
            if sending.is(&CallTrouble::LinkNoLongerValid) {
                DeadLink { words: text::link_dead_invitation() }
            } else if let Some(trouble) = sending.trouble() {
                TroubleLine { trouble }
                TryAgain { waits: sending.is_busy(), on_try: look }
            } else {
                p { class: "sub", role: "status", {text::asking_clinic()} }
            }
        }
    }
}

#[component]
fn TakeUp(token: Secret, invited: Invited) -> Element {
    let (host, doors) = (use_host(), use_doors());
    let email = use_signal(|| invited.email.clone());
    let name = use_signal(|| invited.full_name.clone());
    let password = use_signal(String::new);
    let mut busy = use_signal(|| false);
    let mut trouble = use_signal(|| None::<SignInTrouble>);
    let mut no_name = use_signal(|| false);
    let mut short = use_signal(|| None);
    let has_account = invited.has_account;
    let errand = Errand::TakeUp {
        invitation: token.clone(),
        full_name: name.read().trim().to_owned(),
    };
    let submit = move |()| {
        if busy() {
            return;
        }
        no_name.set(name.peek().trim().is_empty());
        short.set(if has_account {
            (password.peek().is_empty()).then(|| text::invalid(text::password(), Invalid::Empty))
        } else {
            too_short(&password.peek())
        });
        if no_name() {
            return host::focus("name");
        }
        if short.peek().is_some() {
            return host::focus("password");
        }
        let entrance = Entrance::Invitation {
            token: token.clone(),
            full_name: name.peek().trim().to_owned(),
            password: password.peek().clone().into(),
        };
        busy.set(true);
        spawn(async move {
            let outcome = host.sign_in(entrance).await;
            busy.set(false);
            let done = outcome.is_ok();
            trouble.set(outcome.err());
            if done {
                doors.close();
            }
        });
    };
    if let Some(SignInTrouble::Refused(CallTrouble::SecondStep(step))) = &*trouble.read() {
        return rsx! {
            Gate { title: text::join_clinic(&invited.clinic_name), page: text::invitation(),
                SecondStep {
                    step: step.clone(),
                    password: Secret::from(password.peek().clone()),
                    on_done: move |()| doors.close(),
                    // The invitation is taken up by now: what is left is to sign in.
                    on_back: move |why: Option<SignInTrouble>| match why {
                        Some(why) => trouble.set(Some(why)),
                        None => doors.close(),
                    },
                }
            }
        };
    }
    if *trouble.read() == Some(SignInTrouble::StepIsOver) {
        return rsx! {
            Gate { title: text::join_clinic(&invited.clinic_name), page: text::invitation(),
                SignInTroubleAlert { trouble: SignInTrouble::StepIsOver }
                BackToSignIn {}
            }
        };
    }
    let of_password = match &*trouble.read() {
        Some(SignInTrouble::Refused(CallTrouble::WeakPassword)) => Some(text::password_weak()),
        Some(SignInTrouble::Refused(CallTrouble::WrongCredentials)) => Some(text::password_not_that()),
        _ => None,
    };
    let dead = *trouble.read() == Some(SignInTrouble::Refused(CallTrouble::LinkNoLongerValid));
    let ends = text::date_plain(invited.expires_at.date_in(&TimeZone::UTC));
    rsx! {
        Gate {
            title: text::join_clinic(&invited.clinic_name),
            sub: text::invited_by(text::person(&invited.invited_by), text::roles(&invited.roles)),
            page: text::invitation(),
            while_here: text::joining_signs_out(),
            foot: rsx! {
                {text::link_works_until(ends)}
            },
            if dead {
                DeadLink { words: text::link_dead_invitation() }
            } else {
                GateForm {
                    id: "invitation",
                    action: if busy() { text::signing_in().to_owned() } else { text::join(&invited.clinic_name) },
                    waits: busy(),
                    on_submit: submit,
                    match &*trouble.read() {
                        Some(trouble) if of_password.is_none() => rsx! {
                            SignInTroubleAlert { trouble: trouble.clone() }
                            if matches!(trouble, SignInTrouble::WorkWaits { .. } | SignInTrouble::Sealed { .. }) {
                                p { class: "sub", {text::account_is_ready()} }
                            }
                        },
                        _ => rsx! {},
                    }
                    if has_account {
                        p { class: "sub", {text::has_account()} }
                    }
                    TextField {
                        id: "email",
                        label: text::email(),
                        value: email,
                        kind: FieldKind::Email,
                        autocomplete: "username",
                        readonly: true,
                    }
                    if !has_account {
                        TextField {
                            id: "name",
                            label: text::your_name(),
                            value: name,
                            autocomplete: "name",
                            error: no_name().then(|| text::invalid(text::your_name(), Invalid::Empty)),
                            on_input: move |_| no_name.set(false),
                        }
                    }
                    PasswordField {
                        id: "password",
                        label: if has_account { text::your_password() } else { text::new_password() },
                        value: password,
                        new: !has_account,
                        autofocus: true,
                        error: short().or(of_password.map(str::to_owned)),
                        on_input: move |_| short.set(None),
                    }
                }
                ProviderButtons { errand, waits: busy(), before: move |()| {
                    no_name.set(name.peek().trim().is_empty());
                    !no_name()
                } }
            }
        }
    }
}
