//! One-time codes: those of an authenticator app (TOTP, RFC 6238: HMAC-SHA-1, six digits, half a minute, which is what every
//! app understands) and the recovery codes of who has lost it.
//!
//! Invariant: a code works once. Of an app's codes the database remembers the latest half minute that was used; of recovery
//! codes it keeps a hash, which goes when the code is used.

use super::random;
use sha2::{Digest, Sha256};
use shared_model::time::Timestamp;
use totp_rs::{Builder, Totp};
use zeroize::Zeroizing;

/// 160 bits (RFC 4226, 4).
pub const TOTP_SECRET: usize = 20;
const RECOVERY_CODES: usize = 10;
/// Crockford's base 32: no letter that looks like a digit.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const GROUP: usize = 4;
/// 120 bits: so many that a plain hash keeps them (ASVS 6.5.2 asks for 112).
const LENGTH: usize = 6 * GROUP;

/// The half minute that a code belongs to; `None` if it is not one of now, the one before or the one after.
pub fn totp_step(secret: &[u8; TOTP_SECRET], code: &str, now: Timestamp) -> Option<i64> {
    let digits: String = code.chars().filter(|c| !c.is_whitespace()).collect();
    if digits.len() != 6 || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let seconds = u64::try_from(now.0 / 1_000).ok()?;
    let step = totp(secret, "").check(&digits, seconds)?;
    i64::try_from(step).ok()
}

/// What an app scans. `server` is where the account is, `account` the person's address.
pub fn totp_address(secret: &[u8; TOTP_SECRET], server: &str, account: &str) -> (String, String) {
    // A colon separates the two in the address's own form.
    let account = account.replace(':', " ");
    let totp = Builder::new()
        .with_secret(secret.to_vec())
        .with_account_name(account)
        .with_issuer(Some(server.replace(':', " ")))
        .build()
        .expect("a secret of the standard's length, and names without a colon");
    let address = totp.to_url().expect("an account has an address");
    (address, totp_rs::Secret::from(secret.to_vec()).to_base32())
}

fn totp(secret: &[u8; TOTP_SECRET], account: &str) -> Totp {
    Builder::new()
        .with_secret(secret.to_vec())
        .with_account_name(account)
        .build()
        .expect("a secret of the standard's length")
}

/// Fresh recovery codes, as people read them, and what is kept of each.
pub fn mint_recovery_codes() -> (Vec<String>, Vec<[u8; 32]>) {
    (0..RECOVERY_CODES)
        .map(|_| {
            let code = mint_recovery_code();
            let hash = recovery_hash(&code);
            (code, hash)
        })
        .unzip()
}

fn mint_recovery_code() -> String {
    let mut code = String::with_capacity(LENGTH + LENGTH / GROUP);
    for (index, byte) in random::<LENGTH>().into_iter().enumerate() {
        if index > 0 && index % GROUP == 0 {
            code.push('-');
        }
        code.push(char::from(ALPHABET[usize::from(byte % 32)]));
    }
    code
}

/// SHA-256 of the code as it was meant.
pub fn recovery_hash(code: &str) -> [u8; 32] {
    let mut meant = Zeroizing::new(String::with_capacity(LENGTH));
    for letter in code
        .chars()
        .filter(|c| !c.is_whitespace() && *c != '-')
        .take(LENGTH + 1)
    {
        meant.push(match letter.to_ascii_lowercase() {
            'o' => '0',
            'i' | 'l' => '1',
            other => other,
        });
    }
    Sha256::digest(meant.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: [u8; TOTP_SECRET] = *b"12345678901234567890";

    #[test]
    fn codes_are_those_of_the_standard() {
        // RFC 6238, appendix B: the last six of its eight digits.
        let check = |seconds: i64, code: &str| {
            let now = Timestamp(seconds * 1_000);
            assert_eq!(totp_step(&SECRET, code, now), Some(seconds / 30), "{seconds}");
        };
        check(59, "287082");
        check(1_111_111_109, "081804");
        check(1_111_111_111, "050471");
        check(1_234_567_890, "005924");
        check(2_000_000_000, "279037");
        check(20_000_000_000, "353130");
    }

    #[test]
    fn a_code_is_good_for_its_half_minute_and_the_ones_beside_it() {
        let at = |seconds: i64, code: &str| totp_step(&SECRET, code, Timestamp(seconds * 1_000));
        // 287082 is of the seconds 30 to 59.
        assert_eq!(at(0, "287082"), Some(1));
        assert_eq!(at(30, "287 082"), Some(1));
        assert_eq!(at(89, "287082"), Some(1));
        assert_eq!(at(90, "287082"), None);
        for wrong in [
            "287083",
            "28708",
            "2870820",
            "",
            "２８７０８２",
            "-87082",
            "+87082",
        ] {
            assert_eq!(at(59, wrong), None, "{wrong}");
        }
        assert_eq!(at(-60, "287082"), None, "a clock before 1970");
    }

    #[test]
    fn what_an_app_scans_names_the_server_and_the_person() {
        let (address, secret) = totp_address(&SECRET, "records.example.org", "ana@example.org");
        assert_eq!(secret, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert!(
            address.starts_with("otpauth://totp/records.example.org:ana%40example.org?"),
            "{address}"
        );
        assert!(address.contains(&format!("secret={secret}")), "{address}");
        assert!(address.contains("issuer=records.example.org"), "{address}");
    }

    #[test]
    fn recovery_codes_are_read_as_they_were_meant() {
        let (codes, hashes) = mint_recovery_codes();
        assert_eq!((codes.len(), hashes.len()), (RECOVERY_CODES, RECOVERY_CODES));
        for (code, hash) in codes.iter().zip(&hashes) {
            assert_eq!(code.len(), 29, "{code}: six groups of four");
            assert_eq!(recovery_hash(code), *hash);
            let by_hand = code
                .replace('-', " ")
                .to_uppercase()
                .replace('0', "O")
                .replace('1', "l");
            assert_eq!(recovery_hash(&by_hand), *hash, "{by_hand}");
            assert_ne!(recovery_hash(&format!("{code}x")), *hash);
        }
        let distinct: std::collections::BTreeSet<_> = hashes.iter().collect();
        assert_eq!(distinct.len(), RECOVERY_CODES);
    }
}
