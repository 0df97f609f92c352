//! A clinic's morning over the wire.

use crate::database::Engine;
use crate::device::Heard;
use crate::practice::{MIA, OTHER_OWNER, OWNER, Practice, REX, fresh_id, register_client};
use shared_model::commands::{
    BookAppointment, EditClient, EditPatient, RecordWeight, StartVisit, WriteInSection,
};
use shared_model::documents::{Client, Kind, Patient, Section, Slot};
use shared_model::ids::{AppointmentId, AppointmentTypeId, ClientId, DocumentId, VisitId, WeightId};
use shared_model::permissions::Feed;
use shared_model::protocol::{ClientMessage, pack};
use shared_model::time::Timestamp;
use shared_model::values::Weight;
use sync_server::identity::random;
use uuid::Uuid;

/// Each story is told on both databases.
macro_rules! on_both {
    ($($story:ident)*) => {
        mod sqlite { $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $story() { super::$story(crate::database::Engine::Sqlite).await })* }
        mod postgres { $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $story() { super::$story(crate::database::Engine::Postgres).await })* }
    };
}
pub(crate) use on_both;

on_both! {
    an_edit_reaches_the_other_device
    two_people_write_without_a_network_and_converge
    a_returning_device_gets_what_it_missed
    the_day_comes_first_and_a_broken_first_sync_goes_on
    the_writer_only_gets_its_cursor_moved
    a_lost_answer_is_asked_for_again
}

async fn an_edit_reaches_the_other_device(engine: Engine) {
    let practice = Practice::with_records(engine).await;
    let (mut desk, mut vet) = (practice.device("desk").await, practice.device("vet").await);
    desk.connect().await;
    vet.connect().await;
    assert_eq!(vet.documents.len(), 5, "profile, two clients, two patients");

    desk.run(EditPatient {
        name: Some("Rexie".to_owned()),
        ..EditPatient::of(REX)
    });
    desk.settled().await;
    let name = |device: &crate::device::Device| Patient::read(device.document(REX)).0.name;
    vet.until("the new name is here", |vet| name(vet) == "Rexie")
        .await;
    assert_eq!(vet.document(REX).heads(), desk.document(REX).heads());
}

async fn two_people_write_without_a_network_and_converge(engine: Engine) {
    let practice = Practice::with_records(engine).await;
    let (mut desk, mut vet) = (practice.device("desk").await, practice.device("vet").await);
    desk.connect().await;
    vet.connect().await;
    desk.offline();
    vet.offline();

    desk.run(EditPatient {
        name: Some("Rex the Third".to_owned()),
        ..EditPatient::of(REX)
    });
    vet.run(RecordWeight {
        patient: REX,
        entry: WeightId(Uuid::from_u128(1)),
        weight: Weight::parse("19.4").expect("a weight"),
        at: Timestamp(0),
        visit: None,
    });
    let visit = VisitId(Uuid::from_u128(0x300));
    vet.run(StartVisit {
        visit,
        appointment: None,
        patient: REX,
        vet: vet.principal.account,
        reason: "limping".to_owned(),
    });
    let seen = vet.document(visit).heads().iter().map(|head| head.0).collect();
    vet.run(WriteInSection {
        visit,
        section: Section::History,
        seen,
        at: 0,
        delete: 0,
        insert: "Jumped off the sofa.".to_owned(),
    });

    vet.connect().await;
    vet.settled().await;
    desk.connect().await;
    desk.settled().await;
    vet.until("the name is here", |vet| {
        Patient::read(vet.document(REX)).0.name == "Rex the Third"
    })
    .await;
    assert_eq!(vet.document(REX).heads(), desk.document(REX).heads());
    assert_eq!(Patient::read(desk.document(REX)).0.weights.len(), 1);
    assert_eq!(desk.document(visit).text("history"), "Jumped off the sofa.");
}

async fn a_returning_device_gets_what_it_missed(engine: Engine) {
    let practice = Practice::with_records(engine).await;
    let (mut desk, mut vet) = (practice.device("desk").await, practice.device("vet").await);
    vet.connect().await;
    vet.offline();
    let number = vet.number(Feed::Staff);

    desk.connect().await;
    for round in 0..20 {
        desk.run(EditClient {
            address: Some(format!("House {round}")),
            ..EditClient::of(OWNER)
        });
        desk.settled().await;
    }
    vet.pages.clear();
    vet.connect().await;
    assert_eq!(vet.document(OWNER).heads(), desk.document(OWNER).heads());
    assert_eq!(vet.number(Feed::Staff), number + 20);
    assert!(
        vet.pages.iter().all(|page| page.cursor.bootstrap.is_none()),
        "only the difference came"
    );
}

/// Random letters, so that pages stay large.
fn noise() -> String {
    random::<100_000>()
        .iter()
        .map(|byte| char::from(b'a' + byte % 26))
        .collect()
}

async fn the_day_comes_first_and_a_broken_first_sync_goes_on(engine: Engine) {
    let practice = Practice::with_records(engine).await;
    let mut desk = practice.device("desk").await;
    desk.connect().await;
    for round in 0..8 {
        for _ in 0..6 {
            let client = fresh_id(ClientId);
            desk.run(register_client(client, &format!("Archive {round}")));
            let change = desk.write(Kind::Client, client.into(), "address", &noise());
            desk.outbox.push((Kind::Client, client.into(), change));
        }
        desk.settled().await;
    }
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .expect("after 1970");
    let appointment = AppointmentId(Uuid::from_u128(0x400));
    desk.run(BookAppointment {
        appointment,
        client: OTHER_OWNER,
        patient: MIA,
        appointment_type: AppointmentTypeId(Uuid::from_u128(1)),
        slot: Slot {
            start: Timestamp(now.as_millis() as i64 + 3_600_000),
            minutes: 20,
            vet: desk.principal.account,
            room: None,
        },
        reason: "vaccination".to_owned(),
    });
    desk.settled().await;

    let mut vet = practice.device("vet").await;
    vet.acknowledges = false;
    vet.greet().await;
    vet.until("the window is full", |vet| vet.pages.len() == 4).await;
    let first: Vec<DocumentId> = vet.arrivals.iter().take(4).copied().collect();
    let day: [DocumentId; 4] = [
        practice.clinic.profile(),
        appointment.into(),
        MIA.into(),
        OTHER_OWNER.into(),
    ];
    assert_eq!(first, day);
    vet.send(&ClientMessage::Ping).await;
    assert!(
        matches!(vet.hear().await, Heard::Pong),
        "no fifth page before the first is acknowledged"
    );
    let interrupted = vet.cursors[0].bootstrap.expect("in the middle of the first sync");
    assert!(interrupted.received < interrupted.total);
    assert_eq!(interrupted.received, vet.documents.len() as u64);

    vet.offline();
    vet.acknowledges = true;
    let already = vet.arrivals.len();
    desk.run(EditPatient {
        name: Some("Rex again".to_owned()),
        ..EditPatient::of(REX)
    });
    desk.settled().await;
    vet.connect().await;
    assert_eq!(vet.documents.len(), desk.documents.len());
    for (id, document) in &desk.documents {
        assert_eq!(vet.document(*id).heads(), document.heads());
    }
    let again = vet.arrivals[already..]
        .iter()
        .filter(|id| vet.arrivals[..already].contains(id))
        .count();
    assert!(again <= day.len(), "it went on where it was cut off");
    assert_eq!(vet.cursors[0].bootstrap, None);
}

async fn the_writer_only_gets_its_cursor_moved(engine: Engine) {
    let practice = Practice::with_records(engine).await;
    let mut desk = practice.device("desk").await;
    desk.connect().await;
    desk.pages.clear();
    desk.run(EditPatient {
        name: Some("Rexie".to_owned()),
        ..EditPatient::of(REX)
    });
    let before = desk.number(Feed::Staff);
    desk.settled().await;
    desk.until("the cursor moved", |desk| desk.number(Feed::Staff) == before + 1)
        .await;
    assert_eq!(desk.pages.len(), 1);
    assert_eq!(desk.pages[0].number, 0, "a live page");
    assert_eq!(desk.pages[0].body.to_vec(), pack(&[]));
}

async fn a_lost_answer_is_asked_for_again(engine: Engine) {
    let practice = Practice::with_records(engine).await;
    let mut desk = practice.device("desk").await;
    desk.connect().await;
    desk.run(EditPatient {
        name: Some("Rexie".to_owned()),
        ..EditPatient::of(REX)
    });
    let outbox = desk.outbox.clone();
    desk.settled().await;
    let head = practice.storage.head(practice.clinic).await.expect("reads");

    // The answer never arrived: the device has the same outbox when it comes back.
    desk.offline();
    desk.connect().await;
    desk.outbox = outbox;
    desk.settled().await;
    assert_eq!(practice.storage.head(practice.clinic).await.expect("reads"), head);
    assert_eq!(
        Client::read(desk.document(OWNER)).0.full_name(),
        "Petra Owner of Rex"
    );
}
