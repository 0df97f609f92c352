//! Everything that happened in a run, line by line, and a digest of it.

use sha2::{Digest, Sha256};

#[derive(Default)]
pub(crate) struct Log {
    lines: Vec<String>,
    digest: Sha256,
}

impl Log {
    pub(crate) fn note(&mut self, at: i64, line: impl AsRef<str>) {
        let line = format!("{at:>9} {}", line.as_ref());
        self.digest.update(line.as_bytes());
        self.digest.update(b"\n");
        self.lines.push(line);
    }

    /// Hexadecimal.
    pub(crate) fn digest(&self) -> String {
        let digest = self.digest.clone().finalize();
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    pub(crate) fn lines(&self) -> &[String] {
        &self.lines
    }
}
