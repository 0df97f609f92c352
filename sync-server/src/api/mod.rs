//! HTTP beside the sync socket: signing in and out, second factors, providers and their webhooks, accounts, invitations,
//! members, devices, clinics, documents, late work, the way in for other clients, health, and the web client's files.

mod audit;
mod audit_changes;
mod audit_cursor;
mod automerge_repo;
mod clinics;
mod devices;
mod documents;
mod forgotten_password;
mod health;
mod invitations;
mod late_work;
mod limit_requests;
mod me;
mod members;
mod openid;
mod prove;
mod request;
mod sealed_step;
mod second_factor;
mod sign_in;
mod sync;
mod take_up_invitation;
mod web_bundle;
mod webhooks;

pub(crate) use audit::{audit, audit_csv};
pub(crate) use audit_changes::audit_changes;
pub(crate) use automerge_repo::{automerge_repo, automerge_repo_ticket};
pub(crate) use clinics::{clinics, open_clinic};
pub(crate) use devices::{
    members_devices, members_found, members_lost, name_device, own_devices, own_found, own_lost, purged,
    sign_out_members, sign_out_own,
};
pub(crate) use documents::{document, push};
pub(crate) use forgotten_password::{forgot_password, reset_password};
pub(crate) use health::health;
pub(crate) use invitations::{invitations, invite, send_again, withdraw};
pub(crate) use late_work::{decide_late_work, hand_in, late_work, late_work_count};
pub(crate) use limit_requests::{check_origin, limit_requests, limit_secrets};
pub(crate) use me::{
    change_email, change_me, change_password, me, take_back_new_email, verify_again, verify_email,
};
pub(crate) use members::{change_roles, end_membership, owners, staff};
pub(crate) use openid::{
    begin as begin_openid, begin_linking, begin_proving, callback as openid_callback, enter_with_session,
    finish as finish_openid, finish_linking, go as go_to_provider, identities, in_words, providers, unlink,
};
pub(crate) use prove::{prove_by_first, prove_by_second};
pub(crate) use second_factor::{
    begin_passkey, begin_passkey_sign_in, begin_totp, begin_totp_at_sign_in, confirm_totp,
    confirm_totp_at_sign_in, factors, finish_passkey, finish_passkey_sign_in, finish_sign_in,
    forget_members_factors, new_recovery_codes, passkeys_offered, remove_passkey, remove_totp,
    set_sign_in_rules, sign_in_rules,
};
pub(crate) use sign_in::{refresh, sign_in, sign_out};
pub(crate) use sync::sync;
pub(crate) use take_up_invitation::{accept as accept_invitation, look as look_at_invitation};
pub(crate) use web_bundle::web_bundle;
pub(crate) use webhooks::webhook;

use crate::error::ApiError;

pub(crate) async fn no_such_address() -> ApiError {
    ApiError::NotFound
}

pub(crate) async fn no_such_method() -> ApiError {
    ApiError::MethodNotAllowed
}
