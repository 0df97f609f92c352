//! Nobody ever receives one byte they may not read.

use crate::database::Engine;
use crate::morning::on_both;
use crate::practice::{MIA, OTHER_OWNER, OWNER, Practice, REX};
use shared_model::commands::{EditClient, EditPatient, RecordWeight};
use shared_model::documents::{Client, Kind, Patient};
use shared_model::ids::{DocumentId, WeightId};
use shared_model::permissions::Feed;
use shared_model::protocol::ClientMessage;
use shared_model::time::Timestamp;
use shared_model::values::Weight;
use std::collections::BTreeSet;
use uuid::Uuid;

on_both! {
    an_owner_receives_their_own_records_and_no_others
    ownership_ends_and_begins
    an_owner_who_was_away_learns_that_it_ended_and_no_more
}

fn until(owner: shared_model::ids::ClientId) -> String {
    format!("owners/{owner}/until")
}

async fn an_owner_receives_their_own_records_and_no_others(engine: Engine) {
    let practice = Practice::with_records(engine).await;
    let (mut owner, mut desk) = (practice.device("owner").await, practice.device("desk").await);
    owner.connect().await;
    desk.connect().await;
    let theirs: BTreeSet<DocumentId> = [practice.clinic.profile(), OWNER.into(), REX.into()].into();
    let here = |owner: &crate::device::Device| owner.documents.keys().copied().collect::<BTreeSet<_>>();
    assert_eq!(here(&owner), theirs);

    // Somebody else's records change: not one frame comes.
    let pages = owner.pages.len();
    desk.run(EditPatient {
        name: Some("Mia Maria".to_owned()),
        ..EditPatient::of(MIA)
    });
    desk.settled().await;
    desk.run(EditClient {
        address: Some("Elsewhere".to_owned()),
        ..EditClient::of(OWNER)
    });
    desk.settled().await;
    owner
        .until("the address is here", |owner| {
            Client::read(owner.document(OWNER)).0.address == "Elsewhere"
        })
        .await;
    assert_eq!(owner.pages.len(), pages + 1);
    assert_eq!(here(&owner), theirs);

    // Asking for it by name is answered by silence.
    owner.send(&ClientMessage::Want(MIA.into())).await;
    owner.send(&ClientMessage::Want(REX.into())).await;
    let arrived = owner.arrivals.len();
    owner
        .until("the own one is here", |owner| owner.arrivals.len() > arrived)
        .await;
    assert_eq!(owner.arrivals.last(), Some(&DocumentId::from(REX)));
    assert_eq!(here(&owner), theirs);

    // And they may write their own contact, nothing of others.
    owner.run(EditClient {
        address: Some("At home".to_owned()),
        ..EditClient::of(OWNER)
    });
    owner.settled().await;
    desk.until("the owner's words are here", |desk| {
        Client::read(desk.document(OWNER)).0.address == "At home"
    })
    .await;
}

async fn ownership_ends_and_begins(engine: Engine) {
    let practice = Practice::with_records(engine).await;
    let (mut owner, mut desk) = (practice.device("owner").await, practice.device("desk").await);
    owner.connect().await;
    desk.connect().await;
    desk.write_time(Kind::Patient, REX.into(), &until(OWNER));
    desk.write_time(Kind::Patient, REX.into(), &format!("owners/{OTHER_OWNER}/since"));
    desk.write_time(Kind::Patient, MIA.into(), &format!("owners/{OWNER}/since"));
    desk.settled().await;
    owner
        .until("one went and one came", |owner| {
            owner.revoked.contains(&REX.into()) && owner.documents.contains_key(&MIA.into())
        })
        .await;
    assert!(!owner.documents.contains_key(&REX.into()));
    assert_eq!(owner.document(MIA).heads(), desk.document(MIA).heads());

    let pages = owner.pages.len();
    desk.run(EditPatient {
        name: Some("Rex elsewhere".to_owned()),
        ..EditPatient::of(REX)
    });
    desk.run(EditPatient {
        name: Some("Mia here".to_owned()),
        ..EditPatient::of(MIA)
    });
    desk.settled().await;
    owner
        .until("the new one's edit is here", |owner| {
            Patient::read(owner.document(MIA)).0.name == "Mia here"
        })
        .await;
    assert_eq!(owner.pages.len(), pages + 1);
    assert!(!owner.documents.contains_key(&REX.into()));
}

async fn an_owner_who_was_away_learns_that_it_ended_and_no_more(engine: Engine) {
    let practice = Practice::with_records(engine).await;
    let (mut owner, mut desk) = (practice.device("owner").await, practice.device("desk").await);
    let mut vet = practice.device("vet").await;
    owner.connect().await;
    let known = owner.document(REX).heads();
    owner.offline();
    desk.connect().await;
    vet.connect().await;
    vet.run(RecordWeight {
        patient: REX,
        entry: WeightId(Uuid::from_u128(1)),
        weight: Weight::parse("20").expect("a weight"),
        at: Timestamp(0),
        visit: None,
    });
    vet.settled().await;
    desk.write_time(Kind::Patient, REX.into(), &until(OWNER));
    desk.settled().await;
    // The weight was taken while they owned it. It is still not theirs to read now.
    let before: Vec<_> = owner.documents.remove(&REX.into()).into_iter().collect();
    assert_eq!(before[0].heads(), known);
    owner.connect().await;
    assert!(owner.revoked.contains(&REX.into()));
    assert!(!owner.documents.contains_key(&REX.into()));
    assert!(owner.number(Feed::Client(OWNER)) > 1);
}
