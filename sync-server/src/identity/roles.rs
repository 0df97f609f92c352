//! Who may make a member of a clinic into what. Pure; storage asks it with everybody of the clinic under lock.
//!
//! Invariant: a clinic that has an administrator keeps one.

use shared_model::accounts::may_give;
use shared_model::ids::{AccountId, ClientId};
use shared_model::permissions::Role;

/// What somebody is at the clinic now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberRoles {
    pub account: AccountId,
    pub roles: Vec<Role>,
    pub client: Option<ClientId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RolesRefused {
    #[error("this account does not belong to the clinic")]
    NoMember,
    #[error("these roles are not given or taken by whoever asks")]
    NotPermitted,
    #[error("a clinic keeps at least one administrator")]
    LastAdministrator,
    #[error("an owner has a client record")]
    NoClient,
}

/// Judges `giver` making `account` into `new`, which may be nothing at all. Both must stand in what is there now: whoever
/// was an administrator a moment ago is none.
pub fn judge_roles(
    members: &[MemberRoles],
    giver: AccountId,
    account: AccountId,
    new: &[Role],
) -> Result<(), RolesRefused> {
    let find = |wanted| members.iter().find(|member| member.account == wanted);
    let giver = find(giver).ok_or(RolesRefused::NotPermitted)?;
    let member = find(account).ok_or(RolesRefused::NoMember)?;
    let touched: Vec<Role> = Role::ALL
        .iter()
        .copied()
        .filter(|role| member.roles.contains(role) != new.contains(role))
        .collect();
    if !touched.is_empty() && !may_give(&giver.roles, &touched) {
        return Err(RolesRefused::NotPermitted);
    }
    if new.contains(&Role::Owner) && member.client.is_none() {
        return Err(RolesRefused::NoClient);
    }
    if !new.contains(&Role::ClinicAdministrator) && is_last_administrator(members, account) {
        return Err(RolesRefused::LastAdministrator);
    }
    Ok(())
}

/// Whether a clinic has this administrator and no other.
pub fn is_last_administrator(members: &[MemberRoles], account: AccountId) -> bool {
    let mut administrators = members
        .iter()
        .filter(|member| member.roles.contains(&Role::ClinicAdministrator))
        .map(|member| member.account);
    administrators.next() == Some(account) && administrators.next().is_none()
}

/// Both together, each once, in the order of the list of roles.
pub fn joined(one: &[Role], other: &[Role]) -> Vec<Role> {
    Role::ALL
        .iter()
        .copied()
        .filter(|role| one.contains(role) || other.contains(role))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use Role::*;
    use uuid::Uuid;

    fn id(number: u128) -> AccountId {
        AccountId(Uuid::from_u128(number))
    }

    fn clinic() -> Vec<MemberRoles> {
        let member = |number, roles: &[Role], client: Option<u128>| MemberRoles {
            account: id(number),
            roles: roles.to_vec(),
            client: client.map(|client| ClientId(Uuid::from_u128(client))),
        };
        vec![
            member(1, &[ClinicAdministrator], None),
            member(2, &[FrontDesk], None),
            member(3, &[Veterinarian], None),
            member(4, &[Owner], Some(9)),
            member(5, &[SystemAdministrator, Viewer], None),
        ]
    }

    #[test]
    fn who_changes_whom() {
        let members = clinic();
        let check = |giver, account, new: &[Role], expected: Result<(), RolesRefused>| {
            assert_eq!(
                judge_roles(&members, id(giver), id(account), new),
                expected,
                "{giver} makes {account} into {new:?}"
            );
        };
        use RolesRefused::*;
        check(1, 3, &[Veterinarian, ClinicAdministrator], Ok(()));
        check(1, 3, &[], Ok(()));
        check(1, 1, &[FrontDesk], Err(LastAdministrator));
        check(1, 1, &[], Err(LastAdministrator));
        check(1, 1, &[ClinicAdministrator, Viewer], Ok(()));
        check(2, 3, &[FrontDesk], Err(NotPermitted));
        check(2, 4, &[], Ok(()));
        check(2, 4, &[FrontDesk], Err(NotPermitted));
        check(1, 2, &[FrontDesk, Owner], Err(NoClient));
        check(1, 9, &[FrontDesk], Err(NoMember));
        check(9, 2, &[FrontDesk], Err(NotPermitted));
        check(1, 5, &[SystemAdministrator], Ok(()));
        check(1, 5, &[Viewer], Err(NotPermitted));
        check(5, 1, &[Veterinarian], Err(NotPermitted));
        check(4, 4, &[Owner, Veterinarian], Err(NotPermitted));
    }

    #[test]
    fn of_two_who_demote_each_other_the_second_is_none_any_more() {
        let mut members = clinic();
        members[1].roles = vec![ClinicAdministrator];
        assert_eq!(judge_roles(&members, id(1), id(2), &[FrontDesk]), Ok(()));
        members[1].roles = vec![FrontDesk];
        assert_eq!(
            judge_roles(&members, id(2), id(1), &[FrontDesk]),
            Err(RolesRefused::NotPermitted)
        );
    }
}
