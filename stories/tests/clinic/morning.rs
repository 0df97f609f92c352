//! The morning of the foundation: two people work on the same client and the same note without a network.

use local_core::query::{Connection, Hit, Stage};
use local_core::{Query, View};
use shared_model::commands::*;
use shared_model::documents::{Section, Sex, Species};
use shared_model::ids::*;
use shared_model::values::Weight;
use stories::{Clinic, Device};

async fn find(device: &mut Device, typed: &str) -> Vec<Hit> {
    match device.look(Query::Search(typed.to_owned())).await {
        View::Search(found) => found.hits,
        other => panic!("{other:?}"),
    }
}

async fn visit(device: &mut Device, id: VisitId) -> local_core::query::VisitView {
    match device.look(Query::Visit(id)).await {
        View::Visit(view) => *view,
        other => panic!("{other:?}"),
    }
}

async fn write(device: &mut Device, id: VisitId, section: Section, text: &str) {
    let seen = visit(device, id).await;
    let at = seen
        .sections
        .iter()
        .find(|s| s.section == section)
        .unwrap()
        .text
        .chars()
        .count();
    device
        .must(WriteInSection {
            visit: id,
            section,
            seen: seen.heads,
            at,
            delete: 0,
            insert: text.to_owned(),
        })
        .await;
}

/// Everything that the projections of a device say.
fn rows(device: &Device) -> Vec<String> {
    device.core.store().dump_projections().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn desk_and_vet_work_through_a_dead_server() {
    let mut clinic = Clinic::with_patients(12).await;
    let [mut desk, mut vet] = clinic.two_devices().await;
    assert_eq!(rows(&desk), rows(&vet));

    // The desk registers a client with a pet and books.
    let (client, patient) = (ClientId(desk.fresh_id()), PatientId(desk.fresh_id()));
    let appointment = AppointmentId(desk.fresh_id());
    desk.must(RegisterClient {
        client,
        given_name: "Šárka".to_owned(),
        family_name: "Horáčková".to_owned(),
        phone: Some((PhoneId(desk.fresh_id()), "+420 700 100 200".to_owned())),
        email: None,
        address: String::new(),
        preferred_channel: None,
    })
    .await;
    desk.must(RegisterPatient {
        patient,
        owner: client,
        name: "Bublinka".to_owned(),
        species: Species::Cat,
        breed: "Domestic Shorthair".to_owned(),
        colour: String::new(),
        sex: Sex::Female,
        neutered: None,
        born: None,
        microchip: String::new(),
    })
    .await;
    let View::Clinic(settings) = vet.look(Query::Clinic).await else {
        panic!("no clinic")
    };
    let me = settings.me.unwrap().account;
    desk.must(BookAppointment {
        appointment,
        client,
        patient,
        appointment_type: settings.settings.appointment_types[0].id,
        slot: shared_model::documents::Slot {
            start: desk.now(),
            minutes: 20,
            vet: me,
            room: None,
        },
        reason: "Not eating".to_owned(),
    })
    .await;
    clinic.settle(&mut [&mut desk, &mut vet]).await;
    assert!(
        matches!(&find(&mut vet, "bubl horac").await[..], [Hit::Patient { pet, .. }] if pet.id == patient)
    );

    // The server dies. Both go on.
    clinic.stop().await;
    while desk.status().await.connection == Connection::Online
        || vet.status().await.connection == Connection::Online
    {
        desk.step(std::time::Duration::from_millis(20)).await;
        vet.step(std::time::Duration::from_millis(20)).await;
    }
    let id = VisitId::of_appointment(appointment);
    let start = StartVisit {
        visit: id,
        appointment: Some(appointment),
        patient,
        vet: me,
        reason: String::new(),
    };
    vet.must(start.clone()).await;
    write(&mut vet, id, Section::History, "Not eating for two days.").await;
    write(&mut vet, id, Section::Assessment, "Stomatitis suspected.").await;
    let weight = Weight::parse("3.9").unwrap();
    vet.must(RecordWeight {
        patient,
        entry: id.weight(),
        weight,
        at: vet.now(),
        visit: Some(id),
    })
    .await;
    desk.must(EditClient {
        address: Some("Lipová 4, Brno".to_owned()),
        ..EditClient::of(client)
    })
    .await;
    vet.must(EditClient {
        phones: vec![(PhoneId(vet.fresh_id()), "+420 700 999 888".to_owned())],
        ..EditClient::of(client)
    })
    .await;
    assert!(vet.status().await.waiting >= 5);
    assert!(matches!(
        vet.status().await.connection,
        Connection::Offline { since: Some(_) }
    ));

    // A technician elsewhere, offline too, starts the same visit and types into the same note.
    clinic.revive().await;
    let mut tech = clinic.device("Tomas Kral").await;
    tech.offline().await;
    tech.must(start).await;
    write(&mut tech, id, Section::History, "Owner says: drinks normally.").await;

    tech.online().await;
    clinic.settle(&mut [&mut desk, &mut vet, &mut tech]).await;
    for device in [&mut desk, &mut vet, &mut tech] {
        let shown = visit(device, id).await;
        let history = &shown.sections[0].text;
        assert!(history.contains("Not eating for two days."), "{history}");
        assert!(history.contains("Owner says: drinks normally."), "{history}");
        assert_eq!(shown.weight.unwrap().weight.value, weight);
        let View::Client(contact) = device.look(Query::Client(client)).await else {
            panic!("no client")
        };
        assert_eq!(contact.client.address, "Lipová 4, Brno");
        assert_eq!(contact.client.phones.len(), 2);
        let status = device.status().await;
        assert_eq!((status.waiting, status.needs_attention), (0, 0));
    }
    assert_eq!(rows(&desk), rows(&vet));
    assert_eq!(rows(&desk), rows(&tech));
    let View::Day(day) = desk.look(Query::Day(None)).await else {
        panic!("no day")
    };
    let item = day.items.iter().find(|item| item.id == appointment).unwrap();
    assert_eq!(item.stage, Stage::InRoom);
}

#[tokio::test(flavor = "multi_thread")]
async fn first_sync_gives_the_rows_that_a_rebuild_gives() {
    let clinic = Clinic::with_patients(40).await;
    let mut vet = clinic.device("Ana Moreno").await;
    let received = rows(&vet);
    assert!(received.len() > 200);
    vet.core.rebuild().unwrap();
    assert_eq!(rows(&vet), received);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_gets_their_own_records_and_not_a_byte_more() {
    let clinic = Clinic::with_patients(40).await;
    let mut petra = clinic.device("Petra Novak").await;
    let View::MyPets(pets) = petra.look(Query::MyPets).await else {
        panic!("no pets")
    };
    let mut names: Vec<_> = pets.iter().map(|pet| pet.name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["Mimi", "Rex"]);
    let vet = clinic.device("Ana Moreno").await;
    assert!(rows(&vet).iter().any(|row| row.starts_with("visit ")));
    assert!(
        !rows(&petra).iter().any(|row| row.starts_with("visit ")),
        "notes are for staff"
    );
    assert_eq!(
        rows(&petra)
            .iter()
            .filter(|row| row.starts_with("client "))
            .count(),
        1
    );
    assert_eq!(
        rows(&petra)
            .iter()
            .filter(|row| row.starts_with("patient "))
            .count(),
        2
    );
}
