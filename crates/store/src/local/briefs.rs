//! What this process knows of the records that it has read, so that whoever serves lists reads again only what has changed.
//!
//! Every write of a record makes a new file, whichever process writes it: as long as a file has the same number, times and length, it
//! holds what was read. A file that was new when it was read is not believed: within the granularity of its file system's times it
//! could have been followed by one that looks the same. So what is known is never older than the folder; only looking at each file's
//! times is left of the cost of reading it.

use super::LocalStore;
use super::index::had_folder;
use super::records::{self, has_folder, newest_ids, told};
use crate::{Brief, Briefs, LOOKED_THROUGH, Result, Wanted};
use std::collections::{HashMap, HashSet};
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

/// Longer than two changes of a file can have the same time on any file system in use: FAT's times have 2 s.
const SETTLED: Duration = Duration::from_secs(3);

/// What tells one file from the next at the same path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    number: u64,
    changed: (i64, i64),
    written: (i64, i64),
    bytes: u64,
}

impl Stamp {
    fn of(file: &Metadata) -> Self {
        Self {
            number: file.ino(),
            changed: (file.ctime(), file.ctime_nsec()),
            written: (file.mtime(), file.mtime_nsec()),
            bytes: file.len(),
        }
    }

    /// How long ago the file was changed; `None` if it was not, by this clock.
    fn age(&self, now: SystemTime) -> Option<Duration> {
        let (s, ns) = (u64::try_from(self.changed.0), u32::try_from(self.changed.1));
        let changed = Duration::new(s.ok()?, ns.ok()?);
        let now = now.duration_since(UNIX_EPOCH).ok()?;
        now.checked_sub(changed)
    }
}

/// A record as it was read.
#[derive(Clone, Debug)]
struct Read {
    brief: Arc<Brief>,
    had_folder: bool,
}

/// Records by project and id.
type ByProject = HashMap<String, HashMap<String, (Stamp, Read)>>;

/// What is known.
#[derive(Debug)]
pub(super) struct Known {
    /// Files that are younger are not believed.
    settled: Duration,
    records: RwLock<ByProject>,
}

impl Default for Known {
    fn default() -> Self {
        Self {
            settled: SETTLED,
            records: RwLock::default(),
        }
    }
}

impl Known {
    fn get(&self, project: &str, id: &str, stamp: Stamp) -> Option<Read> {
        let known = self.records.read().unwrap_or_else(PoisonError::into_inner);
        let (read, found) = known.get(project)?.get(id)?;
        (*read == stamp).then(|| found.clone())
    }

    fn put(&self, project: &str, id: &str, of: (Stamp, Read)) {
        let mut known = self.records.write().unwrap_or_else(PoisonError::into_inner);
        let project = known.entry(project.to_owned()).or_default();
        project.insert(id.to_owned(), of);
    }

    /// Forgets what is not there any more. `ids` are all that there are, of one project or of all.
    fn keep(&self, project: Option<&str>, ids: &[(String, String)]) {
        let is_of = |name: &String| project.is_none_or(|project| project == name);
        let known = self.records.read().unwrap_or_else(PoisonError::into_inner);
        let count: usize = known
            .iter()
            .filter(|(name, _)| is_of(name))
            .map(|(_, all)| all.len())
            .sum();
        drop(known);
        if count <= ids.len() {
            return;
        }
        let there: HashSet<(&str, &str)> = ids
            .iter()
            .map(|(p, id)| (p.as_str(), id.as_str()))
            .collect();
        let mut known = self.records.write().unwrap_or_else(PoisonError::into_inner);
        for (name, all) in known.iter_mut().filter(|(name, _)| is_of(name)) {
            all.retain(|id, _| there.contains(&(name.as_str(), id.as_str())));
        }
    }
}

/// The newest executions that are wanted, as far as they can be read and are still there.
pub(super) fn select(store: &LocalStore, wanted: &Wanted) -> Result<Briefs> {
    let (project, before) = (wanted.project.as_deref(), wanted.before.as_deref());
    let mut found = Briefs::default();
    let ids = newest_ids(store, project, before, &mut found.damaged)?;
    if before.is_none() {
        store.known.keep(project, &ids);
    }
    for (at, (project, id)) in ids.iter().enumerate() {
        if found.runs.len() == wanted.limit {
            break;
        }
        if at == LOOKED_THROUGH {
            found.looked_to = Some(ids[at - 1].1.clone());
            break;
        }
        match read(store, project, id) {
            Ok(Some(Read { brief, had_folder })) => {
                let of_test = |test: &String| *test == brief.test;
                let is_wanted = wanted.test.as_ref().is_none_or(of_test) && (wanted.holds)(&brief);
                // Whose folder is gone was deleted by somebody.
                if is_wanted && (!had_folder || has_folder(store, project, id)) {
                    found.runs.push(brief);
                }
            }
            // Removed since the folder was read.
            Ok(None) => {}
            Err(error) => found.damaged.push(told(store, (project, id), &error)),
        }
    }
    Ok(found)
}

/// What a record says; `None` if there is none.
fn read(store: &LocalStore, project: &str, id: &str) -> Result<Option<Read>> {
    // Before it is read: what is written after this has another stamp, and is read again.
    let now = SystemTime::now();
    let file = std::fs::metadata(store.record_path(project, id)?);
    let stamp = file.as_ref().map(Stamp::of).ok();
    if let Some(known) = stamp.and_then(|stamp| store.known.get(project, id, stamp)) {
        return Ok(Some(known));
    }
    let Some(run) = records::read(store, project, id)? else {
        return Ok(None);
    };
    let read = Read {
        had_folder: had_folder(&run),
        brief: Arc::new(run.into()),
    };
    let is_settled = |stamp: &Stamp| stamp.age(now).is_some_and(|age| age >= store.known.settled);
    if let Some(stamp) = stamp.filter(is_settled) {
        store.known.put(project, id, (stamp, read.clone()));
    }
    Ok(Some(read))
}
