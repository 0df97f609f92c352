//! The page's place in the browser's history, which is held like what is open on the page: there the program's own ways are
//! not the only ones.
//!
//! Invariant: while somebody holds it, the router hears of no way back or forth, and what lies before the place stays there.

use crate::host::{self, PlaceInHistory};
use dioxus::prelude::*;
use futures_channel::mpsc::{UnboundedSender, unbounded};
use futures_util::StreamExt;
use std::cell::RefCell;
use std::rc::Rc;

#[derive(Clone)]
pub(crate) struct HeldPlace(Rc<Held>);

#[derive(Default)]
struct Held {
    /// Who hears of it that somebody went, by what each of them does instead.
    holders: RefCell<Vec<(Callback<()>, UnboundedSender<()>)>>,
    place: RefCell<Option<PlaceInHistory>>,
}

impl HeldPlace {
    /// Once, at the root, before there is a router that would follow.
    pub(crate) fn new() -> Self {
        let held = Rc::<Held>::default();
        let place = Self(Rc::clone(&held));
        host::listen_history(move || held.comes_back());
        place
    }

    fn hold(&self, holder: Option<UnboundedSender<()>>, instead: Callback<()>) {
        let mut holders = self.0.holders.borrow_mut();
        holders.retain(|(known, _)| *known != instead);
        if let Some(holder) = holder {
            if holders.is_empty() {
                self.0.place.replace(Some(PlaceInHistory::now()));
            }
            holders.push((instead, holder));
        }
    }
}

impl Held {
    fn comes_back(&self) -> bool {
        let holders = self.holders.borrow();
        let Some((_, went)) = holders.last() else {
            return false;
        };
        if let Some(place) = &*self.place.borrow() {
            place.come_back();
        }
        drop(went.unbounded_send(()));
        true
    }
}

pub(super) fn use_hold_place(holds: bool, instead: Callback<()>) {
    let place = use_hook(consume_context::<HeldPlace>);
    let leaves = place.clone();
    let went = use_hook(|| {
        let (went, mut heard) = unbounded::<()>();
        spawn(async move {
            while heard.next().await.is_some() {
                instead.call(());
            }
        });
        went
    });
    use_effect(use_reactive!(|holds| {
        let holder = holds.then(|| went.clone());
        place.hold(holder, instead);
    }));
    use_drop(move || leaves.hold(None, instead));
}
