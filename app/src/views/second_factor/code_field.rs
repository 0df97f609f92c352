//! The six digits that an authenticator app shows.

use crate::components::{FieldKind, TextField};
use crate::host::{self, CallTrouble, Secret};
use crate::text;
use dioxus::prelude::*;

/// How many digits an authenticator app shows.
const DIGITS: usize = 6;

/// The digits of what was typed or pasted, once there are enough of them.
fn whole_code(typed: &str) -> Option<String> {
    let code: String = typed.chars().filter(|letter| !letter.is_whitespace()).collect();
    (code.len() == DIGITS && code.bytes().all(|byte| byte.is_ascii_digit())).then_some(code)
}

/// A code while it is typed.
#[derive(Clone, Copy, PartialEq)]
pub(super) struct TypedCode {
    code: Signal<String>,
    missing: Signal<bool>,
}

pub(super) fn use_typed_code() -> TypedCode {
    TypedCode {
        code: use_signal(String::new),
        missing: use_signal(|| false),
    }
}

impl TypedCode {
    /// The code if it is whole; else the field says what is missing.
    pub(super) fn take(mut self) -> Option<Secret> {
        let whole = whole_code(&self.code.peek());
        self.missing.set(whole.is_none());
        if whole.is_none() {
            host::focus("code");
        }
        whole.map(Secret::from)
    }
}

/// A wrong code makes room for the next; `on_whole` is called once all digits are there.
#[component]
pub(super) fn CodeField(
    label: &'static str,
    typed: TypedCode,
    trouble: Signal<Option<CallTrouble>>,
    #[props(default)] autofocus: bool,
    on_whole: EventHandler<()>,
) -> Element {
    let TypedCode {
        mut code,
        mut missing,
    } = typed;
    use_effect(move || {
        if *trouble.read() == Some(CallTrouble::WrongCode) {
            code.set(String::new());
            host::focus("code");
        }
    });
    let error = if missing() {
        Some(text::code_missing())
    } else {
        (*trouble.read() == Some(CallTrouble::WrongCode)).then(text::code_wrong)
    };
    rsx! {
        TextField {
            id: "code",
            label,
            value: code,
            kind: FieldKind::Code,
            secret: true,
            autofocus,
            autocomplete: "one-time-code",
            error: error.map(str::to_owned),
            on_input: move |typed: String| {
                missing.set(false);
                if whole_code(&typed).is_some() {
                    on_whole.call(());
                }
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_may_be_pasted_as_apps_show_it() {
        let check =
            |typed: &str, code: Option<&str>| assert_eq!(whole_code(typed).as_deref(), code, "{typed:?}");
        check("123456", Some("123456"));
        check(" 123 456\n", Some("123456"));
        check("12345", None);
        check("1234567", None);
        check("12345a", None);
        check("", None);
    }
}
