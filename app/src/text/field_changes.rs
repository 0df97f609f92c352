//! What a change did to a field of a record, in words: its label, what stood before and what after.
//!
//! Invariant: a field or value without words is counted, not hidden; only what the line says already (who, when, and which
//! record belongs to which) is left out.

use super as text;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use shared_model::clinical::VitalSign;
use shared_model::documents::{AlertKind, Channel, ClinicSettings, Kind, Sex, Slot, Species};
use shared_model::ids::{AccountId, AppointmentTypeId};
use shared_model::permissions::Role;
use shared_model::trail::{FieldChange, FieldValue};
use uuid::Uuid;

/// What values of records are said with.
pub(crate) struct Spoken<'a> {
    pub(crate) settings: &'a ClinicSettings,
    pub(crate) today: Date,
    pub(crate) zone: &'a TimeZone,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BeforeAndAfter {
    pub(crate) label: &'static str,
    /// Nothing stood there, if it is empty.
    pub(crate) before: String,
    pub(crate) after: String,
}

/// What somebody may want to see of what changes did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SaidOfChanges {
    /// What belongs together: each entry of a list that the record has, as one weight with its time; and the record itself.
    pub(crate) groups: Vec<Vec<BeforeAndAfter>>,
    /// Fields that this version has no words for.
    pub(crate) without_words: i64,
}

/// How the values of a field are said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Plain,
    Day,
    Kilograms,
    YesOrNo,
    Species,
    Sex,
    Channel,
    AlertKind,
    Role,
    Slot,
    AppointmentType,
    StaffMember,
}

/// What is said of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Said(&'static str, Form),
    /// The line says it.
    Aside,
    Unknown,
}

pub(crate) fn said_of_changes(kind: Kind, changes: &[FieldChange], spoken: &Spoken<'_>) -> SaidOfChanges {
    let mut said = SaidOfChanges::default();
    let mut entries: Vec<&str> = Vec::new();
    for change in changes {
        match field(kind, &pattern(&change.field)) {
            Field::Aside => {}
            Field::Unknown => said.without_words += 1,
            Field::Said(label, form) => {
                let words = |value: &Option<FieldValue>| match value {
                    None => Some(String::new()),
                    Some(value) => spoken.value(form, value),
                };
                match (words(&change.before), words(&change.after)) {
                    (Some(before), Some(after)) => {
                        let (before, after) = excerpts(&before, &after);
                        let entry = entry_of(&change.field);
                        let at = entries
                            .iter()
                            .position(|known| *known == entry)
                            .unwrap_or_else(|| {
                                entries.push(entry);
                                said.groups.push(Vec::new());
                                entries.len() - 1
                            });
                        said.groups[at].push(BeforeAndAfter { label, before, after });
                    }
                    _ => said.without_words += 1,
                }
            }
        }
    }
    said
}

/// `weights/<id>` of one of its fields; nothing of a field of the record itself.
fn entry_of(field: &str) -> &str {
    let mut end = 0;
    for part in field.split('/') {
        end += part.len();
        if Uuid::try_parse(part).is_ok() {
            return &field[..end];
        }
        end += 1;
    }
    ""
}

/// A field with `*` for each id in it.
fn pattern(field: &str) -> String {
    let part = |part| match Uuid::try_parse(part) {
        Ok(_) => "*",
        Err(_) => part,
    };
    field.split('/').map(part).collect::<Vec<_>>().join("/")
}

fn field(kind: Kind, pattern: &str) -> Field {
    use Field::{Aside, Said};
    use Form::Plain;
    let last = pattern.rsplit('/').next().unwrap_or_default();
    match last {
        "by" | "retracted_by" | "started_by" | "finished_by" => return Aside,
        "retracted_at" => return Said(text::field_taken_back(), Plain),
        "retracted_reason" => return Said(text::field_taken_back_because(), Plain),
        _ => {}
    }
    match kind {
        Kind::ClinicProfile => of_profile(pattern),
        Kind::ClinicSettings => of_settings(pattern, last),
        Kind::Client => of_client(pattern),
        Kind::Patient => of_patient(pattern),
        Kind::Appointment => of_appointment(pattern),
        Kind::Visit => of_visit(pattern, last),
        _ => Field::Unknown,
    }
}

fn of_profile(pattern: &str) -> Field {
    use Form::Plain;
    Field::Said(
        match pattern {
            "name" => text::name_label(),
            "phone" => text::phone_label(),
            "email" => text::email_label(),
            "address" => text::address_label(),
            "time_zone" => text::time_zone(),
            "hours/1" => text::monday(),
            "hours/2" => text::tuesday(),
            "hours/3" => text::wednesday(),
            "hours/4" => text::thursday(),
            "hours/5" => text::friday(),
            "hours/6" => text::saturday(),
            "hours/7" => text::sunday(),
            _ => return Field::Unknown,
        },
        Plain,
    )
}

fn of_settings(pattern: &str, last: &str) -> Field {
    use Field::Said;
    if !["rooms/*/", "staff/*/", "types/*/"]
        .iter()
        .any(|of| pattern.starts_with(of))
    {
        return Field::Unknown;
    }
    match last {
        "name" => Said(text::name_label(), Form::Plain),
        "full_name" => Said(text::full_name(), Form::Plain),
        "role" => Said(text::roles_label(), Form::Role),
        "bookable" => Said(text::field_bookable(), Form::YesOrNo),
        "active" => Said(text::field_active(), Form::YesOrNo),
        "minutes" => Said(text::minutes_label(), Form::Plain),
        // Where it stands in lists, and its colour there.
        "order" | "tone" => Field::Aside,
        _ => Field::Unknown,
    }
}

fn of_client(pattern: &str) -> Field {
    use Field::Said;
    match pattern {
        "given_name" => Said(text::given_name_label(), Form::Plain),
        "family_name" => Said(text::family_name_label(), Form::Plain),
        "phones/*/number" => Said(text::phone_label(), Form::Plain),
        "emails/*/address" => Said(text::email_label(), Form::Plain),
        "address" => Said(text::address_label(), Form::Plain),
        "preferred_channel" => Said(text::reach_by(), Form::Channel),
        _ => Field::Unknown,
    }
}

fn of_patient(pattern: &str) -> Field {
    use Field::{Aside, Said};
    match pattern {
        "name" => Said(text::name_label(), Form::Plain),
        "species" => Said(text::species_label(), Form::Species),
        "breed" => Said(text::breed_label(), Form::Plain),
        "colour" => Said(text::colour_label(), Form::Plain),
        "sex" => Said(text::sex_label(), Form::Sex),
        "neutered" => Said(text::neutered_label(), Form::YesOrNo),
        "born" => Said(text::born_label(), Form::Day),
        "microchip" => Said(text::chip_label(), Form::Plain),
        "weights/*/kg" => Said(text::vital_weight(), Form::Kilograms),
        "weights/*/at" => Said(text::time_label(), Form::Plain),
        "alerts/*/kind" => Said(text::field_alert(), Form::AlertKind),
        "alerts/*/text" => Said(text::field_alert_text(), Form::Plain),
        "death/on" => Said(text::died_label(), Form::Day),
        "alerts/*/at" | "death/at" | "weights/*/visit" | "owners/*/since" => Aside,
        _ => Field::Unknown,
    }
}

fn of_appointment(pattern: &str) -> Field {
    use Field::{Aside, Said};
    match pattern {
        "booking/slot" => Said(text::when_label(), Form::Slot),
        "booking/type" => Said(text::what_label(), Form::AppointmentType),
        "booking/reason" => Said(text::reason_of_visit(), Form::Plain),
        "booking/cancelled_at" => Said(text::field_cancelled(), Form::Plain),
        "booking/cancel_reason" => Said(text::field_cancelled_because(), Form::Plain),
        "whereabouts/arrived_at" => Said(text::field_arrived(), Form::Plain),
        "whereabouts/in_room_at" => Said(text::field_in_room(), Form::Plain),
        "whereabouts/departed_at" => Said(text::field_departed(), Form::Plain),
        "clinical/finished_at" => Said(text::finished_label(), Form::Plain),
        "client" | "patient" | "clinical/visit" => Aside,
        _ => Field::Unknown,
    }
}

fn of_visit(pattern: &str, last: &str) -> Field {
    use Field::{Aside, Said};
    match pattern {
        "reason" => Said(text::reason_of_visit(), Form::Plain),
        "vet" => Said(text::vet_label(), Form::StaffMember),
        "started_at" => Said(text::started_label(), Form::Plain),
        "finished_at" => Said(text::finished_label(), Form::Plain),
        "history" => Said(text::section_history(), Form::Plain),
        "examination" => Said(text::section_examination(), Form::Plain),
        "assessment" => Said(text::section_assessment(), Form::Plain),
        "plan" => Said(text::section_plan(), Form::Plain),
        "vitals/*/mucous_membranes" => Said(text::vital_membranes(), Form::Plain),
        "patient" | "appointment" | "vitals/*/at" => Aside,
        _ if pattern.starts_with("vitals/*/") => match VitalSign::from_word(last) {
            Some(sign) => Said(text::vital_sign(sign), Form::Plain),
            None => Field::Unknown,
        },
        _ => Field::Unknown,
    }
}

impl Spoken<'_> {
    /// `None` if there are no words for such a value.
    fn value(&self, form: Form, value: &FieldValue) -> Option<String> {
        let words = match value {
            FieldValue::Moment(at) => return Some(text::moment(*at, self.today, self.zone)),
            FieldValue::Number(number) => return Some(number.to_string()),
            FieldValue::Flag(flag) => {
                return Some(
                    if *flag {
                        text::field_yes()
                    } else {
                        text::field_no()
                    }
                    .to_owned(),
                );
            }
            FieldValue::Text(words) => words,
        };
        let known = match form {
            Form::Plain | Form::YesOrNo => return Some(words.clone()),
            Form::Day => return words.parse().ok().map(text::date_plain),
            Form::Kilograms => return Some(text::weight(words)),
            Form::Slot => {
                return Slot::parse(words)
                    .map(|slot| text::place(&slot, self.settings, self.today, self.zone));
            }
            Form::AppointmentType => {
                let kind = self.settings.appointment_type(AppointmentTypeId::parse(words)?)?;
                return Some(kind.name.clone());
            }
            Form::StaffMember => {
                let member = self.settings.staff_member(AccountId::parse(words)?)?;
                return Some(member.name.clone());
            }
            Form::Species => text::species(Species::from_word(words)?),
            Form::Sex => text::sex(Sex::from_word(words)?, None),
            Form::Channel => text::channel(Channel::from_word(words)?),
            Form::AlertKind => text::alert_kind(AlertKind::from_word(words)?),
            Form::Role => text::role(Role::from_word(words)?),
        };
        Some(known.to_owned())
    }
}

/// Characters of a long text that are shown around what is another, and what a text may have to be shown as it is.
const AROUND: usize = 40;
const SHORT: usize = 160;

/// Of two long texts, the parts where they differ, with a little of what stands around.
fn excerpts(before: &str, after: &str) -> (String, String) {
    let (one, other): (Vec<char>, Vec<char>) = (before.chars().collect(), after.chars().collect());
    if one.len().max(other.len()) <= SHORT {
        return (before.to_owned(), after.to_owned());
    }
    let front = one
        .iter()
        .zip(&other)
        .take_while(|(one, other)| one == other)
        .count();
    let room = one.len().min(other.len()) - front;
    let same = one.iter().rev().zip(other.iter().rev()).take(room);
    let back = same.take_while(|(one, other)| one == other).count();
    let part = |text: &[char]| {
        let from = front.saturating_sub(AROUND);
        let to = (text.len() - back + AROUND).min(text.len());
        let mut part: String = text[from..to].iter().collect();
        if from > 0 {
            part.insert(0, '…');
        }
        if to < text.len() {
            part.push('…');
        }
        part
    };
    (part(&one), part(&other))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use shared_model::documents::Document;
    use shared_model::ids::ClinicId;
    use shared_model::time::Timestamp;

    fn said(kind: Kind, changes: &[FieldChange]) -> SaidOfChanges {
        let clinic = ClinicId(Uuid::from_u128(1));
        let settings = Document::genesis(Kind::ClinicSettings, clinic, clinic.settings());
        let settings = ClinicSettings::read(&settings).0;
        let spoken = Spoken {
            settings: &settings,
            today: date(2026, 11, 23),
            zone: &TimeZone::UTC,
        };
        said_of_changes(kind, changes, &spoken)
    }

    fn change(field: &str, before: Option<FieldValue>, after: Option<FieldValue>) -> FieldChange {
        FieldChange {
            field: field.to_owned(),
            before,
            after,
        }
    }

    fn words(words: &str) -> Option<FieldValue> {
        Some(FieldValue::Text(words.to_owned()))
    }

    fn told(kind: Kind, changes: &[FieldChange]) -> Vec<String> {
        let said = said(kind, changes);
        let line = |field: BeforeAndAfter| format!("{}: {} > {}", field.label, field.before, field.after);
        said.groups.into_iter().flatten().map(line).collect()
    }

    #[test]
    fn fields_and_values_are_said_in_words() {
        let id = Uuid::from_u128(9);
        assert_eq!(
            told(
                Kind::Patient,
                &[
                    change("species", words("dog"), words("cat")),
                    change("born", None, words("2020-09-20")),
                    change(&format!("weights/{id}/kg"), words("19.4"), words("20")),
                    change("neutered", None, Some(FieldValue::Flag(true))),
                    change("microchip", words("203"), None),
                ]
            ),
            [
                "Species: Dog > Cat",
                "Born:  > 20 Sep 2020",
                "Neutered:  > yes",
                "Microchip: 203 > ",
                "Weight: 19.4 kg > 20 kg"
            ]
        );
        let slot = format!("1795435200000/20/{id}/");
        assert_eq!(
            told(
                Kind::Appointment,
                &[
                    change("booking/slot", None, words(&slot)),
                    change(
                        "whereabouts/arrived_at",
                        None,
                        Some(FieldValue::Moment(Timestamp(1_795_435_200_000)))
                    )
                ]
            ),
            ["When:  > 12:00", "Arrived:  > 12:00"]
        );
    }

    #[test]
    fn what_has_no_words_is_counted_and_what_the_line_says_is_left_out() {
        let id = Uuid::from_u128(9);
        let said = said(
            Kind::Patient,
            &[
                change(&format!("weights/{id}/by"), None, words(&id.to_string())),
                change("mood", None, words("good")),
                change("species", words("dog"), words("unicorn")),
            ],
        );
        assert_eq!((said.groups.len(), said.without_words), (0, 2));
    }

    #[test]
    fn what_belongs_to_one_entry_stands_together() {
        let [first, second] = [Uuid::from_u128(8), Uuid::from_u128(9)];
        let said = said(
            Kind::Patient,
            &[
                change("name", words("Rex"), words("Max")),
                change(&format!("weights/{first}/kg"), None, words("19.4")),
                change(&format!("weights/{second}/kg"), None, words("20")),
                change(
                    &format!("weights/{first}/retracted_reason"),
                    None,
                    words("another dog"),
                ),
                change("breed", None, words("Beagle")),
            ],
        );
        let after = |group: &Vec<BeforeAndAfter>| group.iter().map(|field| field.after.clone()).collect();
        let groups: Vec<Vec<String>> = said.groups.iter().map(after).collect();
        assert_eq!(
            groups,
            [
                vec!["Max", "Beagle"],
                vec!["19.4 kg", "another dog"],
                vec!["20 kg"]
            ]
        );
    }

    /// What this build writes has words.
    #[test]
    fn every_field_that_commands_write_is_known() {
        for (kind, fields) in [
            (
                Kind::Patient,
                "name species breed colour sex neutered born microchip owners/*/since weights/*/kg weights/*/at \
                 weights/*/by weights/*/visit weights/*/retracted_at weights/*/retracted_by weights/*/retracted_reason \
                 alerts/*/kind alerts/*/text alerts/*/at alerts/*/by alerts/*/retracted_at death/on death/at death/by \
                 death/retracted_reason",
            ),
            (
                Kind::Client,
                "family_name given_name address preferred_channel phones/*/number emails/*/address",
            ),
            (
                Kind::Appointment,
                "client patient booking/type booking/slot booking/reason booking/by booking/cancelled_at \
                 booking/cancel_reason whereabouts/arrived_at whereabouts/in_room_at whereabouts/departed_at \
                 clinical/visit clinical/finished_at",
            ),
            (
                Kind::Visit,
                "patient appointment vet reason started_at started_by finished_at finished_by history examination \
                 assessment plan vitals/*/temperature_c vitals/*/heart_rate vitals/*/respiratory_rate \
                 vitals/*/body_condition vitals/*/capillary_refill_s vitals/*/mucous_membranes vitals/*/at vitals/*/by",
            ),
            (
                Kind::ClinicProfile,
                "name phone email address time_zone hours/1 hours/2 hours/3 hours/4 hours/5 hours/6 hours/7",
            ),
            (
                Kind::ClinicSettings,
                "rooms/*/name rooms/*/order rooms/*/active staff/*/name staff/*/full_name staff/*/role \
                 staff/*/bookable staff/*/order staff/*/active types/*/name types/*/minutes types/*/tone types/*/order \
                 types/*/active",
            ),
        ] {
            for pattern in fields.split_whitespace() {
                assert_ne!(field(kind, pattern), Field::Unknown, "{kind:?} {pattern}");
            }
        }
    }

    #[test]
    fn of_long_texts_the_part_is_shown_that_is_another() {
        let same = "word ".repeat(60);
        let (before, after) = excerpts(&format!("{same}old {same}"), &format!("{same}new and {same}"));
        assert!(
            before.contains("old") && after.contains("new and"),
            "{before} {after}"
        );
        assert!(before.chars().count() < 100 && before.starts_with('…') && before.ends_with('…'));
        assert_eq!(
            excerpts("", &same),
            (String::new(), same.clone()),
            "nothing is cut of what is new"
        );
        assert_eq!(excerpts("a", "b"), ("a".to_owned(), "b".to_owned()));
        let (before, after) = excerpts(&same, &format!("{same}{same}"));
        assert!(
            before.ends_with("word ") && after.ends_with("word "),
            "{before} {after}"
        );
    }
}
