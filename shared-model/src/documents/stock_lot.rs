//! StockLot: one lot of a product on the shelf. What is left is the sum of its movements, never a number of its own.

use super::{Document, Made, Problem, Register, Retracted};
use crate::ids::{StockMoveId, VisitId};
use crate::values;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockMove {
    pub id: StockMoveId,
    pub made: Made,
    /// In the lot's unit; negative for what left the shelf.
    pub quantity: Decimal,
    /// Received, dispensed, expired, counted.
    pub why: String,
    pub visit: Option<VisitId>,
    pub retracted: Option<Retracted>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockLot {
    pub product: String,
    pub lot: Option<Register<String>>,
    pub expires_on: Option<Register<Date>>,
    pub unit: String,
    pub supplier: String,
    /// By time, oldest first.
    pub moves: Vec<StockMove>,
}

impl StockLot {
    pub fn read(doc: &Document) -> (Self, Vec<Problem>) {
        let fields = doc.fields();
        let mut problems = Vec::new();
        let mut moves: Vec<StockMove> = Vec::new();
        for id in fields.entries::<StockMoveId>("moves") {
            let entry = format!("moves/{id}");
            let quantity = fields.parsed(&format!("{entry}/quantity"), &mut problems, |text| {
                values::decimal(text).ok()
            });
            let (Some(made), Some(quantity)) = (fields.made(&entry), quantity) else {
                continue;
            };
            moves.push(StockMove {
                id,
                made,
                quantity,
                why: fields.owned(&format!("{entry}/why")),
                visit: fields.id(&format!("{entry}/visit")),
                retracted: fields.retracted(&entry),
            });
        }
        moves.sort_by_key(|entry| (entry.made.at, entry.id));
        let lot = Self {
            product: fields.owned("product"),
            lot: fields.register("lot", &mut problems, |text| Some(text.to_owned())),
            expires_on: fields.register("expires_on", &mut problems, |text| text.parse().ok()),
            unit: fields.owned("unit"),
            supplier: fields.owned("supplier"),
            moves,
        };
        (lot, problems)
    }

    /// What is left, in the lot's unit.
    pub fn balance(&self) -> Decimal {
        let standing = self.moves.iter().filter(|entry| entry.retracted.is_none());
        standing.map(|entry| entry.quantity).sum()
    }
}
