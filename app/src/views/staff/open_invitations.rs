//! Invitations that nobody has taken up yet: how far their mail came, and sending it again or withdrawing it.

use crate::components::{
    ConfirmDialog, EmptyState, MenuButton, MenuItem, Pill, Question, ServerSays, Tint, icon, icon_xl,
    use_asked, use_minute, use_sending, use_toasts, use_zone,
};
use crate::host::{self, Call, Deed};
use crate::text;
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::{
    LdCircleAlert, LdClock, LdEllipsis, LdMail, LdMailCheck, LdSend, LdTrash2,
};
use shared_model::accounts::{Invitation, Sent};

/// Milliseconds in which a mail leaves, if all is well.
const LEAVES_WITHIN: u32 = 3_000;

/// Those of the staff; an owner's is on the owner's page.
#[component]
pub(super) fn OpenInvitations() -> Element {
    let (invitations, asking) = use_asked(Call::invitations());
    let invitations = invitations.map(|all: Vec<Invitation>| {
        let of_staff = all.into_iter().filter(|one| one.client.is_none());
        of_staff.collect::<Vec<_>>()
    });
    let waiting = |all: &Vec<Invitation>| all.iter().any(|one| one.sent == Sent::Waiting);
    let (waits, at) = (invitations.as_ref().is_some_and(waiting), asking.heard_at());
    use_effect(use_reactive!(|waits, at| {
        let _ = at;
        if waits {
            spawn(async move {
                host::sleep(LEAVES_WITHIN).await;
                asking.ask_again();
            });
        }
    }));
    rsx! {
        section { class: "card", "aria-labelledby": "invitations-title",
            div { class: "card__head",
                h2 { class: "card__title", id: "invitations-title", {text::open_invitations()} }
                if let Some(invitations) = &invitations {
                    span { class: "card__count", "{invitations.len()}" }
                }
            }
            ServerSays { asking, briefly: true }
            if let Some(invitations) = invitations {
                if invitations.is_empty() {
                    EmptyState { icon: icon_xl(LdMail), title: text::no_invitations(), text: text::no_invitations_why() }
                }
                ul { class: "list people-list",
                    for invitation in invitations {
                        Row { key: "{invitation.id}", invitation, offline: asking.is_unreachable() }
                    }
                }
            }
        }
    }
}

#[component]
fn Row(invitation: Invitation, offline: bool) -> Element {
    let zone = use_zone();
    let today = use_minute().read().date_in(&zone);
    let toasts = use_toasts();
    let sending = use_sending();
    let mut question = use_signal(|| None::<Question>);
    let (id, email) = (invitation.id, invitation.email.clone());
    let items = vec![
        MenuItem::new("again", text::send_again(), icon(LdSend)),
        MenuItem {
            danger: true,
            apart: true,
            ..MenuItem::new("withdraw", text::withdraw(), icon(LdTrash2))
        },
    ];
    let pick = move |key: String| {
        if key == "again" {
            let words = text::invitation_sent(&email);
            sending.send(Deed::send_again(id), move |_| toasts.say(words));
        } else {
            question.set(Some(Question {
                title: text::withdraw_question(&email),
                consequences: vec![text::withdraw_what().to_owned()],
                action: text::withdraw(),
                deed: Deed::withdraw(id),
                done: text::withdrawn(&email),
            }));
        }
    };
    use_effect(move || {
        if let Some(why) = sending.trouble() {
            toasts.say(text::call_trouble_line(&why));
        }
    });
    rsx! {
        li { class: "list__row person",
            {icon(LdMail)}
            div { class: "person__who",
                div { class: "list__title", {invitation.full_name.clone()} }
                div { class: "list__sub", {invitation.email.clone()} }
            }
            super::RolePills { roles: invitation.roles.clone() }
            div { class: "person__when list__sub",
                {text::invited_when(text::moment(invitation.invited_at, today, &zone), text::person(&invitation.invited_by))}
            }
            span { class: "person__state", SentPill { invitation: invitation.clone() } }
            if !offline {
                MenuButton {
                    label: text::more_of(&invitation.full_name),
                    class: "btn btn--quiet btn--icon btn--sm",
                    items,
                    on_pick: pick,
                    {icon(LdEllipsis)}
                }
            }
            if let Some(asked) = question() {
                ConfirmDialog { question: asked, on_close: move |()| question.set(None) }
            }
        }
    }
}

/// How far the mail came.
#[component]
pub(crate) fn SentPill(invitation: Invitation) -> Element {
    let (tone, icon, words) = if invitation.expires_at < host::now() {
        (Tint::Warn, icon(LdClock), text::invitation_expired())
    } else {
        match invitation.sent {
            Sent::Waiting => (Tint::Plain, icon(LdClock), text::mail_waits()),
            Sent::Sent => (Tint::Info, icon(LdMailCheck), text::mail_sent()),
            Sent::Refused => (Tint::Danger, icon(LdCircleAlert), text::mail_refused()),
        }
    };
    rsx! {
        Pill { tone, icon, small: true, {words} }
    }
}
