//! The owner's app: whether this client has it, and inviting them to it by mail.

use crate::components::{
    Alert, CallDialog, Dialog, SelectField, ServerSays, Tint, icon, use_asked, use_minute, use_sending,
    use_toasts, use_zone,
};
use crate::host::{Call, Deed};
use crate::text;
use crate::views::staff::{SentPill, invitation_of};
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::{LdCircleCheck, LdMail, LdMailQuestion};
use local_core::query::ClientView;
use shared_model::accounts::{Invitation, Invite, Member};
use shared_model::permissions::Role;

#[component]
pub(super) fn OwnerAppDialog(view: ClientView, on_close: EventHandler<()>) -> Element {
    let (owners, asking) = use_asked(Call::owners());
    let (invitations, _) = use_asked(Call::invitations());
    let zone = use_zone();
    let today = use_minute().read().date_in(&zone);
    let client = view.id;
    let owner =
        owners.and_then(|owners: Vec<Member>| owners.into_iter().find(|one| one.client == Some(client)));
    let open = invitations
        .as_ref()
        .and_then(|all: &Vec<Invitation>| all.iter().find(|one| one.client == Some(client)));
    if let Some(owner) = owner {
        let seen = owner.last_seen.map_or_else(
            || text::never_seen().to_owned(),
            |at| text::seen_at(text::moment(at, today, &zone)),
        );
        return rsx! {
            Dialog { title: text::owners_app(), on_close,
                Alert { tone: Tint::Ok, icon: icon(LdCircleCheck), title: text::has_owners_app(owner.email), text: seen }
            }
        };
    }
    if invitations.is_none() {
        return rsx! {
            Dialog { title: text::owners_app(), on_close, ServerSays { asking } }
        };
    }
    match open {
        Some(open) => rsx! {
            Invited { invitation: open.clone(), on_close }
        },
        None => rsx! {
            InviteOwner { view, on_close }
        },
    }
}

#[component]
fn Invited(invitation: Invitation, on_close: EventHandler<()>) -> Element {
    let zone = use_zone();
    let today = use_minute().read().date_in(&zone);
    let (toasts, sending) = (use_toasts(), use_sending());
    let (id, email) = (invitation.id, invitation.email.clone());
    let withdraw = move |_| {
        let words = text::withdrawn(&email);
        sending.send(Deed::withdraw(id), move |_| {
            toasts.say(words);
            on_close.call(());
        });
    };
    let to = invitation.email.clone();
    rsx! {
        CallDialog {
            title: text::owners_app(),
            action: text::send_again(),
            sending,
            on_close,
            on_submit: move |()| {
                let to = to.clone();
                sending.send(Deed::send_again(id), move |_| toasts.say(text::invitation_sent(to)));
            },
            div { class: "list__row",
                {icon(LdMail)}
                div { class: "list__main",
                    div { class: "list__title", {invitation.email.clone()} }
                    div { class: "list__sub",
                        {text::invited_when(text::moment(invitation.invited_at, today, &zone), text::person(&invitation.invited_by))}
                    }
                }
                SentPill { invitation }
            }
            p { class: "sub", {text::withdraw_what()} }
            button { class: "btn btn--sm btn--danger", r#type: "button", onclick: withdraw, {text::withdraw()} }
        }
    }
}

#[component]
fn InviteOwner(view: ClientView, on_close: EventHandler<()>) -> Element {
    let (toasts, sending) = (use_toasts(), use_sending());
    let name = view.client.full_name();
    let emails: Vec<String> = view
        .client
        .emails
        .iter()
        .map(|email| email.address.clone())
        .collect();
    let email = use_signal(|| emails.first().cloned().unwrap_or_default());
    let invite = use_hook(|| CopyValue::new(invitation_of(vec![Role::Owner], Some(view.id))));
    if emails.is_empty() {
        return rsx! {
            Dialog { title: text::owners_app(), on_close,
                Alert { tone: Tint::Warn, icon: icon(LdMailQuestion), title: text::no_email_of(&name), text: text::no_email_of_do() }
            }
        };
    }
    let full_name = name.clone();
    rsx! {
        CallDialog {
            title: text::invite_owner(&name),
            action: text::send_invitation(),
            sending,
            on_close,
            on_submit: move |()| {
                let asked = Invite {
                    email: email.peek().clone(),
                    full_name: full_name.clone(),
                    ..invite.peek().clone()
                };
                sending.send(Call::invite(&asked), move |sent: Invitation| {
                    toasts.say(text::invitation_sent(sent.email));
                    on_close.call(());
                });
            },
            p { {text::invite_owner_what()} }
            SelectField {
                id: "owner-email",
                label: text::email(),
                value: email,
                options: emails.into_iter().map(|email| (email.clone(), email)).collect::<Vec<_>>(),
            }
        }
    }
}
