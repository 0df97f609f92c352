//! Which animal: found as one types, or given by whoever opened the dialog.

use crate::components::{
    ComboOption, Combobox, OpenDialog, Pill, Size, SpeciesMark, Tint, icon, use_dialogs,
};
use crate::host::use_query;
use crate::text;
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::LdTriangleAlert;
use local_core::query::{Hit, PatientView, PetLine};
use local_core::{Query, View};
use shared_model::documents::{AlertKind, Species};
use shared_model::ids::{ClientId, PatientId};

use super::super::patient_page::facts_line;

/// The animal that is booked for.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Picked {
    pub id: PatientId,
    pub name: String,
    pub client: Option<ClientId>,
    species: Species,
    sub: String,
    alert: Option<(AlertKind, String)>,
    died: bool,
}

impl Picked {
    fn of(view: &PatientView) -> Self {
        let owner = view.owners.first();
        let facts = facts_line(&view.patient, view.age);
        let sub = match owner {
            Some(owner) => format!("{facts} · {}", owner.name),
            None => facts,
        };
        let alert = view.patient.standing_alerts().next();
        Self {
            id: view.id,
            name: view.patient.name.clone(),
            client: owner.map(|owner| owner.id),
            species: view.patient.species.value,
            sub,
            alert: alert.map(|alert| (alert.kind, alert.text.value.clone())),
            died: view.patient.death.is_some(),
        }
    }
}

/// What is looked at: what was typed, a person's animals, or one animal.
fn asked(id: Option<PatientId>, person: Option<ClientId>, typed: &str) -> Query {
    match (id, person) {
        (Some(id), _) => Query::Patient(id),
        (None, Some(person)) => Query::Client(person),
        (None, None) => Query::Search(typed.trim().to_owned()),
    }
}

#[component]
pub(super) fn Who(
    given: Option<PatientId>,
    picked: Signal<Option<Picked>>,
    missing: bool,
    on_close: EventHandler<()>,
) -> Element {
    let dialogs = use_dialogs();
    let mut picked = picked;
    let mut id = use_signal(|| given);
    let mut person = use_signal(|| None::<ClientId>);
    let typed = use_signal(String::new);
    let answer = use_query(asked(id(), person(), &typed.read()));
    use_effect(move || {
        let found = match (&*answer.read(), id()) {
            (Some(View::Patient(view)), Some(id)) if view.id == id => Some(Picked::of(view)),
            _ => None,
        };
        if *picked.peek() != found {
            picked.set(found);
        }
    });
    if let Some(pet) = picked.read().clone() {
        return rsx! {
            div { class: "field",
                span { class: "field__label", id: "booking-who", {text::patient_label()} }
                div { class: "picked", role: "group", "aria-labelledby": "booking-who",
                    SpeciesMark { species: pet.species, size: Size::Small }
                    div { class: "list__main",
                        b { {pet.name.clone()} }
                        " "
                        span { class: "sub", {pet.sub.clone()} }
                    }
                    if let Some((kind , words)) = pet.alert.clone() {
                        Pill {
                            tone: if kind == AlertKind::Allergy { Tint::Danger } else { Tint::Warn },
                            icon: icon(LdTriangleAlert),
                            small: true,
                            {words}
                        }
                    }
                    button {
                        class: "btn btn--quiet btn--sm",
                        r#type: "button",
                        onclick: move |_| {
                            id.set(None);
                            person.set(None);
                            picked.set(None);
                        },
                        {text::change_choice()}
                    }
                }
                if pet.died {
                    p { class: "field__error", {text::pet_has_died(&pet.name)} }
                } else if pet.client.is_none() {
                    p { class: "field__error", {text::no_owner()} }
                }
            }
        };
    }
    let mut options = match (&*answer.read(), id()) {
        (Some(View::Search(found)), None) if found.text == typed.read().trim() && !found.text.is_empty() => {
            found.hits.iter().map(hit).collect()
        }
        (Some(View::Client(client)), None) => client
            .pets
            .iter()
            .filter(|pet| !pet.deceased)
            .map(|pet| line(pet, ""))
            .collect(),
        _ => Vec::new(),
    };
    if !typed.read().trim().is_empty() {
        options.push(ComboOption {
            key: NEW.to_owned(),
            title: text::new_client_called(typed.read().trim()),
            sub: String::new(),
            lead: None,
            is_new: true,
        });
    }
    rsx! {
        Combobox {
            id: "booking-patient",
            label: text::patient_label(),
            text: typed,
            options,
            autofocus: true,
            hint: person().is_some().then(|| text::which_pet().to_owned()),
            error: missing.then(|| text::choose_patient_first().to_owned()),
            on_input: move |_| person.set(None),
            on_pick: move |key: String| match key.split_once(':') {
                Some(("patient", key)) => id.set(PatientId::parse(key)),
                Some(("client", key)) => person.set(ClientId::parse(key)),
                _ => {
                    on_close.call(());
                    dialogs.open(OpenDialog::NewClient);
                }
            },
        }
    }
}

/// The option that makes somebody instead of finding them.
const NEW: &str = "new";

fn hit(hit: &Hit) -> ComboOption {
    match hit {
        Hit::Patient { pet, owner, .. } => line(pet, owner),
        Hit::Client {
            id,
            name,
            phone,
            pets,
        } => ComboOption {
            key: format!("client:{id}"),
            title: name.clone(),
            sub: [phone.as_str(), pets.as_str()]
                .into_iter()
                .filter(|part| !part.is_empty())
                .collect::<Vec<_>>()
                .join(" · "),
            lead: None,
            is_new: false,
        },
    }
}

fn line(pet: &PetLine, owner: &str) -> ComboOption {
    let kind = if pet.breed.is_empty() {
        text::species(pet.species)
    } else {
        &pet.breed
    };
    let died = if pet.deceased { text::has_died() } else { "" };
    ComboOption {
        key: format!("patient:{}", pet.id),
        title: pet.name.clone(),
        sub: [kind, owner, died]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(" · "),
        lead: Some(pet.species),
        is_new: false,
    }
}
