//! `cargo xtask simulate --mutations`: does the simulation find what is broken?
//!
//! Each patch in `simulation/mutations/` breaks one promise of the code. It is applied to a copy of the work tree, the
//! simulation is built there, and seeds run until one finds something. A break that is not found fails the command.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};

use crate::command::{self, cargo, output, program, root, run};

/// Seeds that a break has to be found in.
const SEEDS: &str = "3000";
/// What the simulation is built from.
const FOLDERS: [&str; 12] = [
    "shared-model",
    "app",
    "sync-server",
    "stories",
    "xtask",
    "demonstration",
    "simulation",
    "fuzz",
    "throw-away-postgres",
    "migrations",
    "assets",
    ".cargo",
];
const FILES: [&str; 3] = ["Cargo.toml", "Cargo.lock", "rustfmt.toml"];

struct Mutation {
    name: String,
    patch: PathBuf,
    /// The line of the patch that says what must be found.
    expected: String,
}

pub(crate) fn try_all() -> Result<()> {
    let copy = command::target_dir().join("mutations");
    let mut table = Vec::new();
    for mutation in mutations()? {
        copy_tree(&copy)?;
        run(program("git")
            .args(["apply", "--whitespace=nowarn"])
            .arg(&mutation.patch)
            .current_dir(&copy))?;
        run(cargo()
            .args(["build", "--profile", "simulation", "--package", "simulation"])
            .env("CARGO_TARGET_DIR", copy.join("target"))
            .current_dir(&copy))?;
        let began = Instant::now();
        let said = output(
            program("sh")
                .arg("-c")
                .arg(format!(
                    "target/simulation/simulation --seeds {SEEDS} --workers 1 || true"
                ))
                .current_dir(&copy),
        )?;
        let found = said.lines().find(|line| line.starts_with("seed "));
        let found = found.map(ToOwned::to_owned);
        println!("{}: {}", mutation.name, found.as_deref().unwrap_or("NOT FOUND"));
        table.push((mutation, found, began.elapsed().as_secs_f64()));
    }
    println!("\n| mutation | found by | seconds |\n|---|---|---|");
    for (mutation, found, took) in &table {
        let found = found.as_deref().unwrap_or("NOT FOUND");
        println!("| {} | {found} | {took:.0} |", mutation.name);
    }
    let missed: Vec<&str> = table
        .iter()
        .filter(|(mutation, found, _)| {
            !found
                .as_ref()
                .is_some_and(|found| found.contains(&mutation.expected))
        })
        .map(|(mutation, ..)| mutation.name.as_str())
        .collect();
    ensure!(missed.is_empty(), "not found as expected: {}", missed.join(", "));
    Ok(())
}

/// A patch begins with lines of words; the one that begins with `finds:` names the invariant.
fn mutations() -> Result<Vec<Mutation>> {
    let folder = root().join("simulation/mutations");
    let mut patches: Vec<PathBuf> = std::fs::read_dir(&folder)
        .with_context(|| format!("{} cannot be read", folder.display()))?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "patch"))
        .collect();
    patches.sort();
    patches
        .into_iter()
        .map(|patch| {
            let text = std::fs::read_to_string(&patch)?;
            let expected = text
                .lines()
                .find_map(|line| line.strip_prefix("finds: "))
                .with_context(|| format!("{} does not say what finds it", patch.display()))?;
            Ok(Mutation {
                name: name(&patch),
                expected: expected.to_owned(),
                patch,
            })
        })
        .collect()
}

fn name(patch: &Path) -> String {
    patch
        .file_stem()
        .map(|stem| stem.to_string_lossy().into_owned())
        .unwrap_or_default()
}

/// Copies what differs, so that the copy's build goes on from the last one.
fn copy_tree(copy: &Path) -> Result<()> {
    std::fs::create_dir_all(copy)?;
    for file in FILES {
        copy_if_other(&root().join(file), &copy.join(file))?;
    }
    for folder in FOLDERS {
        copy_folder(&root().join(folder), &copy.join(folder))?;
    }
    Ok(())
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    if !from.is_dir() {
        bail!("{} has gone", from.display());
    }
    std::fs::create_dir_all(to)?;
    let mut here = Vec::new();
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name();
        if name == "target" || name == "node_modules" {
            continue;
        }
        let (from, to) = (entry.path(), to.join(&name));
        if entry.file_type()?.is_dir() {
            copy_folder(&from, &to)?;
        } else {
            copy_if_other(&from, &to)?;
        }
        here.push(name);
    }
    for entry in std::fs::read_dir(to)? {
        let entry = entry?;
        if !here.contains(&entry.file_name()) {
            if entry.file_type()?.is_dir() {
                std::fs::remove_dir_all(entry.path())?;
            } else {
                std::fs::remove_file(entry.path())?;
            }
        }
    }
    Ok(())
}

fn copy_if_other(from: &Path, to: &Path) -> Result<()> {
    let bytes = std::fs::read(from).with_context(|| format!("{} cannot be read", from.display()))?;
    if std::fs::read(to).ok().as_ref() != Some(&bytes) {
        std::fs::write(to, bytes)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Code that moves under a patch is noticed with the move, not weeks later.
    #[test]
    fn every_patch_says_what_finds_it_and_still_fits() {
        let mutations = mutations().expect("readable");
        assert!(!mutations.is_empty());
        for mutation in mutations {
            run(program("git")
                .args(["apply", "--check", "--whitespace=nowarn"])
                .arg(&mutation.patch)
                .current_dir(root()))
            .unwrap_or_else(|error| panic!("{}: {error:#}", mutation.name));
        }
    }
}
