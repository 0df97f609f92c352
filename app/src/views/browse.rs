//! All patients and all clients: a list to leaf through, and a line that narrows it.

use crate::components::{
    Avatar, EmptyState, OpenDialog, PageLink, Pill, Size, SpeciesMark, Tint, icon, icon_sm, icon_xl, matched,
    use_dialogs, use_title,
};
use crate::host::{self, use_query};
use crate::route::Route;
use crate::text;
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::{
    LdLeaf, LdPawPrint, LdSearch, LdTriangleAlert, LdUserPlus, LdUsers,
};
use local_core::query::{Listed, PetLine};
use local_core::{Query, View};
use shared_model::documents::{AlertKind, Kind};

/// So many rows at a time.
const STEP: u32 = 100;

#[component]
pub(crate) fn PatientsPage() -> Element {
    use_title(text::nav_patients());
    rsx! {
        Browse { kind: Kind::Patient }
    }
}

#[component]
pub(crate) fn ClientsPage() -> Element {
    use_title(text::nav_clients());
    rsx! {
        Browse { kind: Kind::Client }
    }
}

#[component]
fn Browse(kind: Kind) -> Element {
    let dialogs = use_dialogs();
    let mut typed = use_signal(String::new);
    let mut limit = use_signal(|| STEP);
    let view = use_query(Query::Browse {
        kind,
        text: typed(),
        limit: limit(),
    });
    let patients = kind == Kind::Patient;
    let (title, filter) = if patients {
        (text::nav_patients(), text::filter_patients())
    } else {
        (text::nav_clients(), text::filter_clients())
    };
    let view = view.read();
    let Some(View::Browse(list)) = &*view else {
        return rsx! {};
    };
    let shown = list.rows.len() as u64;
    let filtered = !typed.read().trim().is_empty();
    rsx! {
        div { class: "page",
            div { class: "page__head",
                h1 { {title} }
                Pill {
                    span { "aria-live": "polite", {text::number(list.total)} }
                }
            }
            div { class: "stack",
                div { class: "input-icon",
                    {icon(LdSearch)}
                    input {
                        id: "filter",
                        class: "input input--icon",
                        r#type: "search",
                        autocomplete: "off",
                        "aria-label": filter,
                        placeholder: filter,
                        value: "{typed}",
                        oninput: move |event| {
                            typed.set(event.value());
                            limit.set(STEP);
                        },
                    }
                }
                if list.rows.is_empty() {
                    Nobody { patients, typed, filtered }
                } else {
                    // Where the screen is wide it stands in the top bar.
                    button {
                        class: "btn btn--primary fab",
                        r#type: "button",
                        onclick: move |_| dialogs.open(OpenDialog::NewClient),
                        {icon(LdUserPlus)}
                        {text::new_client()}
                    }
                    div { class: "card",
                        ul { class: "list",
                            for (index , row) in list.rows.iter().enumerate() {
                                Row { key: "{index}", row: row.clone(), typed: typed() }
                            }
                        }
                        if shown < list.total {
                            div { class: "card__foot row row--between",
                                span { {text::shown_of(text::number(shown), text::number(list.total))} }
                                if filtered {
                                    span { {text::type_more()} }
                                } else {
                                    button {
                                        class: "btn btn--sm",
                                        r#type: "button",
                                        onclick: move |_| limit += STEP,
                                        {text::show_more()}
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

#[component]
fn Nobody(patients: bool, typed: Signal<String>, filtered: bool) -> Element {
    let dialogs = use_dialogs();
    let mut typed = typed;
    if filtered {
        return rsx! {
            div { role: "status",
                EmptyState {
                    icon: icon_xl(LdSearch),
                    title: text::nobody_called(typed()),
                    text: text::nobody_called_why(),
                    actions: rsx! {
                        button {
                            class: "btn",
                            r#type: "button",
                            onclick: move |_| {
                                typed.set(String::new());
                                host::focus("filter");
                            },
                            {text::show_all()}
                        }
                    },
                }
            }
        };
    }
    let (icon, title) = if patients {
        (icon_xl(LdPawPrint), text::no_patients_yet())
    } else {
        (icon_xl(LdUsers), text::no_clients_yet())
    };
    rsx! {
        EmptyState {
            icon,
            title,
            text: text::nobody_yet_why(),
            actions: rsx! {
                button {
                    class: "btn btn--primary",
                    r#type: "button",
                    onclick: move |_| dialogs.open(OpenDialog::NewClient),
                    {text::new_client()}
                    " "
                    kbd { "N" }
                }
            },
        }
    }
}

#[component]
fn Row(row: Listed, typed: String) -> Element {
    match row {
        Listed::Patient { pet, owner } => rsx! {
            li { "data-died": pet.deceased.then_some(""),
                PageLink { to: Route::Patient { id: pet.id }, class: "list__row",
                    SpeciesMark { species: pet.species, size: Size::Small }
                    div { class: "list__main",
                        div { class: "list__title",
                            {matched(&pet.name, &typed)}
                            " "
                            span { {facts(&pet)} }
                        }
                        div { class: "list__sub", {matched(&owner, &typed)} }
                    }
                    div { class: "list__end",
                        if pet.alerts.iter().any(|(kind, _)| *kind == AlertKind::Allergy) {
                            Pill { tone: Tint::Danger, small: true, icon: icon_sm(LdTriangleAlert), {text::alert_allergy()} }
                        }
                        if pet.deceased {
                            Pill { small: true, icon: icon_sm(LdLeaf), {text::died()} }
                        }
                    }
                }
            }
        },
        Listed::Client {
            id,
            name,
            phone,
            email,
            pets,
        } => rsx! {
            li {
                PageLink { to: Route::Client { id }, class: "list__row",
                    Avatar { initials: text::initials(&name), tone: Tint::Info }
                    div { class: "list__main",
                        div { class: "list__title",
                            {matched(&name, &typed)}
                            " "
                            span { {pets} }
                        }
                        div { class: "list__sub",
                            {if phone.is_empty() { email } else { phone }}
                        }
                    }
                }
            }
        },
    }
}

/// "Border Collie, 6 y 2 m · male neutered".
pub(crate) fn facts(pet: &PetLine) -> String {
    let kind = if pet.breed.is_empty() {
        text::species(pet.species).to_owned()
    } else {
        pet.breed.clone()
    };
    let mut parts = vec![match pet.age.filter(|_| !pet.deceased) {
        Some(age) => text::breed_and_age(text::age(age), kind),
        None => kind,
    }];
    let sex = text::sex(pet.sex, pet.neutered);
    if !sex.is_empty() {
        parts.push(sex.to_owned());
    }
    parts.join(text::middle_dot())
}
