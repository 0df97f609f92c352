//! Every address that the server answers.

use crate::api;
use crate::server::AppState;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{any, delete, get, patch, post};
use shared_model::late_work::MAX_HAND_IN;
use shared_model::protocol::MAX_FRAME;
use tower_http::set_header::SetResponseHeaderLayer;

/// Nothing from elsewhere runs, frames us or is asked; WebAssembly is the one thing that needs a word of its own.
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
    img-src 'self' data: blob:; connect-src 'self' ws: wss:; worker-src 'self'; object-src 'none'; base-uri 'none'; \
    frame-ancestors 'none'; form-action 'self'";

const HEADERS: [(&str, &str); 5] = [
    ("content-security-policy", CONTENT_SECURITY_POLICY),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    (
        "permissions-policy",
        "camera=(self), microphone=(), geolocation=(), payment=(), usb=()",
    ),
    ("cross-origin-opener-policy", "same-origin"),
];

/// A request of the API is a form; files will have their own way in.
const MAX_BODY: usize = 64 << 10;
/// A provider's person with everything that is known about them there.
const MAX_WEBHOOK: usize = 256 << 10;

pub(crate) fn router(state: AppState) -> Router {
    let sockets = Router::new()
        .route("/sync", get(api::sync))
        .route("/automerge-repo", get(api::automerge_repo))
        .layer(from_fn_with_state(state.clone(), api::check_origin));
    let limited = from_fn_with_state(state.clone(), api::limit_requests);
    let secrets = Router::new()
        .route("/sign-in", post(api::sign_in))
        .route("/sign-in/second", post(api::finish_sign_in))
        .route("/sign-in/totp/begin", post(api::begin_totp_at_sign_in))
        .route("/sign-in/totp/confirm", post(api::confirm_totp_at_sign_in))
        .route("/passkeys/begin", post(api::begin_passkey_sign_in))
        .route("/passkeys/finish", post(api::finish_passkey_sign_in))
        .route("/me/prove", post(api::prove_by_first))
        .route("/me/prove/second", post(api::prove_by_second))
        .route("/me/totp/begin", post(api::begin_totp))
        .route("/me/totp/confirm", post(api::confirm_totp))
        .route("/me/totp/remove", post(api::remove_totp))
        .route("/me/recovery-codes", post(api::new_recovery_codes))
        .route("/me/passkeys/begin", post(api::begin_passkey))
        .route("/me/passkeys/finish", post(api::finish_passkey))
        .route("/me/passkeys/{passkey}/remove", post(api::remove_passkey))
        .route("/me/password", post(api::change_password))
        .route(
            "/me/email",
            post(api::change_email).delete(api::take_back_new_email),
        )
        .route("/password/forgot", post(api::forgot_password))
        .route("/password/reset", post(api::reset_password))
        .route("/email/verify", post(api::verify_email))
        .route("/invitations/look", post(api::look_at_invitation))
        .route("/invitations/accept", post(api::accept_invitation))
        .route("/openid/begin", post(api::begin_openid))
        .route("/openid/finish", post(api::finish_openid))
        .route("/openid/session", post(api::enter_with_session))
        .route("/me/openid/prove", post(api::begin_proving))
        .route("/me/openid/begin", post(api::begin_linking))
        .route("/me/openid/finish", post(api::finish_linking))
        .route("/me/identities/{identity}/remove", post(api::unlink))
        .layer(from_fn_with_state(state.clone(), api::limit_secrets));
    // People's browsers open these themselves: whatever stands in the way, they show a page.
    let by_browsers = Router::new()
        .route("/openid/go/{token}", get(api::go_to_provider))
        .route("/openid/callback/{provider}", get(api::openid_callback))
        .method_not_allowed_fallback(api::no_such_method)
        .layer(from_fn_with_state(state.clone(), api::limit_secrets))
        .layer(limited.clone())
        .layer(from_fn(api::in_words));
    let people = Router::new()
        .route("/automerge-repo/ticket", post(api::automerge_repo_ticket))
        .route("/audit", get(api::audit))
        .route("/audit.csv", get(api::audit_csv))
        .route("/audit/changes", get(api::audit_changes))
        .route("/documents/{id}", get(api::document))
        .route(
            "/late-work",
            get(api::late_work).merge(post(api::hand_in).layer(DefaultBodyLimit::max(MAX_HAND_IN))),
        )
        .route("/late-work/count", get(api::late_work_count))
        .route("/late-work/decide", post(api::decide_late_work))
        .route("/push", post(api::push).layer(DefaultBodyLimit::max(MAX_FRAME)))
        .route("/refresh", post(api::refresh))
        .route("/sign-out", post(api::sign_out))
        .route("/me", get(api::me).patch(api::change_me))
        .route("/openid/providers", get(api::providers))
        .route(
            "/webhooks/{provider}",
            post(api::webhook).layer(DefaultBodyLimit::max(MAX_WEBHOOK)),
        )
        .route("/passkeys", get(api::passkeys_offered))
        .route("/me/factors", get(api::factors))
        .route(
            "/clinic/sign-in",
            get(api::sign_in_rules).put(api::set_sign_in_rules),
        )
        .route("/me/identities", get(api::identities))
        .route("/me/email/verification", post(api::verify_again))
        .route("/me/devices", get(api::own_devices))
        .route("/me/devices/{device}", patch(api::name_device))
        .route("/me/devices/{device}/sign-out", post(api::sign_out_own))
        .route(
            "/me/devices/{device}/lost",
            post(api::own_lost).delete(api::own_found),
        )
        .route("/devices/purged", post(api::purged))
        .route("/invitations", get(api::invitations).post(api::invite))
        .route("/invitations/{invitation}", delete(api::withdraw))
        .route("/invitations/{invitation}/again", post(api::send_again))
        .route("/staff", get(api::staff))
        .route("/owners", get(api::owners))
        .route(
            "/staff/{account}",
            patch(api::change_roles).delete(api::end_membership),
        )
        .route(
            "/staff/{account}/second-factor/remove",
            post(api::forget_members_factors),
        )
        .route("/staff/{account}/devices", get(api::members_devices))
        .route(
            "/staff/{account}/devices/{device}/sign-out",
            post(api::sign_out_members),
        )
        .route(
            "/staff/{account}/devices/{device}/lost",
            post(api::members_lost).delete(api::members_found),
        )
        .route("/clinics", get(api::clinics).post(api::open_clinic));
    // What is about people and their animals is kept by no browser and no proxy. A program that has a document already says
    // so with its entity tag.
    let api = sockets
        .merge(secrets)
        .merge(people)
        .fallback(any(api::no_such_address))
        .method_not_allowed_fallback(api::no_such_method)
        .layer(limited.clone())
        .merge(by_browsers)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(SetResponseHeaderLayer::if_not_present(
            header::CACHE_CONTROL,
            HeaderValue::from_static("no-store"),
        ));
    let is_https = state.settings.public_address.starts_with("https://");
    let mut router = Router::new()
        .route("/api/{*rest}", any(api::no_such_address))
        .route("/health", get(api::health))
        .fallback(api::web_bundle)
        .layer(limited)
        .nest("/api/v1", api)
        .with_state(state);
    if is_https {
        router = router.layer(SetResponseHeaderLayer::overriding(
            header::STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static("max-age=31536000"),
        ));
    }
    for (name, value) in HEADERS {
        router = router.layer(SetResponseHeaderLayer::overriding(
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        ));
    }
    router
}
