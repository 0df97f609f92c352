//! What the views ask of the page in the browser.
//!
//! Place in the flow: below the views, beside the core. Invariant: everything here concerns the screen alone; nothing of
//! the records passes through it.

use crate::host::{Device, KeyPress, MailLink, PageEvent};
use futures_channel::mpsc::{UnboundedReceiver, unbounded};
use std::cell::Cell;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Document, Element, HtmlElement, HtmlInputElement, HtmlTextAreaElement, KeyboardEvent,
    ScrollIntoViewOptions, ScrollLogicalPosition,
};

fn element<T: JsCast>(id: &str) -> Option<T> {
    web_sys::window()?
        .document()?
        .get_element_by_id(id)?
        .dyn_into()
        .ok()
}

fn document() -> Option<Document> {
    web_sys::window()?.document()
}

pub(crate) fn focus(id: &str) {
    if let Some(element) = element::<HtmlElement>(id) {
        // An element that cannot take the focus simply does not.
        drop(element.focus());
    }
}

/// What Tab stops at.
const FOCUSABLE: &str = "a[href], button:not(:disabled), input:not(:disabled), select:not(:disabled), \
     textarea:not(:disabled), [tabindex]:not([tabindex='-1'])";

fn focusables(id: &str) -> Vec<HtmlElement> {
    let Some(found) = element::<Element>(id).and_then(|within| within.query_selector_all(FOCUSABLE).ok())
    else {
        return Vec::new();
    };
    (0..found.length())
        .filter_map(|index| found.item(index)?.dyn_into::<HtmlElement>().ok())
        .filter(|element| element.tab_index() >= 0 && element.offset_parent().is_some())
        .collect()
}

fn focus_or_itself(element: Option<HtmlElement>, id: &str) {
    match element {
        Some(element) => drop(element.focus()),
        None => focus(id),
    }
}

/// The field that asks for the focus, else the first field, else the element itself.
pub(crate) fn focus_into(id: &str) {
    let asked = element::<Element>(id)
        .and_then(|within| within.query_selector("[data-autofocus]").ok().flatten())
        .and_then(|element| element.dyn_into::<HtmlElement>().ok());
    let first_field = || {
        focusables(id)
            .into_iter()
            .find(|element| matches!(element.tag_name().as_str(), "INPUT" | "SELECT" | "TEXTAREA"))
    };
    focus_or_itself(asked.or_else(first_field), id);
}

pub(crate) fn focus_first_in(id: &str) {
    focus_or_itself(focusables(id).into_iter().next(), id);
}

pub(crate) fn focus_last_in(id: &str) {
    focus_or_itself(focusables(id).pop(), id);
}

/// Whether the element or something in it has the focus.
pub(crate) async fn has_focus_within(id: &str) -> bool {
    // The browser moves the focus after the event that tells that it left.
    sleep(0).await;
    let active = document().and_then(|document| document.active_element());
    element::<Element>(id).is_some_and(|within| within.contains(active.as_deref()))
}

/// Where the focus was before a dialog took it.
pub(crate) struct FormerFocus(Option<HtmlElement>);

impl FormerFocus {
    pub(crate) fn remember() -> Self {
        Self(document().and_then(|document| document.active_element()?.dyn_into().ok()))
    }

    /// Back to where it was; to the page if that is gone.
    pub(crate) fn give_back(self) {
        match self.0.filter(|element| element.is_connected()) {
            Some(element) => drop(element.focus()),
            None => focus("content"),
        }
    }
}

/// Begins a page at its top and with the focus on it, as after a click on a link.
pub(crate) fn arrive_at(id: &str) {
    if let Some(element) = element::<HtmlElement>(id) {
        element.set_scroll_top(0);
        drop(element.focus());
    }
}

/// A browser writes every title into its history.
pub(crate) const KEEPS_TITLES: bool = true;

/// What the browser's tab says.
pub(crate) fn set_title(title: &str) {
    if let Some(document) = document() {
        document.set_title(title);
    }
}

pub(crate) fn scroll_into_view(id: &str) {
    if let Some(element) = element::<Element>(id) {
        let options = ScrollIntoViewOptions::new();
        options.set_block(ScrollLogicalPosition::Nearest);
        element.scroll_into_view_with_scroll_into_view_options(&options);
    }
}

/// Listens to something on the window until it is dropped.
pub(crate) struct Listening<E: ?Sized + 'static> {
    name: &'static str,
    closure: Closure<dyn FnMut(E)>,
}

impl<E: wasm_bindgen::convert::FromWasmAbi + 'static> Listening<E> {
    fn start(name: &'static str, react: impl FnMut(E) + 'static) -> Self {
        let closure = Closure::<dyn FnMut(E)>::new(react);
        if let Some(window) = web_sys::window() {
            drop(window.add_event_listener_with_callback(name, closure.as_ref().unchecked_ref()));
        }
        Self { name, closure }
    }
}

impl<E: ?Sized> Drop for Listening<E> {
    fn drop(&mut self) {
        if let Some(window) = web_sys::window() {
            drop(
                window.remove_event_listener_with_callback(self.name, self.closure.as_ref().unchecked_ref()),
            );
        }
    }
}

/// Tells `takes` of every key until what it returns is dropped; a key that is taken does nothing else.
pub(crate) fn listen_keys(takes: impl Fn(&KeyPress) -> bool + 'static) -> Listening<KeyboardEvent> {
    Listening::start("keydown", move |event: KeyboardEvent| {
        if event.default_prevented() || event.is_composing() {
            return;
        }
        let in_field = event
            .target()
            .and_then(|target| target.dyn_into::<HtmlElement>().ok())
            .is_some_and(|element| {
                matches!(element.tag_name().as_str(), "INPUT" | "SELECT" | "TEXTAREA")
                    || element.is_content_editable()
                    || matches!(
                        element.get_attribute("role").as_deref(),
                        Some("menuitem" | "menuitemcheckbox")
                    )
            });
        let press = KeyPress {
            key: event.key(),
            command: event.ctrl_key() || event.meta_key(),
            alt: event.alt_key(),
            in_field,
        };
        if takes(&press) {
            event.prevent_default();
        }
    })
}

/// At most so often somebody's presence is told, in milliseconds.
const PRESENCE: i64 = 10_000;

/// Tells `active` when somebody presses a key, a button or the screen in the window, for as long as the program lives.
pub(crate) fn listen_active(active: impl Fn() + 'static) {
    let active = Rc::new(active);
    let told = Rc::new(Cell::new(i64::MIN));
    for name in ["keydown", "pointerdown", "wheel", "input"] {
        let (active, told) = (Rc::clone(&active), Rc::clone(&told));
        // Once for the whole program, which lives as long as the page.
        std::mem::forget(Listening::start(name, move |_: web_sys::Event| {
            let now = super::now().0;
            if !(0..PRESENCE).contains(&now.saturating_sub(told.get())) {
                told.set(now);
                active();
            }
        }));
    }
}

/// Leaves the field that somebody types in, as a click elsewhere would; what it has to record is under way then.
pub(crate) async fn leave_field() {
    let active = document().and_then(|document| document.active_element());
    if let Some(field) = active.and_then(|element| element.dyn_into::<HtmlElement>().ok()) {
        drop(field.blur());
    }
    sleep(0).await;
}

/// Tells `hidden` when nobody sees the page any more: another tab, another program, or the end. After that there may
/// be no further chance to do anything.
pub(crate) fn listen_hidden(hidden: impl Fn() + 'static) -> Listening<web_sys::Event> {
    Listening::start("visibilitychange", move |_| {
        if document().is_some_and(|document| document.hidden()) {
            hidden();
        }
    })
}

/// Tells `leaving` before the page is left. If it says that something would be lost, the browser asks the person.
pub(crate) fn listen_leaving(leaving: impl Fn() -> bool + 'static) -> Listening<web_sys::Event> {
    Listening::start("beforeunload", move |event: web_sys::Event| {
        if leaving() {
            event.prevent_default();
        }
    })
}

/// Tells `went` whenever somebody has gone back or forth in the browser's history, for as long as the page lives. If it takes
/// care of that itself, nobody else hears of it who begins to listen later.
pub(crate) fn listen_history(went: impl Fn() -> bool + 'static) {
    std::mem::forget(Listening::start("popstate", move |event: web_sys::Event| {
        if went() {
            event.stop_immediate_propagation();
        }
    }));
}

/// Where the page stands in the browser's history.
pub(crate) struct PlaceInHistory {
    address: Option<String>,
    state: JsValue,
}

impl PlaceInHistory {
    pub(crate) fn now() -> Self {
        let window = web_sys::window();
        let history = window.as_ref().and_then(|window| window.history().ok());
        Self {
            address: window.and_then(|window| window.location().href().ok()),
            state: history
                .and_then(|history| history.state().ok())
                .unwrap_or(JsValue::NULL),
        }
    }

    /// Leaves the place that somebody went to for this one, which comes after it then.
    pub(crate) fn come_back(&self) {
        let history = web_sys::window().and_then(|window| window.history().ok());
        if let Some(history) = history {
            drop(history.push_state_with_url(&self.state, "", self.address.as_deref()));
        }
    }
}

/// What happens to the page from outside, for as long as it is open.
pub(crate) fn page_events() -> UnboundedReceiver<PageEvent> {
    let (happened, events) = unbounded();
    let root = document().and_then(|document| document.document_element());
    if root.is_some_and(|root| root.has_attribute("data-new-build")) {
        drop(happened.unbounded_send(PageEvent::NewBuild));
    }
    for (name, event) in [("online", PageEvent::Online), ("new-build", PageEvent::NewBuild)] {
        let happened = happened.clone();
        // Once for the whole program, which lives as long as the page.
        std::mem::forget(Listening::start(name, move |_: web_sys::Event| {
            drop(happened.unbounded_send(event));
        }));
    }
    events
}

/// Lets the newer build take over; the page reloads by itself.
pub(crate) fn activate_new_build() {
    if let (Some(window), Ok(event)) = (web_sys::window(), web_sys::Event::new("activate-new-build")) {
        drop(window.dispatch_event(&event));
    }
}

/// The link of a mail by which the page was opened, once: it is taken out of the address bar and of the history, so that
/// nobody who comes after finds it there.
pub(crate) fn followed_link() -> Option<MailLink> {
    let window = web_sys::window()?;
    let location = window.location();
    let link = MailLink::of(&location.pathname().ok()?, &location.hash().ok()?)?;
    // Without a history there is none to find it in.
    drop(
        window
            .history()
            .and_then(|history| history.replace_state_with_url(&JsValue::NULL, "", Some("/"))),
    );
    Some(link)
}

/// The time zone of this device, as an IANA name.
pub(crate) fn system_zone() -> Option<String> {
    let format = js_sys::Intl::DateTimeFormat::new(&js_sys::Array::new(), &js_sys::Object::new());
    js_sys::Reflect::get(&format.resolved_options(), &"timeZone".into())
        .ok()?
        .as_string()
}

pub(crate) fn reload() {
    if let Some(window) = web_sys::window() {
        drop(window.location().reload());
    }
}

pub(crate) async fn sleep(milliseconds: u32) {
    gloo_timers::future::TimeoutFuture::new(milliseconds).await;
}

pub(crate) fn device() -> Device {
    let Some(window) = web_sys::window() else {
        return Device::Computer;
    };
    let matches = |query| {
        window
            .match_media(query)
            .ok()
            .flatten()
            .is_some_and(|media| media.matches())
    };
    if !matches("(pointer: coarse)") {
        Device::Computer
    } else if matches("(max-width: 699px)") {
        Device::Phone
    } else {
        Device::Tablet
    }
}

pub(crate) fn has_apple_keys() -> bool {
    web_sys::window()
        .and_then(|window| window.navigator().user_agent().ok())
        .is_some_and(|agent| agent.contains("Mac OS"))
}

/// Puts the caret or selection of a text field, in UTF-16 units.
pub(crate) fn select_text(id: &str, start: u32, end: u32) {
    if let Some(area) = element::<HtmlTextAreaElement>(id) {
        drop(area.set_selection_range(start, end));
    } else if let Some(input) = element::<HtmlInputElement>(id) {
        drop(input.set_selection_range(start, end));
    }
}

/// The selection of a text field in UTF-16 units.
pub(crate) async fn text_selection(id: &str) -> Option<(u32, u32)> {
    let area = element::<HtmlTextAreaElement>(id)?;
    Some((area.selection_start().ok()??, area.selection_end().ok()??))
}

pub(crate) fn print_page() {
    if let Some(window) = web_sys::window() {
        drop(window.print());
    }
}

/// Begins at once, as browsers want it from whoever was just pressed; answers whether it is copied.
pub(crate) fn copy_to_clipboard(text: &str) -> impl Future<Output = bool> + use<> {
    let clipboard = web_sys::window().map(|window| window.navigator().clipboard());
    // A page without a secure way to its server has none.
    let clipboard = clipboard.filter(|clipboard| !clipboard.is_undefined());
    let writing = clipboard.map(|clipboard| JsFuture::from(clipboard.write_text(text)));
    async move {
        match writing {
            Some(writing) => writing.await.is_ok(),
            None => false,
        }
    }
}

/// The address of this page, for another window; answers whether it is copied.
pub(crate) fn copy_address() -> impl Future<Output = bool> + use<> {
    let address = web_sys::window().and_then(|window| window.location().href().ok());
    let copying = address.map(|address| copy_to_clipboard(&address));
    async move {
        match copying {
            Some(copying) => copying.await,
            None => false,
        }
    }
}
