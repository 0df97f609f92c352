//! The app for the browser, compiled by plain cargo.

use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context, Result, bail};

use crate::command;
use crate::set_up;

/// Returns the path of the compiler's WebAssembly, not yet fit for a browser.
pub(super) fn compile() -> Result<PathBuf> {
    let mut cargo = command::cargo();
    cargo
        .args([
            "build",
            "--package",
            "app",
            "--bin",
            "app",
            "--target",
            "wasm32-unknown-unknown",
        ])
        .args(["--profile", "web", "--no-default-features", "--features", "web"])
        .arg("--message-format=json-render-diagnostics")
        .envs(set_up::wasm_compiler_env())
        .stdout(Stdio::piped());
    println!("$ {}", command::line(&cargo));
    let output = cargo.spawn().context("starting cargo")?.wait_with_output()?;
    if !output.status.success() {
        bail!("the app does not compile for the browser");
    }
    // Cargo says where the file is: the target folder may be anywhere.
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|message| message["reason"] == "compiler-artifact" && message["target"]["name"] == "app")
        .flat_map(|message| message["filenames"].as_array().cloned().unwrap_or_default())
        .filter_map(|file| file.as_str().map(PathBuf::from))
        .find(|file| file.extension().is_some_and(|extension| extension == "wasm"))
        .context("cargo named no .wasm file")
}
