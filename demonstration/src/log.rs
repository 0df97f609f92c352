//! What was done, by whom, when; in any order until `finish` sorts it.

use crate::Deed;
use crate::dice::Dice;
use automerge::ActorId;
use shared_model::commands::Command;
use shared_model::documents::Stamp;
use shared_model::ids::AccountId;
use shared_model::time::Timestamp;

/// Somebody of the team at their own device.
#[derive(Clone)]
pub(crate) struct Person {
    pub(crate) account: AccountId,
    actor: ActorId,
}

impl Person {
    pub(crate) fn new(dice: &mut Dice, account: AccountId) -> Self {
        Self {
            account,
            actor: ActorId::from(dice.bytes::<16>()),
        }
    }
}

#[derive(Default)]
pub(crate) struct Log(Vec<Deed>);

impl Log {
    pub(crate) fn add(&mut self, now: Timestamp, by: &Person, command: impl Into<Command>) {
        let stamp = Stamp {
            now,
            actor: by.actor.clone(),
            account: by.account,
        };
        self.0.push(Deed {
            stamp,
            command: command.into(),
        });
    }

    /// The newest deed that `wanted` takes.
    pub(crate) fn last_mut(&mut self, wanted: impl Fn(&Command) -> bool) -> Option<&mut Deed> {
        self.0
            .iter_mut()
            .filter(|deed| wanted(&deed.command))
            .max_by_key(|deed| deed.stamp.now)
    }

    /// In time order; what happened at the same moment stays as it was told.
    pub(crate) fn finish(mut self) -> Vec<Deed> {
        self.0.sort_by_key(|deed| deed.stamp.now);
        self.0.shrink_to_fit();
        self.0
    }
}
