//! What the server does not take stays on the device, with the reason.

use local_core::{Event, Query, View};
use shared_model::commands::{ReportDeath, RetractDeath};
use shared_model::documents::Kind;
use shared_model::ids::PatientId;
use shared_model::permissions::Role;
use shared_model::protocol::RefusalCode;
use stories::Clinic;

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_the_roles_do_not_allow_any_more_is_kept_and_named() {
    let clinic = Clinic::with_patients(12).await;
    let mut viewer = clinic.device("Lucie Horak").await;
    let View::Browse(patients) = viewer
        .look(Query::Browse {
            kind: Kind::Patient,
            text: String::new(),
            limit: 1,
        })
        .await
    else {
        panic!("no patients")
    };
    let local_core::query::Listed::Patient { pet, .. } = patients.rows[0].clone() else {
        panic!("no patient")
    };
    let patient: PatientId = pet.id;

    // The device believes that she works at the desk, as it would have before her role was taken away.
    viewer.offline().await;
    let mut principal = viewer.core.principal().unwrap().clone();
    principal.roles = vec![Role::FrontDesk];
    let credentials = local_core::Credentials {
        principal,
        access_token: String::new(),
        access_expires: shared_model::time::Timestamp(0),
        refresh_token: viewer.core.refresh_token().unwrap().to_owned(),
    };
    viewer.handle(Event::SessionRenewed(Some(credentials))).await;
    viewer
        .must(ReportDeath {
            patient,
            on: jiff::civil::date(2026, 1, 2),
        })
        .await;
    viewer
        .must(RetractDeath {
            patient,
            reason: "a mistake".to_owned(),
        })
        .await;
    viewer.online().await;
    clinic.settle(&mut [&mut viewer]).await;

    let View::Outbox(outbox) = viewer.look(Query::Outbox).await else {
        panic!("no outbox")
    };
    let codes: Vec<_> = outbox
        .refused
        .iter()
        .map(|line| line.refused.as_ref().unwrap().0)
        .collect();
    // The second was tried again without the first, and is not hers to do either.
    assert_eq!(codes, [RefusalCode::NotPermitted, RefusalCode::NotPermitted]);
    assert_eq!(outbox.refused[1].verb, "report_death");
    assert_eq!(outbox.refused[1].about, pet.name);
    assert_eq!(viewer.status().await.needs_attention, 2);
    let View::Patient(shown) = viewer.look(Query::Patient(patient)).await else {
        panic!("no patient")
    };
    assert_eq!(shown.patient.death, None, "the screen shows what the clinic has");
}
