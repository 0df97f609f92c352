//! What the server acknowledged survives its death and its database's.

use crate::database::{Database, Engine, fresh_database, master_keys};
use crate::device::Device;
use crate::http::{get, post};
use crate::load::{Load, keep_writing};
use crate::practice::{Practice, REX, fresh_id, register_client};
use crate::process::{Process, with_demonstration};
use serde_json::json;
use shared_model::commands::EditPatient;
use shared_model::documents::Patient;
use shared_model::ids::{ClientId, DeviceId, DocumentId};
use shared_model::protocol::Goodbye;
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use sync_server::storage::postgres::PostgresStorage;
use throw_away_postgres::Cluster;

#[test]
fn a_server_whose_log_nobody_reads_any_more_still_stops_when_told_to() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut server = Process::start_logging(&folder.path().join("data"), Stdio::piped());
    drop(server.child.stderr.take());
    let told = Command::new("kill")
        .args(["-TERM", &server.child.id().to_string()])
        .status()
        .expect("kill runs");
    assert!(told.success());
    let deadline = Instant::now() + Duration::from_secs(20);
    let ended = loop {
        if let Some(ended) = server.child.try_wait().expect("it is ours") {
            break ended;
        }
        if Instant::now() > deadline {
            server.kill();
            panic!("it goes on");
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    assert!(ended.success(), "{ended}");
}

async fn demonstration_device(address: SocketAddr) -> Device {
    let device = fresh_id(DeviceId);
    let body = json!({
        "email": "jana.dvorak@northgate.example", "password": demonstration::DEMO_PASSWORD, "device": device,
    });
    let answer = post(address, "/api/v1/sign-in", &body).await;
    assert_eq!(answer.status, 200, "{:?}", answer.body);
    Device::new(address, device, &answer.json())
}

#[tokio::test]
async fn a_killed_server_has_everything_that_it_acknowledged() {
    let data = with_demonstration();

    let mut acknowledged: Vec<(DocumentId, Vec<_>)> = Vec::new();
    for _ in 0..3 {
        let server = Process::start(data.path());
        let mut desk = demonstration_device(server.address).await;
        desk.connect().await;
        for (id, heads) in &acknowledged {
            assert_eq!(desk.document(*id).heads(), *heads);
        }
        for round in 0..30 {
            let client = fresh_id(ClientId);
            desk.run(register_client(client, &format!("Client {round}")));
            desk.settled().await;
            acknowledged.push((client.into(), desk.document(client).heads()));
        }
        // One more is on its way when it happens; whether it is in is open.
        desk.run(register_client(fresh_id(ClientId), "Unacknowledged"));
        desk.push().await;
        server.kill();
    }
    let server = Process::start(data.path());
    let mut desk = demonstration_device(server.address).await;
    desk.connect().await;
    for (id, heads) in &acknowledged {
        assert_eq!(desk.document(*id).heads(), *heads);
    }
    server.kill();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_stops_says_so_and_finishes_what_it_took() {
    let mut practice = Practice::with_records(Engine::Sqlite).await;
    let mut desk = practice.device("desk").await;
    desk.connect().await;
    desk.run(EditPatient {
        name: Some("Rexie".to_owned()),
        ..EditPatient::of(REX)
    });
    desk.settled().await;
    let stopping = practice.restart();
    let (goodbye, ()) = tokio::join!(desk.goodbye(), stopping);
    assert_eq!(goodbye, Goodbye::Later);
    desk.connect().await;
    let mut vet = practice.device("vet").await;
    vet.connect().await;
    assert_eq!(Patient::read(vet.document(REX)).0.name, "Rexie");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_dies_under_load_loses_nothing_acknowledged() {
    let cluster = Cluster::start();
    let url = fresh_database(&cluster.url()).await;
    let practice = Practice::open_on(Database::Postgres(url), |_| {}).await;
    practice.enter_records().await;
    let load = Load::new();
    let mut writers = Vec::new();
    for person in ["desk", "vet", "admin"] {
        let mut device = practice.device(person).await;
        device.connect().await;
        writers.push(tokio::spawn(keep_writing(
            device,
            vec![practice.address],
            Arc::clone(&load),
        )));
    }
    load.goes_on_for(30).await;
    let cluster = off_thread(move || {
        cluster.kill();
        cluster
    })
    .await;
    let away = get(practice.address, "/health", &[]).await;
    assert_eq!(away.status, 503);
    let _cluster = off_thread(move || {
        cluster.restart();
        cluster
    })
    .await;

    load.goes_on_for(30).await;
    load.stop();
    let mut acknowledged = Vec::new();
    for writer in writers {
        let (device, done) = writer.await.expect("it wrote");
        assert!(device.refused.is_empty(), "{:?}", device.refused);
        acknowledged.extend(done);
    }
    let health = get(practice.address, "/health", &[]).await;
    assert_eq!(health.status, 200, "it recovers by itself");
    let mut fresh = practice.device("desk").await;
    fresh.connect().await;
    for client in acknowledged {
        assert!(
            fresh.documents.contains_key(&client.into()),
            "{client} was acknowledged"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_behind_tls() {
    let cluster = Cluster::start_with_tls();
    let url = fresh_database(&cluster.url()).await;
    let practice = Practice::open_on(Database::Postgres(url.clone()), |_| {}).await;
    practice.enter_records().await;
    let mut desk = practice.device("desk").await;
    desk.connect().await;
    assert_eq!(Patient::read(desk.document(REX)).0.name, "Rex");

    let open = async |mode: &str| {
        PostgresStorage::connect(&url.replace("sslmode=require", mode), master_keys()).await
    };
    assert!(
        open("sslmode=disable").await.is_err(),
        "the cluster itself insists on it"
    );
    // A certificate that nobody vouches for opens nothing where it is to be checked.
    assert!(open("sslmode=verify-full").await.is_err());
    let trusting = format!(
        "sslmode=verify-full&sslrootcert={}",
        cluster.certificate().display()
    );
    open(&trusting).await.expect("its own certificate is trusted");
}

async fn off_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.expect("done")
}
