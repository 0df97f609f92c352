//! Inviting a colleague: the mail goes out from the server, and the clinic's directory knows them from now on, so that
//! they can be booked before they have come.

use super::directory::{self, column_name, new_entry};
use super::role_cards::RoleCards;
use crate::components::{
    CallDialog, FieldKind, Switch, TextField, use_clinic, use_me, use_sending, use_toasts,
};
use crate::host::{self, Call, fresh_id, use_host};
use crate::text;
use dioxus::prelude::*;
use shared_model::accounts::{Invitation, Invite};
use shared_model::commands::SetStaffMember;
use shared_model::ids::{AccountId, ClientId, InvitationId};
use shared_model::permissions::Role;
use shared_model::values::Invalid;

/// A new invitation. Its ids are minted here and once, so that trying again invites once.
pub(crate) fn invitation_of(roles: Vec<Role>, client: Option<ClientId>) -> Invite {
    Invite {
        id: InvitationId(fresh_id()),
        account: AccountId(fresh_id()),
        email: String::new(),
        full_name: String::new(),
        roles,
        client,
    }
}

#[component]
pub(crate) fn InviteDialog(on_close: EventHandler<()>) -> Element {
    let (host, toasts, sending) = (use_host(), use_toasts(), use_sending());
    let clinic = use_clinic();
    let giver = use_me().map(|me| me.roles).unwrap_or_default();
    let invite = use_hook(|| CopyValue::new(invitation_of(Vec::new(), None)));
    let email = use_signal(String::new);
    let name = use_signal(String::new);
    let column = use_signal(String::new);
    let roles = use_signal(|| vec![Role::Veterinarian]);
    let mut bookable = use_signal(|| None::<bool>);
    let mut tried = use_signal(|| false);
    // Whoever treats animals is booked, unless somebody says otherwise.
    let is_bookable =
        use_memo(move || bookable().unwrap_or_else(|| roles.read().contains(&Role::Veterinarian)));
    let missing = move |value: Signal<String>, label: &str| {
        (tried() && value.read().trim().is_empty()).then(|| text::invalid(label, Invalid::Empty))
    };
    let submit = move |()| {
        tried.set(true);
        let typed = |field: Signal<String>| field.peek().trim().to_owned();
        let asked = Invite {
            email: typed(email),
            full_name: typed(name),
            roles: roles.peek().clone(),
            ..invite.peek().clone()
        };
        if asked.full_name.is_empty() {
            return host::focus("invite-name");
        }
        if asked.email.is_empty() {
            return host::focus("invite-email");
        }
        if asked.roles.is_empty() {
            return;
        }
        let clinic = clinic.peek();
        let Some(clinic) = clinic.as_ref() else { return };
        let entry = new_entry(&clinic.settings, asked.account, &asked.full_name, &asked.roles);
        let entry = SetStaffMember {
            name: Some(typed(column))
                .filter(|name| !name.is_empty())
                .unwrap_or(entry.name),
            bookable: is_bookable(),
            ..entry
        };
        sending.send(Call::invite(&asked), move |sent: Invitation| {
            toasts.say(text::invitation_sent(sent.email));
            // An address that has an account already brings that account along.
            let entry = SetStaffMember {
                account: sent.account,
                ..entry
            };
            directory::enter(host, entry, move |words| toasts.say(words));
            on_close.call(());
        });
    };
    rsx! {
        CallDialog {
            title: text::invite_colleague(),
            action: text::send_invitation(),
            sending,
            on_close,
            wide: true,
            keep_open: !email.read().is_empty() || !name.read().is_empty(),
            on_submit: submit,
            div { class: "form__columns",
                TextField {
                    id: "invite-name",
                    label: text::full_name(),
                    value: name,
                    autofocus: true,
                    error: missing(name, text::full_name()),
                }
                TextField {
                    id: "invite-email",
                    label: text::email(),
                    value: email,
                    kind: FieldKind::Email,
                    error: missing(email, text::email()),
                }
            }
            RoleCards { chosen: roles, giver, missing: tried() && roles.read().is_empty() }
            div { class: "form__section",
                div { class: "row row--between",
                    span {
                        b { {text::takes_appointments()} }
                        br {}
                        span { class: "sub", {text::takes_appointments_why()} }
                    }
                    Switch { label: text::takes_appointments(), on: is_bookable(), on_change: move |on| bookable.set(Some(on)) }
                }
                if is_bookable() {
                    TextField {
                        id: "invite-column",
                        label: text::name_on_day(),
                        value: column,
                        optional: true,
                        hint: Some(column_name(&name.read(), &roles.read()))
                            .filter(|name| !name.is_empty())
                            .map(text::name_on_day_hint),
                    }
                }
            }
            p { class: "sub", {text::invitation_how()} }
        }
    }
}
