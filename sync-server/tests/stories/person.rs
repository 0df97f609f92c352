//! A person at a client, as the server sees them over HTTP.

use crate::http::{self, Response};
use crate::practice::{PASSWORD, Practice, fresh_id};
use axum::http::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use shared_model::accounts::{Invitation, Invite, SignedIn};
use shared_model::ids::{AccountId, ClientId, DeviceId};
use shared_model::permissions::Role;
use shared_model::second_factor::Proven;
use std::net::SocketAddr;
use uuid::Uuid;

pub struct Person {
    pub server: SocketAddr,
    pub device: DeviceId,
    pub signed_in: SignedIn,
}

impl Person {
    /// Signs in on a device of their own.
    pub async fn of(practice: &Practice, name: &str, password: &str) -> Self {
        Self::on(practice, name, password, fresh_id(DeviceId)).await
    }

    pub async fn on(practice: &Practice, name: &str, password: &str, device: DeviceId) -> Self {
        let answer = practice.sign_in(name, password, device).await;
        assert_eq!(answer.status, 200, "{:?}", answer.body);
        Self {
            server: practice.address,
            device,
            signed_in: answer.read(),
        }
    }

    pub fn account(&self) -> AccountId {
        self.signed_in.principal.account
    }

    async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Response {
        let bearer = format!("Bearer {}", self.signed_in.access_token);
        let mut headers = vec![("authorization", bearer.as_str())];
        if body.is_some() {
            headers.push(("content-type", "application/json"));
        }
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let path = format!("/api/v1{path}");
        http::request(self.server, method, &path, &headers, body).await
    }

    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> T {
        let answer = self.try_get(path).await;
        assert_eq!(answer.status, 200, "{path}: {:?}", answer.body);
        answer.read()
    }

    pub async fn try_get(&self, path: &str) -> Response {
        self.ask(Method::GET, path, None).await
    }

    pub async fn post(&self, path: &str, body: impl Serialize) -> Response {
        self.ask(Method::POST, path, Some(json!(body))).await
    }

    /// Without a body.
    pub async fn tell(&self, path: &str) -> Response {
        self.ask(Method::POST, path, None).await
    }

    pub async fn patch(&self, path: &str, body: impl Serialize) -> Response {
        self.ask(Method::PATCH, path, Some(json!(body))).await
    }

    pub async fn put(&self, path: &str, body: impl Serialize) -> Response {
        self.ask(Method::PUT, path, Some(json!(body))).await
    }

    pub async fn delete(&self, path: &str) -> Response {
        self.ask(Method::DELETE, path, None).await
    }

    /// The word of who shows anew who they are with the first factor, and has no second one.
    pub async fn proven_by(&self, proof: Value) -> String {
        let answer = self.post("/me/prove", json!({ "proof": proof })).await;
        assert_eq!(answer.status, 200, "{:?}", answer.body);
        let proven: Proven = answer.read();
        proven.proven
    }

    pub async fn proven(&self, password: &str) -> String {
        self.proven_by(json!({ "password": password })).await
    }

    /// Has the clinic ask its staff for a second factor, or no more; by who has none to show.
    pub async fn ask_for_second_factor(&self, second_factor: bool) -> Response {
        let proven = self.proven(PASSWORD).await;
        let body = json!({ "proven": proven, "rules": { "second_factor": second_factor } });
        self.put("/clinic/sign-in", body).await
    }

    /// Takes everything away that a colleague shows after their password; by who has nothing of it to show.
    pub async fn take_factors_away(&self, of: AccountId) -> Response {
        let body = json!({ "proven": self.proven(PASSWORD).await });
        self.post(&format!("/staff/{of}/second-factor/remove"), body)
            .await
    }

    /// Takes a provider's account away from one's own.
    pub async fn unlink(&self, identity: Uuid, word: &str) -> Response {
        let path = format!("/me/identities/{identity}/remove");
        self.post(&path, json!({ "proven": word })).await
    }

    /// Invites somebody who has to be allowed to come.
    pub async fn invite(&self, email: &str, roles: &[Role], client: Option<ClientId>) -> Invitation {
        let answer = self.post("/invitations", invite(email, roles, client)).await;
        assert_eq!(answer.status, 200, "{:?}", answer.body);
        answer.read()
    }

    pub async fn change_roles(&self, account: AccountId, roles: &[Role]) -> Response {
        self.patch(&format!("/staff/{account}"), json!({ "roles": roles }))
            .await
    }
}

pub fn invite(email: &str, roles: &[Role], client: Option<ClientId>) -> Invite {
    Invite {
        id: fresh_id(shared_model::ids::InvitationId),
        account: fresh_id(AccountId),
        email: email.to_owned(),
        full_name: "Somebody New".to_owned(),
        roles: roles.to_vec(),
        client,
    }
}

/// Posts without being signed in.
pub async fn post(server: SocketAddr, path: &str, body: impl Serialize) -> Response {
    http::post(server, &format!("/api/v1{path}"), &json!(body)).await
}
