//! What the window's page shows, asked over WebKit's inspector, which listens in debug builds when its variable is set.

use anyhow::{Context, Result, bail};
use futures_util::{SinkExt, StreamExt};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) struct Page {
    port: u16,
    asking: Option<Asking>,
}

struct Asking {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    target: String,
    asked: u64,
}

/// Where to point at something.
#[derive(Deserialize)]
pub(crate) struct Place {
    pub(crate) x: i16,
    pub(crate) y: i16,
    /// Nothing lies over it and it is not scrolled away.
    pub(crate) reachable: bool,
}

/// What something is called: its label, else its words.
const CALLED: &str = r#"
const words = text => (text ?? '').replace(/\s+/g, ' ').trim();
const called = e => words(e.getAttribute('aria-label') || e.labels?.[0]?.innerText || e.innerText);
"#;

/// Finds what a person would click by what it is called.
const PLACE: &str = r#"
    const kinds = 'button, a[href], input, textarea, select, [role=button], [role=radio], [role=option]';
    const found = [...document.querySelectorAll(kinds)].filter(e => called(e).startsWith(name) && e.getClientRects().length);
    const places = found.map(e => {
        const seen = e.matches('input[type=radio], input[type=checkbox]') ? e.labels?.[0] ?? e : e;
        const box = seen.getBoundingClientRect();
        const [x, y] = [Math.round(box.x + box.width / 2), Math.round(box.y + box.height / 2)];
        const top = document.elementFromPoint(x, y);
        return { x, y, reachable: top !== null && (seen.contains(top) || top.contains(seen) && top.matches('label')) };
    });
    return places.find(place => place.reachable) ?? places[0] ?? null;
"#;

impl Page {
    pub(crate) fn at(port: u16) -> Self {
        Self { port, asking: None }
    }

    /// The value of an expression.
    async fn ask<T: DeserializeOwned>(&mut self, expression: &str) -> Result<T> {
        let answer = tokio::time::timeout(PATIENCE, self.try_ask(expression)).await;
        if !matches!(answer, Ok(Ok(_))) {
            self.asking = None;
        }
        let answer = answer.context("the window's page does not answer")??;
        serde_json::from_str(&answer).with_context(|| format!("{expression} gave {answer}"))
    }

    async fn try_ask(&mut self, expression: &str) -> Result<String> {
        if self.asking.is_none() {
            self.asking = Some(Asking::start(self.port).await?);
        }
        let asking = self.asking.as_mut().context("just set")?;
        asking.evaluate(&format!("JSON.stringify({expression})")).await
    }

    /// Everything that can be read on the page.
    pub(crate) async fn text(&mut self) -> Result<String> {
        self.ask("document.body.innerText").await
    }

    /// What can be read in the first element that a selector finds.
    pub(crate) async fn text_of(&mut self, selector: &str) -> Result<Option<String>> {
        self.ask(&format!(
            "document.querySelector({}) && document.querySelector({0}).innerText",
            json!(selector)
        ))
        .await
    }

    /// What stands in the field that has the focus.
    pub(crate) async fn typed(&mut self) -> Result<Option<String>> {
        self.ask("document.activeElement.value ?? null").await
    }

    pub(crate) async fn theme(&mut self) -> Result<String> {
        self.ask("document.documentElement.dataset.theme").await
    }

    pub(crate) async fn place(&mut self, name: &str) -> Result<Option<Place>> {
        self.ask(&format!("(name => {{ {CALLED} {PLACE} }})({})", json!(name)))
            .await
    }

    /// Whether keys go to what is called so.
    pub(crate) async fn is_focused(&mut self, name: &str) -> Result<bool> {
        let called = format!("(() => {{ {CALLED} return called(document.activeElement) }})()");
        Ok(self.ask::<String>(&called).await?.starts_with(name))
    }

    /// The faces of the bundled typeface that are really in use.
    pub(crate) async fn loaded_fonts(&mut self) -> Result<Vec<String>> {
        self.ask("[...document.fonts].filter(font => font.status === 'loaded').map(font => font.family)")
            .await
    }
}

impl Asking {
    async fn start(port: u16) -> Result<Self> {
        let address = format!("ws://127.0.0.1:{port}/socket/1/1/WebPage");
        let (mut socket, _) = tokio_tungstenite::connect_async(address).await?;
        loop {
            let message = next(&mut socket).await?;
            if message["method"] == "Target.targetCreated" {
                let target = message["params"]["targetInfo"]["targetId"]
                    .as_str()
                    .context("a target's id")?;
                return Ok(Self {
                    target: target.to_owned(),
                    socket,
                    asked: 0,
                });
            }
        }
    }

    async fn evaluate(&mut self, expression: &str) -> Result<String> {
        self.asked += 1;
        let question = json!({
            "id": self.asked, "method": "Runtime.evaluate",
            "params": { "expression": expression, "returnByValue": true },
        });
        let message = json!({
            "id": self.asked, "method": "Target.sendMessageToTarget",
            "params": { "targetId": self.target, "message": question.to_string() },
        });
        self.socket.send(Message::text(message.to_string())).await?;
        loop {
            let message = next(&mut self.socket).await?;
            if message["method"] != "Target.dispatchMessageFromTarget" {
                continue;
            }
            let inner = message["params"]["message"]
                .as_str()
                .context("a message inside")?;
            let inner: Value = serde_json::from_str(inner)?;
            if inner["id"] != self.asked {
                continue;
            }
            let result = &inner["result"];
            return match (&result["wasThrown"], &result["result"]["value"]) {
                (Value::Bool(false), Value::String(value)) => Ok(value.clone()),
                _ => bail!("{expression} gave {inner}"),
            };
        }
    }
}

async fn next(socket: &mut WebSocketStream<MaybeTlsStream<TcpStream>>) -> Result<Value> {
    loop {
        let message = socket.next().await.context("the inspector has closed")??;
        if let Message::Text(text) = message {
            return Ok(serde_json::from_str(&text)?);
        }
    }
}
