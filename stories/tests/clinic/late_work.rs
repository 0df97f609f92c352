//! A vet leaves, or is erased, while their tablet has no network: what was written on it comes to the administrators, and
//! the tablet keeps nothing.

use crate::lost::ask;
use local_core::query::{Connection, LateMatter, Listed};
use local_core::{Decision, Effect, Event, Query, View};
use shared_model::commands::EditClient;
use shared_model::documents::Kind;
use shared_model::ids::ClientId;
use shared_model::late_work::{LateWork, LateWorkPage};
use std::time::Duration;
use stories::{Clinic, Device, sign_in};
use sync_server::erase_person;

async fn a_client(device: &mut Device) -> ClientId {
    let browse = Query::Browse {
        kind: Kind::Client,
        text: String::new(),
        limit: 1,
    };
    match device.look(browse).await {
        View::Browse(clients) => match &clients.rows[0] {
            Listed::Client { id, .. } => *id,
            other => panic!("no client: {other:?}"),
        },
        other => panic!("no clients: {other:?}"),
    }
}

async fn address_of(device: &mut Device, client: ClientId) -> String {
    match device.look(Query::Client(client)).await {
        View::Client(shown) => shown.client.address,
        other => panic!("no client: {other:?}"),
    }
}

async fn late(device: &mut Device, works: &[LateWork]) -> Vec<LateMatter> {
    match device.look(Query::LateWork(works.to_vec())).await {
        View::LateWork(late) => late,
        other => panic!("{other:?}"),
    }
}

/// How somebody is no longer one of the clinic.
#[derive(Clone, Copy)]
enum Leaving {
    ByTheAdministrator,
    Erased,
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_vet_had_not_sent_comes_to_the_administrator_who_takes_it_over() {
    what_was_not_sent_comes_to_the_administrator(Leaving::ByTheAdministrator).await;
}

/// Erasing a person erases nothing that they wrote for the clinic, also where the clinic does not have it yet.
#[tokio::test(flavor = "multi_thread")]
async fn what_an_erased_vet_had_not_sent_comes_to_the_administrator_too() {
    what_was_not_sent_comes_to_the_administrator(Leaving::Erased).await;
}

async fn what_was_not_sent_comes_to_the_administrator(leaving: Leaving) {
    let clinic = Clinic::with_patients(12).await;
    let (vet, boss) = ("Ana Moreno", "Eva Northgate");
    let mut tablet = clinic.device(vet).await;
    let mut office = clinic.device(boss).await;
    clinic.settle(&mut [&mut tablet, &mut office]).await;
    let client = a_client(&mut tablet).await;
    tablet.offline().await;
    tablet
        .must(EditClient {
            address: Some("Written where nobody heard of it".to_owned()),
            ..EditClient::of(client)
        })
        .await;

    let admin = sign_in(
        clinic.address,
        clinic.email_of(boss),
        demonstration::DEMO_PASSWORD,
    )
    .await;
    let token = admin.credentials.access_token;
    let account = tablet.core.principal().expect("signed in").account;
    match leaving {
        Leaving::ByTheAdministrator => {
            let path = format!("/api/v1/staff/{account}");
            let ended = ask(clinic.address, "DELETE", path, token.clone()).await;
            assert_eq!(ended.0, 204);
        }
        Leaving::Erased => {
            let person = erase_person::find(&clinic.storage, clinic.email_of(vet))
                .await
                .expect("there");
            assert_eq!(person.account.account, account);
            erase_person::erase(&clinic.storage, &person)
                .await
                .expect("erased");
        }
    }

    tablet.online().await;
    while tablet.core.principal().is_some() {
        tablet.step(Duration::from_millis(20)).await;
    }
    assert_eq!(tablet.core.standing(), (Connection::SignedOut, 0, Vec::new()));
    assert_eq!(
        tablet.core.store().dump_projections().unwrap(),
        ["search Some(0)"]
    );
    let told = tablet.left.first().expect("the host is told");
    assert_eq!((told.clinic.as_str(), told.entries), ("Northgate Vets", 1));
    assert!(told.records_gone);

    let (status, page) = ask(clinic.address, "GET", "/api/v1/late-work".to_owned(), token).await;
    assert_eq!(status, 200);
    let page: LateWorkPage = serde_json::from_str(&page).expect("a page");
    let listed = late(&mut office, &page.works).await;
    assert_eq!(listed.len(), 1);
    let author = match leaving {
        Leaving::ByTheAdministrator => format!("Dr {vet}"),
        // Whoever shows it says "Erased person".
        Leaving::Erased => String::new(),
    };
    assert_eq!(listed[0].matter.author, author);
    assert_ne!(
        address_of(&mut office, client).await,
        "Written where nobody heard of it"
    );
    let decision = Decision::TakeOver {
        works: page.works,
        hashes: listed[0].hashes.clone(),
    };
    let effects = office.handle(Event::Decide { ticket: 77, decision }).await;
    let done = |effect: &Effect| {
        matches!(
            effect,
            Effect::Answer {
                ticket: 77,
                outcome: Ok(_)
            }
        )
    };
    assert!(effects.iter().any(done), "{effects:?}");
    let mut desk = clinic.device("Jana Dvorak").await;
    clinic.settle(&mut [&mut office, &mut desk]).await;
    assert_eq!(
        address_of(&mut desk, client).await,
        "Written where nobody heard of it"
    );
}
