//! Certificate: what a veterinarian vouches for, as a vaccination or rabies certificate. Which facts belong on which is a
//! template's matter, so they are named fields here and not a struct.

use super::{Document, Problem, Retracted, Signature, word_enum};
use crate::ids::{ClientId, PatientId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

word_enum! { Certified { Vaccination = "vaccination", Rabies = "rabies", Health = "health" } }

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    pub client: Option<ClientId>,
    pub patient: Option<PatientId>,
    pub what: Option<Certified>,
    /// The form's fields by their names, as they are printed.
    pub facts: BTreeMap<String, String>,
    pub signature: Option<Signature>,
    pub retracted: Option<Retracted>,
}

impl Certificate {
    pub fn read(doc: &Document) -> (Self, Vec<Problem>) {
        let fields = doc.fields();
        let mut problems = Vec::new();
        let fact = |key: &str| Some((key.strip_prefix("facts/")?.to_owned(), fields.owned(key)));
        let certificate = Self {
            client: fields.id("client"),
            patient: fields.id("patient"),
            what: fields.parsed("what", &mut problems, Certified::from_word),
            facts: fields.iter().filter_map(|(key, _)| fact(key)).collect(),
            signature: Signature::read(doc, &fields, &["certificate"], &mut problems),
            retracted: fields.retracted("certificate"),
        };
        (certificate, problems)
    }
}
