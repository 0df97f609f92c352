//! A document as it comes from a disk or in a page.

use crate::{CLINIC, DOCUMENT, KINDS, mend};
use shared_model::documents::{Document, check_chunks, project};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Bytes that load are read by every kind without a panic, whatever they say, and survive being saved.
pub fn documents(data: &[u8]) {
    let mut bytes = data.to_vec();
    mend(&mut bytes);
    let sound = check_chunks(&bytes).is_ok();
    // Automerge's own panics are contained by those who load bytes from elsewhere.
    let loaded = catch_unwind(AssertUnwindSafe(|| {
        Document::load(KINDS[0], CLINIC, DOCUMENT, &bytes)
    }));
    let Ok(Ok(_)) = loaded else { return };
    assert!(sound, "what loads passes the check that stands before it");
    for kind in KINDS {
        let Ok(document) = Document::load(kind, CLINIC, DOCUMENT, &bytes) else {
            return;
        };
        let projection = project(&document);
        let saved = catch_unwind(AssertUnwindSafe(|| document.save()));
        let Ok(saved) = saved else { continue };
        let again = Document::load(kind, CLINIC, DOCUMENT, &saved).expect("what was saved loads");
        assert_eq!(project(&again), projection);
    }
}
