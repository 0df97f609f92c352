//! What went wrong, in a sentence that says what to do. The one place where errors become words.

use super as text;
use crate::host::{
    AddressTrouble, CallTrouble, LinkTrouble, NotDone, PasskeyTrouble, PinRefused, UnlockTrouble,
};
use local_core::unlock::PinTrouble;
use local_core::{Failure, StorageTrouble};
use shared_model::commands::CommandError;
use shared_model::permissions::Denied;
use shared_model::protocol::RefusalCode;
use shared_model::time::Timestamp;
use shared_model::values::Invalid;

pub(crate) fn failure(failure: &Failure) -> String {
    match failure {
        Failure::Command(CommandError::Invalid { why, .. }) => invalid(text::this_field(), *why),
        Failure::Command(CommandError::NotHere { .. }) => text::failed_not_here().to_owned(),
        Failure::Command(CommandError::UnknownBase) => text::failed_text_changed().to_owned(),
        Failure::Command(CommandError::VisitFinished) => text::failed_visit_finished().to_owned(),
        Failure::Command(CommandError::TooLarge { .. }) => text::failed_too_large().to_owned(),
        Failure::Command(CommandError::Denied(denied)) => match denied {
            Denied::NotYours { .. } => text::failed_not_yours().to_owned(),
            Denied::Field { .. }
            | Denied::Create { .. }
            | Denied::Form { .. }
            | Denied::OtherClinic { .. }
            | Denied::OtherName { .. } => text::failed_not_permitted().to_owned(),
            Denied::Closed { .. } => text::failed_closed().to_owned(),
            Denied::Standing { .. } => text::failed_written_once().to_owned(),
            Denied::OthersEntry { .. } => text::failed_others_entry().to_owned(),
            Denied::SecondPerson { .. } => text::failed_second_person().to_owned(),
            Denied::Date { why, .. } => invalid(text::this_field(), *why),
        },
        Failure::Storage(trouble) => text::failed_not_saved(storage(*trouble)),
        Failure::SignedOut => text::failed_signed_out().to_owned(),
    }
}

/// Why this device cannot keep anything now.
pub(crate) fn storage(trouble: StorageTrouble) -> &'static str {
    match trouble {
        StorageTrouble::Full => text::storage_full(),
        StorageTrouble::ReadOnly => text::storage_read_only(),
        StorageTrouble::Corrupt => text::storage_damaged(),
        StorageTrouble::InUse => text::storage_in_use(),
        StorageTrouble::NewerStore => text::storage_newer(),
        StorageTrouble::Other => text::storage_other(),
    }
}

/// Why the clinic did not take a change.
pub(crate) fn refusal(code: RefusalCode) -> &'static str {
    match code {
        RefusalCode::NotPermitted => text::refused_not_permitted(),
        RefusalCode::BuildsOnRefused => text::refused_builds_on_refused(),
        RefusalCode::TooLarge => text::refused_too_large(),
        RefusalCode::OtherClinic => text::refused_other_clinic(),
        RefusalCode::NewerSchema => text::refused_newer(),
        RefusalCode::NotSigned => text::refused_not_signed(),
        RefusalCode::ActorReused | RefusalCode::ForeignActor => text::refused_copied_device(),
        RefusalCode::Undecodable | RefusalCode::MissingDependencies => text::refused_unreadable(),
    }
}

/// A title and what to do. Wrong email and wrong password are told apart by nobody.
pub(crate) fn call_trouble(trouble: &CallTrouble) -> (&'static str, String) {
    let (title, words) = match trouble {
        CallTrouble::SlowDown(seconds) => {
            let left = format!("{}:{:02}", seconds / 60, seconds % 60);
            return (text::slow_down(), text::slow_down_do(left));
        }
        CallTrouble::Unreachable => (text::unreachable(), text::unreachable_do()),
        CallTrouble::SignInAgain => (text::session_ended_now(), text::session_ended_now_do()),
        CallTrouble::WrongCredentials => (text::sign_in_wrong(), text::sign_in_wrong_do()),
        CallTrouble::WeakPassword => (text::password_weak(), text::password_weak_do()),
        CallTrouble::NoMembership => (text::no_membership(), text::no_membership_do()),
        CallTrouble::DeviceLost => (text::this_device_lost(), text::this_device_lost_do()),
        CallTrouble::LinkNoLongerValid => (text::link_dead(), text::link_dead_invitation()),
        CallTrouble::LastAdministrator => (text::last_administrator(), text::last_administrator_do()),
        CallTrouble::LinkedElsewhere => (text::linked_elsewhere(), text::linked_elsewhere_do()),
        CallTrouble::LastWayIn => (text::last_way_in(), text::last_way_in_do()),
        CallTrouble::ProviderRefused => (text::provider_refused(), text::provider_refused_do()),
        CallTrouble::ProviderAway => (text::provider_away(), text::provider_away_do()),
        CallTrouble::SecondStep(_) => (text::one_more_step(), text::one_more_step_do()),
        CallTrouble::WrongCode => (text::wrong_code(), text::wrong_code_do()),
        CallTrouble::LastSecondFactor => (text::last_second_factor(), text::last_second_factor_do()),
        CallTrouble::PasskeyRefused => (text::passkey_refused(), text::passkey_refused_do()),
        CallTrouble::NoPasskeys => (text::no_passkeys(), text::no_passkeys_do()),
        CallTrouble::NotAnew => (text::not_anew(), text::not_anew_do()),
        CallTrouble::NotTheLinked => (text::not_the_linked(), text::not_the_linked_do()),
        CallTrouble::PasswordNeeded => (text::password_needed(), text::password_needed_do()),
        CallTrouble::NoMail => (text::no_mail(), text::no_mail_do()),
        CallTrouble::NotPermitted => (text::not_for_your_role(), text::call_not_permitted_do()),
        CallTrouble::NotFound => (text::call_not_found(), text::call_not_found_do()),
        CallTrouble::BadRequest => (text::bad_request(), text::bad_request_do()),
        CallTrouble::Odd => (text::odd_answer(), text::odd_answer_do()),
    };
    (title, words.to_owned())
}

/// The same in one line.
pub(crate) fn call_trouble_line(trouble: &CallTrouble) -> String {
    let (title, words) = call_trouble(trouble);
    text::two_sentences(title, words)
}

/// Why a browser gave no passkey.
pub(crate) fn passkey_trouble(trouble: PasskeyTrouble) -> (&'static str, &'static str) {
    match trouble {
        PasskeyTrouble::GivenUp => (text::passkey_given_up(), text::passkey_given_up_do()),
        PasskeyTrouble::HereAlready => (text::passkey_here_already(), text::passkey_here_already_do()),
        PasskeyTrouble::NotHere => (text::passkey_not_here(), text::passkey_not_here_do()),
    }
}

/// Why nothing came of a way to a provider, for whoever is signed in here and stays so.
pub(crate) fn trouble_of_who_is_here(trouble: &CallTrouble) -> (&'static str, String) {
    let (title, words) = match trouble {
        CallTrouble::LinkNoLongerValid => (text::lost_way(), text::lost_way_while_here()),
        CallTrouble::ProviderRefused => (text::provider_refused(), text::begin_again()),
        CallTrouble::ProviderAway => (text::provider_away(), text::begin_again_later()),
        other => return call_trouble(other),
    };
    (title, words.to_owned())
}

/// Why a pasted link leads nowhere.
pub(crate) fn link_trouble(trouble: &LinkTrouble) -> String {
    match trouble {
        LinkTrouble::NotOne => text::link_not_one().to_owned(),
        LinkTrouble::Elsewhere(origin) => text::link_elsewhere(origin),
    }
}

/// Why the device stayed locked, and what to do. `has_password`: there is another way than the PIN.
pub(crate) fn unlock_trouble(trouble: &UnlockTrouble, has_password: bool) -> (String, String) {
    match trouble {
        UnlockTrouble::Wrong { left: Some(left), .. } => (
            text::pin_wrong().to_owned(),
            text::pin_tries_left(i64::from(*left)),
        ),
        UnlockTrouble::Wrong { left: None, .. } => (
            text::password_wrong().to_owned(),
            text::password_wrong_do().to_owned(),
        ),
        // Beside it the time runs down.
        UnlockTrouble::Wait(_) => (text::slow_down().to_owned(), String::new()),
        UnlockTrouble::Gone if has_password => (text::pin_gone().to_owned(), text::pin_gone_do().to_owned()),
        UnlockTrouble::Gone => (text::pin_gone().to_owned(), text::only_by_signing_in().to_owned()),
        UnlockTrouble::Storage(trouble) => (
            text::records_cannot_be_opened().to_owned(),
            storage(*trouble).to_owned(),
        ),
    }
}

/// Why the device did not do what it was asked to.
pub(crate) fn not_done(why: NotDone) -> &'static str {
    match why {
        NotDone::WorkWaits => text::remove_me_waits(),
        NotDone::Storage(trouble) => storage(trouble),
    }
}

/// `now` is the moment from which a wait is counted.
pub(crate) fn pin_refused(why: PinRefused, now: Timestamp) -> String {
    match why {
        PinRefused::Pin(PinTrouble::NotDigits) => text::pin_not_digits().to_owned(),
        PinRefused::Pin(PinTrouble::TooShort) => text::pin_too_short().to_owned(),
        PinRefused::Pin(PinTrouble::TooLong) => text::pin_too_long().to_owned(),
        PinRefused::Pin(PinTrouble::TooPlain) => text::pin_too_plain().to_owned(),
        PinRefused::NotProven => text::pin_needs_password().to_owned(),
        PinRefused::WrongPassword => text::password_wrong().to_owned(),
        PinRefused::Wait(until) => {
            let seconds = (until.0 - now.0 + 999).max(0) / 1000;
            let left = format!("{}:{:02}", seconds / 60, seconds % 60);
            text::two_sentences(text::slow_down(), text::slow_down_do(left))
        }
        PinRefused::Storage(trouble) => storage(trouble).to_owned(),
    }
}

/// Why a clinic's address was not taken.
pub(crate) fn address_trouble(trouble: AddressTrouble) -> &'static str {
    match trouble {
        AddressTrouble::Invalid(Invalid::Empty) => text::clinic_address_missing(),
        AddressTrouble::Invalid(_) => text::clinic_address_odd(),
        AddressTrouble::NotKept(trouble) => storage(trouble),
    }
}

/// `field` is the field's label.
pub(crate) fn invalid(field: &str, why: Invalid) -> String {
    match why {
        Invalid::Empty => text::invalid_empty(field),
        Invalid::NotANumber => text::invalid_not_a_number(field),
        Invalid::TooSmall => text::invalid_too_small(field),
        Invalid::TooLarge => text::invalid_too_large(field),
        Invalid::TooLong => text::invalid_too_long(field),
        Invalid::BadCharacters => text::invalid_characters(field),
        Invalid::NotADate => text::invalid_not_a_date(field),
        Invalid::InFuture => text::invalid_in_future(field),
        Invalid::TooLongAgo => text::invalid_too_long_ago(field),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_signed_in_is_not_told_to_sign_in() {
        let troubles = [
            CallTrouble::LinkNoLongerValid,
            CallTrouble::ProviderRefused,
            CallTrouble::ProviderAway,
            CallTrouble::NotAnew,
            CallTrouble::NotTheLinked,
            CallTrouble::PasswordNeeded,
        ];
        for trouble in &troubles {
            let (title, words) = trouble_of_who_is_here(trouble);
            let goes_on = ["egin again", "under Me"];
            assert!(goes_on.iter().any(|way| words.contains(way)), "{title}: {words}");
            let sends_away = ["Sign in again", "or sign in with"];
            assert!(!sends_away.iter().any(|away| words.contains(away)), "{words}");
        }
    }
}
