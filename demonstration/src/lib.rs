//! A demonstration clinic, generated from a seed: people, animals, years of visits and a day in progress.
//!
//! Place in the flow: before everything. A first run plays its deeds into an empty clinic, tests and benchmarks play
//! them into documents. Invariant: pure and deterministic; the same options give the same bytes, on any machine.

mod ahead;
mod bench;
mod breeds;
mod days;
mod dice;
mod history;
mod log;
mod names;
mod people;
mod play;
mod reasons;
mod team;
mod today;
mod visit;

pub use bench::bench_documents;
pub use play::documents;

use days::Days;
use dice::{Concern, Dice};
use log::Log;
use shared_model::commands::Command;
use shared_model::documents::Stamp;
use shared_model::ids::{AccountId, ClientId, ClinicId};
use shared_model::permissions::Role;
use shared_model::time::Timestamp;
use visit::Pen;

/// The password of every demonstration account. It is published, so a clinic that holds it is no place for real data.
pub const DEMO_PASSWORD: &str = "lantern-beagle-orchard-47";

/// What to generate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    pub seed: u64,
    /// How many animals; none is the first day of a clinic: staff and settings only.
    pub patients: usize,
    /// How far back visits go. With 0 the animals are registered and weighed, and nothing more of the past is told.
    pub years: u16,
    pub now: Timestamp,
}

/// Years of history if nothing else is asked for.
pub const YEARS: u16 = 5;

/// One thing that somebody did.
#[derive(Clone, Debug)]
pub struct Deed {
    pub stamp: Stamp,
    pub command: Command,
}

/// Somebody who can sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DemoAccount {
    pub account: AccountId,
    pub email: String,
    pub full_name: String,
    pub roles: Vec<Role>,
    /// An owner's own record.
    pub client: Option<ClientId>,
    /// `DEMO_PASSWORD`.
    pub password: &'static str,
}

#[derive(Clone, Debug)]
pub struct DemoClinic {
    pub clinic: ClinicId,
    pub accounts: Vec<DemoAccount>,
    /// In time order, none after `now`.
    pub deeds: Vec<Deed>,
}

/// What the clinic is called.
pub const NAME: &str = "Northgate Vets";

/// Northgate Vets with five years of history.
pub fn clinic(seed: u64, patients: usize, now: Timestamp) -> DemoClinic {
    clinic_with(Options {
        seed,
        patients,
        years: YEARS,
        now,
    })
}

/// Northgate Vets.
///
/// Appointments lie in the opening hours on a ten-minute grid and nobody is booked twice, but for the one clash of
/// today. Today is a working day in progress whatever `now` is: at night, on weekends and around lunch the hours of
/// that weekday are moved, by an edit of the clinic's profile.
pub fn clinic_with(options: Options) -> DemoClinic {
    let Options {
        seed,
        patients,
        years,
        now,
    } = options;
    let days = Days::new(now, i64::from(years.max(1)) * 365);
    let mut log = Log::default();

    let mut dice = Dice::new(seed, Concern::Team);
    let founded = days.at(-8, 9 * 60);
    let clinic = ClinicId(dice.mint(founded));
    let (team, mut accounts) = team::set_up(&mut dice, &mut log, founded, patients);

    if patients > 0 {
        let mut dice = Dice::new(seed, Concern::People);
        let people = people::register(&mut dice, &days, &team, &mut log, patients, years > 0);
        for owner in people.owners.iter().take(people::OWNERS_WITH_SIGN_IN) {
            let (name, email) = (owner.full_name.clone(), owner.email.clone());
            accounts.push(team::owner_account(
                &mut dice,
                owner.registered,
                owner.client,
                name,
                email,
            ));
        }
        let mut pen = Pen {
            dice: Dice::new(seed, Concern::History),
            log: &mut log,
            clinic,
            days: &days,
            team: &team,
        };
        history::tell(&mut pen, &people.animals, years);
        people::settle_last_weights(pen.log, &people.animals);
        pen.dice = Dice::new(seed, Concern::Today);
        let free = today::tell(&mut pen, &people.animals);
        pen.dice = Dice::new(seed, Concern::Ahead);
        ahead::tell(&mut pen, &people.animals, free);
    }
    DemoClinic {
        clinic,
        accounts,
        deeds: log.finish(),
    }
}
