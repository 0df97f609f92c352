//! The sentences of mails, and of the pages that the server itself shows, from the translation files that are compiled in.

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use std::sync::LazyLock;

const ENGLISH: &str = include_str!("../../../assets/translations/mail/en.ftl");

static BUNDLE: LazyLock<FluentBundle<FluentResource>> = LazyLock::new(|| {
    let resource = FluentResource::try_new(ENGLISH.to_owned())
        .expect("the translation file is read by a test, and it is part of the program");
    let english = "en".parse().expect("a language");
    let mut bundle = FluentBundle::new_concurrent(vec![english]);
    // Marks around each value are for texts of mixed direction; in a subject they show.
    bundle.set_use_isolating(false);
    bundle.add_resource_overriding(resource);
    bundle
});

/// A sentence with its values. One that is missing reads as its name, which a test does not let pass.
pub(crate) fn sentence(name: &str, values: &[(&str, &str)]) -> String {
    let Some(pattern) = BUNDLE.get_message(name).and_then(|message| message.value()) else {
        tracing::error!(name, "a sentence is missing");
        return name.to_owned();
    };
    let mut arguments = FluentArgs::new();
    for (key, value) in values {
        arguments.set(*key, FluentValue::from(*value));
    }
    let mut errors = Vec::new();
    let text = BUNDLE.format_pattern(pattern, Some(&arguments), &mut errors);
    if !errors.is_empty() {
        tracing::error!(name, ?errors, "a sentence lacks a value");
    }
    text.into_owned()
}
