//! A page on its way to a provider: it leaves what it needs in the tab's own storage and goes; loaded anew, it finds that
//! again.

use crate::host::Secret;
use crate::host::journey::{Journey, Returned};
use serde::{Deserialize, Serialize};
use shared_model::ways_in::{ReturnTo, SIGNED_IN_LINK};
use wasm_bindgen::JsValue;

/// Of the tab alone, and gone with it.
const KEY: &str = "journey";
/// A browser that has not gone by then does not go.
const GOES_WITHIN_MS: u32 = 15_000;

#[derive(Serialize, Deserialize)]
struct Kept {
    journey: Journey,
    /// The page that somebody was on.
    from: String,
}

pub(in crate::host) struct Station;

impl Station {
    #[expect(clippy::unused_async, reason = "a program listens, which takes a moment")]
    pub(in crate::host) async fn open() -> Option<Self> {
        Some(Self)
    }

    pub(in crate::host) fn return_to(&self) -> ReturnTo {
        ReturnTo::Page
    }

    /// Comes back if the browser does not go.
    pub(in crate::host) async fn send_off(self, address: &str, journey: &Journey) -> Option<Secret> {
        let window = web_sys::window()?;
        let location = window.location();
        let kept = Kept {
            journey: journey.clone(),
            from: location.pathname().ok()?,
        };
        let kept = serde_json::to_string(&kept).expect("texts and ids are always JSON");
        window.session_storage().ok()??.set_item(KEY, &kept).ok()?;
        location.assign(address).ok()?;
        super::page::sleep(GOES_WITHIN_MS).await;
        None
    }
}

/// Whether the page was loaded by somebody who is back from a provider, once: address bar and history show the page that
/// they were on before. What the tab does not remember is of another tab, or too old.
pub(crate) fn returned() -> Option<Option<Returned>> {
    let window = web_sys::window()?;
    let (path, fragment) = (window.location().pathname().ok()?, window.location().hash().ok()?);
    if format!("{path}#") != SIGNED_IN_LINK {
        return None;
    }
    let storage = window.session_storage().ok().flatten();
    let kept = storage.as_ref().and_then(|storage| storage.get_item(KEY).ok()?);
    if let Some(storage) = storage {
        // It is worth nothing once its code was used.
        drop(storage.remove_item(KEY));
    }
    let kept: Option<Kept> = kept.and_then(|kept| serde_json::from_str(&kept).ok());
    let from = kept.as_ref().map_or("/", |kept| kept.from.as_str());
    drop(
        window
            .history()
            .and_then(|history| history.replace_state_with_url(&JsValue::NULL, "", Some(from))),
    );
    Some(kept.map(|kept| Returned {
        journey: kept.journey,
        code: Secret::from(fragment.trim_start_matches('#').to_owned()),
    }))
}
