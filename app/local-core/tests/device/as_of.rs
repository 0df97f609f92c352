//! How old what one looks at may be: the last moment at which everything had arrived.

use crate::clinic::Device;
use crate::server::{connect, page, says};
use local_core::query::StatusView;
use local_core::{Event, Query, Receipt, View};
use shared_model::ids::ClientId;
use shared_model::permissions::{Feed, Principal, Role};
use shared_model::protocol::{self, Cursor, Page, ServerMessage, Welcome};

fn status(device: &mut Device) -> StatusView {
    match device.look(Query::Status) {
        View::Status(status) => status,
        other => panic!("no status: {other:?}"),
    }
}

#[test]
fn it_is_as_old_as_the_moment_when_everything_had_arrived() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("clinic.db");
    let mut device = Device::on(rusqlite::Connection::open(&file).unwrap());
    device.vet_signs_in();
    connect(&mut device);
    let shown = status(&mut device);
    assert_eq!(
        (shown.as_of, shown.catching_up),
        (None, true),
        "the clinic has more than is here"
    );
    says(&mut device, page(7, &[]));
    assert!(status(&mut device).catching_up, "one step before its head");
    says(&mut device, page(8, &[]));
    assert_eq!(
        (status(&mut device).as_of, status(&mut device).catching_up),
        (Some(device.now), false)
    );

    // As long as the clinic is heard, it is as of now.
    device.now = device.now.plus_minutes(3);
    let heard = device.now;
    says(&mut device, ServerMessage::Pong(heard));
    device.now = device.now.plus_minutes(10);
    device.handle(Event::SocketClosed { dice: 0 });
    assert_eq!(status(&mut device).as_of, Some(heard));

    drop(device);
    let mut again = Device::on(rusqlite::Connection::open(&file).unwrap());
    again.now = heard.plus_minutes(600);
    again.handle(Event::Started);
    assert_eq!(
        status(&mut again).as_of,
        Some(heard),
        "the program may end meanwhile"
    );
}

#[test]
fn a_greeting_alone_brings_nothing_up_to_date() {
    let mut device = Device::new();
    connect(&mut device);
    says(&mut device, page(4, &[]));
    device.now = device.now.plus_minutes(1);
    device.handle(Event::SocketClosed { dice: 0 });
    assert_eq!(status(&mut device).as_of, None);
    assert!(status(&mut device).last_heard.is_some());
}

#[test]
fn a_feed_of_which_nothing_has_come_stands_at_its_beginning() {
    let mut device = Device::new();
    device.handle(Event::SocketOpened);
    let client = ClientId(device.id());
    let principal = Principal {
        roles: vec![Role::Owner],
        client: Some(client),
        ..device.core.principal().unwrap().clone()
    };
    let own = Feed::Client(client);
    let welcome = Welcome {
        principal,
        heads: vec![(Feed::Everyone, 9), (own, 9)],
        server_time: device.now,
    };
    says(&mut device, ServerMessage::Welcome(welcome));
    let page = Page {
        number: 1,
        cursor: Cursor {
            feed: Feed::Everyone,
            number: 4,
            bootstrap: None,
        },
        body: protocol::pack(&[]).into(),
    };
    says(&mut device, ServerMessage::Page(page));
    assert_eq!(device.core.standing().2, [(Feed::Everyone, 4), (own, 0)]);
}

#[test]
fn every_record_has_its_receipt() {
    let mut device = Device::new();
    let petra = device.client("Petra", "Novak", "601555014");
    let rex = device.pet(petra, "Rex", "");
    let appointment = device.book(petra, rex, 600);
    let expected = Receipt {
        waiting: 1,
        saved_at: Some(device.now),
        confirmed_at: None,
    };
    assert_eq!(
        device.look(Query::Receipt(appointment.into())),
        View::Receipt(expected)
    );
}
