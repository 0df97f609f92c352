//! `docs/permissions.md` is the permission table in words. It is written from the table (`cargo xtask docs`), and a page
//! that does not say what the table says fails here.

use shared_model::documents::Kind;
use shared_model::permissions::{RULES, Reads, Role, Rule, creators, reads};
use std::fmt::Write as _;
use std::path::Path;

const INTRODUCTION: &str = "\
# Who may read and write what

This page is written from the permission table in `shared-model/src/permissions/table.rs` by `cargo xtask docs`; a test
fails when the two differ. The same table decides on the device, before anything is kept, and at the server, before
anything is taken, whichever way it comes: over the app's own connection, over HTTP, or from another program.

- **yes** – everybody with this role.
- **own** – an owner, in what is about themself and their own animals.
- **–** – nobody with this role.

Somebody with several roles may do what any one of them may. Whoever works at the clinic reads everything that the
clinic's people read. A viewer reads it and writes nothing; a system administrator looks after clinics and accounts and
reads no medical record. Nothing is ever deleted: what was wrong is retracted, with who, when and why. What no line here
allows, nobody may.

What a note says:

- *written once* – it stays as it was written, for everybody.
- *in one's own name* – it names whoever writes it, and nobody else can be put there.
- *in one's own entry* – only who began an entry goes on with it.
- *in somebody else's entry* – it takes a second person: who wrote the line cannot confirm it.
- *until it is closed* – a visit or certificate is closed by its signature, an estimate by its acceptance, an invoice by its
  posting. What somebody wrote at the same time without knowing of that is kept and shown as a late entry.
- *owners: at creation only*, *owners: themselves only* – an owner says once, at the beginning, whom it is about: themself.
";

fn title(kind: Kind) -> &'static str {
    match kind {
        Kind::ClinicProfile => "The clinic's profile",
        Kind::ClinicSettings => "The clinic's settings",
        Kind::Client => "Clients",
        Kind::Patient => "Patients",
        Kind::Appointment => "Appointments",
        Kind::Visit => "Visits",
        Kind::ClientNotes => "Internal notes about clients",
        Kind::VisitSummary => "Visit summaries",
        Kind::Estimate => "Estimates",
        Kind::Invoice => "Invoices",
        Kind::Payment => "Payments",
        Kind::Conversation => "Conversations",
        Kind::StockLot => "Stock",
        Kind::ControlledDrugLedger => "Controlled drugs",
        Kind::Consent => "Consent forms",
        Kind::Certificate => "Certificates",
    }
}

fn role(role: Role) -> &'static str {
    match role {
        Role::Owner => "Owner",
        Role::FrontDesk => "Front desk",
        Role::Technician => "Technician",
        Role::Veterinarian => "Veterinarian",
        Role::ClinicAdministrator => "Clinic administrator",
        Role::SystemAdministrator => "System administrator",
        Role::Viewer => "Viewer",
    }
}

fn row(what: &str, cell: impl Fn(Role) -> &'static str, note: &str) -> String {
    let cells: Vec<&str> = Role::ALL.iter().map(|role| cell(*role)).collect();
    format!("| {what} | {} | {note} |\n", cells.join(" | "))
}

/// What `roles` say of one of them.
fn among(roles: &[Role], role: Role) -> &'static str {
    match (roles.contains(&role), role) {
        (true, Role::Owner) => "own",
        (true, _) => "yes",
        (false, _) => "–",
    }
}

fn read_cell(kind: Kind, role: Role) -> &'static str {
    match (role, reads(kind)) {
        (Role::Owner, Reads::Everyone) => "yes",
        (Role::Owner, Reads::StaffAndOwners) => "own",
        (role, _) if role.is_staff() => "yes",
        _ => "–",
    }
}

fn notes(rules: &[&Rule]) -> String {
    let mut notes = Vec::new();
    for condition in rules.iter().flat_map(|rule| rule.conditions) {
        if !notes.contains(&condition.words()) {
            notes.push(condition.words());
        }
    }
    notes.join("; ")
}

fn section(kind: Kind) -> String {
    let rules: Vec<&Rule> = RULES.iter().filter(|rule| rule.kind == kind).collect();
    let heads: Vec<&str> = Role::ALL.iter().map(|one| role(*one)).collect();
    let mut section = format!("\n## {} (`{}`)\n\n", title(kind), kind.word());
    let _ = writeln!(section, "| | {} | Note |", heads.join(" | "));
    let _ = writeln!(section, "|---|{}---|", "---|".repeat(heads.len()));
    section += &row("Read", |role| read_cell(kind, role), "");
    section += &row("Create", |role| among(creators(kind), role), "");
    let mut groups: Vec<&str> = rules.iter().map(|rule| rule.words).collect();
    groups.dedup();
    for words in groups {
        let group: Vec<&Rule> = rules.iter().filter(|rule| rule.words == words).copied().collect();
        assert!(
            group.iter().all(|rule| rule.roles == group[0].roles),
            "{words} of a {} is one line and would need two",
            kind.word()
        );
        section += &row(
            &format!("Write: {words}"),
            |role| among(group[0].roles, role),
            &notes(&group),
        );
    }
    section += "\n<details><summary>Field by field</summary>\n\n| Field | Written by | Conditions |\n|---|---|---|\n";
    for rule in rules {
        let roles: Vec<&str> = rule.roles.iter().map(|role| role.word()).collect();
        let _ = writeln!(
            section,
            "| `{}` | {} | {} |",
            rule.fields,
            roles.join(", "),
            notes(&[rule])
        );
    }
    section + "\n</details>\n"
}

fn page() -> String {
    Kind::ALL
        .iter()
        .fold(INTRODUCTION.to_owned(), |page, kind| page + &section(*kind))
}

#[allow(
    clippy::disallowed_methods,
    reason = "the crate knows no files; its page is one"
)]
#[test]
fn the_page_says_what_the_table_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/permissions.md");
    let page = page();
    if std::env::var_os("WRITE_DOCS").is_some() {
        std::fs::write(&path, &page).expect("it can be written");
    }
    let standing = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        standing == page,
        "docs/permissions.md is stale: write it anew with `cargo xtask docs`"
    );
}
