//! Messages and events in a few words, for the log.
//!
//! Invariant: nothing that chance outside the simulation decides (tokens) gets into them.

use local_core::{Event, HandInAnswer};
use shared_model::protocol::{self, ClientMessage, ServerMessage};

pub(crate) fn of_client(frame: &[u8]) -> String {
    match protocol::decode::<ClientMessage>(frame) {
        Ok(ClientMessage::Hello(hello)) => {
            let numbers: Vec<String> = hello.cursors.iter().map(|at| at.number.to_string()).collect();
            format!("hello at {}", numbers.join(" "))
        }
        Ok(ClientMessage::Push(push)) => {
            let changes: usize = push.items.iter().map(|item| item.changes.len()).sum();
            format!("push {} of {changes}", push.number)
        }
        Ok(ClientMessage::PageStored(number)) => format!("stored {number}"),
        Ok(ClientMessage::Ping) => "ping".to_owned(),
        Ok(ClientMessage::Renew(_)) => "renew".to_owned(),
        Ok(ClientMessage::Want(document)) => format!("want {document}"),
        Err(error) => error.to_string(),
    }
}

pub(crate) fn of_server(frame: &[u8]) -> String {
    match protocol::decode::<ServerMessage>(frame) {
        Ok(ServerMessage::Welcome(_)) => "welcome".to_owned(),
        Ok(ServerMessage::Goodbye(why)) => format!("goodbye, {why}"),
        Ok(ServerMessage::Page(page)) => {
            let entries = protocol::unpack(&page.body).map_or(0, |entries| entries.len());
            format!(
                "page {} to {} of {:?} with {entries}",
                page.number, page.cursor.number, page.cursor.feed
            )
        }
        Ok(ServerMessage::Accepted(accepted)) => {
            let codes: Vec<String> = accepted
                .refused
                .iter()
                .map(|refusal| format!("{:?}", refusal.code))
                .collect();
            format!("accepted {} but {codes:?}", accepted.push)
        }
        Ok(ServerMessage::Pong(_)) => "pong".to_owned(),
        Ok(ServerMessage::Snapshot(entry)) => format!("snapshot of {}", entry.document),
        Err(error) => error.to_string(),
    }
}

pub(crate) fn of_event(event: &Event) -> &'static str {
    match event {
        Event::SocketOpened => "that its socket is open",
        Event::SocketClosed { .. } => "that its socket has closed",
        Event::SessionRenewed(Some(_)) => "of fresh tokens",
        Event::SessionRenewed(None) => "that no fresh tokens came",
        Event::SessionRefused => "that its sign-in has ended",
        Event::HandedIn {
            answer: HandInAnswer::Kept(_),
            ..
        } => "that its work is with the administrators",
        Event::HandedIn { .. } => "that its work was not taken",
        Event::DeviceLost => "that it was lost",
        Event::NetworkHint => "that the network is back",
        _ => "something",
    }
}
