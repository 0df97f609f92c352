//! What somebody changes of what they sign in with, in words.

use super as text;
use crate::host::Change;

pub(crate) fn factor_change_title(change: Change) -> &'static str {
    match change {
        Change::SetAppUp => text::set_app_up(),
        Change::RemoveApp => text::remove_app_question(),
        Change::RenewRecoveryCodes => text::renew_recovery_codes(),
        Change::AddPasskey => text::add_passkey(),
        Change::RemovePasskey(_) => text::remove_passkey_question(),
    }
}

/// What it means, before it is asked for.
pub(crate) fn factor_change(change: Change) -> &'static str {
    match change {
        Change::SetAppUp => text::set_app_up_why(),
        Change::RemoveApp => text::remove_app_what(),
        Change::RenewRecoveryCodes => text::renew_recovery_codes_what(),
        Change::AddPasskey => text::add_passkey_why(),
        Change::RemovePasskey(_) => text::remove_passkey_what(),
    }
}

/// Once it is done.
pub(crate) fn factor_changed(change: Change) -> &'static str {
    match change {
        Change::SetAppUp => text::app_is_set_up(),
        Change::RemoveApp => text::app_is_removed(),
        Change::RenewRecoveryCodes => text::recovery_codes_are_renewed(),
        Change::AddPasskey => text::passkey_is_added(),
        Change::RemovePasskey(_) => text::passkey_is_removed(),
    }
}
