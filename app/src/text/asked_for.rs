//! What a command asks for, field by field: for work that the clinic did not take, so that nothing typed is lost.

use super as text;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use shared_model::commands::Command;
use shared_model::documents::{ClinicSettings, Slot};

/// A text in a command, as somebody typed it.
pub(crate) struct Typed<'a> {
    /// As its command names it when it is not taken.
    pub(crate) field: &'static str,
    pub(crate) label: &'static str,
    pub(crate) value: &'a mut String,
}

/// Every text of a command that can be typed otherwise. Typing in a visit's notes is told apart: its words belong to
/// the text around them.
pub(crate) fn typed(command: &mut Command) -> Vec<Typed<'_>> {
    let one = |field, label, value| Typed { field, label, value };
    match command {
        Command::RegisterClient(asked) => {
            let mut all = vec![
                one("given_name", text::given_name_label(), &mut asked.given_name),
                one("family_name", text::family_name_label(), &mut asked.family_name),
            ];
            let phone = asked.phone.as_mut();
            all.extend(phone.map(|(_, phone)| one("phone", text::phone_label(), phone)));
            let email = asked.email.as_mut();
            all.extend(email.map(|(_, email)| one("email", text::email_label(), email)));
            all.push(one("address", text::address_label(), &mut asked.address));
            all
        }
        Command::EditClient(asked) => {
            let mut all = Vec::new();
            let given = asked.given_name.as_mut();
            all.extend(given.map(|given| one("given_name", text::given_name_label(), given)));
            let family = asked.family_name.as_mut();
            all.extend(family.map(|family| one("family_name", text::family_name_label(), family)));
            let phones = asked.phones.iter_mut();
            all.extend(phones.map(|(_, phone)| one("phone", text::phone_label(), phone)));
            let emails = asked.emails.iter_mut();
            all.extend(emails.map(|(_, email)| one("email", text::email_label(), email)));
            let address = asked.address.as_mut();
            all.extend(address.map(|address| one("address", text::address_label(), address)));
            all
        }
        Command::RegisterPatient(asked) => vec![
            one("name", text::name_label(), &mut asked.name),
            one("breed", text::breed_label(), &mut asked.breed),
            one("colour", text::colour_label(), &mut asked.colour),
            one("microchip", text::chip_label(), &mut asked.microchip),
        ],
        Command::EditPatient(asked) => {
            let mut all = Vec::new();
            for (field, label, value) in [
                ("name", text::name_label(), &mut asked.name),
                ("breed", text::breed_label(), &mut asked.breed),
                ("colour", text::colour_label(), &mut asked.colour),
                ("microchip", text::chip_label(), &mut asked.microchip),
            ] {
                all.extend(value.as_mut().map(|value| one(field, label, value)));
            }
            all
        }
        Command::RecordAlert(asked) => vec![one("text", text::alert_kind(asked.kind), &mut asked.text)],
        Command::RetractAlert(asked) => vec![one("reason", text::reason_label(), &mut asked.reason)],
        Command::RetractWeight(asked) => vec![one("reason", text::reason_label(), &mut asked.reason)],
        Command::RetractDeath(asked) => vec![one("reason", text::reason_label(), &mut asked.reason)],
        Command::BookAppointment(asked) => vec![one("reason", text::reason_of_visit(), &mut asked.reason)],
        Command::CancelAppointment(asked) => vec![one("reason", text::reason_label(), &mut asked.reason)],
        Command::StartVisit(asked) => vec![one("reason", text::reason_of_visit(), &mut asked.reason)],
        Command::RecordVitals(asked) => {
            let readings = asked.readings.iter_mut();
            let mut all: Vec<_> = readings
                .map(|(sign, reading)| one(sign.word(), text::vital_sign(*sign), reading))
                .collect();
            let membranes = asked.mucous_membranes.as_mut();
            all.extend(membranes.map(|words| one("mucous_membranes", text::vital_membranes(), words)));
            all
        }
        Command::SetClinicProfile(asked) => vec![
            one("name", text::name_label(), &mut asked.name),
            one("phone", text::phone_label(), &mut asked.phone),
            one("email", text::email_label(), &mut asked.email),
            one("address", text::address_label(), &mut asked.address),
        ],
        Command::SetRoom(asked) => vec![one("name", text::name_label(), &mut asked.name)],
        Command::SetStaffMember(asked) => vec![one("name", text::name_label(), &mut asked.name)],
        Command::SetAppointmentType(asked) => vec![one("name", text::name_label(), &mut asked.name)],
        _ => Vec::new(),
    }
}

/// What a command asks for, as labels and values: what was typed and what was chosen.
pub(crate) fn asked_for(
    command: &Command,
    settings: &ClinicSettings,
    today: Date,
    zone: &TimeZone,
) -> Vec<(&'static str, String)> {
    let mut all: Vec<(&'static str, String)> = Vec::new();
    let mut chosen = |label, value: String| all.push((label, value));
    match command {
        Command::RegisterClient(asked) => {
            if let Some(channel) = asked.preferred_channel {
                chosen(text::reach_by(), text::channel(channel).to_owned());
            }
        }
        Command::EditClient(asked) => {
            if let Some(channel) = asked.preferred_channel {
                chosen(text::reach_by(), text::channel(channel).to_owned());
            }
        }
        Command::RegisterPatient(asked) => {
            chosen(text::species_label(), text::species(asked.species).to_owned());
            chosen(text::sex_label(), text::sex(asked.sex, asked.neutered).to_owned());
            if let Some(born) = asked.born {
                chosen(text::born_label(), text::date_plain(born));
            }
        }
        Command::EditPatient(asked) => {
            if let Some(species) = asked.species {
                chosen(text::species_label(), text::species(species).to_owned());
            }
            if let Some(sex) = asked.sex {
                chosen(text::sex_label(), text::sex(sex, asked.neutered).to_owned());
            } else if asked.neutered == Some(true) {
                chosen(text::sex_label(), text::neutered_only().to_owned());
            }
            if let Some(born) = asked.born {
                let born = born.map_or_else(|| text::none_known().to_owned(), text::date_plain);
                chosen(text::born_label(), born);
            }
        }
        Command::RecordWeight(asked) => {
            let weight = text::weight(asked.weight);
            chosen(
                text::vital_weight(),
                text::weight_then(text::moment(asked.at, today, zone), weight),
            );
        }
        Command::ReportDeath(asked) => chosen(text::died_label(), text::date_plain(asked.on)),
        Command::BookAppointment(asked) => {
            chosen(text::when_label(), place(&asked.slot, settings, today, zone));
            if let Some(kind) = settings.appointment_type(asked.appointment_type) {
                chosen(text::what_label(), kind.name.clone());
            }
        }
        Command::MoveAppointment(asked) => {
            chosen(text::when_label(), place(&asked.slot, settings, today, zone));
        }
        Command::ChooseValue(asked) => chosen(text::change_chosen(), asked.value.clone()),
        _ => {}
    }
    let mut command = command.clone();
    let words = typed(&mut command);
    let mut words: Vec<(&'static str, String)> = words
        .into_iter()
        .map(|one| (one.label, one.value.clone()))
        .collect();
    words.append(&mut all);
    words.retain(|(_, value)| !value.is_empty());
    words
}

/// "Today 10:00, Dr Moreno".
pub(crate) fn place(slot: &Slot, settings: &ClinicSettings, today: Date, zone: &TimeZone) -> String {
    let start = text::moment(slot.start, today, zone);
    match settings.staff_member(slot.vet) {
        Some(vet) => text::clock_and_vet(start, vet.name.clone()),
        None => start,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use shared_model::clinical::VitalSign;
    use shared_model::commands::*;
    use shared_model::documents::{AlertKind, Document, Kind, Sex, Species};
    use shared_model::ids::*;
    use shared_model::values::Weight;
    use uuid::Uuid;

    fn said(command: impl Into<Command>) -> String {
        let clinic = ClinicId(Uuid::from_u128(1));
        let settings = Document::genesis(Kind::ClinicSettings, clinic, clinic.settings());
        let settings = ClinicSettings::read(&settings).0;
        let asked = asked_for(&command.into(), &settings, date(2026, 11, 23), &TimeZone::UTC);
        let lines = asked
            .into_iter()
            .map(|(label, value)| format!("{label}: {value}"));
        lines.collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn everything_that_was_typed_or_chosen_is_said() {
        let one = Uuid::from_u128(1);
        let words = || "as typed".to_owned();
        assert_eq!(
            said(RegisterClient {
                client: ClientId(one),
                given_name: "Petra".to_owned(),
                family_name: "Novak".to_owned(),
                phone: Some((PhoneId(one), "601".to_owned())),
                email: None,
                address: "Lipová 4".to_owned(),
                preferred_channel: None,
            }),
            "Given name: Petra; Family name: Novak; Phone: 601; Address: Lipová 4"
        );
        assert_eq!(
            said(EditClient {
                phones: vec![(PhoneId(one), "601".to_owned()), (PhoneId(one), "602".to_owned())],
                address: Some(words()),
                ..EditClient::of(ClientId(one))
            }),
            "Phone: 601; Phone: 602; Address: as typed"
        );
        assert_eq!(
            said(RegisterPatient {
                patient: PatientId(one),
                owner: ClientId(one),
                name: "Rex".to_owned(),
                species: Species::Dog,
                breed: "Poodle".to_owned(),
                colour: "black".to_owned(),
                sex: Sex::Male,
                neutered: Some(true),
                born: Some(date(2020, 9, 20)),
                microchip: "203".to_owned(),
            }),
            "Name: Rex; Breed: Poodle; Colour: black; Microchip: 203; Species: Dog; Sex: male neutered; \
             Born: 20 Sep 2020"
        );
        assert_eq!(
            said(EditPatient {
                colour: Some(words()),
                neutered: Some(true),
                born: Some(None),
                ..EditPatient::of(PatientId(one))
            }),
            "Colour: as typed; Sex: neutered; Born: None known"
        );
        assert_eq!(
            said(RecordWeight {
                patient: PatientId(one),
                entry: WeightId(one),
                weight: Weight::parse("19.4").unwrap_or_else(|_| unreachable!("a weight")),
                at: shared_model::time::Timestamp(0),
                visit: None,
            }),
            "Weight: 19.4 kg, 1 Jan 1970, 00:00"
        );
        assert_eq!(
            said(RecordAlert {
                patient: PatientId(one),
                alert: AlertId(one),
                kind: AlertKind::Allergy,
                text: words(),
            }),
            "Allergy: as typed"
        );
        assert_eq!(
            said(RecordVitals {
                visit: VisitId(one),
                set: VisitId(one).vitals(),
                readings: vec![(VitalSign::Temperature, "40.1".to_owned())],
                mucous_membranes: Some("pink".to_owned()),
            }),
            "Temperature: 40.1; Gums: pink"
        );
    }

    #[test]
    fn what_is_typed_otherwise_goes_where_it_came_from() {
        let mut command = Command::from(EditPatient {
            name: Some("Rexie".to_owned()),
            microchip: Some("203".to_owned()),
            ..EditPatient::of(PatientId(Uuid::from_u128(1)))
        });
        for one in typed(&mut command) {
            one.value.push('!');
        }
        assert_eq!(said(command), "Name: Rexie!; Microchip: 203!");
    }
}
