//! What estimates and invoices have in common: lines, and the moment that closes them.
//!
//! Invariant: money is in minor units of one currency; totals are derived and never stored.

use super::signature::late_entries;
use super::{Document, Fields, Made, Problem, Register, Retracted};
use crate::ids::{AccountId, BillLineId, VisitId};
use crate::values;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BillLine {
    pub id: BillLineId,
    pub what: String,
    /// Up to three decimals: half a tablet, 0.125 ml.
    pub quantity: Register<Decimal>,
    /// Of one, in minor units, tax included.
    pub unit_price: i64,
    /// In tenths of a percent: 210 is 21 %.
    pub tax_permille: u64,
    pub visit: Option<VisitId>,
    pub by: Option<AccountId>,
    pub retracted: Option<Retracted>,
}

impl BillLine {
    /// In minor units; rounded once, half away from zero (domain, dose: a peer that rounded twice was wrong).
    pub fn amount(&self) -> i64 {
        let amount = self.quantity.value * Decimal::from(self.unit_price);
        let rounded = amount.round_dp_with_strategy(0, rust_decimal::RoundingStrategy::MidpointAwayFromZero);
        rounded.to_i64().unwrap_or(i64::MAX)
    }

    pub(super) fn read_all(fields: &Fields, problems: &mut Vec<Problem>) -> Vec<Self> {
        let mut lines = Vec::new();
        for id in fields.entries::<BillLineId>("lines") {
            let key = |field: &str| format!("lines/{id}/{field}");
            let quantity = fields.register(&key("quantity"), problems, |text| values::decimal(text).ok());
            lines.push(Self {
                id,
                what: fields.owned(&key("what")),
                quantity: quantity.unwrap_or_else(|| Register::single(Decimal::ONE)),
                unit_price: fields.int(&key("unit_price")).unwrap_or(0),
                tax_permille: fields.uint(&key("tax_permille")).unwrap_or(0),
                visit: fields.id(&key("visit")),
                by: fields.id(&key("by")),
                retracted: fields.retracted(&format!("lines/{id}")),
            });
        }
        lines
    }
}

/// What the lines that stand come to, in minor units.
pub(super) fn total(lines: &[BillLine]) -> i64 {
    let standing = lines.iter().filter(|line| line.retracted.is_none());
    standing.fold(0, |sum, line| sum.saturating_add(line.amount()))
}

/// A bill that was posted, or an estimate that was accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closing {
    pub made: Made,
    /// Lines and terms that were written without knowing of it and have arrived since: a person decides about them.
    pub late_entries: Vec<String>,
}

impl Closing {
    pub(super) fn read(
        doc: &Document,
        fields: &Fields,
        closing: &str,
        after: &[&str],
        problems: &mut Vec<Problem>,
    ) -> Option<Self> {
        let made = fields.made(closing)?;
        Some(Self {
            made,
            late_entries: late_entries(doc, fields, closing, after, problems),
        })
    }
}
