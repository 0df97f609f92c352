//! What stands before the program: a link of a mail that was followed, a password that was forgotten.
//!
//! Invariant: a door opens whoever is signed in here; what a link brought is kept in memory alone.

use super::clinic_address::{AddressField, use_clinic_address};
use super::returned::{LostWayPage, ReturnedPage};
use super::take_up_invitation::InvitationPage;
use super::typed_password::{TypedPasswordField, Wanted, use_typed_password};
use crate::components::{
    Alert, FieldKind, HeldOpen, TextArea, TextField, Tint, TroubleLine, icon, logo, use_held_open,
    use_sending, use_title,
};
use crate::host::{
    self, CallTrouble, Deed, LinkPurpose, MailLink, Returned, Secret, Stage, use_host, use_query,
};
use crate::text;
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::{LdCircleAlert, LdCircleCheck, LdCircleUser, LdMailCheck};
use local_core::{Query, View};
use shared_model::values::Invalid;

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Door {
    Link(MailLink),
    Forgot,
    /// Somebody is back from a sign-in provider; nothing is known of it if another tab went there.
    Returned(Option<Returned>),
    /// A link of a mail can be pasted, where there is no address bar or the mail was read elsewhere.
    Paste,
}

impl Door {
    /// What it is opened with belongs to whoever is signed in here: on a locked device they show first that it is they.
    pub(crate) fn waits_for_whoever_is_here(&self) -> bool {
        matches!(self, Self::Returned(Some(returned)) if returned.journey.errand.is_of_whoever_is_here())
    }
}

/// Which door is open.
#[derive(Clone, Copy)]
pub(crate) struct Doors(Signal<Option<Door>>);

impl Doors {
    /// Once, at the root.
    pub(crate) fn new() -> Self {
        let back = host::returned().map(Door::Returned);
        Self(Signal::new(
            back.or_else(|| host::followed_link().map(Door::Link)),
        ))
    }

    pub(crate) fn now(self) -> Option<Door> {
        self.0.read().clone()
    }

    pub(crate) fn open(mut self, door: Door) {
        self.0.set(Some(door));
    }

    /// Lets in whoever is back from a provider, if anybody is.
    pub(crate) fn take_in(self, back: Option<Returned>) {
        if let Some(returned) = back {
            self.open(Door::Returned(Some(returned)));
        }
    }

    /// On to the program, or to signing in.
    pub(crate) fn close(mut self) {
        self.0.set(None);
    }
}

pub(crate) fn use_doors() -> Doors {
    use_context::<Doors>()
}

#[component]
pub(crate) fn DoorPage(door: Door) -> Element {
    match door {
        Door::Forgot => rsx! {
            ForgotPage {}
        },
        Door::Paste => rsx! {
            PastePage {}
        },
        Door::Returned(Some(returned)) => rsx! {
            ReturnedPage { key: "{returned.code.text()}", returned }
        },
        Door::Returned(None) => rsx! {
            LostWayPage {}
        },
        Door::Link(MailLink { purpose, token }) => match purpose {
            LinkPurpose::Invitation => rsx! {
                InvitationPage { key: "{token.text()}", token }
            },
            LinkPurpose::ResetPassword => rsx! {
                ResetPage { key: "{token.text()}", token }
            },
            LinkPurpose::ForgotPassword => rsx! {
                ForgotPage {}
            },
            LinkPurpose::VerifyEmail => rsx! {
                VerifyPage { key: "{token.text()}", token }
            },
        },
    }
}

/// One card on paper, with the clinic's mark. `page` names the page if its title does not.
#[component]
pub(super) fn Gate(
    #[props(into)] title: String,
    #[props(into, default)] sub: String,
    #[props(into, default)] page: String,
    /// What it means for whoever is signed in here.
    #[props(into, default)]
    while_here: String,
    #[props(default = VNode::empty())] foot: Element,
    children: Element,
) -> Element {
    use_title(if page.is_empty() { title.clone() } else { page });
    use_held_open();
    rsx! {
        main { class: "sign-in", id: "content", tabindex: "-1",
            div { class: "sign-in__card",
                div { class: "sign-in__brand",
                    {logo()}
                    div {
                        h1 { {title} }
                        if !sub.is_empty() {
                            p { class: "sub", {sub} }
                        }
                    }
                }
                WhoIsHere { words: while_here }
                {children}
                div { class: "sign-in__foot", {foot} }
            }
        }
    }
}

/// Before the program is somebody's, nobody has to be told; behind an open door somebody may be signed in.
#[component]
fn WhoIsHere(words: String) -> Element {
    if *use_host().stage.read() == Stage::SignedIn {
        rsx! {
            SignedInHere { words }
        }
    } else {
        rsx! {}
    }
}

#[component]
fn SignedInHere(words: String) -> Element {
    let (doors, held) = (use_doors(), use_context::<HeldOpen>());
    let clinic = use_query(Query::Clinic);
    let name = match &*clinic.read() {
        Some(View::Clinic(clinic)) => clinic.me.as_ref().map(|me| me.name.clone()),
        _ => None,
    };
    let Some(name) = name else { return rsx! {} };
    rsx! {
        Alert { tone: Tint::Info, icon: icon(LdCircleUser), title: text::is_signed_in_here(&name), text: words, line: true,
            button {
                class: "btn btn--sm",
                r#type: "button",
                onclick: move |_| held.leave(|| doors.close()),
                {text::go_on_as(&name)}
            }
        }
    }
}

/// The form of a gate, with its one button; in a dialog the dialog is frame enough.
#[component]
pub(super) fn GateForm(
    id: &'static str,
    #[props(into)] action: String,
    waits: bool,
    on_submit: EventHandler<()>,
    #[props(default)] in_dialog: bool,
    /// It takes something away.
    #[props(default)]
    danger: bool,
    children: Element,
) -> Element {
    let danger = if danger { "btn--danger" } else { "" };
    rsx! {
        form {
            id,
            class: if in_dialog { "form" } else { "sign-in__form" },
            novalidate: true,
            onmounted: move |_| host::focus_into(id),
            onsubmit: move |event| {
                event.prevent_default();
                on_submit.call(());
            },
            {children}
            button { class: "btn btn--primary btn--lg btn--block {danger}", r#type: "submit", "aria-disabled": "{waits}", {action} }
        }
    }
}

/// What came of it, and the way on.
#[component]
pub(super) fn GateNews(
    #[props(into)] title: String,
    #[props(into, default)] words: String,
    /// It did not work.
    #[props(default)]
    bad: bool,
    /// Instead of the way on.
    #[props(default = VNode::empty())]
    action: Element,
) -> Element {
    let doors = use_doors();
    let host = use_host();
    let is_next = if action == VNode::empty() {
        "btn--primary"
    } else {
        ""
    };
    let (tone, icon) = if bad {
        (Tint::Warn, icon(LdCircleAlert))
    } else {
        (Tint::Ok, icon(LdCircleCheck))
    };
    rsx! {
        Alert { tone, icon, title, text: words, urgent: true }
        {action}
        if *host.stage.read() != Stage::SignedIn {
            button { class: "btn btn--lg btn--block {is_next}", r#type: "button", onclick: move |_| doors.close(), {text::to_sign_in()} }
        }
    }
}

/// A link that is not known, was used or withdrawn, or is too old: which of them is not told.
#[component]
pub(super) fn DeadLink(
    #[props(into)] words: String,
    #[props(default = VNode::empty())] action: Element,
) -> Element {
    rsx! {
        GateNews { title: text::link_dead(), words, bad: true, action }
    }
}

#[component]
pub(super) fn BackToSignIn() -> Element {
    let doors = use_doors();
    rsx! {
        button { class: "btn btn--quiet btn--sm", r#type: "button", onclick: move |_| doors.close(), {text::back_to_sign_in()} }
    }
}

#[component]
fn ForgotPage() -> Element {
    let doors = use_doors();
    let address = use_clinic_address();
    let sending = use_sending();
    let email = use_signal(String::new);
    let mut missing = use_signal(|| false);
    let mut sent = use_signal(|| None::<String>);
    let submit = move |()| {
        if !address.keep() {
            return;
        }
        let typed = email.peek().trim().to_owned();
        missing.set(typed.is_empty());
        if missing() {
            return host::focus("email");
        }
        sending.send(Deed::forgot_password(typed.clone()), move |_| {
            sent.set(Some(typed))
        });
    };
    rsx! {
        Gate {
            title: text::forgot_password(),
            sub: text::forgot_password_do(),
            foot: rsx! {
                BackToSignIn {}
            },
            if let Some(email) = sent() {
                Alert { tone: Tint::Ok, icon: icon(LdMailCheck), title: text::mail_on_its_way(), text: text::mail_on_its_way_if(email), urgent: true }
                button { class: "btn btn--lg btn--block", r#type: "button", onclick: move |_| doors.open(Door::Paste),
                    {text::have_link()}
                }
            } else {
                GateForm { id: "forgot", action: text::send_mail(), waits: sending.is_busy(), on_submit: submit,
                    if let Some(trouble) = sending.trouble() {
                        TroubleLine { trouble }
                    }
                    AddressField { address }
                    TextField {
                        id: "email",
                        label: text::email(),
                        value: email,
                        kind: FieldKind::Email,
                        autocomplete: "username",
                        autofocus: true,
                        error: missing().then(|| text::invalid(text::email(), Invalid::Empty)),
                        on_input: move |_| missing.set(false),
                    }
                }
            }
        }
    }
}

#[component]
fn PastePage() -> Element {
    let doors = use_doors();
    let host = use_host();
    let pasted = use_signal(String::new);
    let mut trouble = use_signal(|| None);
    let submit = move |()| match host::take_link(&pasted.peek(), host.has_a_clinic()) {
        Ok(link) => doors.open(Door::Link(link)),
        Err(why) => {
            trouble.set(Some(text::link_trouble(&why)));
            host::focus("link");
        }
    };
    rsx! {
        Gate {
            title: text::paste_link(),
            sub: text::paste_link_do(),
            foot: rsx! {
                BackToSignIn {}
            },
            GateForm { id: "paste", action: text::open(), waits: false, on_submit: submit,
                TextArea {
                    id: "link",
                    label: text::link_label(),
                    value: pasted,
                    secret: true,
                    autofocus: true,
                    error: trouble(),
                    on_input: move |_| trouble.set(None),
                }
            }
        }
    }
}

#[component]
fn ResetPage(token: Secret) -> Element {
    let doors = use_doors();
    let sending = use_sending();
    let typed = use_signal(String::new);
    let password = use_typed_password("password", Wanted::New, typed, move || sending.trouble());
    let mut done = use_signal(|| false);
    let submit = move |()| {
        if let Some(new) = password.take() {
            sending.send(Deed::reset_password(token.clone(), new), move |_| done.set(true));
        }
    };
    rsx! {
        Gate { title: text::choose_password(),
            if done() {
                GateNews { title: text::password_changed(), words: text::password_changed_do() }
            } else if sending.is(&CallTrouble::LinkNoLongerValid) {
                DeadLink {
                    words: text::link_dead_reset(),
                    action: rsx! {
                        button {
                            class: "btn btn--primary btn--lg btn--block",
                            r#type: "button",
                            onclick: move |_| doors.open(Door::Forgot),
                            {text::another_mail()}
                        }
                    },
                }
            } else {
                GateForm { id: "reset", action: text::save_password(), waits: sending.is_busy(), on_submit: submit,
                    if let Some(trouble) = sending.trouble().filter(|trouble| !password.says(trouble)) {
                        TroubleLine { trouble }
                    }
                    TypedPasswordField { label: text::new_password(), password }
                    p { class: "sub", {text::reset_signs_out()} }
                }
            }
        }
    }
}

#[component]
fn VerifyPage(token: Secret) -> Element {
    let sending = use_sending();
    let mut done = use_signal(|| false);
    let verify = use_callback(move |()| {
        sending.send(Deed::verify_email(token.clone()), move |_| done.set(true));
    });
    // Following the link is asking for it.
    use_effect(move || verify.call(()));
    rsx! {
        Gate { title: text::verify_title(),
            if done() {
                GateNews { title: text::verified_now(), words: text::verified_now_why() }
            } else if sending.is(&CallTrouble::LinkNoLongerValid) {
                DeadLink { words: text::link_dead_verify() }
            } else if let Some(trouble) = sending.trouble() {
                TroubleLine { trouble }
                TryAgain { waits: sending.is_busy(), on_try: verify }
            } else {
                p { class: "sub", role: "status", {text::asking_clinic()} }
            }
        }
    }
}

#[component]
pub(super) fn TryAgain(waits: bool, on_try: Callback<()>, #[props(default)] danger: bool) -> Element {
    let danger = if danger { "btn--danger" } else { "" };
    rsx! {
        button {
            class: "btn btn--primary btn--lg btn--block {danger}",
            r#type: "button",
            "aria-disabled": "{waits}",
            onclick: move |_| {
                if !waits {
                    on_try.call(());
                }
            },
            {text::try_again()}
        }
    }
}
