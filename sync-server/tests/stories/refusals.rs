//! Work that the server does not take: each kind with its code, and nothing else of the push is lost.

use crate::database::Engine;
use crate::device::{Device, item, raw};
use crate::morning::on_both;
use crate::practice::{MIA, OWNER, Practice, REX, found_clinic, fresh_id, register_client};
use automerge::{ActorId, ChangeHash};
use shared_model::commands::EditPatient;
use shared_model::documents::{Client, Kind, Patient};
use shared_model::ids::{ClientId, ClinicId, DocumentId};
use shared_model::protocol::{MAX_CHANGE, Refusal, RefusalCode};
use sync_server::identity::random;

on_both! {
    a_role_that_may_not
    an_actor_of_somebody_else
    a_store_that_was_copied
    a_change_whose_dependencies_are_missing
    a_document_of_another_clinic
    bytes_that_are_no_change
    a_change_that_is_too_large
    a_document_that_would_grow_too_large
    a_newer_schema
    a_day_that_cannot_have_been
    one_bad_apple_leaves_the_rest
}

const CLIENT: DocumentId = DocumentId(OWNER.0);
const PATIENT: DocumentId = DocumentId(REX.0);

async fn connected(practice: &Practice, person: &str) -> Device {
    let mut device = practice.device(person).await;
    device.connect().await;
    device
}

fn codes(refusals: &[Refusal]) -> Vec<(DocumentId, RefusalCode)> {
    refusals
        .iter()
        .map(|refusal| (refusal.document, refusal.code))
        .collect()
}

async fn a_role_that_may_not(engine: Engine) {
    let practice = Practice::with_records(engine).await;
    let mut desk = connected(&practice, "desk").await;
    let change = desk.write(Kind::Patient, PATIENT, "weights/1/kg", "20");
    let refusals = desk
        .refusals(vec![item(Kind::Patient, PATIENT, [raw(&change)])])
        .await;
    assert_eq!(codes(&refusals), [(PATIENT, RefusalCode::NotPermitted)]);
    assert_eq!(refusals[0].change.to_vec(), change.hash().0);
    assert!(!refusals[0].reason.is_empty());

    let mut owner = connected(&practice, "owner").await;
    let stranger = owner.write(Kind::Patient, MIA.into(), "death/on", "2026-01-01");
    let refusals = owner
        .refusals(vec![item(Kind::Patient, MIA.into(), [raw(&stranger)])])
        .await;
    // Somebody else's animal looks like one that does not exist: both cannot be written.
    assert_eq!(codes(&refusals), [(MIA.into(), RefusalCode::NotPermitted)]);

    let mut tech = connected(&practice, "tech").await;
    let created = tech.write(
        Kind::ClinicSettings,
        practice.clinic.settings(),
        "rooms/1/name",
        "One",
    );
    let settings = practice.clinic.settings();
    let refusals = tech
        .refusals(vec![item(Kind::ClinicSettings, settings, [raw(&created)])])
        .await;
    assert_eq!(codes(&refusals), [(settings, RefusalCode::NotPermitted)]);
}

async fn an_actor_of_somebody_else(engine: Engine) {
    let practice = Practice::with_records(engine).await;
    let mut desk = connected(&practice, "desk").await;
    let mut vet = connected(&practice, "vet").await;
    desk.run(EditPatient {
        name: Some("Rexie".to_owned()),
        ..EditPatient::of(REX)
    });
    desk.settled().await;

    vet.actor = desk.actor.clone();
    let change = vet.write(Kind::Client, CLIENT, "address", "forged");
    let refusals = vet
        .refusals(vec![item(Kind::Client, CLIENT, [raw(&change)])])
        .await;
    assert_eq!(codes(&refusals), [(CLIENT, RefusalCode::ForeignActor)]);

    vet.actor = vet.document(REX).genesis_actor();
    let change = vet.write(Kind::Patient, PATIENT, "breed", "forged");
    let refusals = vet
        .refusals(vec![item(Kind::Patient, PATIENT, [raw(&change)])])
        .await;
    assert_eq!(codes(&refusals), [(PATIENT, RefusalCode::ForeignActor)]);
}

async fn a_store_that_was_copied(engine: Engine) {
    let practice = Practice::with_records(engine).await;
    let mut desk = connected(&practice, "desk").await;
    let copy = desk.documents.clone();
    desk.run(EditPatient {
        name: Some("Rexie".to_owned()),
        ..EditPatient::of(REX)
    });
    desk.settled().await;
    // The backup is put back: same actor, same sequence number, other content.
    desk.documents = copy;
    let change = desk.write(Kind::Patient, PATIENT, "name", "Rex the Copy");
    let refusals = desk
        .refusals(vec![item(Kind::Patient, PATIENT, [raw(&change)])])
        .await;
    assert_eq!(codes(&refusals), [(PATIENT, RefusalCode::ActorReused)]);
    // With a new actor the same work is taken.
    desk.actor = ActorId::from(random::<16>());
    desk.documents.remove(&PATIENT);
    desk.cursors.clear();
    desk.connect().await;
    desk.run(EditPatient {
        name: Some("Rex the Copy".to_owned()),
        ..EditPatient::of(REX)
    });
    desk.settled().await;
}

async fn a_change_whose_dependencies_are_missing(engine: Engine) {
    let practice = Practice::with_records(engine).await;
    let mut desk = connected(&practice, "desk").await;
    let first = desk.write(Kind::Client, CLIENT, "address", "one");
    let second = desk.write(Kind::Client, CLIENT, "address", "two");
    let refusals = desk
        .refusals(vec![item(Kind::Client, CLIENT, [raw(&second)])])
        .await;
    assert_eq!(codes(&refusals), [(CLIENT, RefusalCode::MissingDependencies)]);
    // In order both are taken.
    let both = item(Kind::Client, CLIENT, [raw(&first), raw(&second)]);
    assert_eq!(codes(&desk.refusals(vec![both]).await), []);
}

async fn a_document_of_another_clinic(engine: Engine) {
    let practice = Practice::with_records(engine).await;
    let other = fresh_id(ClinicId);
    found_clinic(&practice.storage, other, "other-").await;
    let mut there = practice.device("other-desk").await;
    assert_eq!(there.principal.clinic, other);
    there.connect().await;
    assert!(there.documents.is_empty(), "the clinics do not see each other");
    let client = fresh_id(ClientId);
    there.run(register_client(client, "Of the other clinic"));
    there.settled().await;
    let change = there.write(Kind::Client, client.into(), "address", "moved");
    let first = there.document(client).changes_since(&[])[1].clone();

    let mut here = connected(&practice, "desk").await;
    let stolen = item(Kind::Client, client.into(), [raw(&first), raw(&change)]);
    let refusals = here.refusals(vec![stolen]).await;
    assert_eq!(
        codes(&refusals),
        [
            (client.into(), RefusalCode::OtherClinic),
            (client.into(), RefusalCode::BuildsOnRefused)
        ]
    );
}

async fn bytes_that_are_no_change(engine: Engine) {
    let practice = Practice::with_records(engine).await;
    let mut desk = connected(&practice, "desk").await;
    let good = desk.write(Kind::Client, CLIENT, "address", "an address");
    for at in [0, 4, 8, 9, 20, 40, good.raw_bytes().len() - 1] {
        let mut bytes = raw(&good);
        bytes[at] ^= 0x55;
        let refusals = desk.refusals(vec![item(Kind::Client, CLIENT, [bytes])]).await;
        assert_eq!(
            codes(&refusals),
            [(CLIENT, RefusalCode::Undecodable)],
            "byte {at}"
        );
    }
    let whole = desk.document(OWNER).save();
    for bytes in [Vec::new(), vec![0; 5], vec![0xff; 300], whole] {
        let refusals = desk.refusals(vec![item(Kind::Client, CLIENT, [bytes])]).await;
        assert_eq!(codes(&refusals), [(CLIENT, RefusalCode::Undecodable)]);
    }
    // After all that the good one is still good.
    let refusals = desk
        .refusals(vec![item(Kind::Client, CLIENT, [raw(&good)])])
        .await;
    assert_eq!(codes(&refusals), []);
}

async fn a_change_that_is_too_large(engine: Engine) {
    let practice = Practice::with_records(engine).await;
    let mut desk = connected(&practice, "desk").await;
    let large = desk.write(Kind::Client, CLIENT, "address", &"x".repeat(MAX_CHANGE));
    let refusals = desk
        .refusals(vec![item(Kind::Client, CLIENT, [raw(&large)])])
        .await;
    assert_eq!(codes(&refusals), [(CLIENT, RefusalCode::TooLarge)]);
    let address = Client::read(desk.document(OWNER)).0.address;
    assert_eq!(address.len(), MAX_CHANGE);
}

async fn a_document_that_would_grow_too_large(engine: Engine) {
    let practice = Practice::with_records(engine).await;
    let mut desk = connected(&practice, "desk").await;
    let mut codes_seen = Vec::new();
    for _ in 0..5 {
        let noise: String = random::<100_000>()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let change = desk.write(Kind::Client, CLIENT, "address", &noise);
        let refusals = desk
            .refusals(vec![item(Kind::Client, CLIENT, [raw(&change)])])
            .await;
        codes_seen.extend(refusals.iter().map(|refusal| refusal.code));
    }
    assert_eq!(codes_seen.first(), Some(&RefusalCode::TooLarge));
    assert!(
        codes_seen[1..]
            .iter()
            .all(|code| *code == RefusalCode::BuildsOnRefused)
    );
    // Everybody can still read it.
    let vet = connected(&practice, "vet").await;
    assert!(!Client::read(vet.document(OWNER)).0.address.is_empty());
}

async fn a_newer_schema(engine: Engine) {
    let practice = Practice::with_records(engine).await;
    let mut desk = connected(&practice, "desk").await;
    let change = desk.write(Kind::Client, CLIENT, "address", "of tomorrow");
    let mut newer = item(Kind::Client, CLIENT, [raw(&change)]);
    newer.schema_version += 1;
    let refusals = desk.refusals(vec![newer]).await;
    assert_eq!(codes(&refusals), [(CLIENT, RefusalCode::NewerSchema)]);
}

async fn a_day_that_cannot_have_been(engine: Engine) {
    let practice = Practice::with_records(engine).await;
    let mut desk = connected(&practice, "desk").await;
    let sensible = desk.document(REX).clone();
    for (field, day) in [
        ("born", "2999-01-01"),
        ("born", "1066-10-14"),
        ("death/on", "2999-01-01"),
    ] {
        let change = desk.write(Kind::Patient, PATIENT, field, day);
        let refusals = desk
            .refusals(vec![item(Kind::Patient, PATIENT, [raw(&change)])])
            .await;
        assert_eq!(
            codes(&refusals),
            [(PATIENT, RefusalCode::NotPermitted)],
            "{field} {day}"
        );
        assert!(refusals[0].reason.contains(field), "{}", refusals[0].reason);
        desk.documents.insert(PATIENT, sensible.clone());
        desk.actor = ActorId::from(random::<16>());
    }
    let change = desk.write(Kind::Patient, PATIENT, "born", "2020-02-29");
    let refusals = desk
        .refusals(vec![item(Kind::Patient, PATIENT, [raw(&change)])])
        .await;
    assert_eq!(codes(&refusals), []);
}

async fn one_bad_apple_leaves_the_rest(engine: Engine) {
    let practice = Practice::with_records(engine).await;
    let mut desk = connected(&practice, "desk").await;
    let mut vet = connected(&practice, "vet").await;
    let before = desk.write(Kind::Patient, PATIENT, "breed", "poodle");
    let bad = desk.write(Kind::Patient, PATIENT, "weights/1/kg", "20");
    let after = desk.write(Kind::Patient, PATIENT, "colour", "black");
    let elsewhere = desk.write(Kind::Client, CLIENT, "address", "still good");
    let refusals = desk
        .refusals(vec![
            item(Kind::Patient, PATIENT, [raw(&before), raw(&bad), raw(&after)]),
            item(Kind::Client, CLIENT, [raw(&elsewhere)]),
        ])
        .await;
    let hash = |refusal: &Refusal| ChangeHash(refusal.change.to_vec().try_into().expect("a hash"));
    assert_eq!(
        refusals
            .iter()
            .map(|refusal| (hash(refusal), refusal.code))
            .collect::<Vec<_>>(),
        [
            (bad.hash(), RefusalCode::NotPermitted),
            (after.hash(), RefusalCode::BuildsOnRefused)
        ]
    );
    // A push that was under way already and builds on the refused change is named so too.
    let later = desk.write(Kind::Patient, PATIENT, "colour", "white");
    let refusals = desk
        .refusals(vec![item(Kind::Patient, PATIENT, [raw(&later)])])
        .await;
    assert_eq!(codes(&refusals), [(PATIENT, RefusalCode::BuildsOnRefused)]);

    vet.until("the good part is here", |vet| {
        Patient::read(vet.document(REX)).0.breed == "poodle"
            && Client::read(vet.document(OWNER)).0.address == "still good"
    })
    .await;
    assert_eq!(Patient::read(vet.document(REX)).0.colour, "");
}
