//! From an edit on a device at one node to the screen of a device at another, on one Postgres database.

use crate::first_sync::filled;
use crate::live::{EDITS, WARM_UP, clients, edit};
use crate::{Row, percentile, row};
use std::path::PathBuf;
use std::sync::Arc;
use stories::Device;
use sync_server::server::{Settings, serve};
use sync_server::storage::postgres::PostgresStorage;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub(crate) async fn rows(database: &str) -> Vec<Row> {
    let made = demonstration::bench_documents(1, 2_000, 10_000, stories::now());
    let (clinic, _) = filled(&made, Some(database)).await;
    let storage = PostgresStorage::connect(database, stories::master_keys())
        .await
        .expect("the database answers");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let other = listener.local_addr().expect("a bound socket has an address");
    let settings = Settings::new(PathBuf::from("/nowhere"));
    let serving = serve(Arc::new(storage), settings, listener, CancellationToken::new());
    tokio::spawn(async move { serving.await.expect("the other node serves") });

    let mut desk = Device::fresh(clinic.address);
    let mut vet = Device::fresh(other);
    for device in [&mut desk, &mut vet] {
        device
            .sign_in(clinic.email_of("Bench"), demonstration::DEMO_PASSWORD)
            .await;
    }
    clinic.settle(&mut [&mut desk, &mut vet]).await;
    let clients = clients(&mut desk).await;
    let mut whole = Vec::new();
    for turn in 0..WARM_UP + EDITS {
        let times = edit(&clinic, &mut desk, &mut vet, clients[turn % clients.len()], turn).await;
        if turn >= WARM_UP {
            whole.push(times.iter().sum());
        }
    }
    [("p50", 50.0), ("p99", 99.0)]
        .map(|(name, percent)| {
            let value = percentile(&mut whole, percent);
            row(format!("live_edit_across_nodes_{name}_ms"), value, "ms", None)
        })
        .into()
}
