//! The place that a task runs in: what it is called, what it has, and how much patience its store deserves.

mod clock;

pub use clock::{Offset, ServerClock};
pub use floodgate_core::level::Level;

use crate::limits::TaskLimits;
use std::ffi::OsString;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Told what happens, when it happens. It is called on the control thread and must not block.
pub type Log = Arc<dyn Fn(Level, &str) + Send + Sync>;

/// Told each line that a script writes to its console. It is called on a thread of its own.
pub type Console = Arc<dyn Fn(&str) + Send + Sync>;

/// What a task knows of its place. The default is a process on the machine of whoever started the run.
#[derive(Clone)]
pub struct TaskEnvironment {
    /// Stands in [`Ready::host`](floodgate_records::control::Ready::host).
    pub host: String,
    /// What was found wanting before the task began.
    pub warnings: Vec<String>,
    /// What the task may use.
    pub limits: TaskLimits,
    /// How long the end of a run waits for a store that refuses to write. The manifest gets a little longer.
    pub patience: Duration,
    /// Bytes of shards that wait for the store in memory; what is more waits in files.
    pub spool_bytes: u64,
    /// The folder of those files, and of what the store refuses to the end.
    pub spool: PathBuf,
    /// Whether somebody will look there for the latter: what lies in the files of a container is lost with it.
    pub spool_stays: bool,
    /// What the store's answers say about this machine's clock.
    pub clock: Arc<ServerClock>,
    /// Whether it runs in the cloud, where a machine's own addresses are closed to load and a plan may bound it further.
    pub in_cloud: bool,
    /// The executable that sees to it that an external engine does not outlive this process ([`crate::script::guarded`]); `None`
    /// where nothing outlives it in any case, such as in a container.
    pub guard: Option<OsString>,
    /// The log.
    pub log: Log,
    /// Where a script's console goes.
    pub console: Console,
}

/// A share of the memory that this process may use, for shards that wait.
const SPOOL_SHARE: u64 = 16;
/// Above it, files do as well.
const MOST_SPOOL_BYTES: u64 = 256 << 20;

/// Bytes of shards that may wait in memory, of a task with so many.
pub fn spool_bytes(memory: Option<u64>) -> u64 {
    (memory.unwrap_or(u64::MAX) / SPOOL_SHARE).min(MOST_SPOOL_BYTES)
}

impl Default for TaskEnvironment {
    fn default() -> Self {
        let limits = TaskLimits::of_process();
        Self {
            limits,
            host: format!("pid {}", std::process::id()),
            warnings: Vec::new(),
            patience: Duration::from_secs(10),
            spool_bytes: spool_bytes(limits.memory),
            spool: default_spool(),
            spool_stays: false,
            clock: Arc::default(),
            in_cloud: false,
            guard: None,
            log: Arc::new(|_, _| ()),
            console: Arc::new(|_| ()),
        }
    }
}

/// A folder among the temporary files that is this user's: what is brought home from there must not be another one's.
pub fn default_spool() -> PathBuf {
    let folder = std::env::temp_dir().join("floodgate-unwritten");
    let user = rustix::process::geteuid().as_raw();
    match std::fs::symlink_metadata(&folder) {
        Ok(found) if found.uid() != user || !found.is_dir() => {
            folder.with_file_name(format!("floodgate-unwritten-{user}"))
        }
        _ => folder,
    }
}
