//! Many ways through a shared device's days, drawn by dice: whatever the clinic refuses, and whoever is signed in, every
//! word that was typed ends at the clinic or is listed with its words, and none is there twice.

use crate::clinic::{Device, NORA};
use crate::recovery::{Clinic, at_rest, outbox, texts, visit_of, visiting};
use crate::server::{connect, pushes, reconnect};
use local_core::query::Connection;
use local_core::{Decision, Effect, Event, Failure};
use shared_model::commands::*;
use shared_model::documents::Section;
use shared_model::ids::VisitId;
use shared_model::permissions::Role;
use std::collections::BTreeSet;

/// A small generator of numbers that look like dice.
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

struct Days {
    device: Device,
    clinic: Clinic,
    visit: VisitId,
    dice: Dice,
    vet: bool,
    words: BTreeSet<String>,
    /// What happened, for whoever looks into a failure.
    log: Vec<String>,
}

impl Days {
    fn new(seed: u64) -> Self {
        let (mut device, clinic, visit) = visiting();
        device.handle(Event::SocketClosed { dice: 0 });
        Self {
            device,
            clinic,
            visit,
            dice: Dice(seed),
            vet: true,
            words: BTreeSet::new(),
            log: Vec::new(),
        }
    }

    /// Writes a word of its own at some place of some text, on the state that is shown.
    fn types(&mut self) {
        let section = Section::ALL[self.dice.below(4) as usize];
        let shown = visit_of(&mut self.device, self.visit);
        let text = shown
            .sections
            .iter()
            .find(|shown| shown.section == section)
            .unwrap()
            .text
            .clone();
        // Between words, so that each stays whole.
        let mut places: Vec<usize> = text
            .chars()
            .enumerate()
            .filter(|(_, c)| *c == ' ')
            .map(|(at, _)| at + 1)
            .collect();
        places.extend([0, text.chars().count()]);
        let at = places[self.dice.below(places.len() as u64) as usize];
        let word = format!("word{}", self.words.len());
        self.device.must(WriteInSection {
            visit: self.visit,
            section,
            seen: shown.heads,
            at,
            delete: 0,
            insert: format!(" {word} "),
        });
        self.log
            .push(format!("{} types {word} into the {}", self.who(), section.word()));
        self.words.insert(word);
    }

    fn who(&self) -> &'static str {
        if self.vet { "the vet" } else { "Nora" }
    }

    fn changes_hands(&mut self) {
        self.device.sign_out();
        self.vet = !self.vet;
        if self.vet {
            self.device.vet_signs_in();
        } else {
            let roles = [Role::Technician, Role::Veterinarian];
            self.device.sign_in_as(NORA, "Nora Lindqvist", &roles);
        }
    }

    fn connects(&mut self) -> Vec<Effect> {
        let (_, effects) = match self.device.core.standing().0 {
            Connection::Online | Connection::Offline { .. } => reconnect(&mut self.device),
            _ => connect(&mut self.device),
        };
        effects
    }

    /// What is sent is taken, but the answers never arrive.
    fn hears_no_answer(&mut self) {
        self.log.push(format!("{} hears no answer", self.who()));
        for push in pushes(&self.connects()) {
            self.clinic.answer(&push, |_| false);
        }
    }

    /// The clinic is reached, and refuses one in so many; 0 refuses nothing.
    fn reaches_the_clinic(&mut self, one_in: u64) {
        let effects = self.connects();
        let dice = &mut self.dice;
        self.clinic.converse(&mut self.device, effects, |_| {
            one_in > 0 && dice.below(one_in) == 0
        });
    }

    /// Somebody tries one of the listed things again, one's own or a colleague's.
    fn tries_again(&mut self) {
        let matters = outbox(&mut self.device).matters;
        if matters.is_empty() {
            return;
        }
        let rows = matters[self.dice.below(matters.len() as u64) as usize]
            .rows
            .clone();
        match self.device.decide(Decision::Again { rows }) {
            // What it was typed behind is not there: it stays listed.
            Ok(_) | Err(Failure::Command(CommandError::UnknownBase)) => {}
            Err(other) => panic!("{other:?}"),
        }
    }

    /// Anybody's work waits.
    fn waits(&self) -> bool {
        let counts = self.device.core.store().outbox_counts().unwrap();
        counts.iter().any(|(_, counts)| counts.waiting > 0)
    }

    fn ends(mut self, seed: u64) {
        // Where they wrote in turns on each other's words, each turn waits for the one before.
        while self.waits() {
            assert!(
                self.log.len() < 200,
                "seed {seed}: two wait for each other: {:#?}",
                self.log
            );
            self.changes_hands();
            self.reaches_the_clinic(0);
        }
        at_rest(&mut self.device, &self.clinic);
        let page = outbox(&mut self.device);
        let standing = texts(&mut self.device, self.visit).join(" ");
        let listed: Vec<String> = page.matters.iter().map(|matter| matter.words.clone()).collect();
        let listed = listed.join(" ");
        for word in &self.words {
            let times = |text: &str| text.split_whitespace().filter(|found| found == word).count();
            let (there, here) = (times(&standing), times(&listed));
            assert_eq!(
                there + here,
                1,
                "seed {seed}: {word} is {there} times there, {here} times listed"
            );
        }
    }
}

#[test]
fn every_word_is_at_the_clinic_or_listed() {
    for seed in 0..150 {
        let mut days = Days::new(seed);
        for _ in 0..25 {
            match days.dice.below(11) {
                0..=4 => days.types(),
                5 => days.changes_hands(),
                6 => days.reaches_the_clinic(0),
                7 => days.reaches_the_clinic(3),
                8 => days.reaches_the_clinic(1),
                9 => days.hears_no_answer(),
                _ => days.tries_again(),
            }
        }
        days.ends(seed);
    }
}
