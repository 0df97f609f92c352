//! Patient: the animal, whoever owns it and whichever visits it had.

use super::{Document, Problem, Register, Retracted, word_enum};
use crate::ids::{AccountId, AlertId, ClientId, VisitId, WeightId};
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
    pub at: Timestamp,
    pub by: Option<AccountId>,
    pub retracted: Option<Retracted>,
}

/// A person's ownership in time; `until` is open while it lasts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ownership {
    pub client: ClientId,
    pub since: Timestamp,
    pub until: Option<Timestamp>,
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
    pub death: Option<Death>,
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
                at: fields.time(&key("at")).unwrap_or(Timestamp(0)),
                by: fields.text(&key("by")).and_then(AccountId::parse),
                retracted: fields.retracted(&format!("alerts/{id}")),
            });
        }
        alerts.sort_by_key(|alert| (alert.kind, alert.at, alert.id));
        let owners = fields
            .entries::<ClientId>("owners")
            .into_iter()
            .map(|client| Ownership {
                client,
                since: fields
                    .time(&format!("owners/{client}/since"))
                    .unwrap_or(Timestamp(0)),
                until: fields.time(&format!("owners/{client}/until")),
            })
            .collect();
        let date = |text: &str| text.parse::<Date>().ok();
        let death = match fields.retracted("death") {
            Some(_) => None,
            None => fields.parsed("death/on", &mut problems, date).map(|on| Death {
                on,
                reported_at: fields.time("death/at").unwrap_or(Timestamp(0)),
                reported_by: fields.text("death/by").and_then(AccountId::parse),
            }),
        };
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
            owners,
            alerts,
            weights,
            death,
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
        self.owners
            .iter()
            .filter(|owner| owner.until.is_none())
            .map(|owner| owner.client)
    }
}
