//! Erasing a person at the server's command line: who it is, what goes and what stays, and then doing it.
//!
//! Invariant: whoever runs it reads what would go before anything does.

use crate::clock::Clock;
use crate::storage::people::{Account, Erasure, Traces};
use crate::storage::{Storage, StorageError};
use shared_model::accounts::Membership;
use shared_model::ids::AccountId;
use std::fmt::Write as _;
use std::sync::Arc;

#[derive(Debug, thiserror::Error)]
pub enum ErasePersonError {
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error("nobody has an account with this address or id, or they were erased")]
    NoAccount,
    #[error(
        "{0} would be without an administrator: have somebody invited as another one first, or make a colleague one (Staff, \
         Roles), and then erase"
    )]
    LastAdministrator(String),
}

/// Whom it is about.
#[derive(Clone, Debug)]
pub struct Person {
    pub account: Account,
    pub traces: Traces,
}

/// By the address or the id of an account.
///
/// # Errors
/// If there is none.
pub async fn find(storage: &Arc<dyn Storage>, wanted: &str) -> Result<Person, ErasePersonError> {
    let people = storage.people();
    let account = match AccountId::parse(wanted.trim()) {
        Some(account) => people.account(account).await?,
        None => people.account_by_email(wanted).await?,
    };
    let account = account.ok_or(ErasePersonError::NoAccount)?;
    let traces = people.traces(account.account).await?;
    Ok(Person {
        traces: traces.ok_or(ErasePersonError::NoAccount)?,
        account,
    })
}

/// What goes and what stays, in lines.
pub fn describe(person: &Person) -> String {
    let Person { account, traces } = person;
    let mut text = format!(
        "{} <{}>, account {}\n\nGoes, for good:\n  name, addresses, password, and the key that opens them in copies of the \
         database too, as far as those lack it\n",
        account.full_name, account.email, account.account
    );
    for membership in &traces.memberships {
        let roles: Vec<&str> = membership.roles.iter().map(|role| role.word()).collect();
        line(
            &mut text,
            &format!("membership: {} ({})", membership.clinic_name, roles.join(", ")),
        );
    }
    if traces.devices > 0 {
        line(
            &mut text,
            &format!(
                "every sign-in, and the names of {} devices; at their next contact these hand in what they had not sent, and \
                 then delete what this person could read there",
                traces.devices
            ),
        );
    }
    for (count, what) in [
        (traces.identities, "accounts at sign-in providers, unlinked here"),
        (traces.second_factors, "second factors, with the recovery codes"),
        (traces.links, "links of mails"),
        (traces.invitations, "invitations to their address"),
        (traces.mails, "mails to them that wait"),
    ] {
        if count > 0 {
            line(&mut text, &format!("{count} {what}"));
        }
    }
    text.push_str(
        "\nStays:\n  the account's id, which no longer leads to anybody: in the trails, on what they wrote and signed, with the \
         public keys that show it, and with the ids of their devices\n  records of clinics. A client's record, a pet's, a list \
         of staff, names and addresses that somebody wrote into one: those are medical records of the clinic, have keys of \
         their own, and are corrected there\n  copies of the database and of its log from before, until you delete them\n",
    );
    text
}

fn line(text: &mut String, what: &str) {
    // A string takes everything.
    writeln!(text, "  {what}").ok();
}

/// Does it; what is left to do for whoever runs the database.
///
/// # Errors
/// If a clinic would be without an administrator, or they have been erased meanwhile.
pub async fn erase(storage: &Arc<dyn Storage>, person: &Person) -> Result<&'static str, ErasePersonError> {
    let erasure = storage
        .people()
        .erase(person.account.account, Clock::system().now())
        .await?;
    match erasure {
        Erasure::Erased { swept: true } => Ok("\nErased. Delete copies of the database from before.\n"),
        Erasure::Erased { swept: false } => Ok(
            "\nErased. Free space of the database's files may still hold what went, because somebody else was using it: run \
             the command of your database that writes it anew (VACUUM of SQLite, VACUUM FULL of Postgres). Delete copies of the \
             database from before.\n",
        ),
        Erasure::NoSuch => Err(ErasePersonError::NoAccount),
        Erasure::LastAdministrator(clinics) => Err(ErasePersonError::LastAdministrator(names(&clinics))),
    }
}

fn names(clinics: &[Membership]) -> String {
    let names: Vec<&str> = clinics.iter().map(|clinic| clinic.clinic_name.as_str()).collect();
    names.join(", ")
}
