//! Access tokens: who, where, on which device and until when, sealed with the server's secret. Short-lived, so that
//! nothing has to be looked up to check one. Tickets say the same in a kind of their own, for a client that can only be
//! given an address.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use minicbor::{Decode, Encode};
use sha2::Sha256;
use shared_model::ids::{AccountId, ClinicId, DeviceId};
use shared_model::permissions::Principal;
use shared_model::time::Timestamp;

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct AccessClaims {
    #[n(0)]
    pub account: AccountId,
    #[n(1)]
    pub clinic: ClinicId,
    #[n(2)]
    pub device: DeviceId,
    /// The sign-in it stems from; when that has ended, no new session begins with it.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub family: [u8; 16],
    #[n(4)]
    pub expires_at: Timestamp,
}

/// What a token opens. It is part of the seal, so that one kind never passes for another.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Access,
    AutomergeRepo,
}

impl Kind {
    fn words(self) -> &'static [u8] {
        match self {
            Self::Access => b"access token v1 ",
            Self::AutomergeRepo => b"automerge-repo ticket v1 ",
        }
    }
}

/// Seals and opens access tokens.
#[derive(Clone)]
pub struct AccessTokens {
    secret: Vec<u8>,
}

/// Longer than any token of ours; what is longer is not looked at.
const MAX_TOKEN: usize = 512;

impl AccessTokens {
    pub fn new(secret: Vec<u8>) -> Self {
        Self { secret }
    }

    pub fn seal(&self, claims: &AccessClaims) -> String {
        self.seal_as(Kind::Access, claims)
    }

    /// `None` for anything that this server did not seal or that has expired.
    pub fn open(&self, token: &str, now: Timestamp) -> Option<AccessClaims> {
        self.open_as(Kind::Access, token, now)
    }

    /// One that has expired too: it opens nothing any more, and still tells whose it was.
    pub fn open_at_any_time(&self, token: &str) -> Option<AccessClaims> {
        self.open_as(Kind::Access, token, Timestamp(i64::MIN))
    }

    /// A ticket for the automerge-repo endpoint, and for nothing else.
    pub fn seal_ticket(&self, claims: &AccessClaims) -> String {
        self.seal_as(Kind::AutomergeRepo, claims)
    }

    pub fn open_ticket(&self, ticket: &str, now: Timestamp) -> Option<AccessClaims> {
        self.open_as(Kind::AutomergeRepo, ticket, now)
    }

    fn seal_as(&self, kind: Kind, claims: &AccessClaims) -> String {
        let body = URL_SAFE_NO_PAD.encode(shared_model::protocol::encode(claims));
        let seal = URL_SAFE_NO_PAD.encode(self.mac(kind, &body).finalize().into_bytes());
        format!("{body}.{seal}")
    }

    /// This device's own secret for the records of one audience at one clinic: the same at every sign-in, for whoever
    /// reads the same feeds. An owner never gets the one of a staff device, whatever device they name.
    pub fn device_key(&self, principal: &Principal, device: DeviceId) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.secret).expect("HMAC takes keys of any length");
        mac.update(b"device key v1 ");
        mac.update(principal.clinic.bytes());
        mac.update(device.bytes());
        match principal.client {
            _ if principal.is_staff() => mac.update(b"staff"),
            Some(client) => mac.update(&[b"client ", client.bytes().as_slice()].concat()),
            None => mac.update(b"nobody"),
        }
        URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
    }

    fn open_as(&self, kind: Kind, token: &str, now: Timestamp) -> Option<AccessClaims> {
        if token.len() > MAX_TOKEN {
            return None;
        }
        let (body, seal) = token.split_once('.')?;
        let seal = URL_SAFE_NO_PAD.decode(seal).ok()?;
        self.mac(kind, body).verify_slice(&seal).ok()?;
        let claims: AccessClaims =
            shared_model::protocol::decode(&URL_SAFE_NO_PAD.decode(body).ok()?).ok()?;
        (claims.expires_at > now).then_some(claims)
    }

    fn mac(&self, kind: Kind, body: &str) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.secret).expect("HMAC takes keys of any length");
        mac.update(kind.words());
        mac.update(body.as_bytes());
        mac
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared_model::ids::ClientId;
    use shared_model::permissions::Role;
    use uuid::Uuid;

    #[test]
    fn a_device_key_is_of_one_device_clinic_and_audience() {
        let tokens = AccessTokens::new(vec![7; 32]);
        let person = |clinic, roles: &[Role], client: Option<u128>| Principal {
            account: AccountId(Uuid::nil()),
            clinic: ClinicId(Uuid::from_u128(clinic)),
            roles: roles.to_vec(),
            client: client.map(|id| ClientId(Uuid::from_u128(id))),
            name: String::new(),
        };
        let key = |person: &Principal, device| tokens.device_key(person, DeviceId(Uuid::from_u128(device)));
        let vet = person(1, &[Role::Veterinarian], None);
        assert_eq!(
            key(&vet, 1),
            key(&person(1, &[Role::FrontDesk, Role::Owner], Some(5)), 1),
            "whoever reads the staff's feed"
        );
        let owner = person(1, &[Role::Owner], Some(5));
        let others = [
            key(&vet, 1),
            key(&vet, 2),
            key(&person(2, &[Role::Veterinarian], None), 1),
            key(&owner, 1),
            key(&person(1, &[Role::Owner], Some(6)), 1),
            key(&person(1, &[Role::SystemAdministrator], None), 1),
            AccessTokens::new(vec![8; 32]).device_key(&vet, DeviceId(Uuid::from_u128(1))),
        ];
        let different: std::collections::BTreeSet<_> = others.iter().collect();
        assert_eq!(different.len(), others.len());
        assert_eq!(URL_SAFE_NO_PAD.decode(key(&vet, 1)).map(|key| key.len()), Ok(32));
    }

    #[test]
    fn only_our_own_and_only_in_time() {
        let claims = AccessClaims {
            account: AccountId(Uuid::from_u128(1)),
            clinic: ClinicId(Uuid::from_u128(2)),
            device: DeviceId(Uuid::from_u128(3)),
            family: [4; 16],
            expires_at: Timestamp(1_000),
        };
        let tokens = AccessTokens::new(vec![7; 32]);
        let token = tokens.seal(&claims);
        assert_eq!(tokens.open(&token, Timestamp(999)), Some(claims.clone()));
        assert_eq!(tokens.open(&token, Timestamp(1_000)), None);
        assert_eq!(
            AccessTokens::new(vec![8; 32]).open(&token, Timestamp(0)),
            None,
            "another server's"
        );
        let mut forged = token.clone().into_bytes();
        forged[3] ^= 1;
        let forged = String::from_utf8(forged).expect("still text");
        for bad in [forged.as_str(), "", ".", "x.y", &"a".repeat(10_000)] {
            assert_eq!(tokens.open(bad, Timestamp(0)), None);
        }

        let ticket = tokens.seal_ticket(&claims);
        assert_eq!(tokens.open_ticket(&ticket, Timestamp(999)), Some(claims));
        assert_eq!(tokens.open_ticket(&ticket, Timestamp(1_000)), None);
        assert_eq!(
            tokens.open(&ticket, Timestamp(0)),
            None,
            "a ticket is no access token"
        );
        assert_eq!(
            tokens.open_ticket(&token, Timestamp(0)),
            None,
            "nor the other way round"
        );
    }
}
