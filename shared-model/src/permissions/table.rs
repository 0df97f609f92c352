//! The permission table: who reads a kind of document, who brings one into being, who writes which of its fields, and
//! on which conditions. From it comes `docs/permissions.md`.
//!
//! Sources: the table of documents in the design (audience decides the cut), and the domain's rules beside the rows that
//! they are about. "Front desk and above" are all of a clinic's people but the read-only viewer. Invariant: what no row
//! names, nobody does. No row names a system administrator or a viewer.

use super::Role::Veterinarian as Vet;
use super::Role::{self, ClinicAdministrator as Admin, FrontDesk as Desk, Owner, Technician as Tech};
use crate::documents::Kind;
use Condition::{AtCreation, Once, OthersEntry, OwnClient, OwnEntry, OwnName, Unsealed};

const STAFF: &[Role] = &[Desk, Tech, Vet, Admin];
const STAFF_AND_OWNER: &[Role] = &[Desk, Tech, Vet, Admin, Owner];
const CLINICAL: &[Role] = &[Tech, Vet];
const VETS: &[Role] = &[Vet];
const ADMINS: &[Role] = &[Admin];

/// Who may read a kind of document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reads {
    /// The clinic's people.
    Staff,
    /// They, and the clients whom the document is about.
    StaffAndOwners,
    /// They, and every owner of the clinic.
    Everyone,
}

pub fn reads(kind: Kind) -> Reads {
    match kind {
        Kind::ClinicProfile => Reads::Everyone,
        Kind::Client
        | Kind::Patient
        | Kind::Appointment
        | Kind::VisitSummary
        | Kind::Estimate
        | Kind::Invoice
        | Kind::Payment
        | Kind::Conversation
        | Kind::Consent
        | Kind::Certificate => Reads::StaffAndOwners,
        Kind::ClinicSettings
        | Kind::Visit
        | Kind::ClientNotes
        | Kind::StockLot
        | Kind::ControlledDrugLedger => Reads::Staff,
    }
}

/// Who may bring a document of a kind into being. An owner's begins with their own client in it.
pub fn creators(kind: Kind) -> &'static [Role] {
    match kind {
        Kind::ClinicProfile | Kind::ClinicSettings => ADMINS,
        Kind::Client
        | Kind::Patient
        | Kind::ClientNotes
        | Kind::Estimate
        | Kind::Invoice
        | Kind::Payment
        | Kind::Consent => STAFF,
        Kind::Appointment | Kind::Conversation => STAFF_AND_OWNER,
        Kind::Visit | Kind::VisitSummary | Kind::StockLot | Kind::ControlledDrugLedger => CLINICAL,
        Kind::Certificate => VETS,
    }
}

/// The field whose presence closes a document: whoever writes after it, knowing of it, writes nothing but what a row
/// without [`Condition::Unsealed`] allows. What was written beside it, without knowing of it, is taken, and reads as a
/// late entry: nothing is dropped, and nothing that was signed changes silently (design §3).
pub fn seal(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Visit | Kind::Certificate => Some("signature/at"),
        Kind::Invoice => Some("posted/at"),
        Kind::Estimate => Some("accepted/at"),
        _ => None,
    }
}

/// What a role alone does not tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Condition {
    /// What stands in the field is never overwritten.
    Once,
    /// The value is the account of whoever writes it.
    OwnName,
    /// The `by` beside the field names whoever writes it.
    OwnEntry,
    /// The `by` beside the field names somebody else than whoever writes it.
    OthersEntry,
    /// An owner names nobody but themself.
    OwnClient,
    /// An owner writes it only in the change that brings the document into being.
    AtCreation,
    /// Only until the document is closed; see [`seal`].
    Unsealed,
}

impl Condition {
    pub const ALL: [Self; 7] = [
        Once,
        OwnName,
        OwnEntry,
        OthersEntry,
        OwnClient,
        AtCreation,
        Unsealed,
    ];

    /// For `docs/permissions.md`.
    pub fn words(self) -> &'static str {
        match self {
            Once => "written once",
            OwnName => "in one's own name",
            OwnEntry => "in one's own entry",
            OthersEntry => "in somebody else's entry",
            OwnClient => "owners: themselves only",
            AtCreation => "owners: at creation only",
            Unsealed => "until it is closed",
        }
    }
}

/// One row: who may write the fields that a pattern matches. `*` stands for the rest of one segment, a trailing `**` for
/// all that follows. An owner writes in what is about themself; a colleague with both roles needs only one of them.
#[derive(Debug)]
pub struct Rule {
    pub kind: Kind,
    pub fields: &'static str,
    pub roles: &'static [Role],
    pub conditions: &'static [Condition],
    /// What these fields are, for whoever runs a clinic.
    pub words: &'static str,
}

const fn rule(kind: Kind, fields: &'static str, roles: &'static [Role], words: &'static str) -> Rule {
    on(kind, fields, roles, &[], words)
}

const fn on(
    kind: Kind,
    fields: &'static str,
    roles: &'static [Role],
    conditions: &'static [Condition],
    words: &'static str,
) -> Rule {
    Rule {
        kind,
        fields,
        roles,
        conditions,
        words,
    }
}

/// The permission table. The first row whose pattern matches decides; what no row matches nobody writes.
#[rustfmt::skip] // A row a line is what makes it a table.
pub const RULES: &[Rule] = &[
    rule(Kind::ClinicProfile, "name", ADMINS, "Name and contact"),
    rule(Kind::ClinicProfile, "phone", ADMINS, "Name and contact"),
    rule(Kind::ClinicProfile, "email", ADMINS, "Name and contact"),
    rule(Kind::ClinicProfile, "address", ADMINS, "Name and contact"),
    rule(Kind::ClinicProfile, "time_zone", ADMINS, "Opening hours and time zone"),
    rule(Kind::ClinicProfile, "hours/*", ADMINS, "Opening hours and time zone"),
    rule(Kind::ClinicProfile, "services/*/*", ADMINS, "Services that owners can ask for"),

    rule(Kind::ClinicSettings, "rooms/*/*", ADMINS, "Rooms"),
    rule(Kind::ClinicSettings, "staff/*/*", ADMINS, "Staff directory"),
    rule(Kind::ClinicSettings, "types/*/*", ADMINS, "Types of appointment"),
    rule(Kind::ClinicSettings, "prices/*/*", ADMINS, "Price list"),
    rule(Kind::ClinicSettings, "templates/*/*", ADMINS, "Templates and protocols"),
    rule(Kind::ClinicSettings, "protocols/*/*", ADMINS, "Templates and protocols"),
    rule(Kind::ClinicSettings, "reminders/*/*", ADMINS, "Reminder rules"),

    rule(Kind::Client, "phones/*/*", STAFF_AND_OWNER, "Telephone, e-mail and postal address"),
    rule(Kind::Client, "emails/*/*", STAFF_AND_OWNER, "Telephone, e-mail and postal address"),
    rule(Kind::Client, "address", STAFF_AND_OWNER, "Telephone, e-mail and postal address"),
    rule(Kind::Client, "preferred_channel", STAFF_AND_OWNER, "How to be reached"),
    rule(Kind::Client, "channels/*/*", STAFF_AND_OWNER, "How to be reached"),
    // Evidence of consent has to say who gave or noted it (domain, messaging).
    on(Kind::Client, "consents/*/by", STAFF_AND_OWNER, &[OwnName], "Consent to messages"),
    rule(Kind::Client, "consents/*/*", STAFF_AND_OWNER, "Consent to messages"),
    rule(Kind::Client, "given_name", STAFF, "Name"),
    rule(Kind::Client, "family_name", STAFF, "Name"),
    rule(Kind::Client, "client/*", STAFF, "Retraction of the record"),

    on(Kind::ClientNotes, "client", STAFF, &[Once], "Whom they are about"),
    rule(Kind::ClientNotes, "notes", STAFF, "Notes"),

    rule(Kind::Patient, "weights/**", CLINICAL, "Weights"),
    // An allergy is an alert with a substance: in one place, because that place must never be overlooked.
    rule(Kind::Patient, "alerts/**", CLINICAL, "Allergies and alerts"),
    rule(Kind::Patient, "vaccinations/*/*", CLINICAL, "Vaccinations"),
    rule(Kind::Patient, "death/*", STAFF_AND_OWNER, "Report of death or loss"),
    rule(Kind::Patient, "loss/*", STAFF_AND_OWNER, "Report of death or loss"),
    rule(Kind::Patient, "photo/*", STAFF_AND_OWNER, "Photo"),
    rule(Kind::Patient, "owners/*/*", STAFF, "Owners"),
    rule(Kind::Patient, "name", STAFF, "Identity"),
    rule(Kind::Patient, "species", STAFF, "Identity"),
    rule(Kind::Patient, "breed", STAFF, "Identity"),
    rule(Kind::Patient, "colour", STAFF, "Identity"),
    rule(Kind::Patient, "sex", STAFF, "Identity"),
    rule(Kind::Patient, "neutered", STAFF, "Identity"),
    rule(Kind::Patient, "born", STAFF, "Identity"),
    rule(Kind::Patient, "microchip", STAFF, "Identity"),
    rule(Kind::Patient, "patient/*", STAFF, "Retraction of the record"),

    on(Kind::Appointment, "client", STAFF_AND_OWNER, &[AtCreation, OwnClient], "Client and patient"),
    on(Kind::Appointment, "patient", STAFF_AND_OWNER, &[AtCreation], "Client and patient"),
    on(Kind::Appointment, "request/by", STAFF_AND_OWNER, &[OwnName], "Request for an appointment"),
    rule(Kind::Appointment, "request/*", STAFF_AND_OWNER, "Request for an appointment"),
    rule(Kind::Appointment, "booking/cancelled_at", STAFF_AND_OWNER, "Cancellation"),
    rule(Kind::Appointment, "booking/cancel_reason", STAFF_AND_OWNER, "Cancellation"),
    rule(Kind::Appointment, "booking/*", STAFF, "Booking"),
    rule(Kind::Appointment, "whereabouts/*", STAFF, "Arrival, room, departure"),
    rule(Kind::Appointment, "clinical/*", CLINICAL, "Link to the visit"),
    rule(Kind::Appointment, "money/*", STAFF, "Link to the bill"),

    on(Kind::Visit, "history", CLINICAL, &[Unsealed], "History"),
    on(Kind::Visit, "vitals/*/*", CLINICAL, &[Unsealed], "Vital signs"),
    on(Kind::Visit, "patient", CLINICAL, &[Unsealed], "Beginning and end of the visit"),
    on(Kind::Visit, "appointment", CLINICAL, &[Unsealed], "Beginning and end of the visit"),
    on(Kind::Visit, "reason", CLINICAL, &[Unsealed], "Beginning and end of the visit"),
    on(Kind::Visit, "vet", CLINICAL, &[Unsealed], "Beginning and end of the visit"),
    on(Kind::Visit, "started_at", CLINICAL, &[Unsealed], "Beginning and end of the visit"),
    on(Kind::Visit, "started_by", CLINICAL, &[Unsealed], "Beginning and end of the visit"),
    on(Kind::Visit, "finished_at", CLINICAL, &[Unsealed], "Beginning and end of the visit"),
    on(Kind::Visit, "finished_by", CLINICAL, &[Unsealed], "Beginning and end of the visit"),
    on(Kind::Visit, "examination", VETS, &[Unsealed], "Examination, assessment and plan"),
    on(Kind::Visit, "assessment", VETS, &[Unsealed], "Examination, assessment and plan"),
    on(Kind::Visit, "plan", VETS, &[Unsealed], "Examination, assessment and plan"),
    on(Kind::Visit, "problems/*/*", VETS, &[Unsealed], "Problems and diagnoses"),
    on(Kind::Visit, "diagnoses/*/*", VETS, &[Unsealed], "Problems and diagnoses"),
    on(Kind::Visit, "prescriptions/*/*", VETS, &[Unsealed], "Prescriptions"),
    on(Kind::Visit, "declined/*/*", VETS, &[Unsealed], "Declined services"),
    // "Nobody after signature but by addendum" (design §3); an addendum is dated and signed by whoever writes it, and
    // stays (Texas and Maryland as the domain quotes them).
    on(Kind::Visit, "signature/by", VETS, &[Once, OwnName], "Signature"),
    on(Kind::Visit, "signature/*", VETS, &[Once, OwnEntry], "Signature"),
    on(Kind::Visit, "addenda/*/retracted_by", CLINICAL, &[Once, OwnName, OwnEntry], "Addenda"),
    on(Kind::Visit, "addenda/*/by", CLINICAL, &[Once, OwnName], "Addenda"),
    on(Kind::Visit, "addenda/*/*", CLINICAL, &[Once, OwnEntry], "Addenda"),

    on(Kind::VisitSummary, "visit", CLINICAL, &[Once], "Which visit and animal"),
    on(Kind::VisitSummary, "patient", CLINICAL, &[Once], "Which visit and animal"),
    rule(Kind::VisitSummary, "owners/*/*", CLINICAL, "Which owners receive it"),
    rule(Kind::VisitSummary, "done", CLINICAL, "What was done, instructions for home"),
    rule(Kind::VisitSummary, "instructions", CLINICAL, "What was done, instructions for home"),
    rule(Kind::VisitSummary, "summary/*", CLINICAL, "Retraction of the record"),

    on(Kind::Estimate, "client", STAFF, &[Once], "Client and patient"),
    on(Kind::Estimate, "patient", STAFF, &[Once], "Client and patient"),
    on(Kind::Estimate, "currency", STAFF, &[Unsealed], "Lines"),
    on(Kind::Estimate, "valid_until", STAFF, &[Unsealed], "Lines"),
    on(Kind::Estimate, "lines/*/*", STAFF, &[Unsealed], "Lines"),
    on(Kind::Estimate, "accepted/by", STAFF, &[Once, OwnName], "That the client accepted it"),
    on(Kind::Estimate, "accepted/*", STAFF, &[Once, OwnEntry], "That the client accepted it"),
    rule(Kind::Estimate, "estimate/*", STAFF, "Retraction of the record"),

    on(Kind::Invoice, "client", STAFF, &[Once], "Client and patient"),
    on(Kind::Invoice, "patient", STAFF, &[Once], "Client and patient"),
    on(Kind::Invoice, "currency", STAFF, &[Unsealed], "Lines and due day"),
    on(Kind::Invoice, "due_on", STAFF, &[Unsealed], "Lines and due day"),
    on(Kind::Invoice, "lines/*/*", STAFF, &[Unsealed], "Lines and due day"),
    // Correct by credit note, void gaps with a record (domain, invoice numbers): a posted bill does not change.
    on(Kind::Invoice, "posted/by", STAFF, &[Once, OwnName], "Posting, with the number"),
    on(Kind::Invoice, "posted/*", STAFF, &[Once, OwnEntry], "Posting, with the number"),
    on(Kind::Invoice, "invoice/retracted_by", STAFF, &[Once, OwnName], "Voiding"),
    on(Kind::Invoice, "invoice/retracted_*", STAFF, &[Once], "Voiding"),

    on(Kind::Payment, "by", STAFF, &[Once, OwnName], "Who paid what, how and when"),
    on(Kind::Payment, "client", STAFF, &[Once], "Who paid what, how and when"),
    on(Kind::Payment, "invoice", STAFF, &[Once], "Who paid what, how and when"),
    on(Kind::Payment, "amount", STAFF, &[Once], "Who paid what, how and when"),
    on(Kind::Payment, "currency", STAFF, &[Once], "Who paid what, how and when"),
    on(Kind::Payment, "method", STAFF, &[Once], "Who paid what, how and when"),
    on(Kind::Payment, "reference", STAFF, &[Once], "Who paid what, how and when"),
    on(Kind::Payment, "at", STAFF, &[Once], "Who paid what, how and when"),
    on(Kind::Payment, "payment/retracted_by", STAFF, &[Once, OwnName], "Retraction of the payment"),
    on(Kind::Payment, "payment/retracted_*", STAFF, &[Once], "Retraction of the payment"),

    on(Kind::Conversation, "client", STAFF_AND_OWNER, &[Once, AtCreation, OwnClient], "Client and subject"),
    on(Kind::Conversation, "subject", STAFF_AND_OWNER, &[AtCreation], "Client and subject"),
    on(Kind::Conversation, "messages/*/retracted_by", STAFF_AND_OWNER, &[Once, OwnName, OwnEntry], "Messages"),
    on(Kind::Conversation, "messages/*/by", STAFF_AND_OWNER, &[Once, OwnName], "Messages"),
    on(Kind::Conversation, "messages/*/*", STAFF_AND_OWNER, &[Once, OwnEntry], "Messages"),
    rule(Kind::Conversation, "closed_at", STAFF, "Closing it"),

    rule(Kind::StockLot, "product", CLINICAL, "Product, lot and expiry"),
    rule(Kind::StockLot, "lot", CLINICAL, "Product, lot and expiry"),
    rule(Kind::StockLot, "expires_on", CLINICAL, "Product, lot and expiry"),
    rule(Kind::StockLot, "unit", CLINICAL, "Product, lot and expiry"),
    rule(Kind::StockLot, "supplier", CLINICAL, "Product, lot and expiry"),
    on(Kind::StockLot, "moves/*/retracted_by", CLINICAL, &[Once, OwnName], "Retraction of a movement"),
    on(Kind::StockLot, "moves/*/retracted_*", CLINICAL, &[Once], "Retraction of a movement"),
    on(Kind::StockLot, "moves/*/by", CLINICAL, &[Once, OwnName], "Movements"),
    on(Kind::StockLot, "moves/*/*", CLINICAL, &[Once, OwnEntry], "Movements"),

    // Per vial, append-only, the balance derived; two people for waste (domain, controlled drugs). The second person
    // confirms in a session of their own: a name that the first one writes down proves nothing.
    on(Kind::ControlledDrugLedger, "drug", CLINICAL, &[Once], "The vial and where it came from"),
    on(Kind::ControlledDrugLedger, "form", CLINICAL, &[Once], "The vial and where it came from"),
    on(Kind::ControlledDrugLedger, "strength", CLINICAL, &[Once], "The vial and where it came from"),
    on(Kind::ControlledDrugLedger, "unit", CLINICAL, &[Once], "The vial and where it came from"),
    on(Kind::ControlledDrugLedger, "lot", CLINICAL, &[Once], "The vial and where it came from"),
    on(Kind::ControlledDrugLedger, "expires_on", CLINICAL, &[Once], "The vial and where it came from"),
    on(Kind::ControlledDrugLedger, "supplier/*", CLINICAL, &[Once], "The vial and where it came from"),
    on(Kind::ControlledDrugLedger, "lines/*/witness", CLINICAL, &[Once, OwnName, OthersEntry], "Witness of a line"),
    on(Kind::ControlledDrugLedger, "lines/*/witnessed_at", CLINICAL, &[Once, OthersEntry], "Witness of a line"),
    on(Kind::ControlledDrugLedger, "lines/*/retracted_by", CLINICAL, &[Once, OwnName], "Retraction of a line"),
    on(Kind::ControlledDrugLedger, "lines/*/retracted_*", CLINICAL, &[Once], "Retraction of a line"),
    on(Kind::ControlledDrugLedger, "lines/*/by", CLINICAL, &[Once, OwnName], "Lines"),
    on(Kind::ControlledDrugLedger, "lines/*/*", CLINICAL, &[Once, OwnEntry], "Lines"),

    // A snapshot of the form with its version; a signature needs intent and attribution (domain, consent forms).
    on(Kind::Consent, "client", STAFF, &[Once], "Client and patient"),
    on(Kind::Consent, "patient", STAFF, &[Once], "Client and patient"),
    on(Kind::Consent, "form/*", STAFF, &[Once], "Text of the form"),
    on(Kind::Consent, "signatures/*/by", STAFF_AND_OWNER, &[Once, OwnName], "Signatures"),
    on(Kind::Consent, "signatures/*/*", STAFF_AND_OWNER, &[Once, OwnEntry], "Signatures"),
    on(Kind::Consent, "withdrawn/by", STAFF_AND_OWNER, &[Once, OwnName], "Withdrawal"),
    on(Kind::Consent, "withdrawn/*", STAFF_AND_OWNER, &[Once, OwnEntry], "Withdrawal"),
    rule(Kind::Consent, "consent/*", STAFF, "Retraction of the record"),

    on(Kind::Certificate, "client", VETS, &[Once], "Client and patient"),
    on(Kind::Certificate, "patient", VETS, &[Once], "Client and patient"),
    on(Kind::Certificate, "what", VETS, &[Once], "Client and patient"),
    on(Kind::Certificate, "facts/*", VETS, &[Unsealed], "What it certifies"),
    on(Kind::Certificate, "signature/by", VETS, &[Once, OwnName], "Signature"),
    on(Kind::Certificate, "signature/*", VETS, &[Once, OwnEntry], "Signature"),
    rule(Kind::Certificate, "certificate/*", VETS, "Retraction of the record"),
];

/// Whether a pattern names a field.
pub(super) fn matches(pattern: &str, field: &str) -> bool {
    let (mut pattern, mut field) = (pattern.split('/'), field.split('/'));
    loop {
        match (pattern.next(), field.next()) {
            (None, None) => return true,
            (Some("**"), Some(_)) => return true,
            (Some(expected), Some(segment)) => {
                let fits = match expected.strip_suffix('*') {
                    Some(begins) => segment.len() > begins.len() && segment.starts_with(begins),
                    None => segment == expected,
                };
                if !fits {
                    return false;
                }
            }
            _ => return false,
        }
    }
}

impl Rule {
    /// The row of the table that decides about a field.
    pub fn of(kind: Kind, field: &str) -> Option<&'static Self> {
        RULES
            .iter()
            .find(|rule| rule.kind == kind && matches(rule.fields, field))
    }

    pub fn has(&self, condition: Condition) -> bool {
        self.conditions.contains(&condition)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        let check =
            |pattern, field, expected| assert_eq!(matches(pattern, field), expected, "{pattern} {field}");
        check("name", "name", true);
        check("name", "name/x", false);
        check("hours/*", "hours/1", true);
        check("hours/*", "hours/", false);
        check("hours/*", "hours", false);
        check("weights/**", "weights/1/kg", true);
        check("weights/**", "weights", false);
        check("lines/*/retracted_*", "lines/1/retracted_at", true);
        check("lines/*/retracted_*", "lines/1/retracted_", false);
        check("lines/*/retracted_*", "lines/1/by", false);
    }

    #[test]
    fn every_field_that_a_rule_names_is_reachable() {
        for (index, rule) in RULES.iter().enumerate() {
            let sample = rule.fields.replace("**", "x/y").replace('*', "x");
            let first = RULES
                .iter()
                .position(|r| r.kind == rule.kind && matches(r.fields, &sample));
            assert_eq!(
                first,
                Some(index),
                "{} {} is shadowed",
                rule.kind.word(),
                rule.fields
            );
        }
    }

    #[test]
    fn every_kind_is_created_by_somebody_who_can_write_in_it() {
        for kind in Kind::ALL {
            for role in creators(kind) {
                let writes = RULES
                    .iter()
                    .any(|rule| rule.kind == kind && rule.roles.contains(role));
                assert!(
                    writes,
                    "{role:?} creates a {} and cannot write in it",
                    kind.word()
                );
            }
            for text in kind.texts() {
                assert!(Rule::of(kind, text).is_some(), "{} {text}", kind.word());
            }
            if let Some(seal) = seal(kind) {
                assert!(Rule::of(kind, seal).is_some_and(|rule| !rule.has(Unsealed)));
            }
        }
    }

    #[test]
    fn whoever_begins_an_entry_names_themself_in_it_for_good() {
        let entries = RULES
            .iter()
            .filter(|rule| rule.has(OwnEntry) || rule.has(OthersEntry));
        for rule in entries {
            let sample = rule.fields.replace('*', "x");
            let (entry, _) = sample.rsplit_once('/').expect("entries have fields");
            let by = Rule::of(rule.kind, &format!("{entry}/by")).expect("they have an author");
            assert!(
                by.has(Once) && by.has(OwnName),
                "{} {}",
                rule.kind.word(),
                by.fields
            );
            assert!(
                rule.roles.iter().all(|role| by.roles.contains(role)),
                "{} {}: who may go on may begin",
                rule.kind.word(),
                rule.fields
            );
        }
    }

    #[test]
    fn nobody_who_only_reads_is_in_the_table() {
        for role in [Role::Viewer, Role::SystemAdministrator] {
            assert!(RULES.iter().all(|rule| !rule.roles.contains(&role)));
            assert!(Kind::ALL.iter().all(|kind| !creators(*kind).contains(&role)));
        }
    }
}
