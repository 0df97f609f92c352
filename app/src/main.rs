//! The client: one set of views over a native or a web host.

#![allow(unused_qualifications, reason = "rsx! writes out the paths of the events it attaches")]

mod components;
mod host;
mod route;
mod text;
mod views;

use components::{Dialogs, KeyBoard, ToastRegion, Toasts};
use dioxus::prelude::*;
use host::{Host, Stage};
use route::Route;
use views::{NoStorePage, OpeningPage, SignInPage};

fn main() {
    #[cfg(feature = "web")]
    if let Some(scope) = host::web::worker_scope() {
        // The same bundle runs as the Worker that holds the core.
        console_error_panic_hook::set_once();
        return host::web::run_worker(scope);
    }
    dioxus::launch(root);
}

fn root() -> Element {
    let host = use_context_provider(Host::start);
    use_context_provider(|| Toasts::new(host));
    use_context_provider(KeyBoard::new);
    use_context_provider(Dialogs::new);
    let stage = host.stage.read().clone();
    rsx! {
        match stage {
            Stage::Opening => rsx! { OpeningPage {} },
            Stage::NoStore(trouble) => rsx! { NoStorePage { trouble } },
            Stage::SignedOut => rsx! { SignInPage {} },
            Stage::SignedIn => rsx! { Router::<Route> {} },
        }
        ToastRegion {}
    }
}
