//! A rehearsal of accept: the same reading, judging and planning on an empty clinic in memory, and nothing is stored.

use super::{Author, ReadItem, WorkingSet, Writer, plan_accept};
use crate::storage::{AcceptWrites, LoadedRows};
use crate::sync::fan_out::SessionId;
use shared_model::ids::{ClinicId, DeviceId};
use shared_model::permissions::Principal;
use shared_model::protocol::{Push, Refusal};
use shared_model::time::Timestamp;
use std::sync::{Arc, Mutex};

/// What accept would answer, and what it would write.
#[derive(Debug)]
pub struct Rehearsed {
    /// Per push, in their order.
    pub refusals: Vec<Vec<Refusal>>,
    pub writes: Arc<AcceptWrites>,
}

/// What would become of pushes by one author, one after the other, at a clinic that has no documents. For trying out
/// hostile input.
pub fn rehearse(
    clinic: ClinicId,
    principal: &Principal,
    device: DeviceId,
    pushes: Vec<Push>,
    now: Timestamp,
) -> Rehearsed {
    let writer = Writer {
        session: SessionId::NONE,
        author: Author {
            principal: principal.clone(),
            account: principal.account,
            device,
        },
        refused: Mutex::default(),
    };
    let items: Vec<Vec<ReadItem>> = pushes
        .into_iter()
        .map(|push| push.items.into_iter().map(ReadItem::read).collect())
        .collect();
    let mut working = WorkingSet::new(clinic);
    working.expect_head(1);
    working.fill(LoadedRows::default());
    let pushes = items.iter().map(|items| (&writer, items.as_slice()));
    let plan = plan_accept(&mut working, pushes, 1, now);
    Rehearsed {
        refusals: plan.refusals,
        writes: plan.writes,
    }
}
