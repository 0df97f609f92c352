//! Plays a demonstration clinic into the database: every deed through accept's planning, as its author, in large
//! transactions.

use crate::clock::Clock;
use crate::identity::{Passwords, random};
use crate::storage::{DemonstrationAccount, NewAccount, NewClinic, Storage, StorageError};
use crate::sync::{Author, ReadItem, SessionId, WorkingSet, Writer, plan_accept};
use ::demonstration::{Deed, DemoAccount, DemoClinic};
use shared_model::commands::CommandError;
use shared_model::documents::Document;
use shared_model::ids::{AccountId, ClinicId, DeviceId, DocumentId};
use shared_model::permissions::{Principal, Role};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use uuid::Builder;

/// Deeds per transaction.
const BATCH: usize = 8_000;

#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error("the demonstration's own {verb} was not carried out: {error}")]
    Command { verb: &'static str, error: CommandError },
    #[error("the demonstration's own {verb} was refused: {reason}")]
    Refused { verb: &'static str, reason: String },
    #[error("a deed is somebody's who has no account: {0}")]
    Nobody(AccountId),
    #[error("the import was interrupted")]
    Interrupted,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Imported {
    pub documents: usize,
    pub changes: usize,
}

/// Creates the clinic with its accounts, then does its deeds.
pub async fn import_demonstration(
    storage: &Arc<dyn Storage>,
    demonstration: DemoClinic,
) -> Result<Imported, ImportError> {
    create(storage, &demonstration).await?;
    let DemoClinic {
        clinic,
        accounts,
        deeds,
    } = demonstration;
    let mut authors = Authors {
        clinic,
        writers: accounts
            .iter()
            .map(|account| (account.account, writer(clinic, account)))
            .collect(),
        documents: HashMap::new(),
        deeds: deeds.into_iter(),
    };
    let mut working = WorkingSet::new(clinic);
    let mut changes = 0;
    let mut written;
    (authors, written) = authors.write().await?;
    // While one batch is accepted the authors write the next.
    while !written.is_empty() || authors.deeds.len() > 0 {
        changes += written.len();
        let (next, accepted) = tokio::join!(authors.write(), accept(storage, working, written));
        working = accepted?;
        (authors, written) = next?;
    }
    Ok(Imported {
        documents: authors.documents.len(),
        changes,
    })
}

async fn create(storage: &Arc<dyn Storage>, demonstration: &DemoClinic) -> Result<(), ImportError> {
    let passwords = Passwords::new().await;
    let mut accounts = Vec::new();
    for account in &demonstration.accounts {
        accounts.push(NewAccount {
            account: account.account,
            email: account.email.clone(),
            full_name: account.full_name.clone(),
            password_hash: passwords.hash(account.password.to_owned()).await,
            roles: account.roles.clone(),
            client: account.client,
        });
    }
    let system = system_administrator(demonstration);
    accounts.push(NewAccount {
        account: AccountId(Builder::from_random_bytes(random()).into_uuid()),
        email: system.email.clone(),
        full_name: system.full_name.clone(),
        password_hash: passwords.hash(system.password.clone()).await,
        roles: system.roles.clone(),
        client: None,
    });
    let shown = demonstration.accounts.iter().map(|account| DemonstrationAccount {
        email: account.email.clone(),
        full_name: account.full_name.clone(),
        roles: account.roles.clone(),
        password: account.password.to_owned(),
    });
    storage
        .create_clinic(NewClinic {
            clinic: demonstration.clinic,
            name: demonstration::NAME.to_owned(),
            created_at: Clock::system().now(),
            accounts,
            demonstration: shown.chain([system]).collect(),
        })
        .await?;
    Ok(())
}

/// Nobody of the clinic's stories: who looks after clinics has no part in them.
fn system_administrator(demonstration: &DemoClinic) -> DemonstrationAccount {
    let first = demonstration.accounts.first();
    let domain = first.and_then(|account| account.email.split_once('@'));
    let domain = domain.map_or("clinic.example", |(_, domain)| domain);
    DemonstrationAccount {
        email: format!("system@{domain}"),
        full_name: "Sasha Lehner".to_owned(),
        roles: vec![Role::SystemAdministrator],
        password: ::demonstration::DEMO_PASSWORD.to_owned(),
    }
}

fn writer(clinic: ClinicId, account: &DemoAccount) -> Arc<Writer> {
    Arc::new(Writer {
        session: SessionId::NONE,
        author: Author {
            principal: Principal {
                account: account.account,
                clinic,
                roles: account.roles.clone(),
                client: account.client,
                name: account.full_name.clone(),
            },
            account: account.account,
            // Nobody signs in from it; it only has to be one per person.
            device: DeviceId(account.account.0),
        },
        refused: Mutex::default(),
    })
}

/// The people of the clinic at their devices.
struct Authors {
    clinic: ClinicId,
    writers: HashMap<AccountId, Arc<Writer>>,
    documents: HashMap<DocumentId, Document>,
    deeds: std::vec::IntoIter<Deed>,
}

struct Item {
    verb: &'static str,
    writer: Arc<Writer>,
    read: ReadItem,
}

impl Authors {
    /// Carries out the next deeds; nothing comes of it when all are done.
    async fn write(mut self) -> Result<(Self, Vec<Item>), ImportError> {
        let work = move || {
            let items = self.carry_out();
            items.map(|items| (self, items))
        };
        tokio::task::spawn_blocking(work)
            .await
            .map_err(|_| ImportError::Interrupted)?
    }

    fn carry_out(&mut self) -> Result<Vec<Item>, ImportError> {
        let mut items = Vec::new();
        for Deed { stamp, command } in self.deeds.by_ref().take(BATCH) {
            let verb = command.verb();
            let writer = self
                .writers
                .get(&stamp.account)
                .ok_or(ImportError::Nobody(stamp.account))?;
            for (kind, id) in command.touches(self.clinic) {
                let document = self
                    .documents
                    .entry(id)
                    .or_insert_with(|| Document::genesis(kind, self.clinic, id));
                let change = command
                    .write(document, &stamp)
                    .map_err(|error| ImportError::Command { verb, error })?;
                items.extend(change.map(|change| Item {
                    verb,
                    writer: Arc::clone(writer),
                    read: ReadItem::of_change(kind, id, change),
                }));
            }
        }
        Ok(items)
    }
}

async fn accept(
    storage: &Arc<dyn Storage>,
    mut working: WorkingSet,
    items: Vec<Item>,
) -> Result<WorkingSet, ImportError> {
    let mut tx = storage.begin_accept(working.clinic()).await?;
    let head = tx.head();
    working.expect_head(head);
    let (documents, actors) = working.missing(items.iter().map(|item| &item.read));
    let rows = tx.load(&documents, &actors).await?;
    let now = Clock::system().now();
    let work = move || {
        working.fill(rows);
        let pushes = items
            .iter()
            .map(|item| (&*item.writer, std::slice::from_ref(&item.read)));
        let plan = plan_accept(&mut working, pushes, head, now);
        let refused = items
            .iter()
            .zip(&plan.refusals)
            .find_map(|(item, refused)| refused.first().map(|refusal| (item.verb, refusal)));
        if let Some((verb, refusal)) = refused {
            let reason = refusal.reason.clone();
            return Err(ImportError::Refused { verb, reason });
        }
        working.trim();
        Ok((working, plan))
    };
    let (working, plan) = tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| ImportError::Interrupted)??;
    tx.commit(plan.writes).await?;
    Ok(working)
}
