//! Changing what one signs in with: who it is comes first, then what is to change, then the recovery codes if there are new
//! ones. In a dialog of one's own page, or behind the door for whoever is back from a provider.

use super::ask::{AskSecondFactor, PasskeyTroubleLine};
use super::recovery_codes::KeepRecoveryCodes;
use super::set_app_up::SetAppUp;
use crate::components::{FieldKind, PasswordField, TextField, TroubleLine, use_sending, use_toasts};
use crate::host::{
    self, Call, CallTrouble, Change, Deed, Errand, PasskeyTrouble, Returned, Secret, Shown, Step, ToProve,
    use_host,
};
use crate::text;
use crate::views::door::{GateForm, TryAgain, use_doors};
use crate::views::providers::InBrowser;
use dioxus::prelude::*;
use shared_model::second_factor::TotpOffer;
use shared_model::values::Invalid;
use shared_model::ways_in::{Proof, Provider};

/// How far it has come.
#[derive(Clone, PartialEq)]
enum Stage {
    /// The password, or the way to a provider.
    First,
    Second(Step),
    /// They have shown who they are; it is being done, or could not be.
    Doing(Secret),
    /// The passkey is given a name, then made.
    Passkey(Secret),
    App(TotpOffer),
    Codes(Vec<String>),
}

/// What somebody shows first who they are with.
#[derive(Clone, PartialEq)]
pub(in crate::views) enum First {
    /// The password of the account with this address.
    Password(String),
    Provider(Provider),
    /// They have been at the provider.
    Returned(Returned),
}

#[component]
pub(in crate::views) fn ChangeFactor(
    change: Change,
    first: First,
    #[props(default)] in_dialog: bool,
    on_done: EventHandler<()>,
) -> Element {
    let (host, toasts) = (use_host(), use_toasts());
    let mut stage = use_signal(|| Stage::First);
    let mut busy = use_signal(|| false);
    let mut trouble = use_signal(|| None::<CallTrouble>);
    let mut begins = move || {
        busy.set(true);
        trouble.set(None);
    };
    let doing = use_callback(move |proven: Secret| {
        if change == Change::AddPasskey {
            return stage.set(Stage::Passkey(proven));
        }
        begins();
        stage.set(Stage::Doing(proven.clone()));
        spawn(async move {
            let outcome = carry_out(host, change, &proven).await;
            busy.set(false);
            match outcome {
                Ok(Some(next)) => stage.set(next),
                Ok(None) => {
                    toasts.say(text::factor_changed(change));
                    on_done.call(());
                }
                Err(why) => trouble.set(Some(why)),
            }
        });
    });
    let prove = use_callback(move |proof: Proof| {
        begins();
        spawn(async move {
            let outcome = host.call(Call::prove(proof)).await;
            busy.set(false);
            match outcome {
                Ok(shown) => doing.call(shown.proven.into()),
                Err(CallTrouble::SecondStep(step)) => stage.set(Stage::Second(step)),
                Err(why) => trouble.set(Some(why)),
            }
        });
    });
    let prove_second = use_callback(move |(step, shown): (Secret, Shown)| {
        begins();
        spawn(async move {
            let outcome = host.call(Call::prove_second(&step, &shown)).await;
            busy.set(false);
            match outcome {
                Ok(shown) => doing.call(shown.proven.into()),
                Err(why) => trouble.set(Some(why)),
            }
        });
    });
    let confirm = use_callback(move |(offer, code): (String, Secret)| {
        begins();
        spawn(async move {
            let outcome = host.call(Call::confirm_app(&offer, &code)).await;
            busy.set(false);
            match outcome {
                Ok(fresh) => stage.set(Stage::Codes(fresh.codes)),
                Err(why) => trouble.set(Some(why)),
            }
        });
    });
    let over = *trouble.read() == Some(CallTrouble::LinkNoLongerValid);
    if over {
        return rsx! {
            p { role: "alert", {text::took_too_long()} }
            button { class: "btn btn--primary", r#type: "button", onclick: move |_| on_done.call(()), {text::close()} }
        };
    }
    match stage() {
        Stage::First => rsx! {
            ShowFirst { change, first, busy: busy(), trouble: trouble(), in_dialog, on_proof: move |proof| prove.call(proof) }
        },
        Stage::Second(step) => rsx! {
            AskSecondFactor {
                step: step.clone(),
                busy: busy(),
                trouble,
                in_dialog,
                on_show: move |shown| prove_second.call((step.step.clone(), shown)),
            }
        },
        Stage::Doing(proven) => rsx! {
            match trouble() {
                Some(trouble) => rsx! {
                    TroubleLine { trouble: trouble.clone() }
                    if trouble == CallTrouble::Unreachable {
                        TryAgain { waits: busy(), on_try: move |()| doing.call(proven.clone()) }
                    } else {
                        button { class: "btn btn--primary", r#type: "button", onclick: move |_| on_done.call(()), {text::close()} }
                    }
                },
                None => rsx! {
                    p { class: "sub", role: "status", {text::asking_clinic()} }
                },
            }
        },
        Stage::Passkey(proven) => rsx! {
            MakePasskey {
                proven,
                in_dialog,
                on_made: move |codes: Vec<String>| {
                    if codes.is_empty() {
                        toasts.say(text::factor_changed(change));
                        on_done.call(());
                    } else {
                        stage.set(Stage::Codes(codes));
                    }
                },
                on_over: move |()| trouble.set(Some(CallTrouble::LinkNoLongerValid)),
            }
        },
        Stage::App(offer) => rsx! {
            SetAppUp {
                offer: offer.clone(),
                busy: busy(),
                trouble,
                in_dialog,
                on_code: move |code| confirm.call((offer.offer.clone(), code)),
            }
        },
        Stage::Codes(codes) => rsx! {
            KeepRecoveryCodes {
                codes,
                busy: false,
                in_dialog,
                on_kept: move |()| {
                    toasts.say(text::factor_changed(change));
                    on_done.call(());
                },
            }
        },
    }
}

/// What comes next of it; `None` if it is done.
async fn carry_out(host: host::Host, change: Change, proven: &Secret) -> Result<Option<Stage>, CallTrouble> {
    Ok(match change {
        Change::SetAppUp => Some(Stage::App(host.call(Call::begin_app(proven)).await?)),
        Change::RenewRecoveryCodes => {
            let fresh = host.call(Call::renew_recovery_codes(proven)).await?;
            Some(Stage::Codes(fresh.codes))
        }
        Change::RemoveApp => host.call(Deed::remove_app(proven)).await.map(|_| None)?,
        Change::RemovePasskey(passkey) => {
            let deed = Deed::remove_passkey(passkey, proven);
            host.call(deed).await.map(|_| None)?
        }
        Change::AddPasskey => Some(Stage::Passkey(proven.clone())),
    })
}

/// What it is about, and the first thing that shows who asks for it.
#[component]
fn ShowFirst(
    change: Change,
    first: First,
    busy: bool,
    trouble: Option<CallTrouble>,
    in_dialog: bool,
    on_proof: EventHandler<Proof>,
) -> Element {
    let words = text::factor_change(change);
    match first {
        First::Password(email) => rsx! {
            p { class: "sub", {words} }
            PasswordFirst { email, busy, trouble, in_dialog, on_proof }
        },
        First::Provider(provider) => rsx! {
            p { class: "sub", {words} }
            ProviderFirst { change, provider }
        },
        First::Returned(returned) => rsx! {
            Back { returned, trouble, on_proof }
        },
    }
}

#[component]
fn PasswordFirst(
    email: String,
    busy: bool,
    trouble: Option<CallTrouble>,
    in_dialog: bool,
    on_proof: EventHandler<Proof>,
) -> Element {
    let password = use_signal(String::new);
    let mut missing = use_signal(|| false);
    let wrong = trouble == Some(CallTrouble::WrongCredentials);
    let error = if missing() {
        Some(text::invalid(text::password(), Invalid::Empty))
    } else {
        wrong.then(|| text::password_not_that().to_owned())
    };
    rsx! {
        GateForm {
            id: "prove",
            in_dialog,
            action: if busy { text::asking_clinic() } else { text::go_on() },
            waits: busy,
            on_submit: move |()| {
                if busy {
                    return;
                }
                missing.set(password.peek().is_empty());
                if missing() {
                    host::focus("password-now");
                } else {
                    on_proof.call(Proof::Password(password.peek().clone()));
                }
            },
            match trouble {
                Some(trouble) if !wrong => rsx! {
                    TroubleLine { trouble }
                },
                _ => rsx! {},
            }
            // Password managers want to know whose it is.
            input {
                class: "visually-hidden",
                r#type: "email",
                autocomplete: "username",
                value: email,
                readonly: true,
                tabindex: "-1",
                "aria-hidden": "true",
            }
            PasswordField {
                id: "password-now",
                label: text::your_password(),
                value: password,
                autofocus: true,
                error,
                on_input: move |_| missing.set(false),
            }
        }
    }
}

/// Whoever has no password goes to their provider, and goes on behind the door when they are back.
#[component]
fn ProviderFirst(change: Change, provider: Provider) -> Element {
    let (host, doors, sending) = (use_host(), use_doors(), use_sending());
    let name = provider.name.clone();
    rsx! {
        if let Some(trouble) = sending.trouble() {
            TroubleLine { trouble }
        }
        button {
            class: "btn btn--primary",
            r#type: "button",
            "data-autofocus": "",
            "aria-disabled": "{sending.is_busy()}",
            onclick: move |_| {
                let way = host.travel(name.clone(), Errand::Prove(ToProve::ToChange(change)));
                sending.wait_for(way, move |back| doors.take_in(back));
            },
            {text::link_provider_go_on(&provider.label)}
        }
        InBrowser { sending }
    }
}

#[component]
fn Back(returned: Returned, trouble: Option<CallTrouble>, on_proof: EventHandler<Proof>) -> Element {
    use_effect(move || on_proof.call(returned.proof()));
    match trouble {
        Some(trouble) => rsx! {
            TroubleLine { trouble }
        },
        None => rsx! {
            p { class: "sub", role: "status", {text::asking_clinic()} }
        },
    }
}

/// `on_made` is called with the recovery codes that came with the first factor; with none otherwise.
#[component]
fn MakePasskey(
    proven: Secret,
    in_dialog: bool,
    on_made: EventHandler<Vec<String>>,
    on_over: EventHandler<()>,
) -> Element {
    let host = use_host();
    let name = use_signal(String::new);
    let mut missing = use_signal(|| false);
    let mut busy = use_signal(|| false);
    let mut trouble = use_signal(|| None::<CallTrouble>);
    let mut no_passkey = use_signal(|| None::<PasskeyTrouble>);
    let make = move |()| {
        if busy() {
            return;
        }
        let name = name.peek().trim().to_owned();
        missing.set(name.is_empty());
        if missing() {
            return host::focus("passkey-name");
        }
        busy.set(true);
        trouble.set(None);
        no_passkey.set(None);
        let proven = proven.clone();
        spawn(async move {
            let made = async {
                let begun = host.call(Call::begin_passkey(&proven)).await?;
                let credential = match host::make_passkey(&begun.options).await {
                    Ok(credential) => credential,
                    Err(why) => {
                        no_passkey.set(Some(why));
                        return Ok(None);
                    }
                };
                let finish = Call::finish_passkey(begun.offer, &credential, name);
                host.call(finish).await.map(Some)
            };
            let outcome = made.await;
            busy.set(false);
            match outcome {
                Ok(Some(new)) => on_made.call(new.recovery_codes),
                Ok(None) => {}
                Err(CallTrouble::LinkNoLongerValid) => on_over.call(()),
                Err(why) => trouble.set(Some(why)),
            }
        });
    };
    rsx! {
        GateForm {
            id: "make-passkey",
            in_dialog,
            action: if busy() { text::waiting_for_passkey() } else { text::make_passkey() },
            waits: busy(),
            on_submit: make,
            p { class: "sub", {text::make_passkey_do()} }
            if let Some(trouble) = trouble() {
                TroubleLine { trouble }
            }
            if let Some(trouble) = no_passkey() {
                PasskeyTroubleLine { trouble }
            }
            TextField {
                id: "passkey-name",
                label: text::passkey_name(),
                value: name,
                kind: FieldKind::Text,
                autofocus: true,
                hint: text::passkey_name_hint().to_owned(),
                error: missing().then(|| text::invalid(text::passkey_name(), Invalid::Empty)),
                on_input: move |_| missing.set(false),
            }
        }
    }
}
