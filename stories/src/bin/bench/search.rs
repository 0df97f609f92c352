//! Search on a device with a large clinic's patients.

use crate::{Row, percentile, row};
use local_core::Query;
use std::time::Instant;
use stories::Clinic;

pub(crate) async fn rows() -> Vec<Row> {
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
    vec![row(
        "native_search_p99_ms",
        percentile(&mut times, 99.0),
        "ms",
        Some("≤ 50"),
    )]
}
