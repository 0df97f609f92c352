//! JavaScript around the WebAssembly, by wasm-bindgen as a library: its version is pinned in Cargo.lock, no tool to install.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use wasm_bindgen_cli_support::Bindgen;

use super::inputs::files_below;

/// What the browser loads, names not yet final.
pub(super) struct Bound {
    pub wasm: Vec<u8>,
    /// A module whose default export starts the app; imports the snippets by the names below.
    pub script: String,
    /// (the name by which `script` imports it, its text)
    pub snippets: Vec<(String, String)>,
}

pub(super) fn bind(wasm: &Path, names: bool) -> Result<Bound> {
    let folder = tempfile::tempdir()?;
    Bindgen::new()
        .input_path(wasm)
        .out_name("app")
        .web(true)?
        .typescript(false)
        // start.js says where the module is, since its name has a hash.
        .omit_default_module_path(true)
        .remove_producers_section(true)
        .remove_name_section(!names)
        .generate(folder.path())
        .context("wasm-bindgen")?;

    let read = |name: &str| fs::read_to_string(folder.path().join(name)).with_context(|| name.to_owned());
    let mut snippets = Vec::new();
    for file in files_below(&folder.path().join("snippets"))? {
        let path = file.strip_prefix(folder.path())?;
        let name = format!(
            "./{}",
            path.to_str().context("a snippet's name")?.replace('\\', "/")
        );
        let text = fs::read_to_string(&file)?;
        // Its imports would have to be renamed as well; no crate that we use needs that.
        if text.contains("from \"./") || text.contains("from './") || text.contains("from \"../") {
            bail!("the snippet {name} imports another file, which the bundle does not support");
        }
        snippets.push((name, text));
    }
    Ok(Bound {
        wasm: fs::read(folder.path().join("app_bg.wasm"))?,
        script: read("app.js")?,
        snippets,
    })
}
