//! One run of one seed, from the clinic's beginning to the comparison at its end.

use crate::faults::{Class, Plan};
use crate::invariant::{Holds, Invariant, Violation, broken};
use crate::world::{BEGIN, Counts, World};
use shared_model::time::Timestamp;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// What a run came to.
pub struct Outcome {
    pub seed: u64,
    pub plan: Plan,
    pub digest: String,
    pub violation: Option<Violation>,
    pub lines: Vec<String>,
    pub counts: Counts,
    /// Milliseconds of the simulated world.
    pub time: i64,
}

thread_local! {
    static LAST_PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Panics are told by the run that they end, not on the terminal.
pub fn keep_panics_quiet() {
    std::panic::set_hook(Box::new(|panic| {
        LAST_PANIC.with(|last| *last.borrow_mut() = Some(panic.to_string()));
    }));
}

/// A folder in memory, where the system has one: a run waits for no disk.
pub(crate) fn folder_in_memory() -> PathBuf {
    let shared_memory = Path::new("/dev/shm");
    if shared_memory.is_dir() {
        shared_memory.to_owned()
    } else {
        std::env::temp_dir()
    }
}

/// Runs a seed in a folder of its own.
pub fn run(seed: u64, without: &[Class]) -> Outcome {
    let plan = Plan::draw(seed, without);
    let folder = tempfile::Builder::new()
        .prefix("clinic-simulation-")
        .tempdir_in(folder_in_memory())
        .expect("the simulation needs a folder that it can write");
    let mut outcome = Outcome {
        seed,
        plan: plan.clone(),
        digest: String::new(),
        violation: None,
        lines: Vec::new(),
        counts: Counts::default(),
        time: 0,
    };
    let mut world = None;
    let ran = catch_unwind(AssertUnwindSafe(|| {
        let world = world.insert(World::new(seed, plan, folder.path())?);
        live(world)
    }));
    outcome.violation = match ran {
        Ok(held) => held.err(),
        Err(_) => {
            let what = LAST_PANIC.with(|last| last.borrow_mut().take());
            Some(broken(Invariant::NothingBreaks, what.unwrap_or_default()))
        }
    };
    if let Some(mut world) = world {
        if let Some(violation) = &outcome.violation {
            world.note(format!("VIOLATION: {violation}"));
        }
        outcome.digest = world.log.digest();
        outcome.lines = world.log.lines().to_vec();
        outcome.counts = world.counts;
        outcome.time = world.time;
    }
    outcome
}

fn live(world: &mut World) -> Holds {
    let now = Timestamp(BEGIN);
    let founding = world.books.founding(&mut world.work, now);
    for command in founding {
        world.command(0, command)?;
    }
    // Most clinics have a calm first hour; in the others trouble begins with the first sync.
    if world.schedule.permille(700) {
        world.work_off()?;
    }
    world.faults_on = true;
    for _ in 0..world.plan.steps {
        world.step()?;
    }
    world.rest()?;
    world.compare()
}
