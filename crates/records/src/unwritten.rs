//! What the store refused to the end, and where it lies until somebody brings it home.

use serde::{Deserialize, Serialize};

/// Shards of a task that lie beside the store, with its account if that lies there too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unwritten {
    /// The task.
    pub task: u32,
    /// How many shards.
    pub shards: u64,
    /// Their size in bytes, without that of the account.
    pub bytes: u64,
    /// The folder, on the machine that the task ran on.
    pub folder: String,
}

impl Unwritten {
    /// What the record of execution `id` says of it.
    pub fn sentence(&self, id: &str) -> String {
        let Self {
            task,
            shards,
            bytes,
            folder,
        } = self;
        let what = match shards {
            0 => format!("the account of task {task} lies"),
            1 => format!("1 shard of task {task} ({bytes} bytes) lies"),
            n => format!("{n} shards of task {task} ({bytes} bytes) lie"),
        };
        format!(
            "{what} in {folder}, for want of room where it belongs: floodgate show {id} merges it once there is some"
        )
    }
}
