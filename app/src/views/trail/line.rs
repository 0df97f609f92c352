//! One line of the trail: when, what, and where from; and the ways on from it.

use super::changed::Changed;
use super::days::Line;
use super::wanted::Group;
use super::wanted::{Wanted, What};
use crate::components::{
    MenuButton, MenuItem, PageLink, Tint, icon, icon_sm, use_element_id, use_today, use_zone,
};
use crate::route::Route;
use crate::text::{self, Piece};
use crate::views::outbox::record_of;
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::{
    LdArchiveRestore, LdArrowRight, LdCalendarDays, LdChevronDown, LdEllipsis, LdEye, LdFileText, LdFilter,
    LdKeyRound, LdLogIn, LdLogOut, LdMonitor, LdPencil, LdSettings, LdShieldAlert, LdStethoscope, LdUser,
    LdUserCog,
};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use shared_model::documents::Kind;
use shared_model::time::Timestamp;
use shared_model::trail::{Happening, MAX_LINES_OF_CHANGES, TrailEntry};

#[component]
pub(super) fn TrailLine(line: Line, about: String, wanted: Wanted) -> Element {
    let (today, zone) = (use_today(), use_zone());
    let entry = &line.entry;
    let time = text::time_of(line.last, &zone);
    let sentence = text::trail_sentence(entry, &about);
    let record = route_of(entry, &about);
    let mut beside: Vec<String> = text::trail_where(entry).into_iter().collect();
    beside.extend(text::trail_how(entry));
    if line.count > 1 {
        let count = i64::try_from(line.count).unwrap_or(i64::MAX);
        let first = beginning(&line, today, &zone);
        beside.push(if first == time {
            text::trail_times(count)
        } else {
            text::trail_between(count, first, time.clone())
        });
    }
    let (mark, tone) = mark_of(entry);
    let changes = changes_of(&line);
    let mut is_open = use_signal(|| false);
    let id = use_element_id("changed");
    let controls = is_open().then(|| id.clone());
    rsx! {
        li { class: "list__row trail__line",
            time { class: "trail__time", datetime: line.last.rfc3339(), {time} }
            span { class: "trail__mark", "data-tone": tone.word(), "aria-hidden": "true", {mark} }
            div { class: "list__main",
                p { class: "trail__what",
                    for piece in sentence {
                        match piece {
                            Piece::Words(words) => rsx! { {words} },
                            Piece::Who(name) => rsx! { b { {name} } },
                            Piece::Device(name) => rsx! { bdi { {name} } },
                            Piece::Record(name) => match record.clone() {
                                Some(to) => rsx! { PageLink { to, {name} } },
                                None => rsx! { b { {name} } },
                            },
                        }
                    }
                }
                if !beside.is_empty() {
                    p { class: "list__sub", {beside.join(text::middle_dot())} }
                }
                if let Some((lines, kind)) = changes {
                    button {
                        class: "trail__look",
                        r#type: "button",
                        "aria-expanded": is_open(),
                        "aria-controls": controls,
                        "aria-label": text::changed_look_at(text::trail_line(entry, &about)),
                        onclick: move |_| is_open.toggle(),
                        {text::changed_look()}
                        {icon_sm(LdChevronDown)}
                    }
                    if is_open() {
                        Changed { id, lines, kind, count: line.count, taken: line.last }
                    }
                }
            }
            Ways { entry: entry.clone(), last: line.last, about, wanted }
        }
    }
}

/// The lines whose changes can be looked at, the latest of them, and the kind of their record.
fn changes_of(line: &Line) -> Option<(Vec<String>, Kind)> {
    let entry = &line.entry;
    let is_a_change = !entry.is_happening && entry.document.is_some();
    let lines = line.ids.iter().take(MAX_LINES_OF_CHANGES).cloned();
    entry
        .kind
        .filter(|_| is_a_change)
        .map(|kind| (lines.collect(), kind))
}

/// "23:50" of the day that the line stands under, "Mon 30 Nov, 23:50" of another.
fn beginning(line: &Line, today: Date, zone: &TimeZone) -> String {
    let (date, time) = (line.first.date_in(zone), text::time_of(line.first, zone));
    if date == line.last.date_in(zone) {
        time
    } else {
        text::date_and_time(text::date_short(date, today), time)
    }
}

/// Whoever's record is here leads to it.
fn route_of(entry: &TrailEntry, about: &str) -> Option<Route> {
    if about.is_empty() {
        return None;
    }
    record_of(entry.kind?, entry.document?)
}

/// From a line to all that are like it. `last` is the time that the line shows.
#[component]
fn Ways(entry: TrailEntry, last: Timestamp, about: String, wanted: Wanted) -> Element {
    let navigator = use_navigator();
    let zone = use_zone();
    let what = What::of(&entry);
    let record = text::trail_record(&entry, &about);
    let mut items = Vec::new();
    if route_of(&entry, &about).is_some() {
        items.push(MenuItem::new(
            "open",
            text::trail_open(&record),
            icon(LdArrowRight),
        ));
    }
    let mut only = Vec::new();
    if entry.person.is_some() && wanted.person != entry.person {
        let name = text::trail_who(&entry);
        only.push(MenuItem::new(
            "person",
            text::trail_only_person(name),
            icon(LdUser),
        ));
    }
    if let Some(what) = what.filter(|what| wanted.what != Some(*what)) {
        only.push(MenuItem::new(
            "what",
            text::trail_only_this(what.name()),
            icon(LdFilter),
        ));
    }
    if let Some(name) = entry
        .device_name
        .as_deref()
        .filter(|_| wanted.device != entry.device)
    {
        let words = text::trail_only_device(text::trail_device(name));
        only.push(MenuItem::new("device", words, icon(LdMonitor)));
    }
    if entry.document.is_some() && wanted.document != entry.document {
        only.push(MenuItem::new(
            "record",
            text::trail_only_record(record),
            icon(LdFileText),
        ));
    }
    if let Some(first) = only.first_mut() {
        first.apart = !items.is_empty();
    }
    items.extend(only);
    let label = text::trail_more_of(text::time_of(last, &zone), text::trail_line(&entry, &about));
    let pick = move |key: String| {
        let wanted = match key.as_str() {
            "open" => {
                if let Some(to) = route_of(&entry, &about) {
                    drop(navigator.push(to));
                }
                return;
            }
            "person" => Wanted {
                person: entry.person,
                ..wanted
            },
            "what" => Wanted { what, ..wanted },
            "device" => Wanted {
                device: entry.device,
                ..wanted
            },
            _ => Wanted {
                document: entry.document,
                ..wanted
            },
        };
        drop(navigator.push(Route::Trail { wanted }));
    };
    rsx! {
        if !items.is_empty() {
            MenuButton { label, class: "btn btn--quiet btn--icon btn--sm trail__ways", items, on_pick: pick, {icon(LdEllipsis)} }
        }
    }
}

/// What kind of line it is, and whether it should worry anybody.
fn mark_of(entry: &TrailEntry) -> (Element, Tint) {
    let happening = entry.happening();
    let tone = match happening {
        Some(Happening::RefreshTokenReused | Happening::DeviceLost) => Tint::Danger,
        Some(Happening::SignInRefused | Happening::SecondFactorRefused | Happening::WorkRefused) => {
            Tint::Warn
        }
        Some(Happening::RolesChanged | Happening::SecondFactorRemoved | Happening::SignInRulesChanged) => {
            Tint::Violet
        }
        _ => Tint::Plain,
    };
    let mark = match happening {
        Some(Happening::SignInRefused | Happening::SecondFactorRefused | Happening::RefreshTokenReused) => {
            icon(LdShieldAlert)
        }
        Some(Happening::SignedOut | Happening::DeviceSignedOut) => icon(LdLogOut),
        Some(
            Happening::RecordRead
            | Happening::ChangeRead
            | Happening::TrailExported
            | Happening::LateWorkRead,
        ) => icon(LdEye),
        Some(Happening::RolesChanged) => icon(LdUserCog),
        _ => match What::of(entry).map(What::group) {
            Some(Group::PeopleAndAnimals) | None => icon(LdPencil),
            Some(Group::Appointments) => icon(LdCalendarDays),
            Some(Group::Visits) => icon(LdStethoscope),
            Some(Group::Settings) => icon(LdSettings),
            Some(Group::SignIns) => icon(LdLogIn),
            Some(Group::WaysIn) => icon(LdKeyRound),
            Some(Group::Staff) => icon(LdMonitor),
            Some(Group::Sent) => icon(LdArchiveRestore),
        },
    };
    (mark, tone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_began_before_midnight_says_on_which_day() {
        const MIDNIGHT: i64 = 1_796_079_600_000;
        let zone = TimeZone::get("Europe/Prague").expect("known");
        let begun = |first: i64| {
            let line = Line {
                entry: TrailEntry::new(String::new(), Timestamp(0), String::new()),
                ids: Vec::new(),
                first: Timestamp(MIDNIGHT + first),
                last: Timestamp(MIDNIGHT + 600_000),
                count: 3,
            };
            beginning(&line, jiff::civil::date(2026, 12, 9), &zone)
        };
        assert_eq!(begun(60_000), "00:01");
        assert_eq!(begun(-600_000), "Mon 30 Nov, 23:50");
    }
}
