//! Taking up an invitation: who invites to what, and a name and a password to come in with.

use super::door::{BackToSignIn, DeadLink, Gate, GateForm, TryAgain, use_doors};
use super::providers::ProviderButtons;
use super::second_factor::SecondStep;
use super::sign_in::SignInTroubleAlert;
use super::typed_password::{TypedPasswordField, Wanted, use_typed_password};
use crate::components::{FieldKind, TextField, TroubleLine, use_sending};
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
    let typed = use_signal(String::new);
    let mut busy = use_signal(|| false);
    let mut trouble = use_signal(|| None::<SignInTrouble>);
    let mut no_name = use_signal(|| false);
    let has_account = invited.has_account;
    let wanted = if has_account { Wanted::Present } else { Wanted::New };
    let password = use_typed_password("password", wanted, typed, move || {
        refused(&trouble.read()).cloned()
    });
    let errand = Errand::TakeUp {
        invitation: token.clone(),
        full_name: name.read().trim().to_owned(),
    };
    let submit = move |()| {
        if busy() {
            return;
        }
        no_name.set(name.peek().trim().is_empty());
        let chosen = password.take();
        if no_name() {
            return host::focus("name");
        }
        let Some(chosen) = chosen else { return };
        let entrance = Entrance::Invitation {
            token: token.clone(),
            full_name: name.peek().trim().to_owned(),
            password: chosen.into(),
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
                    password: Secret::from(typed.peek().clone()),
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
    let at_field = refused(&trouble.read()).is_some_and(|why| password.says(why));
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
                        Some(trouble) if !at_field => rsx! {
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
                    TypedPasswordField {
                        label: if has_account { text::your_password() } else { text::new_password() },
                        password,
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

fn refused(trouble: &Option<SignInTrouble>) -> Option<&CallTrouble> {
    match trouble {
        Some(SignInTrouble::Refused(why)) => Some(why),
        _ => None,
    }
}
