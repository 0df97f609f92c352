//! What may be a PIN.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// Fewer digits are tried in an afternoon by whoever has copied the disk.
pub const MIN_PIN: usize = 6;
const MAX_PIN: usize = 12;

/// Digits that somebody unlocks with: long enough, and none of those that are tried first.
#[derive(Clone)]
pub struct Pin(Zeroizing<String>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum PinTrouble {
    #[error("a PIN is made of digits")]
    NotDigits,
    #[error("a PIN has at least {MIN_PIN} digits")]
    TooShort,
    #[error("a PIN has at most {MAX_PIN} digits")]
    TooLong,
    /// One digit or one group again and again, or digits in a row.
    #[error("a PIN is nothing that is tried first")]
    TooPlain,
}

impl std::fmt::Debug for Pin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pin")
    }
}

impl Pin {
    pub fn parse(typed: &str) -> Result<Self, PinTrouble> {
        if !typed.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(PinTrouble::NotDigits);
        }
        if typed.len() < MIN_PIN {
            return Err(PinTrouble::TooShort);
        }
        if typed.len() > MAX_PIN {
            return Err(PinTrouble::TooLong);
        }
        if is_plain(typed.as_bytes()) {
            return Err(PinTrouble::TooPlain);
        }
        Ok(Self(Zeroizing::new(typed.to_owned())))
    }

    pub(super) fn digits(&self) -> &str {
        &self.0
    }
}

fn is_plain(digits: &[u8]) -> bool {
    let repeats = |period: usize| {
        digits
            .iter()
            .zip(&digits[period..])
            .all(|(one, later)| one == later)
    };
    // As on the keypad, where 0 follows 9: 123456, 789012, 654321.
    let runs = |step: u8| {
        digits
            .windows(2)
            .all(|pair| (pair[0] - b'0' + step) % 10 == pair[1] - b'0')
    };
    // 112233, 998877: runs in which each digit stands twice or thrice.
    let slow_runs = |times: usize| {
        let groups: Vec<&[u8]> = digits.chunks(times).collect();
        let same = groups
            .iter()
            .all(|group| group.iter().all(|digit| *digit == group[0]));
        let step = |step: u8| {
            groups
                .windows(2)
                .all(|pair| (pair[0][0] - b'0' + step) % 10 == pair[1][0] - b'0')
        };
        same && (step(1) || step(9))
    };
    (1..=digits.len() / 2).any(repeats) || runs(1) || runs(9) || slow_runs(2) || slow_runs(3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn which_digits_are_a_pin() {
        let check = |typed: &str, expected: Option<PinTrouble>| {
            assert_eq!(Pin::parse(typed).err(), expected, "{typed}");
        };
        check("481516", None);
        check("190874", None);
        check("4815162342", None);
        check("4815 16", Some(PinTrouble::NotDigits));
        check("48151６", Some(PinTrouble::NotDigits));
        check("", Some(PinTrouble::TooShort));
        check("48151", Some(PinTrouble::TooShort));
        check("4815162342481", Some(PinTrouble::TooLong));
        for plain in [
            "111111", "121212", "123123", "123456", "654321", "234567", "789012", "098765", "112233",
            "332211", "111222", "48154815",
        ] {
            check(plain, Some(PinTrouble::TooPlain));
        }
    }
}
