//! One tablet, several people: what one of them could not send stands in nobody's way.

use local_core::{Decision, Event, Query, View};
use shared_model::commands::*;
use shared_model::documents::Kind;
use shared_model::ids::PatientId;
use stories::{Clinic, Device};

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
async fn a_colleague_works_on_while_the_others_work_waits() {
    let clinic = Clinic::with_patients(12).await;
    let mut tablet = clinic.device("Ana Moreno").await;
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
    tablet
        .must(EditPatient {
            breed: Some("Poodle".to_owned()),
            ..EditPatient::of(id)
        })
        .await;
    clinic.settle(&mut [&mut tablet]).await;
    let status = tablet.status().await;
    assert_eq!((status.waiting, status.needs_attention), (0, 0));
    assert_eq!(
        (status.others[0].name.as_str(), status.others[0].waiting),
        ("Dr Ana Moreno", 1)
    );
    // On the other's very words it waits for them.
    tablet.must(colour("brown")).await;
    assert_eq!(tablet.status().await.held, 1);

    for name in ["Ana Moreno", "Jana Dvorak"] {
        tablet.handle(Event::SignedOut).await;
        tablet
            .sign_in(clinic.email_of(name), demonstration::DEMO_PASSWORD)
            .await;
        clinic.settle(&mut [&mut tablet]).await;
    }
    let status = tablet.status().await;
    assert_eq!(
        (status.waiting, status.needs_attention, status.others.len()),
        (0, 0, 0)
    );
    let mut elsewhere = clinic.device("Ana Moreno").await;
    let shown = patient(&mut elsewhere, id).await;
    assert_eq!((shown.breed.as_str(), shown.colour.as_str()), ("Poodle", "brown"));
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
