//! Client: a person (or organisation) who brings animals.

use super::{Document, Made, Problem, Register, Retracted, word_enum};
use crate::ids::{EmailId, PhoneId};
use serde::{Deserialize, Serialize};

word_enum! {
    /// How the client wants to be reached.
    Channel { Phone = "phone", Sms = "sms", Email = "email", Post = "post" }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientPhone {
    pub id: PhoneId,
    pub number: String,
    pub label: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientEmail {
    pub id: EmailId,
    pub address: String,
}

/// Whether the client takes messages on a channel. Without a word of theirs nothing is assumed here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allowed {
    pub channel: Channel,
    pub allowed: bool,
}

/// What the client agreed to (reminders, marketing, photos in public), with the evidence that law asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentToMessages {
    pub purpose: String,
    pub given: bool,
    pub made: Option<Made>,
    /// In writing, at the desk, in the app.
    pub how: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {
    pub given_name: String,
    /// Identity: rivals are shown until a person chooses.
    pub family_name: Register<String>,
    pub phones: Vec<ClientPhone>,
    pub emails: Vec<ClientEmail>,
    pub address: String,
    pub preferred_channel: Option<Channel>,
    pub channels: Vec<Allowed>,
    pub consents: Vec<ConsentToMessages>,
    pub retracted: Option<Retracted>,
}

impl Client {
    pub fn read(doc: &Document) -> (Self, Vec<Problem>) {
        let fields = doc.fields();
        let mut problems = Vec::new();
        let phones = fields
            .entries::<PhoneId>("phones")
            .into_iter()
            .filter(|id| fields.retracted(&format!("phones/{id}")).is_none())
            .filter_map(|id| {
                Some(ClientPhone {
                    id,
                    number: fields.text(&format!("phones/{id}/number"))?.to_owned(),
                    label: fields
                        .text(&format!("phones/{id}/label"))
                        .unwrap_or_default()
                        .to_owned(),
                })
            })
            .collect();
        let emails = fields
            .entries::<EmailId>("emails")
            .into_iter()
            .filter(|id| fields.retracted(&format!("emails/{id}")).is_none())
            .filter_map(|id| {
                Some(ClientEmail {
                    id,
                    address: fields.text(&format!("emails/{id}/address"))?.to_owned(),
                })
            })
            .collect();
        let family_name = fields.register("family_name", &mut problems, |text| Some(text.to_owned()));
        if family_name.is_none() {
            problems.push(Problem {
                field: "family_name".to_owned(),
                what: "is missing".to_owned(),
            });
        }
        let channel = |channel: &Channel| {
            let allowed = fields.boolean(&format!("channels/{}/allowed", channel.word()))?;
            Some(Allowed {
                channel: *channel,
                allowed,
            })
        };
        let consent = |purpose: String| {
            let entry = format!("consents/{purpose}");
            Some(ConsentToMessages {
                given: fields.boolean(&format!("{entry}/given"))?,
                made: fields.made(&entry),
                how: fields.owned(&format!("{entry}/how")),
                purpose,
            })
        };
        let client = Self {
            given_name: fields.text("given_name").unwrap_or_default().to_owned(),
            family_name: family_name.unwrap_or_else(|| Register::single(String::new())),
            phones,
            emails,
            address: fields.text("address").unwrap_or_default().to_owned(),
            preferred_channel: fields.parsed("preferred_channel", &mut problems, Channel::from_word),
            channels: Channel::ALL.iter().filter_map(channel).collect(),
            consents: fields.words("consents").into_iter().filter_map(consent).collect(),
            retracted: fields.retracted("client"),
        };
        (client, problems)
    }

    /// "Petra Novak".
    pub fn full_name(&self) -> String {
        join_name(&self.given_name, &self.family_name.value)
    }
}

/// Given and family name with one blank, or whichever there is.
fn join_name(given: &str, family: &str) -> String {
    [given, family]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}
