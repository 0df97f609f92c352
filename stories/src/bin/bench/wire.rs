//! Bytes on the wire: against the size of the changes, and of a reconnect that brings nothing.

use crate::first_sync::filled;
use crate::line::changes_of;
use crate::{Row, row};
use local_core::query::{Connection, Listed};
use local_core::{Query, View};
use shared_model::commands::{StartVisit, WriteInSection};
use shared_model::documents::{Document, Kind, Section};
use shared_model::ids::{AccountId, PatientId, VisitId};
use std::time::Duration;
use stories::{Clinic, Device};

const NOTE: &str = "Presented for two days of vomiting and reduced appetite. Bright and alert, mucous membranes pink \
    and moist, refill under two seconds. Abdomen soft, mild discomfort on deep palpation of the cranial part, no mass \
    felt. Heart and lungs clear. Advised a bland diet, small portions, and to come back if it goes on until Friday.";

pub(crate) async fn rows() -> Vec<Row> {
    let mut rows = reconnect().await;
    rows.extend(typing().await);
    rows
}

/// A device with 20,000 documents comes back and is up to date.
async fn reconnect() -> Vec<Row> {
    let made = demonstration::bench_documents(1, 20_000, 20_000, stories::now());
    let (clinic, _) = filled(&made, None).await;
    let mut device = Device::fresh(clinic.address);
    device
        .sign_in(clinic.email_of("Bench"), demonstration::DEMO_PASSWORD)
        .await;
    clinic.settle(&mut [&mut device]).await;
    device.offline().await;
    device.received = (0, 0);
    device.sent = (0, 0);
    device.online().await;
    clinic.settle(&mut [&mut device]).await;
    assert_eq!(device.status().await.connection, Connection::Online);
    // What follows the greeting would come within this time.
    while device.step(Duration::from_millis(500)).await {}
    vec![
        row(
            "reconnect_20000_bytes",
            (device.received.1 + device.sent.1) as f64,
            "bytes",
            Some("≤ 2000"),
        ),
        row(
            "reconnect_20000_round_trips",
            device.sent.0 as f64,
            "",
            Some("≤ 1"),
        ),
    ]
}

/// A visit's note is typed, word by word as the editor hands it on, online; then the same offline and sent at once.
async fn typing() -> Vec<Row> {
    let clinic = Clinic::with_patients(20).await;
    let [mut desk, mut vet] = clinic.two_devices().await;
    let mut rows = Vec::new();
    for offline in [false, true] {
        let visit = open_visit(&mut vet).await;
        clinic.settle(&mut [&mut desk, &mut vet]).await;
        if offline {
            vet.offline().await;
        }
        (vet.sent, desk.received) = ((0, 0), (0, 0));
        let from = changes(&vet, visit);
        for word in NOTE.split_inclusive(' ') {
            type_in(&mut vet, visit, word).await;
            if !offline {
                clinic.settle(&mut [&mut desk, &mut vet]).await;
            }
        }
        if offline {
            vet.online().await;
            clinic.settle(&mut [&mut desk, &mut vet]).await;
        }
        let plain = changes(&vet, visit) - from;
        let name = if offline { "batch" } else { "live" };
        let ratio = |bytes: u64| bytes as f64 / plain as f64;
        rows.push(row(
            format!("wire_{name}_up_ratio"),
            ratio(vet.sent.1),
            "",
            Some("≤ 1.2"),
        ));
        rows.push(row(
            format!("wire_{name}_down_ratio"),
            ratio(desk.received.1),
            "",
            Some("≤ 1.2"),
        ));
    }
    rows
}

/// A visit that has just been started.
async fn open_visit(vet: &mut Device) -> VisitId {
    let View::Browse(patients) = vet
        .look(Query::Browse {
            kind: Kind::Patient,
            text: String::new(),
            limit: 1,
        })
        .await
    else {
        panic!("no patients")
    };
    let Some(Listed::Patient { pet, .. }) = patients.rows.first() else {
        panic!("no patient")
    };
    let patient: PatientId = pet.id;
    let vet_account: AccountId = vet.core.principal().expect("signed in").account;
    let visit = VisitId(vet.fresh_id());
    vet.must(StartVisit {
        visit,
        appointment: None,
        patient,
        vet: vet_account,
        reason: "Vomiting".to_owned(),
    })
    .await;
    visit
}

fn document(device: &Device, visit: VisitId) -> Document {
    let clinic = device.core.principal().expect("signed in").clinic;
    let stored = device
        .core
        .store()
        .document(visit.into())
        .expect("the store can be read")
        .expect("the visit is here");
    Document::load(stored.kind, clinic, visit.into(), &stored.bytes).expect("it is sound")
}

/// What all the changes of a visit take by themselves.
fn changes(device: &Device, visit: VisitId) -> u64 {
    changes_of(&document(device, visit))
        .iter()
        .map(|change| change.len() as u64)
        .sum()
}

/// Some letters at the end of the history.
async fn type_in(vet: &mut Device, visit: VisitId, letters: &str) {
    let document = document(vet, visit);
    vet.must(WriteInSection {
        visit,
        section: Section::History,
        seen: document.heads().iter().map(|hash| hash.0).collect(),
        at: document.text(Section::History.word()).chars().count(),
        delete: 0,
        insert: letters.to_owned(),
    })
    .await;
}
