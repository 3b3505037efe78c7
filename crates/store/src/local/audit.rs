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

/// The trail as it lies there. The caller holds the project's lock.
pub(super) fn log(store: &LocalStore, project: &str) -> Result<AuditLog> {
    Ok(AuditLog {
        head: store.head(project)?,
        ..without_head(store, project)?
    })
}

/// The trail's entries, which are appended whole: for them no lock is needed, which not everybody can take who may read.
pub(super) fn without_head(store: &LocalStore, project: &str) -> Result<AuditLog> {
    let bytes = files::read(&store.audit_path(project)?, "audit.jsonl")?;
    Ok(AuditLog {
        bytes: bytes.unwrap_or_default(),
        head: None,
    })
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
