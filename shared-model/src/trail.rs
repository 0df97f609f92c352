//! The trail as a clinic's administrators read it: the words that its lines have, and `GET /audit`.
//!
//! Place in the flow: beside it. A line is either a change of a record, whose word is a command's
//! [`Verb`], or something else that happened at the clinic, whose word is a [`Happening`]. Invariant:
//! a word that is in a database stays a word; whoever reads a line takes one that this build does not know.

use crate::commands::Verb;
use crate::documents::{Kind, word_enum};
use crate::ids::{AccountId, DeviceId, DocumentId};
use crate::permissions::Role;
use crate::time::Timestamp;
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer, Serialize};

/// Lines of a page that does not say how many it wants, and at most.
pub const PAGE: usize = 100;
pub const LONGEST_PAGE: usize = 1_000;
/// Lines whose changes are told together, at most.
pub const MAX_LINES_OF_CHANGES: usize = 200;
/// Changes that are told together, at most; of more, the last.
pub const MAX_CHANGES_TOLD: usize = 1_000;
/// The same done again within this time is the same piece of work, in milliseconds.
pub const RUN_GAP_MS: i64 = 3_600_000;

word_enum! {
    /// What can happen at a clinic beside writing.
    Happening {
        SignedIn = "signed_in",
        SignInRefused = "sign_in_refused",
        /// By two who hold tokens of one sign-in, or from another device: the sign-in has ended.
        RefreshTokenReused = "refresh_token_reused",
        SignedOut = "signed_out",
        PasswordChanged = "password_changed",
        /// A mail to it waits to be answered; then it waits no more.
        NewAddressAsked = "new_address_asked",
        NewAddressTakenBack = "new_address_taken_back",
        /// A mail to it was answered; it is the account's from now on, if it was not before.
        AddressConfirmed = "address_confirmed",
        RolesChanged = "roles_changed",
        DeviceSignedOut = "device_signed_out",
        DeviceFound = "device_found",
        DeviceLost = "device_lost",
        SigningKeyRegistered = "signing_key_registered",
        WorkRefused = "work_refused",
        /// A provider's account is a way into this person's from now on, or no more.
        ProviderLinked = "provider_linked",
        ProviderUnlinked = "provider_unlinked",
        /// An authenticator app or a passkey is asked for from now on, or no more.
        SecondFactorAdded = "second_factor_added",
        SecondFactorRemoved = "second_factor_removed",
        SecondFactorRefused = "second_factor_refused",
        RecoveryCodeUsed = "recovery_code_used",
        RecoveryCodesRenewed = "recovery_codes_renewed",
        /// What the clinic asks of its staff at sign-in.
        SignInRulesChanged = "sign_in_rules_changed",
        /// What was told of them, and the key that opens it, are gone.
        PersonErased = "person_erased",
        RecordRead = "record_read",
        /// What some lines did to a record, before and after.
        ChangeRead = "change_read",
        /// The trail itself, in whole or in long pages.
        TrailExported = "trail_exported",
        /// What people who have left had not sent, opened.
        LateWorkRead = "late_work_read",
        LateWorkHandedIn = "late_work_handed_in",
        LateWorkTaken = "late_work_taken",
        LateWorkLetGo = "late_work_let_go",
    }
}

word_enum! {
    /// What somebody has shown to come in.
    CameBy {
        Password = "password",
        Provider = "provider",
        /// The session token of a page that a provider has signed them in on.
        SessionToken = "session_token",
        Invitation = "invitation",
        InvitationWithProvider = "invitation_with_provider",
        Passkey = "passkey",
    }
}

word_enum! {
    /// What they have shown after it.
    CameSecondBy {
        Totp = "totp",
        RecoveryCode = "recovery_code",
        Passkey = "passkey",
    }
}

/// `GET /audit`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrailPage {
    /// The latest first.
    pub entries: Vec<TrailEntry>,
    /// What to ask for as `cursor` to get the next page; `None` if there is none.
    pub next: Option<String>,
}

/// `GET /audit/changes`: what the changes of some lines did to their record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrailChanges {
    /// How many are told: the last. The record's history may not lead to all that the lines count, and at most
    /// [`MAX_CHANGES_TOLD`] are.
    pub changes: u64,
    /// When the first and the last of them were made, by the clock of the device that made them, to the second.
    pub made_at: Option<Timestamp>,
    pub made_until: Option<Timestamp>,
    pub fields: Vec<FieldChange>,
}

/// What they did to one field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldChange {
    /// As the record has it: `weights/<id>/kg`.
    pub field: String,
    /// What stood there before the first of them that wrote it, and after the last; `None` if nothing did.
    pub before: Option<FieldValue>,
    pub after: Option<FieldValue>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldValue {
    Text(String),
    Number(i64),
    Flag(bool),
    Moment(Timestamp),
}

/// One line. Names are what people, devices and records are called when it is read; `None` for what nobody knows any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrailEntry {
    /// Names the line among the clinic's others.
    pub id: String,
    pub at: Timestamp,
    /// Of a run of changes: when the last was taken, and how many they are.
    pub last_at: Option<Timestamp>,
    pub changes: Option<u32>,
    /// `None` if it was whoever runs the server.
    pub person: Option<AccountId>,
    pub person_name: Option<String>,
    pub device: Option<DeviceId>,
    pub device_name: Option<String>,
    pub document: Option<DocumentId>,
    /// A kind that this build does not know is none.
    #[serde(default, deserialize_with = "known_kind")]
    pub kind: Option<Kind>,
    /// Whether it happened beside writing; else somebody changed a record.
    #[serde(default)]
    pub is_happening: bool,
    /// The word of a happening; or what a device called its change, which may be any word.
    pub verb: String,
    /// Of a run: the hash of its last change, 32 bytes in lower-case hexadecimal.
    pub change: Option<String>,
    /// Of what happened.
    pub detail: Option<Detail>,
    /// What those in `detail` are called.
    pub of_name: Option<String>,
    pub of_device_name: Option<String>,
}

impl TrailEntry {
    /// A line of which no more is known yet.
    pub fn new(id: String, at: Timestamp, verb: String) -> Self {
        Self {
            id,
            at,
            verb,
            is_happening: false,
            last_at: None,
            changes: None,
            person: None,
            person_name: None,
            device: None,
            device_name: None,
            document: None,
            kind: None,
            change: None,
            detail: None,
            of_name: None,
            of_device_name: None,
        }
    }

    /// What happened; `None` for a change, and for what this build does not know.
    pub fn happening(&self) -> Option<Happening> {
        Happening::from_word(&self.verb).filter(|_| self.is_happening)
    }

    /// What somebody did to a record; `None` for what happened, and for what this build does not know.
    pub fn change_verb(&self) -> Option<Verb> {
        Verb::from_word(&self.verb).filter(|_| !self.is_happening)
    }
}

/// What else there is to say of something that happened, without personal data.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Detail {
    /// Somebody else whom it happened to, and a device of theirs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of: Option<AccountId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<DeviceId>,
    /// The words of the [`Role`]s that they have from now on; none at all ends the membership.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub roles: Option<Vec<String>>,
    /// The word of a [`CameBy`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub way: Option<String>,
    /// The word of a [`CameSecondBy`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub second: Option<String>,
    /// Whether the clinic asks for a second factor from now on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub second_factor: Option<bool>,
    /// Why work was refused, in the name of a [`RefusalCode`](crate::protocol::RefusalCode).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// How many changes it was about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changes: Option<u64>,
    /// The word of the kind of record that was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The id of a signing key, in hexadecimal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

impl Detail {
    /// Of something that happened to somebody.
    pub fn of(account: AccountId) -> Self {
        Self {
            of: Some(account),
            ..Self::default()
        }
    }

    pub fn came(way: CameBy, second: Option<CameSecondBy>) -> Self {
        Self {
            way: Some(way.word().to_owned()),
            second: second.map(|second| second.word().to_owned()),
            ..Self::default()
        }
    }

    pub fn with_roles(self, roles: &[Role]) -> Self {
        Self {
            roles: Some(roles.iter().map(|role| role.word().to_owned()).collect()),
            ..self
        }
    }
}

fn known_kind<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Kind>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Told {
        Known(Kind),
        Other(IgnoredAny),
    }
    let told = Option::<Told>::deserialize(deserializer)?;
    Ok(told.and_then(|told| match told {
        Told::Known(kind) => Some(kind),
        Told::Other(IgnoredAny) => None,
    }))
}

/// A cell of a table that spreadsheets read: quoted, and what they would take for a formula is text. A verb is whatever a
/// device called its change, and people name their devices.
pub fn csv_cell(cell: &str) -> String {
    let is_formula = |first| matches!(first, '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠');
    let begins = cell.trim_start();
    let guard = if begins.len() < cell.len() || begins.starts_with(is_formula) {
        "'"
    } else {
        ""
    };
    format!("\"{guard}{}\"", cell.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spreadsheet_finds_no_formula() {
        assert_eq!(csv_cell("=HYPERLINK(\"x\")"), "\"'=HYPERLINK(\"\"x\"\")\"");
        for cell in [
            "=1", "+1", "-1", "@a", "\t=1", "\r=1", "\n=1", " =1", "＝1", "＋1", "－1", "＠a",
        ] {
            assert_eq!(csv_cell(cell), format!("\"'{cell}\""));
        }
        assert_eq!(csv_cell("record_weight"), "\"record_weight\"");
        assert_eq!(csv_cell("a=b, \"c\""), "\"a=b, \"\"c\"\"\"");
    }

    #[test]
    fn a_change_is_no_happening_whatever_it_calls_itself() {
        let mut entry = TrailEntry::new("1.row.1.0".to_owned(), Timestamp(0), "record_read".to_owned());
        assert_eq!((entry.happening(), entry.change_verb()), (None, None));
        entry.is_happening = true;
        assert_eq!(entry.happening(), Some(Happening::RecordRead));
        "edit_patient".clone_into(&mut entry.verb);
        assert_eq!((entry.happening(), entry.change_verb()), (None, None));
    }

    #[test]
    fn every_word_leads_back_to_what_it_is() {
        for happening in Happening::ALL {
            assert_eq!(Happening::from_word(happening.word()), Some(*happening));
        }
        assert_eq!(Happening::from_word("of_a_later_build"), None);
    }
}
