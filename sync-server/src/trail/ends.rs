//! The seals of what a chain ends with. Anybody can compute links, so the ends are what has to be kept from others: each lies
//! with an HMAC over it, under a key derived from the clinic's own, which the master key wraps and which is not in the database.
//!
//! Invariant: an end is sealed only by whoever found the one before it as it had been sealed. What somebody has altered stays
//! without a seal for good, whatever is written after it.

use super::chain::beginning;
use crate::at_rest::ClinicKeys;
use crate::storage::Stored;
use crate::storage::trail::{Anchors, EventsEnd, Link, Part, RunsEnd, WrittenEnd};
use shared_model::ids::ClinicId;

/// What can be sealed.
pub(crate) trait End {
    /// All that it says, so that no two ends are the same bytes.
    fn text(&self) -> Vec<u8>;
}

impl End for WrittenEnd {
    fn text(&self) -> Vec<u8> {
        let numbers = [self.chained_after, self.sealed_after, self.head];
        text("written", &numbers, &[self.written])
    }
}

impl End for RunsEnd {
    fn text(&self) -> Vec<u8> {
        text("runs", &[self.horizon], &[self.runs, self.joint])
    }
}

impl End for EventsEnd {
    fn text(&self) -> Vec<u8> {
        text("events", &[self.sealed_after, self.events], &[self.happened])
    }
}

impl EventsEnd {
    /// What the next event is linked with.
    pub(crate) fn link(&self, clinic: ClinicId, chained_after: u64) -> Link {
        self.happened.unwrap_or_else(|| beginning(clinic, chained_after))
    }
}

impl WrittenEnd {
    /// What the next row is linked with.
    pub(crate) fn link(&self, clinic: ClinicId) -> Link {
        self.written
            .unwrap_or_else(|| beginning(clinic, self.chained_after))
    }
}

/// All clinics that were ever opened here, in ascending order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Roll(pub(crate) Vec<ClinicId>);

impl Roll {
    pub(crate) fn read(bytes: &[u8]) -> Self {
        let (ids, _) = bytes.as_chunks::<16>();
        let clinic = |id: &[u8; 16]| ClinicId(uuid::Uuid::from_bytes(*id));
        Self(ids.iter().map(clinic).collect())
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.0.iter().flat_map(|clinic| *clinic.bytes()).collect()
    }

    pub(crate) fn with(&self, clinic: ClinicId) -> Self {
        let mut clinics = self.0.clone();
        if let Err(at) = clinics.binary_search(&clinic) {
            clinics.insert(at, clinic);
        }
        Self(clinics)
    }
}

impl End for Roll {
    fn text(&self) -> Vec<u8> {
        [text("roll", &[self.0.len() as u64], &[]), self.bytes()].concat()
    }
}

fn text(what: &str, numbers: &[u64], links: &[Option<Link>]) -> Vec<u8> {
    let mut text = format!("end of {what} v1 ").into_bytes();
    text.extend(numbers.iter().flat_map(|number| number.to_be_bytes()));
    for link in links {
        text.push(u8::from(link.is_some()));
        text.extend(link.iter().flatten());
    }
    text
}

/// The seal of an end that goes on from a former one; `None` if that is not as it was sealed.
pub(crate) fn seal_on(
    keys: &ClinicKeys,
    former: &impl End,
    seal: Option<&[u8]>,
    now: &impl End,
) -> Stored<Option<Vec<u8>>> {
    if keys.has_sealed(&former.text(), seal) {
        return Ok(Some(keys.seal_end(&now.text())?));
    }
    // An end without a seal has been told of: it is met with each push.
    if seal.is_some() {
        tracing::error!(clinic = %keys.clinic(), "an end of the trail is not as it was sealed: `admin audit verify` says more");
    }
    Ok(None)
}

/// The seals of a clinic's ends as they lie beside them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seals {
    pub(crate) written: Option<Vec<u8>>,
    pub(crate) runs: Option<Vec<u8>>,
    pub(crate) events: Option<Vec<u8>>,
}

impl Seals {
    /// Of ends that nobody has sealed before.
    pub(crate) fn first(keys: &ClinicKeys, anchors: &Anchors) -> Stored<Self> {
        Ok(Self {
            written: Some(keys.seal_end(&anchors.written.text())?),
            runs: Some(keys.seal_end(&anchors.runs.text())?),
            events: Some(keys.seal_end(&anchors.events.text())?),
        })
    }

    /// The first end that is not as it was sealed.
    pub(crate) fn broken(&self, keys: &ClinicKeys, anchors: &Anchors) -> Option<Part> {
        let ends = [
            (Part::Written, anchors.written.text(), &self.written),
            (Part::Runs, anchors.runs.text(), &self.runs),
            (Part::Events, anchors.events.text(), &self.events),
        ];
        let mut broken = ends
            .into_iter()
            .filter(|(_, text, seal)| !keys.has_sealed(text, seal.as_deref()));
        broken.next().map(|(part, _, _)| part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::at_rest::{AtRest, MasterKey};
    use uuid::Uuid;

    fn keys(clinic: ClinicId) -> ClinicKeys {
        let at_rest = AtRest::new(MasterKey::from_bytes([1; 32]).into());
        let rows = [at_rest.first_key(clinic)];
        at_rest.open_once(clinic, &rows).expect("it opens")
    }

    fn anchors() -> Anchors {
        Anchors {
            written: WrittenEnd {
                chained_after: 1,
                sealed_after: 2,
                head: 9,
                written: Some([1; 32]),
            },
            runs: RunsEnd {
                horizon: 4,
                runs: Some([2; 32]),
                joint: None,
            },
            events: EventsEnd {
                sealed_after: 0,
                events: 7,
                happened: Some([3; 32]),
            },
            unsealed: None,
        }
    }

    #[test]
    fn whatever_an_end_says_is_sealed() {
        let keys = keys(ClinicId(Uuid::from_u128(1)));
        let seals = Seals::first(&keys, &anchors()).expect("sealed");
        assert_eq!(seals.broken(&keys, &anchors()), None);
        type Alter = fn(&mut Anchors);
        let alterations: [(Alter, Part); 10] = [
            (|to| to.written.chained_after = 9, Part::Written),
            (|to| to.written.sealed_after = 9, Part::Written),
            (|to| to.written.head = 8, Part::Written),
            (|to| to.written.written = None, Part::Written),
            (|to| to.runs.horizon = 5, Part::Runs),
            (|to| to.runs.runs = None, Part::Runs),
            (|to| to.runs.joint = Some([2; 32]), Part::Runs),
            (|to| to.events.sealed_after = 7, Part::Events),
            (|to| to.events.events = 6, Part::Events),
            (|to| to.events.happened = Some([2; 32]), Part::Events),
        ];
        for (alter, part) in alterations {
            let mut altered = anchors();
            alter(&mut altered);
            assert_eq!(seals.broken(&keys, &altered), Some(part), "{altered:?}");
        }
        let missing = Seals {
            runs: None,
            ..seals.clone()
        };
        assert_eq!(missing.broken(&keys, &anchors()), Some(Part::Runs));
        let other = self::keys(ClinicId(Uuid::from_u128(1)));
        assert_eq!(
            seals.broken(&other, &anchors()),
            Some(Part::Written),
            "another key"
        );
    }

    #[test]
    fn what_goes_on_from_an_altered_end_has_no_seal() {
        let keys = keys(ClinicId(Uuid::from_u128(1)));
        let (before, mut now) = (anchors().written, anchors().written);
        now.head += 1;
        let seal = keys.seal_end(&before.text()).expect("sealed");
        let next = seal_on(&keys, &before, Some(&seal), &now).expect("sealed");
        assert!(keys.has_sealed(&now.text(), next.as_deref()));
        let altered = WrittenEnd {
            written: None,
            ..before.clone()
        };
        assert_eq!(
            seal_on(&keys, &altered, Some(&seal), &now).expect("looked at"),
            None
        );
        assert_eq!(seal_on(&keys, &before, None, &now).expect("looked at"), None);
    }

    #[test]
    fn a_roll_is_read_as_it_was_written() {
        let [a, b, c] = [1, 2, 3].map(|number| ClinicId(Uuid::from_u128(number)));
        let roll = Roll::default().with(b).with(a).with(c).with(b);
        assert_eq!(roll.0, [a, b, c]);
        assert_eq!(Roll::read(&roll.bytes()), roll);
        assert_ne!(roll.text(), Roll(vec![a, c]).text());
    }
}
