//! The minute it is, so that the line at now and the waiting times go on while nobody does anything.

use crate::host;
use dioxus::prelude::*;
use shared_model::time::Timestamp;

/// How often to look, in milliseconds: often enough that a minute never shows late.
const LOOK: u32 = 5_000;

/// The device's clock, to the minute.
pub(super) fn use_minute() -> ReadSignal<Timestamp> {
    let whole = || Timestamp(host::now().0.div_euclid(60_000) * 60_000);
    let mut minute = use_signal(whole);
    use_future(move || async move {
        loop {
            host::sleep(LOOK).await;
            if *minute.peek() != whole() {
                minute.set(whole());
            }
        }
    });
    minute.into()
}
