//! The figures that need no browser: first sync, live edits, search, and the server's memory. Prints rows as JSON on
//! standard output and what it does on standard error; `cargo xtask bench` puts the goals beside them.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a measurement that cannot be made ends with its reason"
)]
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "printing is what it is for"
)]

use futures_util::{SinkExt, StreamExt};
use local_core::{Event, Query, View};
use minicbor::bytes::ByteVec;
use serde::Serialize;
use shared_model::commands::EditClient;
use shared_model::documents::{Document, Kind};
use shared_model::ids::ClientId;
use shared_model::permissions::Role;
use shared_model::protocol::{
    self, ClientMessage, Hello, PROTOCOL_VERSION, PUSH_WINDOW, Push, PushItem, ServerMessage,
};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use stories::{Clinic, Device};
use tokio_tungstenite::tungstenite::Message;

#[derive(Serialize)]
struct Row {
    name: &'static str,
    value: f64,
    unit: &'static str,
    goal: Option<&'static str>,
}

fn row(name: &'static str, value: f64, unit: &'static str, goal: Option<&'static str>) -> Row {
    Row {
        name,
        value,
        unit,
        goal,
    }
}

fn main() {
    let which = std::env::args().nth(1).unwrap_or_default();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("threads");
    let rows = runtime.block_on(async {
        match which.as_str() {
            "sync" => sync().await,
            // With the address of an empty Postgres database the server keeps its data there.
            "live" => live(std::env::args().nth(2).as_deref()).await,
            "search" => search().await,
            "memory" => memory(std::env::args().nth(2).expect("the server's binary")).await,
            other => panic!("no figures are called {other:?}: sync, live, search, memory"),
        }
    });
    println!("{}", serde_json::to_string(&rows).expect("rows are JSON"));
}

/// One writer's changes, as its device would push them.
async fn push(clinic: &Clinic, email: &str, documents: &[Document]) -> Duration {
    let actor = documents[0]
        .changes_since(&Document::genesis(documents[0].kind, documents[0].clinic, documents[0].id).heads())
        [0]
    .actor_id()
    .to_bytes()
    .to_vec();
    let session = stories::sign_in(clinic.address, email, demonstration::DEMO_PASSWORD).await;
    let (mut socket, _) = tokio_tungstenite::connect_async(format!("ws://{}/api/v1/sync", clinic.address))
        .await
        .expect("connects");
    let hello = Hello {
        protocol: PROTOCOL_VERSION,
        schema_version: shared_model::SCHEMA_VERSION,
        token: session.credentials.access_token,
        device: session.device,
        actor: ByteVec::from(actor),
        cursors: Vec::new(),
    };
    let send = |message: &ClientMessage| Message::Binary(protocol::encode(message).into());
    socket
        .send(send(&ClientMessage::Hello(hello)))
        .await
        .expect("hello");
    let mut pushes: Vec<Vec<PushItem>> = vec![Vec::new()];
    let (mut count, mut bytes) = (0, 0);
    for document in documents {
        let genesis = Document::genesis(document.kind, document.clinic, document.id);
        let changes: Vec<ByteVec> = document
            .changes_since(&genesis.heads())
            .iter()
            .map(|change| change.raw_bytes().to_vec().into())
            .collect();
        let size: usize = changes.iter().map(|change| change.len() + 8).sum();
        if count + changes.len() > protocol::MAX_PUSH_CHANGES || bytes + size > protocol::MAX_FRAME / 2 {
            pushes.push(Vec::new());
            (count, bytes) = (0, 0);
        }
        count += changes.len();
        bytes += size;
        let item = PushItem {
            kind: document.kind,
            document: document.id,
            schema_version: shared_model::SCHEMA_VERSION,
            changes,
        };
        pushes.last_mut().expect("one at least").push(item);
    }
    let started = Instant::now();
    let (mut sent, mut answered) = (0, 0);
    let total = pushes.len();
    let mut pushes = pushes.into_iter().enumerate();
    let mut welcome = false;
    while answered < total {
        while welcome && sent - answered < PUSH_WINDOW && sent < total {
            let (number, items) = pushes.next().expect("not all are sent");
            socket
                .send(send(&ClientMessage::Push(Push {
                    number: number as u64,
                    items,
                })))
                .await
                .expect("a push");
            sent += 1;
        }
        let frame = socket
            .next()
            .await
            .expect("the session goes on")
            .expect("a frame");
        let Message::Binary(frame) = frame else { continue };
        match protocol::decode::<ServerMessage>(&frame).expect("a message") {
            ServerMessage::Welcome(_) => welcome = true,
            ServerMessage::Page(page) if page.number > 0 => {
                socket
                    .send(send(&ClientMessage::PageStored(page.number)))
                    .await
                    .expect("an acknowledgement");
            }
            ServerMessage::Accepted(accepted) => {
                assert!(accepted.refused.is_empty(), "{:?}", accepted.refused[0]);
                answered += 1;
            }
            ServerMessage::Goodbye(why) => panic!("{why}"),
            _ => {}
        }
    }
    started.elapsed()
}

/// A clinic with exactly so many documents and changes, and somebody who reads them all.
async fn filled(documents: usize, changes: usize, database: Option<&str>) -> (Clinic, f64) {
    let made = demonstration::bench_documents(1, documents, changes, stories::now());
    let people: [(&str, &[Role]); 1] = [("Bench", &[Role::Veterinarian, Role::ClinicAdministrator])];
    let clinic = Clinic::empty_in(made[0].clinic, &people, database).await;
    let took = push(&clinic, clinic.email_of("Bench"), &made).await;
    (clinic, changes as f64 / took.as_secs_f64())
}

async fn sync() -> Vec<Row> {
    let mut rows = Vec::new();
    for (documents, changes, name, goal) in [
        (2_500, 25_000, "first_sync_2500_docs_per_s", None),
        (10_000, 100_000, "first_sync_docs_per_s", Some("≥ 10000")),
        (20_000, 200_000, "first_sync_20000_docs_per_s", None),
    ] {
        eprintln!("filling a server with {documents} documents and {changes} changes");
        let (clinic, accepted) = filled(documents, changes, None).await;
        let mut speeds = Vec::new();
        for _ in 0..3 {
            let mut device = Device::fresh(clinic.address);
            let started = Instant::now();
            device
                .sign_in(clinic.email_of("Bench"), demonstration::DEMO_PASSWORD)
                .await;
            let signed_in = started.elapsed();
            clinic.settle(&mut [&mut device]).await;
            let took = started.elapsed() - signed_in;
            speeds.push(documents as f64 / took.as_secs_f64());
            eprintln!(
                "  {:.2} s, {} frames, {:.1} MB",
                took.as_secs_f64(),
                device.received.0,
                device.received.1 as f64 / 1e6
            );
        }
        speeds.sort_by(f64::total_cmp);
        rows.push(row(name, speeds[1], "docs/s", goal));
        if documents == 10_000 {
            rows.push(row("accepted_changes_per_s", accepted, "1/s", None));
        }
    }
    rows
}

fn percentile(sorted: &[f64], percent: f64) -> f64 {
    sorted[((sorted.len() - 1) as f64 * percent / 100.0).round() as usize]
}

async fn live(database: Option<&str>) -> Vec<Row> {
    let (clinic, _) = filled(2_000, 10_000, database).await;
    let mut desk = Device::fresh(clinic.address);
    let mut vet = Device::fresh(clinic.address);
    for device in [&mut desk, &mut vet] {
        device
            .sign_in(clinic.email_of("Bench"), demonstration::DEMO_PASSWORD)
            .await;
    }
    clinic.settle(&mut [&mut desk, &mut vet]).await;
    let View::Browse(clients) = desk
        .look(Query::Browse {
            kind: Kind::Client,
            text: String::new(),
            limit: 200,
        })
        .await
    else {
        panic!("no clients")
    };
    let clients: Vec<ClientId> = clients
        .rows
        .iter()
        .filter_map(|row| match row {
            local_core::query::Listed::Client { id, .. } => Some(*id),
            local_core::query::Listed::Patient { .. } => None,
        })
        .collect();
    let mut times = Vec::new();
    for turn in 0..1_200 {
        let client = clients[turn % clients.len()];
        let address = format!("Lipová {turn}");
        vet.handle(Event::Watch {
            watch: 1,
            query: Query::Client(client),
        })
        .await;
        let started = Instant::now();
        desk.must(EditClient {
            address: Some(address.clone()),
            ..EditClient::of(client)
        })
        .await;
        loop {
            vet.step(Duration::from_secs(5)).await;
            if matches!(vet.shown(1), Some(View::Client(view)) if view.client.address == address) {
                break;
            }
        }
        times.push(started.elapsed().as_secs_f64() * 1_000.0);
        vet.handle(Event::Unwatch { watch: 1 }).await;
        // The desk hears of its own change before the next one, as a person's screen does.
        clinic.settle(&mut [&mut desk, &mut vet]).await;
    }
    let mut times = times.split_off(200);
    times.sort_by(f64::total_cmp);
    let (p50, p99) = match database {
        None => ("live_edit_p50_ms", "live_edit_p99_ms"),
        Some(_) => ("live_edit_postgres_p50_ms", "live_edit_postgres_p99_ms"),
    };
    vec![
        row(p50, percentile(&times, 50.0), "ms", Some("≤ 3")),
        row(p99, percentile(&times, 99.0), "ms", Some("≤ 15")),
    ]
}

async fn search() -> Vec<Row> {
    eprintln!("generating 50,000 patients");
    let demo = demonstration::clinic_with(demonstration::Options {
        seed: 1,
        patients: 50_000,
        years: 0,
        now: stories::now(),
    });
    let clinic = Clinic::of(demo).await;
    let mut device = clinic.device("Ana Moreno").await;
    let mut times = Vec::new();
    for typed in [
        "r", "re", "rex", "n", "no", "novak", "rex nov", "m", "mi", "mimi", "s", "sa", "sarka", "6015",
        "601555", "luk", "203164", "zz", "a b", "ma no", "n m", "border",
    ] {
        for _ in 0..25 {
            let started = Instant::now();
            device.look(Query::Search(typed.to_owned())).await;
            times.push(started.elapsed().as_secs_f64() * 1_000.0);
        }
        eprintln!("  {typed:?}: {:.2} ms", times.last().expect("measured"));
    }
    times.sort_by(f64::total_cmp);
    vec![row(
        "native_search_p99_ms",
        percentile(&times, 99.0),
        "ms",
        Some("≤ 50"),
    )]
}

/// Resident memory of a server process of its own with 100 devices attached.
async fn memory(server: String) -> Vec<Row> {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let run = |arguments: &[&str]| {
        let mut command = Command::new(&server);
        command
            .args(arguments)
            .arg("--data")
            .arg(&data)
            .env_remove("DATABASE_URL");
        command
    };
    assert!(
        run(&["admin", "demo", "--patients", "2000"])
            .stdout(std::process::Stdio::null())
            .status()
            .expect("runs")
            .success()
    );
    let address = std::net::TcpListener::bind("127.0.0.1:0")
        .and_then(|l| l.local_addr())
        .expect("a free port");
    let mut child = run(&["serve", "--listen", &address.to_string()])
        .stdout(std::process::Stdio::null())
        .spawn()
        .expect("serves");
    let session = loop {
        if tokio::net::TcpStream::connect(address).await.is_ok() {
            break stories::sign_in(
                address,
                "ana.moreno@northgate.example",
                demonstration::DEMO_PASSWORD,
            )
            .await;
        }
    };
    let mut devices = Vec::new();
    for _ in 0..100 {
        let mut device = Device::fresh(address);
        device.sign_in_with(session.credentials.clone()).await;
        while device.step(Duration::from_millis(50)).await {}
        devices.push(device);
    }
    let before = resident(child.id());
    // An edit that goes to all of them.
    let View::Browse(clients) = devices[0]
        .look(Query::Browse {
            kind: Kind::Client,
            text: String::new(),
            limit: 1,
        })
        .await
    else {
        panic!("no clients")
    };
    if let Some(local_core::query::Listed::Client { id, .. }) = clients.rows.first() {
        devices[0]
            .must(EditClient {
                address: Some("Lipová 4".to_owned()),
                ..EditClient::of(*id)
            })
            .await;
    }
    for device in &mut devices {
        while device.step(Duration::from_millis(20)).await {}
    }
    let value = before.max(resident(child.id()));
    child.kill().expect("it ran until now");
    child.wait().expect("it ends");
    vec![row("server_rss_100_devices_mb", value, "MB", Some("≤ 150"))]
}

fn resident(process: u32) -> f64 {
    let status = std::fs::read_to_string(Path::new("/proc").join(process.to_string()).join("status"))
        .expect("it runs");
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .expect("Linux tells");
    let kilobytes: f64 = line
        .split_whitespace()
        .nth(1)
        .expect("a number")
        .parse()
        .expect("a number");
    kilobytes / 1_000.0
}
