//! What somebody changes of what decides about signing in, in words.

use super as text;
use crate::host::{CallTrouble, Change};

pub(crate) fn way_in_change_title(change: &Change) -> String {
    match change {
        Change::NewPassword => text::change_password().to_owned(),
        Change::FirstPassword => text::choose_first_password().to_owned(),
        Change::NewEmail => text::change_email().to_owned(),
        Change::Link(provider) => text::link_provider(&provider.label),
        Change::Unlink { provider, .. } => text::unlink_question(provider),
        Change::SetAppUp => text::set_app_up().to_owned(),
        Change::RemoveApp => text::remove_app_question().to_owned(),
        Change::RenewRecoveryCodes => text::renew_recovery_codes().to_owned(),
        Change::AddPasskey => text::add_passkey().to_owned(),
        Change::RemovePasskey(_) => text::remove_passkey_question().to_owned(),
        Change::SignInRules(rules) if rules.second_factor => {
            text::ask_for_second_factor_question().to_owned()
        }
        Change::SignInRules(_) => text::ask_no_more_question().to_owned(),
        Change::TakeFactorsAway { name, .. } => text::take_factors_away_question(name),
    }
}

/// What it means, before it is asked for, in paragraphs; none if what is asked for says it.
pub(crate) fn way_in_change_means(change: &Change) -> Vec<String> {
    let one = |words: &str| vec![words.to_owned()];
    match change {
        Change::NewPassword | Change::FirstPassword | Change::NewEmail | Change::AddPasskey => Vec::new(),
        Change::Link(_) => one(text::link_provider_why()),
        Change::Unlink { .. } => one(text::unlink_what()),
        Change::SetAppUp => one(text::set_app_up_why()),
        Change::RemoveApp => one(text::remove_app_what()),
        Change::RenewRecoveryCodes => one(text::renew_recovery_codes_what()),
        Change::RemovePasskey(_) => one(text::remove_passkey_what()),
        Change::SignInRules(rules) if rules.second_factor => vec![
            text::ask_for_second_factor_none().to_owned(),
            text::ask_for_second_factor_others().to_owned(),
        ],
        Change::SignInRules(_) => one(text::ask_no_more_what()),
        Change::TakeFactorsAway { name, .. } => vec![
            text::take_factors_away_sure(name),
            text::take_factors_away_what(name),
        ],
    }
}

/// What the button says that does it, for whoever has been asked for nothing else.
pub(crate) fn way_in_change_action(change: &Change) -> String {
    match change {
        Change::Link(provider) => text::link_provider_go_on(&provider.label),
        Change::RenewRecoveryCodes => text::make_new_codes().to_owned(),
        Change::Unlink { .. } | Change::RemoveApp | Change::RemovePasskey(_) => text::unlink().to_owned(),
        Change::SignInRules(rules) if rules.second_factor => text::ask_for_it().to_owned(),
        Change::SignInRules(_) => text::ask_no_more().to_owned(),
        Change::TakeFactorsAway { .. } => text::take_factors_away_now().to_owned(),
        Change::NewPassword
        | Change::FirstPassword
        | Change::NewEmail
        | Change::AddPasskey
        | Change::SetAppUp => text::go_on().to_owned(),
    }
}

/// Why the clinic did not do it, where that means more than it does elsewhere.
pub(crate) fn way_in_change_refused(change: &Change, why: &CallTrouble) -> Option<String> {
    match (change, why) {
        (Change::TakeFactorsAway { name, .. }, CallTrouble::NotFound) => {
            Some(text::no_factors_to_take_away(name))
        }
        (Change::TakeFactorsAway { name, .. }, CallTrouble::NotPermitted) => {
            Some(text::factors_not_yours_to_take(name))
        }
        (Change::RenewRecoveryCodes, CallTrouble::NotFound) => {
            Some(text::nothing_to_make_codes_for().to_owned())
        }
        _ => None,
    }
}

/// The clinic's answer was lost on its way, or came too late: what that means, and the way on.
pub(crate) fn way_in_may_be_changed(change: &Change) -> &'static str {
    match change {
        Change::AddPasskey => text::passkey_may_be_made(),
        _ => text::may_be_done(),
    }
}

/// Of recovery codes that nobody has kept: what is told, in a line and in a sentence.
pub(crate) fn codes_to_make_anew(were_seen: bool) -> (&'static str, &'static str) {
    if were_seen {
        (text::codes_went(), text::codes_went_why())
    } else {
        (text::codes_unseen(), text::codes_unseen_why())
    }
}

/// Once it is done.
pub(crate) fn way_in_changed(change: &Change) -> String {
    match change {
        Change::NewPassword => text::password_changed().to_owned(),
        Change::FirstPassword => text::password_chosen().to_owned(),
        Change::NewEmail => text::mail_on_its_way().to_owned(),
        Change::Link(provider) => text::provider_is_linked(&provider.label),
        Change::Unlink { provider, .. } => text::unlinked(provider),
        Change::SetAppUp => text::app_is_set_up().to_owned(),
        Change::RemoveApp => text::app_is_removed().to_owned(),
        Change::RenewRecoveryCodes => text::recovery_codes_are_renewed().to_owned(),
        Change::AddPasskey => text::passkey_is_added().to_owned(),
        Change::RemovePasskey(_) => text::passkey_is_removed().to_owned(),
        Change::SignInRules(rules) if rules.second_factor => text::second_factor_is_asked_for().to_owned(),
        Change::SignInRules(_) => text::second_factor_is_not_asked_for().to_owned(),
        Change::TakeFactorsAway { name, .. } => text::factors_taken_away(name),
    }
}
