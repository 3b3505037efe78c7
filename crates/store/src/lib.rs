//! Where Floodgate keeps objects and records: narrow traits, and their sides. The local folder is [`local`]; in the cloud objects
//! are in S3 (feature `s3`) and records in DynamoDB (feature `dynamodb`).
#[cfg(any(feature = "s3", feature = "dynamodb"))]
pub mod aws;
mod brief;
pub mod chain;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
#[cfg(feature = "dynamodb")]
pub mod dynamodb;
mod error;
pub mod json;
mod keys;
pub mod local;
#[cfg(feature = "s3")]
pub mod s3;

pub use brief::{Brief, Briefs, LOOKED_THROUGH, Wanted};
pub use error::{Cause, Result, StoreError};
pub use keys::{MIN_PREFIX, check_name};

use crate::chain::AuditLog;
use async_trait::async_trait;
use bytes::Bytes;
use floodgate_records::audit::AuditEntry;
use floodgate_records::budget::{Account, Amount, Limit, Reservation};
use floodgate_records::execution::Execution;
use floodgate_records::schedule::Turn;
use floodgate_records::status::Status;
use floodgate_records::test::TestRecord;
use std::sync::Arc;

/// Records that are read at once where some may be passed over.
const CHUNK: usize = 200;

/// An object in a listing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObjectInfo {
    /// The whole key.
    pub key: String,
    /// Size in bytes.
    pub size: u64,
    /// Last change, Unix ms. Some stores know it to the second only: see [`Self::version`].
    pub modified_ms: i64,
    /// Another one whenever the object has been written with other content, however soon after: S3's entity tag, or the file's
    /// number and time. To be compared, not read.
    pub version: String,
}

/// Records of executions, as far as they can be read: one that is damaged does not hide the others.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Listing {
    /// The records.
    pub runs: Vec<Execution>,
    /// What lies among the records that were looked through and is none that can be read: a sentence each.
    pub damaged: Vec<String>,
}

/// Objects by key. Writes are atomic: a reader sees the old object, the new one, or none, never a part.
///
/// ```
/// use floodgate_store::local::LocalStore;
/// use floodgate_store::{ObjectStore, StoreError};
///
/// # let folder = tempfile::tempdir().expect("a folder");
/// # let folder = folder.path();
/// # let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
/// # runtime.block_on(async {
/// let store = LocalStore::open(folder)?;
/// store.put("projects/shop/note.txt", "first".into()).await?;
/// let again = store.put_new("projects/shop/note.txt", "second".into()).await;
/// assert!(matches!(again, Err(StoreError::Exists { .. })));
/// let found = store.get("projects/shop/note.txt").await?;
/// assert_eq!(found.as_deref(), Some(&b"first"[..]));
/// # Ok::<(), StoreError>(())
/// # }).expect("the store works");
/// ```
#[async_trait]
pub trait ObjectStore: Send + Sync {
    /// Writes an object, replacing one of the same key.
    async fn put(&self, key: &str, data: Bytes) -> Result<()>;
    /// Writes an object unless there is one: [`StoreError::Exists`].
    async fn put_new(&self, key: &str, data: Bytes) -> Result<()>;
    /// Reads an object; `None` if there is none.
    async fn get(&self, key: &str) -> Result<Option<Bytes>>;
    /// The objects whose key starts with `prefix`, sorted by key.
    async fn list(&self, prefix: &str) -> Result<Vec<ObjectInfo>>;
    /// Removes an object; no error if there is none.
    async fn delete(&self, key: &str) -> Result<()>;
    /// Where an object is, for messages: a path, or its key where people know it by that.
    fn place(&self, key: &str) -> String {
        key.to_owned()
    }
}

/// Records of executions and tests.
#[async_trait]
pub trait RecordStore: Send + Sync {
    /// Creates a record: [`StoreError::Exists`] if its id is taken.
    async fn create(&self, execution: &Execution) -> Result<()>;
    /// Replaces the record if its stored status is one of `expected`, else [`StoreError::Conflict`].
    async fn update(&self, execution: &Execution, expected: &[Status]) -> Result<()>;
    /// Puts these warnings in the place of those of a record that begin with `about`, whatever else is done to it at the same time; nothing is
    /// written where nothing changes. [`StoreError::NotFound`] without a record.
    async fn replace_warnings(
        &self,
        project: &str,
        id: &str,
        about: &str,
        warnings: &[String],
    ) -> Result<()>;
    /// Reads one; a unique prefix of at least 6 characters of the id suffices. A record is found by its full id and project from
    /// the moment it is written; by less than that soon after.
    async fn get(&self, project: Option<&str>, id: &str) -> Result<Option<Execution>>;
    /// The newest first, at most `limit`. What is damaged is left out and named. The local folder also leaves out executions that
    /// had a folder and have none any more: somebody has deleted it.
    async fn list(
        &self,
        project: Option<&str>,
        test: Option<&str>,
        limit: usize,
    ) -> Result<Listing>;
    /// The newest of those that are older than `before`, an id: what [`Self::list`] gives, a page further on.
    async fn list_before(
        &self,
        project: Option<&str>,
        test: Option<&str>,
        before: Option<&str>,
        limit: usize,
    ) -> Result<Listing> {
        let Some(before) = before else {
            return self.list(project, test, limit).await;
        };
        let mut listed = self.list(project, test, LOOKED_THROUGH).await?;
        listed.runs.retain(|run| run.id.as_str() < before);
        listed.runs.truncate(limit);
        Ok(listed)
    }
    /// The newest that are wanted, in brief.
    async fn select(&self, wanted: &Wanted) -> Result<Briefs> {
        let chunk = wanted.limit.clamp(CHUNK, LOOKED_THROUGH);
        let mut found = Briefs::default();
        let (mut before, mut looked_at) = (wanted.before.clone(), 0);
        loop {
            let of = (wanted.project.as_deref(), wanted.test.as_deref());
            let page = self.list_before(of.0, of.1, before.as_deref(), chunk);
            let listed = page.await?;
            found.damaged.extend(listed.damaged);
            let count = listed.runs.len();
            before = listed.runs.last().map(|run| run.id.clone());
            looked_at += count;
            let briefs = listed.runs.into_iter().map(Brief::from);
            let briefs = briefs.filter(|brief| (wanted.holds)(brief)).map(Arc::new);
            found.runs.extend(briefs);
            if found.runs.len() >= wanted.limit || count < chunk {
                found.runs.truncate(wanted.limit);
                return Ok(found);
            }
            if looked_at >= LOOKED_THROUGH {
                found.looked_to = before;
                return Ok(found);
            }
        }
    }
    /// Appends to the audit trail. Of entries that are appended at once, each follows another one: see [`chain`].
    async fn audit(&self, project: &str, entry: &AuditEntry) -> Result<()>;
    /// The audit trail of a project as it lies there, for [`chain::verify`]; empty if there is none.
    async fn audit_log(&self, project: &str) -> Result<AuditLog>;
    /// The audit trail of a project, oldest first.
    async fn audit_trail(&self, project: &str) -> Result<Vec<AuditEntry>> {
        self.audit_log(project).await?.entries(project)
    }
    /// The newest entries of it, the newest first: at most `limit`, after the `skip` newest.
    async fn newest_audits(
        &self,
        project: &str,
        skip: usize,
        limit: usize,
    ) -> Result<Vec<AuditEntry>> {
        let log = self.audit_log(project).await?;
        log.newest(project, skip, limit)
    }
    /// Records a version of a test. Twice the same is the same as once; an old version with a later
    /// [`created_ms`](TestRecord::created_ms) is the newest again.
    async fn put_test(&self, test: &TestRecord) -> Result<()>;
    /// The version of a test that was recorded with the latest time.
    async fn latest_test(&self, project: &str, test: &str) -> Result<Option<TestRecord>>;
    /// Takes what an execution may cost out of what a month's (`202611`) limit leaves, at once: of many at the same time as many get it
    /// as there is room for. Said again while the execution holds it, it is the same once.
    async fn reserve(
        &self,
        project: &str,
        yyyymm: &str,
        execution: &str,
        asked: Reservation,
        limit: &Limit,
    ) -> Result<Reserved>;
    /// Puts what an execution has cost in place of what it holds; nothing changes if it holds nothing, so that it can be said again.
    async fn settle(
        &self,
        project: &str,
        yyyymm: &str,
        execution: &str,
        actual: Amount,
    ) -> Result<()>;
    /// Whose turn it is among the executions of a schedule; strongly consistent.
    async fn schedule_turn(&self, project: &str, schedule: &str) -> Result<Turn>;
    /// Puts a turn in place of another one. `false`: it is another one by now. Of many that do so at once, one gets it.
    async fn pass_turn(
        &self,
        project: &str,
        schedule: &str,
        from: &Turn,
        to: &Turn,
    ) -> Result<bool>;
    /// What a month's executions have cost and hold.
    async fn account(&self, project: &str, yyyymm: &str) -> Result<Account>;
}

/// What became of a reservation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reserved {
    /// The execution holds it.
    Held,
    /// There is no room for it: the month as it stands.
    Full(Account),
}
