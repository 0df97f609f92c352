//! Fields of a form: a label, the control, a hint, and what is wrong in words.

use super::half_typed::use_half_typed;
use super::icon;
use crate::text;
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::{LdChevronDown, LdCircleAlert, LdEye, LdEyeOff};
use shared_model::accounts::MIN_PASSWORD;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum FieldKind {
    #[default]
    Text,
    Email,
    Tel,
    Password,
    Pin,
    /// Digits that are good for moments: nothing hides them.
    Code,
    Date,
    Decimal,
}

impl FieldKind {
    fn input_type(self) -> &'static str {
        match self {
            // Decimals are typed with a comma in half of the world, which `number` does not take.
            Self::Text | Self::Decimal | Self::Code => "text",
            Self::Email => "email",
            Self::Tel => "tel",
            Self::Password | Self::Pin => "password",
            Self::Date => "date",
        }
    }

    fn input_mode(self) -> Option<&'static str> {
        match self {
            Self::Decimal => Some("decimal"),
            Self::Tel => Some("tel"),
            Self::Pin | Self::Code => Some("numeric"),
            _ => None,
        }
    }
}

#[component]
pub(crate) fn TextField(
    #[props(into)] id: String,
    #[props(into)] label: String,
    value: Signal<String>,
    #[props(default)] error: Option<String>,
    #[props(default)] hint: Option<String>,
    #[props(default)] optional: bool,
    #[props(default)] kind: FieldKind,
    #[props(default)] autofocus: bool,
    #[props(default = "off".to_owned(), into)] autocomplete: String,
    #[props(default)] unit: Option<String>,
    #[props(default)] readonly: bool,
    /// A password that is shown at the moment.
    #[props(default)]
    secret: bool,
    #[props(default)] on_input: EventHandler<String>,
    /// A button beside the field.
    children: Element,
) -> Element {
    let mut value = value;
    let secret = secret || matches!(kind, FieldKind::Password | FieldKind::Pin);
    use_half_typed(&id, value, secret);
    let described = described_by(&id, hint.is_some(), error.is_some());
    let control = rsx! {
        input {
            id: id.clone(),
            class: "input",
            r#type: kind.input_type(),
            inputmode: kind.input_mode(),
            value: "{value}",
            autocomplete,
            readonly,
            autofocus: autofocus.then_some("autofocus"),
            "data-autofocus": autofocus.then_some(""),
            "aria-describedby": described,
            "aria-invalid": error.is_some().then_some("true"),
            oninput: move |event| {
                value.set(event.value());
                on_input.call(event.value());
            },
        }
    };
    rsx! {
        Framed { id: id.clone(), label, error, hint, optional,
            if let Some(unit) = unit {
                div { class: "input-group",
                    {control}
                    span { class: "input-group__unit", {unit} }
                    {children}
                }
            } else if children != VNode::empty() {
                div { class: "input-group",
                    {control}
                    {children}
                }
            } else {
                {control}
            }
        }
    }
}

/// Whose password a form asks for, which password managers want to know.
#[component]
pub(crate) fn WhosePassword(email: String) -> Element {
    rsx! {
        input {
            class: "visually-hidden",
            r#type: "email",
            autocomplete: "username",
            value: email,
            readonly: true,
            tabindex: "-1",
            "aria-hidden": "true",
        }
    }
}

/// A password, with a button that shows it. `new` is one that is being chosen, which password managers then offer.
#[component]
pub(crate) fn PasswordField(
    #[props(into)] id: String,
    #[props(into)] label: String,
    value: Signal<String>,
    #[props(default)] error: Option<String>,
    #[props(default)] new: bool,
    #[props(default)] autofocus: bool,
    #[props(default)] on_input: EventHandler<String>,
) -> Element {
    let mut shown = use_signal(|| false);
    rsx! {
        TextField {
            id,
            label,
            value,
            error,
            hint: new.then(|| text::password_hint(MIN_PASSWORD)),
            kind: if shown() { FieldKind::Text } else { FieldKind::Password },
            autofocus,
            // A browser writes into its session file what stands in a field that it may fill in.
            autocomplete: match (shown(), new) {
                (true, _) => "off",
                (false, true) => "new-password",
                (false, false) => "current-password",
            },
            secret: true,
            on_input,
            button {
                class: "btn btn--icon",
                r#type: "button",
                "aria-label": text::show_password(),
                "aria-pressed": "{shown}",
                onclick: move |_| shown.toggle(),
                if shown() {
                    {icon(LdEyeOff)}
                } else {
                    {icon(LdEye)}
                }
            }
        }
    }
}

#[component]
pub(crate) fn TextArea(
    #[props(into)] id: String,
    #[props(into)] label: String,
    value: Signal<String>,
    #[props(default)] error: Option<String>,
    #[props(default)] hint: Option<String>,
    #[props(default)] optional: bool,
    #[props(default)] autofocus: bool,
    #[props(default = 3)] rows: i64,
    /// What is pasted here lets somebody in.
    #[props(default)]
    secret: bool,
    #[props(default)] on_input: EventHandler<String>,
) -> Element {
    let mut value = value;
    use_half_typed(&id, value, secret);
    let described = described_by(&id, hint.is_some(), error.is_some());
    rsx! {
        Framed { id: id.clone(), label, error: error.clone(), hint, optional,
            textarea {
                // The browser keeps what is in a field for its next session otherwise, on the disk and readable.
                "autocomplete": "off",
                id,
                class: "textarea",
                rows,
                value: "{value}",
                "data-autofocus": autofocus.then_some(""),
                "aria-describedby": described,
                "aria-invalid": error.is_some().then_some("true"),
                oninput: move |event| {
                    value.set(event.value());
                    on_input.call(event.value());
                },
            }
        }
    }
}

/// `options` are values with their words.
#[component]
pub(crate) fn SelectField(
    #[props(into)] id: String,
    #[props(into)] label: String,
    value: Signal<String>,
    options: Vec<(String, String)>,
    #[props(default)] error: Option<String>,
    #[props(default)] hint: Option<String>,
    #[props(default)] optional: bool,
    #[props(default)] on_input: EventHandler<String>,
) -> Element {
    let mut value = value;
    use_half_typed(&id, value, false);
    let described = described_by(&id, hint.is_some(), error.is_some());
    rsx! {
        Framed { id: id.clone(), label, error: error.clone(), hint, optional,
            div { class: "select-wrap",
                select {
                    id,
                    class: "select",
                    value: "{value}",
                    "aria-describedby": described,
                    "aria-invalid": error.is_some().then_some("true"),
                    onchange: move |event| {
                        value.set(event.value());
                        on_input.call(event.value());
                    },
                    for (key , words) in options {
                        option { key: "{key}", value: "{key}", selected: value() == key, {words} }
                    }
                }
                {icon(LdChevronDown)}
            }
        }
    }
}

/// What surrounds a control; also for controls that are not an input.
#[component]
pub(crate) fn Framed(
    id: String,
    label: String,
    #[props(default)] error: Option<String>,
    #[props(default)] hint: Option<String>,
    #[props(default)] optional: bool,
    children: Element,
) -> Element {
    rsx! {
        div { class: "field",
            label { class: "field__label", r#for: id.clone(),
                {label}
                if optional {
                    " "
                    span { class: "optional", {text::optional()} }
                }
            }
            {children}
            if let Some(hint) = hint {
                p { class: "field__hint", id: "{id}-hint", {hint} }
            }
            if let Some(error) = error {
                p { class: "field__error", id: "{id}-error", {icon(LdCircleAlert)} {error} }
            }
        }
    }
}

fn described_by(id: &str, hint: bool, error: bool) -> Option<String> {
    let mut ids = Vec::new();
    if hint {
        ids.push(format!("{id}-hint"));
    }
    if error {
        ids.push(format!("{id}-error"));
    }
    (!ids.is_empty()).then(|| ids.join(" "))
}
