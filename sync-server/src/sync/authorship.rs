//! Whose work a push carries: the signatures of its changes, checked with the keys of the people of its device.
//!
//! Place in the flow: while a push is read, before the clinic's turn. Invariant: a change is judged as its author's and
//! entered as its author's, whoever's session brought it; what nobody vouches for is refused.

use super::accept::Author;
use super::authorize::{ReadItem, objection};
use crate::server::AppState;
use crate::storage::people::{NewSigningKey, Registered};
use crate::storage::trail::Event;
use crate::storage::{Signed, StorageError, Stored};
use shared_model::authorship::{KeyId, Lineage, PublicKey, key_id};
use shared_model::ids::{AccountId, ClinicId, DeviceId};
use shared_model::permissions::Principal;
use shared_model::protocol::{Goodbye, PushItem, RefusalCode, Signature};
use shared_model::trail::{Detail, Happening};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// Colleagues whose work one push carries, at most.
const MAX_COLLEAGUES: usize = 32;

#[derive(Debug, thiserror::Error)]
pub(crate) enum NotKnown {
    #[error(transparent)]
    Goodbye(#[from] Goodbye),
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// The people whose signatures are known, with their rights as they are now.
#[derive(Clone, Debug)]
pub(crate) struct Authors {
    clinic: ClinicId,
    device: DeviceId,
    /// The key of whoever pushes.
    own: KeyId,
    people: Arc<HashMap<KeyId, (PublicKey, Arc<Author>)>>,
}

impl Authors {
    /// Whoever pushes names their key; the first sight of it is noted in the trail.
    pub(crate) async fn begin(
        state: &AppState,
        principal: &Principal,
        device: DeviceId,
        key: &[u8; 32],
    ) -> Result<Self, NotKnown> {
        let public = PublicKey::from_bytes(key).ok_or(Goodbye::Malformed)?;
        let at = state.settings.clock.now();
        let account = principal.account;
        let new = NewSigningKey {
            account,
            device,
            key: *key,
            at,
        };
        match state.storage.people().register_signing_key(new).await? {
            Registered::Known => {}
            Registered::New => state.note_later(principal.clinic, registered(account, device, key, at)),
            Registered::Taken => return Err(Goodbye::ForeignActor.into()),
        }
        let author = Author {
            account,
            device,
            principal: principal.clone(),
        };
        Ok(Self {
            clinic: principal.clinic,
            device,
            own: public.id(),
            people: Arc::new(HashMap::from([(public.id(), (public, Arc::new(author)))])),
        })
    }

    /// With the colleagues whose work is among these items. Somebody who is nothing at the clinic any more has signed, and
    /// may do nothing.
    pub(crate) async fn of(&self, state: &AppState, items: &[PushItem]) -> Result<Self, NotKnown> {
        let named = items.iter().flat_map(|item| &item.signatures);
        let keys: BTreeSet<KeyId> = named
            .filter_map(|signature| signature.key.map(Into::into))
            .collect();
        let others: Vec<KeyId> = keys
            .into_iter()
            .filter(|key| !self.people.contains_key(key))
            .collect();
        if others.is_empty() {
            return Ok(self.clone());
        }
        if others.len() > MAX_COLLEAGUES {
            return Err(Goodbye::TooLarge.into());
        }
        let mut people = (*self.people).clone();
        for key in others {
            let found = state.storage.people().signing_key(self.device, key).await?;
            let known = found.and_then(|(account, key)| Some((account, PublicKey::from_bytes(&key)?)));
            let Some((account, public)) = known else { continue };
            let author = Author {
                account,
                device: self.device,
                principal: self.principal_of(state, account).await?,
            };
            people.insert(key, (public, Arc::new(author)));
        }
        Ok(Self {
            people: Arc::new(people),
            ..self.clone()
        })
    }

    async fn principal_of(&self, state: &AppState, account: AccountId) -> Stored<Principal> {
        let principals = state.storage.principals(account).await?;
        let here = principals
            .into_iter()
            .find(|principal| principal.clinic == self.clinic);
        Ok(here.unwrap_or_else(|| Principal {
            account,
            clinic: self.clinic,
            roles: Vec::new(),
            client: None,
            name: String::new(),
        }))
    }

    /// Gives the item's changes their authors. What nobody has signed for, or with a key that is not known, is refused.
    pub(super) fn vouch(&self, item: &mut ReadItem, signatures: Vec<Signature>) {
        let mut vouched = Vec::new();
        let lineage = Lineage::of(item.changes.iter().map(|read| read.change.as_ref().ok()));
        for Signature { change, bytes, key } in signatures {
            let key = key.map_or(self.own, Into::into);
            let position = usize::from(change);
            let (Some((public, author)), Some(read)) = (self.people.get(&key), item.changes.get(position))
            else {
                continue;
            };
            if read.change.is_ok() && public.has_signed(self.clinic, item.document, &read.hash, &bytes) {
                let signature = Signed {
                    key,
                    signature: bytes.into(),
                };
                vouched.push((position, signature, author, lineage.spoken_for(position)));
            }
        }
        for (position, signature, author, spoken_for) in vouched {
            item.changes[position].signed.get_or_insert(signature);
            for position in spoken_for {
                let vouched = &mut item.changes[position].author;
                vouched.get_or_insert_with(|| Arc::clone(author));
            }
        }
        for read in &mut item.changes {
            if read.author.is_none() && read.change.is_ok() {
                read.change = objection(
                    RefusalCode::NotSigned,
                    "its author's signature is missing, or is none of a key that is known for this device",
                );
            }
        }
    }
}

fn registered(
    account: AccountId,
    device: DeviceId,
    key: &[u8; 32],
    at: shared_model::time::Timestamp,
) -> Event {
    let detail = Detail {
        key: Some(hex::encode(key_id(key))),
        ..Detail::default()
    };
    Event {
        account: Some(account),
        device: Some(device),
        ..Event::new(Happening::SigningKeyRegistered, at, &detail)
    }
}
