//! A new animal of a client.

use super::{CommandError, Intent, invalid, optional, past, required};
use crate::documents::{Document, Kind, Sex, Species, Stamp};
use crate::ids::{ClientId, ClinicId, DocumentId, PatientId};
use crate::values::Microchip;
use automerge::Change;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisterPatient {
    pub patient: PatientId,
    pub owner: ClientId,
    pub name: String,
    pub species: Species,
    pub breed: String,
    pub colour: String,
    pub sex: Sex,
    pub neutered: Option<bool>,
    pub born: Option<Date>,
    pub microchip: String,
}

impl Intent for RegisterPatient {
    const VERB: &'static str = "register_patient";

    fn touches(&self, _: ClinicId) -> Vec<(Kind, DocumentId)> {
        vec![(Kind::Patient, self.patient.into())]
    }

    fn creates(&self, _: Kind) -> bool {
        true
    }

    fn write(&self, doc: &mut Document, stamp: &Stamp) -> Result<Option<Change>, CommandError> {
        let name = required("name", &self.name, 60)?;
        let breed = optional("breed", &self.breed, 80)?;
        let colour = optional("colour", &self.colour, 80)?;
        let born = self.born.map(|born| past("born", born, stamp.now)).transpose()?;
        let microchip = match self.microchip.trim() {
            "" => None,
            chip => Some(Microchip::parse(chip).map_err(invalid("microchip"))?),
        };
        doc.change(stamp, Self::VERB, |w| {
            w.put("name", name);
            w.put("species", self.species.word());
            w.put_optional("breed", breed);
            w.put_optional("colour", colour);
            w.put("sex", self.sex.word());
            if let Some(neutered) = self.neutered {
                w.put("neutered", neutered);
            }
            w.put_optional("born", born);
            w.put_optional("microchip", microchip.as_ref().map(Microchip::as_str));
            w.put_time(&format!("owners/{}/since", self.owner), stamp.now);
            Ok(())
        })
    }
}
