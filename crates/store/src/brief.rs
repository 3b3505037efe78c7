//! Runs in brief: what lists show of them, and select them by.

use floodgate_records::engine::Engine;
use floodgate_records::execution::{Execution, Trigger};
use floodgate_records::status::Status;
use floodgate_records::word::Word;
use std::sync::Arc;

/// Records that are looked through for what no index knows: nobody waits for ever.
pub const LOOKED_THROUGH: usize = 10_000;

/// What a list shows of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Brief {
    /// ULID.
    pub id: String,
    /// Its project.
    pub project: String,
    /// The test's name.
    pub test: String,
    /// SHA-256 of the definition and its files.
    pub version: String,
    /// Where it stands.
    pub status: Status,
    /// Who sends its load.
    pub engine: Word<Engine>,
    /// Unix ms.
    pub created_ms: i64,
    /// Unix ms.
    pub started_ms: Option<i64>,
    /// Unix ms.
    pub ended_ms: Option<i64>,
    /// Requests sent, as far as it has ended.
    pub requests: Option<u64>,
    /// Why it has not passed: the first reason.
    pub reason: Option<String>,
    /// Who started it and from where.
    pub trigger: Trigger,
}

impl From<Execution> for Brief {
    fn from(run: Execution) -> Self {
        Self {
            id: run.id,
            project: run.project,
            test: run.test,
            version: run.version,
            status: run.status,
            engine: run.engine,
            created_ms: run.created_ms,
            started_ms: run.started_ms,
            ended_ms: run.ended_ms,
            requests: run.applied.map(|applied| applied.http_reqs),
            reason: run.reasons.into_iter().next(),
            trigger: run.trigger,
        }
    }
}

/// Which runs are wanted.
#[derive(Clone)]
pub struct Wanted {
    /// Only those of this project.
    pub project: Option<String>,
    /// Only those of this test.
    pub test: Option<String>,
    /// Only those that are older than this id.
    pub before: Option<String>,
    /// How many at most.
    pub limit: usize,
    /// Whether one is wanted.
    pub holds: Arc<dyn Fn(&Brief) -> bool + Send + Sync>,
}

impl Wanted {
    /// All of a project, or of all projects, among the newest [`LOOKED_THROUGH`].
    pub fn all(project: Option<&str>) -> Self {
        Self {
            project: project.map(str::to_owned),
            test: None,
            before: None,
            limit: LOOKED_THROUGH,
            holds: Arc::new(|_| true),
        }
    }
}

/// Runs that were wanted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Briefs {
    /// The newest first.
    pub runs: Vec<Arc<Brief>>,
    /// What lies among the records that were looked through and is none that can be read: a sentence each.
    pub damaged: Vec<String>,
    /// The id that was looked at last, if there are older ones and no more were looked through: [`LOOKED_THROUGH`].
    pub looked_to: Option<String>,
}
