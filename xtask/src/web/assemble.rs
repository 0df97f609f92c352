//! Gives every file its final name and writes the pages that mention those names.
//!
//! Order matters: a file's hash covers the names that it mentions, so what is mentioned comes first.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use super::bind::Bound;
use super::inputs::files_below;
use super::theme;

/// One file as the server serves it.
pub(super) struct File {
    /// Below the site's root, without a leading slash.
    pub path: String,
    pub bytes: Vec<u8>,
    /// The name contains the content's hash: browsers may keep it forever.
    pub hashed: bool,
}

pub(super) fn assemble(assets: &Path, bound: Bound) -> Result<Vec<File>> {
    let mut bundle = Bundle::default();
    bundle.add("app_bg.wasm", bound.wasm);
    let mut script = bound.script;
    for (name, text) in bound.snippets {
        // wasm-bindgen also writes what only functions import that the linker dropped.
        if !script.contains(&name) {
            continue;
        }
        let path = bundle.add("snippet.js", text.into_bytes());
        script = script.replace(&name, &format!("./{}", file_name(&path)));
    }
    bundle.add("app.js", script.into_bytes());
    for name in ["start.js", "boot.js"] {
        let text = fs::read_to_string(assets.join(name)).with_context(|| format!("assets/{name}"))?;
        // Modules import each other by name alone: they lie in one folder.
        let text = bundle.fill(&text, |path| file_name(path).to_owned())?;
        bundle.add(name, text.into_bytes());
    }
    bundle.add("theme.css", theme::theme(&assets.join("theme"))?.into_bytes());
    bundle.copy(assets)?;

    // The page's own text is part of the build, but can be named only before it is filled in.
    let page = fs::read_to_string(assets.join("index.html")).context("assets/index.html")?;
    let build = bundle.build(&page);
    bundle.names.insert("build".to_owned(), build.clone());
    let page = bundle.fill(&page, |name| {
        if name == build {
            name.to_owned()
        } else {
            format!("/{name}")
        }
    })?;
    bundle.plain("index.html", page.into_bytes());

    bundle.names.insert("files".to_owned(), bundle.precache()?);
    let worker = fs::read_to_string(assets.join("service-worker.js")).context("assets/service-worker.js")?;
    let worker = bundle.fill(&worker, str::to_owned)?;
    bundle.plain("service-worker.js", worker.into_bytes());
    Ok(bundle.files)
}

#[derive(Default)]
struct Bundle {
    files: Vec<File>,
    /// What `{{name}}` stands for.
    names: BTreeMap<String, String>,
}

impl Bundle {
    /// Adds under a name with the content's hash, and returns the path.
    fn add(&mut self, name: &str, bytes: Vec<u8>) -> String {
        let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
        let path = format!("assets/{stem}-{}.{extension}", short_hash(&bytes));
        self.names.insert(name.to_owned(), path.clone());
        // Two snippets may be the same text.
        if !self.files.iter().any(|file| file.path == path) {
            self.files.push(File {
                path: path.clone(),
                bytes,
                hashed: true,
            });
        }
        path
    }

    fn plain(&mut self, path: &str, bytes: Vec<u8>) {
        self.files.push(File {
            path: path.to_owned(),
            bytes,
            hashed: false,
        });
    }

    /// Fonts, icons and pictures keep their names, since style sheets and the manifest mention them.
    fn copy(&mut self, assets: &Path) -> Result<()> {
        for file in files_below(assets)? {
            let path = file
                .strip_prefix(assets)?
                .to_str()
                .context("a name in assets")?
                .replace('\\', "/");
            let built = ["index.html", "start.js", "boot.js", "service-worker.js"].contains(&path.as_str());
            // Translations are compiled in.
            if built || path.starts_with("theme/") || path.starts_with("translations/") {
                continue;
            }
            let place = if path == "manifest.webmanifest" {
                path
            } else {
                format!("assets/{path}")
            };
            self.plain(&place, fs::read(&file)?);
        }
        Ok(())
    }

    /// The build's name: the hash of every file's path and content, and of the page to be.
    fn build(&self, page: &str) -> String {
        let mut hash = Sha256::new();
        hash.update(page);
        for file in &self.files {
            hash.update(file.path.as_bytes());
            hash.update(Sha256::digest(&file.bytes));
        }
        format!("{:x}", hash.finalize())[..16].to_owned()
    }

    /// Replaces each `{{name}}`. An unknown name stops the build rather than reaching a browser.
    fn fill(&self, text: &str, place: impl Fn(&str) -> String) -> Result<String> {
        let mut filled = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let (name, after) = after.split_once("}}").context("a `{{` without `}}`")?;
            let value = self
                .names
                .get(name)
                .with_context(|| format!("nothing is called {{{{{name}}}}}"))?;
            filled.push_str(before);
            filled.push_str(&place(value));
            rest = after;
        }
        filled.push_str(rest);
        Ok(filled)
    }

    /// `[address, hashed]` of everything that the app needs without a server. Licence texts are not needed.
    fn precache(&self) -> Result<String> {
        let files: Vec<_> = self
            .files
            .iter()
            .filter(|file| !file.path.ends_with(".txt"))
            .map(|file| match file.path.as_str() {
                // Under the address that people open: a service worker may not answer with a redirect.
                "index.html" => ("/".to_owned(), false),
                path => (format!("/{path}"), file.hashed),
            })
            .collect();
        Ok(serde_json::to_string(&files)?)
    }
}

pub(super) fn hash(bytes: &[u8]) -> String {
    format!("{:x}", Sha256::digest(bytes))
}

fn short_hash(bytes: &[u8]) -> String {
    hash(bytes)[..12].to_owned()
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bundle() -> Bundle {
        let mut bundle = Bundle::default();
        bundle.add("app.js", b"export default 1".to_vec());
        bundle.plain("index.html", b"<!doctype html>".to_vec());
        bundle.plain("assets/fonts/LICENSE.txt", b"OFL".to_vec());
        bundle
    }

    #[test]
    fn a_name_changes_with_its_content_only() {
        let mut one = Bundle::default();
        let mut two = Bundle::default();
        assert_eq!(one.add("app.js", b"1".to_vec()), two.add("app.js", b"1".to_vec()));
        assert_ne!(one.add("app.js", b"1".to_vec()), two.add("app.js", b"2".to_vec()));
    }

    #[test]
    fn an_unknown_name_stops_the_build() {
        assert_eq!(
            bundle().fill("{{app.js}}!", |_| "x".to_owned()).expect("known"),
            "x!"
        );
        assert!(bundle().fill("{{ap.js}}", str::to_owned).is_err());
        assert!(bundle().fill("{{app.js", str::to_owned).is_err());
    }

    #[test]
    fn the_page_is_kept_under_the_address_that_people_open() {
        let files = bundle().precache().expect("a list");
        assert!(files.contains(r#"["/",false]"#), "{files}");
        assert!(!files.contains("LICENSE"), "{files}");
        assert!(files.contains(r#".js",true]"#), "{files}");
    }
}
