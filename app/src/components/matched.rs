//! A name with the part that was typed marked.

use dioxus::prelude::*;

/// Marks `typed` where it begins a word of `name`; the whole name plainly if it does not.
pub(crate) fn matched(name: &str, typed: &str) -> Element {
    match find(name, typed.trim()) {
        Some((from, to)) => rsx! {
            {name[..from].to_owned()}
            mark { {name[from..to].to_owned()} }
            {name[to..].to_owned()}
        },
        None => rsx! { {name.to_owned()} },
    }
}

/// Byte range of the first word of `name` that begins with `typed`, whatever the case.
fn find(name: &str, typed: &str) -> Option<(usize, usize)> {
    if typed.is_empty() {
        return None;
    }
    let mut before = None;
    for (from, letter) in name.char_indices() {
        let begins_word = before.is_none_or(|before: char| !before.is_alphanumeric());
        before = Some(letter);
        if !begins_word {
            continue;
        }
        let mut rest = name[from..].char_indices();
        let fits = typed.chars().all(|typed| {
            rest.next()
                .is_some_and(|(_, letter)| letter.to_lowercase().eq(typed.to_lowercase()))
        });
        if fits {
            let to = rest.next().map_or(name.len(), |(offset, _)| from + offset);
            return Some((from, to));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::find;

    #[test]
    fn what_is_marked() {
        let check = |name: &str, typed: &str, expected: Option<&str>| {
            assert_eq!(
                find(name, typed).map(|(from, to)| &name[from..to]),
                expected,
                "{name} {typed}"
            );
        };
        check("Duke", "du", Some("Du"));
        check("Petra Novák", "nov", Some("Nov"));
        check("Petra Novák", "novák", Some("Novák"));
        check("Duke", "uke", None);
        check("Duke", "", None);
        check("Duke", "dukes", None);
    }
}
