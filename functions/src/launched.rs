//! `control/placed.json`: which tasks ECS has accepted, and which it has not.

use crate::error::Result;
use floodgate_control::json;
use floodgate_records::keys::ExecutionKeys;
use floodgate_store::ObjectStore;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What has been placed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaunchedTasks {
    /// The tasks that ECS has accepted.
    pub tasks: Vec<LaunchedTask>,
    /// Those that could not be placed, and will not be.
    #[serde(default)]
    pub failed: Vec<RefusedTask>,
    /// Whether the tasks that are left go to On-Demand capacity, since there was no interruptible one.
    #[serde(default)]
    pub fallback: bool,
    /// How often ECS answered that it has no room, by task that it said so of.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub without_room: BTreeMap<u32, u32>,
    /// Rounds that placed nothing, in a row: what the wait before the next one grows with.
    #[serde(default)]
    pub idle_rounds: u32,
}

/// A task that ECS has accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaunchedTask {
    /// Its number.
    pub task: u32,
    /// Its ARN.
    pub arn: String,
    /// Where.
    pub region: String,
    /// The capacity provider, or the launch type where there is none.
    pub capacity: String,
    /// How often ECS had answered before that it has no room for it.
    pub attempt: u32,
    /// When, Unix ms.
    #[serde(default)]
    pub placed_ms: i64,
}

/// A task that will not be placed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedTask {
    /// Its number.
    pub task: u32,
    /// What ECS said.
    pub reason: String,
}

impl LaunchedTasks {
    /// Reads it; nothing if there is none.
    ///
    /// # Errors
    /// What the store refuses, and an object that cannot be read.
    pub async fn load(objects: &dyn ObjectStore, keys: &ExecutionKeys) -> Result<Self> {
        Ok(json::get(objects, &keys.placed())
            .await?
            .unwrap_or_default())
    }

    /// Writes it.
    ///
    /// # Errors
    /// What the store refuses.
    pub async fn save(&self, objects: &dyn ObjectStore, keys: &ExecutionKeys) -> Result<()> {
        Ok(json::put_compact(objects, &keys.placed(), self).await?)
    }

    /// The tasks of which it is known whether they run.
    pub fn settled(&self) -> BTreeSet<u32> {
        let placed = self.tasks.iter().map(|t| t.task);
        placed.chain(self.failed.iter().map(|f| f.task)).collect()
    }

    /// How often ECS had no room for a task.
    pub fn attempt(&self, task: u32) -> u32 {
        self.without_room.get(&task).copied().unwrap_or(0)
    }

    /// How many were accepted.
    pub fn count(&self) -> u32 {
        self.tasks.len() as u32
    }
}
