//! Somebody is back from a sign-in provider: in they go, or they say which account is theirs, or which clinic.

use super::change_way_in::{ChangeWayIn, First, TroubleOfWhoIsHere};
use super::door::{BackToSignIn, Gate, GateForm, GateNews, use_doors};
use super::second_factor::SecondStep;
use super::sign_in::{ChooseClinic, SignInTroubleAlert};
use super::typed_password::{TypedPasswordField, Wanted, use_typed_password};
use crate::components::{Alert, FieldKind, TextField, Tint, icon, use_toasts};
use crate::host::{self, CallTrouble, Change, Errand, Returned, Secret, SignInTrouble, use_host};
use crate::text;
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::LdLink2;
use shared_model::ids::ClinicId;
use shared_model::values::Invalid;
use shared_model::ways_in::{LinkWith, NotLinked};

#[component]
pub(super) fn LostWayPage() -> Element {
    rsx! {
        Gate { title: text::sign_in(),
            GateNews { title: text::lost_way(), words: text::lost_way_do(), bad: true }
        }
    }
}

#[component]
pub(super) fn ReturnedPage(returned: Returned) -> Element {
    match returned.journey.errand.clone() {
        Errand::Link => rsx! {
            LinkedPage { returned }
        },
        Errand::Prove(change) => rsx! {
            ChangePage { returned, change }
        },
        Errand::SignIn { .. } | Errand::TakeUp { .. } => rsx! {
            SignedInPage { returned }
        },
    }
}

/// They have shown it to change something of what decides about signing in.
#[component]
fn ChangePage(returned: Returned, change: Change) -> Element {
    let doors = use_doors();
    rsx! {
        Gate { title: text::way_in_change_title(&change),
            ChangeWayIn { change, first: First::Returned(returned), on_done: move |()| doors.close() }
        }
    }
}

/// The provider's account becomes another way into the one that is signed in here.
#[component]
fn LinkedPage(returned: Returned) -> Element {
    let (host, doors, toasts) = (use_host(), use_doors(), use_toasts());
    let mut trouble = use_signal(|| None::<CallTrouble>);
    use_future(move || {
        let call = returned.linking();
        async move {
            match host.call(call).await {
                Ok(linked) => {
                    toasts.say(text::provider_is_linked(linked.provider));
                    doors.close();
                }
                Err(why) => trouble.set(Some(why)),
            }
        }
    });
    rsx! {
        Gate { title: text::linked_accounts(),
            match trouble() {
                None => rsx! {
                    p { class: "sub", role: "status", {text::asking_clinic()} }
                },
                Some(CallTrouble::Unreachable) => rsx! {
                    GateNews { title: text::unreachable(), words: text::may_be_linked(), bad: true }
                },
                Some(trouble) => rsx! {
                    TroubleOfWhoIsHere { trouble }
                },
            }
        }
    }
}

#[component]
fn SignedInPage(returned: Returned) -> Element {
    let (host, doors) = (use_host(), use_doors());
    let meant = match &returned.journey.errand {
        Errand::SignIn { clinic } => *clinic,
        Errand::TakeUp { .. } | Errand::Prove(_) | Errand::Link => None,
    };
    let invited = matches!(returned.journey.errand, Errand::TakeUp { .. });
    let mut not_linked = use_signal(|| None::<NotLinked>);
    let mut trouble = use_signal(|| None::<SignInTrouble>);
    let mut busy = use_signal(|| false);
    // What was typed stays for the question about the clinic.
    let mut with = use_signal(|| None::<LinkWith>);
    let enter = use_callback(move |clinic: Option<ClinicId>| {
        if *busy.peek() {
            return;
        }
        busy.set(true);
        let entrance = returned.entrance(clinic, with.peek().clone());
        spawn(async move {
            let outcome = host.sign_in(entrance).await;
            busy.set(false);
            match outcome {
                Ok(()) => doors.close(),
                Err(SignInTrouble::NotLinked(who)) => {
                    trouble.set(None);
                    not_linked.set(Some(who));
                }
                Err(why) => trouble.set(Some(why)),
            }
        });
    });
    use_effect(move || enter.call(meant));
    let is = |why: CallTrouble| *trouble.read() == Some(SignInTrouble::Refused(why));
    if let Some(SignInTrouble::ChooseClinic(clinics)) = &*trouble.read() {
        return rsx! {
            Gate { title: text::sign_in(),
                ChooseClinic { clinics: clinics.clone(), on_pick: move |at| enter.call(Some(at)) }
            }
        };
    }
    if let Some(SignInTrouble::Refused(CallTrouble::SecondStep(step))) = &*trouble.read() {
        return rsx! {
            Gate { title: text::sign_in(),
                SecondStep {
                    step: step.clone(),
                    password: with.peek().as_ref().map(|with| Secret::from(with.password.clone())),
                    on_done: move |()| doors.close(),
                    on_back: move |why: Option<SignInTrouble>| match why {
                        Some(why) => {
                            not_linked.set(None);
                            trouble.set(Some(why));
                        }
                        None => doors.close(),
                    },
                }
            }
        };
    }
    if is(CallTrouble::LinkNoLongerValid) {
        return rsx! {
            LostWayPage {}
        };
    }
    if let Some(who) = not_linked() {
        return rsx! {
            LinkForm {
                who,
                invited,
                busy: busy(),
                trouble,
                on_submit: move |typed| {
                    with.set(Some(typed));
                    enter.call(meant);
                },
            }
        };
    }
    rsx! {
        Gate { title: if trouble.read().is_some() { text::sign_in() } else { text::coming_back() },
            match trouble() {
                Some(trouble) => rsx! {
                    SignInTroubleAlert { trouble }
                    BackToSignIn {}
                },
                None => rsx! {
                    p { class: "sub", role: "status", {text::asking_clinic()} }
                },
            }
        }
    }
}

/// Which account is theirs, shown by its password. Whether there is one with the provider's address is not told.
#[component]
fn LinkForm(
    who: NotLinked,
    invited: bool,
    busy: bool,
    trouble: Signal<Option<SignInTrouble>>,
    on_submit: EventHandler<LinkWith>,
) -> Element {
    let email = use_signal(|| who.email.clone().unwrap_or_default());
    let typed = use_signal(String::new);
    let mut no_email = use_signal(|| false);
    // Whoever was invited has the account that is meant: then it is the password alone that is wrong.
    let of_password = move || match &*trouble.read() {
        Some(SignInTrouble::Refused(why)) if invited => Some(why.clone()),
        _ => None,
    };
    let password = use_typed_password("password", Wanted::Present, typed, of_password);
    let submit = move |()| {
        if busy {
            return;
        }
        no_email.set(!invited && email.peek().trim().is_empty());
        let shown = password.take();
        if no_email() {
            return host::focus("email");
        }
        let Some(password) = shown else { return };
        on_submit.call(LinkWith {
            email: email.peek().trim().to_owned(),
            password,
        });
    };
    let words = if invited {
        text::not_linked_invited(&who.provider)
    } else {
        text::not_linked_do(&who.provider)
    };
    rsx! {
        Gate {
            title: text::sign_in(),
            foot: rsx! {
                BackToSignIn {}
            },
            Alert { tone: Tint::Info, icon: icon(LdLink2), title: text::not_linked(&who.provider), text: words, line: true }
            GateForm {
                id: "link",
                action: if busy { text::signing_in() } else { text::link_and_sign_in() },
                waits: busy,
                on_submit: submit,
                match trouble() {
                    Some(trouble) if !of_password().is_some_and(|why| password.says(&why)) => rsx! {
                        SignInTroubleAlert { trouble }
                    },
                    _ => rsx! {},
                }
                if !invited {
                    TextField {
                        id: "email",
                        label: text::email(),
                        value: email,
                        kind: FieldKind::Email,
                        autocomplete: "username",
                        error: no_email().then(|| text::invalid(text::email(), Invalid::Empty)),
                        on_input: move |_| no_email.set(false),
                    }
                }
                TypedPasswordField { label: text::your_password(), password }
            }
        }
    }
}
