//! Writes what is typed into the record: when to send, what to say about it, and where the caret goes.
//!
//! Place in the flow: between the text fields and `ManagedText`, which decides what is sent. Invariant: notes outlive
//! their page; leaving it, or a failure, loses nothing that was typed.

use crate::components::use_clinic;
use crate::host::{self, Host, Watched, at_root, use_host};
use dioxus::core::{provide_root_context, spawn_forever};
use dioxus::prelude::*;
use futures_channel::mpsc::unbounded;
use futures_util::StreamExt;
use local_core::query::VisitView;
use local_core::{Failure, Query, View};
use shared_model::commands::{CommandError, WriteInSection};
use shared_model::documents::Section;
use shared_model::ids::{AccountId, VisitId};
use shared_model::time::Timestamp;
use std::collections::HashMap;

use super::managed_text::{ManagedText, Rewritten, Version};

/// Sent so long after the last key, or after the first if the typing goes on; in milliseconds.
const PAUSE: i64 = 300;
const AT_LATEST: i64 = 1_000;
/// How often to look whether it is time, and whether the view with the edit has come.
const LOOK: u32 = 20;
/// Longer than the view with an edit mostly takes: after that it is asked about.
const PATIENCE: u32 = 500;
/// So long whoever locks or leaves waits for what is typed to be saved.
const GIVE_UP: u32 = 2_000;
/// How often, and how many milliseconds apart, an edit is asked for again while a window takes the records over.
const AGAIN: u32 = 20;
const PAUSE_BETWEEN: u32 = 250;
/// So often an edit is put on a newer state before somebody is told.
const REBASES: u32 = 5;

/// Where the caret of a text field has to go after it was rewritten.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Caret {
    pub section: Section,
    pub start: u32,
    pub end: u32,
}

/// The notes of one visit. Copy it into closures freely.
#[derive(Clone, Copy)]
pub(super) struct Notes {
    visit: VisitId,
    host: Host,
    /// Who writes them.
    writer: Option<AccountId>,
    watched: Signal<Option<Watched>>,
    text: Signal<Option<ManagedText>>,
    /// The edit under way, if nobody was there to say whether the record has it.
    unanswered: Signal<Option<(u64, WriteInSection)>>,
    /// Why the last edit was not taken.
    pub(super) failure: Signal<Option<Failure>>,
    pub(super) focused: Signal<Option<Section>>,
    pub(super) caret: Signal<Option<Caret>>,
    /// The first and the last key since something was sent.
    keys: Signal<Option<(i64, i64)>>,
    driven: Signal<bool>,
    pages: Signal<usize>,
}

/// The notes that are shown, or that have something unsaved, of each person who signed in on this device.
#[derive(Clone, Copy)]
struct OpenNotes(Signal<HashMap<(Option<AccountId>, VisitId), Notes>>);

#[cfg(feature = "web")]
impl OpenNotes {
    /// What is typed is sent when the page is about to be left, and as long as it is not durable the browser asks
    /// whether to leave: a page that goes takes its Worker along, in the middle of whatever that does.
    fn heed_leaving(self) {
        let (leaving, mut heard) = unbounded::<()>();
        let Self(open) = self;
        let listening = host::listen_leaving(move || {
            drop(leaving.unbounded_send(()));
            let open = open.peek();
            open.values().any(|notes| notes.would_be_lost())
        });
        spawn_forever(async move {
            let _listening = listening;
            while heard.next().await.is_some() {
                let unsaved: Vec<Notes> = {
                    let open = open.peek();
                    open.values()
                        .copied()
                        .filter(|notes| notes.is_anything_unsaved() && notes.is_of_who_is_here())
                        .collect()
                };
                unsaved.into_iter().for_each(Notes::flush);
            }
        });
    }
}

/// Sends what whoever is here has typed and not saved yet, in whatever notes, and waits for it. False if something could not
/// be saved. What others could not save before the device locked waits for them.
pub(crate) async fn settle_all_notes(host: Host) -> bool {
    let Some(OpenNotes(open)) = try_consume_context::<OpenNotes>() else {
        return true;
    };
    let person = host.person();
    let is_writing = |notes: &Notes| notes.is_anything_unsaved() || notes.is_under_way();
    let open: Vec<Notes> = {
        let open = open.peek();
        let of_person = open.iter().filter(|((writer, _), _)| *writer == person);
        of_person.map(|(_, notes)| *notes).filter(is_writing).collect()
    };
    let mut settled = true;
    for notes in open {
        settled &= notes.settle().await;
    }
    settled
}

/// Whether somebody else has typed what could not be saved before the device locked: it ends with the window.
pub(crate) fn others_have_unsaved_notes(host: Host) -> bool {
    let Some(OpenNotes(open)) = try_consume_context::<OpenNotes>() else {
        return false;
    };
    let person = host.person();
    let open = open.peek();
    open.iter()
        .any(|((writer, _), notes)| *writer != person && notes.is_anything_unsaved())
}

/// The field of a section.
pub(super) fn field_id(section: Section) -> String {
    format!("notes-{}", section.word())
}

/// Opens the notes for as long as the component lives.
pub(super) fn use_notes(visit: VisitId) -> Notes {
    let host = use_host();
    let clinic = use_clinic();
    let notes = use_hook(|| {
        let me = clinic
            .peek()
            .as_ref()
            .and_then(|clinic| clinic.me.as_ref().map(|me| me.account));
        Notes::open(host, me, visit)
    });
    use_effect(move || {
        // Read here, so that the effect runs again with every view.
        let version = notes.view().as_ref().and_then(version);
        if let Some(version) = version {
            spawn(notes.show(version));
        }
    });
    use_hook(move || {
        let (hidden, mut heard) = unbounded::<()>();
        let listening = host::listen_hidden(move || drop(hidden.unbounded_send(())));
        spawn(async move {
            let _listening = listening;
            while heard.next().await.is_some() {
                notes.flush();
            }
        });
    });
    use_drop(move || notes.close());
    notes
}

fn version(view: &View) -> Option<Version> {
    let View::Visit(view) = view else { return None };
    Some(version_of(view))
}

fn version_of(view: &VisitView) -> Version {
    let text = |index: usize| view.sections.get(index).map(|section| section.text.clone());
    Version {
        heads: view.heads.clone(),
        texts: std::array::from_fn(|index| text(index).unwrap_or_default()),
        saved_at: view.receipt.saved_at,
    }
}

impl Notes {
    fn open(host: Host, me: Option<AccountId>, visit: VisitId) -> Self {
        let OpenNotes(mut open) = try_consume_context::<OpenNotes>().unwrap_or_else(|| {
            let open = OpenNotes(at_root(HashMap::new()));
            #[cfg(feature = "web")]
            open.heed_leaving();
            provide_root_context(open)
        });
        let known = open.peek().get(&(me, visit)).copied();
        let mut notes = known.unwrap_or_else(|| {
            let notes = Self {
                visit,
                host,
                writer: me,
                watched: at_root(None),
                text: at_root(None),
                unanswered: at_root(None),
                failure: at_root(None),
                focused: at_root(None),
                caret: at_root(None),
                keys: at_root(None),
                driven: at_root(false),
                pages: at_root(0),
            };
            open.write().insert((me, visit), notes);
            notes
        });
        *notes.pages.write() += 1;
        if notes.watched.peek().is_none() {
            notes.watched.set(Some(host.watch(Query::Visit(visit))));
        }
        if notes.is_anything_unsaved() {
            // Whoever writes them is back.
            notes.drive();
        }
        notes
    }

    fn close(mut self) {
        *self.pages.write() -= 1;
        self.focused.set(None);
        self.flush();
        self.forget_if_done();
    }

    fn forget_if_done(mut self) {
        if *self.pages.peek() == 0
            && !self.is_writing()
            && let Some(watched) = self.watched.take()
        {
            self.host.unwatch(watched);
            // What the fields rest on is read anew when they are opened again.
            self.text.set(None);
        }
    }

    /// The page's view of the visit, the same that the texts follow.
    pub(super) fn view(self) -> Option<View> {
        let watched = *self.watched.read();
        watched.and_then(|watched| watched.view.read().clone())
    }

    /// What a section's field shows.
    pub(super) fn shown(self, section: Section) -> String {
        let text = self.text.read();
        text.as_ref().map(|text| text.shown(section)).unwrap_or_default()
    }

    pub(super) fn is_unsaved(self, section: Section) -> bool {
        self.text
            .read()
            .as_ref()
            .is_some_and(|text| text.is_unsaved(section))
    }

    /// Something typed is not durable yet.
    pub(super) fn is_writing(self) -> bool {
        let text = self.text.read();
        text.as_ref()
            .is_some_and(|text| text.is_anything_unsaved() || text.is_under_way())
    }

    pub(super) fn typed(mut self, section: Section, typed: &str) {
        if let Some(text) = self.text.write().as_mut() {
            text.typed(section, typed);
        }
        let now = host::now().0;
        let first = self.keys.peek().map_or(now, |(first, _)| first);
        self.keys.set(Some((first, now)));
        self.drive();
    }

    /// Sends at once what there is: the field is left, or the page is no longer seen.
    pub(super) fn flush(mut self) {
        self.keys.set(None);
        spawn_forever(async move {
            self.send().await;
            self.drive();
        });
    }

    /// Sends whatever is unsaved, each when it is due, until nothing is or an edit is not taken.
    fn drive(mut self) {
        if self.driven.replace(true) {
            return;
        }
        spawn_forever(async move {
            let mut going = true;
            while going && self.is_anything_unsaved() {
                while !self.is_due() {
                    host::sleep(LOOK).await;
                }
                going = self.send().await;
            }
            self.driven.set(false);
            self.forget_if_done();
        });
    }

    /// Sends everything and waits for it. False if something could not be saved.
    pub(super) async fn settle(self) -> bool {
        self.flush();
        // Longer than any disk takes; whoever waits sees why in the line that says what is saved.
        for _ in 0..GIVE_UP / LOOK {
            host::sleep(LOOK).await;
            if !self.would_be_lost() {
                return true;
            }
        }
        false
    }

    fn would_be_lost(self) -> bool {
        self.text.peek().as_ref().is_some_and(ManagedText::would_be_lost)
    }

    fn is_anything_unsaved(self) -> bool {
        self.text
            .peek()
            .as_ref()
            .is_some_and(ManagedText::is_anything_unsaved)
    }

    /// Written by somebody else they would be somebody else's words.
    fn is_of_who_is_here(self) -> bool {
        self.writer == self.host.person()
    }

    fn is_under_way(self) -> bool {
        self.text.peek().as_ref().is_some_and(ManagedText::is_under_way)
    }

    fn is_due(self) -> bool {
        if self.unanswered.peek().is_some() {
            return true;
        }
        let now = host::now().0;
        let keys = *self.keys.peek();
        // A clock that was set back must not hold anything up.
        let due =
            keys.is_none_or(|(first, last)| now < first || now - last >= PAUSE || now - first >= AT_LATEST);
        due && !self.is_under_way()
    }

    /// Sends one edit and waits for the view that has it. False if it was not taken, or there is nothing to look at.
    async fn send(mut self) -> bool {
        for _ in 0..REBASES {
            if !self.is_of_who_is_here() {
                return false;
            }
            let Some((ticket, command)) = self.next() else {
                return true;
            };
            match self.carried_out(ticket, command).await {
                Ok(at) => {
                    self.failure.set(None);
                    self.rewrite(|text| text.kept(at)).await;
                    return self.wait_for_view().await;
                }
                Err(Failure::SignedOut) => {
                    self.failure.set(Some(Failure::SignedOut));
                    return false;
                }
                Err(failure) => {
                    self.rewrite(ManagedText::refused).await;
                    if failure != Failure::Command(CommandError::UnknownBase) {
                        self.failure.set(Some(failure));
                        return false;
                    }
                    // The record knows more, or less, than this screen showed: take what it is now and try again.
                    host::sleep(LOOK * 10).await;
                    self.show_latest().await;
                }
            }
        }
        self.failure
            .set(Some(Failure::Command(CommandError::UnknownBase)));
        false
    }

    /// The edit that is to be sent, with its ticket.
    fn next(mut self) -> Option<(u64, WriteInSection)> {
        if let Some(unanswered) = self.unanswered.take() {
            return Some(unanswered);
        }
        let edit = self.text.write().as_mut().and_then(ManagedText::next)?;
        self.keys.set(None);
        let command = WriteInSection {
            visit: self.visit,
            section: edit.section,
            seen: edit.seen,
            at: edit.splice.at,
            delete: edit.splice.delete,
            insert: edit.splice.insert,
        };
        Some((self.host.ticket(), command))
    }

    /// Whoever had the records may have written the edit and gone before saying so, and whoever has them next is locked
    /// until a window unlocks them. "Nobody is signed in" is no answer to it then: it is asked for again, now or, if they
    /// stay locked, when its writer is back, with the same ticket. Sent anew it could be written twice.
    async fn carried_out(mut self, ticket: u64, command: WriteInSection) -> Result<Timestamp, Failure> {
        for again in 0..=AGAIN {
            match self.host.run_once(ticket, command.clone()).await {
                Err(Failure::SignedOut) if again < AGAIN && self.is_of_who_is_here() => {
                    host::sleep(PAUSE_BETWEEN).await;
                }
                Err(Failure::SignedOut) => break,
                answer => return answer,
            }
        }
        self.unanswered.set(Some((ticket, command)));
        Err(Failure::SignedOut)
    }

    /// Until the texts rest on a view that has the edit under way. False if there is none any more: the visit has gone
    /// from this device, and should it come back, it comes with the edit.
    async fn wait_for_view(self) -> bool {
        for _ in 0..PATIENCE / LOOK {
            self.show_latest().await;
            if !self.is_under_way() {
                return true;
            }
            host::sleep(LOOK).await;
        }
        // It may come without the edit's time, or not at all: if the edit changed nothing any more, if the clock was set
        // back, if another window has taken the records over. Once a question that was asked later has its answer, what
        // is watched is no older than the edit.
        self.host.look(Query::Visit(self.visit)).await;
        self.rewrite(|text| match self.latest() {
            Some(version) => text.overtaken(version),
            None => Vec::new(),
        })
        .await;
        !self.is_under_way()
    }

    fn latest(self) -> Option<Version> {
        let watched = *self.watched.peek();
        watched.and_then(|watched| watched.view.peek().as_ref().and_then(version))
    }

    async fn show_latest(self) {
        if let Some(version) = self.latest() {
            self.show(version).await;
        }
    }

    async fn show(mut self, version: Version) {
        if self.text.peek().is_none() {
            self.text.set(Some(ManagedText::new(version)));
        } else {
            self.rewrite(|text| text.arrived(version)).await;
        }
    }

    /// Changes the texts because of something that came, and keeps the caret with its words.
    async fn rewrite(mut self, change: impl FnOnce(&mut ManagedText) -> Vec<Rewritten>) {
        let focused = *self.focused.peek();
        let selection = match focused {
            Some(section) => host::text_selection(&field_id(section)).await,
            None => None,
        };
        let rewritten = self.text.write().as_mut().map(change).unwrap_or_default();
        if let (Some(section), Some((start, end))) = (focused, selection)
            && let Some(rewritten) = rewritten.iter().find(|rewritten| rewritten.section == section)
        {
            self.caret.set(Some(Caret {
                section,
                start: rewritten.caret(start),
                end: rewritten.caret(end),
            }));
        }
    }
}
