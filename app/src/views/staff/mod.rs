//! Who works at the clinic, who is invited, and what each of them may do.

mod directory;
mod invite;
mod member;
mod open_invitations;
mod role_cards;
mod second_factor;

pub(crate) use invite::{InviteDialog, invitation_of};
pub(crate) use member::MemberPage;
pub(crate) use open_invitations::SentPill;
pub(crate) use role_cards::RoleCards;

use crate::components::{
    Avatar, EmptyState, Pill, ServerSays, Tint, icon, icon_xl, use_asked, use_clinic, use_may, use_me,
    use_minute, use_page_key, use_title, use_zone,
};
use crate::host::Call;
use crate::route::Route;
use crate::text;
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::{LdChevronRight, LdUserCog, LdUserPlus};
use open_invitations::OpenInvitations;
use second_factor::AskForSecondFactor;
use shared_model::accounts::Member;
use shared_model::documents::StaffMember;
use shared_model::permissions::Role;

#[component]
pub(crate) fn StaffPage() -> Element {
    use_title(text::staff_and_roles());
    if use_may(Role::ClinicAdministrator) {
        rsx! {
            Staff {}
        }
    } else {
        rsx! {
            NotForYou { words: text::only_administrators() }
        }
    }
}

/// A page that another role has.
#[component]
pub(crate) fn NotForYou(#[props(into)] words: String) -> Element {
    rsx! {
        EmptyState {
            icon: icon_xl(LdUserCog),
            title: text::not_for_your_role(),
            text: words,
            page: true,
            actions: rsx! {
                Link { class: "btn", to: Route::Me {}, {text::go_to_me()} }
            },
        }
    }
}

#[component]
fn Staff() -> Element {
    let (members, asking) = use_asked(Call::staff());
    let clinic = use_clinic();
    let mut inviting = use_signal(|| false);
    let offline = asking.is_unreachable();
    use_page_key("i", text::invite_colleague(), move |()| {
        inviting.set(!asking.is_unreachable())
    });
    let members = members.map(|mut members: Vec<Member>| {
        members.sort_by_key(|member| member.full_name.to_lowercase());
        members
    });
    // Without the server there is still the clinic's own directory.
    let directory = match &*clinic.read() {
        Some(clinic) if members.is_none() && offline => clinic.settings.staff.clone(),
        _ => Vec::new(),
    };
    rsx! {
        div { class: "page",
            div { class: "page__head",
                h1 { {text::staff_and_roles()} }
                if let Some(members) = &members {
                    Pill { {text::people_count(i64::try_from(members.len()).unwrap_or(i64::MAX))} }
                }
                div { class: "push",
                    button {
                        class: "btn btn--primary",
                        r#type: "button",
                        disabled: offline,
                        "aria-keyshortcuts": "I",
                        onclick: move |_| inviting.set(true),
                        {icon(LdUserPlus)}
                        {text::invite_colleague()}
                        " "
                        kbd { "I" }
                    }
                }
            }
            div { class: "stack stack--roomy",
                ServerSays { asking }
                if let Some(members) = members {
                    ul { class: "card list people-list",
                        for member in members.clone() {
                            Row { key: "{member.account}", member }
                        }
                    }
                    OpenInvitations {}
                    AskForSecondFactor { members }
                } else if !directory.is_empty() {
                    Directory { staff: directory }
                }
            }
        }
        if inviting() {
            InviteDialog { on_close: move |()| inviting.set(false) }
        }
    }
}

#[component]
fn Row(member: Member) -> Element {
    let zone = use_zone();
    let today = use_minute().read().date_in(&zone);
    let is_me = use_me().is_some_and(|me| me.account == member.account);
    let seen = member.last_seen.map_or_else(
        || text::never_seen().to_owned(),
        |at| text::seen_at(text::moment(at, today, &zone)),
    );
    rsx! {
        li {
            Link { class: "list__row person", to: Route::Member { account: member.account },
                Avatar { initials: text::initials(&member.full_name), tone: Tint::Violet }
                span { class: "person__who",
                    span { class: "list__title",
                        {member.full_name.clone()}
                        if is_me {
                            " "
                            span { {text::that_is_you()} }
                        }
                    }
                    span { class: "list__sub", {member.email.clone()} }
                }
                RolePills { roles: member.roles.clone() }
                span { class: "person__when list__sub",
                    {seen}
                    {text::middle_dot()}
                    {text::device_count(i64::from(member.devices))}
                }
                {icon(LdChevronRight)}
            }
        }
    }
}

#[component]
pub(crate) fn RolePills(roles: Vec<Role>) -> Element {
    rsx! {
        span { class: "person__roles",
            for role in roles {
                Pill { key: "{role:?}", small: true, tone: tone_of(role), {text::role(role)} }
            }
        }
    }
}

fn tone_of(role: Role) -> Tint {
    match role {
        Role::Veterinarian => Tint::Accent,
        Role::ClinicAdministrator | Role::SystemAdministrator => Tint::Violet,
        _ => Tint::Plain,
    }
}

/// Who the records on this device know, while the server cannot be asked.
#[component]
fn Directory(staff: Vec<StaffMember>) -> Element {
    rsx! {
        ul { class: "card list people-list",
            for one in staff.into_iter().filter(|one| one.active) {
                li { key: "{one.id}", class: "list__row person",
                    Avatar { initials: one.initials(), tone: Tint::Violet }
                    span { class: "person__who list__title", {one.full_name.clone()} }
                    RolePills { roles: vec![one.role] }
                }
            }
        }
        p { class: "sub", {text::from_directory()} }
    }
}
