//! What may not be left yet: a dialog or a gate stays open while something in it is under way, or has to be seen to first.
//!
//! Invariants: whatever holds it open says what happens instead of leaving, and holds it no longer than it lives. The
//! browser's ways back and forth lead out of it as little as its own.

#[cfg(feature = "web")]
use super::held_place::use_hold_place;
use dioxus::prelude::*;

/// Of the dialog or gate around.
#[derive(Clone, Copy)]
pub(crate) struct HeldOpen(CopyValue<Vec<Callback<()>>>);

/// For whatever can be left.
pub(crate) fn use_held_open() -> HeldOpen {
    use_context_provider(|| HeldOpen(CopyValue::new(Vec::new())))
}

impl HeldOpen {
    /// Leaves by `go`, unless something holds it open.
    pub(crate) fn leave(self, go: impl FnOnce()) {
        let instead = self.0.peek().last().copied();
        match instead {
            Some(instead) => instead.call(()),
            None => go(),
        }
    }

    fn hold(mut self, holds: bool, instead: Callback<()>) {
        // Whoever goes with what they were held in has nothing left to hold.
        if let Ok(mut holders) = self.0.try_write() {
            holders.retain(|holder| *holder != instead);
            if holds {
                holders.push(instead);
            }
        }
    }
}

/// While `holds`, what is around is not left; `instead` is called when somebody wants to.
pub(crate) fn use_hold_open(holds: bool, instead: Callback<()>) {
    #[cfg(feature = "web")]
    use_hold_place(holds, instead);
    let held = use_hook(try_consume_context::<HeldOpen>);
    use_effect(use_reactive!(|holds| {
        if let Some(held) = held {
            held.hold(holds, instead);
        }
    }));
    use_drop(move || {
        if let Some(held) = held {
            held.hold(false, instead);
        }
    });
}
