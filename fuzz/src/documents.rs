//! A document as it comes from a disk or in a page.

use crate::{CLINIC, DOCUMENT, mend};
use shared_model::documents::{Document, check_chunks, project};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Whole chunks load or do not, without a panic. What loads is read by every kind, whatever it says, and survives being
/// saved.
pub fn documents(data: &[u8]) {
    let mut bytes = data.to_vec();
    mend(&mut bytes);
    // Whoever takes bytes from elsewhere looks at this first.
    if check_chunks(&bytes).is_err() {
        return;
    }
    for kind in shared_model::documents::Kind::ALL {
        let Ok(document) = Document::load(kind, CLINIC, DOCUMENT, &bytes) else {
            return;
        };
        let projection = project(&document);
        if !can_be_applied(&document) {
            continue;
        }
        let saved = catch_unwind(AssertUnwindSafe(|| document.save()));
        let Ok(saved) = saved else { continue };
        let again = Document::load(kind, CLINIC, DOCUMENT, &saved).expect("what was saved loads");
        assert_eq!(project(&again), projection);
    }
}

/// Whether every change is one that `Document::apply` takes: nothing else gets into a store.
fn can_be_applied(document: &Document) -> bool {
    let changes = catch_unwind(AssertUnwindSafe(|| document.changes_since(&[])));
    // No bytes are a document without a history.
    let empty = Document::load(document.kind, CLINIC, DOCUMENT, &[]);
    let (Ok(changes), Ok(mut again)) = (changes, empty) else {
        return false;
    };
    again.apply(&changes).is_ok() && again.heads() == document.heads()
}
