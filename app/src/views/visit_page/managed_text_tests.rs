//! Typing against real records: `Desk` stands for one screen with its own copy of the visit.

use super::*;
use shared_model::commands::{Command, CommandError, WriteInSection};
use shared_model::documents::{Document, Kind, Stamp};
use shared_model::ids::{AccountId, ClinicId, DocumentId, VisitId};

use Section::{Assessment, History, Plan};

struct Screen {
    number: u8,
    clock: i64,
    record: Document,
    saved_at: Option<Timestamp>,
    notes: ManagedText,
    under_way: Option<Edit>,
}

fn visit() -> VisitId {
    VisitId(uuid::Uuid::from_u128(3))
}

fn version(record: &Document, saved_at: Option<Timestamp>) -> Version {
    Version {
        heads: record.heads().iter().map(|head| head.0).collect(),
        texts: std::array::from_fn(|index| record.text(Section::ALL[index].word())),
        saved_at,
    }
}

impl Screen {
    fn new(number: u8) -> Self {
        let clinic = ClinicId(uuid::Uuid::from_u128(2));
        let record = Document::genesis(Kind::Visit, clinic, DocumentId(visit().0));
        Self {
            number,
            clock: 0,
            notes: ManagedText::new(version(&record, None)),
            saved_at: None,
            record,
            under_way: None,
        }
    }

    fn write(&mut self, edit: &Edit) -> Result<Timestamp, CommandError> {
        self.clock += 1;
        let now = Timestamp(self.clock);
        let stamp = Stamp {
            now,
            actor: [self.number; 16].into(),
            account: AccountId(uuid::Uuid::from_u128(u128::from(self.number))),
        };
        let command = Command::from(WriteInSection {
            visit: visit(),
            section: edit.section,
            seen: edit.seen.clone(),
            at: edit.splice.at,
            delete: edit.splice.delete,
            insert: edit.splice.insert.clone(),
        });
        if command.write(&mut self.record, &stamp)?.is_some() {
            self.saved_at = Some(now);
        }
        Ok(now)
    }

    fn type_in(&mut self, section: Section, text: &str) {
        self.notes.typed(section, text);
    }

    fn send(&mut self) {
        if let Some(edit) = self.notes.next() {
            self.under_way = Some(edit);
        }
    }

    /// The core carries the edit out and answers; the view may be shown later.
    fn answer(&mut self) -> Vec<Rewritten> {
        let Some(edit) = self.under_way.take() else {
            return Vec::new();
        };
        match self.write(&edit) {
            Ok(at) => self.notes.kept(at),
            Err(_) => self.notes.refused(),
        }
    }

    fn show(&mut self) -> Vec<Rewritten> {
        self.notes.arrived(version(&self.record, self.saved_at))
    }

    fn overtake(&mut self) -> Vec<Rewritten> {
        self.notes.overtaken(version(&self.record, self.saved_at))
    }

    fn save(&mut self) {
        while self.notes.is_anything_unsaved() || self.notes.is_under_way() {
            self.send();
            self.answer();
            self.show();
        }
    }

    fn fetch(&mut self, other: &Self) {
        let changes = other.record.changes_since(&self.record.heads());
        self.record.apply(&changes).expect("a whole history");
    }

    fn text(&self, section: Section) -> String {
        self.record.text(section.word())
    }
}

/// Two screens that show the same history.
fn two_with(text: &str) -> [Screen; 2] {
    let [mut here, mut there] = [Screen::new(1), Screen::new(2)];
    here.type_in(History, text);
    here.save();
    there.fetch(&here);
    there.show();
    [here, there]
}

#[test]
fn typing_goes_on_while_an_edit_is_under_way() {
    let mut here = Screen::new(1);
    here.type_in(History, "Ate");
    here.send();
    here.type_in(History, "Ate grass");
    assert_eq!(here.notes.next(), None, "one at a time");
    assert!(here.answer().is_empty());
    assert_eq!(here.notes.next(), None, "the view with it has not come");
    assert!(here.show().is_empty(), "the field already shows it");
    assert_eq!(here.notes.shown(History), "Ate grass");
    let next = here.notes.next().expect("the rest");
    assert_eq!(
        next.splice,
        Splice {
            at: 3,
            delete: 0,
            insert: " grass".to_owned()
        }
    );
    here.write(&next).expect("written");
    here.notes.kept(Timestamp(2));
    here.show();
    assert_eq!(here.text(History), "Ate grass");
    assert!(!here.notes.is_anything_unsaved());
}

#[test]
fn what_is_typed_would_be_lost_until_an_answer_calls_it_durable() {
    let mut here = Screen::new(1);
    assert!(!here.notes.would_be_lost());
    here.type_in(History, "Ate");
    assert!(here.notes.would_be_lost(), "not sent");
    here.send();
    assert!(here.notes.would_be_lost(), "under way");
    here.answer();
    assert!(
        !here.notes.would_be_lost(),
        "durable, though the view with it has not come"
    );
    here.type_in(Plan, "Rest");
    assert!(here.notes.would_be_lost(), "another section");
    here.show();
    here.save();
    assert!(!here.notes.would_be_lost());
}

#[test]
fn a_view_without_the_edit_is_not_taken_for_one_with_it() {
    let [mut here, mut there] = two_with("Vomited.");
    here.type_in(History, "Vomited twice.");
    here.send();
    // A colleague's words arrive between sending and writing …
    there.type_in(History, "Rex. Vomited.");
    there.save();
    here.fetch(&there);
    assert!(here.show().is_empty(), "held back");
    // … and the answer is known before the view that has both.
    assert!(here.answer().is_empty());
    assert_eq!(here.notes.next(), None);
    let rewritten = here.show();
    assert_eq!(rewritten.len(), 1);
    assert_eq!(here.notes.shown(History), "Rex. Vomited twice.");
    assert!(
        !here.notes.is_anything_unsaved(),
        "nothing is written a second time"
    );
}

#[test]
fn the_view_may_come_before_the_answer() {
    let mut here = Screen::new(1);
    here.type_in(Plan, "Rest");
    here.send();
    let edit = here.under_way.take().expect("sent");
    let at = here.write(&edit).expect("written");
    assert!(here.show().is_empty());
    assert!(here.notes.is_under_way());
    here.notes.kept(at);
    assert!(!here.notes.is_under_way());
    assert!(!here.notes.is_anything_unsaved());
}

#[test]
fn what_others_write_moves_the_caret_with_its_words() {
    let check = |text: &str, theirs: &str, caret: u32, expected: u32| {
        let [mut here, mut there] = two_with(text);
        there.type_in(History, theirs);
        there.save();
        here.fetch(&there);
        let rewritten = here.show();
        assert_eq!(
            rewritten[0].caret(caret),
            expected,
            "{text:?} to {theirs:?} at {caret}"
        );
        assert_eq!(here.notes.shown(History), theirs);
    };
    check("Ate grass.", "Rex. Ate grass.", 3, 8); // before
    check("Ate grass.", "Ate grass. Vomited.", 3, 3); // after
    check("Ate grass.", "Ate hay and grass.", 4, 4); // at the caret
    check("one (two) three", "one  three", 6, 4); // the caret's words are gone
    check("one (two) three", "one  three", 15, 10);
    check("🐕 ok", "🐈🐕 ok", 2, 4);
    check("cafe\u{301} x", "le cafe\u{301} x", 5, 8);
}

#[test]
fn unsent_words_survive_what_others_write() {
    let [mut here, mut there] = two_with("Ate grass.");
    there.type_in(History, "Yesterday: Ate grass. Vomited.");
    there.save();
    here.type_in(History, "Ate grass and rope.");
    here.fetch(&there);
    let rewritten = here.show();
    // The caret stood behind "rope".
    assert_eq!(rewritten[0].caret(18), 29);
    assert_eq!(
        here.notes.shown(History),
        "Yesterday: Ate grass and rope. Vomited."
    );
    here.save();
    assert_eq!(here.text(History), "Yesterday: Ate grass and rope. Vomited.");
}

#[test]
fn emoji_and_combining_characters_arrive_whole() {
    let mut here = Screen::new(1);
    for text in ["👩‍⚕️", "👩‍⚕️ ok", "🐕👩‍⚕️ ok", "🐕 ok", "cafe\u{301} 🐕", "café 🐕🐕🏽"]
    {
        here.type_in(Assessment, text);
        here.save();
        assert_eq!(here.text(Assessment), text);
        assert!(!here.notes.is_anything_unsaved());
    }
}

#[test]
fn foreign_line_ends_stay_and_are_never_unsaved() {
    let [mut here, mut there] = two_with("");
    // Another program wrote it.
    let edit = Edit {
        section: History,
        seen: there.notes.base.heads.clone(),
        splice: Splice {
            at: 0,
            delete: 0,
            insert: "one\r\ntwo\r\nthree".to_owned(),
        },
    };
    there.write(&edit).expect("written");
    here.fetch(&there);
    here.show();
    assert_eq!(here.notes.shown(History), "one\ntwo\nthree");
    here.type_in(History, "one\ntwo\nthree");
    assert!(!here.notes.is_anything_unsaved());
    here.type_in(History, "one\ntwo!\nthree");
    here.save();
    assert_eq!(here.text(History), "one\r\ntwo!\r\nthree");
}

#[test]
fn what_could_not_be_written_is_kept_and_tried_again() {
    let [mut here, mut there] = two_with("Ate grass.");
    here.type_in(History, "Ate grass. Vomited.");
    assert!(here.notes.next().is_some());
    // The disk is full; meanwhile somebody else's words arrive.
    there.type_in(History, "Rex. Ate grass.");
    there.save();
    here.fetch(&there);
    here.show();
    let rewritten = here.notes.refused();
    assert_eq!(rewritten.len(), 1);
    assert_eq!(here.notes.shown(History), "Rex. Ate grass. Vomited.");
    assert!(here.notes.is_unsaved(History));
    here.save();
    assert_eq!(here.text(History), "Rex. Ate grass. Vomited.");
    assert!(!here.notes.is_anything_unsaved());
}

#[test]
fn an_edit_whose_view_is_late_is_not_written_a_second_time() {
    let mut here = Screen::new(1);
    here.type_in(History, "Ate grass.");
    here.send();
    here.answer();
    here.type_in(History, "Ate grass. Twice.");
    // A machine that is busy, or a window that takes the records over, can be slower than any patience.
    assert_eq!(here.notes.next(), None);
    assert!(here.overtake().is_empty(), "the field shows it already");
    here.save();
    assert_eq!(here.text(History), "Ate grass. Twice.");
}

#[test]
fn a_clock_that_was_set_back_keeps_no_edit_under_way() {
    let mut here = Screen::new(1);
    here.clock = 1_000;
    here.type_in(History, "Ate");
    here.save();
    here.type_in(History, "Ate grass.");
    here.send();
    here.answer();
    here.saved_at = Some(Timestamp(3));
    assert!(here.show().is_empty());
    assert!(here.notes.is_under_way(), "by its times the view is an older one");
    here.overtake();
    assert!(!here.notes.is_under_way() && !here.notes.is_anything_unsaved());
    assert_eq!(here.text(History), "Ate grass.");
}

#[test]
fn an_edit_that_changes_nothing_any_more_does_not_block() {
    let [mut here, mut there] = two_with("one two.");
    there.type_in(History, "one.");
    there.save();
    here.type_in(History, "one.");
    here.send();
    here.fetch(&there);
    here.show();
    here.answer();
    // Nothing was written, so no view says so by itself.
    assert!(here.notes.is_under_way());
    here.overtake();
    assert!(!here.notes.is_under_way());
    assert_eq!(here.notes.shown(History), "one.");
    assert!(!here.notes.is_anything_unsaved());
}

#[test]
fn two_screens_end_with_the_same_text_and_every_word() {
    let mut dice = 7u64;
    let mut roll = |sides: usize| {
        dice = dice
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(dice >> 33).unwrap_or(0) % sides
    };
    for _ in 0..40 {
        let mut screens = two_with("Ate grass.\n🐕 quiet.");
        let mut words = Vec::new();
        for step in 0..60 {
            let [here, there] = &mut screens;
            let (here, there) = if roll(2) == 0 {
                (here, there)
            } else {
                (there, here)
            };
            match roll(6) {
                0 | 1 => {
                    // A word that only occurs once, so that a lost or doubled one shows; of one character, so that
                    // it cannot be torn.
                    let word = char::from_u32(0x4e00 + step).expect("a character").to_string();
                    let text = here.notes.shown(History);
                    let at = roll(text.chars().count() + 1);
                    let splice = Splice {
                        at,
                        delete: 0,
                        insert: word.clone(),
                    };
                    here.type_in(History, &splice.apply(&text));
                    words.push(word);
                }
                2 => here.send(),
                3 => drop(here.answer()),
                4 => drop(here.show()),
                _ => here.fetch(there),
            }
        }
        for _ in 0..4 {
            let [here, there] = &mut screens;
            for screen in [&mut *here, &mut *there] {
                screen.answer();
                screen.show();
                screen.save();
            }
            here.fetch(there);
            there.fetch(here);
            here.show();
            there.show();
        }
        let text = screens[0].text(History);
        for screen in &screens {
            assert!(!screen.notes.is_anything_unsaved());
            assert_eq!(screen.text(History), text);
            assert_eq!(screen.notes.shown(History), shown(&text));
        }
        for word in &words {
            assert_eq!(text.matches(word.as_str()).count(), 1, "{word} in {text:?}");
        }
    }
}
