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
        .map(|push| ReadItem::read_push(push.items, None))
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

#[cfg(test)]
mod tests {
    use super::*;
    use automerge::legacy::{ElementId, Key, ObjectId, Op, OpId, OpType};
    use automerge::{ActorId, Change, ExpandedChange, ROOT, ReadDoc, ScalarValue};
    use shared_model::SCHEMA_VERSION;
    use shared_model::documents::measure::MAX_SPAN;
    use shared_model::documents::{Document, Kind, Stamp};
    use shared_model::ids::{AccountId, DocumentId};
    use shared_model::permissions::Role;
    use shared_model::protocol::{PushItem, RefusalCode};
    use uuid::Uuid;

    const CLINIC: ClinicId = ClinicId(Uuid::from_u128(1));
    const NOW: Timestamp = Timestamp(1_795_435_200_000);

    fn vet() -> Principal {
        Principal {
            account: AccountId(Uuid::from_u128(2)),
            clinic: CLINIC,
            roles: vec![Role::Veterinarian],
            client: None,
            name: "Ana Moreno".to_owned(),
        }
    }

    fn visit() -> Document {
        Document::genesis(Kind::Visit, CLINIC, DocumentId(Uuid::from_u128(3)))
    }

    /// A writer of its own sets one field, next to whatever others write.
    fn put(writer: u8, field: &str, value: &str) -> Change {
        let stamp = Stamp {
            now: NOW,
            actor: ActorId::from([writer; 16]),
            account: AccountId(Uuid::from_u128(2)),
        };
        let written = visit().change(&stamp, "put", |w| {
            w.put(field, value);
            Ok::<_, ()>(())
        });
        written.expect("written").expect("something new")
    }

    /// Of the right form and in a text that exists, but behind a character that nobody ever wrote.
    fn behind_nothing(writer: u8) -> Change {
        let genesis = visit();
        let automerge = automerge::Automerge::load(&genesis.save()).expect("loads");
        let Ok(Some((_, automerge::ObjId::Id(counter, actor, _)))) = automerge.get(ROOT, "plan") else {
            panic!("a visit has a plan");
        };
        let nobody = OpId::new(40, &ActorId::from([99; 16]));
        Change::from(ExpandedChange {
            operations: vec![Op {
                action: OpType::Put(ScalarValue::Str("x".into())),
                obj: ObjectId::Id(OpId::new(counter, &actor)),
                key: Key::Seq(ElementId::Id(nobody)),
                pred: Vec::new().into(),
                insert: true,
            }],
            actor_id: ActorId::from([writer; 16]),
            hash: None,
            seq: 1,
            start_op: (genesis.max_op_of(&genesis.heads()) + 1)
                .try_into()
                .expect("not zero"),
            time: 0,
            message: None,
            deps: genesis.heads(),
            extra_bytes: Vec::new(),
            author: None,
        })
    }

    fn rehearsed(changes: &[Change]) -> Rehearsed {
        rehearsed_in_pushes(changes, changes.len())
    }

    fn rehearsed_in_pushes(changes: &[Change], at_once: usize) -> Rehearsed {
        let push = |(changes, number): (&[Change], u64)| Push {
            number,
            items: vec![PushItem {
                kind: Kind::Visit,
                document: visit().id,
                schema_version: SCHEMA_VERSION,
                signatures: Vec::new(),
                changes: changes
                    .iter()
                    .map(|change| change.clone().bytes().to_vec().into())
                    .collect(),
            }],
        };
        let pushes = changes.chunks(at_once).zip(1..).map(push).collect();
        rehearse(CLINIC, &vet(), DeviceId(Uuid::from_u128(5)), pushes, NOW)
    }

    #[test]
    fn one_change_that_cannot_be_applied_takes_no_other_with_it() {
        let changes = [
            put(1, "reason", "limping"),
            behind_nothing(2),
            put(3, "vet", "Ana"),
        ];
        let done = rehearsed(&changes);
        let [refused] = &done.refusals[..] else {
            panic!("one push has one answer");
        };
        let refused: Vec<_> = refused
            .iter()
            .map(|refusal| (refusal.change.to_vec(), refusal.code))
            .collect();
        assert_eq!(
            refused,
            [(changes[1].hash().0.to_vec(), RefusalCode::Undecodable)]
        );
        let [row] = &done.writes.documents[..] else {
            panic!("one document was written");
        };
        let stored = Document::load(Kind::Visit, CLINIC, visit().id, &row.stored.bytes).expect("loads");
        assert!(stored.has(&changes[0].hash()) && stored.has(&changes[2].hash()));
        assert_eq!(done.writes.changes.len(), 2);
    }

    #[test]
    fn changes_that_leap_over_too_many_numbers_are_refused() {
        let mut long = visit();
        let stamp = Stamp {
            now: NOW,
            actor: ActorId::from([200; 16]),
            account: AccountId(Uuid::from_u128(2)),
        };
        let typed = long.change(&stamp, "type", |w| {
            w.edit_text("plan", 0, &[], &"x".repeat(60_000));
            Ok::<_, ()>(())
        });
        let mut changes = vec![typed.expect("written").expect("something new")];
        let high = changes[0].max_op();
        // What JavaScript's `changeAt` makes: at early heads, with the next number of the whole document.
        changes.extend((1..=100).map(|writer| {
            let mut leaping: ExpandedChange = put(writer, "reason", "limping").decode();
            leaping.start_op = (high + 1).try_into().expect("not zero");
            Change::from(leaping)
        }));
        let done = rehearsed(&changes);
        let refused = &done.refusals[0];
        let codes: Vec<_> = refused
            .iter()
            .map(|refusal| (refusal.code, &refusal.reason))
            .collect();
        assert!(
            codes.iter().all(|(code, _)| *code == RefusalCode::TooLarge),
            "{codes:?}"
        );
        let taken = 100 - refused.len() as u64;
        assert!(
            taken * high <= MAX_SPAN && (taken + 2) * high > MAX_SPAN,
            "{taken}"
        );
        let page = shared_model::documents::check_chunks(&done.writes.documents[0].stored.bytes);
        assert!(page.is_ok(), "devices open what the server took");
    }

    /// Forty megabytes of the same letter are a few thousand bytes in the database.
    #[test]
    fn a_document_that_would_inflate_to_too_much_takes_no_more() {
        let much = "x".repeat(1_000_000);
        let changes: Vec<Change> = (1..=45).map(|writer| put(writer, "reason", &much)).collect();
        let done = rehearsed_in_pushes(&changes, 15);
        let refused: Vec<_> = done
            .refusals
            .iter()
            .flatten()
            .map(|refusal| refusal.code)
            .collect();
        let page = shared_model::documents::check_chunks(&done.writes.documents[0].stored.bytes);
        assert!(page.is_ok(), "devices open what the server took");
        assert!(
            refused.iter().all(|code| *code == RefusalCode::TooLarge),
            "{refused:?}"
        );
        assert!(refused.len() < 45, "some of it fits");
    }
}
