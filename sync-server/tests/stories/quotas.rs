//! Who asks for too much is slowed down or told to come back; nobody loses anything, and nobody else waits.

use crate::database::Engine;
use crate::device::Heard;
use crate::practice::{OWNER, Practice, REX, fresh_id, register_client};
use shared_model::commands::EditPatient;
use shared_model::ids::{ClientId, DocumentId};
use shared_model::protocol::{ClientMessage, Goodbye};
use std::time::{Duration, Instant};
use sync_server::server::{Limit, Limits};

async fn practice_with(adjust: impl FnOnce(&mut Limits)) -> Practice {
    let practice = Practice::open_with(Engine::Sqlite, |settings| adjust(&mut settings.quotas.staff)).await;
    practice.enter_records().await;
    practice
}

fn rename(name: &str) -> EditPatient {
    EditPatient {
        name: Some(name.to_owned()),
        ..EditPatient::of(REX)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_pushes_too_much_is_slowed_down_and_everything_is_accepted() {
    let practice = practice_with(|limits| {
        limits.changes = Limit {
            at_once: 20,
            per_minute: 3_000,
        }
    })
    .await;
    let (mut desk, mut vet) = (practice.device("desk").await, practice.device("vet").await);
    desk.connect().await;
    vet.connect().await;
    let began = Instant::now();
    for round in 0..50 {
        desk.run(rename(&format!("Rex {round}")));
        desk.settled().await;
    }
    // 50 less the 20 that are free (fewer, since the records were entered), at 50 a second.
    assert!(
        began.elapsed() >= Duration::from_millis(550),
        "{:?}",
        began.elapsed()
    );
    // Somebody else does not wait for it.
    let began = Instant::now();
    vet.run(rename("Rexie"));
    vet.settled().await;
    assert!(
        began.elapsed() < Duration::from_millis(500),
        "{:?}",
        began.elapsed()
    );
    desk.until("both have all", |desk| {
        desk.document(REX).heads() == vet.document(REX).heads()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_owes_too_much_comes_back_later_with_everything_still_in_the_outbox() {
    let practice = practice_with(|limits| {
        limits.documents = Limit {
            at_once: 5,
            per_minute: 6,
        }
    })
    .await;
    let (mut desk, mut other) = (practice.device("desk").await, practice.device("desk").await);
    let mut vet = practice.device("vet").await;
    for device in [&mut desk, &mut other, &mut vet] {
        device.connect().await;
    }
    let clients: Vec<ClientId> = (0..10).map(|_| fresh_id(ClientId)).collect();
    for client in &clients {
        desk.run(register_client(*client, "Import"));
    }
    desk.settled().await;
    vet.until("all are here", |vet| {
        clients
            .iter()
            .all(|client| vet.documents.contains_key(&DocumentId::from(*client)))
    })
    .await;
    // It is the person that owes, from whatever device.
    let one_more = fresh_id(ClientId);
    other.run(register_client(one_more, "One more"));
    other.push().await;
    assert_eq!(other.goodbye().await, Goodbye::Later);
    assert_eq!(other.outbox.len(), 1);
    vet.run(rename("Rexie"));
    vet.settled().await;
    assert!(!vet.documents.contains_key(&DocumentId::from(one_more)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_wants_document_after_document_waits_between_them() {
    let practice = practice_with(|limits| {
        limits.wants = Limit {
            at_once: 2,
            per_minute: 600,
        }
    })
    .await;
    let mut desk = practice.device("desk").await;
    desk.connect().await;
    let began = Instant::now();
    for _ in 0..10 {
        desk.send(&ClientMessage::Want(OWNER.into())).await;
    }
    let mut snapshots = 0;
    while snapshots < 10 {
        snapshots += usize::from(matches!(desk.hear().await, Heard::Snapshot));
    }
    assert!(
        began.elapsed() >= Duration::from_millis(650),
        "{:?}",
        began.elapsed()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_day_without_a_network_passes_at_once() {
    let practice = Practice::with_records(Engine::Sqlite).await;
    let mut desk = practice.device("desk").await;
    desk.connect().await;
    desk.offline();
    let clients: Vec<ClientId> = (0..100).map(|_| fresh_id(ClientId)).collect();
    for client in &clients {
        desk.run(register_client(*client, "A long day"));
    }
    for round in 0..800 {
        desk.run(rename(&format!("Rex {round}")));
    }
    desk.connect().await;
    let began = Instant::now();
    desk.settled().await;
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}
