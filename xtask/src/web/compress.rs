//! Writes the bundle with its compressed copies, and the list by which the server serves it.
//!
//! Compressed once here, at the highest quality, rather than for every browser on the server.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Serialize;

use super::assemble::{File, hash};

/// `dist/web/manifest.json`: the server serves exactly these files.
#[derive(Serialize)]
struct Manifest<'a> {
    files: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    /// Below the site's root; the compressed copies lie beside it as `.br` and `.gz`.
    path: &'a str,
    /// SHA-256, hexadecimal: the ETag.
    hash: String,
    bytes: usize,
    content_type: &'static str,
    /// Best first, as in `Accept-Encoding`.
    encodings: Vec<&'static str>,
    /// The content never changes under this name: `Cache-Control: immutable`. Everything else: `no-cache`.
    immutable: bool,
}

pub(super) struct Size {
    pub path: String,
    pub raw: usize,
    pub brotli: usize,
}

pub(super) fn write(files: &[File], dist: &Path) -> Result<Vec<Size>> {
    // Built beside and swapped in, so that a server never serves half a build.
    let fresh = dist.with_extension("new");
    remove(&fresh)?;
    // Brotli at its highest quality is slow, and every file is a job of its own.
    let compressed: Vec<Compressed> = std::thread::scope(|scope| {
        let jobs: Vec<_> = files
            .iter()
            .map(|file| scope.spawn(|| compress(&file.bytes)))
            .collect();
        jobs.into_iter()
            .map(|job| job.join().expect("compressing does not panic"))
            .collect::<Result<_>>()
    })?;

    let mut entries = Vec::new();
    let mut sizes = Vec::new();
    for (file, compressed) in files.iter().zip(compressed) {
        let path = fresh.join(&file.path);
        let folder = path.parent().context("a file lies in a folder")?;
        fs::create_dir_all(folder)?;
        fs::write(&path, &file.bytes)?;
        let mut encodings = Vec::new();
        for (encoding, suffix, bytes) in [("br", "br", &compressed.brotli), ("gzip", "gz", &compressed.gzip)]
        {
            // Fonts and pictures are compressed already; a copy that gains nothing costs the browser time.
            if bytes.len() * 100 < file.bytes.len() * 95 {
                let mut name = path.clone().into_os_string();
                name.push(format!(".{suffix}"));
                fs::write(PathBuf::from(name), bytes)?;
                encodings.push(encoding);
            }
        }
        sizes.push(Size {
            path: file.path.clone(),
            raw: file.bytes.len(),
            brotli: compressed.brotli.len(),
        });
        entries.push(Entry {
            path: &file.path,
            hash: hash(&file.bytes),
            bytes: file.bytes.len(),
            content_type: content_type(&file.path),
            encodings,
            immutable: file.hashed,
        });
    }
    fs::write(
        fresh.join("manifest.json"),
        serde_json::to_vec_pretty(&Manifest { files: entries })?,
    )?;
    remove(dist)?;
    fs::rename(&fresh, dist).with_context(|| format!("moving the build to {}", dist.display()))?;
    Ok(sizes)
}

struct Compressed {
    brotli: Vec<u8>,
    gzip: Vec<u8>,
}

fn compress(bytes: &[u8]) -> Result<Compressed> {
    let mut brotli = Vec::new();
    let parameters = brotli::enc::BrotliEncoderParams {
        quality: 11,
        // The largest window that every browser takes.
        lgwin: 24,
        size_hint: bytes.len(),
        ..Default::default()
    };
    brotli::BrotliCompress(&mut &*bytes, &mut brotli, &parameters)?;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(bytes)?;
    Ok(Compressed {
        brotli,
        gzip: gzip.finish()?,
    })
}

fn remove(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("removing {}", folder.display()))?;
    }
    Ok(())
}

/// Browsers refuse a module or WebAssembly that comes under another type.
fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "css" => "text/css; charset=utf-8",
        "html" => "text/html; charset=utf-8",
        "jpg" => "image/jpeg",
        "js" => "text/javascript; charset=utf-8",
        "json" => "application/json",
        "png" => "image/png",
        "svg" => "image/svg+xml",
        "txt" => "text/plain; charset=utf-8",
        "wasm" => "application/wasm",
        "webmanifest" => "application/manifest+json",
        "webp" => "image/webp",
        "woff2" => "font/woff2",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_replaces_the_one_before_and_lists_itself() {
        let folder = tempfile::tempdir().expect("a folder");
        let dist = folder.path().join("web");
        fs::create_dir_all(&dist).expect("an old build");
        fs::write(dist.join("old.js"), "old").expect("an old file");
        let file = |path: &str, bytes: Vec<u8>, hashed| File {
            path: path.to_owned(),
            bytes,
            hashed,
        };
        let noise: Vec<u8> = (0..2000u32)
            .map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8)
            .collect();
        let files = [
            file("assets/app-1.js", vec![b'a'; 2000], true),
            file("assets/fonts/a.woff2", noise, false),
        ];
        write(&files, &dist).expect("a build");

        assert!(!dist.join("old.js").exists());
        assert!(dist.join("assets/app-1.js.br").exists() && dist.join("assets/app-1.js.gz").exists());
        let manifest: serde_json::Value =
            serde_json::from_slice(&fs::read(dist.join("manifest.json")).expect("a list")).expect("JSON");
        assert_eq!(
            manifest["files"][0]["encodings"],
            serde_json::json!(["br", "gzip"])
        );
        assert_eq!(manifest["files"][0]["immutable"], true);
        assert_eq!(manifest["files"][1]["content_type"], "font/woff2");
    }
}
