//! One newtype per thing that has an identity. Invariant: ids are minted on the device (UUIDv7) or derived from
//! another id, never by the server, so that work offline needs nobody's leave.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;
use uuid::{Builder, Uuid};

macro_rules! id {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// Reads the canonical text form; `None` for anything else.
            pub fn parse(text: &str) -> Option<Self> {
                Uuid::try_parse(text).ok().map(Self)
            }
            /// The 16 bytes, as stored and sent.
            pub fn bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }
            /// From 16 stored bytes; `None` if there are more or fewer.
            pub fn from_slice(bytes: &[u8]) -> Option<Self> {
                Uuid::from_slice(bytes).ok().map(Self)
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }
        impl std::str::FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::try_parse(text).map(Self)
            }
        }
        impl<C> minicbor::Encode<C> for $name {
            fn encode<W: minicbor::encode::Write>(
                &self, e: &mut minicbor::Encoder<W>, _: &mut C,
            ) -> Result<(), minicbor::encode::Error<W::Error>> {
                e.bytes(self.bytes())?.ok()
            }
        }
        impl<'b, C> minicbor::Decode<'b, C> for $name {
            fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
                Self::from_slice(d.bytes()?)
                    .ok_or_else(|| minicbor::decode::Error::message("an id has 16 bytes"))
            }
        }
    )*};
}

id! {
    /// Any document, whatever its kind.
    DocumentId
    /// A clinic: the shard key of every server table.
    ClinicId
    /// A person who can sign in.
    AccountId
    /// One installation of the client.
    DeviceId
    InvitationId
    ClientId
    PatientId
    AppointmentId
    VisitId
    RoomId
    AppointmentTypeId
    PhoneId
    EmailId
    WeightId
    AlertId
    /// One set of vital signs taken together.
    VitalsId
    VaccinationId
    /// A problem or diagnosis of a visit.
    FindingId
    PrescriptionId
    DeclinedId
    AddendumId
    EstimateId
    InvoiceId
    PaymentId
    /// A line of an estimate or invoice.
    BillLineId
    ConversationId
    MessageId
    StockLotId
    /// Stock that came or went.
    StockMoveId
    LedgerId
    LedgerLineId
    ConsentId
    SignatureId
    CertificateId
    /// A file beside the documents: a photo, a scan.
    FileId
}

macro_rules! document_ids {
    ($($name:ident)*) => {$(
        impl From<$name> for DocumentId {
            fn from(id: $name) -> Self {
                Self(id.0)
            }
        }
        impl From<DocumentId> for $name {
            fn from(id: DocumentId) -> Self {
                Self(id.0)
            }
        }
    )*};
}
document_ids! {
    ClientId PatientId AppointmentId VisitId EstimateId InvoiceId PaymentId ConversationId StockLotId LedgerId ConsentId
    CertificateId
}

impl ClinicId {
    /// The clinic's one `ClinicProfile` document.
    pub fn profile(self) -> DocumentId {
        DocumentId(derive(self.0, "clinic profile"))
    }
    /// The clinic's one `ClinicSettings` document.
    pub fn settings(self) -> DocumentId {
        DocumentId(derive(self.0, "clinic settings"))
    }
}

impl ClientId {
    /// The clinic's notes about this client: one document, so that what two people note at the same time stands together.
    pub fn notes(self) -> DocumentId {
        DocumentId(derive(self.0, "notes"))
    }
}

impl VisitId {
    /// What the owners are given of this visit.
    pub fn summary(self) -> DocumentId {
        DocumentId(derive(self.0, "summary"))
    }
    /// The visit of an appointment. Derived, so that two devices that start it without a network start the same
    /// visit and their notes merge, instead of two visits that somebody has to join by hand.
    pub fn of_appointment(appointment: AppointmentId) -> Self {
        Self(derive(appointment.0, "visit"))
    }
    /// The set of vital signs that the visit screen shows; derived for the same reason.
    pub fn vitals(self) -> VitalsId {
        VitalsId(derive(self.0, "vitals"))
    }
    /// The weight taken during this visit.
    pub fn weight(self) -> WeightId {
        WeightId(derive(self.0, "weight"))
    }
}

/// A UUIDv8 from another id and a word that says what it is of that id.
fn derive(of: Uuid, what: &str) -> Uuid {
    let digest = Sha256::new()
        .chain_update(what)
        .chain_update(of.as_bytes())
        .finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    Builder::from_custom_bytes(bytes).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_visit_started_on_two_devices_is_one_visit() {
        let appointment = AppointmentId(Uuid::from_u128(7));
        assert_eq!(
            VisitId::of_appointment(appointment),
            VisitId::of_appointment(appointment)
        );
        assert_ne!(VisitId::of_appointment(appointment).0, appointment.0);
        assert_eq!(VisitId::of_appointment(appointment).0.get_version_num(), 8);
    }
}
