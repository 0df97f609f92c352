//! A server without a proxy before it speaks TLS itself.

use crate::database::Engine;
use crate::practice::Practice;
use futures_util::{SinkExt, StreamExt};
use rcgen::{CertifiedKey, KeyPair, generate_simple_self_signed};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use shared_model::protocol::{self, ClientMessage, Goodbye, ServerMessage};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use sync_server::tls::TlsFiles;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::tungstenite::Message;

const PATIENCE: Duration = Duration::from_secs(20);

/// A fresh certificate for "localhost", written where the server looks.
fn write_certificate(folder: &Path) -> CertificateDer<'static> {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    std::fs::write(folder.join("key.pem"), KeyPair::serialize_pem(&signing_key)).expect("written");
    std::fs::write(folder.join("certificate.pem"), cert.pem()).expect("written");
    cert.der().clone()
}

async fn practice_with_tls() -> (Practice, TempDir, CertificateDer<'static>) {
    let folder = TempDir::new().expect("a temporary folder");
    let certificate = write_certificate(folder.path());
    let files = TlsFiles {
        certificate: folder.path().join("certificate.pem"),
        key: folder.path().join("key.pem"),
        look_every: Duration::from_millis(50),
    };
    let practice = Practice::open_with(Engine::Sqlite, |settings| {
        settings.tls = Some(files);
        settings.public_address = "https://localhost".to_owned();
    })
    .await;
    (practice, folder, certificate)
}

/// Connects as somebody who trusts this certificate and no other.
async fn connect(
    server: SocketAddr,
    trusted: &CertificateDer<'static>,
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).expect("a certificate");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(server).await?;
    let name = ServerName::try_from("localhost").expect("a name");
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

/// The head of the answer to a request for `/health`.
async fn health(mut stream: TlsStream<TcpStream>) -> String {
    stream
        .write_all(b"GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
        .await
        .expect("sent");
    let mut answer = Vec::new();
    // Some close without the alert that TLS has for it.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).to_ascii_lowercase()
}

#[tokio::test]
async fn requests_and_sessions_go_through_it() {
    let (practice, _folder, certificate) = practice_with_tls().await;
    let answer = health(connect(practice.address, &certificate).await.expect("trusted")).await;
    assert!(answer.starts_with("http/1.1 200"), "{answer}");
    assert!(answer.contains("strict-transport-security: max-age="), "{answer}");

    let stream = connect(practice.address, &certificate).await.expect("trusted");
    let (mut socket, _) = tokio_tungstenite::client_async("wss://localhost/api/v1/sync", stream)
        .await
        .expect("a WebSocket");
    let ping = protocol::encode(&ClientMessage::Ping);
    socket.send(Message::binary(ping)).await.expect("sent");
    let Some(Ok(Message::Binary(frame))) = socket.next().await else {
        panic!("no frame")
    };
    let said: ServerMessage = protocol::decode(&frame).expect("a message");
    assert_eq!(said, ServerMessage::Goodbye(Goodbye::OutOfOrder));
}

#[tokio::test]
async fn nobody_is_served_without_it() {
    let (practice, folder, _) = practice_with_tls().await;
    let mut plain = TcpStream::connect(practice.address).await.expect("connects");
    plain
        .write_all(b"GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .await
        .expect("sent");
    let mut answer = Vec::new();
    let _ = tokio::time::timeout(PATIENCE, plain.read_to_end(&mut answer))
        .await
        .expect("it ends");
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
    let foreign = TempDir::new().expect("a temporary folder");
    let other = write_certificate(foreign.path());
    assert!(connect(practice.address, &other).await.is_err());
    drop(folder);
}

#[tokio::test]
async fn who_does_not_end_a_handshake_holds_up_nobody() {
    let (practice, _folder, certificate) = practice_with_tls().await;
    let mut silent = Vec::new();
    for _ in 0..100 {
        silent.push(TcpStream::connect(practice.address).await.expect("connects"));
    }
    let connected = tokio::time::timeout(PATIENCE, connect(practice.address, &certificate)).await;
    let answer = health(connected.expect("in time").expect("trusted")).await;
    assert!(answer.starts_with("http/1.1 200"), "{answer}");
}

#[tokio::test]
async fn a_renewed_certificate_is_served_without_a_restart() {
    let (practice, folder, first) = practice_with_tls().await;
    assert!(connect(practice.address, &first).await.is_ok());
    let renewed = write_certificate(folder.path());
    let taken_up = async { while connect(practice.address, &renewed).await.is_err() {} };
    tokio::time::timeout(PATIENCE, taken_up).await.expect("taken up");
    assert!(connect(practice.address, &first).await.is_err());
    let answer = health(connect(practice.address, &renewed).await.expect("trusted")).await;
    assert!(answer.starts_with("http/1.1 200"), "{answer}");
}

#[tokio::test]
async fn a_server_without_its_certificate_does_not_start() {
    let folder = TempDir::new().expect("a temporary folder");
    let output = std::process::Command::new(crate::process::BINARY)
        .arg("--data")
        .arg(folder.path())
        .args(["serve", "--listen", "127.0.0.1:0", "--tls-certificate"])
        .arg(folder.path().join("certificate.pem"))
        .arg("--tls-key")
        .arg(folder.path().join("key.pem"))
        .env_remove("DATABASE_URL")
        .output()
        .expect("it runs");
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("certificate.pem"), "{said}");
}
