//! The clinic's records arrive for the first time. Today's come first; the rest can be left to itself.

use crate::components::{Tint, icon};
use crate::text;
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::LdDownload;
use local_core::query::FirstSync;

/// Instead of a page, until there is something to work with.
#[component]
pub(crate) fn FirstSyncPage(progress: FirstSync) -> Element {
    rsx! {
        div { class: "first-fetch",
            div { class: "first-fetch__head",
                h1 { {text::getting_records()} }
                p { class: "sub", {text::getting_records_first()} }
            }
            Progress { progress }
        }
    }
}

/// Across the top of a page, while the rest arrives.
#[component]
pub(crate) fn FirstSyncLine(progress: FirstSync) -> Element {
    rsx! {
        div { class: "banner", "data-tone": Tint::Info.word(),
            {icon(LdDownload)}
            div { class: "banner__text", Progress { progress } }
        }
    }
}

#[component]
fn Progress(progress: FirstSync) -> Element {
    // The count can be behind what arrived while somebody writes at the clinic.
    let total = progress.total.max(progress.received);
    let words = if total == 0 {
        text::records_to_come().to_owned()
    } else {
        text::records_arrived(text::number(progress.received), text::number(total))
    };
    rsx! {
        div { class: "progress",
            div { class: "progress__words",
                span { id: "arrived", {words} }
                if progress.usable {
                    span { {text::rest_arrives()} }
                }
            }
            progress {
                class: "progress__bar",
                max: "{total.max(1)}",
                // Without a value it says that something goes on, and not how far it is.
                value: (total > 0).then(|| progress.received.to_string()),
                "aria-labelledby": "arrived",
            }
        }
    }
}
