//! Frames as either side gets them.

use shared_model::protocol::{self, ClientMessage, ServerMessage};

/// What can be read can be written again, and reads the same; what a page unpacks to is bounded.
pub fn frames(data: &[u8]) {
    if let Ok(message) = protocol::decode::<ClientMessage>(data) {
        let again = protocol::encode(&message);
        assert_eq!(protocol::decode::<ClientMessage>(&again), Ok(message));
    }
    if let Ok(message) = protocol::decode::<ServerMessage>(data) {
        let again = protocol::encode(&message);
        assert_eq!(protocol::decode::<ServerMessage>(&again), Ok(message));
    }
    if let Ok(entries) = protocol::unpack(data) {
        assert_eq!(protocol::unpack(&protocol::pack(&entries)), Ok(entries));
    }
}
