//! What the commands need from the machine, and how to get it: looked for first, installed only if missing.
//!
//! Nothing here downloads from anywhere but package registries and rustup. What cannot be installed is explained
//! with the line to type.

mod find;
mod install;
mod needs;

pub(crate) use find::{chromium, postgres_folder, wasm_compiler_env};
pub(crate) use needs::Purpose;

use anyhow::{Result, bail};

/// Makes sure of everything that `purposes` need, before work starts that would fail halfway.
pub(crate) fn ensure(purposes: &[Purpose]) -> Result<()> {
    let mut missing: Vec<_> = needs::NEEDS
        .iter()
        .filter(|need| purposes.contains(&need.purpose) && !(need.found)())
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    println!("Missing on this machine:");
    for need in &missing {
        println!("  {}: {}", need.name, need.why);
    }
    let by_hand = install::install(&missing)?;
    missing.retain(|need| !(need.found)());
    if missing.is_empty() {
        return Ok(());
    }
    let names: Vec<_> = missing.iter().map(|need| need.name).collect();
    if by_hand.is_empty() {
        bail!(
            "still missing after installing: {}. {}",
            names.join(", "),
            missing[0].otherwise
        );
    }
    bail!(
        "please install what is missing ({}), then run the same command again:\n\n{by_hand}\n",
        names.join(", ")
    );
}
