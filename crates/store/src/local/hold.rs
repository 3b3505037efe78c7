//! Who works on an execution: processes that hold a lock, which the kernel takes back from one that dies.
//!
//! The coordinator and its generators share the lock of their execution. Whoever gets it alone knows that all of them have ended,
//! however that came about, and may finish what they left.

use super::files::io;
use super::{LocalStore, RECORDS};
use crate::keys::check_name;
use crate::{Result, StoreError};
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::path::PathBuf;

/// A share in the work on an execution, or all of it; ends when it is dropped.
#[derive(Debug)]
pub struct Hold {
    _file: File,
    path: PathBuf,
}

impl Hold {
    /// The execution has ended: nobody will want to hold it again.
    pub fn end(self) {
        // One that stays is a file of no bytes.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// What came of trying to get the work on an execution alone.
#[derive(Debug)]
pub enum Alone {
    /// Nobody else works on it, and nobody will while this is held.
    Free(Hold),
    /// Somebody works on it.
    Held,
    /// Nobody has ever said so: it was made by an earlier version, or copied from elsewhere.
    Unknown,
}

impl LocalStore {
    /// Begins the work on an execution, before it has a record.
    ///
    /// # Errors
    /// [`StoreError::Exists`] if somebody has it alone, and what the system refuses.
    pub fn begin(&self, project: &str, id: &str) -> Result<Hold> {
        let path = self.hold_path(project, id)?;
        let take = || -> std::io::Result<File> {
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder)?;
            }
            let file = open(&path, true)?;
            flock(&file, FlockOperation::NonBlockingLockShared)?;
            Ok(file)
        };
        match take() {
            Ok(file) => Ok(Hold { _file: file, path }),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                Err(StoreError::Exists { key: id.to_owned() })
            }
            Err(error) => Err(io("write", &path.display().to_string())(error)),
        }
    }

    /// Joins in the work on an execution; `None` if it has ended, or somebody has it alone.
    ///
    /// # Errors
    /// What the system refuses.
    pub fn join(&self, project: &str, id: &str) -> Result<Option<Hold>> {
        match self.attempt(project, id, FlockOperation::NonBlockingLockShared)? {
            Alone::Free(hold) => Ok(Some(hold)),
            Alone::Held | Alone::Unknown => Ok(None),
        }
    }

    /// Tries to get the work on an execution alone.
    ///
    /// # Errors
    /// What the system refuses.
    pub fn alone(&self, project: &str, id: &str) -> Result<Alone> {
        self.attempt(project, id, FlockOperation::NonBlockingLockExclusive)
    }

    fn attempt(&self, project: &str, id: &str, how: FlockOperation) -> Result<Alone> {
        let path = self.hold_path(project, id)?;
        let file = match open(&path, false) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Alone::Unknown),
            Err(error) => return Err(io("hold", id)(error)),
        };
        match flock(&file, how) {
            Ok(()) => Ok(Alone::Free(Hold { _file: file, path })),
            Err(Errno::WOULDBLOCK) => Ok(Alone::Held),
            Err(error) => Err(io("hold", id)(error.into())),
        }
    }

    /// Hidden, so that no listing shows it, and beside the record, which does not go with the execution's folder.
    fn hold_path(&self, project: &str, id: &str) -> Result<PathBuf> {
        check_name(project)?;
        check_name(id)?;
        let folder = self.root.join(RECORDS).join(project);
        Ok(folder.join(format!(".{id}.held")))
    }
}

fn open(path: &std::path::Path, create: bool) -> std::io::Result<File> {
    OpenOptions::new()
        .create(create)
        .truncate(false)
        .write(true)
        .open(path)
}
