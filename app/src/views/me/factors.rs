//! What is asked of oneself at sign-in beside the password: an app, recovery codes, passkeys.

use super::{Act, Setting};
use crate::components::{Pill, ServerSays, Tint, icon, use_asked, use_minute, use_zone};
use crate::host::{self, Call, Change, use_host};
use crate::text;
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::{LdCheck, LdTriangleAlert};
use shared_model::second_factor::{Factors, Passkey};

/// With so few recovery codes it is time for new ones.
const FEW_CODES: u32 = 2;

#[component]
pub(super) fn SignInFactors(cannot: bool, on_change: EventHandler<Change>) -> Element {
    let (factors, asking) = use_asked(Call::factors());
    rsx! {
        h2 { class: "settings__title", {text::how_you_sign_in()} }
        ServerSays { asking, briefly: true }
        if let Some(factors) = factors {
            div { class: "card", id: "factors",
                if factors.demanded {
                    Setting { title: text::your_clinic_asks(), words: text::your_clinic_asks_what() }
                }
                App { factors: factors.clone(), cannot, on_change }
                RecoveryCodesLeft { factors: factors.clone(), cannot, on_change }
                Passkeys { factors, cannot, on_change }
            }
        }
    }
}

#[component]
fn App(factors: Factors, cannot: bool, on_change: EventHandler<Change>) -> Element {
    let zone = use_zone();
    let Some(since) = factors.totp_since else {
        return rsx! {
            Setting { title: text::authenticator_app(), words: text::authenticator_app_why(),
                Act {
                    label: text::set_up(),
                    about: text::authenticator_app(),
                    cannot,
                    on_press: move |()| on_change.call(Change::SetAppUp),
                }
            }
        };
    };
    rsx! {
        Setting {
            title: text::authenticator_app(),
            words: text::set_up_since(text::date_plain(since.date_in(&zone))),
            Pill { tone: Tint::Ok, small: true, icon: icon(LdCheck), {text::is_on()} }
            Act {
                label: text::replace(),
                about: text::authenticator_app(),
                cannot,
                on_press: move |()| on_change.call(Change::SetAppUp),
            }
            Act {
                label: text::unlink(),
                about: text::authenticator_app(),
                cannot,
                on_press: move |()| on_change.call(Change::RemoveApp),
            }
        }
    }
}

/// Nothing for whoever has nothing that could be lost.
#[component]
fn RecoveryCodesLeft(factors: Factors, cannot: bool, on_change: EventHandler<Change>) -> Element {
    if factors.totp_since.is_none() && factors.passkeys.is_empty() {
        return rsx! {};
    }
    let few = factors.recovery_codes <= FEW_CODES;
    let unkept = use_host()
        .codes_to_make_anew()
        .is_some_and(|codes| codes.are_of(&factors));
    let words = if unkept {
        text::recovery_codes_not_kept()
    } else if few {
        text::recovery_codes_few()
    } else {
        text::recovery_codes_why()
    };
    let left = text::recovery_codes_left(i64::from(factors.recovery_codes));
    rsx! {
        Setting { title: text::recovery_codes(), words,
            if few || unkept {
                Pill { tone: Tint::Warn, small: true, icon: icon(LdTriangleAlert), {left} }
            } else {
                Pill { small: true, {left} }
            }
            Act {
                label: text::new_codes(),
                about: text::recovery_codes(),
                cannot,
                on_press: move |()| on_change.call(Change::RenewRecoveryCodes),
            }
        }
    }
}

/// They are offered where there can be any; what somebody has can be taken away everywhere.
#[component]
fn Passkeys(factors: Factors, cannot: bool, on_change: EventHandler<Change>) -> Element {
    let offers = factors.offers_passkeys && host::has_passkeys();
    rsx! {
        if offers {
            Setting { title: text::passkeys(), words: text::passkeys_why(),
                Act {
                    label: text::add_one(),
                    about: text::passkeys(),
                    cannot,
                    on_press: move |()| on_change.call(Change::AddPasskey),
                }
            }
        }
        for passkey in factors.passkeys {
            OnePasskey { key: "{passkey.passkey}", passkey, cannot, on_change }
        }
    }
}

#[component]
fn OnePasskey(passkey: Passkey, cannot: bool, on_change: EventHandler<Change>) -> Element {
    let zone = use_zone();
    let today = use_minute().read().date_in(&zone);
    let made = text::date_plain(passkey.created_at.date_in(&zone));
    let words = match passkey.last_used {
        Some(at) => text::passkey_used(text::moment(at, today, &zone), made),
        None => text::passkey_unused(made),
    };
    let id = passkey.passkey;
    rsx! {
        Setting { title: text::passkey_named(&passkey.name), words,
            Act {
                label: text::unlink(),
                about: text::passkey_named(&passkey.name),
                cannot,
                on_press: move |()| on_change.call(Change::RemovePasskey(id)),
            }
        }
    }
}
