//! One style sheet out of `assets/theme`, minified: the first paint waits for it.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, anyhow};
use lightningcss::stylesheet::{ParserOptions, PrinterOptions, StyleSheet};

use super::inputs::files_below;

/// Later rules win, so the order is part of the design, and the desktop window uses the same (`app/build.rs`). A sheet
/// that is not named follows, by name.
const ORDER: [&str; 18] = [
    "tokens",
    "fonts",
    "base",
    "components",
    "species",
    "shell",
    "day",
    "visit",
    "patient",
    "client",
    "sign-in",
    "search",
    "booking",
    "standing",
    "owner",
    "settings",
    "trail",
    "print",
];

pub(super) fn theme(folder: &Path) -> Result<String> {
    let mut sheets: Vec<_> = files_below(folder)?
        .into_iter()
        .filter(|file| file.extension().is_some_and(|extension| extension == "css"))
        .collect();
    sheets.sort_by_key(|file| (rank(file), file.clone()));
    let mut css = String::new();
    for sheet in &sheets {
        css += &fs::read_to_string(sheet).with_context(|| sheet.display().to_string())?;
        css.push('\n');
    }
    minify(&css)
}

fn rank(file: &Path) -> usize {
    let name = file.file_stem().unwrap_or_default();
    ORDER
        .iter()
        .position(|sheet| *sheet == name)
        .unwrap_or(ORDER.len())
}

/// No browser targets: the sheet says what we wrote, only shorter.
fn minify(css: &str) -> Result<String> {
    let sheet =
        StyleSheet::parse(css, ParserOptions::default()).map_err(|error| anyhow!("assets/theme: {error}"))?;
    Ok(sheet
        .to_css(PrinterOptions {
            minify: true,
            ..PrinterOptions::default()
        })?
        .code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sheets_follow_the_designs_order_then_their_names() {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["visit", "shell", "base", "tokens", "unnamed"] {
            fs::write(
                folder.path().join(format!("{name}.css")),
                format!(".{name} {{ margin: 0 }}"),
            )
            .expect("a file");
        }
        let css = theme(folder.path()).expect("valid sheets");
        assert_eq!(
            css,
            ".tokens{margin:0}.base{margin:0}.shell{margin:0}.visit{margin:0}.unnamed{margin:0}"
        );
    }

    #[test]
    fn a_mistake_in_a_sheet_stops_the_build() {
        assert!(minify(".a { color: red; } } .b {").is_err());
    }
}
