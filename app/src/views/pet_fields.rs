//! The fields of a new animal, the same beside a new client and on a client's page.

use crate::components::{Segmented, SelectField, TextField, use_today};
use crate::text;
use dioxus::prelude::*;
use jiff::civil::Date;
use shared_model::clinical::age_on;
use shared_model::commands::RegisterPatient;
use shared_model::documents::{Sex, Species};
use shared_model::ids::{ClientId, PatientId};
use shared_model::values::{Invalid, Microchip};

use super::patient_page::{chip_remark, sex_options};
use super::refused_fields::RefusedFields;

/// The fields that `RegisterPatient` may refuse. The name is told apart from a person's by who asks.
pub(super) const PET_FIELDS: &[&str] = &["name", "breed", "colour", "born", "microchip"];

#[derive(Clone, Copy, PartialEq)]
pub(super) struct PetForm {
    name: Signal<String>,
    species: Signal<String>,
    breed: Signal<String>,
    colour: Signal<String>,
    sex: Signal<Sex>,
    neutered: Signal<bool>,
    born: Signal<String>,
    chip: Signal<String>,
    wrong_date: Signal<bool>,
}

pub(super) fn use_pet_form() -> PetForm {
    PetForm {
        name: use_signal(String::new),
        species: use_signal(|| Species::Dog.word().to_owned()),
        breed: use_signal(String::new),
        colour: use_signal(String::new),
        sex: use_signal(|| Sex::Unknown),
        neutered: use_signal(|| false),
        born: use_signal(String::new),
        chip: use_signal(String::new),
        wrong_date: use_signal(|| false),
    }
}

impl PetForm {
    pub(super) fn name(self) -> String {
        self.name.peek().trim().to_owned()
    }

    pub(super) fn is_empty(self) -> bool {
        [self.name, self.breed, self.colour, self.born, self.chip]
            .iter()
            .all(|field| field.peek().trim().is_empty())
    }

    /// The command, or nothing if a date cannot be read; the field says so then.
    pub(super) fn command(
        mut self,
        patient: PatientId,
        owner: ClientId,
        today: Date,
    ) -> Option<RegisterPatient> {
        let typed = self.born.peek().trim().to_owned();
        let born = if typed.is_empty() {
            None
        } else {
            Some(read_born(&typed, today))
        };
        if born == Some(None) {
            self.wrong_date.set(true);
            return None;
        }
        Some(RegisterPatient {
            patient,
            owner,
            name: self.name.peek().clone(),
            species: Species::from_word(&self.species.peek()).unwrap_or(Species::Other),
            breed: self.breed.peek().clone(),
            colour: self.colour.peek().clone(),
            sex: *self.sex.peek(),
            neutered: self.neutered.peek().then_some(true),
            born: born.flatten(),
            microchip: self.chip.peek().clone(),
        })
    }
}

/// Reads "2022", "3/2022", "2022-03", "2022-03-05" or "5.3.2022". Of a year the middle is taken, of a month its first day.
fn read_born(typed: &str, today: Date) -> Option<Date> {
    let parts: Vec<&str> = typed
        .split(['-', '/', '.'])
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .collect();
    let number = |part: &str| part.parse::<i16>().ok();
    let small = |part: &str| part.parse::<i8>().ok();
    let is_year = |part: &str| part.len() == 4;
    let date = match parts.as_slice() {
        [year] if is_year(year) => Date::new(number(year)?, 7, 1),
        [month, year] if is_year(year) => Date::new(number(year)?, small(month)?, 1),
        [year, month] if is_year(year) => Date::new(number(year)?, small(month)?, 1),
        [year, month, day] if is_year(year) => Date::new(number(year)?, small(month)?, small(day)?),
        [day, month, year] if is_year(year) => Date::new(number(year)?, small(month)?, small(day)?),
        _ => return None,
    };
    let date = date.ok()?;
    // The middle of this year may still be to come.
    if parts.len() == 1 && date.year() == today.year() {
        return Some(date.min(today));
    }
    (date <= today && date.year() > today.year() - 200).then_some(date)
}

#[component]
pub(super) fn PetFields(form: PetForm, refused: RefusedFields, #[props(default)] autofocus: bool) -> Element {
    let today = use_today();
    let (mut sex, mut neutered, mut wrong_date) = (form.sex, form.neutered, form.wrong_date);
    let age = read_born(form.born.read().trim(), today)
        .and_then(|born| age_on(born, today))
        .map(|age| text::about_age(text::age(age)));
    let kinds = Species::ALL
        .iter()
        .map(|s| (s.word().to_owned(), text::species(*s).to_owned()))
        .collect();
    let remark = Microchip::parse(&form.chip.read())
        .ok()
        .and_then(|chip| chip_remark(&chip));
    rsx! {
        div { class: "form__columns",
            TextField {
                id: "pet-name",
                label: text::name_label(),
                value: form.name,
                error: refused.of("name", text::name_label()),
                autofocus,
            }
            SelectField { id: "pet-species", label: text::species_label(), value: form.species, options: kinds }
        }
        div { class: "form__columns",
            TextField {
                id: "pet-breed",
                label: text::breed_label(),
                value: form.breed,
                optional: true,
                error: refused.of("breed", text::breed_label()),
            }
            TextField {
                id: "pet-born",
                label: text::born_label(),
                value: form.born,
                optional: true,
                hint: age.unwrap_or_else(|| text::born_hint().to_owned()),
                error: wrong_date().then(|| text::invalid(text::born_label(), Invalid::NotADate)),
                on_input: move |_| wrong_date.set(false),
            }
        }
        div { class: "form__columns",
            div { class: "field",
                span { class: "field__label", {text::sex_label()} }
                Segmented {
                    label: text::sex_label(),
                    options: sex_options(),
                    value: sex().word(),
                    block: true,
                    on_pick: move |word: String| {
                        if let Some(picked) = Sex::from_word(&word) {
                            sex.set(picked);
                        }
                    },
                }
                label { class: "check",
                    input {
                        r#type: "checkbox",
                        checked: neutered(),
                        onchange: move |event| neutered.set(event.checked()),
                    }
                    {text::neutered_label()}
                }
            }
            TextField {
                id: "pet-chip",
                label: text::chip_label(),
                value: form.chip,
                optional: true,
                hint: remark.unwrap_or_else(|| text::chip_hint()).to_owned(),
                error: refused.of("microchip", text::chip_label()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn birth_dates_as_people_say_them() {
        let today = date(2026, 11, 23);
        let check =
            |typed: &str, expected: Option<Date>| assert_eq!(read_born(typed, today), expected, "{typed}");
        check("2022", Some(date(2022, 7, 1)));
        check("03/2022", Some(date(2022, 3, 1)));
        check("2022-03", Some(date(2022, 3, 1)));
        check("2022-03-05", Some(date(2022, 3, 5)));
        check("5.3.2022", Some(date(2022, 3, 5)));
        check("2026", Some(date(2026, 7, 1)));
        check("12/2026", None);
        check("2022-13", None);
        check("last spring", None);
        check("1066", None);
    }
}
