//! Consent: the text of a form as it was shown, and who signed it. An electronic signature needs intent, attribution and
//! a copy that lasts (domain, consent forms): so neither text nor signature ever changes.

use super::{Document, Made, Problem, Retracted};
use crate::ids::{ClientId, FileId, PatientId, SignatureId};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentForm {
    pub title: String,
    pub text: String,
    pub version: String,
    pub language: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentSignature {
    pub id: SignatureId,
    /// Whose session it was: the signer's own, or that of whoever held the tablet out to them.
    pub made: Made,
    /// The signer's name as they wrote it.
    pub name: String,
    /// Owner, carer, witness, veterinarian.
    pub part: String,
    /// The drawn signature.
    pub file: Option<FileId>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    pub client: Option<ClientId>,
    pub patient: Option<PatientId>,
    pub form: ConsentForm,
    pub signatures: Vec<ConsentSignature>,
    pub withdrawn: Option<Made>,
    pub retracted: Option<Retracted>,
}

impl Consent {
    pub fn read(doc: &Document) -> (Self, Vec<Problem>) {
        let fields = doc.fields();
        let mut signatures = Vec::new();
        for id in fields.entries::<SignatureId>("signatures") {
            let entry = format!("signatures/{id}");
            let Some(made) = fields.made(&entry) else { continue };
            signatures.push(ConsentSignature {
                id,
                made,
                name: fields.owned(&format!("{entry}/name")),
                part: fields.owned(&format!("{entry}/part")),
                file: fields.id(&format!("{entry}/file")),
            });
        }
        let consent = Self {
            client: fields.id("client"),
            patient: fields.id("patient"),
            form: ConsentForm {
                title: fields.owned("form/title"),
                text: fields.owned("form/text"),
                version: fields.owned("form/version"),
                language: fields.owned("form/language"),
            },
            signatures,
            withdrawn: fields.made("withdrawn"),
            retracted: fields.retracted("consent"),
        };
        (consent, Vec::new())
    }
}
