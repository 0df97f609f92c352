//! A key for each person, made with their account, wrapped by the master key: it seals their name and addresses and what
//! else is told of them. Without its row nothing of that opens any more.
//!
//! Invariant: an opened one is kept by nobody, so that a key that was destroyed is gone from every node.

use super::seal::{DoesNotOpen, Key};
use super::{AtRest, anew};
use crate::storage::Stored;
use shared_model::ids::AccountId;

#[derive(Debug)]
pub(crate) struct PersonKey {
    account: AccountId,
    key: Key,
}

impl PersonKey {
    /// `what` says what it is of theirs, and which if there are several.
    pub(crate) fn seal(&self, what: &str, plain: impl AsRef<[u8]>) -> Vec<u8> {
        self.key.seal(&self.place(what), plain.as_ref())
    }

    pub(crate) fn open(&self, what: &str, sealed: &[u8]) -> Result<Vec<u8>, DoesNotOpen> {
        self.key.open(&self.place(what), sealed)
    }

    pub(crate) fn open_text(&self, what: &str, sealed: &[u8]) -> Result<String, DoesNotOpen> {
        String::from_utf8(self.open(what, sealed)?).map_err(|_| DoesNotOpen)
    }

    fn place(&self, what: &str) -> Vec<u8> {
        format!("{what} of {}", self.account).into_bytes()
    }
}

impl AtRest {
    /// A person's key, and how it lies in the database.
    pub(crate) fn fresh_person_key(&self, account: AccountId) -> (PersonKey, Vec<u8>) {
        let key = Key::fresh();
        let wrapped = self.masters.wrap(&place_of_key(account), &key);
        (PersonKey { account, key }, wrapped)
    }

    /// # Errors
    /// If it does not open with the master keys that are here.
    pub(crate) fn open_person_key(&self, account: AccountId, wrapped: &[u8]) -> Stored<PersonKey> {
        let key = self.masters.unwrap(&place_of_key(account), wrapped)?;
        Ok(PersonKey { account, key })
    }

    /// Those of these keys that a former master key wraps, wrapped by the one in force.
    pub(crate) fn wrap_person_keys_anew(
        &self,
        rows: &[(AccountId, Vec<u8>)],
    ) -> Stored<Vec<(AccountId, Vec<u8>)>> {
        anew(rows, |(account, wrapped)| {
            let wrapped = self.masters.wrap_anew(&place_of_key(*account), wrapped)?;
            Ok(wrapped.map(|wrapped| (*account, wrapped)))
        })
    }
}

fn place_of_key(account: AccountId) -> Vec<u8> {
    [b"person key ".as_slice(), account.bytes().as_slice()].concat()
}

#[cfg(test)]
mod tests {
    use super::super::{MasterKey, MasterKeys};
    use super::*;
    use uuid::Uuid;

    #[test]
    fn what_is_one_persons_opens_with_nobody_elses_key_and_in_no_other_place() {
        let at_rest = AtRest::new(MasterKey::from_bytes([1; 32]).into());
        let [ana, ben] = [1, 2].map(|number| AccountId(Uuid::from_u128(number)));
        let ((key, wrapped), (other, _)) = (at_rest.fresh_person_key(ana), at_rest.fresh_person_key(ben));
        let sealed = key.seal("name", "Ana");
        let again = at_rest.open_person_key(ana, &wrapped).expect("it opens");
        assert_eq!(again.open_text("name", &sealed).as_deref(), Ok("Ana"));
        assert_eq!(again.open("address", &sealed), Err(DoesNotOpen));
        assert_eq!(other.open("name", &sealed), Err(DoesNotOpen));
        assert!(at_rest.open_person_key(ben, &wrapped).is_err(), "another's row");
    }

    #[test]
    fn a_former_master_key_is_needed_until_it_is_wrapped_anew() {
        let [former, fresh] = [1, 2].map(|byte| MasterKey::from_bytes([byte; 32]));
        let ana = AccountId(Uuid::from_u128(1));
        let (key, wrapped) = AtRest::new(former.clone().into()).fresh_person_key(ana);
        let sealed = key.seal("name", "Ana");
        let rotating = AtRest::new(MasterKeys::new(fresh.clone(), vec![former]));
        let anew = rotating
            .wrap_person_keys_anew(&[(ana, wrapped.clone())])
            .expect("opened");
        assert_eq!(rotating.wrap_person_keys_anew(&anew).expect("opened"), []);
        let now = AtRest::new(fresh.into());
        assert!(now.open_person_key(ana, &wrapped).is_err());
        let key = now.open_person_key(ana, &anew[0].1).expect("it opens");
        assert_eq!(key.open_text("name", &sealed).as_deref(), Ok("Ana"));
    }
}
