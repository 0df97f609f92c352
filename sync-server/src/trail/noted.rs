//! Where a clinic's chains stood, as a line that is noted where the database is not, and read again later.
//!
//! What a noted end is good for: events and runs stay as they are, so that an end of theirs is checked whenever it is shown.
//! That of single rows is checked until compaction has made runs of them. Whoever notes ends more often than that happens has
//! each row noted twice: as it was entered, and as it stays.

use super::BROKEN;
use crate::storage::trail::Link;
use shared_model::ids::ClinicId;
use std::fmt;
use std::str::FromStr;

/// Where the chains stood: up to which number, and the link there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Noted {
    pub written: (u64, Link),
    pub runs: (u64, Link),
    pub events: (u64, Link),
}

/// What stands before them in a line.
const MARK: &str = "ends ";

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotNoted {
    #[error("line {0} names ends that cannot be read")]
    Form(usize),
    #[error("there are no ends in it: note what `admin audit verify` prints")]
    Nothing,
}

impl fmt::Display for Noted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MARK)?;
        for (at, (number, link)) in [self.written, self.runs, self.events].iter().enumerate() {
            let between = if at == 0 { "" } else { "," };
            write!(f, "{between}{number}:{}", hex::encode(link))?;
        }
        Ok(())
    }
}

impl FromStr for Noted {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let end = |text: &str| -> Option<(u64, Link)> {
            let (number, link) = text.split_once(':')?;
            let mut bytes = Link::default();
            hex::decode_to_slice(link, &mut bytes).ok()?;
            Some((number.parse().ok()?, bytes))
        };
        let ends: Option<Vec<_>> = text.split(',').map(end).collect();
        match ends.as_deref() {
            Some(&[written, runs, events]) => Ok(Self {
                written,
                runs,
                events,
            }),
            _ => Err(()),
        }
    }
}

/// The ends in what `admin audit verify` has printed, once or several times; other lines are left out.
///
/// # Errors
/// If a line that has ends cannot be read, or there is none.
pub fn read_noted(text: &str) -> Result<Vec<(ClinicId, Noted)>, NotNoted> {
    let mut noted = Vec::new();
    for (at, line) in text.lines().enumerate() {
        // What a broken one says may speak of ends, and names none.
        let Some((before, ends)) = line.rsplit_once(MARK).filter(|_| !line.contains(BROKEN)) else {
            continue;
        };
        let clinic = before.split(':').next().and_then(|id| ClinicId::parse(id.trim()));
        match (clinic, ends.trim().parse()) {
            (Some(clinic), Ok(ends)) => noted.push((clinic, ends)),
            _ => return Err(NotNoted::Form(at + 1)),
        }
    }
    if noted.is_empty() {
        return Err(NotNoted::Nothing);
    }
    Ok(noted)
}

#[cfg(test)]
mod tests {
    use super::super::{Break, Whole};
    use super::*;
    use crate::storage::trail::Part;
    use uuid::Uuid;

    #[test]
    fn what_was_printed_is_read_again() {
        let clinic = ClinicId(Uuid::from_u128(7));
        let noted = Noted {
            written: (9, [1; 32]),
            runs: (0, [2; 32]),
            events: (12, [3; 32]),
        };
        let later = Noted {
            runs: (5, [4; 32]),
            ..noted.clone()
        };
        let whole = Whole {
            rows: 9,
            events: 12,
            unchained: 0,
            unsealed: 0,
            unsealed_events: 0,
            compacted_since: 1,
            ends: noted.clone(),
        };
        let broken = Break::Seal(Part::Written);
        let text =
            format!("{clinic}: {whole}\n\nanything\n{clinic}: {BROKEN}: {broken}\n{clinic}: {later}\n");
        assert_eq!(
            read_noted(&text),
            Ok(vec![(clinic, noted.clone()), (clinic, later)])
        );
        assert_eq!(read_noted("nothing"), Err(NotNoted::Nothing));
        let cut = format!("\n{clinic}: {}", &noted.to_string()[..80]);
        assert_eq!(read_noted(&cut), Err(NotNoted::Form(2)));
        assert_eq!(read_noted(&format!("someone: {noted}")), Err(NotNoted::Form(1)));
    }
}
