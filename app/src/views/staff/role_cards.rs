//! What somebody is at the clinic, as cards that say in words what each role may do.

use crate::components::icon;
use crate::text;
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::LdCircleAlert;
use shared_model::accounts::may_give;
use shared_model::permissions::Role;

/// The roles of staff that somebody may give.
fn offered(giver: &[Role]) -> Vec<Role> {
    [
        Role::Veterinarian,
        Role::Technician,
        Role::FrontDesk,
        Role::ClinicAdministrator,
        Role::Viewer,
        Role::SystemAdministrator,
    ]
    .into_iter()
    .filter(|role| may_give(giver, &[*role]))
    .collect()
}

/// The one that the clinic's directory names, which has room for one.
pub(super) fn main_role(roles: &[Role]) -> Role {
    let order = [
        Role::Veterinarian,
        Role::Technician,
        Role::FrontDesk,
        Role::ClinicAdministrator,
    ];
    let first = order.into_iter().find(|role| roles.contains(role));
    first.unwrap_or(Role::Viewer)
}

#[component]
pub(crate) fn RoleCards(chosen: Signal<Vec<Role>>, giver: Vec<Role>, missing: bool) -> Element {
    let mut chosen = chosen;
    rsx! {
        fieldset { class: "form__section", "aria-describedby": missing.then_some("roles-error"),
            legend { class: "form__legend", {text::roles_label()} }
            div { class: "role-cards",
                for role in offered(&giver) {
                    label { key: "{role:?}", class: "role-card",
                        input {
                            r#type: "checkbox",
                            checked: chosen.read().contains(&role),
                            onchange: move |event| {
                                let mut roles = chosen.write();
                                roles.retain(|held| *held != role);
                                if event.checked() {
                                    roles.push(role);
                                }
                            },
                        }
                        span {
                            b { {text::role(role)} }
                            span { class: "list__sub", {text::role_may(role)} }
                        }
                    }
                }
            }
            if missing {
                p { class: "field__error", id: "roles-error", role: "alert",
                    {icon(LdCircleAlert)}
                    {text::choose_role()}
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_offered_a_role_that_they_may_not_give() {
        assert_eq!(offered(&[Role::FrontDesk]), []);
        assert_eq!(
            offered(&[Role::SystemAdministrator]),
            [Role::ClinicAdministrator, Role::SystemAdministrator]
        );
        let offered = offered(&[Role::ClinicAdministrator]);
        assert!(!offered.contains(&Role::SystemAdministrator) && !offered.contains(&Role::Owner));
        assert_eq!(offered.len(), 5);
    }

    #[test]
    fn the_directory_names_what_somebody_does_with_animals_first() {
        assert_eq!(
            main_role(&[Role::ClinicAdministrator, Role::Veterinarian]),
            Role::Veterinarian
        );
        assert_eq!(main_role(&[Role::Viewer]), Role::Viewer);
    }
}
