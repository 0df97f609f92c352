//! A person decides between values that were written at the same time.

use super::{CommandError, Intent, required};
use crate::documents::{Document, Kind, Stamp};
use crate::ids::{ClinicId, DocumentId};
use automerge::Change;
use serde::{Deserialize, Serialize};

/// `value` is one of the stored texts that stand side by side in `field`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChooseValue {
    pub kind: Kind,
    pub document: DocumentId,
    pub field: String,
    pub value: String,
}

impl Intent for ChooseValue {
    const VERB: &'static str = "choose_value";

    fn touches(&self, _: ClinicId) -> Vec<(Kind, DocumentId)> {
        vec![(self.kind, self.document)]
    }

    fn write(&self, doc: &mut Document, stamp: &Stamp) -> Result<Option<Change>, CommandError> {
        let value = required(&self.field, &self.value, 300)?;
        let standing = doc
            .fields()
            .register(&self.field, &mut Vec::new(), |text| Some(text.to_owned()))
            .is_some_and(|register| register.value == value || register.rivals.contains(&value));
        if !standing {
            return Err(CommandError::UnknownBase);
        }
        doc.change(stamp, Self::VERB, |w| {
            w.put(&self.field, value);
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::AccountId;
    use crate::permissions::{Principal, Role, judge};
    use crate::time::Timestamp;
    use automerge::ActorId;
    use uuid::Uuid;

    fn stamp(actor: u8) -> Stamp {
        Stamp {
            now: Timestamp(1_795_435_200_000),
            actor: ActorId::from([actor; 16]),
            account: AccountId(Uuid::from_u128(3)),
        }
    }

    fn vet(clinic: ClinicId) -> Principal {
        Principal {
            account: AccountId(Uuid::from_u128(3)),
            clinic,
            roles: vec![Role::Veterinarian],
            client: None,
            name: String::new(),
        }
    }

    #[test]
    fn each_of_two_values_can_be_chosen_the_standing_one_too() {
        let clinic = ClinicId(Uuid::from_u128(1));
        let id = DocumentId(Uuid::from_u128(2));
        let mut doc = Document::genesis(Kind::Patient, clinic, id);
        let write = |actor: u8, sex: &str| -> Change {
            let mut copy = Document::genesis(Kind::Patient, clinic, id);
            let change = copy.change(&stamp(actor), "edit_patient", |w| {
                w.put("sex", sex);
                Ok::<(), CommandError>(())
            });
            change.expect("valid").expect("a change")
        };
        let rivals = [write(4, "male"), write(5, "female")];
        doc.apply(&rivals).expect("it fits");
        let sex = |doc: &Document| {
            let register = doc
                .fields()
                .register("sex", &mut Vec::new(), |text| Some(text.to_owned()));
            register.expect("written")
        };
        assert!(sex(&doc).is_contested());

        for value in ["male", "female"] {
            let mut chosen = Document::load(Kind::Patient, clinic, id, &doc.save()).expect("readable");
            let command = ChooseValue {
                kind: Kind::Patient,
                document: id,
                field: "sex".to_owned(),
                value: value.to_owned(),
            };
            let change = command.write(&mut chosen, &stamp(6)).expect("valid");
            let change = change.expect("it decides");
            let now = stamp(6).now;
            assert_eq!(judge(&vet(clinic), &doc, false, &change, now), Ok(()), "{value}");
            assert_eq!(sex(&chosen).value, value);
            assert!(!sex(&chosen).is_contested(), "{value}");
        }
    }

    #[test]
    fn a_field_cleared_and_written_at_the_same_time_can_be_cleared_again() {
        let clinic = ClinicId(Uuid::from_u128(1));
        let id = DocumentId(Uuid::from_u128(2));
        let mut doc = Document::genesis(Kind::Patient, clinic, id);
        let mut clear_after = |actor: u8, texts: &[Option<&str>]| {
            let mut copy = Document::genesis(Kind::Patient, clinic, id);
            for text in texts {
                let change = copy.change(&stamp(actor), "edit_patient", |w| {
                    w.put_optional("breed", *text);
                    Ok::<(), CommandError>(())
                });
                doc.apply(&[change.expect("valid").expect("a change")])
                    .expect("it fits");
            }
        };
        clear_after(4, &[Some("Collie"), None]);
        clear_after(5, &[Some("Poodle")]);
        let before = Document::load(Kind::Patient, clinic, id, &doc.save()).expect("readable");
        let change = doc.change(&stamp(6), "edit_patient", |w| {
            w.put_optional("breed", None::<&str>);
            Ok::<(), CommandError>(())
        });
        let change = change.expect("valid").expect("it decides");
        assert_eq!(judge(&vet(clinic), &before, false, &change, stamp(6).now), Ok(()));
        assert_eq!(doc.fields().text("breed"), None);
    }
}
