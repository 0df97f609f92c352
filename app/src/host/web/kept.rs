//! What the browser keeps beside the records, and how well it keeps the records.
//!
//! Invariant: only what the clinic does not need to know; and of the records no more than how many changes wait.

use crate::host::{AddressTrouble, LinkTrouble, MailLink};
use js_sys::Promise;
use local_core::View;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Storage, StorageEstimate, StorageManager};

const THEME: &str = "theme";
/// How many changes had not reached the clinic when this browser last knew. Whoever finds this but no records knows
/// that the browser has deleted them.
const WAITING: &str = "waiting";
/// Bytes that are left when it is time to say so.
const LITTLE: f64 = 64.0 * 1024.0 * 1024.0;

fn storage() -> Option<Storage> {
    web_sys::window()?.local_storage().ok()?
}

fn remembered(name: &str) -> Option<String> {
    storage()?.get_item(name).ok()?
}

fn remember(name: &str, value: &str) {
    if let Some(storage) = storage() {
        // A preference or a count that is forgotten is no reason to bother anybody.
        drop(storage.set_item(name, value));
    }
}

pub(super) fn last_waiting() -> Option<u64> {
    remembered(WAITING)?.parse().ok()
}

/// Notes what a status says about everybody's work on this device.
pub(super) fn note_waiting(view: &View) {
    let View::Status(status) = view else { return };
    // A store that cannot be read counts nothing.
    if status.storage.is_none() {
        let others: u64 = status
            .others
            .iter()
            .map(|other| other.waiting + other.refused)
            .sum();
        let count = (status.waiting + status.needs_attention + others).to_string();
        if remembered(WAITING).as_ref() != Some(&count) {
            remember(WAITING, &count);
        }
    }
}

fn manager() -> Option<StorageManager> {
    Some(web_sys::window()?.navigator().storage())
}

async fn answer<T: JsCast>(asked: Result<Promise, JsValue>) -> Option<T> {
    JsFuture::from(asked.ok()?).await.ok()?.dyn_into().ok()
}

/// Whether the browser may delete the records when it wants room; `ask` for its promise not to.
pub(super) async fn may_evict(ask: bool) -> bool {
    let Some(manager) = manager() else { return true };
    let promised = if ask {
        manager.persist()
    } else {
        manager.persisted()
    };
    let promised: Option<js_sys::Boolean> = answer(promised).await;
    promised.is_none_or(|promised| !promised.value_of())
}

/// The megabytes that are left, if they are few.
pub(super) async fn room_left() -> Option<u32> {
    let estimate: StorageEstimate = JsFuture::from(manager()?.estimate().ok()?)
        .await
        .ok()?
        .unchecked_into();
    let left = (estimate.get_quota()? - estimate.get_usage()?).max(0.0);
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is between nothing and the few megabytes that count as little"
    )]
    let megabytes = (left / 1024.0 / 1024.0) as u32;
    (left < LITTLE).then_some(megabytes)
}

/// The page comes from its clinic's server.
pub(crate) fn asks_for_address() -> bool {
    false
}

pub(crate) fn remembered_address() -> String {
    String::new()
}

pub(crate) fn keep_address(_typed: &str) -> Result<(), AddressTrouble> {
    Ok(())
}

/// A link of a mail that was pasted. One of another clinic is for that clinic's own page.
pub(crate) fn take_link(pasted: &str, _signed_in: bool) -> Result<MailLink, LinkTrouble> {
    let (origin, link) = MailLink::parse(pasted).ok_or(LinkTrouble::NotOne)?;
    let here = web_sys::window().and_then(|window| window.location().origin().ok());
    if here.is_none_or(|here| here == origin) {
        Ok(link)
    } else {
        Err(LinkTrouble::Elsewhere(origin))
    }
}

/// "light", "dark" or "system".
pub(crate) fn remembered_theme() -> String {
    remembered(THEME).unwrap_or_else(|| "system".to_owned())
}

pub(crate) fn set_theme(theme: &str) {
    remember(THEME, theme);
    let document = web_sys::window().and_then(|window| window.document());
    if let Some(root) = document.and_then(|document| document.document_element()) {
        drop(root.set_attribute("data-theme", theme));
    }
}
