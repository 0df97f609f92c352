//! What a page has asked for and has no answer to yet, and what it watches.
//!
//! Invariant: asked again in the order in which it was asked first.

use super::{FromCore, ToCore};
use std::collections::BTreeMap;

/// Below every number that a page gives.
const SIGNING_IN: u64 = 0;
const SIGNING_OUT: u64 = 1;
const UNLOCKING: u64 = 2;
const LOCKING: u64 = 3;
const SETTING_PIN: u64 = 4;

#[derive(Default)]
pub(super) struct Unfinished(BTreeMap<u64, ToCore>);

impl Unfinished {
    pub(super) fn asked(&mut self, message: &ToCore) {
        let number = match message {
            ToCore::SignIn(_) => SIGNING_IN,
            ToCore::SignOut => SIGNING_OUT,
            ToCore::Command { ticket, .. } | ToCore::Decide { ticket, .. } | ToCore::Call { ticket, .. } => {
                *ticket
            }
            ToCore::Watch { watch, .. } => *watch,
            ToCore::Unwatch { watch } => {
                self.0.remove(watch);
                return;
            }
            ToCore::Unlock { .. } => UNLOCKING,
            ToCore::Lock(_) => LOCKING,
            ToCore::SetPin { .. } | ToCore::ForgetPin => SETTING_PIN,
            ToCore::NetworkHint
            | ToCore::RetryStorage
            | ToCore::Resume(_)
            | ToCore::Active
            | ToCore::Returned
            | ToCore::LockAfter { .. }
            | ToCore::RemoveMe
            | ToCore::BeginAnew => return,
        };
        self.0.insert(number, message.clone());
    }

    /// Somebody has locked. What the person who was here had begun about themselves ends with that, and is asked for nobody
    /// who comes after them.
    pub(super) fn locked(&mut self) {
        for number in [SIGNING_IN, SETTING_PIN] {
            self.0.remove(&number);
        }
    }

    pub(super) fn answered(&mut self, message: &FromCore) {
        let number = match message {
            FromCore::Answer { ticket, .. } | FromCore::Called { ticket, .. } => ticket,
            FromCore::SignIn(_) => &SIGNING_IN,
            FromCore::SignedIn(false) => &SIGNING_OUT,
            FromCore::Unlock(_) => &UNLOCKING,
            FromCore::Pin(_) => &SETTING_PIN,
            // Whoever signs out is out with it.
            FromCore::Locked(_) => {
                self.0.remove(&SIGNING_OUT);
                &LOCKING
            }
            _ => return,
        };
        self.0.remove(number);
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &ToCore> {
        self.0.values()
    }

    pub(super) fn signs_in(&self) -> bool {
        self.0.contains_key(&SIGNING_IN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::{Call, CallTrouble, Entrance, Locked, Secret};
    use local_core::{LeftOff, Query};
    use shared_model::time::Timestamp;

    #[test]
    fn what_has_no_answer_is_asked_again_in_order_and_what_is_watched_always() {
        let mut unfinished = Unfinished::default();
        let page = 7 << local_core::PAGE_BITS;
        let watch = |number| ToCore::Watch {
            watch: page + number,
            query: Query::Status,
        };
        let decide = |number| ToCore::Decide {
            ticket: page + number,
            decision: local_core::Decision::Again { rows: Vec::new() },
        };
        for message in [
            watch(1),
            decide(2),
            watch(3),
            decide(4),
            ToCore::NetworkHint,
            ToCore::SignOut,
        ] {
            unfinished.asked(&message);
        }
        unfinished.answered(&FromCore::Answer {
            ticket: page + 2,
            outcome: Ok(Timestamp(0)),
        });
        unfinished.answered(&FromCore::SignedIn(true));
        unfinished.asked(&ToCore::Unwatch { watch: page + 3 });
        let again = |unfinished: &Unfinished| format!("{:?}", unfinished.all().collect::<Vec<_>>());
        assert_eq!(
            again(&unfinished),
            format!("{:?}", [ToCore::SignOut, watch(1), decide(4)])
        );
        unfinished.answered(&FromCore::SignedIn(false));
        assert_eq!(again(&unfinished), format!("{:?}", [watch(1), decide(4)]));

        unfinished.asked(&ToCore::Call {
            ticket: page + 5,
            request: Call::me().request,
        });
        assert_eq!(unfinished.all().count(), 3);
        unfinished.answered(&FromCore::Called {
            ticket: page + 5,
            outcome: Err(CallTrouble::Unreachable),
        });
        assert_eq!(unfinished.all().count(), 2);

        unfinished.asked(&ToCore::SignIn(Entrance::Password {
            email: String::new(),
            password: Secret::default(),
            clinic: None,
        }));
        assert!(unfinished.signs_in());
        unfinished.answered(&FromCore::SignIn(Ok(())));
        assert!(!unfinished.signs_in());
    }

    #[test]
    fn what_somebody_had_begun_before_a_lock_is_asked_for_nobody_who_comes_after_them() {
        let sign_in = || {
            ToCore::SignIn(Entrance::Password {
                email: String::new(),
                password: Secret::default(),
                clinic: None,
            })
        };
        let locked = FromCore::Locked(Locked {
            people: Vec::new(),
            waiting: None,
            signs_in: true,
        });
        let mut unfinished = Unfinished::default();
        for message in [
            sign_in(),
            ToCore::SignOut,
            ToCore::Lock(LeftOff::default()),
            ToCore::SetPin {
                pin: Secret::default(),
                password: Secret::default(),
            },
        ] {
            unfinished.asked(&message);
        }
        unfinished.locked();
        unfinished.answered(&locked);
        assert_eq!(unfinished.all().count(), 0);

        // At the lock screen, where it is told again how many tries somebody has left, whoever signs in goes on.
        unfinished.asked(&sign_in());
        unfinished.answered(&locked);
        assert!(unfinished.signs_in());
    }
}
