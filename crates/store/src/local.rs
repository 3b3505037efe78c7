//! A folder as a store: objects are files at their keys, records are JSON files below `.records/`.
//!
//! A write goes to a hidden file in the same folder and is renamed when it is complete and on the disk, so that a reader, in
//! whichever process, sees the old object or the new one. Changes of records are made under a lock on a file, which holds
//! between processes and goes with a process that dies.

mod account;
mod audit;
mod briefs;
mod files;
mod hold;
mod index;
mod records;
#[cfg(test)]
mod tests;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests_of_listings;
mod turns;
mod versions;

pub use hold::{Alone, Hold};

use crate::chain::AuditLog;
use crate::keys::{check_key, check_name, check_prefix};
use crate::{
    Briefs, Listing, ObjectInfo, ObjectStore, RecordStore, Reserved, Result, StoreError, Wanted,
};
use async_trait::async_trait;
use bytes::Bytes;
use files::{Lock, io};
use floodgate_records::audit::AuditEntry;
use floodgate_records::budget::{Account, Amount, Limit, Reservation};
use floodgate_records::execution::Execution;
use floodgate_records::keys::ExecutionKeys;
use floodgate_records::schedule::Turn;
use floodgate_records::status::Status;
use floodgate_records::test::TestRecord;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The folder of records in a store's folder. No object's key can lie in it, since parts of keys do not start with a dot.
const RECORDS: &str = ".records";

/// A store in a folder.
#[derive(Clone, Debug)]
pub struct LocalStore {
    root: PathBuf,
    known: Arc<briefs::Known>,
}

impl LocalStore {
    /// Opens the store in a folder, which is created if need be.
    ///
    /// # Errors
    /// [`StoreError::Io`] if it cannot be created.
    pub fn open(root: impl Into<PathBuf>) -> Result<Self> {
        let root = root.into();
        std::fs::create_dir_all(&root).map_err(io("create", &root.display().to_string()))?;
        Ok(Self {
            root,
            known: Arc::default(),
        })
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The file of an object, whether there is one or not.
    ///
    /// # Errors
    /// [`StoreError::BadKey`] for a key that could leave the folder.
    pub fn path(&self, key: &str) -> Result<PathBuf> {
        check_key(key)?;
        Ok(self.root.join(key))
    }

    /// Removes the folders below a prefix that have nothing in them, and those above it.
    pub fn tidy(&self, prefix: &str) {
        if check_prefix(prefix).is_ok() {
            files::remove_empty(&self.root.join(prefix));
            let above = Path::new(prefix).ancestors();
            for folder in above {
                // Whatever has something in it stays.
                let _ = std::fs::remove_dir(self.root.join(folder));
            }
        }
    }

    /// Removes an execution for good: first its folder, without which it is not listed any more, then its record. What is not there is no error.
    ///
    /// # Errors
    /// [`StoreError::BadKey`] for names that could leave the folder; [`StoreError::Io`] for what cannot be removed.
    pub async fn remove(&self, project: &str, id: &str) -> Result<()> {
        let record = self.record_path(project, id)?;
        let root = self.root.join(ExecutionKeys::new(project, id).root());
        self.blocking(move |_| {
            let gone = |done: std::io::Result<()>, path: &Path| match done {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    Err(io("remove", &path.display().to_string())(error))
                }
                _ => Ok(()),
            };
            gone(std::fs::remove_dir_all(&root), &root)?;
            gone(std::fs::remove_file(&record), &record)
        })
        .await
    }

    /// Runs file operations on a thread where they may block.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let store = self.clone();
        let done = tokio::task::spawn_blocking(move || work(&store)).await;
        done.unwrap_or_else(|error| Err(io("run", "file operation")(std::io::Error::other(error))))
    }

    fn record_path(&self, project: &str, id: &str) -> Result<PathBuf> {
        check_name(project)?;
        check_name(id)?;
        Ok(self
            .root
            .join(RECORDS)
            .join(project)
            .join(format!("{id}.json")))
    }

    /// Whether there are records of a project, or were.
    fn has(&self, project: &str) -> Result<bool> {
        check_name(project)?;
        Ok(self.root.join(RECORDS).join(project).is_dir())
    }

    /// The lock on a project's records, whose folder is made if there is none.
    fn lock(&self, project: &str) -> Result<Lock> {
        check_name(project)?;
        Lock::take(&self.root.join(RECORDS).join(project), project)
    }
}

fn to_json<T: serde::Serialize>(what: &str, value: &T, pretty: bool) -> Result<Vec<u8>> {
    let json = if pretty {
        serde_json::to_vec_pretty(value)
    } else {
        serde_json::to_vec(value)
    };
    let mut json =
        json.map_err(|error| StoreError::corrupt(what, error.to_string()).because(error))?;
    json.push(b'\n');
    Ok(json)
}

#[async_trait]
impl ObjectStore for LocalStore {
    fn place(&self, key: &str) -> String {
        let path = self.root.join(key);
        let full = std::path::absolute(&path).unwrap_or(path);
        full.display().to_string()
    }

    async fn put(&self, key: &str, data: Bytes) -> Result<()> {
        let (path, key) = (self.path(key)?, key.to_owned());
        self.blocking(move |_| files::replace(&path, &key, &data))
            .await
    }

    async fn put_new(&self, key: &str, data: Bytes) -> Result<()> {
        let (path, key) = (self.path(key)?, key.to_owned());
        self.blocking(move |_| files::create(&path, &key, &data))
            .await
    }

    async fn get(&self, key: &str) -> Result<Option<Bytes>> {
        let (path, key) = (self.path(key)?, key.to_owned());
        self.blocking(move |_| Ok(files::read(&path, &key)?.map(Bytes::from)))
            .await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<ObjectInfo>> {
        check_prefix(prefix)?;
        let prefix = prefix.to_owned();
        self.blocking(move |store| {
            let folder = prefix.rfind('/').map_or("", |end| &prefix[..=end]);
            let mut found = Vec::new();
            files::walk(&store.root, folder, &prefix, &mut found)?;
            found.sort_by(|a, b| a.key.cmp(&b.key));
            Ok(found)
        })
        .await
    }

    async fn delete(&self, key: &str) -> Result<()> {
        let (path, key) = (self.path(key)?, key.to_owned());
        self.blocking(move |_| match std::fs::remove_file(&path) {
            Err(error)
                if !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) =>
            {
                Err(io("delete", &key)(error))
            }
            _ => Ok(()),
        })
        .await
    }
}

#[async_trait]
impl RecordStore for LocalStore {
    async fn create(&self, execution: &Execution) -> Result<()> {
        let path = self.record_path(&execution.project, &execution.id)?;
        let (id, json) = (
            execution.id.clone(),
            to_json(&execution.id, execution, true)?,
        );
        self.blocking(move |_| files::create(&path, &id, &json))
            .await
    }

    async fn update(&self, execution: &Execution, expected: &[Status]) -> Result<()> {
        let path = self.record_path(&execution.project, &execution.id)?;
        let (project, id) = (execution.project.clone(), execution.id.clone());
        let (json, expected) = (to_json(&id, execution, true)?, expected.to_vec());
        self.blocking(move |store| {
            let _lock = store.lock(&project)?;
            let found = match records::read(store, &project, &id) {
                Ok(Some(stored)) => stored.status,
                Ok(None) => {
                    return Err(StoreError::NotFound {
                        what: format!("execution {id}"),
                    });
                }
                // What cannot be read says nothing; whoever writes knows where the run stands.
                Err(StoreError::Corrupt { .. }) => return files::replace(&path, &id, &json),
                Err(error) => return Err(error),
            };
            if !expected.contains(&found) {
                return Err(StoreError::Conflict {
                    id,
                    found,
                    expected,
                });
            }
            files::replace(&path, &id, &json)
        })
        .await
    }

    async fn replace_warnings(
        &self,
        project: &str,
        id: &str,
        about: &str,
        warnings: &[String],
    ) -> Result<()> {
        let path = self.record_path(project, id)?;
        let (project, id) = (project.to_owned(), id.to_owned());
        let (about, warnings) = (about.to_owned(), warnings.to_vec());
        self.blocking(move |store| {
            let _lock = store.lock(&project)?;
            let found = records::read(store, &project, &id)?;
            let mut execution = found.ok_or_else(|| StoreError::NotFound {
                what: format!("execution {id}"),
            })?;
            match execution.replace_warnings(&about, &warnings) {
                true => files::replace(&path, &id, &to_json(&id, &execution, true)?),
                false => Ok(()),
            }
        })
        .await
    }

    async fn get(&self, project: Option<&str>, id: &str) -> Result<Option<Execution>> {
        check_name(id)?;
        let (project, id) = (project.map(str::to_owned), id.to_owned());
        self.blocking(move |store| records::find(store, project.as_deref(), &id))
            .await
    }

    async fn list(
        &self,
        project: Option<&str>,
        test: Option<&str>,
        limit: usize,
    ) -> Result<Listing> {
        self.list_before(project, test, None, limit).await
    }

    async fn list_before(
        &self,
        project: Option<&str>,
        test: Option<&str>,
        before: Option<&str>,
        limit: usize,
    ) -> Result<Listing> {
        let (project, test) = (project.map(str::to_owned), test.map(str::to_owned));
        let before = before.map(str::to_owned);
        self.blocking(move |store| {
            let of = (project.as_deref(), test.as_deref());
            records::newest(store, of, before.as_deref(), limit)
        })
        .await
    }

    async fn select(&self, wanted: &Wanted) -> Result<Briefs> {
        let wanted = wanted.clone();
        self.blocking(move |store| briefs::select(store, &wanted))
            .await
    }

    async fn audit(&self, project: &str, entry: &AuditEntry) -> Result<()> {
        let (project, entry) = (project.to_owned(), entry.clone());
        self.blocking(move |store| {
            let _lock = store.lock(&project)?;
            audit::append(store, &project, &entry)
        })
        .await
    }

    async fn audit_log(&self, project: &str) -> Result<AuditLog> {
        let project = project.to_owned();
        self.blocking(move |store| {
            // Of a project that is not there nothing is made by reading.
            let _lock = match store.has(&project)? {
                true => Some(store.lock(&project)?),
                false => None,
            };
            audit::log(store, &project)
        })
        .await
    }

    async fn audit_trail(&self, project: &str) -> Result<Vec<AuditEntry>> {
        let project = project.to_owned();
        self.blocking(move |store| audit::without_head(store, &project)?.entries(&project))
            .await
    }

    async fn newest_audits(
        &self,
        project: &str,
        skip: usize,
        limit: usize,
    ) -> Result<Vec<AuditEntry>> {
        let project = project.to_owned();
        self.blocking(move |store| {
            let log = audit::without_head(store, &project)?;
            log.newest(&project, skip, limit)
        })
        .await
    }

    async fn put_test(&self, test: &TestRecord) -> Result<()> {
        let test = test.clone();
        self.blocking(move |store| {
            let _lock = store.lock(&test.project)?;
            versions::put_test(store, &test)
        })
        .await
    }

    async fn latest_test(&self, project: &str, test: &str) -> Result<Option<TestRecord>> {
        let (project, test) = (project.to_owned(), test.to_owned());
        self.blocking(move |store| versions::latest_test(store, &project, &test))
            .await
    }

    async fn reserve(
        &self,
        project: &str,
        yyyymm: &str,
        execution: &str,
        asked: Reservation,
        limit: &Limit,
    ) -> Result<Reserved> {
        let of = account::Of::new(project, yyyymm)?;
        check_name(execution)?;
        let (execution, limit) = (execution.to_owned(), *limit);
        self.blocking(move |store| account::reserve(store, &of, &execution, asked, &limit))
            .await
    }

    async fn settle(
        &self,
        project: &str,
        yyyymm: &str,
        execution: &str,
        actual: Amount,
    ) -> Result<()> {
        let of = account::Of::new(project, yyyymm)?;
        check_name(execution)?;
        let execution = execution.to_owned();
        self.blocking(move |store| account::settle(store, &of, &execution, actual))
            .await
    }

    async fn schedule_turn(&self, project: &str, schedule: &str) -> Result<Turn> {
        let (project, schedule) = (project.to_owned(), schedule.to_owned());
        self.blocking(move |store| turns::read(store, &project, &schedule))
            .await
    }

    async fn pass_turn(
        &self,
        project: &str,
        schedule: &str,
        from: &Turn,
        to: &Turn,
    ) -> Result<bool> {
        let (project, schedule) = (project.to_owned(), schedule.to_owned());
        let (from, to) = (from.clone(), to.clone());
        self.blocking(move |store| turns::pass(store, &project, &schedule, &from, &to))
            .await
    }

    async fn account(&self, project: &str, yyyymm: &str) -> Result<Account> {
        let of = account::Of::new(project, yyyymm)?;
        self.blocking(move |store| account::read(store, &of)).await
    }
}
