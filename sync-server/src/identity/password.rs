//! Passwords: argon2id with OWASP's first recommended parameters, on a few threads of their own.

use super::{PasswordRefused, judge_new_password, normalised};
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use rayon::{ThreadPool, ThreadPoolBuilder};
use shared_model::accounts::MAX_PASSWORD;
use std::num::NonZero;
use std::sync::Arc;
use std::thread;
use tokio::sync::oneshot;

/// Memory in KiB, passes, lanes: OWASP Password Storage Cheat Sheet, argon2id.
const COST: (u32, u32, u32) = (19 * 1024, 2, 1);
/// Hashing at the same time: each takes 19 MiB.
const MOST_AT_ONCE: usize = 2;

/// Hashes and verifies passwords, in the order in which they come.
#[derive(Clone)]
pub struct Passwords {
    threads: Arc<ThreadPool>,
    /// A hash that no password fits, for accounts that do not exist: same work, same time.
    nobody: Arc<str>,
}

fn argon2() -> Argon2<'static> {
    let params = Params::new(COST.0, COST.1, COST.2, None).expect("the parameters are in range");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// The form that is stored. Takes some 20 to 50 ms of a core.
fn hash(password: &str) -> String {
    let hash: argon2::PasswordHash = argon2()
        .hash_password(normalised(password).as_bytes())
        .expect("a salt from the operating system and parameters in range");
    hash.to_string()
}

/// The calling thread gets a core when nobody else wants it: people who sign in do not hold up those who work.
/// Where threads have no priority of their own, nothing is changed.
fn let_others_go_first() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, 19) {
        tracing::warn!(%error, "hashing of passwords competes with everything else");
    }
}

/// A core is left to everybody else, where there are several: who goes first still waits a moment for one that is taken, and
/// each question to a database is such a wait.
fn at_once() -> usize {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    cores.saturating_sub(1).clamp(1, MOST_AT_ONCE)
}

impl Passwords {
    pub async fn new() -> Self {
        let threads = ThreadPoolBuilder::new()
            .num_threads(at_once())
            .thread_name(|number| format!("passwords {number}"))
            .start_handler(|_| let_others_go_first())
            // Whoever waits for the answer is told, and the thread goes on.
            .panic_handler(|_| ())
            .build()
            .expect("threads can be started");
        let threads = Arc::new(threads);
        let nobody = run(&threads, || {
            hash(&String::from_utf8_lossy(&super::random::<32>()))
        })
        .await
        .expect("hashing does not panic");
        Self {
            threads,
            nobody: nobody.into(),
        }
    }

    pub async fn hash(&self, password: String) -> String {
        run(&self.threads, move || hash(&password))
            .await
            .expect("hashing does not panic")
    }

    /// Judges a new password of somebody with these words about them, and hashes it if it is good enough.
    pub async fn judge_and_hash(
        &self,
        password: String,
        about: Vec<String>,
    ) -> Result<String, PasswordRefused> {
        let work = move || {
            let about: Vec<&str> = about.iter().map(String::as_str).collect();
            judge_new_password(&password, &about).map(|()| hash(&password))
        };
        // What the estimate cannot cope with is no password that anybody has to be allowed.
        run(&self.threads, work)
            .await
            .unwrap_or(Err(PasswordRefused::Weak))
    }

    /// Whether the password fits; takes as long without a stored hash as with one.
    pub async fn verify(&self, password: String, stored: Option<String>) -> bool {
        let nobody = Arc::clone(&self.nobody);
        let work = move || {
            let known = stored.is_some();
            let stored = stored.as_deref().unwrap_or(&nobody);
            let fits = password.len() <= MAX_PASSWORD
                && argon2()
                    .verify_password(normalised(&password).as_bytes(), stored)
                    .is_ok();
            fits && known
        };
        run(&self.threads, work).await.unwrap_or(false)
    }
}

/// None if the work panicked. Work that nobody waits for any more is not begun.
async fn run<T: Send + 'static>(
    threads: &ThreadPool,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let (answer, waiting) = oneshot::channel();
    threads.spawn_fifo(move || {
        if !answer.is_closed() {
            // Whoever asked may have gone while it was done.
            drop(answer.send(work()));
        }
    });
    waiting.await.ok()
}
