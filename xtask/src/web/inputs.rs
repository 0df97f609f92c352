//! What the web bundle depends on, as one hash, so that an unchanged bundle is not built again.
//!
//! Cargo alone would do for the compiler's part, but binding and brotli take as long as a small compile.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use crate::command::root;

const INPUTS: [&str; 7] = [
    "Cargo.toml",
    "Cargo.lock",
    ".cargo/config.toml",
    "shared-model",
    "app",
    "assets",
    "xtask/src/web",
];
/// The device's schema is compiled in.
const MORE_INPUTS: [&str; 1] = ["migrations/device"];

pub(super) fn fingerprint() -> Result<String> {
    let mut hash = Sha256::new();
    for input in INPUTS.iter().chain(&MORE_INPUTS) {
        for file in files_below(&root().join(input))? {
            hash.update(file.to_string_lossy().as_bytes());
            hash.update(Sha256::digest(
                fs::read(&file).with_context(|| format!("reading {}", file.display()))?,
            ));
        }
    }
    Ok(format!("{:x}", hash.finalize()))
}

/// Every file below, or the file itself, in an order that does not depend on the file system; hidden ones not.
pub(super) fn files_below(path: &Path) -> Result<Vec<PathBuf>> {
    if path.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    if !path.exists() {
        return Ok(Vec::new());
    }
    let mut entries = fs::read_dir(path)
        .with_context(|| format!("reading {}", path.display()))?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<Vec<_>>>()?;
    entries.sort();
    let mut files = Vec::new();
    for entry in entries {
        let hidden = entry
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if !hidden {
            files.extend(files_below(&entry)?);
        }
    }
    Ok(files)
}
