//! Every case: who tries what on whose document, and what the page says to it.

use super::page::{Cell, FieldRow, Section};
use shared_model::documents::Kind;
use shared_model::permissions::{Condition, Role};

/// Everybody who tries: each role alone, and those who are two things at once.
pub const PEOPLE: [(&str, &[Role]); 12] = [
    ("owner", &[Role::Owner]),
    ("front desk", &[Role::FrontDesk]),
    ("technician", &[Role::Technician]),
    ("veterinarian", &[Role::Veterinarian]),
    ("administrator", &[Role::ClinicAdministrator]),
    ("system administrator", &[Role::SystemAdministrator]),
    ("viewer", &[Role::Viewer]),
    ("owner and front desk", &[Role::Owner, Role::FrontDesk]),
    ("owner and technician", &[Role::Owner, Role::Technician]),
    ("owner and viewer", &[Role::Owner, Role::Viewer]),
    (
        "owner and system administrator",
        &[Role::Owner, Role::SystemAdministrator],
    ),
    (
        "administrator and viewer",
        &[Role::ClinicAdministrator, Role::Viewer],
    ),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Whose {
    /// About the client whose account the owners have.
    Own,
    Others,
    /// About a client with the same id at another clinic.
    OtherClinic,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    Read,
    Create,
    Write,
    /// In place of what stands there.
    Overwrite,
    /// With somebody else's name.
    InAnothersName,
    /// In an entry that somebody else began.
    GoOnWithAnothers,
    /// Of a line that is their own.
    WitnessAlone,
    /// After the signature, posting or acceptance.
    WriteInClosed,
    DeleteAField,
    PutAContainer,
    ReplaceAText,
    WriteAnUnknownField,
}

#[derive(Clone, Debug)]
pub struct Case {
    /// An index into [`PEOPLE`].
    pub who: usize,
    pub kind: Kind,
    pub whose: Whose,
    pub verb: Verb,
    /// For what is written.
    pub row: Option<FieldRow>,
}

/// All that one person can try with the documents of one kind and owner, besides reading.
pub fn writes(section: &Section, who: usize, whose: Whose) -> Vec<Case> {
    let case = |verb, row: Option<&FieldRow>| Case {
        who,
        kind: section.kind,
        whose,
        verb,
        row: row.cloned(),
    };
    let mut cases = Vec::new();
    if whose != Whose::OtherClinic {
        cases.push(case(Verb::Create, None));
    }
    for row in &section.fields {
        cases.push(case(Verb::Write, Some(row)));
        // What a role alone does not tell has nothing to do with whose document it is.
        if whose != Whose::Own {
            continue;
        }
        if row.has(Condition::Once) {
            cases.push(case(Verb::Overwrite, Some(row)));
        }
        if row.has(Condition::OwnName) {
            cases.push(case(Verb::InAnothersName, Some(row)));
        }
        if row.has(Condition::OwnEntry) {
            cases.push(case(Verb::GoOnWithAnothers, Some(row)));
        }
        if row.has(Condition::OthersEntry) {
            cases.push(case(Verb::WitnessAlone, Some(row)));
        }
        let closes = closing(section.kind).is_some_and(|closing| row.fields.starts_with(closing));
        // A document that is closed is one for all; what can be written in it once, somebody else has written.
        let once_in_all = row.has(Condition::Once) && row.fields.matches('/').count() < 2;
        if closing(section.kind).is_some() && !closes && !once_in_all {
            cases.push(case(Verb::WriteInClosed, Some(row)));
        }
        if section.kind.texts().contains(&row.fields.as_str()) {
            cases.push(case(Verb::ReplaceAText, Some(row)));
        }
    }
    cases.push(case(Verb::PutAContainer, section.fields.last()));
    cases.push(case(Verb::DeleteAField, None));
    cases.push(case(Verb::WriteAnUnknownField, None));
    cases
}

/// What the page says closes a document: in its introduction, in words.
pub fn closing(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Visit | Kind::Certificate => Some("signature"),
        Kind::Estimate => Some("accepted"),
        Kind::Invoice => Some("posted"),
        _ => None,
    }
}

/// The row that says whom a document is about, or else one that can be written again and again.
pub fn naming(section: &Section) -> &FieldRow {
    let of_a_client = |row: &&FieldRow| match section.kind {
        Kind::Client => row.fields == "given_name",
        _ => row.fields == "client" || row.fields == "owners/*/*",
    };
    let again_and_again = |row: &&FieldRow| {
        !row.has(Condition::Once) || (row.has(Condition::OwnName) && row.fields.ends_with("*/by"))
    };
    let mut rows = section.fields.iter();
    let named = rows.clone().find(of_a_client);
    named
        .or_else(|| rows.find(again_and_again))
        .expect("every kind has such a row")
}

impl Case {
    /// What the page says.
    pub fn is_permitted(&self, section: &Section) -> bool {
        if self.whose == Whose::OtherClinic {
            return false;
        }
        let fields = self.row.as_ref().map(|row| &row.fields);
        let row = section.fields.iter().find(|row| Some(&row.fields) == fields);
        match (self.verb, row) {
            (Verb::Read, _) => self.by_cells(&section.read),
            (Verb::Create, _) => self.by_cells(&section.create) && self.may(naming(section), true),
            (Verb::Write, Some(row)) => self.may(row, false),
            (Verb::WriteInClosed, Some(row)) => self.may(row, false) && !row.has(Condition::Unsealed),
            _ => false,
        }
    }

    fn roles(&self) -> &'static [Role] {
        PEOPLE[self.who].1
    }

    fn by_cells(&self, cells: &[(Role, Cell)]) -> bool {
        self.roles().iter().any(|role| {
            let cell = cells.iter().find(|(of, _)| of == role).map(|(_, cell)| *cell);
            match cell.expect("every role has a column") {
                Cell::Yes => true,
                Cell::Own => self.whose == Whose::Own,
                Cell::No => false,
            }
        })
    }

    fn may(&self, row: &FieldRow, creating: bool) -> bool {
        // What can be said once is said on a document that is about nobody yet.
        let about_nobody = !creating && row.fields == "client" && row.has(Condition::Once);
        let as_owner =
            self.whose == Whose::Own && !about_nobody && (creating || !row.has(Condition::AtCreation));
        self.roles()
            .iter()
            .filter(|role| row.roles.contains(role))
            .any(|role| *role != Role::Owner || as_owner)
    }
}
