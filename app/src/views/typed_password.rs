//! A password in a form: one that is being chosen, or the present one that shows who somebody is.
//!
//! Invariants: what stands against it is said at the field, has the focus, and is gone once something else is typed; a wrong
//! one makes room for the next.

use crate::components::PasswordField;
use crate::host::{self, CallTrouble};
use crate::text;
use dioxus::prelude::*;
use shared_model::accounts::MIN_PASSWORD;
use shared_model::values::Invalid;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    Present,
    New,
}

impl Wanted {
    /// What can be said against it before anybody is asked.
    fn lacks(self, typed: &str) -> Option<String> {
        match self {
            Self::Present => (typed.is_empty()).then(|| text::invalid(text::password(), Invalid::Empty)),
            Self::New => {
                (typed.chars().count() < MIN_PASSWORD).then(|| text::password_too_short(MIN_PASSWORD))
            }
        }
    }

    /// What the field says itself of the clinic's answer.
    fn refused(self, why: &CallTrouble) -> Option<&'static str> {
        match (self, why) {
            (Self::Present, CallTrouble::WrongCredentials) => Some(text::password_not_that()),
            (Self::New, CallTrouble::WeakPassword) => Some(text::password_weak()),
            _ => None,
        }
    }
}

/// A password while it is typed.
#[derive(Clone, Copy, PartialEq)]
pub(super) struct TypedPassword {
    id: &'static str,
    wanted: Wanted,
    typed: Signal<String>,
    error: Signal<Option<String>>,
}

/// `trouble` is why the clinic did not take what was asked with it.
pub(super) fn use_typed_password(
    id: &'static str,
    wanted: Wanted,
    typed: Signal<String>,
    trouble: impl Fn() -> Option<CallTrouble> + 'static,
) -> TypedPassword {
    let password = TypedPassword {
        id,
        wanted,
        typed,
        error: use_signal(|| None),
    };
    use_effect(move || {
        if let Some(words) = trouble().and_then(|why| wanted.refused(&why)) {
            password.refuse(words);
        }
    });
    password
}

impl TypedPassword {
    /// What was typed if the clinic can be asked about it; else the field says what is missing.
    pub(super) fn take(mut self) -> Option<String> {
        let typed = self.typed.peek().clone();
        let lacks = self.wanted.lacks(&typed);
        let is_whole = lacks.is_none();
        self.error.set(lacks);
        if !is_whole {
            host::focus(self.id);
        }
        is_whole.then_some(typed)
    }

    /// Whether the field says this itself.
    pub(super) fn says(self, why: &CallTrouble) -> bool {
        self.wanted.refused(why).is_some()
    }

    fn refuse(mut self, words: &str) {
        if self.wanted == Wanted::Present {
            self.typed.set(String::new());
        }
        self.error.set(Some(words.to_owned()));
        host::focus(self.id);
    }
}

#[component]
pub(super) fn TypedPasswordField(label: &'static str, password: TypedPassword) -> Element {
    let mut error = password.error;
    rsx! {
        PasswordField {
            id: password.id,
            label,
            value: password.typed,
            new: password.wanted == Wanted::New,
            autofocus: true,
            error: error(),
            on_input: move |_| error.set(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_that_is_chosen_is_long_enough_and_the_present_one_may_be_short() {
        let check = |wanted: Wanted, typed: &str, is_whole| {
            assert_eq!(wanted.lacks(typed).is_none(), is_whole, "{typed:?}");
        };
        check(Wanted::Present, "", false);
        check(Wanted::Present, "old", true);
        check(Wanted::New, "short", false);
        check(Wanted::New, "éééééééé", true);
        assert_eq!(MIN_PASSWORD, 8);
    }

    #[test]
    fn a_field_says_of_an_answer_what_is_about_it() {
        let says = |wanted: Wanted, why| wanted.refused(&why).is_some();
        assert!(says(Wanted::Present, CallTrouble::WrongCredentials));
        assert!(says(Wanted::New, CallTrouble::WeakPassword));
        assert!(!says(Wanted::New, CallTrouble::WrongCredentials));
        assert!(!says(Wanted::Present, CallTrouble::WeakPassword));
        assert!(!says(Wanted::Present, CallTrouble::Unreachable));
    }
}
