//! A line of the trail as a sentence: who did what, to what, from where.
//!
//! Invariant: every verb and every happening has words; a new one does not compile without.

use super as text;
use shared_model::commands::Verb;
use shared_model::documents::Kind;
use shared_model::permissions::Role;
use shared_model::protocol::RefusalCode;
use shared_model::trail::{CameBy, CameSecondBy, Detail, Happening, TrailEntry};
use std::fmt::{self, Display, Formatter};

/// Stand for whoever and whatever a sentence names, wherever its language has them. No translation has these characters, and
/// what people call each other and their devices is put in afterwards: no name is read as a part of the sentence.
const WHO: char = '\u{e000}';
const RECORD: char = '\u{e001}';
const WHOM: char = '\u{e002}';
const DEVICE: char = '\u{e003}';

/// A piece of a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    Words(String),
    /// Whoever did it, or to whom it happened.
    Who(String),
    /// A device that something happened to.
    Device(String),
    /// The record that it is about.
    Record(String),
}

impl Display for Piece {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (Self::Words(words) | Self::Who(words) | Self::Device(words) | Self::Record(words)) = self;
        f.write_str(words)
    }
}

/// "Ana Novak recorded the weight of Rex". `about` is whom the record is about, or empty.
pub(crate) fn trail_sentence(entry: &TrailEntry, about: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut words = String::new();
    for letter in sentence(entry).chars() {
        let named = match letter {
            WHO => Piece::Who(trail_who(entry)),
            WHOM => Piece::Who(whom(entry)),
            DEVICE => Piece::Device(of_device(entry).to_owned()),
            RECORD => Piece::Record(trail_record(entry, about)),
            letter => {
                words.push(letter);
                continue;
            }
        };
        if !words.is_empty() {
            pieces.push(Piece::Words(std::mem::take(&mut words)));
        }
        pieces.push(named);
    }
    if !words.is_empty() {
        pieces.push(Piece::Words(words));
    }
    capitalised(pieces)
}

/// The same as plain text.
pub(crate) fn trail_line(entry: &TrailEntry, about: &str) -> String {
    let pieces = trail_sentence(entry, about);
    pieces.iter().map(Piece::to_string).collect()
}

/// A sentence may begin with what is no name.
fn capitalised(mut pieces: Vec<Piece>) -> Vec<Piece> {
    if let Some(Piece::Words(words) | Piece::Who(words) | Piece::Device(words) | Piece::Record(words)) =
        pieces.first_mut()
    {
        let mut letters = words.chars();
        if let Some(first) = letters.next() {
            *words = first.to_uppercase().chain(letters).collect();
        }
    }
    pieces
}

/// What a line calls whoever did it.
pub(crate) fn trail_who(entry: &TrailEntry) -> String {
    match (&entry.person_name, entry.person) {
        (Some(name), _) => text::person(name).to_owned(),
        (_, Some(_)) => text::trail_nobody_known().to_owned(),
        (_, None) => text::trail_operator().to_owned(),
    }
}

/// Somebody else whom it happened to.
fn whom(entry: &TrailEntry) -> String {
    match &entry.of_name {
        Some(name) => text::person(name).to_owned(),
        None => text::trail_nobody_known().to_owned(),
    }
}

/// What a line calls its record: whom it is about, else what it is.
pub(crate) fn trail_record(entry: &TrailEntry, about: &str) -> String {
    if !about.is_empty() {
        return about.to_owned();
    }
    let read = entry.detail.as_ref().and_then(|detail| detail.kind.as_deref());
    let kind = entry.kind.or_else(|| {
        let mut kinds = Kind::ALL.into_iter();
        kinds.find(|kind| Some(kind.word()) == read)
    });
    kind.map_or(text::trail_a_record(), what_it_is).to_owned()
}

fn what_it_is(kind: Kind) -> &'static str {
    match kind {
        Kind::ClinicProfile | Kind::ClinicSettings => text::trail_the_clinic(),
        Kind::Client => text::trail_a_client(),
        // What is said of them names appointment and visit already.
        Kind::Patient | Kind::Appointment | Kind::Visit => text::trail_a_patient(),
        Kind::ClientNotes => text::trail_client_notes(),
        Kind::VisitSummary => text::trail_a_summary(),
        Kind::Estimate => text::trail_an_estimate(),
        Kind::Invoice => text::trail_an_invoice(),
        Kind::Payment => text::trail_a_payment(),
        Kind::Conversation => text::trail_a_conversation(),
        Kind::StockLot => text::trail_a_stock_lot(),
        Kind::ControlledDrugLedger => text::trail_a_ledger(),
        Kind::Consent => text::trail_a_consent(),
        Kind::Certificate => text::trail_a_certificate(),
    }
}

fn sentence(entry: &TrailEntry) -> String {
    if let Some(verb) = entry.change_verb() {
        wrote(verb)
    } else if let Some(happening) = entry.happening() {
        happened(happening, entry)
    } else if !entry.is_happening {
        // Whatever a device called its change.
        text::trail_other_change(RECORD, WHO)
    } else {
        text::trail_other(WHO)
    }
}

fn wrote(verb: Verb) -> String {
    match verb {
        Verb::RegisterClient | Verb::RegisterPatient => text::trail_registered(RECORD, WHO),
        Verb::EditClient | Verb::EditPatient => text::trail_edited(RECORD, WHO),
        Verb::RecordWeight => text::trail_weight(RECORD, WHO),
        Verb::RetractWeight => text::trail_weight_retracted(RECORD, WHO),
        Verb::RecordAlert => text::trail_alert(RECORD, WHO),
        Verb::RetractAlert => text::trail_alert_retracted(RECORD, WHO),
        Verb::ReportDeath => text::trail_death(RECORD, WHO),
        Verb::RetractDeath => text::trail_death_retracted(RECORD, WHO),
        Verb::BookAppointment => text::trail_booked(RECORD, WHO),
        Verb::MoveAppointment => text::trail_moved(RECORD, WHO),
        Verb::CancelAppointment => text::trail_cancelled(RECORD, WHO),
        Verb::ReinstateAppointment => text::trail_reinstated(RECORD, WHO),
        Verb::CheckIn => text::trail_checked_in(RECORD, WHO),
        Verb::UndoCheckIn => text::trail_check_in_undone(RECORD, WHO),
        Verb::CheckOut => text::trail_checked_out(RECORD, WHO),
        Verb::UndoCheckOut => text::trail_check_out_undone(RECORD, WHO),
        Verb::StartVisit => text::trail_visit_started(RECORD, WHO),
        Verb::RecordVitals => text::trail_vitals(RECORD, WHO),
        Verb::WriteInSection => text::trail_notes(RECORD, WHO),
        Verb::FinishVisit => text::trail_visit_finished(RECORD, WHO),
        Verb::ReopenVisit => text::trail_visit_reopened(RECORD, WHO),
        Verb::ChooseValue => text::trail_chosen(RECORD, WHO),
        Verb::SetClinicProfile => text::trail_profile(WHO),
        Verb::SetRoom => text::trail_room(WHO),
        Verb::SetStaffMember => text::trail_directory(WHO),
        Verb::SetAppointmentType => text::trail_appointment_types(WHO),
    }
}

fn happened(what: Happening, entry: &TrailEntry) -> String {
    let none = Detail::default();
    let detail = entry.detail.as_ref().unwrap_or(&none);
    let of_another = detail.of.is_some() && detail.of != entry.person;
    match what {
        Happening::SignedIn => text::trail_signed_in(WHO),
        Happening::SignInRefused => text::trail_sign_in_refused(WHO),
        Happening::RefreshTokenReused => text::trail_reused(WHO),
        Happening::SignedOut => text::trail_signed_out(WHO),
        Happening::PasswordChanged => text::trail_password(WHO),
        Happening::NewAddressAsked => text::trail_address_asked(WHO),
        Happening::NewAddressTakenBack => text::trail_address_taken_back(WHO),
        Happening::AddressConfirmed => text::trail_address(WHO),
        Happening::RolesChanged => roles_changed(detail.roles.as_deref().unwrap_or_default()),
        Happening::DeviceSignedOut if of_another => text::trail_device_out_of(DEVICE, WHO, WHOM),
        Happening::DeviceSignedOut => text::trail_device_out(DEVICE, WHO),
        Happening::DeviceFound if of_another => text::trail_device_found_of(DEVICE, WHO, WHOM),
        Happening::DeviceFound => text::trail_device_found(DEVICE, WHO),
        Happening::DeviceLost if of_another => text::trail_device_lost_of(DEVICE, WHO, WHOM),
        Happening::DeviceLost => text::trail_device_lost(DEVICE, WHO),
        Happening::SigningKeyRegistered => text::trail_key(WHO),
        Happening::WorkRefused => {
            let count = i64::try_from(detail.changes.unwrap_or(1)).unwrap_or(i64::MAX);
            text::trail_refused(count, RECORD, WHO)
        }
        Happening::ProviderLinked => text::trail_linked(WHO),
        Happening::ProviderUnlinked => text::trail_unlinked(WHO),
        Happening::SecondFactorAdded => text::trail_second(WHO),
        Happening::SecondFactorRemoved if of_another => text::trail_second_removed_of(WHO, WHOM),
        Happening::SecondFactorRemoved => text::trail_second_removed(WHO),
        Happening::SecondFactorRefused => text::trail_second_refused(WHO),
        Happening::RecoveryCodeUsed => text::trail_recovery(WHO),
        Happening::RecoveryCodesRenewed => text::trail_recovery_renewed(WHO),
        Happening::SignInRulesChanged if detail.second_factor == Some(false) => text::trail_rules_off(WHO),
        Happening::SignInRulesChanged => text::trail_rules_on(WHO),
        Happening::PersonErased => text::trail_erased(WHO),
        Happening::RecordRead => text::trail_read(RECORD, WHO),
        Happening::ChangeRead => text::trail_change_read(RECORD, WHO),
        Happening::TrailExported => text::trail_taken_along(WHO),
        Happening::LateWorkRead => text::trail_late_read(WHO),
        Happening::LateWorkHandedIn if of_another => text::trail_handed_in_of(RECORD, WHO, WHOM),
        Happening::LateWorkHandedIn => text::trail_handed_in(RECORD, WHO),
        Happening::LateWorkTaken => text::trail_taken(RECORD, WHO, WHOM),
        Happening::LateWorkLetGo => text::trail_let_go(RECORD, WHO, WHOM),
    }
}

fn roles_changed(words: &[String]) -> String {
    if words.is_empty() {
        return text::trail_membership_ended(WHO, WHOM);
    }
    let known: Vec<Role> = words.iter().filter_map(|word| Role::from_word(word)).collect();
    let mut named = vec![text::roles(&known)];
    if known.len() < words.len() {
        named.push(text::trail_unknown_role().to_owned());
    }
    named.retain(|name| !name.is_empty());
    let count = i64::try_from(words.len()).unwrap_or(i64::MAX);
    text::trail_roles(count, named.join(", "), WHO, WHOM)
}

/// A device that something happened to.
fn of_device(entry: &TrailEntry) -> &str {
    match entry.of_device_name.as_deref() {
        Some("") => text::trail_unnamed_device(),
        Some(name) => name,
        None => text::trail_a_device(),
    }
}

/// Where it was done; nothing where that cannot be told.
pub(crate) fn trail_where(entry: &TrailEntry) -> Option<String> {
    if let Some(name) = &entry.device_name {
        return Some(text::trail_on(trail_device(name)));
    }
    let words = match entry.happening()? {
        // Whoever tries from elsewhere has no device here.
        Happening::SignInRefused | Happening::SecondFactorRefused => text::trail_on_unknown(),
        _ if entry.person.is_none() => text::trail_on_server(),
        _ => return None,
    };
    Some(words.to_owned())
}

/// What a device is called.
pub(crate) fn trail_device(name: &str) -> &str {
    if name.is_empty() {
        text::trail_unnamed_device()
    } else {
        name
    }
}

/// How somebody came in, or why work was refused.
pub(crate) fn trail_how(entry: &TrailEntry) -> Option<String> {
    let detail = entry.detail.as_ref()?;
    if let Some(code) = &detail.code {
        let mut codes = RefusalCode::ALL.into_iter();
        let code = codes.find(|known| format!("{known:?}") == *code)?;
        return Some(because(code).to_owned());
    }
    let way = came_by(CameBy::from_word(detail.way.as_deref()?)?);
    let second = detail.second.as_deref().and_then(CameSecondBy::from_word);
    Some(match second {
        None => way.to_owned(),
        Some(CameSecondBy::Totp) => text::trail_and_code(way),
        Some(CameSecondBy::RecoveryCode) => text::trail_and_recovery_code(way),
        Some(CameSecondBy::Passkey) => text::trail_and_passkey(way),
    })
}

fn came_by(way: CameBy) -> &'static str {
    match way {
        CameBy::Password => text::trail_by_password(),
        CameBy::Provider | CameBy::SessionToken => text::trail_by_provider(),
        CameBy::Invitation => text::trail_by_invitation(),
        CameBy::InvitationWithProvider => text::trail_by_invitation_and_provider(),
        CameBy::Passkey => text::trail_by_passkey(),
    }
}

fn because(code: RefusalCode) -> &'static str {
    match code {
        RefusalCode::NotPermitted => text::trail_because_role(),
        RefusalCode::Undecodable => text::trail_because_unreadable(),
        RefusalCode::MissingDependencies => text::trail_because_missing(),
        RefusalCode::ForeignActor | RefusalCode::ActorReused => text::trail_because_copied(),
        RefusalCode::OtherClinic => text::trail_because_other_clinic(),
        RefusalCode::TooLarge => text::trail_because_large(),
        RefusalCode::BuildsOnRefused => text::trail_because_builds(),
        RefusalCode::NewerSchema => text::trail_because_newer(),
        RefusalCode::NotSigned => text::trail_because_unsigned(),
    }
}

/// A kind of change, to be chosen from a list.
pub(crate) fn trail_verb(verb: Verb) -> &'static str {
    match verb {
        Verb::RegisterClient => text::trail_kind_register_client(),
        Verb::EditClient => text::trail_kind_edit_client(),
        Verb::RegisterPatient => text::trail_kind_register_patient(),
        Verb::EditPatient => text::trail_kind_edit_patient(),
        Verb::RecordWeight => text::trail_kind_weight(),
        Verb::RetractWeight => text::trail_kind_weight_retracted(),
        Verb::RecordAlert => text::trail_kind_alert(),
        Verb::RetractAlert => text::trail_kind_alert_retracted(),
        Verb::ReportDeath => text::trail_kind_death(),
        Verb::RetractDeath => text::trail_kind_death_retracted(),
        Verb::BookAppointment => text::trail_kind_booked(),
        Verb::MoveAppointment => text::trail_kind_moved(),
        Verb::CancelAppointment => text::trail_kind_cancelled(),
        Verb::ReinstateAppointment => text::trail_kind_reinstated(),
        Verb::CheckIn => text::trail_kind_checked_in(),
        Verb::UndoCheckIn => text::trail_kind_check_in_undone(),
        Verb::CheckOut => text::trail_kind_checked_out(),
        Verb::UndoCheckOut => text::trail_kind_check_out_undone(),
        Verb::StartVisit => text::trail_kind_visit_started(),
        Verb::RecordVitals => text::trail_kind_vitals(),
        Verb::WriteInSection => text::trail_kind_notes(),
        Verb::FinishVisit => text::trail_kind_visit_finished(),
        Verb::ReopenVisit => text::trail_kind_visit_reopened(),
        Verb::ChooseValue => text::trail_kind_chosen(),
        Verb::SetClinicProfile => text::trail_kind_profile(),
        Verb::SetRoom => text::trail_kind_room(),
        Verb::SetStaffMember => text::trail_kind_directory(),
        Verb::SetAppointmentType => text::trail_kind_appointment_types(),
    }
}

/// The same of something that happened.
pub(crate) fn trail_happening(what: Happening) -> &'static str {
    match what {
        Happening::SignedIn => text::trail_kind_signed_in(),
        Happening::SignInRefused => text::trail_kind_sign_in_refused(),
        Happening::RefreshTokenReused => text::trail_kind_reused(),
        Happening::SignedOut => text::trail_kind_signed_out(),
        Happening::PasswordChanged => text::trail_kind_password(),
        Happening::NewAddressAsked => text::trail_kind_address_asked(),
        Happening::NewAddressTakenBack => text::trail_kind_address_taken_back(),
        Happening::AddressConfirmed => text::trail_kind_address(),
        Happening::RolesChanged => text::trail_kind_roles(),
        Happening::DeviceSignedOut => text::trail_kind_device_out(),
        Happening::DeviceFound => text::trail_kind_device_found(),
        Happening::DeviceLost => text::trail_kind_device_lost(),
        Happening::SigningKeyRegistered => text::trail_kind_key(),
        Happening::WorkRefused => text::trail_kind_refused(),
        Happening::ProviderLinked => text::trail_kind_linked(),
        Happening::ProviderUnlinked => text::trail_kind_unlinked(),
        Happening::SecondFactorAdded => text::trail_kind_second(),
        Happening::SecondFactorRemoved => text::trail_kind_second_removed(),
        Happening::SecondFactorRefused => text::trail_kind_second_refused(),
        Happening::RecoveryCodeUsed => text::trail_kind_recovery(),
        Happening::RecoveryCodesRenewed => text::trail_kind_recovery_renewed(),
        Happening::SignInRulesChanged => text::trail_kind_rules(),
        Happening::PersonErased => text::trail_kind_erased(),
        Happening::RecordRead => text::trail_kind_read(),
        Happening::ChangeRead => text::trail_kind_change_read(),
        Happening::TrailExported => text::trail_kind_taken_along(),
        Happening::LateWorkRead => text::trail_kind_late_read(),
        Happening::LateWorkHandedIn => text::trail_kind_handed_in(),
        Happening::LateWorkTaken => text::trail_kind_taken(),
        Happening::LateWorkLetGo => text::trail_kind_let_go(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared_model::ids::{AccountId, DocumentId};
    use shared_model::time::Timestamp;
    use shared_model::trail::TrailPage;
    use std::collections::BTreeMap;
    use uuid::Uuid;

    fn line(verb: &str) -> TrailEntry {
        TrailEntry {
            person: Some(AccountId(Uuid::from_u128(1))),
            person_name: Some("Ana Novak".to_owned()),
            ..TrailEntry::new("1.row.1.0".to_owned(), Timestamp(0), verb.to_owned())
        }
    }

    fn event(what: Happening, detail: Detail) -> TrailEntry {
        TrailEntry {
            is_happening: true,
            detail: Some(detail),
            ..line(what.word())
        }
    }

    #[test]
    fn lines_read_like_sentences() {
        assert_eq!(
            trail_line(&line("record_weight"), "Rex"),
            "Ana Novak recorded the weight of Rex"
        );
        let unnamed = TrailEntry {
            kind: Some(Kind::Invoice),
            ..line("unnamed")
        };
        assert_eq!(trail_line(&unnamed, ""), "Ana Novak changed an invoice");
        // Whatever a device calls its change, it does not pass for something else.
        let posing = TrailEntry {
            kind: Some(Kind::Patient),
            document: Some(DocumentId(Uuid::from_u128(7))),
            ..line("record_read")
        };
        assert_eq!(trail_line(&posing, "Rex"), "Ana Novak changed Rex");
        assert_eq!(trail_where(&posing), None);
        let refused = event(Happening::SignInRefused, Detail::default());
        assert_eq!(trail_line(&refused, ""), "A sign-in as Ana Novak was refused");
        let roles = |roles: &[Role]| TrailEntry {
            of_name: Some("Nora Lind".to_owned()),
            ..event(
                Happening::RolesChanged,
                Detail {
                    of: Some(AccountId(Uuid::from_u128(2))),
                    ..Detail::default()
                }
                .with_roles(roles),
            )
        };
        assert_eq!(
            trail_line(&roles(&[Role::Technician]), ""),
            "Ana Novak set the role of Nora Lind: Technician"
        );
        assert_eq!(
            trail_line(&roles(&[]), ""),
            "Ana Novak ended the membership of Nora Lind"
        );
        let gone = TrailEntry {
            person_name: None,
            ..line("check_in")
        };
        assert_eq!(
            trail_line(&gone, ""),
            "Somebody who is no longer known checked in a record"
        );
    }

    #[test]
    fn a_sentence_knows_which_of_its_words_are_names() {
        assert_eq!(
            trail_sentence(&line("check_in"), "Rex"),
            [
                Piece::Who("Ana Novak".to_owned()),
                Piece::Words(" checked in ".to_owned()),
                Piece::Record("Rex".to_owned()),
            ]
        );
    }

    #[test]
    fn no_name_breaks_a_sentence() {
        let odd = "Nora \u{e000}\u{e001}{$who}\u{e003} Lind";
        let lost = TrailEntry {
            of_name: Some(odd.to_owned()),
            of_device_name: Some(odd.to_owned()),
            ..event(Happening::DeviceLost, Detail::of(AccountId(Uuid::from_u128(2))))
        };
        assert_eq!(
            trail_sentence(&lost, odd),
            [
                Piece::Who("Ana Novak".to_owned()),
                Piece::Words(" reported ".to_owned()),
                Piece::Device(odd.to_owned()),
                Piece::Words(" of ".to_owned()),
                Piece::Who(odd.to_owned()),
                Piece::Words(" as lost".to_owned()),
            ]
        );
        let named = TrailEntry {
            person_name: Some(odd.to_owned()),
            ..line("check_in")
        };
        assert_eq!(
            trail_sentence(&named, odd),
            [
                Piece::Who(odd.to_owned()),
                Piece::Words(" checked in ".to_owned()),
                Piece::Record(odd.to_owned()),
            ]
        );
    }

    /// A server of a later build, as far as it has words that are not here.
    #[test]
    fn lines_of_a_later_build_are_read_as_far_as_there_are_words() {
        let told = |verb: &str, kind: &str, detail: &str| {
            let is_happening = detail != "null";
            let line = format!(
                r#"{{"is_happening":{is_happening},"id":"9.event.1.0","at":9,"last_at":null,"changes":null,
                "person":"00000000-0000-0000-0000-000000000001","person_name":"Ana Novak","device":null,
                "device_name":null,"document":null,"kind":{kind},"verb":"{verb}","change":null,"mood":"good",
                "of_name":"Nora Lind","of_device_name":null,"detail":{detail}}}"#
            );
            let page = format!(r#"{{"entries":[{line}],"next":null,"tide":"high"}}"#);
            let page: TrailPage = serde_json::from_str(&page).expect("it is read");
            trail_line(&page.entries[0], "")
        };
        let plain = "Ana Novak did something that this version has no words for";
        assert_eq!(told("shift_swapped", "null", r#"{"shift":{"from":5}}"#), plain);
        assert_eq!(told("shift_swapped", "null", "{}"), plain);
        assert_eq!(
            told("prescribe_again", r#""Prescription""#, "null"),
            "Ana Novak changed a record"
        );
        assert_eq!(
            told("record_weight", r#""Patient""#, "null"),
            "Ana Novak recorded the weight of a patient"
        );
        assert_eq!(
            told(
                "roles_changed",
                "null",
                r#"{"roles":["technician","night_porter"]}"#
            ),
            "Ana Novak set the roles of Nora Lind: Technician, a role that this version does not know"
        );
        assert_eq!(
            told("roles_changed", "null", r#"{"roles":["night_porter"]}"#),
            "Ana Novak set the role of Nora Lind: a role that this version does not know"
        );
    }

    /// Two that share a sentence are told apart by their record alone.
    #[test]
    fn every_verb_and_happening_has_words_of_its_own() {
        let words = Verb::ALL.iter().map(|verb| verb.word());
        let words = words.chain(Happening::ALL.iter().map(|what| what.word()));
        let mut said: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for word in words {
            let entry = event_or_change(word);
            let sentence = trail_line(&entry, "Rex");
            assert!(sentence.contains("Ana Novak"), "{word}: {sentence}");
            assert!(
                !sentence.contains([WHO, RECORD, WHOM, DEVICE]),
                "{word}: {sentence}"
            );
            said.entry(sentence).or_default().push(word);
        }
        let shared: Vec<_> = said.into_values().filter(|words| words.len() > 1).collect();
        assert_eq!(
            shared,
            [
                ["edit_client", "edit_patient"].map(|word| word).to_vec(),
                ["register_client", "register_patient"].map(|word| word).to_vec(),
            ]
            .map(|mut words| {
                words.sort_unstable();
                words
            })
        );
        let kinds = Verb::ALL.iter().map(|verb| trail_verb(*verb));
        let kinds = kinds.chain(Happening::ALL.iter().map(|what| trail_happening(*what)));
        let mut kinds: Vec<&str> = kinds.collect();
        let all = kinds.len();
        kinds.sort_unstable();
        kinds.dedup();
        assert_eq!(kinds.len(), all);
    }

    fn event_or_change(word: &str) -> TrailEntry {
        match Happening::from_word(word) {
            Some(what) => event(what, Detail::default()),
            None => line(word),
        }
    }

    #[test]
    fn how_somebody_came_and_why_work_was_refused() {
        let came = |way: CameBy, second: Option<CameSecondBy>| {
            trail_how(&event(
                Happening::SignedIn,
                Detail {
                    way: Some(way.word().to_owned()),
                    second: second.map(|second| second.word().to_owned()),
                    ..Detail::default()
                },
            ))
        };
        assert_eq!(came(CameBy::Password, None).as_deref(), Some("with the password"));
        assert_eq!(
            came(CameBy::Provider, Some(CameSecondBy::Totp)).as_deref(),
            Some("with a sign-in provider and a code")
        );
        for code in RefusalCode::ALL {
            let refused = event(
                Happening::WorkRefused,
                Detail {
                    code: Some(format!("{code:?}")),
                    ..Detail::default()
                },
            );
            assert!(trail_how(&refused).is_some(), "{code:?}");
        }
    }
}
