//! The calls about other ways in than a password, beside those of `calls`.

use super::Secret;
use super::calls::{Call, Method};
use shared_model::ways_in::{BeginOpenId, FinishLinking, LinkedIdentity, OpenIdBegun, Provider};

impl Call<Vec<Provider>> {
    pub(crate) fn providers() -> Self {
        Self::get("/openid/providers").open()
    }
}

impl Call<OpenIdBegun> {
    pub(super) fn begin_openid(begin: &BeginOpenId) -> Self {
        Self::new(Method::Post, "/openid/begin", Secret::json(begin)).open()
    }

    pub(super) fn begin_proving(begin: &BeginOpenId) -> Self {
        Self::new(Method::Post, "/me/openid/prove", Secret::json(begin))
    }
}

impl Call<LinkedIdentity> {
    pub(super) fn finish_linking(code: &Secret, verifier: &Secret) -> Self {
        let body = FinishLinking {
            code: code.text().to_owned(),
            verifier: verifier.text().to_owned(),
        };
        Self::new(Method::Post, "/me/openid/finish", Secret::json(&body))
    }
}

impl Call<Vec<LinkedIdentity>> {
    pub(crate) fn identities() -> Self {
        Self::get("/me/identities")
    }
}
