//! The pages that work through this Worker: its own and those of other tabs.
//!
//! Invariant: what answers one page's question goes to that page alone, and a page that has gone watches nothing.

use super::tabs::{self, ToOwner};
use crate::host::runner::Input;
use crate::host::{FromCore, ToCore};
use futures_channel::mpsc::UnboundedSender;
use local_core::PAGE_BITS;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use web_sys::{BroadcastChannel, DedicatedWorkerGlobalScope};

pub(super) struct Pages {
    scope: DedicatedWorkerGlobalScope,
    own: u64,
    build: String,
    others: RefCell<BTreeMap<u64, Other>>,
    /// What a page that comes later has to hear first.
    fresh: Cell<bool>,
    standing: RefCell<Standing>,
    to_core: UnboundedSender<Input>,
}

/// Whether the device is locked or somebody works on it, as it was said last.
#[derive(Default)]
struct Standing {
    handover: Option<FromCore>,
    protection: Option<FromCore>,
    left: Option<FromCore>,
    stage: Option<FromCore>,
}

impl Standing {
    fn note(&mut self, message: &FromCore) {
        match message {
            FromCore::Handover(_) => self.handover = Some(message.clone()),
            FromCore::Protection(_) => self.protection = Some(message.clone()),
            FromCore::Left(_) => self.left = Some(message.clone()),
            FromCore::SignedIn(signed_in) => {
                self.stage = Some(message.clone());
                if !signed_in {
                    self.protection = None;
                }
            }
            FromCore::HandoverEnds => (self.handover, self.protection) = (None, None),
            FromCore::Locked(_) => {
                *self = Self {
                    left: self.left.take(),
                    stage: Some(message.clone()),
                    ..Self::default()
                }
            }
            _ => {}
        }
    }

    fn all(&self) -> impl Iterator<Item = &FromCore> {
        let Self {
            handover,
            protection,
            left,
            stage,
        } = self;
        handover.iter().chain(protection).chain(left).chain(stage)
    }
}

/// A page of another tab.
struct Other {
    channel: BroadcastChannel,
    watches: BTreeSet<u64>,
}

impl Drop for Other {
    fn drop(&mut self) {
        self.channel.close();
    }
}

/// Whom it answers; `None` if it concerns every page.
fn addressee(message: &FromCore) -> Option<u64> {
    match message {
        FromCore::Answer { ticket: number, .. }
        | FromCore::Called { ticket: number, .. }
        | FromCore::View { watch: number, .. } => Some(number >> PAGE_BITS),
        _ => None,
    }
}

impl Pages {
    pub(super) fn new(
        scope: DedicatedWorkerGlobalScope,
        own: u64,
        build: String,
        to_core: UnboundedSender<Input>,
    ) -> Self {
        Self {
            scope,
            own,
            build,
            others: RefCell::default(),
            fresh: Cell::default(),
            standing: RefCell::default(),
            to_core,
        }
    }

    /// How many there are, the own one included.
    pub(super) fn count(&self) -> usize {
        1 + self.others.borrow().len()
    }

    /// They arrive together, so that each screen changes once.
    pub(super) fn send(&self, messages: &[FromCore]) {
        for message in messages {
            match message {
                FromCore::Ready { fresh } => self.fresh.set(*fresh),
                FromCore::SignedIn(signed_in) => self.fresh.set(self.fresh.get() && !signed_in),
                _ => {}
            }
            self.standing.borrow_mut().note(message);
        }
        let of = |page: u64| -> Vec<&FromCore> {
            let concerns = |message: &&FromCore| addressee(message).is_none_or(|asked| asked == page);
            messages.iter().filter(concerns).collect()
        };
        let own = of(self.own);
        if !own.is_empty() {
            self.send_own(&own);
        }
        for (page, other) in self.others.borrow().iter() {
            let theirs = of(*page);
            if !theirs.is_empty() {
                tabs::post(&other.channel, &theirs);
            }
        }
    }

    fn send_own(&self, messages: &[&FromCore]) {
        self.scope
            .post_message(&tabs::encode(&messages))
            .expect("bytes can always be posted");
    }

    /// Through the channel of all pages. The own page speaks to this Worker alone: what of it comes this way was meant for
    /// the owner before.
    pub(super) fn heard(self: &Rc<Self>, message: ToOwner) {
        let is_own = match &message {
            ToOwner::Hello(page) | ToOwner::Away(page) | ToOwner::Asked(page, _) => *page == self.own,
            ToOwner::Ping => false,
        };
        if !is_own {
            self.said(message);
        }
    }

    pub(super) fn said(self: &Rc<Self>, message: ToOwner) {
        match message {
            ToOwner::Hello(page) => {
                self.away(page);
                let channel = tabs::to_page(&self.build, page);
                let ready = FromCore::Ready {
                    fresh: self.fresh.get(),
                };
                let standing = self.standing.borrow();
                let all: Vec<&FromCore> = std::iter::once(&ready).chain(standing.all()).collect();
                tabs::post(&channel, &all);
                let other = Other {
                    channel,
                    watches: BTreeSet::new(),
                };
                self.others.borrow_mut().insert(page, other);
                let pages = Rc::clone(self);
                tabs::when_gone(page, move || pages.away(page));
            }
            ToOwner::Away(page) => self.away(page),
            ToOwner::Asked(page, message) => {
                if page != self.own {
                    let mut others = self.others.borrow_mut();
                    let Some(other) = others.get_mut(&page) else {
                        return;
                    };
                    match &message {
                        ToCore::Watch { watch, .. } => {
                            other.watches.insert(*watch);
                        }
                        ToCore::Unwatch { watch } => {
                            other.watches.remove(watch);
                        }
                        _ => {}
                    }
                }
                self.ask(message);
            }
            ToOwner::Ping => self.send_own(&[]),
        }
    }

    fn ask(&self, message: ToCore) {
        drop(self.to_core.unbounded_send(Input::FromViews(message)));
    }

    fn away(&self, page: u64) {
        let gone = self.others.borrow_mut().remove(&page);
        for watch in gone.iter().flat_map(|other| &other.watches) {
            self.ask(ToCore::Unwatch { watch: *watch });
        }
    }
}
