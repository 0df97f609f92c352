//! The client: one set of views over a native or a web host.

#![allow(
    unused_qualifications,
    reason = "rsx! writes out the paths of the events it attaches"
)]

mod components;
#[cfg(feature = "desktop")]
mod desktop;
mod host;
mod route;
mod text;
mod views;

use components::{Dialogs, HalfTypedFields, KeyBoard, ToastRegion, Toasts};
use dioxus::prelude::*;
use host::{Host, Stage};
use route::Route;
use views::{DoorPage, Doors, LockCover, LockPage, NoStorePage, OpeningPage, SignInPage};

#[cfg(feature = "desktop")]
fn main() {
    desktop::launch(root);
}

#[cfg(feature = "web")]
fn main() {
    console_error_panic_hook::set_once();
    match host::web::worker_scope() {
        // The same bundle runs as the Worker that holds the core.
        Some(scope) => host::web::run_worker(scope),
        None => dioxus::launch(root),
    }
}

fn root() -> Element {
    let host = use_context_provider(Host::start);
    use_context_provider(Toasts::new);
    #[cfg(feature = "desktop")]
    desktop::use_window(host);
    #[cfg(feature = "web")]
    use_hook(|| host.heed_leaving());
    #[cfg(feature = "web")]
    use_context_provider(components::HeldPlace::new);
    use_hook(|| host::listen_active(move || host.active()));
    use_returns(host);
    use_context_provider(KeyBoard::new);
    use_context_provider(Dialogs::new);
    use_context_provider(HalfTypedFields::new);
    let doors = use_context_provider(Doors::new);
    let stage = host.stage.read().clone();
    let page = rsx! {
        match (stage, doors.now()) {
            (Stage::Opening, _) => rsx! { OpeningPage {} },
            (Stage::NoStore(trouble), _) => rsx! { NoStorePage { trouble } },
            // It stays open behind them.
            (Stage::SignedOut, Some(door)) if door.waits_for_whoever_is_here() => rsx! { SignInPage {} },
            (Stage::Locked(locked), Some(door)) if door.waits_for_whoever_is_here() => rsx! { LockPage { locked } },
            (_, Some(door)) => rsx! { DoorPage { door } },
            (Stage::SignedOut, None) => rsx! { SignInPage {} },
            (Stage::SignedIn, None) => rsx! { Router::<Route> {} },
            (Stage::Locked(locked), None) => rsx! { LockPage { locked } },
        }
        LockCover {}
        ToastRegion {}
    };
    #[cfg(feature = "desktop")]
    let page = rsx! {
        desktop::Heard { {page} }
    };
    page
}

/// A machine that slept, or a page that the browser let rest, goes on where it was, except that its clock has moved.
fn use_returns(host: Host) {
    const LOOK_MS: u32 = 1_000;
    use_future(move || async move {
        loop {
            let before = host::now();
            host::sleep(LOOK_MS).await;
            host.returned(host::now().0 - before.0);
        }
    });
}
