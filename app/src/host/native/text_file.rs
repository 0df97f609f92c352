//! A text that is kept among the person's downloads.
//!
//! Invariant: nothing that is there is written over, and under its name a file is whole.

use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// A file that is written piece by piece. It is saved whole or not at all: what is not saved goes with it.
pub(crate) struct TextFile {
    folder: PathBuf,
    name: String,
    unfinished: NamedTempFile,
}

impl TextFile {
    /// `None` if nothing can be written here.
    pub(crate) fn begin(name: &str) -> Option<Self> {
        let folders = directories::UserDirs::new()?;
        let folder = folders.download_dir().unwrap_or(folders.home_dir());
        Self::begin_in(folder, name).ok()
    }

    fn begin_in(folder: &Path, name: &str) -> std::io::Result<Self> {
        let mut unfinished = tempfile::Builder::new();
        unfinished.prefix(".").suffix(".part");
        Ok(Self {
            folder: folder.to_owned(),
            name: name.to_owned(),
            unfinished: unfinished.tempfile_in(folder)?,
        })
    }

    /// False if there is no room for it; the file is of no use then.
    pub(crate) fn add(&mut self, text: &str) -> bool {
        self.unfinished.write_all(text.as_bytes()).is_ok()
    }

    pub(crate) fn save(self) -> bool {
        self.keep().is_ok()
    }

    /// In place of nothing that is there: as a browser does, it goes by the next number then.
    fn keep(self) -> std::io::Result<PathBuf> {
        self.unfinished.as_file().sync_all()?;
        let (stem, extension) = self.name.rsplit_once('.').unwrap_or((&self.name, "txt"));
        let names = std::iter::once(self.name.clone());
        let numbered = (1..100).map(|number| format!("{stem} ({number}).{extension}"));
        let mut unfinished = self.unfinished;
        for name in names.chain(numbered) {
            let path = self.folder.join(name);
            match unfinished.persist_noclobber(&path) {
                Ok(_) => return Ok(path),
                Err(failed) if failed.error.kind() == ErrorKind::AlreadyExists => unfinished = failed.file,
                Err(failed) => return Err(failed.error),
            }
        }
        Err(ErrorKind::AlreadyExists.into())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a story that cannot go on has failed")]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_is_there_is_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let save = |text: &str| {
            let mut file = TextFile::begin_in(folder.path(), "codes.txt").unwrap();
            assert!(file.add(text) && file.add("\n"));
            let path = file.keep().unwrap();
            path.file_name().unwrap().to_string_lossy().into_owned()
        };
        assert_eq!(save("one"), "codes.txt");
        assert_eq!(save("other"), "codes (1).txt");
        assert_eq!(
            std::fs::read_to_string(folder.path().join("codes.txt")).unwrap(),
            "one\n"
        );
        assert!(TextFile::begin_in(&folder.path().join("none"), "codes.txt").is_err());
    }

    #[test]
    fn a_file_that_is_not_saved_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = TextFile::begin_in(folder.path(), "who-did-what.csv").unwrap();
        assert!(file.add("half of it"));
        drop(file);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
