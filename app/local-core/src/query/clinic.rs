//! The clinic and who is signed in.

use crate::core::Reading;
use crate::store::StoreError;
use serde::{Deserialize, Serialize};
use shared_model::documents::{ClinicProfile, ClinicSettings};
use shared_model::permissions::Principal;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClinicView {
    pub me: Option<Principal>,
    pub profile: ClinicProfile,
    pub settings: ClinicSettings,
}

pub(super) fn view(reading: &Reading<'_>) -> Result<ClinicView, StoreError> {
    Ok(ClinicView {
        me: reading.principal.cloned(),
        profile: reading.profile.clone(),
        settings: reading.settings.clone(),
    })
}
