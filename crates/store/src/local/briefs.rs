//! What this process knows of the records that it has read, so that whoever serves lists reads again only what has changed.
//!
//! Every write of a record makes a new file, whichever process writes it: as long as a file has the same number, times and length, it
//! holds what was read. A file that was new when it was read is not believed: within the granularity of its file system's times it
//! could have been followed by one that looks the same. So what is known is never older than the folder; only looking at each file's
//! times is left of the cost of reading it.

use super::index::had_folder;
use super::records::{self, newest_ids, told};
use super::{LocalStore, RECORDS, files};
use crate::{Brief, Briefs, LOOKED_THROUGH, Result, Wanted};
use floodgate_records::keys::ExecutionKeys;
use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat, statat};
use std::collections::{HashMap, HashSet};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

/// Longer than two changes of a file can have the same time on any file system in use: FAT's times have 2 s.
const SETTLED: Duration = Duration::from_secs(3);

/// So many executions are looked for one by one; then all that there are cost less.
const MANY: usize = 500;

/// What tells one file from the next at the same path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    number: u64,
    changed: (i64, u64),
    written: (i64, u64),
    bytes: i64,
}

impl Stamp {
    fn of(file: &Stat) -> Self {
        Self {
            number: file.st_ino,
            changed: (file.st_ctime, file.st_ctime_nsec),
            written: (file.st_mtime, file.st_mtime_nsec),
            bytes: file.st_size,
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
    let mut folders: HashMap<&str, Folders> = HashMap::new();
    for (at, (project, id)) in ids.iter().enumerate() {
        if found.runs.len() == wanted.limit {
            break;
        }
        if at == LOOKED_THROUGH {
            found.looked_to = Some(ids[at - 1].1.clone());
            break;
        }
        let folders = folders.entry(project);
        let folders = folders.or_insert_with(|| Folders::open(store, project));
        match read(store, folders, project, id) {
            Ok(Some(Read { brief, had_folder })) => {
                let of_test = |test: &String| *test == brief.test;
                let is_wanted = wanted.test.as_ref().is_none_or(of_test) && (wanted.holds)(&brief);
                // Whose folder is gone was deleted by somebody.
                if is_wanted && (!had_folder || folders.has_execution(id)) {
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

/// The folders of a project, opened once: from there a file is found in half the time that its whole path takes.
struct Folders {
    records: Option<OwnedFd>,
    executions: Option<OwnedFd>,
    path: PathBuf,
    /// Executions that were looked for, and after many of them all that there are.
    looked_for: usize,
    there: Option<HashSet<String>>,
}

impl Folders {
    fn open(store: &LocalStore, project: &str) -> Self {
        let open = |path: &Path| {
            let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC;
            rustix::fs::open(path, flags, Mode::empty()).ok()
        };
        let of_one = store.root.join(ExecutionKeys::new(project, "id").root());
        let path = of_one.parent().unwrap_or(&of_one).to_owned();
        Self {
            records: open(&store.root.join(RECORDS).join(project)),
            executions: open(&path),
            path,
            looked_for: 0,
            there: None,
        }
    }

    fn stamp(&self, id: &str) -> Option<Stamp> {
        let name = format!("{id}.json");
        let file = statat(self.records.as_ref()?, name, AtFlags::empty());
        file.as_ref().map(Stamp::of).ok()
    }

    fn has_execution(&mut self, id: &str) -> bool {
        self.looked_for += 1;
        if self.looked_for == MANY {
            let names = files::names(&self.path);
            self.there = names.ok().map(HashSet::from_iter);
        }
        if let Some(there) = &self.there {
            return there.contains(id);
        }
        let folder = self.executions.as_ref();
        let found = folder.and_then(|folder| statat(folder, id, AtFlags::empty()).ok());
        found.is_some_and(|found| FileType::from_raw_mode(found.st_mode).is_dir())
    }
}

/// What a record says; `None` if there is none.
fn read(store: &LocalStore, folders: &Folders, project: &str, id: &str) -> Result<Option<Read>> {
    // Before it is read: what is written after this has another stamp, and is read again.
    let now = SystemTime::now();
    let stamp = folders.stamp(id);
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
