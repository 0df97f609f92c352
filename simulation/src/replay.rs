//! What is kept of a run that found something: enough to run it again, and what happened.

use crate::faults::Class;
use crate::run::Outcome;
use serde::{Deserialize, Serialize};
use std::io;
use std::path::{Path, PathBuf};

#[derive(Debug, Serialize, Deserialize)]
pub struct Replay {
    pub seed: u64,
    /// Classes of faults that were switched off.
    pub without: Vec<String>,
    /// Classes that were at work, with their rates in a thousand steps.
    pub faults: Vec<(String, u32)>,
    pub violation: Option<String>,
    /// Of the lines below.
    pub digest: String,
    pub lines: Vec<String>,
}

impl Replay {
    pub fn of(outcome: &Outcome, without: &[Class]) -> Self {
        Self {
            seed: outcome.seed,
            without: without.iter().map(|class| class.word().to_owned()).collect(),
            faults: outcome
                .plan
                .rates()
                .iter()
                .map(|(class, rate)| (class.word().to_owned(), *rate))
                .collect(),
            violation: outcome.violation.as_ref().map(ToString::to_string),
            digest: outcome.digest.clone(),
            lines: outcome.lines.clone(),
        }
    }

    pub fn write(&self, folder: &Path) -> io::Result<PathBuf> {
        std::fs::create_dir_all(folder)?;
        let file = folder.join(format!("seed-{}.json", self.seed));
        std::fs::write(&file, serde_json::to_vec_pretty(self)?)?;
        Ok(file)
    }

    pub fn read(file: &Path) -> io::Result<Self> {
        Ok(serde_json::from_slice(&std::fs::read(file)?)?)
    }

    pub fn without(&self) -> Vec<Class> {
        self.without
            .iter()
            .filter_map(|word| Class::from_word(word))
            .collect()
    }
}
