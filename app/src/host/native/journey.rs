//! A program whose person is at a provider, in the system's browser: it listens on the loopback interface for the browser
//! to come back (RFC 8252, 7.3).

use crate::host::Secret;
use crate::host::journey::{Journey, Returned};
use crate::text;
use shared_model::ways_in::ReturnTo;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// For a person to sign in there.
const PATIENCE: Duration = Duration::from_secs(10 * 60);
/// A browser that has connected says what it wants at once.
const SAYS_WITHIN: Duration = Duration::from_secs(5);
const MAX_REQUEST: usize = 8_192;

pub(in crate::host) struct Station {
    listener: TcpListener,
    port: u16,
}

impl Station {
    /// `None` if this machine lets nobody listen.
    pub(in crate::host) async fn open() -> Option<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.ok()?;
        let port = listener.local_addr().ok()?.port();
        Some(Self { listener, port })
    }

    pub(in crate::host) fn return_to(&self) -> ReturnTo {
        ReturnTo::Loopback(self.port)
    }

    /// Comes back with the code, or with none if nobody came.
    pub(in crate::host) async fn send_off(self, address: &str, _journey: &Journey) -> Option<Secret> {
        open::that_detached(address).ok()?;
        tokio::time::timeout(PATIENCE, self.wait()).await.ok()
    }

    async fn wait(self) -> Secret {
        loop {
            // Whoever hangs up again has not come with a code.
            let Ok((stream, _)) = self.listener.accept().await else {
                continue;
            };
            if let Ok(Some(code)) = tokio::time::timeout(SAYS_WITHIN, receive(stream)).await {
                return code;
            }
        }
    }
}

/// What one request brings; it is answered with a page that says to go back to the program.
async fn receive(mut stream: TcpStream) -> Option<Secret> {
    let mut request = Vec::new();
    let mut piece = [0; 1_024];
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        let count = stream.read(&mut piece).await.ok().filter(|count| *count > 0)?;
        request.extend_from_slice(&piece[..count]);
        if request.len() > MAX_REQUEST {
            return None;
        }
    }
    let code = code_of(&String::from_utf8_lossy(&request));
    let (status, words) = match code {
        Some(_) => ("200 OK", text::desktop_back_to_program()),
        None => ("404 Not Found", ""),
    };
    let page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"color-scheme\" content=\"light dark\">\
         <title>{words}</title><body style=\"font:18px/1.5 system-ui,sans-serif;margin:20vh auto;max-width:30em;\
         text-align:center\"><p>{words}</p></body></html>"
    );
    let answer = format!(
        "HTTP/1.1 {status}\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: {}\r\ncache-control: no-store\r\n\
         referrer-policy: no-referrer\r\nconnection: close\r\n\r\n{page}",
        page.len()
    );
    // A browser that does not wait for the page has brought what it had to.
    stream.write_all(answer.as_bytes()).await.ok();
    stream.shutdown().await.ok();
    code
}

/// From "GET /?code=… HTTP/1.1"; nothing else that a browser asks for has one.
fn code_of(request: &str) -> Option<Secret> {
    let (first, _) = request.split_once("\r\n")?;
    let address = first.strip_prefix("GET /?")?.strip_suffix(" HTTP/1.1")?;
    let code = address.split('&').find_map(|pair| pair.strip_prefix("code="))?;
    let is_code = !code.is_empty()
        && code
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    is_code.then(|| Secret::from(code.to_owned()))
}

/// A window is never loaded anew by somebody who comes back.
pub(crate) fn returned() -> Option<Option<Returned>> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_code_counts() {
        let check = |request: &str, expected: Option<&str>| {
            let code = code_of(&format!("{request}\r\nHost: 127.0.0.1\r\n\r\n"));
            assert_eq!(code.as_ref().map(Secret::text), expected, "{request}");
        };
        check("GET /?code=aB3-_x HTTP/1.1", Some("aB3-_x"));
        check("GET /?x=1&code=aB3 HTTP/1.1", Some("aB3"));
        check("GET /favicon.ico HTTP/1.1", None);
        check("GET / HTTP/1.1", None);
        check("GET /?code= HTTP/1.1", None);
        check("GET /?code=<script> HTTP/1.1", None);
        check("POST /?code=abc HTTP/1.1", None);
    }

    #[tokio::test]
    async fn a_browser_comes_back_among_other_requests() {
        let station = Station::open().await.expect("a free port");
        let ReturnTo::Loopback(port) = station.return_to() else {
            panic!("a program listens");
        };
        let waiting = tokio::spawn(station.wait());
        let ask = async |path: &str| {
            let mut stream = TcpStream::connect(("127.0.0.1", port)).await.expect("it listens");
            let request = format!("GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n");
            stream.write_all(request.as_bytes()).await.expect("sent");
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.expect("answered");
            answer
        };
        drop(TcpStream::connect(("127.0.0.1", port)).await);
        assert!(ask("/favicon.ico").await.starts_with("HTTP/1.1 404"));
        let page = ask("/?code=abc").await;
        assert!(
            page.starts_with("HTTP/1.1 200") && page.contains(text::desktop_back_to_program()),
            "{page}"
        );
        assert_eq!(waiting.await.expect("it ends"), Secret::from("abc".to_owned()));
    }
}
