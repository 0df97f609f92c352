//! TLS for a server that stands in the network without a proxy before it.
//!
//! Place in the flow: below HTTP. Invariants: a client that does not come to an end with its handshake holds up nobody
//! else; and a certificate that was renewed on the disk is served without a restart, while one that cannot be read is said
//! in the log and the former one stays.

use axum::serve::Listener;
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;

/// Whoever has not ended a handshake by then has gone, or means no good.
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(10);
/// Handshakes at one time; further connections wait in the system's queue.
const HANDSHAKES: usize = 256;
/// Connections that are ready and not taken yet.
const READY: usize = 64;

/// Where certificate and key lie, both PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The server's certificate, then those that vouch for it.
    pub certificate: PathBuf,
    pub key: PathBuf,
    /// How often it is looked whether they have changed.
    pub look_every: Duration,
}

#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("{file}: {why}")]
    File { file: String, why: String },
    #[error("certificate and key do not belong together: {0}")]
    Pair(#[from] rustls::Error),
}

impl TlsFiles {
    fn read(&self) -> Result<CertifiedKey, TlsError> {
        let trouble = |file: &PathBuf| {
            let file = file.display().to_string();
            move |why: rustls::pki_types::pem::Error| TlsError::File {
                file,
                why: why.to_string(),
            }
        };
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(&self.certificate)
            .and_then(Iterator::collect)
            .map_err(trouble(&self.certificate))?;
        if chain.is_empty() {
            return Err(TlsError::File {
                file: self.certificate.display().to_string(),
                why: "no certificate in it".to_owned(),
            });
        }
        let key = PrivateKeyDer::from_pem_file(&self.key).map_err(trouble(&self.key))?;
        Ok(CertifiedKey::from_der(chain, key, &ring::default_provider())?)
    }

    /// When either was written last, as far as the disk says so.
    fn written(&self) -> [Option<SystemTime>; 2] {
        [&self.certificate, &self.key].map(|file| file.metadata().and_then(|about| about.modified()).ok())
    }
}

/// The certificate that is served now.
#[derive(Debug)]
struct Current(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

/// Gives connections whose handshake has ended.
pub(crate) struct TlsListener {
    ready: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
    address: SocketAddr,
}

impl TlsListener {
    pub(crate) fn open(
        listener: TcpListener,
        files: TlsFiles,
        stopping: CancellationToken,
    ) -> Result<Self, TlsError> {
        let written = files.written();
        let current = Arc::new(Current(RwLock::new(Arc::new(files.read()?))));
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&current) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let address = listener.local_addr().map_err(|error| TlsError::File {
            file: "the socket".to_owned(),
            why: error.to_string(),
        })?;
        let (done, ready) = mpsc::channel(READY);
        tokio::spawn(accept(
            listener,
            TlsAcceptor::from(Arc::new(config)),
            done,
            stopping.clone(),
        ));
        tokio::spawn(follow(files, written, current, stopping));
        Ok(Self { ready, address })
    }
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.ready.recv().await {
            Some(connection) => connection,
            // The server stops and takes nothing more.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

async fn accept(
    mut listener: TcpListener,
    acceptor: TlsAcceptor,
    done: mpsc::Sender<(TlsStream<TcpStream>, SocketAddr)>,
    stopping: CancellationToken,
) {
    let room = Arc::new(Semaphore::new(HANDSHAKES));
    loop {
        let Ok(place) = Arc::clone(&room).acquire_owned().await else {
            return;
        };
        // Axum's way of accepting waits when the system has no more handles.
        let (stream, address) = tokio::select! {
            () = stopping.cancelled() => return,
            accepted = Listener::accept(&mut listener) => accepted,
        };
        let (acceptor, done) = (acceptor.clone(), done.clone());
        tokio::spawn(async move {
            let shaken = timeout(HANDSHAKE_WITHIN, acceptor.accept(stream)).await;
            drop(place);
            match shaken {
                Ok(Ok(stream)) => {
                    // A server that has stopped takes it no more.
                    let _ = done.send((stream, address)).await;
                }
                Ok(Err(error)) => tracing::debug!(%error, "a handshake failed"),
                Err(_) => tracing::debug!("a handshake did not end"),
            }
        });
    }
}

/// Takes up certificates that were renewed.
async fn follow(
    files: TlsFiles,
    mut known: [Option<SystemTime>; 2],
    current: Arc<Current>,
    stopping: CancellationToken,
) {
    loop {
        tokio::select! {
            () = stopping.cancelled() => return,
            () = tokio::time::sleep(files.look_every) => {}
        }
        let written = files.written();
        if written == known {
            continue;
        }
        known = written;
        let files = files.clone();
        match tokio::task::spawn_blocking(move || files.read()).await {
            Ok(Ok(fresh)) => {
                *current.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(fresh);
                tracing::info!("serving the renewed certificate");
            }
            Ok(Err(error)) => tracing::error!(%error, "the renewed certificate cannot be served"),
            Err(error) => tracing::error!(%error, "reading the renewed certificate ended"),
        }
    }
}
