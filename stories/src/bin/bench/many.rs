//! Many devices on one server: what each costs while nothing happens, and how soon all have what one wrote.

use crate::line::Line;
use crate::server::Server;
use crate::{Row, percentile, row};
use local_core::query::{Connection, Listed};
use local_core::{Query, View};
use shared_model::commands::EditClient;
use shared_model::documents::Kind;
use shared_model::ids::ClientId;
use shared_model::protocol::{ClientMessage, Cursor, ServerMessage};
use std::path::Path;
use std::time::{Duration, Instant};
use stories::{Device, SignedIn};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

const PERSON: &str = "ana.moreno@northgate.example";
const IDLE: usize = 10_000;
const READERS: usize = 500;
/// Not counted, as everything is warm in a clinic's morning.
const WARM_UP: usize = 10;
const EDITS: usize = 200;

async fn signed_in(server: &Server) -> SignedIn {
    stories::sign_in(server.address, PERSON, demonstration::DEMO_PASSWORD).await
}

async fn any_client(device: &mut Device) -> ClientId {
    let View::Browse(clients) = device
        .look(Query::Browse {
            kind: Kind::Client,
            text: String::new(),
            limit: 1,
        })
        .await
    else {
        panic!("no clients")
    };
    match clients.rows.first() {
        Some(Listed::Client { id, .. }) => *id,
        other => panic!("no client: {other:?}"),
    }
}

/// Resident memory with 100 whole devices attached.
pub(crate) async fn memory(binary: &Path) -> Vec<Row> {
    let server = Server::start(binary, 2_000);
    let session = signed_in(&server).await;
    let mut devices = Vec::new();
    for _ in 0..100 {
        let mut device = Device::fresh(server.address);
        device.sign_in_with(&session).await;
        while device.step(Duration::from_millis(50)).await {}
        devices.push(device);
    }
    all_online(&mut devices).await;
    let before = server.resident();
    // An edit that goes to all of them.
    let client = any_client(&mut devices[0]).await;
    devices[0]
        .must(EditClient {
            address: Some("Lipová 4".to_owned()),
            ..EditClient::of(client)
        })
        .await;
    all_online(&mut devices).await;
    vec![row(
        "server_rss_100_devices_mb",
        before.max(server.resident()),
        "MB",
        Some("≤ 150"),
    )]
}

/// While one of many had its turn, the server may have taken others for gone: they come back now.
async fn all_online(devices: &mut [Device]) {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let mut online = 0;
        for device in devices.iter_mut() {
            while device.step(Duration::from_millis(5)).await {}
            online += usize::from(device.status().await.connection == Connection::Online);
        }
        if online == devices.len() {
            return;
        }
        assert!(Instant::now() < deadline, "only {online} devices are online");
    }
}

/// Sessions of one signed-in person, up to date, so that none has anything to fetch.
async fn attached(server: &Server, session: &SignedIn, count: usize) -> Vec<Line> {
    let cursors = up_to_date(server, session).await;
    let mut lines = Vec::with_capacity(count);
    for number in 0..count {
        let line = Line::open(
            server.address,
            &session.credentials.access_token,
            session.device,
            b"an idle actor",
            cursors.clone(),
        );
        lines.push(line.await);
        if number % 2_000 == 1_999 {
            eprintln!("  {} connected", number + 1);
        }
    }
    lines
}

async fn up_to_date(server: &Server, session: &SignedIn) -> Vec<Cursor> {
    let mut line = Line::open(
        server.address,
        &session.credentials.access_token,
        session.device,
        b"an idle actor",
        Vec::new(),
    )
    .await;
    line.drain().await
}

/// Memory per connection that is open and has nothing to do.
pub(crate) async fn idle(binary: &Path) -> Vec<Row> {
    let server = Server::start(binary, 100);
    let session = signed_in(&server).await;
    // What the first session costs belongs to the clinic, not to the connection.
    let first = attached(&server, &session, 1).await;
    let before = server.resident();
    let lines = attached(&server, &session, IDLE).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let each = (server.resident() - before) * 1_000.0 / IDLE as f64;
    drop((first, lines));
    vec![
        row("idle_connection_kilobytes", each, "kB", Some("≤ 20")),
        row("idle_connections", IDLE as f64, "", Some("≥ 10000")),
    ]
}

/// From the moment at which an edit is durable on its writer's device until each of 500 others has its page.
pub(crate) async fn fan_out(binary: &Path) -> Vec<Row> {
    let server = Server::start(binary, 100);
    let session = signed_in(&server).await;
    let mut writer = Device::fresh(server.address);
    writer.sign_in_with(&signed_in(&server).await).await;
    while writer.step(Duration::from_millis(500)).await {}
    let client = any_client(&mut writer).await;
    let lines = attached(&server, &session, READERS).await;
    let (heard, mut hearing) = mpsc::unbounded_channel();
    // They end before the server does, so that none misses it.
    let mut readers = JoinSet::new();
    for mut line in lines {
        let heard = heard.clone();
        readers.spawn(async move {
            loop {
                match line.hear().await {
                    ServerMessage::Page(page) => {
                        if page.number > 0 {
                            line.say(&ClientMessage::PageStored(page.number)).await;
                        } else if heard.send(Instant::now()).is_err() {
                            return;
                        }
                    }
                    ServerMessage::Goodbye(why) => panic!("{why}"),
                    _ => {}
                }
            }
        });
    }
    let mut times = Vec::new();
    for turn in 0..WARM_UP + EDITS {
        let started = Instant::now();
        writer
            .must(EditClient {
                address: Some(format!("Lipová {turn}")),
                ..EditClient::of(client)
            })
            .await;
        for _ in 0..READERS {
            let at = tokio::time::timeout(Duration::from_secs(10), hearing.recv())
                .await
                .expect("all hear of it")
                .expect("all listen");
            if turn >= WARM_UP {
                times.push(at.duration_since(started).as_secs_f64() * 1_000.0);
            }
        }
        while writer.step(Duration::from_millis(20)).await {}
    }
    readers.shutdown().await;
    vec![
        row("fan_out_500_p50_ms", percentile(&mut times, 50.0), "ms", None),
        row(
            "fan_out_500_p99_ms",
            percentile(&mut times, 99.0),
            "ms",
            Some("≤ 50"),
        ),
    ]
}
