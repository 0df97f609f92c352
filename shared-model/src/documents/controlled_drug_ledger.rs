//! ControlledDrugLedger: one vial (or box) of a controlled drug, from receipt to the last drop.
//!
//! Invariant: append-only. A line is written once by one person; what is wrong with it is another line or a retraction
//! beside it; what is left is derived. Sources: 21 CFR 1304.22 for what a line names, state rules for the witness of
//! waste (domain, controlled drugs).

use super::{Document, Made, Problem, Retracted, word_enum};
use crate::ids::{AccountId, LedgerLineId, PatientId, VisitId};
use crate::values;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

word_enum! {
    /// What happened to the drug.
    LedgerVerb {
        Received = "received", Dispensed = "dispensed", Administered = "administered",
        /// Takes a second person.
        Wasted = "wasted",
        /// Somebody looked: the quantity is what was found.
        Counted = "counted",
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerLine {
    pub id: LedgerLineId,
    pub made: Made,
    pub verb: LedgerVerb,
    /// In the vial's unit, never negative: the verb says which way.
    pub quantity: Decimal,
    pub patient: Option<PatientId>,
    pub visit: Option<VisitId>,
    /// Name and address of whoever was given it, if that was not the animal at once.
    pub recipient: String,
    pub remark: String,
    /// The second person, who confirmed it themself.
    pub witness: Option<AccountId>,
    pub retracted: Option<Retracted>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControlledDrugLedger {
    pub drug: String,
    pub form: String,
    pub strength: String,
    pub unit: String,
    pub lot: String,
    pub expires_on: Option<Date>,
    /// Name, address and registration.
    pub supplier: String,
    /// By time, oldest first.
    pub lines: Vec<LedgerLine>,
}

impl ControlledDrugLedger {
    pub fn read(doc: &Document) -> (Self, Vec<Problem>) {
        let fields = doc.fields();
        let mut problems = Vec::new();
        let mut lines: Vec<LedgerLine> = Vec::new();
        for id in fields.entries::<LedgerLineId>("lines") {
            let entry = format!("lines/{id}");
            let key = |field: &str| format!("{entry}/{field}");
            let verb = fields.parsed(&key("verb"), &mut problems, LedgerVerb::from_word);
            let quantity = fields.parsed(&key("quantity"), &mut problems, |text| {
                values::decimal(text)
                    .ok()
                    .filter(|quantity| !quantity.is_sign_negative())
            });
            let (Some(made), Some(verb), Some(quantity)) = (fields.made(&entry), verb, quantity) else {
                continue;
            };
            let witness = fields.id(&key("witness"));
            let retracted = fields.retracted(&entry);
            if verb == LedgerVerb::Wasted && witness.is_none() && retracted.is_none() {
                problems.push(Problem {
                    field: key("witness"),
                    what: "nobody has witnessed it yet".to_owned(),
                });
            }
            lines.push(LedgerLine {
                id,
                made,
                verb,
                quantity,
                patient: fields.id(&key("patient")),
                visit: fields.id(&key("visit")),
                recipient: fields.owned(&key("recipient")),
                remark: fields.owned(&key("remark")),
                witness,
                retracted,
            });
        }
        lines.sort_by_key(|line| (line.made.at, line.id));
        let supplier =
            ["name", "address", "registration"].map(|part| fields.owned(&format!("supplier/{part}")));
        let ledger = Self {
            drug: fields.owned("drug"),
            form: fields.owned("form"),
            strength: fields.owned("strength"),
            unit: fields.owned("unit"),
            lot: fields.owned("lot"),
            expires_on: fields.parsed("expires_on", &mut problems, |text| text.parse().ok()),
            supplier: supplier.join("\n").trim().to_owned(),
            lines,
        };
        (ledger, problems)
    }

    /// What should be left, in the vial's unit: a count corrects nothing, it shows a difference.
    pub fn balance(&self) -> Decimal {
        let standing = self.lines.iter().filter(|line| line.retracted.is_none());
        standing
            .map(|line| match line.verb {
                LedgerVerb::Received => line.quantity,
                LedgerVerb::Dispensed | LedgerVerb::Administered | LedgerVerb::Wasted => -line.quantity,
                LedgerVerb::Counted => Decimal::ZERO,
            })
            .sum()
    }
}
