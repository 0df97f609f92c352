//! `docs/permissions.md`, read as an administrator reads it: the tables in it, and nothing else.

use shared_model::documents::Kind;
use shared_model::permissions::{Condition, Role};
use std::path::Path;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell {
    Yes,
    /// In what is about themself.
    Own,
    No,
}

/// A line of a "Field by field" table.
#[derive(Clone, Debug)]
pub struct FieldRow {
    pub fields: String,
    pub roles: Vec<Role>,
    pub conditions: Vec<Condition>,
}

#[derive(Clone, Debug)]
pub struct Section {
    pub kind: Kind,
    pub read: Vec<(Role, Cell)>,
    pub create: Vec<(Role, Cell)>,
    /// The readable lines about writing.
    pub lines: Vec<Vec<(Role, Cell)>>,
    pub fields: Vec<FieldRow>,
}

pub fn read() -> Vec<Section> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/permissions.md");
    parse(&std::fs::read_to_string(path).expect("the page is there"))
}

fn parse(page: &str) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    for line in page.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            let word = heading.split('`').nth(1).expect("a heading names its kind");
            let kind = Kind::ALL.into_iter().find(|kind| kind.word() == word);
            sections.push(Section {
                kind: kind.expect("a kind of document"),
                read: Vec::new(),
                create: Vec::new(),
                lines: Vec::new(),
                fields: Vec::new(),
            });
        }
        let Some(section) = sections.last_mut() else {
            continue;
        };
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        match cells.get(1) {
            Some(&"Read") => section.read = roles(&cells),
            Some(&"Create") => section.create = roles(&cells),
            Some(what) if what.starts_with("Write: ") => section.lines.push(roles(&cells)),
            Some(field) if field.starts_with('`') => section.fields.push(field_row(&cells)),
            _ => {}
        }
    }
    sections
}

/// The columns are in the order of the roles.
fn roles(cells: &[&str]) -> Vec<(Role, Cell)> {
    let cell = |cell: &&str| match *cell {
        "yes" => Cell::Yes,
        "own" => Cell::Own,
        "–" => Cell::No,
        other => panic!("a cell that says {other:?}"),
    };
    let cells = cells[2..2 + Role::ALL.len()].iter().map(cell);
    Role::ALL.iter().copied().zip(cells).collect()
}

fn field_row(cells: &[&str]) -> FieldRow {
    let [_, fields, roles, conditions, _] = cells else {
        panic!("a line of another form: {cells:?}");
    };
    let condition = |words: &str| {
        let found = Condition::ALL
            .into_iter()
            .find(|condition| condition.words() == words);
        found.unwrap_or_else(|| panic!("a condition that says {words:?}"))
    };
    FieldRow {
        fields: fields.trim_matches('`').to_owned(),
        roles: roles
            .split(", ")
            .map(|word| Role::from_word(word).expect("a role"))
            .collect(),
        conditions: conditions
            .split("; ")
            .filter(|words| !words.is_empty())
            .map(condition)
            .collect(),
    }
}

impl FieldRow {
    pub fn has(&self, condition: Condition) -> bool {
        self.conditions.contains(&condition)
    }
}
