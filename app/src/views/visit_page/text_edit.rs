//! Edits of a text as numbers: the smallest splice between two states, a merge of two people's edits, and the two ways
//! in which a browser counts differently from the record (UTF-16 units, line ends).
//!
//! Invariant: positions and lengths are Unicode code points unless a name says otherwise, and a merge never drops a
//! character that somebody inserted.

use std::ops::Range;

/// Replaces `delete` code points at `at` by `insert`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Splice {
    pub at: usize,
    pub delete: usize,
    pub insert: String,
}

impl Splice {
    /// The smallest splice that turns `from` into `to`; `None` if they are equal.
    pub(super) fn between(from: &str, to: &str) -> Option<Self> {
        if from == to {
            return None;
        }
        let (from, to): (Vec<char>, Vec<char>) = (from.chars().collect(), to.chars().collect());
        let prefix = common_prefix(&from, &to);
        let suffix = common_suffix(&from[prefix..], &to[prefix..]);
        Some(Self {
            at: prefix,
            delete: from.len() - prefix - suffix,
            insert: to[prefix..to.len() - suffix].iter().collect(),
        })
    }

    pub(super) fn apply(&self, text: &str) -> String {
        let mut result: String = text.chars().take(self.at).collect();
        result.push_str(&self.insert);
        result.extend(text.chars().skip(self.at + self.delete));
        result
    }
}

fn common_prefix(a: &[char], b: &[char]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

fn common_suffix(a: &[char], b: &[char]) -> usize {
    a.iter()
        .rev()
        .zip(b.iter().rev())
        .take_while(|(a, b)| a == b)
        .count()
}

/// The changes from one text to another as splices of the former, ascending and apart from each other.
///
/// Two changes with unchanged words between them stay two, for whoever replaces words that he did not touch doubles
/// them when somebody else does the same.
pub(super) fn changes(from: &str, to: &str) -> Vec<Splice> {
    let (from, to): (Vec<char>, Vec<char>) = (from.chars().collect(), to.chars().collect());
    hunks(&from, &to)
        .into_iter()
        .map(|hunk| Splice {
            at: hunk.from.start,
            delete: hunk.from.len(),
            insert: to[hunk.to].iter().collect(),
        })
        .collect()
}

/// A stretch of one text and what stands in its place in the other.
struct Hunk {
    from: Range<usize>,
    to: Range<usize>,
}

/// Fewer unchanged characters than this between two replacements are a coincidence: one word became another.
const COINCIDENCE: usize = 4;

fn hunks(from: &[char], to: &[char]) -> Vec<Hunk> {
    let prefix = common_prefix(from, to);
    let suffix = common_suffix(&from[prefix..], &to[prefix..]);
    let (from_end, to_end) = (from.len() - suffix, to.len() - suffix);
    // What is too different to be worth the work is one replacement.
    let pairs = longest_common(&from[prefix..from_end], &to[prefix..to_end]).unwrap_or_default();
    let pairs = pairs.into_iter().map(|(i, j)| (i + prefix, j + prefix));
    let (mut here, mut there) = (prefix, prefix);
    let mut hunks: Vec<Hunk> = Vec::new();
    for (i, j) in pairs.chain([(from_end, to_end)]) {
        if (i, j) != (here, there) {
            match hunks.last_mut() {
                Some(last) if here - last.from.end < COINCIDENCE && !last.from.is_empty() && i > here => {
                    last.from.end = i;
                    last.to.end = j;
                }
                _ => hunks.push(Hunk {
                    from: here..i,
                    to: there..j,
                }),
            }
        }
        (here, there) = (i + 1, j + 1);
    }
    hunks
}

/// Which characters of an ancestor a version kept, and what it inserted before each (and at the end).
struct Edits {
    kept: Vec<bool>,
    inserted: Vec<Vec<char>>,
}

impl Edits {
    fn between(ancestor: &[char], version: &[char]) -> Self {
        let mut edits = Self {
            kept: vec![true; ancestor.len()],
            inserted: vec![Vec::new(); ancestor.len() + 1],
        };
        for hunk in hunks(ancestor, version) {
            edits.inserted[hunk.from.start].extend(&version[hunk.to]);
            edits.kept[hunk.from].fill(false);
        }
        edits
    }
}

/// The work that one comparison may cost; a paste of a whole page stays below it.
const MAX_CELLS: usize = 1_000_000;

/// A longest common subsequence as pairs of positions; `None` if the table would be too large.
fn longest_common(from: &[char], to: &[char]) -> Option<Vec<(usize, usize)>> {
    let width = to.len() + 1;
    if (from.len() + 1).saturating_mul(width) > MAX_CELLS {
        return None;
    }
    let mut lengths = vec![0u32; (from.len() + 1) * width];
    for i in (0..from.len()).rev() {
        for j in (0..to.len()).rev() {
            lengths[i * width + j] = if from[i] == to[j] {
                lengths[(i + 1) * width + j + 1] + 1
            } else {
                lengths[(i + 1) * width + j].max(lengths[i * width + j + 1])
            };
        }
    }
    let (mut i, mut j, mut pairs) = (0, 0, Vec::new());
    while i < from.len() && j < to.len() {
        if from[i] == to[j] {
            pairs.push((i, j));
            (i, j) = (i + 1, j + 1);
        } else if lengths[(i + 1) * width + j] >= lengths[i * width + j + 1] {
            i += 1;
        } else {
            j += 1;
        }
    }
    Some(pairs)
}

/// Two versions of `ancestor` as one text, and for each caret position in `mine` its position in the result.
///
/// A character stays if both kept it; everything that either inserted stays. A caret holds on to the character on its
/// left, and where both wrote in one place my words come first, so that a sentence is not torn apart while it is typed.
pub(super) fn merge(ancestor: &str, mine: &str, theirs: &str) -> (String, Vec<usize>) {
    let chars = |text: &str| text.chars().collect::<Vec<char>>();
    let (ancestor, mine, theirs) = (chars(ancestor), chars(mine), chars(theirs));
    let my_edits = Edits::between(&ancestor, &mine);
    let their_edits = Edits::between(&ancestor, &theirs);
    let mut result = String::new();
    let mut len = 0;
    let mut carets = vec![0];
    for gap in 0..=ancestor.len() {
        for c in &my_edits.inserted[gap] {
            result.push(*c);
            len += 1;
            carets.push(len);
        }
        for c in &their_edits.inserted[gap] {
            result.push(*c);
            len += 1;
        }
        if gap < ancestor.len() {
            if my_edits.kept[gap] && their_edits.kept[gap] {
                result.push(ancestor[gap]);
                len += 1;
            }
            if my_edits.kept[gap] {
                carets.push(len);
            }
        }
    }
    (result, carets)
}

/// As a text field shows it: every line end is one line feed.
pub(super) fn shown(stored: &str) -> String {
    stored.replace("\r\n", "\n").replace('\r', "\n")
}

/// For each position in what is shown its position in what is stored.
fn stored_positions(stored: &str) -> Vec<usize> {
    let mut positions = vec![0];
    let mut chars = stored.chars().enumerate().peekable();
    while let Some((index, c)) = chars.next() {
        let pair = c == '\r' && chars.next_if(|(_, next)| *next == '\n').is_some();
        positions.push(index + if pair { 2 } else { 1 });
    }
    positions
}

/// What `stored` becomes when its shown form was edited to `typed`: line ends that were not touched stay as they are.
pub(super) fn with_typed(stored: &str, typed: &str) -> String {
    let Some(splice) = Splice::between(&shown(stored), typed) else {
        return stored.to_owned();
    };
    let positions = stored_positions(stored);
    let last = positions.last().copied().unwrap_or(0);
    let position = |index: usize| positions.get(index).copied().unwrap_or(last);
    let at = position(splice.at);
    Splice {
        at,
        delete: position(splice.at + splice.delete) - at,
        insert: splice.insert,
    }
    .apply(stored)
}

/// A caret of a text field (UTF-16 units of what is shown) as a position in what is stored.
pub(super) fn stored_caret(stored: &str, caret: u32) -> usize {
    let mut units = 0;
    let before = shown(stored)
        .chars()
        .take_while(|c| {
            units += c.len_utf16();
            units <= caret as usize
        })
        .count();
    let positions = stored_positions(stored);
    positions.get(before).or(positions.last()).copied().unwrap_or(0)
}

/// And back.
pub(super) fn shown_caret(stored: &str, position: usize) -> u32 {
    let before: String = stored.chars().take(position).collect();
    // A caret never stands between the two halves of a line end.
    let cut = before.ends_with('\r') && stored.chars().nth(position) == Some('\n');
    let before = if cut { &before[..before.len() - 1] } else { &before };
    u32::try_from(shown(before).encode_utf16().count()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_splice() {
        let check = |from: &str, to: &str, expected: Option<(usize, usize, &str)>| {
            let splice = Splice::between(from, to);
            let found = splice.as_ref().map(|s| (s.at, s.delete, s.insert.as_str()));
            assert_eq!(found, expected, "{from:?} to {to:?}");
            if let Some(splice) = splice {
                assert_eq!(splice.apply(from), to);
            }
        };
        check("", "", None);
        check("", "a", Some((0, 0, "a")));
        check("a", "", Some((0, 1, "")));
        check("Ate grass.", "Ate hay.", Some((4, 5, "hay")));
        check("aa", "aaa", Some((2, 0, "a")));
        // Code points, not bytes and not UTF-16 units.
        check("🐕 ok", "🐕🐈 ok", Some((1, 0, "🐈")));
        check("cafe\u{301}", "cafe", Some((4, 1, "")));
    }

    #[test]
    fn changes_apart_stay_apart() {
        let check = |from: &str, to: &str, expected: &[(usize, usize, &str)]| {
            let found = changes(from, to);
            let found: Vec<_> = found
                .iter()
                .map(|s| (s.at, s.delete, s.insert.as_str()))
                .collect();
            assert_eq!(found, expected, "{from:?} to {to:?}");
        };
        check("one two three", "one two three", &[]);
        check(
            "one two three",
            "X one two three Y",
            &[(0, 0, "X "), (13, 0, " Y")],
        );
        check("Ate grass.", "Ate hay.", &[(4, 5, "hay")]);
        check(
            "Ate grass today, drank.",
            "Ate hay today, slept.",
            &[(4, 5, "hay"), (17, 5, "slept")],
        );
    }

    #[test]
    fn two_people_write_and_nothing_is_lost() {
        let check = |ancestor, mine, theirs, expected: &str| {
            assert_eq!(merge(ancestor, mine, theirs).0, expected);
        };
        check("b", "b", "b", "b");
        check(
            "Vomited.",
            "Vomited twice.",
            "Rex. Vomited.",
            "Rex. Vomited twice.",
        );
        // In one place: mine first.
        check("Foo", "Foo more", "Foo bar", "Foo more bar");
        // Theirs at both ends, mine in the middle.
        check(
            "one two three",
            "one TWO! two three",
            "ONE one two three four",
            "ONE one TWO! two three four",
        );
        // I delete a stretch, they write into it.
        check("abcdef", "af", "abcXYZdef", "aXYZf");
        // They delete a stretch, I write into it.
        check("abcdef", "abcXYZdef", "af", "aXYZf");
        // Both delete the same.
        check("abcdef", "af", "af", "af");
        // Both replace the same word: both stay, whole.
        check("Ate grass.", "Ate straw.", "Ate hay.", "Ate strawhay.");
        check("a 🐕 b", "a 🐕🐈 b", "a b", "a 🐈b");
    }

    #[test]
    fn a_caret_stays_with_its_words() {
        // `|` is the caret.
        let check = |ancestor: &str, mine: &str, theirs: &str, expected: &str| {
            let (before, after) = mine.split_once('|').expect("a caret");
            let caret = before.chars().count();
            let (merged, carets) = merge(ancestor, &format!("{before}{after}"), theirs);
            let (left, right) = (
                merged.chars().take(carets[caret]).collect::<String>(),
                merged.chars().skip(carets[caret]).collect::<String>(),
            );
            assert_eq!(format!("{left}|{right}"), expected);
        };
        check("abc", "ab|c", "Xabc", "Xab|c");
        check("abc", "ab|c", "abcX", "ab|cX");
        check("abc", "ab|c", "abXc", "ab|Xc");
        check("abc", "|abc", "Xabc", "|Xabc");
        check("abc", "abc|", "abcX", "abc|X");
        // They delete what the caret stands in.
        check("one (two) three", "one (tw|o) three", "one  three", "one | three");
        check("abc", "abZ|c", "c", "Z|c");
        check("🐕b", "🐕|b", "🐈🐕b", "🐈🐕|b");
    }

    #[test]
    fn line_ends_that_nobody_touched_stay() {
        assert_eq!(shown("a\r\nb\rc\n"), "a\nb\nc\n");
        let check = |stored: &str, typed: &str, expected: &str| {
            assert_eq!(with_typed(stored, typed), expected);
        };
        check("a\r\nb", "a\nb", "a\r\nb");
        check("a\r\nb\r\nc", "a\nbX\nc", "a\r\nbX\r\nc");
        check("a\r\nb", "ab", "ab");
        check("a\r\nb", "a\n\nb", "a\r\n\nb");
        check("a\rb", "a\nbc", "a\rbc");
    }

    #[test]
    fn carets_are_counted_as_the_browser_does() {
        let check = |stored: &str, caret: u32, position: usize| {
            assert_eq!(stored_caret(stored, caret), position, "{stored:?} {caret}");
            assert_eq!(shown_caret(stored, position), caret, "{stored:?} back");
        };
        check("abc", 2, 2);
        check("🐕b", 2, 1);
        check("🐕b", 3, 2);
        check("a\r\nb", 2, 3);
        check("e\u{301}x", 2, 2);
        // Inside a pair of either kind there is no place to stand.
        assert_eq!(stored_caret("🐕b", 1), 0);
        assert_eq!(shown_caret("a\r\nb", 2), 1);
        assert_eq!(stored_caret("ab", 99), 2);
    }
}
