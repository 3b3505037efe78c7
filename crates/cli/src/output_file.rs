//! Files that a command is told to write at its end.

use crate::error::{CliError, Result};
use std::cell::Cell;
use std::fs::{File, OpenOptions};
use std::io::{Error, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// A file that is opened before the load is sent and written after it: that it cannot be written is said while that costs nothing.
/// What was in it before stays until then.
#[derive(Debug)]
pub(crate) struct OutputFile {
    path: PathBuf,
    file: File,
    /// Whether it was made for this, and is to go if nothing is written.
    new: bool,
    written: Cell<bool>,
}

impl OutputFile {
    /// Opens a file for writing, which is made if need be.
    ///
    /// # Errors
    /// What the system refuses.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let new = !path.exists();
        let opened = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path);
        let file = opened.map_err(|error| CliError::File {
            operation: "write",
            path: path.to_owned(),
            source: error.into(),
            remedy: Some("name a file in a folder that exists and can be written".into()),
        })?;
        Ok(Self {
            path: path.to_owned(),
            file,
            new,
            written: Cell::new(false),
        })
    }

    /// Replaces what is in it.
    ///
    /// # Errors
    /// What the system refuses, such as on a full disk.
    pub(crate) fn write(&self, text: &str) -> Result<()> {
        self.try_write(text)
            .map_err(|error| CliError::write(&self.path, error))
    }

    fn try_write(&self, text: &str) -> std::result::Result<(), Error> {
        let about = self.file.metadata()?;
        // Somebody may have removed or replaced it meanwhile; a pipe or a device is written as it is.
        let replaced = about.is_file()
            && !std::fs::metadata(&self.path)
                .is_ok_and(|now| (now.dev(), now.ino()) == (about.dev(), about.ino()));
        if replaced {
            std::fs::write(&self.path, text)?;
        } else {
            if about.is_file() {
                self.file.set_len(0)?;
            }
            (&self.file).write_all(text.as_bytes())?;
        }
        self.written.set(true);
        Ok(())
    }
}

impl Drop for OutputFile {
    fn drop(&mut self) {
        // An empty file would be taken for a result.
        let empty = self
            .file
            .metadata()
            .is_ok_and(|m| m.is_file() && m.len() == 0);
        if self.new && !self.written.get() && empty {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_was_there_stays_until_it_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("junit.xml");
        drop(OutputFile::open(&path).unwrap());
        assert!(!path.exists(), "nothing was written, nothing is left");
        std::fs::write(&path, "an older and longer text").unwrap();
        let file = OutputFile::open(&path).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"an older and longer text");
        file.write("new").unwrap();
        drop(file);
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
        drop(OutputFile::open(&path).unwrap());
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
    }

    #[test]
    fn one_that_was_removed_meanwhile_is_written_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("junit.xml");
        let file = OutputFile::open(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        file.write("new").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
    }

    #[test]
    fn one_that_cannot_be_written_is_refused_at_once_and_a_full_disk_later() {
        let folder = tempfile::tempdir().unwrap();
        for path in [folder.path().to_owned(), folder.path().join("no/x.xml")] {
            let error = OutputFile::open(&path).unwrap_err().to_string();
            assert!(error.contains("name a file in a folder"), "{error}");
        }
        let full = OutputFile::open(Path::new("/dev/full")).unwrap();
        assert!(
            full.write("x")
                .unwrap_err()
                .to_string()
                .contains("/dev/full")
        );
    }
}
