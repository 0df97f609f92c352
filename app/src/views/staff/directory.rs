//! The clinic's own directory of its staff, which the day and bookings go by: kept in step with who belongs to the clinic.

use super::role_cards::main_role;
use crate::host::Host;
use crate::text;
use shared_model::commands::SetStaffMember;
use shared_model::documents::ClinicSettings;
use shared_model::ids::AccountId;
use shared_model::permissions::Role;

/// What the directory says of somebody, as a command that says it again.
pub(super) fn listed(settings: &ClinicSettings, account: AccountId) -> Option<SetStaffMember> {
    let one = settings.staff_member(account)?;
    Some(SetStaffMember {
        account,
        name: one.name.clone(),
        full_name: one.full_name.clone(),
        role: one.role,
        bookable: one.bookable,
        order: one.order,
        active: one.active,
    })
}

/// Somebody who is not in it yet, at its end.
pub(super) fn new_entry(
    settings: &ClinicSettings,
    account: AccountId,
    full_name: &str,
    roles: &[Role],
) -> SetStaffMember {
    let orders = settings.staff.iter().map(|one| one.order);
    let last = orders.filter(|order| *order < u64::MAX).max().unwrap_or(0);
    SetStaffMember {
        account,
        name: column_name(full_name, roles),
        full_name: full_name.to_owned(),
        role: main_role(roles),
        bookable: false,
        order: last + 1,
        active: true,
    }
}

/// As on the day's column: "Dr Lind".
pub(super) fn column_name(full_name: &str, roles: &[Role]) -> String {
    let full_name = full_name.trim();
    let family = full_name.split_whitespace().next_back().unwrap_or_default();
    if roles.contains(&Role::Veterinarian) && !family.is_empty() {
        text::doctor(family)
    } else {
        full_name.to_owned()
    }
}

/// Outlives the dialog that asks for it; says so if it could not be done.
pub(super) fn enter(host: Host, entry: SetStaffMember, failed: impl Fn(String) + 'static) {
    dioxus::core::spawn_forever(async move {
        if let Err(failure) = host.run(entry).await {
            failed(text::failure(&failure));
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vets_are_called_by_their_family_name_and_others_by_theirs() {
        let check = |name: &str, roles: &[Role], expected: &str| {
            assert_eq!(column_name(name, roles), expected);
        };
        check("Karin Lind", &[Role::Veterinarian], "Dr Lind");
        check(" Tomas Kral ", &[Role::Technician], "Tomas Kral");
        check("", &[Role::Veterinarian], "");
    }
}
