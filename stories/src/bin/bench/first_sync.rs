//! How fast a new device has everything, and how fast the server took it in.

use crate::line::push;
use crate::{Row, percentile, row};
use shared_model::documents::Document;
use shared_model::permissions::Role;
use std::time::{Duration, Instant};
use stories::{Clinic, Device};

/// A clinic with exactly these documents, and somebody called Bench who reads them all.
pub(crate) async fn filled(made: &[Document], database: Option<&str>) -> (Clinic, Duration) {
    let people: [(&str, &[Role]); 1] = [("Bench", &[Role::Veterinarian, Role::ClinicAdministrator])];
    let clinic = Clinic::empty_in(made[0].clinic, &people, database).await;
    let took = push(&clinic, clinic.email_of("Bench"), made).await;
    (clinic, took)
}

pub(crate) async fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for (documents, name, goal) in [
        (2_500, "first_sync_2500_docs_per_s", None),
        (10_000, "first_sync_docs_per_s", Some("≥ 10000")),
        (20_000, "first_sync_20000_docs_per_s", None),
        (50_000, "first_sync_50000_docs_per_s", Some("≥ 10000")),
    ] {
        eprintln!(
            "filling a server with {documents} documents and {} changes",
            documents * 10
        );
        let made = demonstration::bench_documents(1, documents, documents * 10, stories::now());
        let (clinic, _) = filled(&made, None).await;
        drop(made);
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
        rows.push(row(name, percentile(&mut speeds, 50.0), "docs/s", goal));
    }
    rows
}
