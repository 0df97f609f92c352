//! Edits of a text that somebody saw in an earlier state: they land as if they had been made in that state and merged.

use automerge::{ActorId, ChangeHash};
use proptest::prelude::*;
use shared_model::documents::{Document, Kind, Stamp};
use shared_model::ids::{AccountId, ClinicId, DocumentId};
use shared_model::time::Timestamp;
use uuid::Uuid;

const TEXT: &str = "history";
/// The actor whose edit is translated; the others are 1, 2 and 3.
const TYPIST: u8 = 9;

fn visit() -> Document {
    Document::genesis(
        Kind::Visit,
        ClinicId(Uuid::from_u128(1)),
        DocumentId(Uuid::from_u128(2)),
    )
}

fn stamp(actor: u8) -> Stamp {
    Stamp {
        now: Timestamp(1_000),
        actor: ActorId::from([actor; 16]),
        account: AccountId(Uuid::from_u128(9)),
    }
}

fn edit(doc: &mut Document, actor: u8, at: usize, delete: &[usize], insert: &str) {
    doc.change(&stamp(actor), "write", |w| {
        w.edit_text(TEXT, at, delete, insert);
        Ok::<_, ()>(())
    })
    .expect("written");
}

fn merge(into: &mut Document, from: &Document) {
    let news: Vec<_> = from
        .changes_since(&[])
        .into_iter()
        .filter(|change| !into.has(&change.hash()))
        .collect();
    into.apply(&news).expect("merges");
}

/// The edit as it is made today: translated to the text as it is.
fn translated(now: &Document, seen: &[ChangeHash], at: usize, delete: usize, insert: &str) -> String {
    let mut doc = now.clone();
    let (at, doomed) = doc
        .translate_edit(TEXT, seen, at, delete)
        .expect("a text that was seen");
    edit(&mut doc, TYPIST, at, &doomed, insert);
    doc.text(TEXT)
}

/// The same edit made in the document as it was seen, by a device whose clock of operations is ahead of everybody's,
/// so that of several insertions at one place its own comes first.
fn merged(now: &Document, then: &Document, at: usize, delete: usize, insert: &str) -> String {
    let mut there = then.clone();
    for number in 0..now
        .changes_since(&[])
        .iter()
        .map(|change| change.max_op())
        .max()
        .unwrap_or(0)
    {
        there
            .change(&stamp(TYPIST), "ahead", |w| {
                w.put("reason", i64::try_from(number).expect("few operations"));
                Ok::<_, ()>(())
            })
            .expect("written");
    }
    let doomed: Vec<usize> = (at..at + delete).collect();
    edit(&mut there, TYPIST, at, &doomed, insert);
    let mut doc = now.clone();
    merge(&mut doc, &there);
    doc.text(TEXT)
}

#[test]
fn the_last_character_was_deleted_by_two() {
    let mut here = visit();
    edit(&mut here, 1, 0, &[], "abc");
    let (seen, then) = (here.heads(), here.clone());
    edit(&mut here, 2, 0, &[2], "");
    let check = |at, delete, insert: &str, expected: &str| {
        assert_eq!(translated(&here, &seen, at, delete, insert), expected);
        assert_eq!(merged(&here, &then, at, delete, insert), expected);
    };
    check(2, 1, "", "ab");
    check(2, 1, "d", "abd");
    check(3, 0, "d", "abd");
    check(0, 3, "", "");
}

#[test]
fn everything_was_deleted_meanwhile() {
    let mut here = visit();
    edit(&mut here, 1, 0, &[], "abc");
    let seen = here.heads();
    edit(&mut here, 2, 0, &[0, 1, 2], "");
    assert_eq!(translated(&here, &seen, 2, 0, "x"), "x");
    assert_eq!(translated(&here, &seen, 0, 3, "x"), "x");
}

/// One step of a history: which of three devices does what.
#[derive(Clone, Debug)]
enum Step {
    Edit {
        device: usize,
        at: prop::sample::Index,
        delete: usize,
        insert: String,
    },
    Merge {
        into: usize,
        from: usize,
    },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let words = prop::sample::select(vec!["", "a", "bc", "ž", "🐕x", "defgh"]);
    let edit = (0..3_usize, any::<prop::sample::Index>(), 0..4_usize, words).prop_map(
        |(device, at, delete, insert)| Step::Edit {
            device,
            at,
            delete,
            insert: insert.to_owned(),
        },
    );
    let merge = (0..3_usize, 0..3_usize).prop_map(|(into, from)| Step::Merge { into, from });
    prop::collection::vec(prop_oneof![3 => edit, 2 => merge], 1..14)
}

fn length(doc: &Document) -> usize {
    doc.text(TEXT).chars().count()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn a_late_edit_does_what_it_would_have_done_in_time(
        steps in steps(),
        seen in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
        delete in any::<prop::sample::Index>(),
        insert in prop::sample::select(vec!["", "X", "YZ"]),
    ) {
        let mut devices = vec![visit(); 3];
        for device in &mut devices {
            merge(device, &{
                let mut first = visit();
                edit(&mut first, 7, 0, &[], "Ate grass");
                first
            });
        }
        let mut states = vec![devices[0].clone()];
        for step in &steps {
            match step {
                Step::Edit { device, at, delete, insert } => {
                    let doc = &mut devices[*device];
                    let long = length(doc);
                    let at = at.index(long + 1);
                    let doomed: Vec<usize> = (at..(at + delete).min(long)).collect();
                    edit(doc, u8::try_from(*device).expect("three") + 1, at, &doomed, insert);
                    states.push(doc.clone());
                }
                Step::Merge { into, from } => {
                    let from = devices[*from].clone();
                    merge(&mut devices[*into], &from);
                    states.push(devices[*into].clone());
                }
            }
        }
        let mut now = devices[0].clone();
        merge(&mut now, &devices[1]);
        merge(&mut now, &devices[2]);

        let then = &states[seen.index(states.len())];
        let long = length(then);
        let at = at.index(long + 1);
        let delete = delete.index(long - at + 1);
        prop_assert_eq!(
            translated(&now, &then.heads(), at, delete, insert),
            merged(&now, then, at, delete, insert),
            "{:?} became {:?}; at {} delete {} insert {:?}",
            then.text(TEXT), now.text(TEXT), at, delete, insert
        );
    }
}
