//! What is done at the server's command line, by whoever runs it: a first clinic, a first system administrator, and help for
//! who has lost every second factor.

use crate::clock::Clock;
use crate::identity::random;
use crate::invite::{InviteError, Inviter};
use crate::mail::{Letter, Post, Writing};
use crate::open_clinic::{OpenClinicError, profile, write_profile};
use crate::storage::people::{OpenedClinic, TakenAway, Unneeded};
use crate::storage::trail::Event;
use crate::storage::{Storage, StorageError};
use shared_model::accounts::{Invite, links};
use shared_model::ids::{AccountId, ClinicId, InvitationId};
use shared_model::permissions::Role;
use shared_model::trail::{Detail, Happening};
use std::sync::Arc;
use uuid::{Builder, Uuid};

#[derive(Debug, thiserror::Error)]
pub enum AdministerError {
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error(transparent)]
    Invite(#[from] InviteError),
    #[error("{0}")]
    Clinic(String),
    #[error("nobody has an account with this address: invite them to a clinic first")]
    NoAccount,
    #[error("this account belongs to no clinic: invite it to one first")]
    NoMembership,
    #[error("this account has no second factor")]
    NoSecondFactor,
}

impl From<OpenClinicError> for AdministerError {
    fn from(error: OpenClinicError) -> Self {
        match error {
            OpenClinicError::Storage(error) => Self::Storage(error),
            other => Self::Clinic(other.to_string()),
        }
    }
}

/// A clinic as it is to be.
#[derive(Clone, Debug)]
pub struct FirstClinic<'a> {
    pub name: &'a str,
    /// IANA name.
    pub time_zone: &'a str,
    /// E-mail address.
    pub administrator: &'a str,
}

/// A clinic that was created.
#[derive(Clone, Debug)]
pub struct CreatedClinic {
    pub clinic: ClinicId,
    /// Where its administrator accepts the invitation; `None` if a mail says so.
    pub link: Option<String>,
}

/// Creates a clinic and invites its administrator: by mail if there is a mail server, else by a link to hand over.
pub async fn create_clinic(
    storage: &Arc<dyn Storage>,
    public_address: &str,
    post: &Post,
    wanted: FirstClinic<'_>,
) -> Result<CreatedClinic, AdministerError> {
    let now = Clock::system().now();
    let mint =
        || -> Uuid { Builder::from_unix_timestamp_millis(now.0.unsigned_abs(), &random::<10>()).into_uuid() };
    let clinic = ClinicId(mint());
    let profile = profile(wanted.name, wanted.time_zone)?;
    let inviter = Inviter {
        clinic,
        clinic_name: wanted.name,
        account: None,
        name: wanted.name,
    };
    // They write their own name when they accept.
    let (called, _) = wanted.administrator.split_once('@').ok_or(InviteError::Email)?;
    let invite = Invite {
        id: InvitationId(mint()),
        account: AccountId(mint()),
        email: wanted.administrator.to_owned(),
        full_name: called.to_owned(),
        roles: vec![Role::ClinicAdministrator],
        client: None,
    };
    let writing = Writing { public_address, now };
    let (mut invitation, token) = inviter.write(writing, &invite)?;
    let by_mail = post.is_mail_server();
    if !by_mail {
        invitation.mail = None;
    }
    let opened = OpenedClinic {
        clinic,
        name: wanted.name.to_owned(),
        created_at: now,
    };
    let invited = storage.people().open_clinic(opened, invitation).await?;
    let invited = invited.ok_or_else(|| AdministerError::Clinic("it could not be created".to_owned()))?;
    write_profile(storage, clinic, invited.invitation.account, profile).await?;
    Ok(CreatedClinic {
        clinic,
        link: (!by_mail).then(|| format!("{public_address}{}{token}", links::INVITATION)),
    })
}

/// Takes app, passkeys and recovery codes of somebody away who has lost them all and whom no administrator can help: in the
/// trails of their clinics, and told by mail if mails leave.
pub async fn forget_second_factor(
    storage: &Arc<dyn Storage>,
    public_address: &str,
    post: &Post,
    email: &str,
) -> Result<AccountId, AdministerError> {
    let people = storage.people();
    let account = people.account_by_email(email.trim()).await?;
    let account = account.ok_or(AdministerError::NoAccount)?;
    let now = Clock::system().now();
    let writing = Writing { public_address, now };
    let write = || writing.write(Letter::SecondFactorRemoved, &account.email, &account.full_name);
    let mail = post.leads_somewhere().then(write);
    let detail = Detail::of(account.account);
    let happened = || Event::new(Happening::SecondFactorRemoved, now, &detail);
    let clinics = storage.principals(account.account).await?.into_iter();
    let happened = clinics.map(|principal| (principal.clinic, happened())).collect();
    match people
        .take_away(account.account, Unneeded::Everything, mail, happened)
        .await?
    {
        TakenAway::Done => Ok(account.account),
        TakenAway::NoSuch | TakenAway::Last => Err(AdministerError::NoSecondFactor),
    }
}

/// Makes somebody a system administrator wherever they belong.
pub async fn make_system_administrator(
    storage: &Arc<dyn Storage>,
    email: &str,
) -> Result<AccountId, AdministerError> {
    let account = storage.people().account_by_email(email.trim()).await?;
    let account = account.ok_or(AdministerError::NoAccount)?.account;
    let role = Role::SystemAdministrator;
    match storage.people().add_role_everywhere(account, role).await? {
        0 => Err(AdministerError::NoMembership),
        _ => Ok(account),
    }
}
