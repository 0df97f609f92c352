//! Changes of a client's contacts: each field that was touched, and no other.

use super::{CommandError, Intent, invalid, optional, required, restore, retract};
use crate::documents::{Channel, Document, Kind, Stamp};
use crate::ids::{ClientId, ClinicId, DocumentId, EmailId, PhoneId};
use crate::values::{Email, Phone};
use automerge::Change;
use serde::{Deserialize, Serialize};

/// `None` leaves a field as it is. A phone or email whose text is empty is retracted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EditClient {
    pub client: ClientId,
    pub given_name: Option<String>,
    pub family_name: Option<String>,
    pub address: Option<String>,
    pub preferred_channel: Option<Channel>,
    pub phones: Vec<(PhoneId, String)>,
    pub emails: Vec<(EmailId, String)>,
}

impl EditClient {
    /// An edit that touches nothing yet.
    pub fn of(client: ClientId) -> Self {
        Self {
            client,
            given_name: None,
            family_name: None,
            address: None,
            preferred_channel: None,
            phones: Vec::new(),
            emails: Vec::new(),
        }
    }
}

impl Intent for EditClient {
    const VERB: &'static str = "edit_client";

    fn touches(&self, _: ClinicId) -> Vec<(Kind, DocumentId)> {
        vec![(Kind::Client, self.client.into())]
    }

    fn write(&self, doc: &mut Document, stamp: &Stamp) -> Result<Option<Change>, CommandError> {
        let family_name = self
            .family_name
            .as_deref()
            .map(|t| required("family_name", t, 80))
            .transpose()?;
        let given_name = self
            .given_name
            .as_deref()
            .map(|t| optional("given_name", t, 80))
            .transpose()?;
        let address = self
            .address
            .as_deref()
            .map(|t| optional("address", t, 300))
            .transpose()?;
        doc.change(stamp, Self::VERB, |w| {
            if let Some(name) = family_name {
                w.put("family_name", name);
            }
            if let Some(name) = given_name {
                w.put_optional("given_name", name);
            }
            if let Some(address) = address {
                w.put_optional("address", address);
            }
            if let Some(channel) = self.preferred_channel {
                w.put("preferred_channel", channel.word());
            }
            for (id, number) in &self.phones {
                let prefix = format!("phones/{id}");
                if number.trim().is_empty() {
                    retract(w, &prefix, stamp, "");
                } else {
                    let number = Phone::parse(number).map_err(invalid("phone"))?;
                    w.put(&format!("{prefix}/number"), number.as_str());
                    restore(w, &prefix, w.fields().retracted(&prefix).as_ref());
                }
            }
            for (id, address) in &self.emails {
                let prefix = format!("emails/{id}");
                if address.trim().is_empty() {
                    retract(w, &prefix, stamp, "");
                } else {
                    let address = Email::parse(address).map_err(invalid("email"))?;
                    w.put(&format!("{prefix}/address"), address.as_str());
                    restore(w, &prefix, w.fields().retracted(&prefix).as_ref());
                }
            }
            Ok(())
        })
    }
}
