//! Turns the translation files into functions: `book-clash = { $vet } is taken` becomes `text::book_clash(vet)`.
//! A screen that names a missing sentence, or forgets one of its values, does not compile; and nothing is parsed
//! while the program runs.

use fluent_syntax::ast;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

fn main() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets/translations");
    println!("cargo:rerun-if-changed={}", folder.display());
    let file = folder.join("en.ftl");
    let source = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let resource = fluent_syntax::parser::parse(source.as_str())
        .unwrap_or_else(|(_, errors)| panic!("{}: {errors:?}", file.display()));
    let mut code = String::new();
    for entry in &resource.body {
        if let ast::Entry::Message(message) = entry {
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
    if arguments.is_empty() {
        if let [ast::PatternElement::TextElement { value }] = pattern.elements.as_slice() {
            return format!("pub(crate) fn {name}() -> &'static str {{ {value:?} }}\n");
        }
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
    write!(code, ") -> String {{ let mut s = String::new(); {body} s }}\n")
        .expect("a string takes everything");
    code
}

/// `arguments` collects each value's name and whether it selects a plural.
fn write_pattern(
    key: &str,
    pattern: &ast::Pattern<&str>,
    arguments: &mut BTreeMap<String, bool>,
    body: &mut String,
) {
    for element in &pattern.elements {
        match element {
            ast::PatternElement::TextElement { value } => {
                write!(body, "s.push_str({value:?});").expect("a string takes everything");
            }
            ast::PatternElement::Placeable { expression } => {
                write_expression(key, expression, arguments, body)
            }
        }
    }
}

fn write_expression(
    key: &str,
    expression: &ast::Expression<&str>,
    arguments: &mut BTreeMap<String, bool>,
    body: &mut String,
) {
    match expression {
        ast::Expression::Inline(ast::InlineExpression::VariableReference { id }) => {
            let name = id.name.replace('-', "_");
            write!(
                body,
                "{{ use std::fmt::Write as _; let _ = write!(s, \"{{}}\", {name}); }}"
            )
            .expect("a string takes everything");
            arguments.entry(name).or_insert(false);
        }
        ast::Expression::Inline(ast::InlineExpression::StringLiteral { value }) => {
            write!(body, "s.push_str({value:?});").expect("a string takes everything");
        }
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
