//! Conversation: messages between a client and the clinic. A message stays as it was sent; its author can take it back.

use super::{Document, Made, Problem, Retracted};
use crate::ids::{ClientId, FileId, MessageId};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    pub id: MessageId,
    pub made: Made,
    pub body: String,
    pub file: Option<FileId>,
    pub retracted: Option<Retracted>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conversation {
    pub client: Option<ClientId>,
    pub subject: String,
    /// By time, oldest first.
    pub messages: Vec<Message>,
    pub closed_at: Option<Timestamp>,
}

impl Conversation {
    pub fn read(doc: &Document) -> (Self, Vec<Problem>) {
        let fields = doc.fields();
        let mut messages: Vec<Message> = Vec::new();
        for id in fields.entries::<MessageId>("messages") {
            let entry = format!("messages/{id}");
            let Some(made) = fields.made(&entry) else { continue };
            messages.push(Message {
                id,
                made,
                body: fields.owned(&format!("{entry}/body")),
                file: fields.id(&format!("{entry}/file")),
                retracted: fields.retracted(&entry),
            });
        }
        messages.sort_by_key(|message| (message.made.at, message.id));
        let conversation = Self {
            client: fields.id("client"),
            subject: fields.owned("subject"),
            messages,
            closed_at: fields.time("closed_at"),
        };
        (conversation, Vec::new())
    }
}
