//! Turns the translation files into functions: `book-clash = { $vet } is taken` becomes `text::book_clash(vet)`.
//! A screen that names a missing sentence, or forgets one of its values, does not compile; and nothing is parsed
//! while the program runs. For the desktop it also gathers the looks, which a browser gets from the server.

use fluent_syntax::ast;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

fn main() {
    sentences();
    if std::env::var_os("CARGO_FEATURE_DESKTOP").is_some() {
        looks();
    }
}

/// The style sheets in the order of the cascade: each may refine those before it.
const SHEETS: [&str; 18] = [
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

/// One style sheet, and the files that it names, for a window that has no server to ask.
fn looks() {
    let assets = Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets");
    println!("cargo:rerun-if-changed=../assets/theme");
    let mut theme = String::new();
    for sheet in SHEETS {
        let file = assets.join("theme").join(sheet).with_extension("css");
        theme +=
            &std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        theme.push('\n');
    }
    let mut files = String::from("&[");
    for (folder, extension, kind) in [
        ("fonts", "woff2", "font/woff2"),
        ("icons/species", "svg", "image/svg+xml"),
    ] {
        println!("cargo:rerun-if-changed=../assets/{folder}");
        let entries = std::fs::read_dir(assets.join(folder)).expect("the folder is part of the repository");
        let mut paths: Vec<_> = entries
            .map(|entry| entry.expect("the folder can be read").path())
            .collect();
        paths.sort();
        for path in paths
            .iter()
            .filter(|path| path.extension().is_some_and(|found| found == extension))
        {
            let name = path
                .file_name()
                .expect("a file in a folder has a name")
                .to_string_lossy();
            write!(
                files,
                "(\"/assets/{folder}/{name}\", {kind:?}, include_bytes!({path:?})),"
            )
            .expect("a string takes everything");
        }
    }
    files.push(']');
    let out = std::env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    std::fs::write(Path::new(&out).join("theme.css"), theme).expect("OUT_DIR can be written");
    std::fs::write(Path::new(&out).join("files.rs"), files).expect("OUT_DIR can be written");
}

fn sentences() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets/translations");
    println!("cargo:rerun-if-changed=../assets/translations");
    let file = folder.join("en.ftl");
    let source = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let resource = fluent_syntax::parser::parse(source.as_str())
        .unwrap_or_else(|(_, errors)| panic!("{}: {errors:?}", file.display()));
    let mut code = String::new();
    for entry in &resource.body {
        if let ast::Entry::Message(message) = entry {
            // What only the window says would be dead in the browser, and the other way round.
            if message.id.name.starts_with("desktop-") {
                code.push_str("#[cfg(feature = \"desktop\")] ");
            }
            if message.id.name.starts_with("web-") {
                code.push_str("#[cfg(feature = \"web\")] ");
            }
            code.push_str(&function(message));
        }
    }
    let out = std::env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    std::fs::write(Path::new(&out).join("sentences.rs"), code).expect("OUT_DIR can be written");
}

fn function(message: &ast::Message<&str>) -> String {
    let key = message.id.name;
    let pattern = message
        .value
        .as_ref()
        .unwrap_or_else(|| panic!("{key} has no text"));
    let mut arguments = BTreeMap::new();
    let mut body = String::new();
    write_pattern(key, pattern, &mut arguments, &mut body);
    let name = key.replace('-', "_");
    if let Some(text) = plain(pattern) {
        return format!("pub(crate) fn {name}() -> &'static str {{ {text:?} }}\n");
    }
    let mut code = format!("pub(crate) fn {name}(");
    for (argument, is_count) in &arguments {
        let kind = if *is_count {
            "i64"
        } else {
            "impl std::fmt::Display"
        };
        write!(code, "{argument}: {kind}, ").expect("a string takes everything");
    }
    writeln!(code, ") -> String {{ let mut s = String::new(); {body} s }}")
        .expect("a string takes everything");
    code
}

/// The text of a sentence in which nothing varies.
fn plain(pattern: &ast::Pattern<&str>) -> Option<String> {
    pattern
        .elements
        .iter()
        .map(|element| match element {
            ast::PatternElement::TextElement { value } => Some(*value),
            ast::PatternElement::Placeable {
                expression: ast::Expression::Inline(ast::InlineExpression::StringLiteral { value }),
            } => Some(*value),
            ast::PatternElement::Placeable { .. } => None,
        })
        .collect()
}

/// `arguments` collects each value's name and whether it selects a plural.
fn write_pattern(
    key: &str,
    pattern: &ast::Pattern<&str>,
    arguments: &mut BTreeMap<String, bool>,
    body: &mut String,
) {
    // What stands between two values, one more than there are values.
    let mut pieces = vec![String::new()];
    let mut values = Vec::new();
    let last = |pieces: &mut Vec<String>, more: &str| {
        if let Some(piece) = pieces.last_mut() {
            piece.push_str(more);
        }
    };
    for element in &pattern.elements {
        let expression = match element {
            ast::PatternElement::TextElement { value } => {
                last(&mut pieces, value);
                continue;
            }
            ast::PatternElement::Placeable { expression } => expression,
        };
        match expression {
            ast::Expression::Inline(ast::InlineExpression::VariableReference { id }) => {
                let name = id.name.replace('-', "_");
                values.push(format!("&{name}"));
                pieces.push(String::new());
                arguments.entry(name).or_insert(false);
            }
            ast::Expression::Inline(ast::InlineExpression::StringLiteral { value }) => {
                last(&mut pieces, value);
            }
            choice => {
                write_pieces(&mut pieces, &mut values, body);
                write_choice(key, choice, arguments, body);
            }
        }
    }
    write_pieces(&mut pieces, &mut values, body);
}

/// One call for a whole run of pieces and values: the program has hundreds of them.
fn write_pieces(pieces: &mut Vec<String>, values: &mut Vec<String>, body: &mut String) {
    if values.is_empty() {
        if pieces.iter().any(|piece| !piece.is_empty()) {
            write!(body, "s.push_str({:?});", pieces.concat()).expect("a string takes everything");
        }
    } else {
        let values = values.join(", ");
        write!(body, "crate::text::fill(&mut s, &{pieces:?}, &[{values}]);")
            .expect("a string takes everything");
    }
    *pieces = vec![String::new()];
    values.clear();
}

fn write_choice(
    key: &str,
    choice: &ast::Expression<&str>,
    arguments: &mut BTreeMap<String, bool>,
    body: &mut String,
) {
    match choice {
        ast::Expression::Select {
            selector: ast::InlineExpression::VariableReference { id },
            variants,
        } => {
            let name = id.name.replace('-', "_");
            arguments.insert(name.clone(), true);
            write!(body, "match ({name}, crate::text::plural({name})) {{")
                .expect("a string takes everything");
            let mut default = None;
            for variant in variants {
                if variant.default {
                    default = Some(variant);
                    continue;
                }
                match &variant.key {
                    ast::VariantKey::NumberLiteral { value } => write!(body, "({value}, _) => {{"),
                    ast::VariantKey::Identifier { name } => write!(body, "(_, {name:?}) => {{"),
                }
                .expect("a string takes everything");
                write_pattern(key, &variant.value, arguments, body);
                body.push('}');
            }
            body.push_str("_ => {");
            let default = default.unwrap_or_else(|| panic!("{key} has no default variant"));
            write_pattern(key, &default.value, arguments, body);
            body.push_str("} }");
        }
        _ => panic!("{key} uses a form of Fluent that this build does not read"),
    }
}
