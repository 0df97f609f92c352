//! The people of an animal, and how to reach them.

use crate::components::{Avatar, Tint, icon, use_zone};
use crate::route::Route;
use crate::text;
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::LdPhone;
use local_core::query::PatientView;

#[component]
pub(super) fn Owners(view: PatientView) -> Element {
    let zone = use_zone();
    let since = |id| {
        let ownership = view
            .patient
            .owners
            .iter()
            .find(|ownership| ownership.client == id);
        ownership
            .filter(|ownership| ownership.since.0 > 0)
            .map(|ownership| {
                let date = ownership.since.date_in(&zone);
                text::owner_since(text::month(date.month()), date.year())
            })
    };
    rsx! {
        section { class: "card", "aria-labelledby": "owner-title",
            div { class: "card__head",
                h2 { class: "card__title", id: "owner-title", {text::owner_title()} }
            }
            div { class: "list",
                if view.owners.is_empty() {
                    div { class: "list__row",
                        p { class: "sub", {text::no_owner()} }
                    }
                }
                for owner in view.owners.clone() {
                    div { key: "{owner.id}", class: "list__row",
                        Avatar { initials: text::initials(&owner.name), tone: Tint::Info }
                        div { class: "list__main",
                            div { class: "list__title",
                                Link { to: Route::Client { id: owner.id }, {owner.name.clone()} }
                            }
                            if let Some(since) = since(owner.id) {
                                div { class: "list__sub", {since} }
                            }
                        }
                    }
                    if !owner.phone.is_empty() {
                        div { class: "contact",
                            {icon(LdPhone)}
                            a { href: "tel:{owner.phone}", {owner.phone.clone()} }
                        }
                    }
                }
            }
        }
    }
}
