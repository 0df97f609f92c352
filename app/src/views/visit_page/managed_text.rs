//! The four texts of a visit between the keyboard and the record.
//!
//! Place in the flow: the page tells what was typed, what the record answered and which view arrived; it gets back the
//! next edit to send and what to put into the text fields. No clock, no browser. Invariants: at most one edit is under
//! way; nothing that was typed is dropped, whatever fails or arrives; and no edit is written twice: one that is under way
//! stays so until its answer and a view with it have come, however long that takes, and a view without it is never taken
//! for one with it.

use super::text_edit::{Splice, changes, merge, shown, shown_caret, stored_caret, with_typed};
use shared_model::documents::Section;
use shared_model::time::Timestamp;

const SECTIONS: usize = Section::ALL.len();

/// One state of the record, as a view shows it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Version {
    pub heads: Vec<[u8; 32]>,
    /// In the order of `Section::ALL`.
    pub texts: [String; SECTIONS],
    /// When this device last wrote into the record.
    pub saved_at: Option<Timestamp>,
}

/// What to send: a splice of the section's text as it was at `seen`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Edit {
    pub section: Section,
    pub seen: Vec<[u8; 32]>,
    pub splice: Splice,
}

/// A text field that shows something else now because of what others wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rewritten {
    pub section: Section,
    before: String,
    after: String,
    carets: Vec<usize>,
}

impl Rewritten {
    /// Where a caret of the field stands now, both in the browser's UTF-16 units.
    pub(super) fn caret(&self, before: u32) -> u32 {
        let before = stored_caret(&self.before, before);
        let after = self.carets.get(before).or(self.carets.last());
        shown_caret(&self.after, after.copied().unwrap_or(0))
    }
}

/// The edit under way.
#[derive(Clone, Debug)]
struct Sent {
    section: usize,
    /// The section's text with this edit and nobody else's.
    text: String,
    /// The moment it became durable; `None` until the answer.
    durable: Option<Timestamp>,
}

#[derive(Clone, Debug)]
pub(super) struct ManagedText {
    /// The state that the texts rest on.
    base: Version,
    /// What the fields hold, with the record's line ends.
    typed: [String; SECTIONS],
    sent: Option<Sent>,
    /// Arrived while an edit was under way.
    newest: Option<Version>,
}

fn index(section: Section) -> usize {
    Section::ALL.iter().position(|s| *s == section).unwrap_or(0)
}

impl ManagedText {
    pub(super) fn new(version: Version) -> Self {
        Self {
            typed: version.texts.clone(),
            base: version,
            sent: None,
            newest: None,
        }
    }

    /// What the section's field shows.
    pub(super) fn shown(&self, section: Section) -> String {
        shown(&self.typed[index(section)])
    }

    /// The field holds this now.
    pub(super) fn typed(&mut self, section: Section, text: &str) {
        let typed = &mut self.typed[index(section)];
        *typed = with_typed(typed, &shown(text));
    }

    /// Something was typed in this section that the record does not have yet.
    pub(super) fn is_unsaved(&self, section: Section) -> bool {
        let index = index(section);
        self.typed[index] != self.base.texts[index]
    }

    pub(super) fn is_anything_unsaved(&self) -> bool {
        Section::ALL.iter().any(|section| self.is_unsaved(*section))
    }

    /// Something was typed that no answer has called durable: it ends with the page.
    pub(super) fn would_be_lost(&self) -> bool {
        self.typed.iter().enumerate().any(|(index, typed)| {
            let durable = match &self.sent {
                Some(sent) if sent.section == index && sent.durable.is_some() => &sent.text,
                _ => &self.base.texts[index],
            };
            typed != durable
        })
    }

    pub(super) fn is_under_way(&self) -> bool {
        self.sent.is_some()
    }

    /// The next edit to send, if there is one and none is under way. It is under way from now on.
    pub(super) fn next(&mut self) -> Option<Edit> {
        if self.sent.is_some() {
            return None;
        }
        Section::ALL.iter().enumerate().find_map(|(index, section)| {
            // Work in two places goes as two edits, one after the other.
            let splice = changes(&self.base.texts[index], &self.typed[index])
                .into_iter()
                .next()?;
            self.sent = Some(Sent {
                section: index,
                text: splice.apply(&self.base.texts[index]),
                durable: None,
            });
            Some(Edit {
                section: *section,
                seen: self.base.heads.clone(),
                splice,
            })
        })
    }

    /// The edit under way is durable since then. The view that has it may have come already.
    pub(super) fn kept(&mut self, at: Timestamp) -> Vec<Rewritten> {
        if let Some(sent) = &mut self.sent {
            sent.durable = Some(at);
        }
        match self.newest.take() {
            Some(version) => self.arrived(version),
            None => Vec::new(),
        }
    }

    /// The edit under way was not taken, and nothing of it was written. What was typed rests on the newest state now.
    pub(super) fn refused(&mut self) -> Vec<Rewritten> {
        self.sent = None;
        match self.newest.take() {
            Some(version) => self.arrived(version),
            None => Vec::new(),
        }
    }

    /// A view that cannot be older than the answer: it has the edit under way, whatever its times say, and also if the
    /// edit changed nothing any more because what it deleted was gone.
    pub(super) fn overtaken(&mut self, version: Version) -> Vec<Rewritten> {
        if self.sent.as_ref().is_none_or(|sent| sent.durable.is_none()) {
            return Vec::new();
        }
        self.newest = None;
        self.accept(version)
    }

    /// A view arrived. The fields that show something else now come back.
    pub(super) fn arrived(&mut self, version: Version) -> Vec<Rewritten> {
        if version.heads == self.base.heads {
            return Vec::new();
        }
        match &self.sent {
            None => self.accept(version),
            // The core handles one thing after the other, so a view that was made after this device's edit says so
            // by the time of the last writing here.
            Some(sent) if sent.durable.is_some_and(|at| version.saved_at >= Some(at)) => self.accept(version),
            Some(_) => {
                self.newest = Some(version);
                Vec::new()
            }
        }
    }

    /// Takes a version as the new base. It contains the edit under way, if there is one.
    fn accept(&mut self, version: Version) -> Vec<Rewritten> {
        let sent = self.sent.take();
        let mut rewritten = Vec::new();
        for (index, section) in Section::ALL.iter().enumerate() {
            let ancestor = match &sent {
                Some(sent) if sent.section == index => &sent.text,
                _ => &self.base.texts[index],
            };
            let theirs = &version.texts[index];
            if ancestor == theirs {
                continue;
            }
            let before = self.typed[index].clone();
            let (after, carets) = merge(ancestor, &before, theirs);
            if after != before {
                self.typed[index].clone_from(&after);
                rewritten.push(Rewritten {
                    section: *section,
                    before,
                    after,
                    carets,
                });
            }
        }
        self.base = version;
        rewritten
    }
}

#[cfg(test)]
#[path = "managed_text_tests.rs"]
mod tests;
