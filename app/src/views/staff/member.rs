//! One member of the staff: their roles, whether they are booked, their devices, and the end of their time here.

use super::directory::{self, listed, new_entry};
use super::role_cards::{RoleCards, main_role};
use super::second_factor::TakeFactorsAway;
use super::{NotForYou, RolePills};
use crate::components::{
    Avatar, CallDialog, ConfirmDialog, EmptyState, Question, ServerSays, Size, Switch, Tint, icon, icon_xl,
    use_asked, use_clinic, use_may, use_me, use_sending, use_title_of, use_toasts,
};
use crate::host::{Call, Deed, Whose, use_host};
use crate::route::Route;
use crate::text;
use crate::views::me::{Devices, Setting};
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::{LdPencil, LdUserX};
use shared_model::accounts::{ChangeRoles, Member, may_give};
use shared_model::commands::SetStaffMember;
use shared_model::ids::AccountId;
use shared_model::permissions::Role;

#[component]
pub(crate) fn MemberPage(account: AccountId) -> Element {
    if use_may(Role::ClinicAdministrator) {
        rsx! {
            for account in [account] {
                Found { key: "{account}", account }
            }
        }
    } else {
        rsx! {
            NotForYou { words: text::only_administrators() }
        }
    }
}

#[component]
fn Found(account: AccountId) -> Element {
    let (members, asking) = use_asked(Call::staff());
    let member =
        members.map(|members: Vec<Member>| members.into_iter().find(|member| member.account == account));
    match member {
        Some(Some(member)) => rsx! {
            Sheet { member, offline: asking.is_unreachable(), ServerSays { asking } }
        },
        Some(None) => rsx! {
            EmptyState {
                icon: icon_xl(LdUserX),
                title: text::no_such_member(),
                text: text::no_such_member_why(),
                page: true,
                actions: rsx! {
                    Link { class: "btn btn--primary", to: Route::Staff {}, {text::staff_and_roles()} }
                },
            }
        },
        None => rsx! {
            div { class: "page page--narrow", ServerSays { asking } }
        },
    }
}

#[component]
fn Sheet(member: Member, offline: bool, children: Element) -> Element {
    let (host, toasts, navigator) = (use_host(), use_toasts(), use_navigator());
    let clinic = use_clinic();
    use_title_of(text::page_of_colleague(), &member.full_name);
    let me = use_me();
    let is_me = me.as_ref().is_some_and(|me| me.account == member.account);
    // A system administrator's roles are not a clinic's to change.
    let may_change = me.is_some_and(|me| may_give(&me.roles, &member.roles));
    let (left, entry) = match &*clinic.read() {
        Some(clinic) => {
            let listed = listed(&clinic.settings, member.account);
            // Whoever came by another way than an invitation of the clinic's is not in it yet.
            let new = || new_entry(&clinic.settings, member.account, &member.full_name, &member.roles);
            (
                listed.clone(),
                Some(listed.filter(|one| one.active).unwrap_or_else(new)),
            )
        }
        None => (None, None),
    };
    let mut changing = use_signal(|| false);
    let mut ending = use_signal(|| None::<Question>);
    let name = member.full_name.clone();
    let end = {
        let (name, account) = (name.clone(), member.account);
        move |_| {
            ending.set(Some(Question {
                title: text::end_membership_question(&name),
                consequences: vec![
                    text::end_membership_what(&name),
                    text::end_membership_unsent().to_owned(),
                ],
                action: text::end_membership(),
                deed: Deed::end_membership(account),
                done: text::membership_ended(&name),
            }));
        }
    };
    rsx! {
        div { class: "page page--narrow settings",
            div { class: "page__head",
                Avatar { initials: text::initials(&name), tone: Tint::Violet, size: Size::Large }
                div {
                    h1 { {name.clone()} }
                    p { class: "sub", {member.email.clone()} }
                }
            }
            {children}
            h2 { class: "settings__title", {text::what_they_may()} }
            div { class: "card",
                div { class: "setting",
                    div { class: "setting__main", RolePills { roles: member.roles.clone() } }
                    if may_change {
                        button { class: "btn btn--sm", r#type: "button", disabled: offline, onclick: move |_| changing.set(true),
                            {icon(LdPencil)}
                            {text::change_roles()}
                        }
                    } else {
                        span { class: "sub", {text::only_system_administrators()} }
                    }
                }
                if let Some(entry) = entry {
                    Setting { title: text::takes_appointments(), words: text::takes_appointments_as(&entry.name),
                        Switch {
                            label: text::takes_appointments(),
                            on: entry.bookable,
                            on_change: move |bookable| {
                                let command = SetStaffMember { bookable, ..entry.clone() };
                                let back = entry.clone();
                                spawn(async move {
                                    match host.run(command).await {
                                        Ok(_) => toasts.undo(text::saved_directory(), back),
                                        Err(failure) => toasts.failed(&failure),
                                    }
                                });
                            },
                        }
                    }
                }
            }
            h2 { class: "settings__title", {text::devices()} }
            Devices { whose: if is_me { Whose::Mine } else { Whose::Of(member.account) }, name: name.clone(), briefly: true }
            if !is_me {
                h2 { class: "settings__title", {text::how_they_sign_in()} }
                div { class: "card",
                    TakeFactorsAway { member: member.clone(), offline, may_change }
                }
            }
            if may_change && !is_me {
                h2 { class: "settings__title", {text::leaving()} }
                div { class: "card",
                    Setting { title: text::end_membership(), words: text::end_membership_what(&name),
                        button { class: "btn btn--danger", r#type: "button", disabled: offline, onclick: end,
                            {icon(LdUserX)}
                            {text::end_membership()}
                        }
                    }
                }
            }
        }
        if changing() {
            RolesDialog { member, on_close: move |()| changing.set(false) }
        }
        if let Some(question) = ending() {
            ConfirmDialog {
                question,
                on_close: move |()| ending.set(None),
                on_done: move |()| {
                    if let Some(entry) = left.clone() {
                        let gone = SetStaffMember { active: false, bookable: false, ..entry };
                        directory::enter(host, gone, move |words| toasts.say(words));
                    }
                    navigator.push(Route::Staff {});
                },
            }
        }
    }
}

#[component]
fn RolesDialog(member: Member, on_close: EventHandler<()>) -> Element {
    let (host, toasts, sending) = (use_host(), use_toasts(), use_sending());
    let clinic = use_clinic();
    let giver = use_me().map(|me| me.roles).unwrap_or_default();
    let roles = use_signal(|| member.roles.clone());
    let mut missing = use_signal(|| false);
    rsx! {
        CallDialog {
            title: text::roles_of(&member.full_name),
            action: text::save(),
            sending,
            on_close,
            wide: true,
            on_submit: move |()| {
                missing.set(roles.peek().is_empty());
                if missing() {
                    return;
                }
                let account = member.account;
                let wanted = ChangeRoles { roles: roles.peek().clone() };
                let back = Deed::change_roles(account, &ChangeRoles { roles: member.roles.clone() });
                let entry = clinic.peek().as_ref().and_then(|clinic| listed(&clinic.settings, account));
                let name = member.full_name.clone();
                sending.send(Deed::change_roles(account, &wanted), move |_| {
                    let role = main_role(&wanted.roles);
                    let entry = entry.filter(|entry| entry.role != role);
                    toasts.undo_deed(text::roles_changed(name), back, entry.clone().map(Into::into));
                    if let Some(entry) = entry {
                        directory::enter(host, SetStaffMember { role, ..entry }, move |words| toasts.say(words));
                    }
                    on_close.call(());
                });
            },
            p { class: "sub", {text::roles_at_once()} }
            RoleCards { chosen: roles, giver, missing: missing() && roles.read().is_empty() }
        }
    }
}
