//! Who did what: the clinic's trail for its administrators, the latest first, with filters, on paper and as a table.
//!
//! Invariant: what is looked for stands in the address, so that a reload, a bookmark and the way back show the same.

mod about;
mod changed;
mod days;
mod export;
mod line;
mod pages;
mod shown;
mod wanted;

pub(crate) use wanted::Wanted;

use crate::components::{
    EmptyState, PageLink, ServerSays, icon, icon_xl, use_clinic, use_may, use_minute, use_title, use_today,
    use_zone,
};
use crate::host;
use crate::route::Route;
use crate::text;
use crate::views::staff::NotForYou;
use about::{About, use_names};
use days::{Line, by_day};
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::{LdCalendarDays, LdHistory, LdPrinter, LdSearchX};
use export::ExportButton;
use jiff::civil::Date;
use line::TrailLine;
use pages::{More, use_pages};
use shared_model::ids::DocumentId;
use shared_model::permissions::Role;
use shown::{Seen, Shown};
use wanted::When;

#[component]
pub(crate) fn TrailPage(wanted: Wanted) -> Element {
    use_title(text::trail());
    if use_may(Role::ClinicAdministrator) {
        rsx! {
            Trail { wanted }
        }
    } else {
        rsx! {
            NotForYou { words: text::trail_only_administrators() }
        }
    }
}

/// The way to a record's own part of the trail, for those who may go it.
#[component]
pub(crate) fn TrailOfRecord(document: DocumentId) -> Element {
    rsx! {
        if use_may(Role::ClinicAdministrator) {
            PageLink { to: Route::Trail { wanted: Wanted::of(document) }, class: "btn btn--quiet btn--sm",
                {icon(LdHistory)}
                {text::trail_here()}
            }
        }
    }
}

#[component]
fn Trail(wanted: Wanted) -> Element {
    let (today, zone) = (use_today(), use_zone());
    let seen = use_signal(Seen::default);
    let query = wanted.query(today, &zone);
    rsx! {
        div { class: "page page--printed trail",
            div { class: "page__head",
                h1 { {text::trail()} }
                Printed { wanted }
                div { class: "push",
                    button { class: "btn btn--icon", r#type: "button", "aria-label": text::trail_print(), onclick: move |_| host::print_page(),
                        {icon(LdPrinter)}
                    }
                    ExportButton { key: "{wanted}", wanted }
                }
            }
            Shown { wanted, seen }
            if let Some((from, to)) = wanted.backwards() {
                Backwards { from, to, wanted }
            } else {
                for query in [query] {
                    Listed { key: "{query}", query, wanted, seen }
                }
            }
        }
    }
}

/// On paper: whose list it is, and of when.
#[component]
fn Printed(wanted: Wanted) -> Element {
    let (clinic, zone) = (use_clinic(), use_zone());
    let minute = use_minute();
    let today = use_today();
    let clinic = clinic.read();
    let Some(clinic) = clinic.as_ref() else {
        return VNode::empty();
    };
    let by = clinic.me.as_ref().map(|me| me.name.clone()).unwrap_or_default();
    let when = text::date_and_time(text::date_plain(today), text::time_of(*minute.read(), &zone));
    rsx! {
        p { class: "trail__printed", "aria-hidden": "true",
            {clinic.profile.name.clone()}
            {text::middle_dot()}
            {text::trail_printed(by, when)}
        }
    }
}

#[component]
fn Listed(query: String, wanted: Wanted, seen: Signal<Seen>) -> Element {
    let (pages, asking) = use_pages(&query);
    let (zone, today) = (use_zone(), use_today());
    let mut seen = seen;
    use_effect(move || {
        if let Some(fetched) = &*pages.fetched.read() {
            seen.write().add(&fetched.entries);
        }
    });
    let fetched = pages.fetched.read();
    let about = use_names(fetched.as_ref().map_or(&[], |fetched| &fetched.entries));
    let Some(fetched) = &*fetched else {
        return rsx! {
            ServerSays { asking }
            if !asking.has_trouble() {
                Skeleton {}
            }
        };
    };
    let days = by_day(&fetched.entries, &zone);
    let old = asking.heard_at().filter(|_| asking.has_trouble());
    let old = old.map(|at| {
        text::date_and_time(
            text::date_short(at.date_in(&zone), today),
            text::time_of(at, &zone),
        )
    });
    rsx! {
        ServerSays { asking }
        if let Some(at) = old {
            p { class: "trail__printed", {text::trail_printed_old(at)} }
        }
        if !days.is_empty() {
            p { class: "trail__times", {text::trail_times_are()} }
        }
        if days.is_empty() {
            Nothing { wanted }
        }
        for day in days {
            section { key: "{day.date}", class: "trail__day", "aria-labelledby": "day-{day.date}",
                h2 { id: "day-{day.date}", class: "trail__date", {day_name(day.date, today)} }
                ol { class: "card list",
                    for line in day.lines {
                        One { key: "{line.key()}", line, about: about.clone(), wanted }
                    }
                }
            }
        }
        if !fetched.entries.is_empty() {
            Earlier { pages }
        }
    }
}

/// "Today", "Friday 27 November".
fn day_name(date: Date, today: Date) -> String {
    let near = text::date_short(date, today);
    let is_near = date == today || today.yesterday().is_ok_and(|yesterday| date == yesterday);
    if is_near {
        text::date_and_time(near, text::date_long(date, today))
    } else {
        text::date_long(date, today)
    }
}

#[component]
fn One(line: Line, about: About, wanted: Wanted) -> Element {
    let about = about.name(line.entry.document);
    rsx! {
        TrailLine { line, about: about.unwrap_or_default(), wanted }
    }
}

const BEGINNING_ID: &str = "trail-beginning";

/// More of it on demand, or that there is no more.
#[component]
fn Earlier(pages: pages::Pages) -> Element {
    let fetched = pages.fetched.read();
    let goes_on = fetched.as_ref().is_some_and(|fetched| fetched.next.is_some());
    let more = pages.more.read().clone();
    let zone = use_zone();
    rsx! {
        if goes_on {
            p { class: "trail__printed", {text::trail_printed_earlier()} }
        }
        div { class: "trail__more",
            if let More::Failed(why) = &more {
                p { class: "field__error", role: "alert", {text::call_trouble_line(why)} }
            }
            p { class: "visually-hidden", role: "status",
                if let More::Came(count) = &more {
                    {text::trail_lines_more(*count)}
                }
            }
            if goes_on {
                button {
                    class: "btn",
                    r#type: "button",
                    "aria-disabled": (more == More::Asked).then_some("true"),
                    onclick: move |_| pages.fetch_more(zone.clone()),
                    if more == More::Asked {
                        {text::asking_clinic()}
                    } else {
                        {text::trail_earlier()}
                    }
                }
            } else {
                p {
                    class: "faint",
                    id: BEGINNING_ID,
                    tabindex: "-1",
                    // The button that had the focus is no more.
                    onmounted: move |_| {
                        if matches!(*pages.more.peek(), More::Came(_)) {
                            host::focus(BEGINNING_ID);
                        }
                    },
                    {text::trail_beginning()}
                }
            }
        }
    }
}

/// Days that no line can lie between.
#[component]
fn Backwards(from: Date, to: Date, wanted: Wanted) -> Element {
    let today = use_today();
    let day = |date: Date| text::date_short(date, today);
    let turned = Wanted {
        when: Some(When::Days(Some(to), Some(from))),
        ..wanted
    };
    rsx! {
        EmptyState {
            icon: icon_xl(LdCalendarDays),
            title: text::trail_backwards(),
            text: text::trail_backwards_do(day(from), day(to)),
            actions: rsx! {
                PageLink { to: Route::Trail { wanted: turned }, class: "btn", {text::trail_turn_round(day(to), day(from))} }
            },
        }
    }
}

#[component]
fn Nothing(wanted: Wanted) -> Element {
    let (icon_of, title, words) = if wanted.is_anything() {
        (
            icon_xl(LdHistory),
            text::trail_nothing(),
            text::trail_nothing_text(),
        )
    } else if wanted.is_a_period() {
        (
            icon_xl(LdHistory),
            text::trail_nothing_then(),
            text::trail_nothing_then_do(),
        )
    } else {
        (
            icon_xl(LdSearchX),
            text::trail_nothing_fits(),
            text::trail_nothing_fits_do(),
        )
    };
    rsx! {
        EmptyState {
            icon: icon_of,
            title,
            text: words,
            actions: rsx! {
                if !wanted.is_anything() {
                    PageLink { to: Route::Trail { wanted: Wanted::default() }, class: "btn", {text::trail_clear()} }
                }
            },
        }
    }
}

/// Where lines will be, until the clinic has answered.
#[component]
fn Skeleton() -> Element {
    rsx! {
        div { class: "card list trail__waits", "aria-hidden": "true",
            for index in 0..8 {
                div { key: "{index}", class: "list__row",
                    span { class: "waits waits--mark" }
                    span { class: "list__main",
                        span { class: "waits waits--line" }
                        span { class: "waits waits--short" }
                    }
                }
            }
        }
    }
}
