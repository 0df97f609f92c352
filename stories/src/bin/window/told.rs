//! What became of each act, as it is printed.

use anyhow::{Context, Result};
use std::time::{Duration, Instant};

/// Longer than anything takes on a machine that is busy with other things too.
const PATIENCE: Duration = Duration::from_secs(40);
const LOOK_EVERY: Duration = Duration::from_millis(40);

#[derive(Default)]
pub(crate) struct Told {
    passed: usize,
    failed: usize,
}

impl Told {
    /// Prints how an act went; one that failed ends the story, since every act stands on those before.
    pub(crate) fn act(&mut self, name: &str, began: Instant, end: Result<()>) -> Result<(), Ended> {
        let took = began.elapsed().as_secs_f64();
        match end {
            Ok(()) => {
                self.passed += 1;
                println!("test {name} ... ok ({took:.1} s)");
                Ok(())
            }
            Err(error) => {
                self.failed += 1;
                println!("test {name} ... FAILED ({took:.1} s)\n{error:#}");
                Err(Ended)
            }
        }
    }

    pub(crate) fn broke(&mut self) {
        self.failed += 1;
    }

    pub(crate) fn is_good(&self) -> bool {
        self.failed == 0
    }

    /// In the words of cargo's own tests, which xtask counts.
    pub(crate) fn summary(&self) -> String {
        let word = if self.is_good() { "ok" } else { "FAILED" };
        format!(
            "test result: {word}. {} passed; {} failed",
            self.passed, self.failed
        )
    }
}

/// The failed act has been told.
pub(crate) struct Ended;

/// Looks again and again until there is something to see. `what` ends the sentence "waited in vain until".
pub(crate) async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Result<Option<T>>) -> Result<T> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let seen = look()
            .await
            .with_context(|| format!("while waiting until {what}"));
        if let Some(seen) = seen? {
            return Ok(seen);
        }
        anyhow::ensure!(Instant::now() < deadline, "waited in vain until {what}");
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
