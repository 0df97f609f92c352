//! A text that the browser keeps among what is downloaded.
//!
//! Invariant: the page has no more of it in memory than the piece that is being added; the browser has the others.

use super::page::sleep;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;
use web_sys::{Blob, BlobPropertyBag, HtmlAnchorElement, Url};

/// So long a file is there for the browser to take.
const KEPT_MS: u32 = 60_000;

/// A file that is written piece by piece. It is saved whole or not at all.
pub(crate) struct TextFile {
    name: String,
    pieces: js_sys::Array,
}

impl TextFile {
    /// `None` if nothing can be written here.
    pub(crate) fn begin(name: &str) -> Option<Self> {
        Some(Self {
            name: name.to_owned(),
            pieces: js_sys::Array::new(),
        })
    }

    /// False if there is no room for it; the file is of no use then.
    pub(crate) fn add(&mut self, text: &str) -> bool {
        let piece = Blob::new_with_str_sequence(&js_sys::Array::of1(&text.into()));
        piece.map(|piece| self.pieces.push(&piece)).is_ok()
    }

    /// Saves it where the browser saves what is downloaded; false if it does not.
    pub(crate) fn save(self) -> bool {
        self.download().is_ok()
    }

    fn download(self) -> Result<(), JsValue> {
        let kind = BlobPropertyBag::new();
        kind.set_type("text/plain;charset=utf-8");
        let whole = Blob::new_with_blob_sequence_and_options(&self.pieces, &kind)?;
        let address = Url::create_object_url_with_blob(&whole)?;
        let link: HtmlAnchorElement = web_sys::window()
            .and_then(|window| window.document())
            .ok_or(JsValue::NULL)?
            .create_element("a")?
            .unchecked_into();
        link.set_href(&address);
        link.set_download(&self.name);
        link.click();
        // Some browsers ask where to save it first, and read it after that.
        spawn_local(async move {
            sleep(KEPT_MS).await;
            if let Err(error) = Url::revoke_object_url(&address) {
                web_sys::console::warn_1(&error);
            }
        });
        Ok(())
    }
}
