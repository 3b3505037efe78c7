//! The audit trail of a project: a file of lines, and apart from it the head of the chain.

use super::files::{io, read_json};
use super::{LocalStore, RECORDS, files, to_json};
use crate::chain::{self, AuditLog, Head};
use crate::keys::check_name;
use crate::{Result, StoreError};
use floodgate_records::audit::AuditEntry;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

/// The folder of heads: hidden, so that it is no project's.
const HEADS: &str = ".heads";
/// What is read of the end of a trail to find its last entry: more than an entry has.
const TAIL: u64 = 1 << 16;

impl LocalStore {
    fn audit_path(&self, project: &str) -> Result<PathBuf> {
        check_name(project)?;
        Ok(self.root.join(RECORDS).join(project).join("audit.jsonl"))
    }

    fn head_path(&self, project: &str) -> Result<PathBuf> {
        check_name(project)?;
        let heads = self.root.join(RECORDS).join(HEADS);
        Ok(heads.join(format!("{project}.json")))
    }

    /// The audit trail of a project as it lies there, for [`chain::verify`]; empty if there is none.
    ///
    /// # Errors
    /// A name that cannot be a project's, and what the system refuses.
    pub fn audit_log(&self, project: &str) -> Result<AuditLog> {
        let path = self.audit_path(project)?;
        let _lock = self.lock(project)?;
        Ok(AuditLog {
            bytes: files::read(&path, "audit.jsonl")?.unwrap_or_default(),
            head: self.head(project)?,
        })
    }

    /// The projects that have records, or a head of a trail, by name.
    ///
    /// # Errors
    /// What the system refuses.
    pub fn projects(&self) -> Result<Vec<String>> {
        let records = self.root.join(RECORDS);
        let mut projects = files::names(&records)?;
        let heads = files::names(&records.join(HEADS))?;
        let named = heads.iter().filter_map(|name| name.strip_suffix(".json"));
        projects.extend(named.map(str::to_owned));
        projects.sort();
        projects.dedup();
        Ok(projects)
    }

    fn head(&self, project: &str) -> Result<Option<Head>> {
        read_json(&self.head_path(project)?, "head of an audit trail")
    }
}

/// Appends an entry. The caller holds the project's lock.
pub(super) fn append(store: &LocalStore, project: &str, entry: &AuditEntry) -> Result<()> {
    let path = store.audit_path(project)?;
    let fault = || io("write", "audit.jsonl");
    let mut file = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(&path)
        .map_err(fault())?;
    let before = file.metadata().map_err(fault())?.len();
    let prev = newest(store, project, &path)?;
    let sealed = chain::seal(entry, &prev)
        .map_err(|error| StoreError::corrupt(&entry.execution, error.to_string()).because(error));
    let (line, head) = sealed?;
    // A line that was cut off is lost; it must not take this one with it.
    let whole = before == 0 || files::ends_with_a_line(&path).map_err(fault())?;
    let line = format!("{}{line}\n", if whole { "" } else { "\n" });
    let written = file
        .write_all(line.as_bytes())
        .and_then(|()| file.sync_data());
    let written = written.map_err(fault()).and_then(|()| {
        let json = to_json(project, &head, false)?;
        files::replace(&store.head_path(project)?, project, &json)
    });
    if written.is_err() {
        // Half a line would make the whole trail unreadable, and one that the head doesn't know could be cut off.
        let _ = file.set_len(before);
    }
    written
}

/// What the next entry follows: the last one, or the head where that is further on, so that a trail that was cut off never looks whole
/// again.
fn newest(store: &LocalStore, project: &str, path: &Path) -> Result<Head> {
    let head = store.head(project)?;
    let last = chain::last(&tail(path)?);
    let newer = match (head, last) {
        (Some(head), Some(last)) if last.seq > head.seq => Some(last),
        (Some(head), _) => Some(head),
        (None, last) => last,
    };
    if let Some(newer) = newer {
        return Ok(newer);
    }
    let before = files::read(path, "audit.jsonl")?.unwrap_or_default();
    // It will get the line break that it lacks.
    let missing = match before.last() {
        None | Some(b'\n') => &b""[..],
        Some(_) => b"\n",
    };
    Ok(chain::beginning(project, &[&before, missing].concat()))
}

fn tail(path: &Path) -> Result<Vec<u8>> {
    let read = || -> std::io::Result<Vec<u8>> {
        let mut file = File::open(path)?;
        let size = file.metadata()?.len();
        file.seek(SeekFrom::Start(size.saturating_sub(TAIL)))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    read().map_err(io("read", "audit.jsonl"))
}

/// The entries, the oldest first.
pub(super) fn entries(store: &LocalStore, project: &str) -> Result<Vec<AuditEntry>> {
    let path = store.audit_path(project)?;
    let bytes = files::read(&path, "audit.jsonl")?.unwrap_or_default();
    let entries = lines(&bytes).enumerate().map(|(i, line)| {
        let what = || format!("line {}", i + 1);
        parse(&path, line, what)
    });
    entries.collect()
}

/// Of the entries without the `skip` newest the newest, at most `limit`, the newest first. Those that are passed over are not read.
pub(super) fn newest_entries(
    store: &LocalStore,
    project: &str,
    skip: usize,
    limit: usize,
) -> Result<Vec<AuditEntry>> {
    let path = store.audit_path(project)?;
    let bytes = files::read(&path, "audit.jsonl")?.unwrap_or_default();
    let newest = lines(&bytes).rev().enumerate().skip(skip).take(limit);
    let entries = newest.map(|(i, line)| {
        let what = || format!("line {}", lines(&bytes).count() - i);
        parse(&path, line, what)
    });
    entries.collect()
}

fn lines(bytes: &[u8]) -> impl DoubleEndedIterator<Item = &[u8]> {
    let lines = bytes.split(|&byte| byte == b'\n');
    lines.filter(|line| !line.is_empty())
}

fn parse(path: &Path, line: &[u8], what: impl FnOnce() -> String) -> Result<AuditEntry> {
    serde_json::from_slice(line).map_err(|error| {
        let problem = format!("{}: {error}", what());
        StoreError::corrupt(path.display().to_string(), problem).because(error)
    })
}
