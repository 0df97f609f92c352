//! What is looked for in the trail, as it stands in the page's address and as the server is asked.
//!
//! Invariant: pure. Whatever an address says that cannot be meant is left out, and asks for more rather than for nothing.

use crate::text;
use jiff::ToSpan;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use shared_model::commands::Verb;
use shared_model::ids::{AccountId, DeviceId, DocumentId};
use shared_model::time::Timestamp;
use shared_model::trail::{Happening, TrailEntry};
use std::fmt::{self, Display, Formatter};

/// Everything that is `None` is any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) person: Option<AccountId>,
    pub(crate) what: Option<What>,
    pub(crate) when: Option<When>,
    pub(crate) device: Option<DeviceId>,
    pub(crate) document: Option<DocumentId>,
}

/// A kind of line, or a group of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    All(Group),
    Verb(Verb),
    Happening(Happening),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Group {
    PeopleAndAnimals,
    Appointments,
    Visits,
    Settings,
    SignIns,
    WaysIn,
    Staff,
    Sent,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    Today,
    LastWeek,
    LastMonth,
    /// Both days included.
    Days(Option<Date>, Option<Date>),
}

impl Group {
    pub(super) const ALL: [Self; 8] = [
        Self::PeopleAndAnimals,
        Self::Appointments,
        Self::Visits,
        Self::Settings,
        Self::SignIns,
        Self::WaysIn,
        Self::Staff,
        Self::Sent,
    ];

    fn word(self) -> &'static str {
        match self {
            Self::PeopleAndAnimals => "people-and-animals",
            Self::Appointments => "appointments",
            Self::Visits => "visits",
            Self::Settings => "settings",
            Self::SignIns => "sign-ins",
            Self::WaysIn => "ways-in",
            Self::Staff => "staff",
            Self::Sent => "refused",
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::PeopleAndAnimals => text::trail_group_people_and_animals(),
            Self::Appointments => text::trail_group_appointments(),
            Self::Visits => text::trail_group_visits(),
            Self::Settings => text::trail_group_settings(),
            Self::SignIns => text::trail_group_sign_ins(),
            Self::WaysIn => text::trail_group_ways_in(),
            Self::Staff => text::trail_group_staff(),
            Self::Sent => text::trail_group_sent(),
        }
    }

    /// The single kinds in it, in their own order.
    pub(super) fn kinds(self) -> Vec<What> {
        let verbs = Verb::ALL.iter().filter(|verb| of_verb(**verb) == self);
        let happenings = Happening::ALL.iter().filter(|what| of_happening(**what) == self);
        let verbs = verbs.map(|verb| What::Verb(*verb));
        verbs
            .chain(happenings.map(|what| What::Happening(*what)))
            .collect()
    }
}

fn of_verb(verb: Verb) -> Group {
    match verb {
        Verb::RegisterClient
        | Verb::EditClient
        | Verb::RegisterPatient
        | Verb::EditPatient
        | Verb::RecordWeight
        | Verb::RetractWeight
        | Verb::RecordAlert
        | Verb::RetractAlert
        | Verb::ReportDeath
        | Verb::RetractDeath
        | Verb::ChooseValue => Group::PeopleAndAnimals,
        Verb::BookAppointment
        | Verb::MoveAppointment
        | Verb::CancelAppointment
        | Verb::ReinstateAppointment
        | Verb::CheckIn
        | Verb::UndoCheckIn
        | Verb::CheckOut
        | Verb::UndoCheckOut => Group::Appointments,
        Verb::StartVisit
        | Verb::RecordVitals
        | Verb::WriteInSection
        | Verb::FinishVisit
        | Verb::ReopenVisit => Group::Visits,
        Verb::SetClinicProfile | Verb::SetRoom | Verb::SetStaffMember | Verb::SetAppointmentType => {
            Group::Settings
        }
    }
}

fn of_happening(what: Happening) -> Group {
    match what {
        Happening::SignedIn
        | Happening::SignInRefused
        | Happening::RefreshTokenReused
        | Happening::SignedOut
        | Happening::SecondFactorRefused
        | Happening::RecoveryCodeUsed => Group::SignIns,
        Happening::PasswordChanged
        | Happening::NewAddressAsked
        | Happening::NewAddressTakenBack
        | Happening::AddressConfirmed
        | Happening::ProviderLinked
        | Happening::ProviderUnlinked
        | Happening::SecondFactorAdded
        | Happening::SecondFactorRemoved
        | Happening::RecoveryCodesRenewed
        | Happening::SignInRulesChanged => Group::WaysIn,
        Happening::RolesChanged
        | Happening::DeviceSignedOut
        | Happening::DeviceFound
        | Happening::DeviceLost
        | Happening::SigningKeyRegistered
        | Happening::TrailExported
        | Happening::PersonErased => Group::Staff,
        Happening::WorkRefused
        | Happening::LateWorkRead
        | Happening::LateWorkHandedIn
        | Happening::LateWorkTaken
        | Happening::LateWorkLetGo => Group::Sent,
        Happening::RecordRead | Happening::ChangeRead => Group::PeopleAndAnimals,
    }
}

impl What {
    /// As the address has it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::All(group) => group.word(),
            Self::Verb(verb) => verb.word(),
            Self::Happening(what) => what.word(),
        }
    }

    pub(super) fn from_word(word: &str) -> Option<Self> {
        let group = Group::ALL.into_iter().find(|group| group.word() == word);
        group
            .map(Self::All)
            .or_else(|| Verb::from_word(word).map(Self::Verb))
            .or_else(|| Happening::from_word(word).map(Self::Happening))
    }

    /// The kind of a line; `None` for what this build does not know.
    pub(super) fn of(entry: &TrailEntry) -> Option<Self> {
        let happening = entry.happening().map(Self::Happening);
        happening.or_else(|| entry.change_verb().map(Self::Verb))
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::All(group) => group.name(),
            Self::Verb(verb) => text::trail_verb(verb),
            Self::Happening(what) => text::trail_happening(what),
        }
    }

    /// The words that the server looks for: of changes, and of what happened.
    fn words(self) -> (Vec<&'static str>, Vec<&'static str>) {
        let kinds = match self {
            Self::All(group) => group.kinds(),
            single => vec![single],
        };
        let (happenings, verbs): (Vec<Self>, Vec<Self>) = kinds
            .into_iter()
            .partition(|kind| matches!(kind, Self::Happening(_)));
        let words = |kinds: Vec<Self>| kinds.into_iter().map(Self::word).collect();
        (words(verbs), words(happenings))
    }

    pub(super) fn group(self) -> Group {
        match self {
            Self::All(group) => group,
            Self::Verb(verb) => of_verb(verb),
            Self::Happening(what) => of_happening(what),
        }
    }
}

impl When {
    /// The first day, and the last.
    fn days(self, today: Date) -> (Option<Date>, Option<Date>) {
        let before = |days: i32| Some(today.saturating_sub(days.days()));
        match self {
            Self::Today => (Some(today), None),
            Self::LastWeek => (before(6), None),
            Self::LastMonth => (before(29), None),
            Self::Days(from, to) => (from, to),
        }
    }

    pub(super) fn name(self, today: Date) -> String {
        let day = |date: Date| text::date_short(date, today);
        match self {
            Self::Today => text::today().to_owned(),
            Self::LastWeek => text::trail_last_week().to_owned(),
            Self::LastMonth => text::trail_last_month().to_owned(),
            Self::Days(Some(from), Some(to)) => text::trail_days(day(from), day(to)),
            Self::Days(Some(from), None) => text::trail_from_day(day(from)),
            Self::Days(None, Some(to)) => text::trail_to_day(day(to)),
            Self::Days(None, None) => text::trail_from_to().to_owned(),
        }
    }
}

impl Wanted {
    /// The whole trail of one record.
    pub(crate) fn of(document: impl Into<DocumentId>) -> Self {
        Self {
            document: Some(document.into()),
            ..Self::default()
        }
    }

    pub(super) fn is_anything(self) -> bool {
        self == Self::default()
    }

    /// Nothing but a period is looked for.
    pub(super) fn is_a_period(self) -> bool {
        self.when.is_some() && Self { when: None, ..self }.is_anything()
    }

    /// The two days, if the first is after the last: no line can be between them.
    pub(super) fn backwards(self) -> Option<(Date, Date)> {
        match self.when {
            Some(When::Days(Some(from), Some(to))) if from > to => Some((from, to)),
            _ => None,
        }
    }

    /// The query of `GET /audit`, for the clinic's days.
    pub(super) fn query(self, today: Date, zone: &TimeZone) -> String {
        let mut query = Query::default();
        query.part("person", self.person);
        query.part("device", self.device);
        query.part("document", self.document);
        if let Some((verbs, happenings)) = self.what.map(What::words) {
            let listed = |words: Vec<&str>| (!words.is_empty()).then(|| words.join(","));
            query.part("verb", listed(verbs));
            query.part("happening", listed(happenings));
        }
        if let Some(when) = self.when {
            let (from, to) = when.days(today);
            query.part("from", from.and_then(|date| midnight(date, zone)).map(|at| at.0));
            let after = to.and_then(|date| date.tomorrow().ok());
            query.part("to", after.and_then(|date| midnight(date, zone)).map(|at| at.0));
        }
        query.0
    }
}

fn midnight(date: Date, zone: &TimeZone) -> Option<Timestamp> {
    let at = date.to_zoned(zone.clone()).ok()?;
    Some(Timestamp(at.timestamp().as_millisecond()))
}

#[derive(Default)]
struct Query(String);

impl Query {
    fn part(&mut self, key: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            if !self.0.is_empty() {
                self.0.push('&');
            }
            self.0 += &format!("{key}={value}");
        }
    }
}

/// As it stands in the address.
impl Display for Wanted {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut query = Query::default();
        query.part("person", self.person);
        query.part("what", self.what.map(What::word));
        let when = match self.when {
            Some(When::Today) => Some("today"),
            Some(When::LastWeek) => Some("week"),
            Some(When::LastMonth) => Some("month"),
            Some(When::Days(..)) => Some("days"),
            None => None,
        };
        query.part("when", when);
        if let Some(When::Days(from, to)) = self.when {
            query.part("from", from);
            query.part("to", to);
        }
        query.part("device", self.device);
        query.part("record", self.document);
        f.write_str(&query.0)
    }
}

impl From<&str> for Wanted {
    fn from(query: &str) -> Self {
        let query = query.strip_prefix('?').unwrap_or(query);
        let part = |key: &str| {
            let mut parts = query.split('&').filter_map(|part| part.split_once('='));
            parts.find(|(found, _)| *found == key).map(|(_, value)| value)
        };
        let date = |key: &str| part(key).and_then(|date| date.parse::<Date>().ok());
        let when = match part("when") {
            Some("today") => Some(When::Today),
            Some("week") => Some(When::LastWeek),
            Some("month") => Some(When::LastMonth),
            Some("days") => Some(When::Days(date("from"), date("to"))),
            _ => None,
        };
        Self {
            person: part("person").and_then(AccountId::parse),
            what: part("what").and_then(What::from_word),
            when,
            device: part("device").and_then(DeviceId::parse),
            document: part("record").and_then(DocumentId::parse),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use std::collections::BTreeSet;
    use uuid::Uuid;

    fn full() -> Wanted {
        Wanted {
            person: Some(AccountId(Uuid::from_u128(1))),
            what: Some(What::Verb(Verb::RecordWeight)),
            when: Some(When::Days(Some(date(2026, 11, 2)), Some(date(2026, 11, 4)))),
            device: Some(DeviceId(Uuid::from_u128(2))),
            document: Some(DocumentId(Uuid::from_u128(3))),
        }
    }

    #[test]
    fn an_address_says_what_is_looked_for() {
        let groups = Group::ALL.map(What::All);
        let verbs = Verb::ALL.iter().copied().map(What::Verb);
        let happenings = Happening::ALL.iter().copied().map(What::Happening);
        let whats: Vec<What> = groups.into_iter().chain(verbs).chain(happenings).collect();
        let words: BTreeSet<&str> = whats.iter().map(|what| what.word()).collect();
        assert_eq!(words.len(), whats.len(), "each has a word of its own");
        let mut all = vec![Wanted::default(), full()];
        all.extend(whats.into_iter().map(|what| Wanted {
            what: Some(what),
            ..Wanted::default()
        }));
        for when in [
            When::Today,
            When::LastWeek,
            When::LastMonth,
            When::Days(None, Some(date(2026, 1, 1))),
            When::Days(None, None),
        ] {
            all.push(Wanted {
                when: Some(when),
                ..Wanted::default()
            });
        }
        for wanted in all {
            assert_eq!(Wanted::from(wanted.to_string().as_str()), wanted, "{wanted}");
        }
    }

    #[test]
    fn what_cannot_be_meant_is_left_out() {
        for odd in [
            "person=me",
            "what=",
            "when=ever&from=x",
            "record",
            "&&=&",
            "device=%20",
        ] {
            assert_eq!(Wanted::from(odd), Wanted::default(), "{odd}");
        }
    }

    #[test]
    fn days_are_the_clinics() {
        let zone = TimeZone::get("Europe/Prague").expect("known");
        let today = date(2026, 3, 29);
        let asked = |when| {
            let wanted = Wanted {
                when: Some(when),
                ..Wanted::default()
            };
            wanted.query(today, &zone)
        };
        // An hour is missing on that day.
        assert_eq!(asked(When::Today), "from=1774738800000");
        assert_eq!(asked(When::LastWeek), "from=1774220400000");
        assert_eq!(
            asked(When::Days(Some(today), Some(today))),
            "from=1774738800000&to=1774821600000"
        );
    }

    #[test]
    fn a_period_that_ends_before_it_begins_is_known() {
        let days = |from, to| Wanted {
            when: Some(When::Days(from, to)),
            ..Wanted::default()
        };
        let (first, last) = (date(2026, 11, 2), date(2026, 11, 4));
        assert_eq!(days(Some(last), Some(first)).backwards(), Some((last, first)));
        for fine in [
            days(Some(first), Some(last)),
            days(Some(first), Some(first)),
            days(None, Some(first)),
            Wanted::default(),
        ] {
            assert_eq!(fine.backwards(), None);
        }
    }

    #[test]
    fn every_line_is_in_one_group() {
        let kinds: Vec<What> = Group::ALL.into_iter().flat_map(Group::kinds).collect();
        assert_eq!(kinds.len(), Verb::ALL.len() + Happening::ALL.len());
        let staff = Wanted {
            what: Some(What::All(Group::Settings)),
            ..Wanted::default()
        };
        assert_eq!(
            staff.query(date(2026, 1, 1), &TimeZone::UTC),
            "verb=set_clinic_profile,set_room,set_staff_member,set_appointment_type"
        );
        let sent = Wanted {
            what: Some(What::All(Group::Sent)),
            ..Wanted::default()
        };
        assert_eq!(
            sent.query(date(2026, 1, 1), &TimeZone::UTC),
            "happening=work_refused,late_work_read,late_work_handed_in,late_work_taken,late_work_let_go"
        );
    }

    #[test]
    fn a_change_has_no_kind_of_what_happens_whatever_it_calls_itself() {
        let mut entry = TrailEntry::new(String::new(), Timestamp(0), "record_read".to_owned());
        assert_eq!(What::of(&entry), None);
        entry.is_happening = true;
        assert_eq!(What::of(&entry), Some(What::Happening(Happening::RecordRead)));
    }
}
