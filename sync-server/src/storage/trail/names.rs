//! What the people and devices of a page are called. Their names lie sealed, and a page names the same few again and again.
//!
//! Invariant: each name of a page is opened once.

use super::super::people::place_of_device;
use crate::at_rest::{FULL_NAME, PeopleKeys};
use shared_model::documents::Kind;
use shared_model::ids::{AccountId, DeviceId, DocumentId};
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// Whom and what a line is about, to be named.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mentions {
    pub account: Option<AccountId>,
    pub device: Option<DeviceId>,
    pub document: Option<DocumentId>,
    /// Somebody else whom it happened to, and a device of theirs.
    pub of: Option<AccountId>,
    pub of_device: Option<DeviceId>,
}

/// What they are called now; `None` for what is not known any more, or never was: a device that nobody signed in on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    pub account: Option<String>,
    pub device: Option<String>,
    pub document: Option<Kind>,
    pub of: Option<String>,
    pub of_device: Option<String>,
}

/// Somebody of a line, and a device of theirs, as they lie in the database.
#[derive(Clone, Debug, Default)]
pub(crate) struct SealedWho {
    pub(crate) is_known: bool,
    pub(crate) wrapped: Option<Vec<u8>>,
    pub(crate) full_name: Option<Vec<u8>>,
    pub(crate) has_device: bool,
    pub(crate) device_name: Option<Vec<u8>>,
}

/// What the database says of a line's [`Mentions`].
#[derive(Clone, Debug, Default)]
pub(crate) struct SealedLine {
    pub(crate) document: Option<Kind>,
    pub(crate) who: SealedWho,
    pub(crate) of: SealedWho,
}

/// The names of lines, in their order. It takes a moment for each name: not on a thread that others wait for.
pub(crate) fn open_names(keys: &PeopleKeys, lines: &[(Mentions, SealedLine)]) -> Vec<Names> {
    opened(lines, |account, wrapped, what, sealed| {
        keys.shown(account, wrapped, what, sealed)
    })
}

fn opened<'l>(
    lines: &'l [(Mentions, SealedLine)],
    mut open: impl FnMut(AccountId, Option<&'l [u8]>, &str, Option<&'l [u8]>) -> String,
) -> Vec<Names> {
    let mut known: HashMap<(AccountId, Option<DeviceId>), String> = HashMap::new();
    let mut name = |account: AccountId, device: Option<DeviceId>, who: &'l SealedWho| {
        let opened = match known.entry((account, device)) {
            Entry::Occupied(opened) => opened.into_mut(),
            Entry::Vacant(vacant) => {
                let wrapped = who.wrapped.as_deref();
                vacant.insert(match device {
                    None => open(account, wrapped, FULL_NAME, who.full_name.as_deref()),
                    Some(device) => {
                        let place = place_of_device(device);
                        open(account, wrapped, &place, who.device_name.as_deref())
                    }
                })
            }
        };
        opened.clone()
    };
    let mut both = |account: Option<AccountId>, device: Option<DeviceId>, who: &'l SealedWho| {
        let full_name = account.filter(|_| who.is_known).map(|it| name(it, None, who));
        let of_device = account.zip(device).filter(|_| who.has_device);
        (
            full_name,
            of_device.map(|(it, device)| name(it, Some(device), who)),
        )
    };
    lines
        .iter()
        .map(|(line, sealed)| {
            let (account, device) = both(line.account, line.device, &sealed.who);
            let (of, of_device) = both(line.of, line.of_device, &sealed.of);
            Names {
                account,
                device,
                document: sealed.document,
                of,
                of_device,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn each_name_is_opened_once_however_many_lines_have_it() {
        let [ana, ben] = [1, 2].map(|number| AccountId(Uuid::from_u128(number)));
        let [tablet, desk] = [3, 4].map(|number| DeviceId(Uuid::from_u128(number)));
        let who = |name: &str| SealedWho {
            is_known: true,
            wrapped: Some(Vec::new()),
            full_name: Some(name.as_bytes().to_vec()),
            has_device: true,
            device_name: Some(format!("{name}'s").into_bytes()),
        };
        let line = |(account, name): (AccountId, &str), device, of: Option<(AccountId, &str)>| {
            let mentions = Mentions {
                account: Some(account),
                device: Some(device),
                of: of.map(|(account, _)| account),
                of_device: of.map(|_| desk),
                ..Mentions::default()
            };
            let of = of.map(|(_, name)| who(name)).unwrap_or_default();
            let sealed = SealedLine {
                document: Some(Kind::Patient),
                who: who(name),
                of,
            };
            (mentions, sealed)
        };
        let (ana, ben) = ((ana, "Ana"), (ben, "Ben"));
        let mut lines = vec![line(ana, tablet, None); 100];
        lines.extend([line(ana, desk, Some(ben)), line(ben, desk, Some(ana))]);
        let nobody = Mentions {
            device: Some(tablet),
            ..Mentions::default()
        };
        lines.push((nobody, SealedLine::default()));
        lines.push((lines[0].0, SealedLine::default()));

        let mut asked = Vec::new();
        let names = opened(&lines, |account, _, what, sealed| {
            asked.push((account, what.to_owned()));
            String::from_utf8(sealed.expect("sealed").to_vec()).expect("text")
        });
        let of = |device| place_of_device(device);
        let expected = [
            (ana.0, FULL_NAME.to_owned()),
            (ana.0, of(tablet)),
            (ana.0, of(desk)),
            (ben.0, FULL_NAME.to_owned()),
            (ben.0, of(desk)),
        ];
        assert_eq!(asked, expected);
        let texts = |at: usize| {
            let names = &names[at];
            [&names.account, &names.device, &names.of, &names.of_device].map(Option::as_deref)
        };
        assert_eq!(texts(0), [Some("Ana"), Some("Ana's"), None, None]);
        assert_eq!(texts(99), texts(0));
        assert_eq!(
            texts(101),
            [Some("Ben"), Some("Ben's"), Some("Ana"), Some("Ana's")]
        );
        assert_eq!(texts(102), [None; 4], "nobody did it");
        assert_eq!(texts(103), [None; 4], "nobody knows them any more");
        assert_eq!(names[0].document, Some(Kind::Patient));
    }
}
