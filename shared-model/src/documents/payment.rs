//! Payment: money that a client gave, as one fact that is never altered. A mistake is retracted and written anew.

use super::{Document, Problem, Retracted, word_enum};
use crate::ids::{AccountId, ClientId, InvoiceId};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

word_enum! {
    PaymentMethod { Cash = "cash", Card = "card", Transfer = "transfer", Insurance = "insurance", Other = "other" }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    pub client: Option<ClientId>,
    pub invoice: Option<InvoiceId>,
    /// In minor units; negative for money that was given back.
    pub amount: i64,
    /// ISO 4217.
    pub currency: String,
    pub method: PaymentMethod,
    /// The terminal's or bank's own number.
    pub reference: String,
    pub at: Option<Timestamp>,
    pub by: Option<AccountId>,
    pub retracted: Option<Retracted>,
}

impl Payment {
    pub fn read(doc: &Document) -> (Self, Vec<Problem>) {
        let fields = doc.fields();
        let mut problems = Vec::new();
        let amount = fields.int("amount");
        if amount.is_none() {
            problems.push(Problem {
                field: "amount".to_owned(),
                what: "is missing".to_owned(),
            });
        }
        let payment = Self {
            client: fields.id("client"),
            invoice: fields.id("invoice"),
            amount: amount.unwrap_or(0),
            currency: fields.owned("currency"),
            method: fields
                .parsed("method", &mut problems, PaymentMethod::from_word)
                .unwrap_or(PaymentMethod::Other),
            reference: fields.owned("reference"),
            at: fields.time("at"),
            by: fields.id("by"),
            retracted: fields.retracted("payment"),
        };
        (payment, problems)
    }
}
