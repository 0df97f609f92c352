//! A device's disk was copied: two stores write in one name until they notice, and nothing of either is lost.

use local_core::{Query, View};
use shared_model::commands::*;
use shared_model::documents::Kind;
use shared_model::ids::ClientId;
use stories::{Clinic, Device};

async fn client(device: &mut Device, id: ClientId) -> shared_model::documents::Client {
    match device.look(Query::Client(id)).await {
        View::Client(view) => view.client,
        other => panic!("{other:?}"),
    }
}

async fn refused(device: &mut Device) -> usize {
    match device.look(Query::Outbox).await {
        View::Outbox(outbox) => outbox.refused.len(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn both_copies_work_ends_at_the_clinic() {
    let clinic = Clinic::with_patients(12).await;
    let mut desk = clinic.device("Jana Dvorak").await;
    let View::Browse(clients) = desk
        .look(Query::Browse {
            kind: Kind::Client,
            text: String::new(),
            limit: 2,
        })
        .await
    else {
        panic!("no clients")
    };
    let ids: Vec<ClientId> = clients
        .rows
        .iter()
        .map(|row| match row {
            local_core::query::Listed::Client { id, .. } => *id,
            other => panic!("{other:?}"),
        })
        .collect();
    desk.offline().await;
    // It waited when the copy was made: both have it.
    let address = |words: &str| EditClient {
        address: Some(words.to_owned()),
        ..EditClient::of(ids[0])
    };
    desk.must(address("Lipová 4, Brno")).await;
    let mut copy = desk.copy().await;
    desk.must(address("Lipová 5, Brno")).await;
    desk.must(EditClient {
        given_name: Some("Petra".to_owned()),
        ..EditClient::of(ids[1])
    })
    .await;
    copy.must(EditClient {
        family_name: Some("Nováková".to_owned()),
        ..EditClient::of(ids[0])
    })
    .await;
    copy.must(EditClient {
        address: Some("Zelná 1, Brno".to_owned()),
        ..EditClient::of(ids[1])
    })
    .await;

    desk.online().await;
    clinic.settle(&mut [&mut desk]).await;
    copy.online().await;
    clinic.settle(&mut [&mut copy, &mut desk]).await;
    for device in [&mut desk, &mut copy] {
        assert_eq!(refused(device).await, 0);
        let first = client(device, ids[0]).await;
        assert_eq!(
            (first.address.as_str(), first.family_name.value.as_str()),
            ("Lipová 5, Brno", "Nováková")
        );
        let second = client(device, ids[1]).await;
        assert_eq!(
            (second.address.as_str(), second.given_name.as_str()),
            ("Zelná 1, Brno", "Petra")
        );
    }

    // Each goes on in a name of its own.
    for device in [&mut desk, &mut copy] {
        device.offline().await;
    }
    desk.must(address("Dlouhá 6, Brno")).await;
    copy.must(EditClient {
        given_name: Some("Pavla".to_owned()),
        ..EditClient::of(ids[0])
    })
    .await;
    for device in [&mut desk, &mut copy] {
        device.online().await;
    }
    clinic.settle(&mut [&mut copy, &mut desk]).await;
    for device in [&mut desk, &mut copy] {
        assert_eq!(refused(device).await, 0);
        let now = client(device, ids[0]).await;
        assert_eq!(
            (now.address.as_str(), now.given_name.as_str()),
            ("Dlouhá 6, Brno", "Pavla")
        );
    }
}
