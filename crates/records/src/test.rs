//! The versions of a test.

use serde::{Deserialize, Serialize};

/// A version of a test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestRecord {
    /// The tenant.
    pub project: String,
    /// The test's name.
    pub test: String,
    /// SHA-256 of the definition and its files.
    pub version: String,
    /// When it was recorded, Unix ms.
    pub created_ms: i64,
    /// Names of the files that lie under the version in the bucket.
    pub files: Vec<String>,
    /// The git revision, when known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub git_revision: Option<String>,
}

impl TestRecord {
    /// Whether it is newer than another version of the same test: by time, and by version between two of the same ms.
    pub fn is_newer_than(&self, other: &Self) -> bool {
        (self.created_ms, &self.version) > (other.created_ms, &other.version)
    }
}

/// The run that a test's runs are compared with until another one is pinned: an object of the project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin {
    /// Version of this layout: [`Pin::SCHEMA`].
    pub schema: u32,
    /// The run's id; `None` if the pin was taken away.
    pub execution: Option<String>,
    /// Its version of the test.
    pub version: Option<String>,
    /// Who pinned it, or took it away.
    pub by: String,
    /// When, Unix ms.
    pub at_ms: i64,
}

impl Pin {
    /// The layout that this code writes and reads.
    pub const SCHEMA: u32 = 1;
}
