//! Leaving the page with something typed that is not recorded yet.
//!
//! A page that goes takes its Worker along, in the middle of whatever that does: only what was answered is durable.
//! Invariant: what is typed is sent when the page is about to go, and until it is durable the browser asks first. A
//! desktop window waits by itself (`desktop::use_closing`).

#[cfg(feature = "web")]
use crate::host;
use dioxus::prelude::*;
#[cfg(feature = "web")]
use futures_channel::mpsc::unbounded;
#[cfg(feature = "web")]
use futures_util::StreamExt;

/// As long as the component lives: `record` is called when the page is about to go while `is_unrecorded`.
pub(crate) fn use_leaving(is_unrecorded: impl Fn() -> bool + 'static, record: Callback) {
    #[cfg(feature = "web")]
    use_hook(move || {
        let (leaving, mut heard) = unbounded::<()>();
        let listening = host::listen_leaving(move || {
            let asks = is_unrecorded();
            asks && leaving.unbounded_send(()).is_ok()
        });
        spawn(async move {
            let _listening = listening;
            while heard.next().await.is_some() {
                record.call(());
            }
        });
    });
    #[cfg(not(feature = "web"))]
    let _ = (is_unrecorded, record);
}
