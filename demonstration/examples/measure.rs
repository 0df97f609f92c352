//! How long a demonstration takes to generate and to play:
//! `cargo run --release --package demonstration --example measure -- 2000 5`.
#![expect(clippy::print_stdout, reason = "it prints its figures")]

use demonstration::{Options, bench_documents, clinic_with, documents};
use shared_model::documents::{Document, Kind};
use shared_model::time::Timestamp;
use std::time::Instant;

/// Monday 2026-11-23, 10:25 in Prague.
const NOW: Timestamp = Timestamp(1_795_425_900_000);

fn main() {
    let mut arguments = std::env::args()
        .skip(1)
        .map(|text| text.parse().expect("a number"));
    let patients = arguments.next().unwrap_or(2_000);
    let years = arguments.next().unwrap_or(5);
    let years = u16::try_from(years).expect("a number of years");

    let begin = Instant::now();
    let clinic = clinic_with(Options {
        seed: 1,
        patients,
        years,
        now: NOW,
    });
    println!(
        "{patients} patients, {years} years: {} deeds in {:.2?}",
        clinic.deeds.len(),
        begin.elapsed()
    );

    let begin = Instant::now();
    let played = documents(&clinic);
    println!("played in {:.2?}", begin.elapsed());
    for kind in Kind::ALL {
        let of_kind: Vec<&Document> = played
            .iter()
            .filter(|((k, _), _)| *k == kind)
            .map(|(_, document)| document)
            .collect();
        report(kind.word(), &of_kind);
    }
    report("together", &played.values().collect::<Vec<_>>());

    let begin = Instant::now();
    let bench = bench_documents(1, 10_000, 100_000, NOW);
    println!(
        "bench of 10,000 documents and 100,000 changes in {:.2?}",
        begin.elapsed()
    );
    report("bench", &bench.iter().collect::<Vec<_>>());
}

fn report(what: &str, documents: &[&Document]) {
    let changes: u64 = documents.iter().map(|document| document.change_count() - 1).sum();
    let bytes: usize = documents.iter().map(|document| document.save().len()).sum();
    println!(
        "  {what}: {} documents, {changes} changes, {} kB saved",
        documents.len(),
        bytes / 1000
    );
}
