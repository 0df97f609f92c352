//! What the simulation found: gaps in what a device has, and devices that stopped trying.

use crate::clinic::{CLINIC, Device};
use crate::server::{connect, entry, page, pushes, reconnect, says, sent, snapshot, wants};
use local_core::{Effect, Event, Query, Store, View};
use shared_model::SCHEMA_VERSION;
use shared_model::commands::EditClient;
use shared_model::documents::{Document, Kind};
use shared_model::ids::{ClientId, DocumentId};
use shared_model::protocol::{Accepted, Content, Goodbye, ServerMessage};

const HOUR_MS: i64 = 3_600_000;

fn stored(store: &Store, kind: Kind, id: DocumentId) -> (Document, Vec<u8>) {
    let bytes = store.document(id).unwrap().unwrap().bytes;
    (Document::load(kind, CLINIC, id, &bytes).unwrap(), bytes)
}

/// What another device wrote, as a page brings it.
fn clients(names: std::ops::Range<u32>) -> Vec<(ClientId, shared_model::protocol::Entry)> {
    let mut elsewhere = Device::new();
    names
        .map(|number| {
            let client = elsewhere.client(&"Longer ".repeat(9), &format!("Novak {number}"), "601555014");
            let (document, bytes) = stored(elsewhere.core.store(), Kind::Client, client.into());
            (client, snapshot(&document, bytes))
        })
        .collect()
}

fn accepted(push: u64, device: &Device) -> ServerMessage {
    ServerMessage::Accepted(Accepted {
        push,
        refused: Vec::new(),
        server_time: device.now,
    })
}

/// Until nothing more fits.
fn fill_disk(device: &Device) {
    let store = device.core.store();
    store.limit_pages(store.pages().unwrap()).unwrap();
}

fn make_room(device: &mut Device) -> Vec<Effect> {
    device.core.store().limit_pages(1 << 20).unwrap();
    device.handle(Event::RetryStorage)
}

fn address(device: &Device, client: ClientId) -> Option<String> {
    let (document, _) = stored(device.core.store(), Kind::Client, client.into());
    document.fields().text("address").map(ToOwned::to_owned)
}

#[test]
fn a_page_that_finds_no_room_leaves_no_gap_behind() {
    let mut device = Device::new();
    connect(&mut device);
    fill_disk(&device);
    let many: Vec<_> = clients(0..40).into_iter().map(|(_, entry)| entry).collect();
    let effects = says(&mut device, page(1, &many));
    assert!(effects.contains(&Effect::CloseSocket), "{effects:?}");
    assert_eq!(sent(&effects), []);

    // Room comes, and with it what was on its way behind the page.
    make_room(&mut device);
    let (late, next) = clients(40..41).remove(0);
    assert_eq!(sent(&says(&mut device, page(2, &[next]))), []);
    assert_eq!(device.look(Query::Client(late)), View::Missing);
    let (hello, _) = reconnect(&mut device);
    assert!(hello.cursors.is_empty(), "it asks from where it stands");
}

#[test]
fn an_answer_that_finds_no_room_is_asked_for_again() {
    let mut device = Device::new();
    let petra = device.client("Petra", "Novak", "601555014");
    let (_, effects) = connect(&mut device);
    let number = pushes(&effects)[0].number;
    device.core.store().forbid_writing(true).unwrap();
    let answer = accepted(number, &device);
    let effects = says(&mut device, answer);
    assert!(effects.contains(&Effect::CloseSocket), "{effects:?}");
    device.core.store().forbid_writing(false).unwrap();
    make_room(&mut device);
    let (_, effects) = reconnect(&mut device);
    let again = pushes(&effects);
    assert!(
        again
            .iter()
            .flat_map(|push| &push.items)
            .any(|item| item.document == petra.into()),
        "what nobody could note as accepted is sent again"
    );
}

#[test]
fn a_clock_that_goes_back_stops_no_device() {
    let mut device = Device::new();
    connect(&mut device);
    device.handle(Event::SocketClosed { dice: 0 });
    device.now.0 -= 3 * HOUR_MS;
    let effects = device.handle(Event::Tick);
    assert!(effects.contains(&Effect::OpenSocket), "{effects:?}");

    // Nor does it keep a connection for alive that has died.
    connect(&mut device);
    device.now.0 -= 3 * HOUR_MS;
    device.handle(Event::Tick);
    device.now.0 += 60_000;
    let effects = device.handle(Event::Tick);
    assert!(effects.contains(&Effect::CloseSocket), "{effects:?}");
}

#[test]
fn fresh_tokens_that_do_not_come_are_asked_for_again() {
    let mut device = Device::new();
    connect(&mut device);
    let effects = says(&mut device, ServerMessage::Goodbye(Goodbye::SignIn));
    assert!(effects.contains(&Effect::CloseSocket));
    for _ in 0..3 {
        let effects = device.handle(Event::SocketClosed { dice: 0 });
        let wake = effects.iter().find_map(|effect| match effect {
            Effect::WakeAt(at) => Some(*at),
            _ => None,
        });
        device.now = wake.expect("another attempt is planned");
        assert!(device.handle(Event::Tick).contains(&Effect::OpenSocket));
        let effects = device.handle(Event::SocketOpened);
        let asks = |effect: &Effect| matches!(effect, Effect::RenewSession { .. });
        assert!(effects.iter().any(asks), "{effects:?}");
        let effects = device.handle(Event::SessionRenewed(None));
        assert!(effects.contains(&Effect::CloseSocket), "{effects:?}");
    }
}

#[test]
fn a_document_that_comes_back_has_the_work_that_waits() {
    let mut device = Device::new();
    let petra = device.client("Petra", "Novak", "601555014");
    let (_, effects) = connect(&mut device);
    let number = pushes(&effects)[0].number;
    let answer = accepted(number, &device);
    says(&mut device, answer);
    let (before, bytes) = stored(device.core.store(), Kind::Client, petra.into());
    let mut edit = EditClient::of(petra);
    edit.address = Some("Long Street 5".to_owned());
    device.must(edit);

    // The device may not read it, then it may again; the server does not have the edit yet.
    says(
        &mut device,
        page(1, &[entry(Kind::Client, petra.into(), Content::Revoked)]),
    );
    assert_eq!(device.look(Query::Client(petra)), View::Missing);
    says(&mut device, page(2, &[snapshot(&before, bytes)]));
    assert_eq!(address(&device, petra).as_deref(), Some("Long Street 5"));

    // Nobody sends it what it wrote itself.
    let answer = accepted(number + 1, &device);
    says(&mut device, answer);
    assert_eq!(address(&device, petra).as_deref(), Some("Long Street 5"));
}

#[test]
fn a_document_that_comes_back_in_a_newer_form_is_asked_for_once_the_work_on_it_is_taken() {
    let mut device = Device::new();
    let petra = device.client("Petra", "Novak", "601555014");
    let (_, effects) = connect(&mut device);
    let number = pushes(&effects)[0].number;
    let answer = accepted(number, &device);
    says(&mut device, answer);
    let (before, bytes) = stored(device.core.store(), Kind::Client, petra.into());
    device.must(EditClient {
        address: Some("Long Street 5".to_owned()),
        ..EditClient::of(petra)
    });

    // It goes and comes back, in a form that this build cannot read; the server does not have the edit yet.
    let revoked = entry(Kind::Client, petra.into(), Content::Revoked);
    says(&mut device, page(1, &[revoked]));
    let mut newer = snapshot(&before, bytes);
    newer.schema_version = SCHEMA_VERSION + 1;
    says(&mut device, page(2, &[newer]));

    // The edit is taken. What lies here does not have it, and nobody sends it.
    let answer = accepted(number + 1, &device);
    let effects = says(&mut device, answer);
    assert_eq!(wants(&effects), [petra.into()]);
}
