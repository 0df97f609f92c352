//! A new client, with what the desk asks for on the phone.

use super::{CommandError, Intent, invalid, optional, required};
use crate::documents::{Channel, Document, Kind, Stamp};
use crate::ids::{ClientId, ClinicId, DocumentId, EmailId, PhoneId};
use crate::values::{Email, Phone};
use automerge::Change;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisterClient {
    pub client: ClientId,
    pub given_name: String,
    pub family_name: String,
    pub phone: Option<(PhoneId, String)>,
    pub email: Option<(EmailId, String)>,
    pub address: String,
    pub preferred_channel: Option<Channel>,
}

impl Intent for RegisterClient {
    const VERB: &'static str = "register_client";

    fn touches(&self, _: ClinicId) -> Vec<(Kind, DocumentId)> {
        vec![(Kind::Client, self.client.into())]
    }

    fn creates(&self, _: Kind) -> bool {
        true
    }

    fn write(&self, doc: &mut Document, stamp: &Stamp) -> Result<Option<Change>, CommandError> {
        let family_name = required("family_name", &self.family_name, 80)?;
        let given_name = optional("given_name", &self.given_name, 80)?;
        let address = optional("address", &self.address, 300)?;
        let phone = match &self.phone {
            Some((id, number)) => Some((id, Phone::parse(number).map_err(invalid("phone"))?)),
            None => None,
        };
        let email = match &self.email {
            Some((id, address)) => Some((id, Email::parse(address).map_err(invalid("email"))?)),
            None => None,
        };
        doc.change(stamp, Self::VERB, |w| {
            w.put("family_name", family_name);
            w.put_optional("given_name", given_name);
            w.put_optional("address", address);
            w.put_optional("preferred_channel", self.preferred_channel.map(Channel::word));
            if let Some((id, number)) = phone {
                w.put(&format!("phones/{id}/number"), number.as_str());
            }
            if let Some((id, address)) = email {
                w.put(&format!("emails/{id}/address"), address.as_str());
            }
            Ok(())
        })
    }
}
