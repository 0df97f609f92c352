//! What the clinic could not take. It stays here, in words, until somebody has done it another way.

use super::outbox::record;
use crate::components::{EmptyState, PageLink, Pill, Tint, icon, icon_xl, use_minute, use_title, use_zone};
use crate::host::{self, Device, use_query};
use crate::route::Route;
use crate::text;
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::{LdCircleX, LdInbox};
use local_core::query::OutboxLine;
use local_core::{Query, View};

#[component]
pub(crate) fn NeedsAttentionPage() -> Element {
    use_title(text::needs_attention());
    let outbox = use_query(Query::Outbox);
    let outbox = outbox.read();
    let Some(View::Outbox(outbox)) = &*outbox else {
        return rsx! {};
    };
    if outbox.refused.is_empty() {
        return rsx! {
            EmptyState {
                icon: icon_xl(LdInbox),
                title: text::nothing_needs_you(),
                text: text::nothing_needs_you_why(),
                page: true,
                actions: rsx! {
                    PageLink { to: Route::Day {}, class: "btn", {text::back_to_day()} }
                },
            }
        };
    }
    let safe = match host::device() {
        Device::Computer => text::refused_safe_on_computer(),
        Device::Tablet => text::refused_safe_on_tablet(),
        Device::Phone => text::refused_safe_on_phone(),
    };
    let count = text::number(outbox.refused.len() as u64);
    rsx! {
        div { class: "page page--narrow stack",
            div { class: "page__head",
                h1 { {text::needs_attention()} }
                Pill { tone: Tint::Danger, icon: icon(LdInbox), {text::count_to_decide(count)} }
            }
            p { class: "sub prose", {safe} }
            div { class: "card",
                for line in outbox.refused.iter() {
                    RefusedLine { key: "{line.seq}", line: line.clone() }
                }
            }
        }
    }
}

#[component]
fn RefusedLine(line: OutboxLine) -> Element {
    let zone = use_zone();
    let today = use_minute().read().date_in(&zone);
    let Some((code, _)) = line.refused else {
        return rsx! {};
    };
    rsx! {
        section { class: "refused",
            div { class: "refused__head",
                h2 { class: "refused__title", {text::change(&line.verb, line.kind, &line.about)} }
                span { class: "faint", {text::written_at(text::moment(line.made_at, today, &zone))} }
            }
            p { class: "refused__reason",
                {icon(LdCircleX)}
                {text::refusal(code)}
            }
            if let Some(route) = record(line.kind, &line) {
                div { class: "refused__actions",
                    PageLink { to: route, class: "btn btn--sm btn--primary",
                        if line.about.is_empty() {
                            {text::open_record()}
                        } else {
                            {text::open_record_of(line.about.clone())}
                        }
                    }
                }
            }
        }
    }
}
