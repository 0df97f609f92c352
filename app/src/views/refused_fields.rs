//! What a command did not take, beside the field that has to change.

use crate::text;
use dioxus::prelude::*;
use local_core::Failure;
use shared_model::commands::CommandError;

/// The last answer to a form that was not taken.
#[derive(Clone, Copy, PartialEq)]
pub(super) struct RefusedFields(Signal<Option<Failure>>);

pub(super) fn use_refused_fields() -> RefusedFields {
    RefusedFields(use_signal(|| None))
}

impl RefusedFields {
    /// Nothing, if the form has gone meanwhile.
    pub(super) fn set(mut self, failure: Failure) {
        if let Ok(mut refused) = self.0.try_write() {
            *refused = Some(failure);
        }
    }

    pub(super) fn clear(mut self) {
        if self.0.peek().is_some() {
            self.0.set(None);
        }
    }

    /// What is wrong with a field, named as its command names it; `label` is its name on the screen.
    pub(super) fn of(self, field: &str, label: &str) -> Option<String> {
        match &*self.0.read() {
            Some(Failure::Command(CommandError::Invalid { field: refused, why })) if refused == field => {
                Some(text::invalid(label, *why))
            }
            _ => None,
        }
    }

    /// What is wrong with the whole, if it is no field of `fields`.
    pub(super) fn besides(self, fields: &[&str]) -> Option<String> {
        match &*self.0.read() {
            Some(Failure::Command(CommandError::Invalid { field, .. }))
                if fields.contains(&field.as_str()) =>
            {
                None
            }
            Some(failure) => Some(text::failure(failure)),
            None => None,
        }
    }
}
