//! The words for what the records hold as codes.

use super as text;
use shared_model::clinical::VitalSign;
use shared_model::documents::{AlertKind, Channel, Section, Sex, Species};
use shared_model::permissions::Role;

pub(crate) fn species(species: Species) -> &'static str {
    match species {
        Species::Dog => text::dog(),
        Species::Cat => text::cat(),
        Species::Rabbit => text::rabbit(),
        Species::GuineaPig => text::guinea_pig(),
        Species::Ferret => text::ferret(),
        Species::Rodent => text::rodent(),
        Species::Bird => text::bird(),
        Species::Reptile => text::reptile(),
        Species::Horse => text::horse(),
        Species::Other => text::other_species(),
    }
}

/// "male neutered"; nothing if nothing is known.
pub(crate) fn sex(sex: Sex, neutered: Option<bool>) -> &'static str {
    match (sex, neutered) {
        (Sex::Female, Some(true)) => text::female_neutered(),
        (Sex::Male, Some(true)) => text::male_neutered(),
        (Sex::Unknown, Some(true)) => text::neutered_only(),
        (Sex::Female, _) => text::female(),
        (Sex::Male, _) => text::male(),
        (Sex::Unknown, _) => "",
    }
}

pub(crate) fn alert_kind(kind: AlertKind) -> &'static str {
    match kind {
        AlertKind::Allergy => text::alert_allergy(),
        AlertKind::Handling => text::alert_handling(),
        AlertKind::Medical => text::alert_medical(),
    }
}

pub(crate) fn channel(channel: Channel) -> &'static str {
    match channel {
        Channel::Phone => text::channel_phone(),
        Channel::Sms => text::channel_sms(),
        Channel::Email => text::channel_email(),
        Channel::Post => text::channel_post(),
    }
}

/// Somebody's name as the server gives it: it has none of whoever was erased.
pub(crate) fn person(name: &str) -> &str {
    if name.is_empty() {
        text::erased_person()
    } else {
        name
    }
}

pub(crate) fn role(role: Role) -> &'static str {
    match role {
        Role::Owner => text::role_owner(),
        Role::FrontDesk => text::role_front_desk(),
        Role::Technician => text::role_technician(),
        Role::Veterinarian => text::role_veterinarian(),
        Role::ClinicAdministrator => text::role_clinic_administrator(),
        Role::SystemAdministrator => text::role_system_administrator(),
        Role::Viewer => text::role_viewer(),
    }
}

/// What a role may do, for whoever gives it.
pub(crate) fn role_may(role: Role) -> &'static str {
    match role {
        Role::Owner => text::may_owner(),
        Role::FrontDesk => text::may_front_desk(),
        Role::Technician => text::may_technician(),
        Role::Veterinarian => text::may_veterinarian(),
        Role::ClinicAdministrator => text::may_clinic_administrator(),
        Role::SystemAdministrator => text::may_system_administrator(),
        Role::Viewer => text::may_viewer(),
    }
}

pub(crate) fn section(section: Section) -> &'static str {
    match section {
        Section::History => text::section_history(),
        Section::Examination => text::section_examination(),
        Section::Assessment => text::section_assessment(),
        Section::Plan => text::section_plan(),
    }
}

pub(crate) fn vital_sign(sign: VitalSign) -> &'static str {
    match sign {
        VitalSign::Temperature => text::vital_temperature(),
        VitalSign::HeartRate => text::vital_heart(),
        VitalSign::RespiratoryRate => text::vital_breathing(),
        VitalSign::BodyCondition => text::vital_condition(),
        VitalSign::CapillaryRefill => text::vital_refill(),
    }
}

/// "Veterinarian, clinic administrator".
pub(crate) fn roles(roles: &[Role]) -> String {
    let words: Vec<&str> = roles.iter().map(|held| role(*held)).collect();
    words.join(", ")
}
