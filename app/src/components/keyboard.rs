//! Which key means what, decided in one place: the keys of the whole program, and those of the page that is open.
//!
//! Invariant: while somebody types in a field or a dialog is open, letters are letters.

use super::shortcuts::Shortcut;
use crate::host::KeyPress;
use dioxus::prelude::*;
use shared_model::time::Timestamp;
use std::cell::RefCell;
use std::rc::Rc;

/// G waits so long for the letter that follows, in milliseconds.
const GO_WAITS: i64 = 1_500;

/// A key that only the open page knows.
#[derive(Clone, PartialEq)]
pub(crate) struct PageKey {
    /// As the browser names it: "e", "ArrowLeft".
    pub(crate) key: &'static str,
    /// What it does, for the list of keys.
    pub(crate) label: String,
    number: u64,
    act: Callback<()>,
}

#[derive(Default)]
struct Known {
    page: Vec<PageKey>,
    count: u64,
    modals: usize,
    /// When G was pressed.
    going: Option<Timestamp>,
}

/// Copy it into closures freely.
#[derive(Clone, Copy)]
pub(crate) struct KeyBoard(CopyValue<Rc<RefCell<Known>>>);

/// What a key press asks for.
#[derive(Clone, Copy)]
pub(crate) enum Meant {
    Global(Shortcut),
    Page(Callback<()>),
    /// The first of two keys.
    Nothing,
}

impl KeyBoard {
    /// Once, at the root.
    pub(crate) fn new() -> Self {
        Self(CopyValue::new(Rc::default()))
    }

    pub(crate) fn modal_opened(self) {
        self.0.peek().borrow_mut().modals += 1;
    }

    pub(crate) fn modal_closed(self) {
        let known = self.0.peek();
        let mut known = known.borrow_mut();
        known.modals = known.modals.saturating_sub(1);
    }

    /// The keys of the open page.
    pub(crate) fn of_page(self) -> Vec<PageKey> {
        self.0.peek().borrow().page.clone()
    }

    /// What a press means now; `None` leaves it to the browser.
    pub(crate) fn meaning(self, press: &KeyPress, now: Timestamp) -> Option<Meant> {
        let known = self.0.peek();
        let mut known = known.borrow_mut();
        if known.modals > 0 {
            return None;
        }
        if press.command {
            let palette = press.key.eq_ignore_ascii_case("k") && !press.alt;
            return palette.then_some(Meant::Global(Shortcut::Palette));
        }
        if press.in_field || press.alt {
            return None;
        }
        let going = known.going.take().is_some_and(|since| now.0 - since.0 < GO_WAITS);
        if going && let Some(place) = Shortcut::place(&press.key) {
            return Some(Meant::Global(place));
        }
        if let Some(key) = known
            .page
            .iter()
            .rev()
            .find(|key| key.key.eq_ignore_ascii_case(&press.key))
        {
            return Some(Meant::Page(key.act));
        }
        if press.key.eq_ignore_ascii_case("g") {
            known.going = Some(now);
            return Some(Meant::Nothing);
        }
        Shortcut::of_key(&press.key).map(Meant::Global)
    }
}

/// Gives the page a key for as long as it is shown. `label` says what it does, in the list that "?" opens.
pub(crate) fn use_page_key(key: &'static str, label: impl Into<String>, act: impl FnMut(()) + 'static) {
    let keys = use_context::<KeyBoard>();
    let act = use_callback(act);
    let number = use_hook(|| {
        let known = keys.0.peek();
        let mut known = known.borrow_mut();
        known.count += 1;
        let number = known.count;
        known.page.push(PageKey {
            key,
            label: label.into(),
            number,
            act,
        });
        number
    });
    use_drop(move || keys.0.peek().borrow_mut().page.retain(|key| key.number != number));
}
