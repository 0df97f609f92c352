//! Work that would hold up an async thread: SQLite, compression, reading and planning of changes.

/// Where it runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HeavyWork {
    /// On threads of its own.
    #[default]
    OnThreads,
    /// At once, on the thread that asks. For one thread that owns everything, and the order in which things happen.
    InPlace,
}

/// The work panicked, or the runtime ended.
#[derive(Debug, thiserror::Error)]
#[error("heavy work was interrupted: {0}")]
pub(crate) struct Interrupted(#[from] tokio::task::JoinError);

impl HeavyWork {
    pub(crate) async fn run<T: Send + 'static>(
        self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Interrupted> {
        match self {
            Self::OnThreads => Ok(tokio::task::spawn_blocking(work).await?),
            Self::InPlace => Ok(work()),
        }
    }
}
