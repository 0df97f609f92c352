//! The client: one set of views over a native or a web host.

mod host;
mod text;

fn main() {
    #[cfg(feature = "web")]
    if let Some(scope) = host::web::worker_scope() {
        // The same bundle runs as the Worker that holds the core.
        console_error_panic_hook::set_once();
        return host::web::run_worker(scope);
    }
    dioxus::launch(root);
}

use dioxus::prelude::*;
fn root() -> Element {
    let _host = host::Host::start();
    rsx! { {text::app_name()} }
}
