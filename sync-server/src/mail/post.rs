//! How mails leave: through a mail server, into a folder, or not at all.

use crate::storage::people::NewMail;
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::extension::ClientId;
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// A mail server that has not answered a step by then is asked again later.
const WITHIN: Duration = Duration::from_secs(10);

/// Replies to who we are or how we ask, not to whom it is for: somebody sets it right, and the mail leaves then
/// (RFC 4954, 4.3 and 6).
const ABOUT_US: [u16; 5] = [530, 534, 535, 538, 554];

#[derive(Clone)]
pub enum MailWay {
    Smtp(AsyncSmtpTransport<Tokio1Executor>),
    /// One file a mail, for a server that is tried out.
    Folder(PathBuf),
    /// Nobody has said how.
    Nowhere,
}

/// How mails leave, and in whose name.
#[derive(Clone)]
pub struct Post {
    pub way: MailWay,
    pub sender: Mailbox,
}

/// A mail has not left.
#[derive(Debug, thiserror::Error)]
pub enum PostError {
    /// It may leave later.
    #[error("the mail server does not take it now: {0}")]
    NotNow(String),
    /// It never will.
    #[error("the mail server refuses it: {0}")]
    Refused(String),
}

#[derive(Debug, thiserror::Error)]
pub enum PostSettingError {
    #[error("{0:?} is no address of a mail server, as smtps://user:password@mail.example.org is: {1}")]
    Server(String, SmtpError),
    #[error("{0:?} is no sender, as \"Northgate <no-reply@example.org>\" is")]
    Sender(String),
}

impl fmt::Debug for Post {
    /// Without the mail server's password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let way = match &self.way {
            MailWay::Smtp(_) => "a mail server".to_owned(),
            MailWay::Folder(folder) => folder.display().to_string(),
            MailWay::Nowhere => "nowhere".to_owned(),
        };
        write!(f, "Post({} to {way})", self.sender)
    }
}

impl Post {
    pub fn new(way: MailWay, sender: &str) -> Result<Self, PostSettingError> {
        let sender = sender
            .parse()
            .map_err(|_| PostSettingError::Sender(sender.to_owned()))?;
        Ok(Self { way, sender })
    }

    /// Through the mail server at an address like `smtps://user:password@mail.example.org`; `name` is what this server
    /// calls itself there.
    pub fn by_smtp(address: &str, name: &str) -> Result<MailWay, PostSettingError> {
        let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(address)
            .map_err(|error| PostSettingError::Server(without_password(address), error))?;
        if !is_private(address) {
            tracing::warn!(
                "mails, and the links in them, may leave unencrypted: name the mail server with smtps:// or ?tls=required"
            );
        }
        Ok(MailWay::Smtp(
            builder
                .timeout(Some(WITHIN))
                .hello_name(ClientId::Domain(name.to_owned()))
                .build(),
        ))
    }

    /// Whether mails reach people, rather than a folder.
    pub fn is_mail_server(&self) -> bool {
        matches!(self.way, MailWay::Smtp(_))
    }

    pub fn leads_somewhere(&self) -> bool {
        !matches!(self.way, MailWay::Nowhere)
    }

    pub(super) async fn send(&self, mail: &NewMail) -> Result<(), PostError> {
        let message = self.message(mail)?;
        match &self.way {
            MailWay::Smtp(server) => {
                server.send(message).await.map_err(judge)?;
                Ok(())
            }
            MailWay::Folder(folder) => {
                let file = folder.join(format!("{}-{}.eml", mail.due_at.0, mail.mail));
                let written = async {
                    tokio::fs::create_dir_all(folder).await?;
                    tokio::fs::write(&file, message.formatted()).await
                };
                written
                    .await
                    .map_err(|error| PostError::NotNow(format!("{}: {error}", file.display())))?;
                tracing::info!(file = %file.display(), "a mail was written");
                Ok(())
            }
            MailWay::Nowhere => Err(PostError::NotNow("no mail server is set up".to_owned())),
        }
    }

    fn message(&self, mail: &NewMail) -> Result<Message, PostError> {
        let refused = |what: &str| PostError::Refused(what.to_owned());
        let address: Address = mail.recipient.parse().map_err(|_| refused("no address"))?;
        let name = Some(mail.recipient_name.clone()).filter(|name| !name.is_empty());
        Message::builder()
            .from(self.sender.clone())
            .to(Mailbox::new(name, address))
            .subject(&mail.subject)
            // The same at every attempt, so that a mail server knows a mail that it took already.
            .message_id(Some(format!("<{}@{}>", mail.mail, self.sender.email.domain())))
            .multipart(MultiPart::alternative_plain_html(
                mail.plain.clone(),
                mail.html.clone(),
            ))
            .map_err(|error| PostError::Refused(error.to_string()))
    }
}

/// A refusal for good is a permanent reply about this mail; everything else may be otherwise later. A reply's words name
/// the recipient more often than not, and this goes into the log: its number has to do.
fn judge(error: SmtpError) -> PostError {
    match error.status().map(u16::from) {
        Some(code) if error.is_permanent() && !ABOUT_US.contains(&code) => {
            PostError::Refused(format!("reply {code}"))
        }
        Some(code) => PostError::NotNow(format!("reply {code}")),
        None => PostError::NotNow(error.to_string()),
    }
}

/// Whether nobody on the way to the mail server can read: it is on this machine, or there is TLS and no doing without.
fn is_private(address: &str) -> bool {
    let (scheme, rest) = address.split_once("://").unwrap_or_default();
    let server = rest.rsplit_once('@').map_or(rest, |(_, server)| server);
    let is_here = ["localhost", "127.0.0.1", "[::1]"].into_iter().any(|here| {
        let behind = server.strip_prefix(here);
        behind.is_some_and(|behind| behind.is_empty() || behind.starts_with([':', '/', '?']))
    });
    is_here || scheme == "smtps" || server.contains("tls=required")
}

fn without_password(address: &str) -> String {
    match (address.find("://"), address.rfind('@')) {
        (Some(scheme), Some(at)) if scheme + 3 <= at => {
            format!("{}…{}", &address[..scheme + 3], &address[at..])
        }
        _ => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_not_told() {
        let error = Post::by_smtp("smtp://desk:secret@mail.example.org?tls=perhaps", "clinic").err();
        let told = error.expect("no such form of TLS").to_string();
        assert!(!told.contains("secret"), "{told}");
        assert_eq!(without_password("mail.example.org"), "mail.example.org");
    }

    #[test]
    fn which_ways_to_a_mail_server_are_private() {
        let check = |address: &str, expected: bool| assert_eq!(is_private(address), expected, "{address}");
        check("smtps://desk:secret@mail.example.org", true);
        check("smtp://desk:secret@mail.example.org:587?tls=required", true);
        check("smtp://localhost", true);
        check("smtp://127.0.0.1:2525", true);
        check("smtp://[::1]:25/clinic", true);
        check("smtp://mail.example.org", false);
        check("smtp://mail.example.org?tls=opportunistic", false);
        check("smtp://localhost.example.org", false);
        check("smtp://localhost:25@mail.example.org", false);
    }
}
