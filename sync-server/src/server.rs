//! The running server: its parts put together, and how it starts and stops.

use crate::clock::Clock;
use crate::compact_history::{KeepChanges, keep_compact};
use crate::error::ApiError;
use crate::forget_stale_sign_ins::forget_stale_sign_ins;
use crate::heavy_work::HeavyWork;
use crate::identity::{
    AccessTokens, Network, Passkeys, Passwords, ProviderSetting, Providers, RequestLimits, Requests,
    SignInLife, SlowDown, random,
};
use crate::mail::{Letter, MailWay, Mails, Post, Writing, keep_sending};
use crate::router;
use crate::storage::people::{Account, NewMail};
use crate::storage::trail::Event;
use crate::storage::{Storage, StorageError, Stored};
use crate::sync::{Accept, Accounts, FanOut, Guests, LookAgain, follow_other_nodes};
pub use crate::sync::{Limit, Limits, Quotas};
use crate::tls::{TlsError, TlsFiles, TlsListener};
use axum::serve::ListenerExt;
use futures_util::future::Either;
use shared_model::ids::ClinicId;
use shared_model::protocol::HEARTBEAT_MS;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// What can be set about the way the server behaves, beside where its data lies.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The web client's files.
    pub web: PathBuf,
    pub access_token_life: Duration,
    pub sign_in_life: SignInLife,
    /// A session that says nothing for so long has lost its device.
    pub silence: Duration,
    /// Where people reach the server: what links in mails begin with, without a slash at the end.
    pub public_address: String,
    /// Pages of other servers that may open sockets here, as in "https://widgets.example.org".
    pub allowed_origins: Vec<String>,
    pub post: Post,
    /// How often mails are looked for that were to wait or that another node wrote.
    pub look_for_mails_every: Duration,
    pub request_limits: RequestLimits,
    /// Who vouches for people beside their passwords, in the order in which they are offered.
    pub providers: Vec<ProviderSetting>,
    /// Proxies whose word about where a request comes from is believed.
    pub trusted_proxies: Vec<Network>,
    /// Connections are TLS, with this certificate; else a proxy before the server sees to that.
    pub tls: Option<TlsFiles>,
    /// How often stale sign-ins are forgotten.
    pub forget_every: Duration,
    /// How long a client made with automerge-repo comes in with one address.
    pub ticket_life: Duration,
    /// How often it is looked up whether the person behind such a client still may.
    pub ticket_checked_every: Duration,
    /// How often it is checked that no other node's commit was missed.
    pub compare_heads_every: Duration,
    pub keep_changes: KeepChanges,
    pub quotas: Quotas,
    pub clock: Clock,
    pub heavy_work: HeavyWork,
}

impl Settings {
    pub fn new(web: PathBuf) -> Self {
        Self {
            web,
            access_token_life: Duration::from_secs(15 * 60),
            sign_in_life: SignInLife::default(),
            silence: Duration::from_millis(3 * HEARTBEAT_MS.unsigned_abs()),
            public_address: "http://localhost:8080".to_owned(),
            allowed_origins: Vec::new(),
            post: Post::new(MailWay::Nowhere, "Clinic <no-reply@localhost.localdomain>")
                .expect("a sender of the right form"),
            look_for_mails_every: Duration::from_secs(5),
            request_limits: RequestLimits::default(),
            providers: Vec::new(),
            trusted_proxies: Vec::new(),
            tls: None,
            forget_every: Duration::from_secs(3_600),
            ticket_life: Duration::from_secs(12 * 3_600),
            ticket_checked_every: Duration::from_secs(30),
            compare_heads_every: Duration::from_secs(5),
            keep_changes: KeepChanges::default(),
            quotas: Quotas::default(),
            clock: Clock::system(),
            heavy_work: HeavyWork::OnThreads,
        }
    }
}

/// What every request and session shares.
#[derive(Clone)]
pub(crate) struct AppState {
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) settings: Arc<Settings>,
    pub(crate) tokens: AccessTokens,
    pub(crate) device_keys: AccessTokens,
    pub(crate) passwords: Passwords,
    pub(crate) slow_down: Arc<SlowDown>,
    pub(crate) requests: Arc<Requests>,
    pub(crate) providers: Providers,
    /// `None` where the public address can have none.
    pub(crate) passkeys: Option<Passkeys>,
    pub(crate) mails: Mails,
    /// What a request leaves to be done once it has been answered.
    pub(crate) afterwards: TaskTracker,
    pub(crate) look_again: LookAgain,
    pub(crate) accept: Accept,
    pub(crate) fan_out: FanOut,
    pub(crate) accounts: Arc<Accounts>,
    pub(crate) sessions: TaskTracker,
    pub(crate) automerge_repo: Guests,
    pub(crate) stopping: CancellationToken,
}

impl AppState {
    pub(crate) async fn open(
        storage: Arc<dyn Storage>,
        settings: Settings,
        passwords: Passwords,
        stopping: CancellationToken,
    ) -> Stored<Self> {
        let secret = storage.secret("access tokens", random()).await?;
        let device_secret = storage.secret("device keys", random()).await?;
        let requests = Arc::new(Requests::new(settings.request_limits));
        let fan_out = FanOut::new(Arc::clone(&storage), settings.heavy_work);
        let accounts = Arc::new(Accounts::new(settings.quotas));
        let accept = Accept::new(
            Arc::clone(&storage),
            fan_out.clone(),
            Arc::clone(&accounts),
            settings.clock.clone(),
            settings.heavy_work,
        );
        Ok(Self {
            providers: Providers::new(&settings.providers),
            passkeys: Passkeys::at(&settings.public_address),
            settings: Arc::new(settings),
            tokens: AccessTokens::new(secret),
            device_keys: AccessTokens::new(device_secret),
            passwords,
            slow_down: Arc::default(),
            requests,
            mails: Mails::default(),
            afterwards: TaskTracker::new(),
            look_again: LookAgain::default(),
            accept,
            fan_out,
            accounts,
            sessions: TaskTracker::new(),
            automerge_repo: Guests::default(),
            stopping,
            storage,
        })
    }

    /// Writes letters as of now.
    pub(crate) fn writing(&self) -> Writing<'_> {
        Writing {
            public_address: &self.settings.public_address,
            now: self.settings.clock.now(),
        }
    }

    /// A letter to somebody, if there is a way to tell them.
    pub(crate) fn letter_to(&self, account: &Account, letter: Letter<'_>) -> Option<NewMail> {
        let written = || self.writing().write(letter, &account.email, &account.full_name);
        self.settings.post.leads_somewhere().then(written)
    }

    /// What cannot be done without mail is refused before anything of it is done.
    pub(crate) fn needs_mail(&self) -> Result<(), ApiError> {
        if self.settings.post.leads_somewhere() {
            Ok(())
        } else {
            Err(ApiError::NoMail)
        }
    }
}

impl AppState {
    /// Puts something that happened into a clinic's trail, after the answer: whoever asked must not learn from the time it
    /// takes what there was to note.
    pub(crate) fn note_later(&self, clinic: ClinicId, event: Event) {
        let storage = Arc::clone(&self.storage);
        self.sessions.spawn(async move {
            if let Err(error) = storage.note(clinic, vec![event]).await {
                tracing::error!(%clinic, %error, "the trail lacks what happened");
            }
        });
    }
}

#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error("the server's socket failed: {0}")]
    Socket(#[from] std::io::Error),
    #[error("no TLS: {0}")]
    Tls(#[from] TlsError),
}

/// How connections come in.
enum Door {
    Open(TcpListener),
    Tls(TlsListener),
}

/// Edits are small and must not wait for more.
fn without_delay(stream: &TcpStream) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection keeps its delay");
    }
}

/// How long requests have to end, and then sessions to hear that the server stops.
const DRAIN: Duration = Duration::from_secs(5);

/// Serves until `stopping` is cancelled, then ends in order: no new connections, a goodbye to every session, and the
/// pushes that were taken in are committed and answered.
pub async fn serve(
    storage: Arc<dyn Storage>,
    settings: Settings,
    listener: TcpListener,
    stopping: CancellationToken,
) -> Result<(), ServeError> {
    let listener = match settings.tls.clone() {
        None => Door::Open(listener),
        Some(files) => Door::Tls(TlsListener::open(listener, files, stopping.clone())?),
    };
    let state = AppState::open(storage, settings, Passwords::new().await, stopping.clone()).await?;
    let forgetting = tokio::spawn(forget_stale_sign_ins(
        Arc::clone(&state.storage),
        state.settings.forget_every,
        state.settings.clock.clone(),
        stopping.clone(),
    ));
    let following = tokio::spawn(follow_other_nodes(
        Arc::clone(&state.storage),
        state.fan_out.clone(),
        state.look_again.clone(),
        state.settings.compare_heads_every,
        stopping.clone(),
    ));
    let compacting = tokio::spawn(keep_compact(
        Arc::clone(&state.storage),
        state.settings.keep_changes,
        state.settings.clock.clone(),
        state.settings.heavy_work,
        stopping.clone(),
    ));
    let sending = tokio::spawn(keep_sending(
        Arc::clone(&state.storage),
        state.settings.post.clone(),
        state.settings.clock.clone(),
        state.mails.clone(),
        state.settings.look_for_mails_every,
        stopping.clone(),
    ));
    let service = router::router(state.clone()).into_make_service_with_connect_info::<SocketAddr>();
    let ending = stopping.clone().cancelled_owned();
    let serving = match listener {
        Door::Open(listener) => {
            let listener = listener.tap_io(|stream| without_delay(stream));
            Either::Left(
                axum::serve(listener, service)
                    .with_graceful_shutdown(ending)
                    .into_future(),
            )
        }
        Door::Tls(listener) => {
            let listener = listener.tap_io(|stream| without_delay(stream.get_ref().0));
            Either::Right(
                axum::serve(listener, service)
                    .with_graceful_shutdown(ending)
                    .into_future(),
            )
        }
    };
    let overdue = async {
        stopping.cancelled().await;
        tokio::time::sleep(DRAIN).await;
    };
    tokio::select! {
        served = serving => served?,
        () = overdue => tracing::warn!("some requests did not end in time"),
    }
    state.sessions.close();
    if tokio::time::timeout(DRAIN, state.sessions.wait()).await.is_err() {
        tracing::warn!("some sessions did not end in time");
    }
    state.accept.close().await;
    state.afterwards.close();
    state.afterwards.wait().await;
    if let Err(error) = sending.await {
        tracing::error!(%error, "sending mails ended early");
    }
    if let Err(error) = forgetting.await {
        tracing::error!(%error, "forgetting stale sign-ins ended early");
    }
    if let Err(error) = compacting.await {
        tracing::error!(%error, "compacting history ended early");
    }
    if let Err(error) = following.await {
        tracing::error!(%error, "following other nodes ended early");
    }
    tracing::info!("stopped");
    Ok(())
}
