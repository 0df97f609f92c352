//! Programs end at any moment; what was called saved goes on where it was.

use local_core::{Query, View};
use shared_model::commands::EditClient;
use shared_model::ids::ClientId;
use stories::Clinic;

#[tokio::test(flavor = "multi_thread")]
async fn work_of_a_device_that_died_offline_arrives_after_its_restart() {
    let clinic = Clinic::with_patients(12).await;
    let [mut desk, mut vet] = clinic.two_devices().await;
    let View::Browse(clients) = desk
        .look(Query::Browse {
            kind: shared_model::documents::Kind::Client,
            text: String::new(),
            limit: 1,
        })
        .await
    else {
        panic!("no clients")
    };
    let local_core::query::Listed::Client { id, .. } = clients.rows[0].clone() else {
        panic!("no client")
    };
    let id: ClientId = id;
    desk.offline().await;
    desk.must(EditClient {
        address: Some("Nová 1".to_owned()),
        ..EditClient::of(id)
    })
    .await;
    desk.restart().await;
    assert_eq!(desk.status().await.waiting, 1);
    desk.online().await;
    clinic.settle(&mut [&mut desk, &mut vet]).await;
    let View::Client(shown) = vet.look(Query::Client(id)).await else {
        panic!("no client")
    };
    assert_eq!(shown.client.address, "Nová 1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_returning_device_catches_up_without_a_second_first_sync() {
    let clinic = Clinic::with_patients(40).await;
    let [mut desk, mut vet] = clinic.two_devices().await;
    vet.offline().await;
    let first_sync = vet.received.1;
    let View::Browse(clients) = desk
        .look(Query::Browse {
            kind: shared_model::documents::Kind::Client,
            text: String::new(),
            limit: 1,
        })
        .await
    else {
        panic!("no clients")
    };
    let local_core::query::Listed::Client { id, .. } = clients.rows[0].clone() else {
        panic!("no client")
    };
    desk.must(EditClient {
        address: Some("Nová 1".to_owned()),
        ..EditClient::of(id)
    })
    .await;
    clinic.settle(&mut [&mut desk]).await;
    vet.online().await;
    clinic.settle(&mut [&mut desk, &mut vet]).await;
    let more = vet.received.1 - first_sync;
    assert!(more < 3_000, "{more} bytes for one small change");
    assert_eq!(
        desk.core.store().dump_projections().unwrap(),
        vet.core.store().dump_projections().unwrap()
    );
}
