//! The browser app: Rust to one WebAssembly bundle, named by content, compressed beforehand, ready to be served.
//!
//! ```text
//! compile ─▶ bind ─▶ assemble (names with hashes, index.html, service worker) ─▶ compress ─▶ dist/web + manifest.json
//! ```
//! Invariant: a name below `assets/` that contains a hash never changes its content, so that it may be kept forever.

mod assemble;
mod bind;
mod compile;
mod compress;
mod inputs;
mod theme;

use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result};

use crate::command::root;
use crate::set_up::{self, Purpose};

#[derive(clap::Args, Default)]
pub(crate) struct Options {
    /// Build even if nothing has changed
    #[arg(long)]
    pub force: bool,
    /// Keep the functions' names, for a profile; the bundle is larger and goes to dist/web-names
    #[arg(long)]
    pub names: bool,
}

/// Where the bundle goes; the server serves this folder by its `manifest.json`.
pub(crate) fn dist() -> PathBuf {
    root().join("dist/web")
}

pub(crate) fn build(options: &Options) -> Result<PathBuf> {
    let dist = if options.names {
        root().join("dist/web-names")
    } else {
        dist()
    };
    // Beside the folder, not in it: everything in it is for browsers.
    let stamp = dist.with_extension("inputs");
    let inputs = inputs::fingerprint()?;
    if !options.force
        && dist.join("manifest.json").exists()
        && fs::read_to_string(&stamp).is_ok_and(|built| built == inputs)
    {
        println!("The web app is up to date.");
        return Ok(dist);
    }

    set_up::ensure(&[Purpose::Web])?;
    let started = Instant::now();
    let wasm = compile::compile()?;
    let compiled = started.elapsed().as_secs_f64();
    let bound = bind::bind(&wasm, options.names)?;
    let files = assemble::assemble(&root().join("assets"), bound)?;
    let bound = started.elapsed().as_secs_f64() - compiled;
    let sizes = compress::write(&files, &dist)?;
    fs::write(&stamp, inputs).with_context(|| format!("writing {}", stamp.display()))?;

    let total = started.elapsed().as_secs_f64();
    println!(
        "The web app is built in {total:.0} s: compiling {compiled:.0} s, binding {bound:.0} s, compressing {:.0} s.",
        total - compiled - bound
    );
    for size in sizes.iter().filter(|size| size.raw > 100_000) {
        println!(
            "  {:<34} {:>8} kB, compressed {:>7} kB",
            size.path,
            size.raw / 1000,
            size.brotli / 1000
        );
    }
    Ok(dist)
}
