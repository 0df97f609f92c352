//! One tablet, several people: what one of them could not send stands in nobody's way.

use local_core::{Decision, Event, Query, View};
use shared_model::commands::*;
use shared_model::documents::Kind;
use shared_model::ids::PatientId;
use stories::{Clinic, Device};
use sync_server::storage::trail::{Told, TrailQuery};

async fn a_patient(device: &mut Device) -> PatientId {
    let View::Browse(patients) = device
        .look(Query::Browse {
            kind: Kind::Patient,
            text: String::new(),
            limit: 1,
        })
        .await
    else {
        panic!("no patients")
    };
    match &patients.rows[0] {
        local_core::query::Listed::Patient { pet, .. } => pet.id,
        other => panic!("{other:?}"),
    }
}

async fn patient(device: &mut Device, id: PatientId) -> shared_model::documents::Patient {
    match device.look(Query::Patient(id)).await {
        View::Patient(view) => view.patient,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_colleague_carries_what_the_other_could_not_send() {
    let clinic = Clinic::with_patients(12).await;
    let mut tablet = clinic.device("Ana Moreno").await;
    let ana = tablet.core.principal().expect("she is signed in").account;
    let id = a_patient(&mut tablet).await;
    tablet.offline().await;
    let colour = |words: &str| EditPatient {
        colour: Some(words.to_owned()),
        ..EditPatient::of(id)
    };
    tablet.must(colour("black")).await;
    tablet.handle(Event::SignedOut).await;

    tablet.online().await;
    tablet
        .sign_in(clinic.email_of("Jana Dvorak"), demonstration::DEMO_PASSWORD)
        .await;
    let jana = tablet.core.principal().expect("she is signed in").account;
    tablet.must(colour("brown")).await;
    clinic.settle(&mut [&mut tablet]).await;
    let status = tablet.status().await;
    assert_eq!(
        (status.waiting, status.needs_attention, status.others.len()),
        (0, 0, 0)
    );
    let mut elsewhere = clinic.device("Ana Moreno").await;
    assert_eq!(patient(&mut elsewhere, id).await.colour, "brown");

    // Each is entered as its author's.
    let query = TrailQuery {
        document: Some(id.into()),
        ..TrailQuery::default()
    };
    let page = clinic.storage.trail(clinic.id, query, 2).await.expect("read");
    let authors: Vec<_> = page
        .told
        .into_iter()
        .map(|told| match told {
            Told::Written(run) => run.account,
            Told::Happened(..) => panic!("nothing else happened to it"),
        })
        .collect();
    assert_eq!(authors, [jana, ana], "the latest first");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_may_not_do_a_colleague_takes_over() {
    let clinic = Clinic::with_patients(12).await;
    let mut tablet = clinic.device("Lucie Horak").await;
    let id = a_patient(&mut tablet).await;
    tablet.offline().await;
    // The device believes that she works at the desk, as it would have before her role was taken away.
    let mut principal = tablet.core.principal().unwrap().clone();
    principal.roles = vec![shared_model::permissions::Role::FrontDesk];
    let credentials = local_core::Credentials {
        principal,
        access_token: String::new(),
        access_expires: shared_model::time::Timestamp(0),
        refresh_token: tablet.core.refresh_token().unwrap().to_owned(),
    };
    tablet.handle(Event::SessionRenewed(Some(credentials))).await;
    tablet
        .must(EditPatient {
            colour: Some("black".to_owned()),
            ..EditPatient::of(id)
        })
        .await;
    tablet.online().await;
    clinic.settle(&mut [&mut tablet]).await;
    assert_eq!(tablet.status().await.needs_attention, 1);
    tablet.handle(Event::SignedOut).await;

    tablet
        .sign_in(clinic.email_of("Jana Dvorak"), demonstration::DEMO_PASSWORD)
        .await;
    let View::Outbox(outbox) = tablet.look(Query::Outbox).await else {
        panic!("no outbox")
    };
    let matter = &outbox.matters[0];
    assert_eq!((matter.author.as_str(), matter.mine), ("Lucie Horak", false));
    let decision = Decision::Again {
        rows: matter.rows.clone(),
    };
    tablet.handle(Event::Decide { ticket: 1, decision }).await;
    clinic.settle(&mut [&mut tablet]).await;
    assert_eq!(patient(&mut tablet, id).await.colour, "black");
    assert_eq!(tablet.status().await.others.len(), 0);
}
