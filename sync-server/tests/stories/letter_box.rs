//! A mail server on loopback that keeps what it is given: real SMTP, and letters that stories read links out of.
//!
//! Addresses that begin with `refused` do not exist here. One that begins with `busy` is busy the first time.

use mail_parser::MessageParser;
use mailin::{Action, Handler, Response, Session, SessionBuilder, response};
use shared_model::accounts::links;
use std::collections::HashSet;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use sync_server::mail::{MailWay, Post};
use tokio::sync::Notify;

/// A story that waits for longer has failed.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    pub from: String,
    pub to: String,
    pub subject: String,
    pub plain: String,
    pub html: String,
}

impl Letter {
    /// What stands behind the mark of the link that leads to such a place.
    pub fn token(&self, place: &str) -> String {
        let (_, rest) = self.plain.split_once(place).expect("such a link");
        let token = rest.split_whitespace().next().expect("a token");
        assert!(self.html.contains(token), "the same in both forms");
        token.to_owned()
    }

    pub fn invitation(&self) -> String {
        self.token(links::INVITATION)
    }
}

#[derive(Clone)]
pub struct LetterBox {
    pub address: SocketAddr,
    inside: Arc<Inside>,
}

#[derive(Default)]
struct Inside {
    letters: Mutex<Vec<Letter>>,
    was_busy: Mutex<HashSet<String>>,
    /// Mails that were refused or put off.
    turned_away: Mutex<Vec<String>>,
    news: Notify,
}

impl LetterBox {
    pub fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let letter_box = Self {
            address: listener.local_addr().expect("bound"),
            inside: Arc::default(),
        };
        let inside = Arc::clone(&letter_box.inside);
        std::thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                let inside = Arc::clone(&inside);
                std::thread::spawn(move || serve(socket, inside));
            }
        });
        letter_box
    }

    pub fn post(&self) -> Post {
        Post::new(self.way(), "Clinic <no-reply@clinic.example>").expect("a sender")
    }

    fn way(&self) -> MailWay {
        Post::by_smtp(&format!("smtp://{}", self.address), "clinic.example").expect("an address")
    }

    /// Waits for a letter to an address with something in its subject, and takes it out.
    pub async fn letter(&self, to: &str, about: &str) -> Letter {
        self.wait(
            || {
                let mut letters = self.inside.letters.lock().unwrap();
                let found = letters
                    .iter()
                    .position(|letter| letter.to == to && letter.subject.contains(about))?;
                Some(letters.remove(found))
            },
            &format!("a letter to {to} about {about:?}"),
        )
        .await
    }

    /// Waits until so many were turned away; gives to whom they were.
    pub async fn turned_away(&self, count: usize) -> Vec<String> {
        let turned_away = || {
            let turned_away = self.inside.turned_away.lock().unwrap();
            (turned_away.len() >= count).then(|| turned_away.clone())
        };
        self.wait(turned_away, "turned away").await
    }

    async fn wait<T>(&self, look: impl Fn() -> Option<T>, what: &str) -> T {
        let looking = async {
            loop {
                let mut news = std::pin::pin!(self.inside.news.notified());
                news.as_mut().enable();
                if let Some(found) = look() {
                    return found;
                }
                news.await;
            }
        };
        tokio::time::timeout(PATIENCE, looking)
            .await
            .unwrap_or_else(|_| panic!("{what} did not come; here are {:?}", self.letters()))
    }

    /// Everything that lies here.
    pub fn letters(&self) -> Vec<Letter> {
        self.inside.letters.lock().unwrap().clone()
    }
}

struct Keeper {
    inside: Arc<Inside>,
    mail: Vec<u8>,
}

impl Keeper {
    fn turn_away(&self, to: &str, how: Response) -> Response {
        self.inside.turned_away.lock().unwrap().push(to.to_owned());
        self.inside.news.notify_waiters();
        how
    }
}

impl Handler for Keeper {
    fn rcpt(&mut self, to: &str) -> Response {
        let to = to.trim_matches(['<', '>']);
        if to.starts_with("refused") {
            return self.turn_away(to, response::NO_MAILBOX);
        }
        if to.starts_with("busy") && self.inside.was_busy.lock().unwrap().insert(to.to_owned()) {
            return self.turn_away(to, response::INTERNAL_ERROR);
        }
        response::OK
    }

    fn data(&mut self, line: &[u8]) -> io::Result<()> {
        self.mail.extend_from_slice(line);
        Ok(())
    }

    fn data_end(&mut self) -> Response {
        let mail = std::mem::take(&mut self.mail);
        let mail = MessageParser::default().parse(&mail).expect("a mail");
        let address = |found: Option<&mail_parser::Address<'_>>| {
            let first = found
                .and_then(|address| address.first())
                .and_then(|one| one.address());
            first.expect("an address").to_owned()
        };
        let letter = Letter {
            from: address(mail.from()),
            to: address(mail.to()),
            subject: mail.subject().expect("a subject").to_owned(),
            plain: mail.body_text(0).expect("plain text").replace("\r\n", "\n"),
            html: mail.body_html(0).expect("HTML").into_owned(),
        };
        self.inside.letters.lock().unwrap().push(letter);
        self.inside.news.notify_waiters();
        response::OK
    }
}

/// One connection, until either side leaves.
fn serve(socket: TcpStream, inside: Arc<Inside>) {
    let keeper = Keeper {
        inside,
        mail: Vec::new(),
    };
    let mut session: Session<Keeper> =
        SessionBuilder::new("letter.box").build(IpAddr::V4(Ipv4Addr::LOCALHOST), keeper);
    let mut socket = BufReader::new(socket);
    let mut answer = session.greeting();
    loop {
        if answer.action != Action::NoReply {
            let words = answer.buffer().expect("words");
            if socket.get_mut().write_all(&words).is_err() {
                return;
            }
        }
        if answer.action == Action::Close {
            return;
        }
        let mut line = Vec::new();
        match socket.read_until(b'\n', &mut line) {
            Ok(read) if read > 0 => answer = session.process(&line),
            _ => return,
        }
    }
}
