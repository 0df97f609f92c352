//! Signed authorship: whose work a change is, however it comes to the server.
//!
//! Place in the flow: beside the changes. A device makes an Ed25519 key (RFC 8032) for each person who signs in on it and
//! signs what they write; the server, which knows whose key it is, judges it with that person's rights, whoever's session
//! carried it. Invariant: what is signed names clinic, document and change, so that a signature fits nowhere else. A
//! change's hash covers everything that it builds on, so one signature speaks for all of its author's changes below it.

use crate::documents::read_change;
use crate::ids::{ClinicId, DocumentId};
use crate::protocol::{PushItem, Signature};
use automerge::{Change, ChangeHash};
use ed25519_dalek::Signer;
use std::collections::{BTreeSet, HashMap};

/// Begins what is signed, so that the key's signatures can be taken for nothing else.
const DOMAIN: &[u8; 16] = b"clinic change 1\0";

/// How many bytes a signature has.
pub const SIGNATURE: usize = 64;

/// A device knows few enough keys that their first bytes tell them apart.
pub type KeyId = [u8; 8];

/// One person's key on one device. Dropped, it is wiped from memory.
#[derive(Clone)]
pub struct SigningKey(ed25519_dalek::SigningKey);

impl SigningKey {
    /// `seed` is random and used for nothing else.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(ed25519_dalek::SigningKey::from_bytes(seed))
    }

    pub fn public(&self) -> [u8; 32] {
        self.0.verifying_key().to_bytes()
    }

    pub fn sign(&self, clinic: ClinicId, document: DocumentId, change: &ChangeHash) -> [u8; SIGNATURE] {
        self.0.sign(&message(clinic, document, change)).to_bytes()
    }

    /// Signs the changes of an item that lie at these positions and can be read, as whoever's session began with this key.
    pub fn sign_in_item(
        &self,
        clinic: ClinicId,
        item: &mut PushItem,
        positions: impl IntoIterator<Item = usize>,
    ) {
        let signatures = positions.into_iter().filter_map(|position| {
            let change = read_change(item.changes.get(position)?).ok()?;
            Some(Signature {
                change: u16::try_from(position).ok()?,
                bytes: self.sign(clinic, item.document, &change.hash()).into(),
                key: None,
            })
        });
        item.signatures = signatures.collect();
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("SigningKey")
            .field(&key_id(&self.public()))
            .finish()
    }
}

/// The key that the signatures of a [`SigningKey`] are checked with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicKey(ed25519_dalek::VerifyingKey);

impl PublicKey {
    /// `None` for what is no key, and for the weak ones whose signatures would fit several texts.
    pub fn from_bytes(bytes: &[u8; 32]) -> Option<Self> {
        let key = ed25519_dalek::VerifyingKey::from_bytes(bytes).ok()?;
        (!key.is_weak()).then_some(Self(key))
    }

    pub fn id(&self) -> KeyId {
        key_id(self.0.as_bytes())
    }

    pub fn has_signed(
        &self,
        clinic: ClinicId,
        document: DocumentId,
        change: &ChangeHash,
        signature: &[u8; SIGNATURE],
    ) -> bool {
        let signature = ed25519_dalek::Signature::from_bytes(signature);
        self.0
            .verify_strict(&message(clinic, document, change), &signature)
            .is_ok()
    }
}

pub fn key_id(public: &[u8; 32]) -> KeyId {
    let mut id = KeyId::default();
    id.copy_from_slice(&public[..8]);
    id
}

fn message(clinic: ClinicId, document: DocumentId, change: &ChangeHash) -> [u8; 80] {
    let mut message = [0; 80];
    message[..16].copy_from_slice(DOMAIN);
    message[16..32].copy_from_slice(&clinic.bytes()[..]);
    message[32..48].copy_from_slice(&document.bytes()[..]);
    message[48..].copy_from_slice(&change.0);
    message
}

/// An item's changes by what they build on. Positions are those in the item, where `None` could not be read.
pub struct Lineage<'c> {
    changes: Vec<Option<&'c Change>>,
    by_hash: HashMap<ChangeHash, usize>,
}

impl<'c> Lineage<'c> {
    pub fn of(changes: impl IntoIterator<Item = Option<&'c Change>>) -> Self {
        let changes: Vec<_> = changes.into_iter().collect();
        let by_hash = changes
            .iter()
            .enumerate()
            .filter_map(|(position, change)| Some((change.as_ref()?.hash(), position)))
            .collect();
        Self { changes, by_hash }
    }

    /// Which changes a signature of one of them speaks for: it, and those below it that the same actor wrote.
    pub fn spoken_for(&self, signed: usize) -> BTreeSet<usize> {
        let mut spoken_for = BTreeSet::new();
        let Some(Some(last)) = self.changes.get(signed) else {
            return spoken_for;
        };
        let (mut todo, mut seen) = (vec![signed], BTreeSet::from([signed]));
        while let Some(position) = todo.pop() {
            let Some(change) = self.changes[position] else {
                continue;
            };
            if change.actor_id() == last.actor_id() {
                spoken_for.insert(position);
            }
            let below = change.deps().iter().filter_map(|dep| self.by_hash.get(dep));
            todo.extend(below.filter(|position| seen.insert(**position)));
        }
        spoken_for
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use automerge::transaction::Transactable;
    use automerge::{ActorId, Automerge, ROOT};
    use uuid::Uuid;

    fn id(number: u128) -> Uuid {
        Uuid::from_u128(number)
    }

    #[test]
    fn a_signature_fits_one_change_of_one_document_of_one_clinic() {
        let key = SigningKey::from_seed(&[7; 32]);
        let public = PublicKey::from_bytes(&key.public()).expect("a key");
        let (clinic, document, change) = (ClinicId(id(1)), DocumentId(id(2)), ChangeHash([3; 32]));
        let signature = key.sign(clinic, document, &change);
        assert!(public.has_signed(clinic, document, &change, &signature));
        assert!(!public.has_signed(ClinicId(id(9)), document, &change, &signature));
        assert!(!public.has_signed(clinic, DocumentId(id(9)), &change, &signature));
        assert!(!public.has_signed(clinic, document, &ChangeHash([9; 32]), &signature));
        for bit in 0..SIGNATURE * 8 {
            let mut forged = signature;
            forged[bit / 8] ^= 1 << (bit % 8);
            assert!(
                !public.has_signed(clinic, document, &change, &forged),
                "bit {bit}"
            );
        }
        let other = PublicKey::from_bytes(&SigningKey::from_seed(&[8; 32]).public()).expect("a key");
        assert!(!other.has_signed(clinic, document, &change, &signature));
    }

    #[test]
    fn weak_keys_are_none() {
        // The neutral element: any text has a signature that fits it.
        let mut neutral = [0; 32];
        neutral[0] = 1;
        assert_eq!(PublicKey::from_bytes(&neutral), None);
        assert_eq!(PublicKey::from_bytes(&[0; 32]), None);
    }

    fn write(document: &mut Automerge, actor: u8, value: i64) -> Change {
        document.set_actor(ActorId::from([actor]));
        let mut tx = document.transaction();
        tx.put(ROOT, "value", value).expect("written");
        tx.commit();
        document.get_last_local_change().expect("a change").clone()
    }

    #[test]
    fn it_speaks_for_its_authors_changes_below_it_and_for_nobody_elses() {
        let mut document = Automerge::new();
        let mut apart = document.fork();
        let changes = [
            write(&mut document, 1, 1),
            write(&mut document, 2, 2),
            write(&mut document, 1, 3),
            write(&mut apart, 1, 4),
            write(&mut document, 1, 5),
        ];
        let lineage = Lineage::of(changes.iter().map(Some));
        assert_eq!(lineage.spoken_for(2), [0, 2].into());
        assert_eq!(lineage.spoken_for(4), [0, 2, 4].into(), "not what lies beside it");
        assert_eq!(lineage.spoken_for(1), [1].into());
        assert_eq!(lineage.spoken_for(9), [].into());
        let unreadable = Lineage::of([Some(&changes[0]), None, Some(&changes[2])]);
        // Automerge names a writer's own former change beside the newest ones.
        assert_eq!(unreadable.spoken_for(2), [0, 2].into());
    }
}
