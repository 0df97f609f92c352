//! Ids that tie a label to its control.

use dioxus::core::current_scope_id;
use dioxus::prelude::*;

/// An id that no other element has, the same in every drawing of this component.
pub(crate) fn use_element_id(prefix: &'static str) -> String {
    use_hook(|| format!("{prefix}-{}", current_scope_id().0))
}
