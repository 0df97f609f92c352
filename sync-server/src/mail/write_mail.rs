//! The mails that there are, as plain text and as simple HTML that says the same.
//!
//! Invariant: what people wrote (names, addresses) is text in either form, never markup.

use super::sentences::sentence;
use crate::storage::people::NewMail;
use shared_model::accounts::links;
use shared_model::time::Timestamp;
use std::fmt::Write as _;
use uuid::Uuid;

/// One mail's content. Tokens come from `identity::link`.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Letter<'a> {
    Invitation {
        clinic: &'a str,
        inviter: &'a str,
        as_owner: bool,
        token: &'a str,
        days: i64,
    },
    ResetPassword {
        token: &'a str,
    },
    PasswordChanged,
    /// Is the account's address the person's?
    VerifyEmail {
        token: &'a str,
    },
    /// To the address that an account is to have.
    NewEmail {
        token: &'a str,
    },
    /// To the address that an account has so far.
    EmailChange {
        address: &'a str,
    },
    /// To an address that somebody else asked for, and that has an account.
    EmailTaken,
    /// Signing in with a provider is another way in from now on.
    ProviderLinked {
        provider: &'a str,
    },
    ProviderUnlinked {
        provider: &'a str,
    },
    /// An app or a passkey is asked for at sign-in from now on: the first one, another one, or one in place of another.
    SecondFactorAdded,
    SecondFactorRemoved,
    /// Somebody who has shown the first factor does not have the second one.
    SecondFactorGuessed,
    /// The former ones are void.
    RecoveryCodesRenewed,
    /// There are so many left.
    RecoveryCodeUsed {
        left: &'a str,
    },
}

/// Writes letters of one server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Writing<'a> {
    /// Where the server is reached, without a slash at the end.
    pub(crate) public_address: &'a str,
    pub(crate) now: Timestamp,
}

/// A letter before it is set in one form or the other.
struct Words {
    subject: String,
    before: Vec<String>,
    link: Option<(String, String)>,
    after: Vec<String>,
}

impl Writing<'_> {
    pub(crate) fn write(&self, letter: Letter<'_>, recipient: &str, recipient_name: &str) -> NewMail {
        let server = host(self.public_address);
        let words = self.words(letter, server);
        let greeting = if recipient_name.is_empty() {
            sentence("mail-greeting-nobody", &[])
        } else {
            sentence("mail-greeting", &[("name", recipient_name)])
        };
        let foot = sentence("mail-foot", &[("server", server)]);
        NewMail {
            mail: Uuid::from_bytes(crate::identity::random()),
            recipient: recipient.to_owned(),
            recipient_name: recipient_name.to_owned(),
            plain: plain(&greeting, &words, &foot),
            html: html(&greeting, &words, &foot),
            subject: one_line(&words.subject),
            due_at: self.now,
        }
    }

    fn words(&self, letter: Letter<'_>, server: &str) -> Words {
        let say = |name: &str| sentence(name, &[]);
        let words = |subject: String, before: Vec<String>, link: Option<(String, String)>, after| Words {
            subject,
            before,
            link,
            after,
        };
        let to = |place: &str, token: &str| format!("{}{place}{token}", self.public_address);
        let choose_anew = |name: &str| {
            let sign_in = format!("{}{}", self.public_address, links::FORGOT_PASSWORD);
            Some((say(name), sign_in))
        };
        match letter {
            Letter::Invitation {
                clinic,
                inviter,
                as_owner,
                token,
                days,
            } => {
                let values = [("clinic", clinic), ("inviter", inviter)];
                let what = if as_owner {
                    "invitation-owner"
                } else {
                    "invitation-staff"
                };
                words(
                    sentence("invitation-subject", &values),
                    vec![sentence(what, &values)],
                    Some((say("invitation-link"), to(links::INVITATION, token))),
                    vec![sentence("invitation-days", &[("days", &days.to_string())])],
                )
            }
            Letter::ResetPassword { token } => words(
                sentence("reset-subject", &[("server", server)]),
                vec![say("reset-asked")],
                Some((say("reset-link"), to(links::RESET_PASSWORD, token))),
                vec![say("reset-hours")],
            ),
            Letter::PasswordChanged => words(
                say("password-changed-subject"),
                vec![say("password-changed-text"), say("password-changed-not-me")],
                choose_anew("password-changed-link"),
                Vec::new(),
            ),
            Letter::VerifyEmail { token } => words(
                say("verify-subject"),
                vec![say("verify-text")],
                Some((say("verify-link"), to(links::VERIFY_EMAIL, token))),
                vec![say("verify-days")],
            ),
            Letter::NewEmail { token } => words(
                say("new-email-subject"),
                vec![say("new-email-text")],
                Some((say("new-email-link"), to(links::VERIFY_EMAIL, token))),
                vec![say("verify-days")],
            ),
            Letter::EmailChange { address } => words(
                say("email-change-subject"),
                vec![
                    sentence("email-change-text", &[("address", address)]),
                    say("email-change-not-me"),
                ],
                choose_anew("email-change-link"),
                Vec::new(),
            ),
            Letter::ProviderLinked { provider } => words(
                sentence("provider-linked-subject", &[("provider", provider)]),
                vec![
                    sentence("provider-linked-text", &[("provider", provider)]),
                    say("provider-linked-not-me"),
                ],
                choose_anew("provider-linked-link"),
                Vec::new(),
            ),
            Letter::ProviderUnlinked { provider } => words(
                sentence("provider-unlinked-subject", &[("provider", provider)]),
                vec![
                    sentence("provider-unlinked-text", &[("provider", provider)]),
                    say("provider-linked-not-me"),
                ],
                choose_anew("provider-linked-link"),
                Vec::new(),
            ),
            Letter::SecondFactorAdded => words(
                say("factor-added-subject"),
                vec![say("factor-added-text"), say("factor-not-me")],
                choose_anew("password-changed-link"),
                Vec::new(),
            ),
            Letter::SecondFactorRemoved => words(
                say("factor-removed-subject"),
                vec![say("factor-removed-text"), say("factor-not-me")],
                choose_anew("password-changed-link"),
                Vec::new(),
            ),
            Letter::SecondFactorGuessed => words(
                say("factor-guessed-subject"),
                vec![say("factor-guessed-text"), say("factor-guessed-not-me")],
                choose_anew("password-changed-link"),
                Vec::new(),
            ),
            Letter::RecoveryCodesRenewed => words(
                say("recovery-codes-subject"),
                vec![say("recovery-codes-text"), say("factor-not-me")],
                choose_anew("password-changed-link"),
                Vec::new(),
            ),
            Letter::RecoveryCodeUsed { left } => words(
                say("recovery-code-subject"),
                vec![
                    sentence("recovery-code-text", &[("left", left)]),
                    say("factor-not-me"),
                ],
                choose_anew("password-changed-link"),
                Vec::new(),
            ),
            Letter::EmailTaken => words(
                say("email-taken-subject"),
                vec![say("email-taken-text")],
                None,
                Vec::new(),
            ),
        }
    }
}

/// The server's name for people: its address without the scheme.
pub(crate) fn host(public_address: &str) -> &str {
    public_address
        .split_once("://")
        .map_or(public_address, |(_, host)| host)
}

/// A subject is a header: a name with a line break in it must not begin another one.
fn one_line(text: &str) -> String {
    text.split(|c: char| c.is_control())
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

fn plain(greeting: &str, words: &Words, foot: &str) -> String {
    let mut paragraphs = vec![greeting.to_owned()];
    paragraphs.extend(words.before.iter().cloned());
    paragraphs.extend(
        words
            .link
            .iter()
            .map(|(label, address)| format!("{label}:\n{address}")),
    );
    paragraphs.extend(words.after.iter().cloned());
    paragraphs.push(format!("-- \n{foot}"));
    paragraphs.join("\n\n") + "\n"
}

fn html(greeting: &str, words: &Words, foot: &str) -> String {
    let mut page = String::from(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"></head>\
         <body style=\"margin:0;padding:24px;background:#f6f7f8;color:#1d2a30;font:16px/1.5 sans-serif\">\
         <div style=\"max-width:34em;margin:0 auto;padding:24px;background:#fff;border-radius:8px\">",
    );
    let paragraph = |page: &mut String, text: &str| {
        let _ = write!(page, "<p>{}</p>", escaped(text));
    };
    paragraph(&mut page, greeting);
    for text in &words.before {
        paragraph(&mut page, text);
    }
    if let Some((label, address)) = &words.link {
        let (label, address) = (escaped(label), escaped(address));
        let _ = write!(
            page,
            "<p><a href=\"{address}\" style=\"display:inline-block;padding:10px 18px;background:#0f5c63;color:#fff;\
             border-radius:6px;text-decoration:none\">{label}</a></p>"
        );
    }
    for text in &words.after {
        paragraph(&mut page, text);
    }
    if let Some((_, address)) = &words.link {
        let by_hand = escaped(&sentence("mail-link-by-hand", &[]));
        let _ = write!(
            page,
            "<p style=\"font-size:13px;color:#52636b;word-break:break-all\">{by_hand}<br>{}</p>",
            escaped(address)
        );
    }
    let _ = write!(
        page,
        "<p style=\"font-size:13px;color:#52636b\">{}</p></div></body></html>",
        escaped(foot)
    );
    page
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const WRITING: Writing<'static> = Writing {
        public_address: "https://records.example.org",
        now: Timestamp(7),
    };

    #[test]
    fn every_letter_has_all_its_sentences() {
        let letters = [
            Letter::Invitation {
                clinic: "Northgate",
                inviter: "Lena",
                as_owner: false,
                token: "TOKEN",
                days: 7,
            },
            Letter::Invitation {
                clinic: "Northgate",
                inviter: "Lena",
                as_owner: true,
                token: "TOKEN",
                days: 7,
            },
            Letter::ResetPassword { token: "TOKEN" },
            Letter::PasswordChanged,
            Letter::VerifyEmail { token: "TOKEN" },
            Letter::NewEmail { token: "TOKEN" },
            Letter::EmailChange {
                address: "new@example.org",
            },
            Letter::EmailTaken,
            Letter::ProviderLinked { provider: "Google" },
            Letter::ProviderUnlinked { provider: "Google" },
            Letter::SecondFactorAdded,
            Letter::SecondFactorRemoved,
            Letter::SecondFactorGuessed,
            Letter::RecoveryCodesRenewed,
            Letter::RecoveryCodeUsed { left: "9" },
        ];
        for letter in letters {
            let mail = WRITING.write(letter, "vet@example.org", "Petra");
            for text in [&mail.subject, &mail.plain, &mail.html] {
                assert!(!text.contains('{') && !text.contains("{$"), "{letter:?}: {text}");
                // A sentence that is missing reads as its name.
                assert!(
                    ![
                        "mail-",
                        "invitation-",
                        "reset-",
                        "-subject",
                        "verify-text",
                        "factor-",
                        "recovery-",
                        "email-taken"
                    ]
                    .iter()
                    .any(|name| text
                        .split(['#', '/'])
                        .next()
                        .unwrap_or("")
                        .contains(name)),
                    "{letter:?}: {text}"
                );
            }
            assert!(mail.plain.starts_with("Hello Petra,\n\n"));
            let has_token = format!("{letter:?}").contains("TOKEN");
            assert_eq!(mail.plain.contains("#TOKEN\n"), has_token, "{}", mail.plain);
            assert_eq!(mail.html.contains("#TOKEN\""), has_token);
        }
    }

    #[test]
    fn names_are_text_and_subjects_have_one_line() {
        let letter = Letter::Invitation {
            clinic: "Paws\r\nBcc: everybody@example.org",
            inviter: "<script>alert(1)</script> & \"Co\"",
            as_owner: false,
            token: "T",
            days: 7,
        };
        let mail = WRITING.write(letter, "vet@example.org", "");
        assert_eq!(mail.subject, "Paws Bcc: everybody@example.org invites you");
        assert!(
            mail.html
                .contains("&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;Co&quot;")
        );
        assert!(!mail.html.contains("<script"));
        assert!(mail.plain.starts_with("Hello,\n"));
    }
}
