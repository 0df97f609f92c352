//! Recovery codes that are on their way, or on the screen and not kept yet. Invariant: however they go, their person hears of
//! it and is offered new ones.

use crate::components::use_leaving;
use crate::host::{self, CallTrouble, use_host};
use dioxus::prelude::*;
use shared_model::ids::AccountId;
use shared_model::time::Timestamp;

#[derive(Clone, Copy)]
pub(in crate::views) struct AtStake {
    /// As long as they are.
    since: CopyValue<Option<Timestamp>>,
    /// An answer was lost: no later one says that there are none.
    is_open: CopyValue<bool>,
}

/// `whose` they are, if it is somebody who is signed in here; `seen` if they are on the screen.
pub(in crate::views) fn use_codes_at_stake(whose: Option<AccountId>, seen: bool) -> AtStake {
    let host = use_host();
    let since = use_hook(|| CopyValue::new(None::<Timestamp>));
    let is_open = use_hook(|| CopyValue::new(false));
    let nothing_to_send = use_callback(|()| {});
    use_leaving(move || since.peek().is_some(), nothing_to_send);
    use_drop(move || {
        let since = *since.peek();
        if let Some(since) = since {
            host.note_unkept_codes(whose, since, seen);
        }
    });
    AtStake { since, is_open }
}

impl AtStake {
    pub(in crate::views) fn begins(mut self) {
        let since = *self.since.peek();
        self.since.set(Some(since.unwrap_or_else(host::now)));
    }

    /// They are kept, or their person has been told.
    pub(in crate::views) fn ends(mut self) {
        self.since.set(None);
        self.is_open.set(false);
    }

    /// The clinic has answered, or nobody hears any more what it answers: a device that locks tells whoever waits that their
    /// session has ended.
    pub(in crate::views) fn answered<A>(mut self, outcome: &Result<A, CallTrouble>) {
        match outcome {
            Ok(_) => self.ends(),
            Err(why) if why.leaves_open_whether_done() || *why == CallTrouble::SignInAgain => {
                self.is_open.set(true);
            }
            Err(_) if *self.is_open.peek() => {}
            Err(_) => self.ends(),
        }
    }
}
