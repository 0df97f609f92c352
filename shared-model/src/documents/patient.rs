//! Patient: the animal, whoever owns it and whichever visits it had.

use super::{Document, Fields, Made, Problem, Register, Retracted, word_enum};
use crate::ids::{AccountId, AlertId, ClientId, FileId, VaccinationId, VisitId, WeightId};
use crate::time::Timestamp;
use crate::values::{Microchip, Weight};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

word_enum! {
    Species {
        Dog = "dog", Cat = "cat", Rabbit = "rabbit", GuineaPig = "guinea_pig", Ferret = "ferret",
        Rodent = "rodent", Bird = "bird", Reptile = "reptile", Horse = "horse", Other = "other",
    }
}
word_enum! { Sex { Female = "female", Male = "male", Unknown = "unknown" } }
word_enum! {
    /// What an alert warns of. Allergies come first wherever alerts are listed.
    AlertKind { Allergy = "allergy", Handling = "handling", Medical = "medical" }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WeightEntry {
    pub id: WeightId,
    pub weight: Register<Weight>,
    pub at: Timestamp,
    pub by: Option<AccountId>,
    pub visit: Option<VisitId>,
    pub retracted: Option<Retracted>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    pub id: AlertId,
    pub kind: AlertKind,
    pub text: Register<String>,
    /// Of an allergy: what it is against, which dose checks compare with; empty if nobody has said.
    pub substance: Option<Register<String>>,
    pub reaction: String,
    pub at: Timestamp,
    pub by: Option<AccountId>,
    pub retracted: Option<Retracted>,
}

/// A dose that was given. When the next is due is derived from doses, product and protocol, never stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vaccination {
    pub id: VaccinationId,
    pub given_on: Register<Date>,
    /// What it protects against, as the protocol names it.
    pub disease: String,
    pub product: String,
    pub manufacturer: String,
    pub lot: String,
    pub made: Option<Made>,
    pub visit: Option<VisitId>,
    pub retracted: Option<Retracted>,
}

/// The animal has run away or was stolen; it can be found again, which retracts it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loss {
    pub on: Date,
    pub reported: Option<Made>,
    pub place: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Photo {
    pub file: FileId,
    pub made: Option<Made>,
}

/// A person's ownership in time; `until` is open while it lasts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ownership {
    pub client: ClientId,
    pub since: Timestamp,
    pub until: Option<Timestamp>,
}

impl Ownership {
    pub(super) fn read_all(fields: &Fields) -> Vec<Self> {
        let read = |client: ClientId| Self {
            client,
            since: fields
                .time(&format!("owners/{client}/since"))
                .unwrap_or(Timestamp(0)),
            until: fields.time(&format!("owners/{client}/until")),
        };
        fields.entries("owners").into_iter().map(read).collect()
    }

    pub(super) fn present(owners: &[Self]) -> impl Iterator<Item = ClientId> {
        owners
            .iter()
            .filter(|owner| owner.until.is_none())
            .map(|owner| owner.client)
    }
}

/// A sticky fact: it stops every reminder, and it can be retracted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Death {
    pub on: Date,
    pub reported_at: Timestamp,
    pub reported_by: Option<AccountId>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Patient {
    pub name: String,
    pub species: Register<Species>,
    pub breed: String,
    pub colour: String,
    pub sex: Register<Sex>,
    pub neutered: Option<bool>,
    pub born: Option<Register<Date>>,
    pub microchip: Option<Register<Microchip>>,
    pub owners: Vec<Ownership>,
    /// Allergies first, then by time; retracted ones included.
    pub alerts: Vec<Alert>,
    /// By the time of weighing, oldest first; retracted ones included.
    pub weights: Vec<WeightEntry>,
    /// By day, oldest first; retracted ones included.
    pub vaccinations: Vec<Vaccination>,
    pub death: Option<Death>,
    pub loss: Option<Loss>,
    pub photo: Option<Photo>,
    pub retracted: Option<Retracted>,
}

impl Patient {
    pub fn read(doc: &Document) -> (Self, Vec<Problem>) {
        let fields = doc.fields();
        let mut problems = Vec::new();
        let text = |key: &str| fields.text(key).unwrap_or_default().to_owned();
        let mut weights = Vec::new();
        for id in fields.entries::<WeightId>("weights") {
            let key = |field: &str| format!("weights/{id}/{field}");
            let weight = fields.register(&key("kg"), &mut problems, |text| Weight::parse(text).ok());
            if let Some(weight) = weight {
                weights.push(WeightEntry {
                    id,
                    weight,
                    at: fields.time(&key("at")).unwrap_or(Timestamp(0)),
                    by: fields.text(&key("by")).and_then(AccountId::parse),
                    visit: fields.text(&key("visit")).and_then(VisitId::parse),
                    retracted: fields.retracted(&format!("weights/{id}")),
                });
            }
        }
        weights.sort_by_key(|entry| (entry.at, entry.id));
        let mut alerts = Vec::new();
        for id in fields.entries::<AlertId>("alerts") {
            let key = |field: &str| format!("alerts/{id}/{field}");
            let Some(text) = fields.register(&key("text"), &mut problems, |text| Some(text.to_owned()))
            else {
                continue;
            };
            alerts.push(Alert {
                id,
                // An alert of a kind that cannot be read is still an alert.
                kind: fields
                    .parsed(&key("kind"), &mut problems, AlertKind::from_word)
                    .unwrap_or(AlertKind::Medical),
                text,
                substance: fields.register(&key("substance"), &mut problems, |text| Some(text.to_owned())),
                reaction: fields.owned(&key("reaction")),
                at: fields.time(&key("at")).unwrap_or(Timestamp(0)),
                by: fields.text(&key("by")).and_then(AccountId::parse),
                retracted: fields.retracted(&format!("alerts/{id}")),
            });
        }
        alerts.sort_by_key(|alert| (alert.kind, alert.at, alert.id));
        let date = |text: &str| text.parse::<Date>().ok();
        let death = match fields.retracted("death") {
            Some(_) => None,
            None => fields.parsed("death/on", &mut problems, date).map(|on| Death {
                on,
                reported_at: fields.time("death/at").unwrap_or(Timestamp(0)),
                reported_by: fields.text("death/by").and_then(AccountId::parse),
            }),
        };
        let mut vaccinations: Vec<Vaccination> = Vec::new();
        for id in fields.entries::<VaccinationId>("vaccinations") {
            let entry = format!("vaccinations/{id}");
            let key = |field: &str| format!("{entry}/{field}");
            let Some(given_on) = fields.register(&key("given_on"), &mut problems, date) else {
                continue;
            };
            vaccinations.push(Vaccination {
                id,
                given_on,
                disease: fields.owned(&key("disease")),
                product: fields.owned(&key("product")),
                manufacturer: fields.owned(&key("manufacturer")),
                lot: fields.owned(&key("lot")),
                made: fields.made(&entry),
                visit: fields.id(&key("visit")),
                retracted: fields.retracted(&entry),
            });
        }
        vaccinations.sort_by_key(|dose| (dose.given_on.value, dose.id));
        let loss = match fields.retracted("loss") {
            Some(_) => None,
            None => fields.parsed("loss/on", &mut problems, date).map(|on| Loss {
                on,
                reported: fields.made("loss"),
                place: fields.owned("loss/place"),
            }),
        };
        let photo = fields.id("photo/file").map(|file| Photo {
            file,
            made: fields.made("photo"),
        });
        let patient = Self {
            name: text("name"),
            species: fields
                .register("species", &mut problems, Species::from_word)
                .unwrap_or_else(|| Register::single(Species::Other)),
            breed: text("breed"),
            colour: text("colour"),
            sex: fields
                .register("sex", &mut problems, Sex::from_word)
                .unwrap_or_else(|| Register::single(Sex::Unknown)),
            neutered: fields.boolean("neutered"),
            born: fields.register("born", &mut problems, date),
            microchip: fields.register("microchip", &mut problems, |text| Microchip::parse(text).ok()),
            owners: Ownership::read_all(&fields),
            alerts,
            weights,
            vaccinations,
            death,
            loss,
            photo,
            retracted: fields.retracted("patient"),
        };
        (patient, problems)
    }

    /// The newest weight that stands.
    pub fn latest_weight(&self) -> Option<&WeightEntry> {
        self.weights.iter().rev().find(|entry| entry.retracted.is_none())
    }

    /// The alerts that stand, allergies first.
    pub fn standing_alerts(&self) -> impl Iterator<Item = &Alert> {
        self.alerts.iter().filter(|alert| alert.retracted.is_none())
    }

    pub fn present_owners(&self) -> impl Iterator<Item = ClientId> {
        Ownership::present(&self.owners)
    }
}
