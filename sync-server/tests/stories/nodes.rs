//! Any device on any node: two servers on one Postgres database.

use crate::database::{Database, Engine};
use crate::device::Device;
use crate::load::{Load, keep_writing};
use crate::practice::{OWNER, Practice, REX, fresh_id, register_client};
use crate::process::Process;
use shared_model::commands::{EditClient, EditPatient};
use shared_model::documents::{Client, Patient};
use shared_model::ids::{ClientId, DocumentId};
use shared_model::permissions::Feed;
use sqlx::{Connection, PgConnection};
use std::sync::Arc;
use std::time::{Duration, Instant};
use sync_server::storage::{AcceptWrites, FeedChange, FeedRow};

/// Longer than any story: what arrives was heard of.
const NEVER: Duration = Duration::from_secs(3_600);

/// Two nodes that do not compare heads, each with a connected device.
async fn two_nodes() -> (Practice, Practice, Device, Device) {
    two_nodes_that_compare_every(NEVER).await
}

async fn two_nodes_that_compare_every(every: Duration) -> (Practice, Practice, Device, Device) {
    let one = Practice::open_with(Engine::Postgres, |settings| settings.compare_heads_every = every).await;
    one.enter_records().await;
    let two = Practice::second_node(&one).await;
    listening(&one, 2).await;
    let (mut desk, mut vet) = (one.device("desk").await, one.device("vet").await);
    vet.server = two.address;
    desk.connect().await;
    vet.connect().await;
    (one, two, desk, vet)
}

async fn sql(practice: &Practice) -> PgConnection {
    let Database::Postgres(url) = &practice.database else {
        panic!("nodes share a Postgres database")
    };
    PgConnection::connect(url).await.expect("the database answers")
}

const LISTENERS: &str =
    "from pg_stat_activity where datname = current_database() and application_name = 'sync-server listener'
         and query like 'LISTEN%' and state = 'idle'";

/// Waits until so many nodes listen.
pub async fn listening(practice: &Practice, nodes: i64) {
    let mut sql = sql(practice).await;
    let deadline = Instant::now() + Duration::from_secs(30);
    let count = format!("select count(*) {LISTENERS}");
    while sqlx::query_scalar::<_, i64>(sqlx::AssertSqlSafe(count.as_str()))
        .fetch_one(&mut sql)
        .await
        .expect("counted")
        < nodes
    {
        assert!(Instant::now() < deadline, "not all nodes listen");
        tokio::task::yield_now().await;
    }
}

async fn rename(device: &mut Device, name: &str) {
    device.run(EditPatient {
        name: Some(name.to_owned()),
        ..EditPatient::of(REX)
    });
    device.settled().await;
}

async fn move_to(device: &mut Device, address: &str) {
    device.run(EditClient {
        address: Some(address.to_owned()),
        ..EditClient::of(OWNER)
    });
    device.settled().await;
}

async fn hears_name(device: &mut Device, name: &str) {
    device
        .until("the other node's edit is here", |device| {
            Patient::read(device.document(REX)).0.name == name
        })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn edits_cross_nodes_in_both_directions_without_a_write_of_ones_own() {
    let (_one, _two, mut desk, mut vet) = two_nodes().await;
    vet.pages.clear();
    desk.pages.clear();
    for round in 0..20 {
        rename(&mut desk, &format!("Rex {round}")).await;
        hears_name(&mut vet, &format!("Rex {round}")).await;
        let address = format!("House {round}");
        move_to(&mut vet, &address).await;
        desk.until("the vet's edit is here", |desk| {
            Client::read(desk.document(OWNER)).0.address == address
        })
        .await;
    }
    // Pages of another node are built once and handed out live, as own ones are: nobody read the feed for himself.
    let head = desk.number(Feed::Staff);
    for device in [&mut desk, &mut vet] {
        device
            .until("the cursor is at the head", |device| {
                device.number(Feed::Staff) == head
            })
            .await;
        assert!(device.pages.iter().all(|page| page.number == 0));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn order_holds_while_both_nodes_are_written_to_at_once() {
    let (one, two, mut reader, mut vet) = two_nodes().await;
    let load = Load::new();
    let mut writers = Vec::new();
    for (node, person) in [(&one, "desk"), (&two, "desk"), (&one, "admin"), (&two, "admin")] {
        let mut device = one.device(person).await;
        device.server = node.address;
        device.connect().await;
        writers.push(tokio::spawn(keep_writing(
            device,
            vec![node.address],
            Arc::clone(&load),
        )));
    }
    load.goes_on_for(200).await;
    load.stop();
    let mut written = Vec::new();
    for writer in writers {
        written.extend(writer.await.expect("it wrote").1);
    }
    // That cursors never go back and that nothing builds on what has not come is asserted by every device.
    let head = one.storage.head(one.clinic).await.expect("reads");
    for device in [&mut reader, &mut vet] {
        device
            .until("everything is here", |device| {
                written
                    .iter()
                    .all(|client| device.documents.contains_key(&DocumentId::from(*client)))
            })
            .await;
        device
            .until("the cursor is at the head", |device| {
                device.number(Feed::Staff) == head
            })
            .await;
    }
    assert!(written.len() >= 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_whose_listening_connection_breaks_listens_anew_and_catches_up() {
    let (one, _two, mut desk, mut vet) = two_nodes().await;
    let mut sql = sql(&one).await;
    for round in 0..3 {
        let end = format!("select count(pg_terminate_backend(pid)) {LISTENERS}");
        let ended: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(end.as_str()))
            .fetch_one(&mut sql)
            .await
            .expect("terminated");
        assert_eq!(ended, 2);
        // Written while nobody listens, or a moment later.
        rename(&mut desk, &format!("Rex {round}")).await;
        hears_name(&mut vet, &format!("Rex {round}")).await;
        listening(&one, 2).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_nobody_was_told_of_costs_a_delay_only() {
    let (one, two, mut desk, mut vet) = two_nodes_that_compare_every(Duration::from_millis(100)).await;
    // A commit on node two's own storage, past its accept: its listener takes it for its own and keeps silent.
    let tx = two.storage.begin_accept(two.clinic).await.expect("begun");
    let head = tx.head() + 1;
    let mut writes = AcceptWrites::new(head, one.settings.clock.now());
    writes.feed.push(FeedRow {
        feed: Feed::Staff,
        number: head,
        document: REX.into(),
        what: FeedChange::Snapshot,
        size: 100,
    });
    tx.commit(Arc::new(writes)).await.expect("committed");
    for device in [&mut desk, &mut vet] {
        device
            .until("the commit is here", |device| device.number(Feed::Staff) == head)
            .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_is_killed_under_load_costs_reconnects_only() {
    let one = Practice::with_records(Engine::Postgres).await;
    let Database::Postgres(url) = &one.database else {
        panic!("nodes share a Postgres database")
    };
    let two = Process::on_database(url);
    listening(&one, 2).await;
    let nodes = vec![one.address, two.address];
    let load = Load::new();
    let mut writers = Vec::new();
    for (node, person) in [
        (one.address, "desk"),
        (two.address, "vet"),
        (two.address, "desk"),
        (two.address, "admin"),
    ] {
        let mut device = one.device(person).await;
        device.server = node;
        device.connect().await;
        writers.push(tokio::spawn(keep_writing(
            device,
            nodes.clone(),
            Arc::clone(&load),
        )));
    }
    let mut reader = one.device("tech").await;
    reader.connect().await;
    load.goes_on_for(60).await;
    two.kill();
    load.goes_on_for(60).await;
    load.stop();
    let mut acknowledged: Vec<ClientId> = Vec::new();
    for writer in writers {
        let (device, done) = writer.await.expect("it wrote");
        assert!(device.refused.is_empty(), "{:?}", device.refused);
        assert_eq!(device.server, one.address, "everybody is at the node that lives");
        acknowledged.extend(done);
    }
    // Who was connected all the time missed nothing, and the database has it too.
    let mut fresh = one.device("desk").await;
    fresh.connect().await;
    for device in [&mut reader, &mut fresh] {
        device
            .until("everything acknowledged is here", |device| {
                acknowledged
                    .iter()
                    .all(|client| device.documents.contains_key(&DocumentId::from(*client)))
            })
            .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_on_one_database_miss_nothing_of_each_other() {
    let (_one, mut two, mut desk, mut vet) = two_nodes().await;
    desk.offline();
    for round in 0..5 {
        move_to(&mut vet, &format!("House {round}")).await;
    }
    let client = fresh_id(ClientId);
    vet.run(register_client(client, "While the desk was away"));
    vet.settled().await;
    desk.connect().await;
    assert_eq!(desk.document(OWNER).heads(), vet.document(OWNER).heads());
    assert!(desk.documents.contains_key(&DocumentId::from(client)));
    two.stop().await;
    // The other node goes on.
    rename(&mut desk, "Rex the Last").await;
}
