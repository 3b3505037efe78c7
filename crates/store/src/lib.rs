//! Where Floodgate keeps objects and records: narrow traits, and their sides. The local folder is [`local`].
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
pub mod local;

use async_trait::async_trait;
use bytes::Bytes;
use floodgate_core::execution::record::{AuditEntry, Execution, Status};

/// Why a store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There was something already where something new was to be.
    #[error("{key}: exists already")]
    Exists {
        /// The object's key or the record's id.
        key: String,
    },
    /// A record is not in the state that a change starts from.
    #[error("execution {id}: is {found:?}, not one of {expected:?}")]
    Conflict {
        /// The execution.
        id: String,
        /// Its state.
        found: Status,
        /// The states from which the change is allowed.
        expected: Vec<Status>,
    },
    /// There is no such record.
    #[error("{what}: not found")]
    NotFound {
        /// What was looked for.
        what: String,
    },
    /// A key or an id that would leave the store's folder, or is not printable.
    #[error("key {key:?}: {problem}")]
    BadKey {
        /// The key.
        key: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// Something stored cannot be read back.
    #[error("{key}: {problem}")]
    Corrupt {
        /// The object or record.
        key: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The operating system or the service refused.
    #[error("{operation} {key}: {source}")]
    Io {
        /// `write`, `read`, `list`, `delete`.
        operation: &'static str,
        /// The object or record.
        key: String,
        /// What was reported.
        source: std::io::Error,
    },
}

/// Results of stores.
pub type Result<T> = std::result::Result<T, StoreError>;

/// An object in a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectInfo {
    /// The whole key.
    pub key: String,
    /// Size in bytes.
    pub size: u64,
    /// Last change, Unix ms.
    pub modified_ms: i64,
}

/// Objects by key. Writes are atomic: a reader sees the old object, the new one, or none, never a part.
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
}

/// Records of executions.
#[async_trait]
pub trait RecordStore: Send + Sync {
    /// Creates a record: [`StoreError::Exists`] if its id is taken.
    async fn create(&self, execution: &Execution) -> Result<()>;
    /// Replaces the record if its stored status is one of `expected`, else [`StoreError::Conflict`].
    async fn update(&self, execution: &Execution, expected: &[Status]) -> Result<()>;
    /// Reads one; a unique prefix of at least 6 characters of the id suffices.
    async fn get(&self, project: Option<&str>, id: &str) -> Result<Option<Execution>>;
    /// The newest first, at most `limit`.
    async fn list(
        &self,
        project: Option<&str>,
        test: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Execution>>;
    /// Appends to the audit trail.
    async fn audit(&self, project: &str, entry: &AuditEntry) -> Result<()>;
    /// The audit trail of a project, oldest first.
    async fn audit_trail(&self, project: &str) -> Result<Vec<AuditEntry>>;
}
