//! What somebody was typing in a dialog when the device locked: it is there again when they open that dialog again.
//!
//! Place in the flow: every text field registers itself; locking collects what was changed in them, and takes it along into
//! the encrypted records. Invariant: no password, no PIN and no link of a mail is among it.

use crate::host::{Host, use_host};
use dioxus::prelude::*;
use local_core::HalfTyped;
use std::collections::BTreeMap;

#[derive(Clone, Copy)]
pub(crate) struct HalfTypedFields {
    open: CopyValue<BTreeMap<String, Field>>,
    given_back: CopyValue<Vec<HalfTyped>>,
}

struct Field {
    value: Signal<String>,
    at_first: String,
}

impl HalfTypedFields {
    /// Once, at the root.
    pub(crate) fn new() -> Self {
        Self {
            open: CopyValue::new(BTreeMap::new()),
            given_back: CopyValue::new(Vec::new()),
        }
    }

    /// What is changed in a field at the moment, on the page at `place`.
    pub(crate) fn now(self, place: &str) -> Vec<HalfTyped> {
        let open = self.open.peek();
        let changed = open.iter().filter_map(|(field, state)| {
            let text = state.value.peek().clone();
            (text != state.at_first).then(|| HalfTyped {
                place: place.to_owned(),
                field: field.clone(),
                text,
            })
        });
        changed.collect()
    }

    /// Whoever typed this is back.
    pub(crate) fn give_back(mut self, typed: Vec<HalfTyped>) {
        self.given_back.set(typed);
    }

    fn take(mut self, place: &str, field: &str) -> Option<String> {
        let mut given = self.given_back.write();
        let at = given
            .iter()
            .position(|typed| typed.place == place && typed.field == field)?;
        Some(given.swap_remove(at).text)
    }
}

/// Keeps what is typed in this field through a lock, unless it is `secret`.
pub(super) fn use_half_typed(id: &str, value: Signal<String>, secret: bool) {
    let fields = use_context::<HalfTypedFields>();
    let host: Host = use_host();
    let field = use_hook(|| {
        let mut fields = fields;
        if !secret {
            let at_first = value.peek().clone();
            fields
                .open
                .write()
                .insert(id.to_owned(), Field { value, at_first });
        }
        id.to_owned()
    });
    let name = field.clone();
    use_effect(move || {
        if let Some(text) = (!secret).then(|| fields.take(&host.place(), &name)).flatten() {
            let mut value = value;
            value.set(text);
        }
    });
    use_drop(move || {
        let mut fields = fields;
        // A field of the same name may have come in its place already.
        fields
            .open
            .write()
            .retain(|name, state| *name != field || state.value != value);
    });
}
