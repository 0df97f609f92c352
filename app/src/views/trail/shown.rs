//! What is looked for, in sight and to be changed: who, what, when, on which device, of which record.

use super::wanted::{Group, Wanted, What, When};
use crate::components::{icon, icon_sm, use_asked, use_today};
use crate::host::{Call, use_query};
use crate::route::Route;
use crate::text;
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::{LdChevronDown, LdX};
use jiff::civil::Date;
use local_core::{Query, View};
use shared_model::accounts::Member;
use shared_model::documents::Kind;
use shared_model::ids::{AccountId, DeviceId, DocumentId};
use shared_model::trail::TrailEntry;
use std::collections::{BTreeMap, BTreeSet};

/// Whom and what the lines have named since the page was opened: what can be looked for beyond the clinic's own list.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Seen {
    people: BTreeMap<AccountId, String>,
    devices: BTreeMap<DeviceId, SeenDevice>,
    kinds: BTreeMap<DocumentId, Kind>,
}

/// Several people may work on it.
#[derive(Clone, Debug, Default, PartialEq)]
struct SeenDevice {
    name: String,
    people: BTreeSet<String>,
}

impl SeenDevice {
    /// Two may have one name: they are told apart by who works on them.
    fn in_a_list(&self) -> String {
        let people: Vec<&str> = self.people.iter().map(String::as_str).collect();
        if people.is_empty() {
            self.name.clone()
        } else {
            text::trail_device_of(&self.name, people.join(", "))
        }
    }
}

impl Seen {
    pub(super) fn add(&mut self, entries: &[TrailEntry]) {
        for entry in entries {
            if let (Some(person), Some(name)) = (entry.person, &entry.person_name) {
                self.people.insert(person, name.clone());
            }
            if let (Some(device), Some(name)) = (entry.device, &entry.device_name) {
                let seen = self.devices.entry(device).or_default();
                seen.name = text::trail_device(name).to_owned();
                seen.people.extend(entry.person_name.clone());
            }
            if let (Some(document), Some(kind)) = (entry.document, entry.kind) {
                self.kinds.insert(document, kind);
            }
        }
    }
}

#[component]
pub(super) fn Shown(wanted: Wanted, seen: Signal<Seen>) -> Element {
    let navigator = use_navigator();
    let go = use_callback(move |wanted: Wanted| drop(navigator.push(Route::Trail { wanted })));
    // Days are tried out: the way back leads past them.
    let amend = use_callback(move |wanted: Wanted| drop(navigator.replace(Route::Trail { wanted })));
    rsx! {
        section { class: "trail__shown", "aria-label": text::trail_filter(),
            Who { wanted, seen, go }
            Kinds { wanted, go }
            Period { wanted, go, amend }
            Devices { wanted, seen, go }
            if let Some(document) = wanted.document {
                Record { key: "{document}", document, wanted, seen, go }
            }
            if !wanted.is_anything() {
                button { class: "btn btn--quiet btn--sm", r#type: "button", onclick: move |_| go.call(Wanted::default()),
                    {text::trail_clear()}
                }
            }
        }
    }
}

/// One of many, as a pill that says what is chosen, and takes it away again.
#[component]
fn Pick(
    #[props(into)] id: String,
    #[props(into)] label: String,
    /// What the choice is called while there is one.
    #[props(default)]
    chosen: Option<String>,
    value: String,
    on_pick: EventHandler<String>,
    children: Element,
) -> Element {
    let is_chosen = chosen.is_some().then_some("");
    rsx! {
        div { class: "pick", "data-chosen": is_chosen,
            label { class: "visually-hidden", r#for: id.clone(), {label} }
            select {
                id,
                class: "pick__select",
                autocomplete: "off",
                value,
                onchange: move |event| on_pick.call(event.value()),
                {children}
            }
            if let Some(chosen) = chosen {
                button {
                    class: "pick__away",
                    r#type: "button",
                    "aria-label": text::trail_remove(chosen),
                    onclick: move |_| on_pick.call(String::new()),
                    {icon_sm(LdX)}
                }
            } else {
                {icon_sm(LdChevronDown)}
            }
        }
    }
}

/// An option of a list.
#[component]
fn Choice(value: String, chosen: bool, #[props(into)] words: String) -> Element {
    rsx! {
        option { value, selected: chosen, {words} }
    }
}

#[component]
fn Who(wanted: Wanted, seen: Signal<Seen>, go: EventHandler<Wanted>) -> Element {
    let (members, _) = use_asked(Call::staff());
    let members: Vec<Member> = members.unwrap_or_default();
    let mut staff: Vec<(AccountId, String)> = members
        .into_iter()
        .map(|member| (member.account, member.full_name))
        .collect();
    staff.sort_by_key(|(_, name)| name.to_lowercase());
    let seen = seen.read();
    let is_staff = |account: &AccountId| staff.iter().any(|(known, _)| known == account);
    let mut others: Vec<(AccountId, String)> = seen
        .people
        .iter()
        .filter(|(account, _)| !is_staff(account))
        .map(|(account, name)| (*account, name.clone()))
        .collect();
    others.sort_by_key(|(_, name)| name.to_lowercase());
    // An address may name somebody of whom there is no line.
    if let Some(person) = wanted
        .person
        .filter(|person| !is_staff(person) && !seen.people.contains_key(person))
    {
        others.push((person, text::trail_nobody_known().to_owned()));
    }
    let name = |account: AccountId| {
        let mut all = staff.iter().chain(&others);
        all.find(|(known, _)| *known == account)
            .map(|(_, name)| name.clone())
    };
    rsx! {
        Pick {
            id: "trail-who",
            label: text::trail_label_who(),
            chosen: wanted.person.and_then(name),
            value: wanted.person.map(|person| person.to_string()).unwrap_or_default(),
            on_pick: move |picked: String| go.call(Wanted { person: AccountId::parse(&picked), ..wanted }),
            Choice { value: "", chosen: wanted.person.is_none(), words: text::trail_anybody() }
            for (account , name) in staff.clone() {
                Choice { key: "{account}", value: account.to_string(), chosen: wanted.person == Some(account), words: name }
            }
            if !others.is_empty() {
                optgroup { label: text::trail_others(),
                    for (account , name) in others.clone() {
                        Choice { key: "{account}", value: account.to_string(), chosen: wanted.person == Some(account), words: name }
                    }
                }
            }
        }
    }
}

#[component]
fn Kinds(wanted: Wanted, go: EventHandler<Wanted>) -> Element {
    let what = wanted.what;
    rsx! {
        Pick {
            id: "trail-what",
            label: text::trail_label_what(),
            chosen: what.map(|what| what.name().to_owned()),
            value: what.map(What::word).unwrap_or_default().to_owned(),
            on_pick: move |picked: String| go.call(Wanted { what: What::from_word(&picked), ..wanted }),
            Choice { value: "", chosen: what.is_none(), words: text::trail_everything() }
            for group in Group::ALL {
                optgroup { key: "{group:?}", label: group.name(),
                    Choice {
                        value: What::All(group).word(),
                        chosen: what == Some(What::All(group)),
                        words: text::trail_all_of(group.name()),
                    }
                    for kind in group.kinds() {
                        Choice { key: "{kind.word()}", value: kind.word(), chosen: what == Some(kind), words: kind.name() }
                    }
                }
            }
        }
    }
}

#[component]
fn Period(wanted: Wanted, go: EventHandler<Wanted>, amend: EventHandler<Wanted>) -> Element {
    let today = use_today();
    let when = wanted.when;
    let periods = [
        ("today", When::Today, text::today()),
        ("week", When::LastWeek, text::trail_last_week()),
        ("month", When::LastMonth, text::trail_last_month()),
        ("days", When::Days(None, None), text::trail_from_to()),
    ];
    let is_it = move |period: When| match (when, period) {
        (Some(When::Days(..)), When::Days(..)) => true,
        (when, period) => when == Some(period),
    };
    let value = periods
        .iter()
        .find(|(_, period, _)| is_it(*period))
        .map_or("", |(key, ..)| key);
    rsx! {
        Pick {
            id: "trail-when",
            label: text::trail_label_when(),
            chosen: when.map(|when| when.name(today)),
            value: value.to_owned(),
            on_pick: move |picked: String| {
                let period = periods.iter().find(|(key, ..)| *key == picked);
                go.call(Wanted { when: period.map(|(_, period, _)| *period), ..wanted });
            },
            Choice { value: "", chosen: when.is_none(), words: text::trail_any_time() }
            for (key , period , words) in periods {
                Choice { key: "{key}", value: key, chosen: is_it(period), words }
            }
        }
        if let Some(When::Days(from, to)) = when {
            DayField {
                id: "trail-from",
                label: text::trail_from(),
                day: from,
                on_pick: move |from| amend.call(Wanted { when: Some(When::Days(from, to)), ..wanted }),
            }
            DayField {
                id: "trail-to",
                label: text::trail_to(),
                day: to,
                on_pick: move |to| amend.call(Wanted { when: Some(When::Days(from, to)), ..wanted }),
            }
        }
    }
}

#[component]
fn DayField(
    #[props(into)] id: String,
    #[props(into)] label: String,
    day: Option<Date>,
    on_pick: EventHandler<Option<Date>>,
) -> Element {
    rsx! {
        div { class: "pick pick--day",
            label { class: "pick__label", r#for: id.clone(), {label} }
            input {
                id,
                class: "pick__select",
                r#type: "date",
                autocomplete: "off",
                value: day.map(|day| day.to_string()).unwrap_or_default(),
                onchange: move |event| {
                    let typed = event.value();
                    match typed.parse::<Date>() {
                        // The first digits of a year are a year to the browser.
                        Ok(day) if day.year() < 1_000 => {}
                        Ok(day) => on_pick.call(Some(day)),
                        Err(_) if typed.is_empty() => on_pick.call(None),
                        Err(_) => {}
                    }
                },
            }
        }
    }
}

#[component]
fn Devices(wanted: Wanted, seen: Signal<Seen>, go: EventHandler<Wanted>) -> Element {
    let seen = seen.read();
    let mut devices: Vec<(DeviceId, String)> = seen
        .devices
        .iter()
        .filter(|(device, _)| wanted.device != Some(**device))
        .map(|(device, known)| (*device, known.in_a_list()))
        .collect();
    // The pill says what is chosen: everybody's lines on that device.
    let chosen = wanted.device.map(|device| {
        let known = seen.devices.get(&device);
        known.map_or_else(|| text::trail_a_device().to_owned(), |known| known.name.clone())
    });
    devices.extend(wanted.device.zip(chosen.clone()));
    devices.sort_by_key(|(_, name)| name.to_lowercase());
    rsx! {
        Pick {
            id: "trail-device",
            label: text::trail_label_device(),
            chosen,
            value: wanted.device.map(|device| device.to_string()).unwrap_or_default(),
            on_pick: move |picked: String| go.call(Wanted { device: DeviceId::parse(&picked), ..wanted }),
            Choice { value: "", chosen: wanted.device.is_none(), words: text::trail_any_device() }
            for (device , name) in devices {
                Choice { key: "{device}", value: device.to_string(), chosen: wanted.device == Some(device), words: name }
            }
        }
    }
}

/// The one record that is looked at; it is chosen from its own page.
#[component]
fn Record(document: DocumentId, wanted: Wanted, seen: Signal<Seen>, go: EventHandler<Wanted>) -> Element {
    let kind = seen.read().kinds.get(&document).copied();
    let view = use_query(Query::Records(
        kind.map(|kind| (kind, document)).into_iter().collect(),
    ));
    let view = view.read();
    let name = match &*view {
        Some(View::Records(names)) => names
            .first()
            .map(|record| record.name.clone())
            .unwrap_or_default(),
        _ => String::new(),
    };
    let words = if name.is_empty() {
        text::trail_of_one_record().to_owned()
    } else {
        text::trail_of_record(name)
    };
    rsx! {
        div { class: "pick", "data-chosen": "",
            span { class: "pick__select", {words.clone()} }
            button {
                class: "pick__away",
                r#type: "button",
                "aria-label": text::trail_remove(words),
                onclick: move |_| go.call(Wanted { document: None, ..wanted }),
                {icon(LdX)}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared_model::time::Timestamp;
    use uuid::Uuid;

    #[test]
    fn a_device_is_everybodys_who_works_on_it() {
        let tablet = DeviceId(Uuid::from_u128(1));
        let by = |person: &str| TrailEntry {
            device: Some(tablet),
            device_name: Some("Chrome".to_owned()),
            person_name: Some(person.to_owned()),
            ..TrailEntry::new(String::new(), Timestamp(0), String::new())
        };
        let mut seen = Seen::default();
        seen.add(&[by("Tomas Kral"), by("Ana Moreno"), by("Tomas Kral")]);
        assert_eq!(
            seen.devices[&tablet].in_a_list(),
            "Chrome · Ana Moreno, Tomas Kral"
        );
    }
}
