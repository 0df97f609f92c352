//! From an edit on one device to the screen query of another, over loopback, and where the time goes.

use crate::first_sync::filled;
use crate::{Row, percentile, row};
use local_core::query::Listed;
use local_core::{Event, Query, View};
use shared_model::commands::EditClient;
use shared_model::documents::Kind;
use shared_model::ids::ClientId;
use std::time::{Duration, Instant};
use stories::{Clinic, Device};

/// Edits that are not counted, as everything is warm in a clinic's morning.
pub(crate) const WARM_UP: usize = 200;
pub(crate) const EDITS: usize = 1_000;

pub(crate) async fn rows(database: Option<&str>) -> Vec<Row> {
    let made = demonstration::bench_documents(1, 2_000, 10_000, stories::now());
    let (clinic, _) = filled(&made, database).await;
    let mut desk = Device::fresh(clinic.address);
    let mut vet = Device::fresh(clinic.address);
    for device in [&mut desk, &mut vet] {
        device
            .sign_in(clinic.email_of("Bench"), demonstration::DEMO_PASSWORD)
            .await;
    }
    clinic.settle(&mut [&mut desk, &mut vet]).await;
    let clients = clients(&mut desk).await;
    let mut whole = Vec::new();
    // Until the edit is durable and sent; until its page has come; until the other screen shows it.
    let mut parts: [Vec<f64>; 3] = Default::default();
    for turn in 0..WARM_UP + EDITS {
        let times = edit(&clinic, &mut desk, &mut vet, clients[turn % clients.len()], turn).await;
        if turn >= WARM_UP {
            whole.push(times.iter().sum());
            for (part, time) in parts.iter_mut().zip(times) {
                part.push(time);
            }
        }
    }
    let of = match database {
        None => "",
        Some(_) => "postgres_",
    };
    let mut rows = vec![
        row(
            format!("live_edit_{of}p50_ms"),
            percentile(&mut whole, 50.0),
            "ms",
            Some("≤ 3"),
        ),
        row(
            format!("live_edit_{of}p99_ms"),
            percentile(&mut whole, 99.0),
            "ms",
            Some("≤ 15"),
        ),
    ];
    for (part, name) in parts.iter_mut().zip(["writer", "server", "reader"]) {
        rows.push(row(
            format!("live_edit_{of}{name}_p50_ms"),
            percentile(part, 50.0),
            "ms",
            None,
        ));
    }
    rows
}

pub(crate) async fn clients(device: &mut Device) -> Vec<ClientId> {
    let View::Browse(clients) = device
        .look(Query::Browse {
            kind: Kind::Client,
            text: String::new(),
            limit: 200,
        })
        .await
    else {
        panic!("no clients")
    };
    clients
        .rows
        .iter()
        .filter_map(|row| match row {
            Listed::Client { id, .. } => Some(*id),
            Listed::Patient { .. } => None,
        })
        .collect()
}

/// One edit, in milliseconds: on the writer's device, on the way, on the reader's device.
pub(crate) async fn edit(
    clinic: &Clinic,
    desk: &mut Device,
    vet: &mut Device,
    client: ClientId,
    turn: usize,
) -> [f64; 3] {
    let address = format!("Lipová {turn}");
    // Both have the client's page open.
    for device in [&mut *desk, &mut *vet] {
        device
            .handle(Event::Watch {
                watch: 1,
                query: Query::Client(client),
            })
            .await;
    }
    let started = Instant::now();
    desk.must(EditClient {
        address: Some(address.clone()),
        ..EditClient::of(client)
    })
    .await;
    let sent = started.elapsed();
    loop {
        vet.step(Duration::from_secs(5)).await;
        if matches!(vet.shown(1), Some(View::Client(view)) if view.client.address == address) {
            break;
        }
    }
    let shown = started.elapsed();
    // The page may have come while the writer's part still ran.
    let arrived = vet
        .arrived
        .expect("a page came")
        .duration_since(started)
        .max(sent);
    for device in [&mut *desk, &mut *vet] {
        device.handle(Event::Unwatch { watch: 1 }).await;
    }
    // The desk hears of its own change before the next one, as a person's screen does.
    clinic.settle(&mut [desk, vet]).await;
    [sent, arrived - sent, shown - arrived].map(|part| part.as_secs_f64() * 1_000.0)
}
