//! Second factors: showing one, setting an app up, and keeping recovery codes; on the way in and on one's own page.

mod ask;
mod at_sign_in;
mod change;
mod passkey_button;
mod qr_code;
mod recovery_codes;
mod set_app_up;

pub(super) use at_sign_in::SecondStep;
pub(super) use change::{ChangeFactor, First};
pub(super) use passkey_button::PasskeyButton;

/// How many digits an authenticator app shows.
const DIGITS: usize = 6;

/// The digits of what was typed or pasted, once there are enough of them.
fn whole_code(typed: &str) -> Option<String> {
    let code: String = typed.chars().filter(|letter| !letter.is_whitespace()).collect();
    (code.len() == DIGITS && code.bytes().all(|byte| byte.is_ascii_digit())).then_some(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_may_be_pasted_as_apps_show_it() {
        let check =
            |typed: &str, code: Option<&str>| assert_eq!(whole_code(typed).as_deref(), code, "{typed:?}");
        check("123456", Some("123456"));
        check(" 123 456\n", Some("123456"));
        check("12345", None);
        check("1234567", None);
        check("12345a", None);
        check("", None);
    }
}
