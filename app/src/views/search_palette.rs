//! The palette: one line to type in, then pets, people, and things to do.
//!
//! Invariant: the focus stays in the line; Enter acts on what is marked in the list.

use crate::components::EmptyState;
use crate::components::{
    Avatar, Modal, OpenDialog, Size, SpeciesMark, Tint, icon, icon_lg, icon_xl, matched, use_dialogs,
    use_element_id, use_me, use_minute, use_zone,
};
use crate::host::{self, use_query};
use crate::route::Route;
use crate::text;
use crate::views::Wanted;
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::{
    LdCalendarDays, LdCalendarPlus, LdCircleUser, LdHistory, LdHospital, LdKeyboard, LdPawPrint, LdSearch,
    LdUserCog, LdUserPlus, LdUsers,
};
use jiff::civil::Date;
use local_core::query::{Hit, PetLine};
use local_core::{Query, View};
use shared_model::ids::{ClientId, PatientId};
use shared_model::permissions::{Principal, Role};

/// So many records that were open before are offered again.
const REMEMBERED: usize = 5;

/// Records that were open, the latest first; for as long as the program runs.
#[derive(Clone, Copy)]
pub(crate) struct Recent(Signal<Vec<Route>>);

impl Recent {
    pub(crate) fn new() -> Self {
        Self(Signal::new(Vec::new()))
    }

    pub(crate) fn visited(mut self, route: &Route) {
        if matches!(route, Route::Patient { .. } | Route::Client { .. }) {
            let mut routes = self.0.write();
            routes.retain(|former| former != route);
            routes.insert(0, route.clone());
            routes.truncate(REMEMBERED + 1);
        }
    }
}

/// What an entry of the list does.
#[derive(Clone, PartialEq)]
enum Act {
    Go(Route),
    Open(OpenDialog),
}

#[derive(Clone, PartialEq)]
enum Face {
    Pet {
        pet: Box<PetLine>,
        owner: String,
    },
    Person {
        name: String,
        phone: String,
        pets: String,
    },
    RecentPet(PatientId),
    RecentPerson(ClientId),
    Deed {
        icon: Element,
        words: String,
        key: &'static str,
    },
}

#[derive(Clone, PartialEq)]
struct Entry {
    group: &'static str,
    face: Face,
    act: Act,
    /// Whom Ctrl-Enter books for.
    book: Option<PatientId>,
}

#[component]
pub(crate) fn SearchPalette(on_close: EventHandler<()>) -> Element {
    let id = use_element_id("palette");
    let dialogs = use_dialogs();
    let navigator = use_navigator();
    let recent = use_context::<Recent>();
    let me = use_me();
    let here = use_route::<Route>();
    let mut typed = use_signal(String::new);
    let mut at = use_signal(|| 0_usize);
    let view = use_query(Query::Search(typed()));
    let asked = typed.read().trim().to_owned();
    let view = view.read();
    let (hits, more) = match &*view {
        Some(View::Search(found)) if !asked.is_empty() => (found.hits.as_slice(), found.more),
        _ => (&[][..], 0),
    };
    // Until then the list answers what was typed before.
    let answered = matches!(&*view, Some(View::Search(found)) if found.text == typed());
    let entries = if asked.is_empty() {
        let recent = recent.0.read();
        let mut entries = reopened(recent.iter().filter(|route| **route != here).take(REMEMBERED));
        entries.extend(deeds(me.as_ref()));
        entries
    } else {
        found(hits, deeds(me.as_ref()), &asked)
    };
    // The last entry is always there.
    let nobody = !asked.is_empty() && hits.is_empty() && answered && entries.len() == 1;
    let marked = at().min(entries.len().saturating_sub(1));
    let run = move |act: Act| {
        on_close.call(());
        match act {
            Act::Go(route) => drop(navigator.push(route)),
            Act::Open(dialog) => dialogs.open(dialog),
        }
    };
    let on_key = {
        let entries = entries.clone();
        move |event: KeyboardEvent| {
            let count = entries.len();
            match event.key() {
                Key::ArrowDown | Key::ArrowUp if count > 0 => {
                    event.prevent_default();
                    let next = if event.key() == Key::ArrowDown {
                        (marked + 1) % count
                    } else {
                        (marked + count - 1) % count
                    };
                    at.set(next);
                    host::scroll_into_view(&option_id(next));
                }
                Key::Enter => {
                    event.prevent_default();
                    let Some(entry) = entries.get(marked) else { return };
                    let command = event.modifiers().ctrl() || event.modifiers().meta();
                    match entry.book.filter(|_| command) {
                        Some(patient) => run(Act::Open(OpenDialog::Book {
                            patient: Some(patient),
                            vet: None,
                            start: None,
                        })),
                        None => run(entry.act.clone()),
                    }
                }
                _ => {}
            }
        }
    };
    let mut groups: Vec<(&'static str, Vec<(usize, Entry)>)> = Vec::new();
    for (index, entry) in entries.iter().cloned().enumerate() {
        match groups.last_mut().filter(|(group, _)| *group == entry.group) {
            Some((_, members)) => members.push((index, entry)),
            None => groups.push((entry.group, vec![(index, entry)])),
        }
    }
    let count = hits.len();
    rsx! {
        Modal { id, class: "palette", label: text::go_anywhere(), on_close,
            div { class: "palette__field",
                {icon_lg(LdSearch)}
                input {
                    class: "palette__input",
                    role: "combobox",
                    "data-autofocus": "",
                    "aria-label": text::search_hint_plain(),
                    "aria-expanded": "{!entries.is_empty()}",
                    "aria-controls": "palette-list",
                    "aria-autocomplete": "list",
                    "aria-activedescendant": (!entries.is_empty()).then(|| option_id(marked)),
                    placeholder: text::search_hint(),
                    autocomplete: "off",
                    spellcheck: "false",
                    value: "{typed}",
                    oninput: move |event| {
                        typed.set(event.value());
                        at.set(0);
                    },
                    onkeydown: on_key,
                }
                button { class: "btn btn--quiet btn--sm", r#type: "button", onclick: move |_| on_close.call(()),
                    kbd { {text::key_esc()} }
                    span { class: "visually-hidden", {text::close()} }
                }
            }
            if nobody {
                div { role: "status",
                    EmptyState { icon: icon_xl(LdSearch), title: text::nobody_called(asked.clone()), text: text::nobody_called_why() }
                }
            }
            div {
                class: "listbox",
                role: "listbox",
                id: "palette-list",
                "aria-label": text::results(),
                "aria-busy": "{!answered}",
                for (group , members) in groups {
                    div { key: "{group}", role: "group", "aria-label": group,
                        div { class: "listbox__group", "aria-hidden": "true", {group} }
                        for (index , entry) in members {
                            div {
                                key: "{index}",
                                id: option_id(index),
                                class: "option",
                                role: "option",
                                "aria-selected": "{index == marked}",
                                onmousedown: |event| event.prevent_default(),
                                onclick: {
                                    let act = entry.act.clone();
                                    move |_| run(act.clone())
                                },
                                EntryFace { face: entry.face, typed: asked.clone() }
                            }
                        }
                    }
                }
            }
            div { class: "palette__foot",
                span { kbd { "↑" } kbd { "↓" } {text::palette_choose()} }
                span { kbd { {text::key_enter()} } {text::palette_open()} }
                span { kbd { {text::key_ctrl()} } kbd { {text::key_enter()} } {text::palette_book()} }
                if count > 0 {
                    span { class: "push", {text::shown_of(text::number(count as u64), text::number((count + more) as u64))} }
                }
            }
            span { class: "visually-hidden", role: "status",
                if !asked.is_empty() {
                    {text::options_found(i64::try_from(count + more).unwrap_or(i64::MAX))}
                }
            }
        }
    }
}

fn option_id(index: usize) -> String {
    format!("palette-option-{index}")
}

/// What was open before.
fn reopened<'a>(recent: impl Iterator<Item = &'a Route>) -> Vec<Entry> {
    recent
        .filter_map(|route| {
            let (face, book) = match route {
                Route::Patient { id } => (Face::RecentPet(*id), Some(*id)),
                Route::Client { id } => (Face::RecentPerson(*id), None),
                _ => return None,
            };
            Some(Entry {
                group: text::palette_recent(),
                face,
                act: Act::Go(route.clone()),
                book,
            })
        })
        .collect()
}

/// What can be done and where one can go.
fn deeds(me: Option<&Principal>) -> Vec<Entry> {
    let deed = |icon: Element, words: &str, key: &'static str, act: Act| Entry {
        group: text::palette_do(),
        face: Face::Deed {
            icon,
            words: words.to_owned(),
            key,
        },
        act,
        book: None,
    };
    let go = Act::Go;
    let may = |role| me.is_some_and(|me| me.roles.contains(&role));
    let mut entries = vec![
        deed(
            icon(LdCalendarPlus),
            text::book_appointment(),
            "B",
            Act::Open(OpenDialog::BOOK),
        ),
        deed(
            icon(LdUserPlus),
            text::new_client(),
            "N",
            Act::Open(OpenDialog::NewClient),
        ),
        deed(icon(LdCalendarDays), text::go_to_day(), "G D", go(Route::Day {})),
        deed(
            icon(LdPawPrint),
            text::go_to_patients(),
            "G P",
            go(Route::Patients {}),
        ),
        deed(icon(LdUsers), text::go_to_clients(), "G C", go(Route::Clients {})),
        deed(icon(LdCircleUser), text::go_to_me(), "", go(Route::Me {})),
        deed(
            icon(LdKeyboard),
            text::list_of_keys(),
            "?",
            Act::Open(OpenDialog::Keys),
        ),
    ];
    if may(Role::ClinicAdministrator) {
        let words = text::staff_and_roles();
        entries.push(deed(icon(LdUserCog), words, "", go(Route::Staff {})));
        entries.push(deed(
            icon(LdHistory),
            text::trail(),
            "",
            go(Route::Trail {
                wanted: Wanted::default(),
            }),
        ));
    }
    if may(Role::SystemAdministrator) {
        entries.push(deed(icon(LdHospital), text::clinics(), "", go(Route::Clinics {})));
    }
    entries
}

/// What was found, what can be done with it, and those of `deeds` whose words fit what was typed.
fn found(hits: &[Hit], deeds: Vec<Entry>, typed: &str) -> Vec<Entry> {
    let mut entries = Vec::with_capacity(hits.len() + 2);
    let typed = typed.to_lowercase();
    let fits = |entry: &Entry| match &entry.face {
        // That one is there always.
        Face::Deed { words, .. } => {
            words.to_lowercase().contains(&typed) && entry.act != Act::Open(OpenDialog::NewClient)
        }
        _ => false,
    };
    let mut first_pet = None;
    // Pets before people, each in the order of how well they fit.
    for hit in hits {
        if let Hit::Patient { pet, owner, .. } = hit {
            first_pet.get_or_insert(pet);
            entries.push(Entry {
                group: text::palette_pets(),
                face: Face::Pet {
                    pet: Box::new(pet.clone()),
                    owner: owner.clone(),
                },
                act: Act::Go(Route::Patient { id: pet.id }),
                book: (!pet.deceased).then_some(pet.id),
            });
        }
    }
    for hit in hits {
        if let Hit::Client {
            id,
            name,
            phone,
            pets,
        } = hit
        {
            entries.push(Entry {
                group: text::palette_people(),
                face: Face::Person {
                    name: name.clone(),
                    phone: phone.clone(),
                    pets: pets.clone(),
                },
                act: Act::Go(Route::Client { id: *id }),
                book: None,
            });
        }
    }
    if let Some(pet) = first_pet.filter(|pet| !pet.deceased) {
        entries.push(Entry {
            group: text::palette_do(),
            face: Face::Deed {
                icon: icon(LdCalendarPlus),
                words: text::book_for(&pet.name),
                key: "",
            },
            act: Act::Open(OpenDialog::Book {
                patient: Some(pet.id),
                vet: None,
                start: None,
            }),
            book: Some(pet.id),
        });
    }
    entries.extend(deeds.into_iter().filter(fits));
    entries.push(Entry {
        group: text::palette_do(),
        face: Face::Deed {
            icon: icon(LdUserPlus),
            words: text::new_client().to_owned(),
            key: "N",
        },
        act: Act::Open(OpenDialog::NewClient),
        book: None,
    });
    entries
}

#[component]
fn EntryFace(face: Face, typed: String) -> Element {
    let today = use_minute().read().date_in(&use_zone());
    match face {
        Face::Pet { pet, owner } => pet_face(&pet, &owner, &typed, today),
        Face::Person { name, phone, pets } => person_face(&name, &phone, &pets, &typed),
        Face::RecentPet(id) => rsx! {
            RecentPet { id }
        },
        Face::RecentPerson(id) => rsx! {
            RecentPerson { id }
        },
        Face::Deed { icon, words, key } => rsx! {
            {icon}
            span { class: "option__main",
                span { class: "option__title", {words} }
            }
            if !key.is_empty() {
                span { class: "option__end",
                    for part in key.split(' ') {
                        kbd { {part} }
                    }
                }
            }
        },
    }
}

fn pet_face(pet: &PetLine, owner: &str, typed: &str, today: Date) -> Element {
    let kind = if pet.breed.is_empty() {
        text::species(pet.species).to_owned()
    } else {
        pet.breed.clone()
    };
    let kind = match pet.age.filter(|_| !pet.deceased) {
        Some(age) => text::breed_and_age(text::age(age), kind),
        None => kind,
    };
    let next = pet.next_appointment.as_ref();
    rsx! {
        SpeciesMark { species: pet.species, size: Size::Small }
        span { class: "option__main",
            span { class: "option__title", {matched(&pet.name, typed)} }
            " "
            span { class: "option__sub",
                {kind}
                {text::middle_dot()}
                {matched(owner, typed)}
            }
        }
        span { class: "option__end",
            if pet.deceased {
                {text::died()}
            } else if let Some(next) = next {
                {text::when(next.date, next.start_minute, today)}
            }
        }
    }
}

fn person_face(name: &str, phone: &str, pets: &str, typed: &str) -> Element {
    let facts: Vec<&str> = [phone, pets]
        .into_iter()
        .filter(|fact| !fact.is_empty())
        .collect();
    rsx! {
        Avatar { initials: text::initials(name), tone: Tint::Info }
        span { class: "option__main",
            span { class: "option__title", {matched(name, typed)} }
            " "
            span { class: "option__sub", {facts.join(text::middle_dot())} }
        }
    }
}

#[component]
fn RecentPet(id: PatientId) -> Element {
    let view = use_query(Query::Patient(id));
    let view = view.read();
    let Some(View::Patient(view)) = &*view else {
        return rsx! {};
    };
    let patient = &view.patient;
    let species = patient.species.value;
    let kind = if patient.breed.is_empty() {
        text::species(species).to_owned()
    } else {
        patient.breed.clone()
    };
    let owner = view.owners.first().map(|owner| owner.name.clone());
    let facts: Vec<String> = [Some(kind), owner].into_iter().flatten().collect();
    rsx! {
        SpeciesMark { species, size: Size::Small }
        span { class: "option__main",
            span { class: "option__title", {patient.name.clone()} }
            " "
            span { class: "option__sub", {facts.join(text::middle_dot())} }
        }
    }
}

#[component]
fn RecentPerson(id: ClientId) -> Element {
    let view = use_query(Query::Client(id));
    let view = view.read();
    let Some(View::Client(view)) = &*view else {
        return rsx! {};
    };
    let pets: Vec<&str> = view.pets.iter().map(|pet| pet.name.as_str()).collect();
    let phone = view
        .client
        .phones
        .first()
        .map(|phone| phone.number.clone())
        .unwrap_or_default();
    person_face(&view.client.full_name(), &phone, &pets.join(", "), "")
}
