//! Changes are their authors': nobody is believed without a signature, and a colleague who carries them changes nothing.

use crate::database::Engine;
use crate::device::{Device, item, raw};
use crate::morning::on_both;
use crate::practice::{PASSWORD, Practice, REX};
use shared_model::authorship::{SigningKey, key_id};
use shared_model::documents::Kind;
use shared_model::ids::{AccountId, DocumentId};
use shared_model::protocol::{Goodbye, PushItem, Refusal, RefusalCode};
use shared_model::trail::Happening;
use sync_server::storage::trail::{Told, TrailQuery};

on_both! {
    nobody_is_believed_without_their_signature
    a_colleague_carries_work_that_stays_its_authors
    a_colleague_lends_nobody_their_rights
    who_has_left_can_have_nothing_carried
    a_key_is_one_persons_on_one_device
    a_key_is_entered_once
}

const PATIENT: DocumentId = DocumentId(REX.0);

async fn connected(practice: &Practice, person: &str) -> Device {
    let mut device = practice.device(person).await;
    device.connect().await;
    device
}

/// Somebody else signs in on the same device, and has what it has.
pub(crate) async fn joined(practice: &Practice, person: &str, other: &Device) -> Device {
    let answer = practice.sign_in(person, PASSWORD, other.device).await;
    assert_eq!(answer.status, 200, "{:?}", answer.body);
    let mut device = Device::new(practice.address, other.device, &answer.json());
    device.connect().await;
    device
}

fn codes(refusals: &[Refusal]) -> Vec<RefusalCode> {
    refusals.iter().map(|refusal| refusal.code).collect()
}

/// An item that its author signed, for a colleague's session.
fn signed_by(author: &Device, mut item: PushItem) -> PushItem {
    let key = author.key();
    let all = 0..item.changes.len();
    key.sign_in_item(author.principal.clinic, &mut item, all);
    for signature in &mut item.signatures {
        signature.key = Some(key_id(&key.public()).into());
    }
    item
}

async fn authors_of(practice: &Practice, document: DocumentId) -> Vec<AccountId> {
    let query = TrailQuery {
        document: Some(document),
        ..TrailQuery::default()
    };
    let told = practice.storage.trail(practice.clinic, query, 100).await;
    let written = told
        .expect("read")
        .told
        .into_iter()
        .filter_map(|told| match told {
            Told::Written(run) => Some(run.account),
            Told::Happened(..) => None,
        });
    written.collect()
}

async fn nobody_is_believed_without_their_signature(engine: Engine) {
    let practice = Practice::with_records(engine).await;
    let mut desk = connected(&practice, "desk").await;
    let first = desk.write(Kind::Patient, PATIENT, "name", "Rexie");
    let second = desk.write(Kind::Patient, PATIENT, "name", "Rexo");
    let both = || item(Kind::Patient, PATIENT, [raw(&first), raw(&second)]);
    let not_signed = [RefusalCode::NotSigned; 2];

    let refused = desk.refusals_as_it_is(vec![both()]).await;
    assert_eq!(codes(&refused), not_signed, "no signature");

    let mut forged = both();
    SigningKey::from_seed(&[9; 32]).sign_in_item(practice.clinic, &mut forged, 0..2);
    let refused = desk.refusals_as_it_is(vec![forged]).await;
    assert_eq!(codes(&refused), not_signed, "another key's");

    let mut unknown = desk.signed(vec![both()]).remove(0);
    for signature in &mut unknown.signatures {
        signature.key = Some([7; 8].into());
    }
    let refused = desk.refusals_as_it_is(vec![unknown]).await;
    assert_eq!(codes(&refused), not_signed, "a key that nobody knows");

    let mut out_of_range = desk.signed(vec![both()]).remove(0);
    for signature in &mut out_of_range.signatures {
        signature.change += 2;
    }
    let refused = desk.refusals_as_it_is(vec![out_of_range]).await;
    assert_eq!(codes(&refused), not_signed, "of a change that is not there");

    // The first alone says nothing of what was built on it.
    let mut first_alone = both();
    desk.key().sign_in_item(practice.clinic, &mut first_alone, [0]);
    let refused = desk.refusals_as_it_is(vec![first_alone]).await;
    assert_eq!(codes(&refused), [RefusalCode::NotSigned]);
    assert_eq!(refused[0].change.to_vec(), second.hash().0);

    // The last speaks for what it was built on.
    let third = desk.write(Kind::Patient, PATIENT, "name", "Rexum");
    let mut last_alone = item(Kind::Patient, PATIENT, [raw(&second), raw(&third)]);
    desk.key().sign_in_item(practice.clinic, &mut last_alone, [1]);
    assert!(desk.refusals_as_it_is(vec![last_alone]).await.is_empty());
}

async fn a_colleague_carries_work_that_stays_its_authors(engine: Engine) {
    let practice = Practice::with_records(engine).await;
    let mut vet = connected(&practice, "vet").await;
    vet.offline();
    let weighed = vet.write(Kind::Patient, PATIENT, "weights/1/kg", "20");
    let mut desk = joined(&practice, "desk", &vet).await;
    let carried = signed_by(&vet, item(Kind::Patient, PATIENT, [raw(&weighed)]));
    assert!(desk.refusals_as_it_is(vec![carried]).await.is_empty());
    let authors = authors_of(&practice, PATIENT).await;
    assert_eq!(authors[0], vet.principal.account);

    // Both in one record, the one's on top of the other's. They share the device's store.
    desk.documents.clone_from(&vet.documents);
    let named = desk.write(Kind::Patient, PATIENT, "name", "Rexie");
    vet.documents.clone_from(&desk.documents);
    let again = vet.write(Kind::Patient, PATIENT, "weights/2/kg", "21");
    let mut both = signed_by(&vet, item(Kind::Patient, PATIENT, [raw(&named), raw(&again)]));
    both.signatures.retain(|signature| signature.change == 1);
    let refused = desk.refusals_as_it_is(vec![both.clone()]).await;
    assert_eq!(
        codes(&refused),
        [RefusalCode::NotSigned, RefusalCode::BuildsOnRefused],
        "nobody speaks for a colleague"
    );
    let mut own = item(Kind::Patient, PATIENT, [raw(&named)]);
    desk.key().sign_in_item(practice.clinic, &mut own, [0]);
    both.signatures.extend(own.signatures);
    assert!(desk.refusals_as_it_is(vec![both]).await.is_empty());
    let authors = authors_of(&practice, PATIENT).await;
    assert_eq!(authors[..2], [vet.principal.account, desk.principal.account]);
}

async fn a_colleague_lends_nobody_their_rights(engine: Engine) {
    let practice = Practice::with_records(engine).await;
    let mut desk = connected(&practice, "desk").await;
    desk.offline();
    let weighed = desk.write(Kind::Patient, PATIENT, "weights/1/kg", "20");
    let mut vet = joined(&practice, "vet", &desk).await;
    let carried = signed_by(&desk, item(Kind::Patient, PATIENT, [raw(&weighed)]));
    let refused = vet.refusals_as_it_is(vec![carried]).await;
    assert_eq!(codes(&refused), [RefusalCode::NotPermitted]);
    // Nor can the vet sign for what was written in the desk's name.
    let taken_over = vet.signed(vec![item(Kind::Patient, PATIENT, [raw(&weighed)])]);
    let refused = vet.refusals_as_it_is(taken_over).await;
    assert_eq!(codes(&refused), [RefusalCode::ForeignActor]);
}

async fn who_has_left_can_have_nothing_carried(engine: Engine) {
    let practice = Practice::with_records(engine).await;
    let mut vet = connected(&practice, "vet").await;
    vet.offline();
    let named = vet.write(Kind::Patient, PATIENT, "name", "Rexie");
    let admin = practice.device("admin").await;
    let gone = crate::http::request(
        practice.address,
        axum::http::Method::DELETE,
        &format!("/api/v1/staff/{}", vet.principal.account),
        &[("authorization", &format!("Bearer {}", admin.token))],
        Vec::new(),
    )
    .await;
    assert_eq!(gone.status, 204, "{:?}", gone.body);
    let mut desk = joined(&practice, "desk", &vet).await;
    let carried = signed_by(&vet, item(Kind::Patient, PATIENT, [raw(&named)]));
    let refused = desk.refusals_as_it_is(vec![carried]).await;
    assert_eq!(codes(&refused), [RefusalCode::NotPermitted]);
}

async fn a_key_is_one_persons_on_one_device(engine: Engine) {
    let practice = Practice::with_records(engine).await;
    let mut vet = connected(&practice, "vet").await;
    vet.offline();
    let named = vet.write(Kind::Patient, PATIENT, "name", "Rexie");
    let carried = signed_by(&vet, item(Kind::Patient, PATIENT, [raw(&named)]));
    let mut elsewhere = connected(&practice, "desk").await;
    let refused = elsewhere.refusals_as_it_is(vec![carried]).await;
    assert_eq!(codes(&refused), [RefusalCode::NotSigned], "another device's key");

    let mut desk = joined(&practice, "desk", &vet).await;
    desk.offline();
    desk.dial().await;
    let mut hello = desk.hello();
    hello.signing_key = vet.key().public().into();
    desk.send(&shared_model::protocol::ClientMessage::Hello(hello))
        .await;
    assert_eq!(desk.goodbye().await, Goodbye::ForeignActor);
    desk.dial().await;
    let mut hello = desk.hello();
    hello.signing_key = [0; 32].into();
    desk.send(&shared_model::protocol::ClientMessage::Hello(hello))
        .await;
    assert_eq!(desk.goodbye().await, Goodbye::Malformed);
}

async fn a_key_is_entered_once(engine: Engine) {
    let practice = Practice::with_records(engine).await;
    let mut vet = connected(&practice, "vet").await;
    let registered = async || {
        let query = TrailQuery {
            account: Some(vet.principal.account),
            happenings: vec![Happening::SigningKeyRegistered.word().to_owned()],
            ..TrailQuery::default()
        };
        let told = practice.storage.trail(practice.clinic, query, 10).await;
        told.expect("read").told.len()
    };
    while registered().await == 0 {
        tokio::task::yield_now().await;
    }
    vet.offline();
    let mut again = vet;
    again.connect().await;
    again.settled().await;
    let query = TrailQuery {
        account: Some(again.principal.account),
        happenings: vec![Happening::SigningKeyRegistered.word().to_owned()],
        ..TrailQuery::default()
    };
    let told = practice.storage.trail(practice.clinic, query, 10).await;
    assert_eq!(told.expect("read").told.len(), 1);
}
