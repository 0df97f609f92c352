//! What the views ask of the page in the window.
//!
//! Place in the flow: below the views, beside the core. Invariant: everything here concerns the screen alone; nothing of
//! the records passes through it.

use super::kept;
use crate::host::{Device, KeyPress, MailLink, PageEvent, PasskeyTrouble, Secret};
use dioxus::desktop::DesktopContext;
use dioxus::prelude::*;
use futures_channel::mpsc::{UnboundedReceiver, unbounded};
use std::time::Duration;

/// Runs a line of script in the window, for what Dioxus has no call for.
fn script(code: &str) {
    // What it returns is of no interest, and the window may be closing.
    let _ = document::eval(code);
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("a string is always JSON")
}

pub(crate) fn focus(id: &str) {
    script(&format!("document.getElementById({})?.focus()", quoted(id)));
}

/// What Tab stops at inside an element, as an expression of the window's script.
fn focusables(id: &str) -> String {
    format!(
        "[...(document.getElementById({})?.querySelectorAll(\"a[href], button:not(:disabled), input:not(:disabled), \
         select:not(:disabled), textarea:not(:disabled), [tabindex]:not([tabindex='-1'])\") ?? [])]\
         .filter(e => e.tabIndex >= 0 && e.offsetParent)",
        quoted(id)
    )
}

/// The field that asks for the focus, else the first field, else the element itself.
pub(crate) fn focus_into(id: &str) {
    script(&format!(
        "const within = document.getElementById({}); (within?.querySelector('[data-autofocus]') \
         ?? {}.find(e => e.matches('input, select, textarea')) ?? within)?.focus()",
        quoted(id),
        focusables(id)
    ));
}

pub(crate) fn focus_first_in(id: &str) {
    script(&format!("{}.at(0)?.focus()", focusables(id)));
}

pub(crate) fn focus_last_in(id: &str) {
    script(&format!("{}.at(-1)?.focus()", focusables(id)));
}

/// Whether the element or something in it has the focus.
pub(crate) async fn has_focus_within(id: &str) -> bool {
    let code = format!(
        "await new Promise(done => setTimeout(done)); \
         return document.getElementById({})?.contains(document.activeElement) ?? false",
        quoted(id)
    );
    document::eval(&code).join::<bool>().await.unwrap_or(false)
}

/// Where the focus was before a dialog took it. The window keeps them in a pile, as dialogs are piled.
pub(crate) struct FormerFocus;

impl FormerFocus {
    pub(crate) fn remember() -> Self {
        script("(window.formerFocus ??= []).push(document.activeElement)");
        Self
    }

    /// Back to where it was; to the page if that is gone.
    pub(crate) fn give_back(self) {
        script(
            "const former = window.formerFocus?.pop(); \
             (former?.isConnected ? former : document.getElementById('content'))?.focus()",
        );
    }
}

/// Begins a page at its top and with the focus on it, as after a click on a link.
pub(crate) fn arrive_at(id: &str) {
    script(&format!(
        "const page = document.getElementById({}); if (page) {{ page.scrollTop = 0; page.focus() }}",
        quoted(id)
    ));
}

/// A window's title goes with the window.
pub(crate) const KEEPS_TITLES: bool = false;

/// What the window's frame says.
pub(crate) fn set_title(title: &str) {
    dioxus::desktop::window().set_title(title);
}

pub(crate) fn scroll_into_view(id: &str) {
    script(&format!(
        "document.getElementById({})?.scrollIntoView({{ block: 'nearest' }})",
        quoted(id)
    ));
}

/// Listens until it is dropped.
pub(crate) struct Listening(Option<(dioxus::core::Task, DesktopContext, String)>);

impl Drop for Listening {
    fn drop(&mut self) {
        if let Some((task, window, name)) = self.0.take() {
            task.cancel();
            // A window that is gone listens to nothing.
            drop(
                window
                    .webview
                    .evaluate_script(&format!("keyListeners.end({name})")),
            );
        }
    }
}

/// Tells `takes` of every key until what it returns is dropped. The window cannot ask before it acts on a key, so
/// only Ctrl-K is kept from it; letters outside of fields do nothing there anyway.
pub(crate) fn listen_keys(takes: impl Fn(&KeyPress) -> bool + 'static) -> Listening {
    let name = quoted(&crate::host::fresh_id().to_string());
    let mut keys = document::eval(&format!(
        "await keyListeners.begin({name}, key => dioxus.send(key))"
    ));
    let task = spawn(async move {
        while let Ok(press) = keys.recv::<KeyPress>().await {
            takes(&press);
        }
    });
    Listening(Some((task, dioxus::desktop::window(), name)))
}

/// Tells `active` whenever somebody presses a key, a button or the screen in the window, for as long as the program lives.
pub(crate) fn listen_active(active: impl Fn() + 'static) {
    let mut inputs =
        document::eval("window.someoneIsHere = () => dioxus.send(0); await new Promise(() => {})");
    dioxus::core::spawn_forever(async move {
        while inputs.recv::<u8>().await.is_ok() {
            active();
        }
    });
}

/// A window that is covered goes on working, the core lives as long as the program, and what is typed is saved before
/// the window closes.
pub(crate) fn listen_hidden(_hidden: impl Fn() + 'static) -> Listening {
    Listening(None)
}

/// The window hears of nothing that the core does not find out by itself.
pub(crate) fn page_events() -> UnboundedReceiver<PageEvent> {
    unbounded().1
}

/// An installed program is updated by its installer.
pub(crate) fn activate_new_build() {}

/// A window has no address bar: links of mails are pasted.
pub(crate) fn followed_link() -> Option<MailLink> {
    None
}

/// The time zone of this device, as an IANA name.
pub(crate) fn system_zone() -> Option<String> {
    jiff::tz::TimeZone::system().iana_name().map(str::to_owned)
}

/// The program has no page to load anew.
pub(crate) fn reload() {}

pub(crate) async fn sleep(milliseconds: u32) {
    tokio::time::sleep(Duration::from_millis(u64::from(milliseconds))).await;
}

pub(crate) fn device() -> Device {
    Device::Computer
}

pub(crate) fn has_apple_keys() -> bool {
    cfg!(target_os = "macos")
}

/// Puts the caret or selection of a text field, in UTF-16 units.
pub(crate) fn select_text(id: &str, start: u32, end: u32) {
    script(&format!(
        "document.getElementById({})?.setSelectionRange({start}, {end})",
        quoted(id)
    ));
}

/// The selection of a text field in UTF-16 units.
pub(crate) async fn text_selection(id: &str) -> Option<(u32, u32)> {
    let code = format!(
        "const e = document.getElementById({}); return e ? [e.selectionStart, e.selectionEnd] : null",
        quoted(id)
    );
    document::eval(&code)
        .join::<Option<(u32, u32)>>()
        .await
        .ok()
        .flatten()
}

pub(crate) fn print_page() {
    script("window.print()");
}

/// Begins at once; answers whether it is copied.
pub(crate) fn copy_to_clipboard(text: &str) -> impl Future<Output = bool> + use<> {
    let copying = document::eval(&format!(
        "try {{ await navigator.clipboard.writeText({}); return true }} catch {{ return false }}",
        quoted(text)
    ));
    async move { copying.join::<bool>().await.unwrap_or(false) }
}

/// Passkeys are for a page of the clinic's address, which a window is not.
pub(crate) fn has_passkeys() -> bool {
    false
}

pub(crate) async fn make_passkey(_options: &str) -> Result<Secret, PasskeyTrouble> {
    Err(PasskeyTrouble::NotHere)
}

pub(crate) async fn show_passkey(_options: &str) -> Result<Secret, PasskeyTrouble> {
    Err(PasskeyTrouble::NotHere)
}

/// A window has no address to open elsewhere.
pub(crate) fn copy_address() -> impl Future<Output = bool> + use<> {
    std::future::ready(false)
}

pub(crate) fn set_theme(theme: &str) {
    kept::keep_theme(theme);
    script(&format!(
        "document.documentElement.dataset.theme = {}",
        quoted(theme)
    ));
}

/// Leaves the field that somebody types in, as a click elsewhere would; what it has to record is under way then.
pub(crate) async fn leave_field() {
    // A window without a page has no field.
    drop(document::eval("document.activeElement?.blur()").await);
}
