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
        let renewal = Renewal::new(files)?;
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&renewal.current) as Arc<dyn ResolvesServerCert>);
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
        tokio::spawn(follow(renewal, stopping));
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

/// Looks now and then whether the certificate was renewed.
async fn follow(mut renewal: Renewal, stopping: CancellationToken) {
    let mut due = tokio::time::interval(renewal.files.look_every);
    loop {
        tokio::select! {
            () = stopping.cancelled() => return,
            _ = due.tick() => {}
        }
        let looked = tokio::task::spawn_blocking(move || {
            let looked = renewal.look();
            (renewal, looked)
        });
        let looked = match looked.await {
            Ok((back, looked)) => {
                renewal = back;
                looked
            }
            Err(error) => {
                tracing::error!(%error, "nobody looks for renewed certificates any more");
                return;
            }
        };
        match looked {
            Ok(true) => tracing::info!("serving the renewed certificate"),
            Ok(false) => {}
            Err(error) => tracing::error!(%error, "the renewed certificate cannot be served"),
        }
    }
}

/// What is served, and what is known of where it came from.
struct Renewal {
    files: TlsFiles,
    written: [Option<SystemTime>; 2],
    current: Arc<Current>,
}

impl Renewal {
    fn new(files: TlsFiles) -> Result<Self, TlsError> {
        // Asked first: what is written while they are read is seen as new.
        let written = files.written();
        let current = Arc::new(Current(RwLock::new(Arc::new(files.read()?))));
        Ok(Self {
            files,
            written,
            current,
        })
    }

    /// Takes up files that have changed since; whether they had.
    fn look(&mut self) -> Result<bool, TlsError> {
        let written = self.files.written();
        if written == self.written {
            return Ok(false);
        }
        self.written = written;
        let fresh = Arc::new(self.files.read()?);
        *self.current.0.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::generate_simple_self_signed;
    use std::fs::File;
    use tempfile::TempDir;

    /// Writes a file as of a moment of its own, whatever the disk's clock can tell apart.
    fn write(file: &PathBuf, text: &str, seconds: u64) {
        std::fs::write(file, text).expect("written");
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        File::options()
            .write(true)
            .open(file)
            .and_then(|file| file.set_modified(at))
            .expect("dated");
    }

    fn served(renewal: &Renewal) -> CertificateDer<'static> {
        renewal.current.0.read().expect("sound").cert[0].clone()
    }

    #[test]
    fn what_was_renewed_is_taken_up_and_what_cannot_be_served_is_not() {
        let folder = TempDir::new().expect("a temporary folder");
        let files = TlsFiles {
            certificate: folder.path().join("certificate.pem"),
            key: folder.path().join("key.pem"),
            look_every: Duration::from_secs(60),
        };
        let made = || generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
        let (first, second) = (made(), made());
        write(&files.certificate, &first.cert.pem(), 1);
        write(&files.key, &first.signing_key.serialize_pem(), 1);
        let mut renewal = Renewal::new(files.clone()).expect("it can be served");
        assert!(matches!(renewal.look(), Ok(false)));

        write(&files.certificate, "not a certificate", 2);
        assert!(matches!(renewal.look(), Err(TlsError::File { .. })));
        write(&files.certificate, &second.cert.pem(), 3);
        assert!(
            matches!(renewal.look(), Err(TlsError::Pair(_))),
            "its key is still to come"
        );
        assert_eq!(&served(&renewal), first.cert.der());

        write(&files.key, &second.signing_key.serialize_pem(), 4);
        assert!(matches!(renewal.look(), Ok(true)));
        assert_eq!(&served(&renewal), second.cert.der());
        assert!(matches!(renewal.look(), Ok(false)));
    }
}
