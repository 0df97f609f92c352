//! What is good enough for a new password: long enough, and not among the first that somebody would try who knows the
//! common ones and this person. No rules about which signs it is made of (OWASP ASVS 5.0, 6.2.5).

use shared_model::accounts::{MAX_PASSWORD, MIN_PASSWORD};
use unicode_normalization::UnicodeNormalization;
use zxcvbn::{Score, zxcvbn};

/// As many signs as the estimate looks at; what is longer is not weaker for it.
const LOOKED_AT: usize = 72;

/// What anybody would try who knows no more than that this is a clinic.
const OF_THE_TRADE: [&str; 22] = [
    "admin",
    "administrator",
    "animal",
    "animals",
    "clinic",
    "desk",
    "front",
    "frontdesk",
    "nurse",
    "owner",
    "patient",
    "patients",
    "pet",
    "pets",
    "reception",
    "records",
    "technician",
    "vet",
    "vetclinic",
    "veterinarian",
    "veterinary",
    "vets",
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordRefused {
    /// Too short, or guessed soon.
    Weak,
    /// More bytes than are taken.
    TooLong,
}

/// One password, one form, whichever keyboard it was typed on (NIST SP 800-63B, 5.1.1.2).
pub fn normalised(password: &str) -> String {
    password.nfc().collect()
}

/// Judges a new password of somebody with these words about them: names, addresses, the clinic's name. Takes some
/// milliseconds.
pub fn judge_new_password(password: &str, about: &[&str]) -> Result<(), PasswordRefused> {
    if password.len() > MAX_PASSWORD {
        return Err(PasswordRefused::TooLong);
    }
    let password = normalised(password);
    if password.chars().count() < MIN_PASSWORD {
        return Err(PasswordRefused::Weak);
    }
    // Whole and in their parts: "lena.vogel@northgate.example" is five words.
    let parts = about
        .iter()
        .flat_map(|words| words.split(|c: char| !c.is_alphanumeric()).chain([*words]))
        .filter(|word| word.chars().count() > 2);
    let words: Vec<String> = parts.map(str::to_lowercase).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).chain(OF_THE_TRADE).collect();
    let looked_at: String = password.chars().take(LOOKED_AT).collect();
    if zxcvbn(&looked_at, &words).score() < Score::Three {
        return Err(PasswordRefused::Weak);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_good_enough() {
        let about = [
            "Lena Vogel",
            "lena.vogel@northgate.example",
            "Northgate Veterinary Clinic",
        ];
        let check = |password: &str, expected: Result<(), PasswordRefused>| {
            assert_eq!(judge_new_password(password, &about), expected, "{password}");
        };
        for weak in [
            "",
            "x7$Qp",
            "password",
            "Password123!",
            "qwertyuiop",
            "12345678901234567890",
            "aaaaaaaaaaaaaaaaaaaa",
            "lena.vogel",
            "Lena.Vogel@Northgate.example",
            "northgate2026",
            "veterinary1",
            "iloveyou2",
            "vetclinic1",
            "vetclinic2026",
            "frontdesk123",
        ] {
            check(weak, Err(PasswordRefused::Weak));
        }
        for good in [
            "lantern beagle orchard",
            "quince-fathom-41-sled",
            "vier M\u{f6}wen im Regen",
            "seven otters read old maps in a lantern orchard while quince trees hum softly at dusk",
            "p\u{159}\u{ed}li\u{161} \u{17e}lu\u{165}ou\u{10d}k\u{fd} k\u{16f}\u{148}",
        ] {
            check(good, Ok(()));
        }
        check(&"quince-fathom ".repeat(100), Err(PasswordRefused::TooLong));
    }

    #[test]
    fn one_form_whichever_keyboard() {
        assert_eq!(normalised("M\u{f6}we"), normalised("Mo\u{308}we"));
        assert_eq!(normalised("plain"), "plain");
    }
}
