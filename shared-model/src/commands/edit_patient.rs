//! Changes of an animal's identity: each field that was touched, and no other.

use super::{CommandError, Intent, invalid, optional, past, required};
use crate::documents::{Document, Kind, Sex, Species, Stamp};
use crate::ids::{ClinicId, DocumentId, PatientId};
use crate::values::Microchip;
use automerge::Change;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// `None` leaves a field as it is; an empty text clears it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EditPatient {
    pub patient: PatientId,
    pub name: Option<String>,
    pub species: Option<Species>,
    pub breed: Option<String>,
    pub colour: Option<String>,
    pub sex: Option<Sex>,
    pub neutered: Option<bool>,
    pub born: Option<Option<Date>>,
    pub microchip: Option<String>,
}

impl EditPatient {
    /// An edit that touches nothing yet.
    pub fn of(patient: PatientId) -> Self {
        Self {
            patient,
            name: None,
            species: None,
            breed: None,
            colour: None,
            sex: None,
            neutered: None,
            born: None,
            microchip: None,
        }
    }
}

impl Intent for EditPatient {
    const VERB: &'static str = "edit_patient";

    fn touches(&self, _: ClinicId) -> Vec<(Kind, DocumentId)> {
        vec![(Kind::Patient, self.patient.into())]
    }

    fn write(&self, doc: &mut Document, stamp: &Stamp) -> Result<Option<Change>, CommandError> {
        let name = self
            .name
            .as_deref()
            .map(|t| required("name", t, 60))
            .transpose()?;
        let breed = self
            .breed
            .as_deref()
            .map(|t| optional("breed", t, 80))
            .transpose()?;
        let colour = self
            .colour
            .as_deref()
            .map(|t| optional("colour", t, 80))
            .transpose()?;
        let born = match self.born {
            Some(Some(born)) => Some(Some(past("born", born, stamp.now)?)),
            Some(None) => Some(None),
            None => None,
        };
        let microchip = match self.microchip.as_deref().map(str::trim) {
            None => None,
            Some("") => Some(None),
            Some(chip) => Some(Some(Microchip::parse(chip).map_err(invalid("microchip"))?)),
        };
        doc.change(stamp, Self::VERB, |w| {
            if let Some(name) = name {
                w.put("name", name);
            }
            if let Some(species) = self.species {
                w.put("species", species.word());
            }
            if let Some(breed) = breed {
                w.put_optional("breed", breed);
            }
            if let Some(colour) = colour {
                w.put_optional("colour", colour);
            }
            if let Some(sex) = self.sex {
                w.put("sex", sex.word());
            }
            if let Some(neutered) = self.neutered {
                w.put("neutered", neutered);
            }
            if let Some(born) = born {
                w.put_optional("born", born);
            }
            if let Some(chip) = microchip {
                w.put_optional("microchip", chip.as_ref().map(Microchip::as_str));
            }
            Ok(())
        })
    }
}
