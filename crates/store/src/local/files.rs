//! Atomic writes, reads and listings.

use crate::{ObjectInfo, Result, StoreError};
use rustix::fs::{CWD, FlockOperation, RenameFlags};
use std::fs::{File, OpenOptions};
use std::io::{Error, ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// How files that are being written start: hidden, so that no listing shows them.
const TEMPORARY: &str = ".writing-";

/// Makes an error of the operating system one of the store.
pub(super) fn io(operation: &'static str, key: &str) -> impl FnOnce(Error) -> StoreError + use<> {
    let key = key.to_owned();
    move |source| StoreError::Io {
        operation,
        key,
        source,
    }
}

/// Writes a file, in place of one that may be there.
pub(super) fn replace(path: &Path, key: &str, data: &[u8]) -> Result<()> {
    let written = Temporary::write(path, data).map_err(io("write", key))?;
    std::fs::rename(&written.0, path).map_err(io("write", key))
}

/// Writes a file unless there is one.
pub(super) fn create(path: &Path, key: &str, data: &[u8]) -> Result<()> {
    let written = Temporary::write(path, data).map_err(io("write", key))?;
    let moved = rustix::fs::renameat_with(CWD, &written.0, CWD, path, RenameFlags::NOREPLACE)
        .map_err(Error::from);
    let moved = match moved {
        // Not every file system can do it; nearly all of the others have hard links.
        Err(error)
            if error.kind() == ErrorKind::InvalidInput
                || error.kind() == ErrorKind::Unsupported =>
        {
            std::fs::hard_link(&written.0, path)
        }
        other => other,
    };
    moved.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => StoreError::Exists {
            key: key.to_owned(),
        },
        _ => io("write", key)(error),
    })
}

/// A complete file beside the one it will become; what is left of it goes away with this.
struct Temporary(PathBuf);

impl Temporary {
    fn write(path: &Path, data: &[u8]) -> std::io::Result<Self> {
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        let folder = path.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder)?;
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let mut random = [0; 8];
        getrandom::fill(&mut random).map_err(Error::other)?;
        let name = format!(
            "{TEMPORARY}{}-{number}-{:016x}",
            std::process::id(),
            u64::from_ne_bytes(random)
        );
        let temporary = Self(folder.join(name));
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&temporary.0)?;
        file.write_all(data)?;
        // Without it a crash of the machine could leave an empty file under the new name.
        file.sync_data()?;
        Ok(temporary)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // Gone already if it was renamed.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// A file's bytes; `None` if there is none.
pub(super) fn read(path: &Path, key: &str) -> Result<Option<Vec<u8>>> {
    let absent = |kind| {
        matches!(
            kind,
            ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::IsADirectory
        )
    };
    let mut bytes = Vec::new();
    match File::open(path).and_then(|mut file| file.read_to_end(&mut bytes)) {
        Ok(_) => Ok(Some(bytes)),
        Err(error) if absent(error.kind()) => Ok(None),
        Err(error) => Err(io("read", key)(error)),
    }
}

/// Whether the last byte of a file is the end of a line.
pub(super) fn ends_with_a_line(path: &Path) -> std::io::Result<bool> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

/// Names in a folder that are not hidden; none if there is no folder.
pub(super) fn names(folder: &Path) -> Result<Vec<String>> {
    let fault = || io("list", &folder.display().to_string());
    let entries = match std::fs::read_dir(folder) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        entries => entries.map_err(fault())?,
    };
    let mut names = Vec::new();
    for entry in entries {
        // A name that is not text belongs to nothing that was written here.
        if let Ok(name) = entry.map_err(fault())?.file_name().into_string()
            && !name.starts_with('.')
        {
            names.push(name);
        }
    }
    Ok(names)
}

/// Adds the files below `folder` (a key with its trailing slash, or nothing) whose keys start with `prefix`.
pub(super) fn walk(
    root: &Path,
    folder: &str,
    prefix: &str,
    found: &mut Vec<ObjectInfo>,
) -> Result<()> {
    for name in names(&root.join(folder))? {
        let key = format!("{folder}{name}");
        if !(key.starts_with(prefix) || prefix.starts_with(&key)) {
            continue;
        }
        let info = match std::fs::metadata(root.join(&key)) {
            // Deleted since the folder was read.
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            info => info.map_err(io("list", &key))?,
        };
        if info.is_dir() {
            walk(root, &format!("{key}/"), prefix, found)?;
        } else if key.starts_with(prefix) {
            let modified = info.modified().unwrap_or(UNIX_EPOCH);
            found.push(ObjectInfo {
                key,
                size: info.len(),
                modified_ms: unix_ms(modified),
                version: version(&info),
            });
        }
    }
    Ok(())
}

/// Removes folders that have nothing in them, as far as that goes.
pub(super) fn remove_empty(folder: &Path) {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    for entry in entries {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_empty(&entry.path());
        }
    }
    let _ = std::fs::remove_dir(folder);
}

/// Every write makes a new file, and two files that exist in turn differ in their number or their time.
fn version(info: &std::fs::Metadata) -> String {
    format!("{:x}-{}.{:09}", info.ino(), info.mtime(), info.mtime_nsec())
}

fn unix_ms(time: SystemTime) -> i64 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_millis()).unwrap_or(i64::MAX),
        Err(before) => -i64::try_from(before.duration().as_millis()).unwrap_or(i64::MAX),
    }
}

/// An exclusive lock between threads and processes, for as long as it lives.
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    pub(super) fn take(folder: &Path, key: &str) -> Result<Self> {
        let take = || {
            std::fs::create_dir_all(folder)?;
            let file = OpenOptions::new()
                .create(true)
                .truncate(false)
                .write(true)
                .open(folder.join(".lock"))?;
            rustix::fs::flock(&file, FlockOperation::LockExclusive)?;
            Ok(Self { _file: file })
        };
        take().map_err(io("lock", key))
    }
}

/// What a file of JSON holds; `None` if there is none. `what` names it in an error.
pub(super) fn read_json<T: serde::de::DeserializeOwned>(
    path: &Path,
    what: &str,
) -> Result<Option<T>> {
    let key = path.display().to_string();
    let Some(bytes) = read(path, &key)? else {
        return Ok(None);
    };
    let value = serde_json::from_slice(&bytes)
        .map_err(|error| StoreError::corrupt(key, format!("no {what}: {error}")).because(error))?;
    Ok(Some(value))
}
