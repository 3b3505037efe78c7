//! Bringing into the store what the tasks of a run could only leave beside it.

use crate::error::Result;
use bytes::Bytes;
use floodgate_records::keys::ExecutionKeys;
use floodgate_records::plan::Plan;
use floodgate_records::unwritten::Unwritten;
use floodgate_store::{ObjectStore, StoreError};
use std::collections::BTreeMap;

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Home {
    /// How many objects are in the store now that were not.
    pub brought: u64,
    /// What still lies beside the store, by task.
    pub left: Vec<Unwritten>,
    /// Why, of the first of them.
    pub problem: Option<String>,
}

/// What a task may leave.
enum Left {
    Shard(u32),
    Manifest(u32),
    Failures,
}

/// Moves shards, manifests and samples of failures of a run from beside the store into it. `place` is where they lie, for messages.
/// Nothing in the store is replaced but samples of failures, whose latest version counts; what cannot be moved stays where it is.
///
/// # Errors
/// What lies there cannot be listed.
pub async fn bring_home(
    beside: &dyn ObjectStore,
    store: &dyn ObjectStore,
    plan: &Plan,
    place: &str,
) -> Result<Home> {
    let keys = ExecutionKeys::new(&plan.project, &plan.execution);
    let mut home = Home::default();
    let mut left: BTreeMap<u32, Unwritten> = BTreeMap::new();
    for object in beside.list(keys.root()).await? {
        let Some(what) = left_by_a_task(&keys, &object.key) else {
            continue;
        };
        match move_one(beside, store, &object.key, &what).await {
            Ok(()) => home.brought += 1,
            Err(problem) => {
                home.problem.get_or_insert(problem);
                let (task, shards, bytes) = match what {
                    Left::Shard(task) => (task, 1, object.size),
                    Left::Manifest(task) => (task, 0, 0),
                    Left::Failures => continue,
                };
                let entry = left.entry(task).or_insert_with(|| Unwritten {
                    task,
                    shards: 0,
                    bytes: 0,
                    folder: format!("{place}/{}", keys.root().trim_end_matches('/')),
                });
                entry.shards += shards;
                entry.bytes += bytes;
            }
        }
    }
    home.left = left.into_values().collect();
    Ok(home)
}

async fn move_one(
    beside: &dyn ObjectStore,
    store: &dyn ObjectStore,
    key: &str,
    what: &Left,
) -> std::result::Result<(), String> {
    let said = |error: StoreError| error.to_string();
    let Some(bytes) = beside.get(key).await.map_err(said)? else {
        // Somebody else has just moved it.
        return Ok(());
    };
    match what {
        Left::Failures => store.put(key, bytes).await.map_err(said)?,
        Left::Shard(_) | Left::Manifest(_) => put_once(store, key, bytes).await?,
    }
    // It is in the store; one that stays behind is found to be the same.
    let _ = beside.delete(key).await;
    Ok(())
}

/// Writes an object that nobody may have written otherwise.
async fn put_once(
    store: &dyn ObjectStore,
    key: &str,
    bytes: Bytes,
) -> std::result::Result<(), String> {
    match store.put_new(key, bytes.clone()).await {
        Ok(()) => Ok(()),
        Err(StoreError::Exists { .. }) => match store.get(key).await {
            Ok(Some(found)) if found == bytes => Ok(()),
            Ok(_) => Err(format!("{key}: something else lies there")),
            Err(error) => Err(error.to_string()),
        },
        Err(error) => Err(error.to_string()),
    }
}

fn left_by_a_task(keys: &ExecutionKeys, key: &str) -> Option<Left> {
    let number = |text: &str| text.parse::<u32>().ok();
    let rest = key.strip_prefix(keys.root())?;
    if let Some(name) = rest.strip_prefix("shards/") {
        let (task, seq) = name.strip_suffix(".parquet")?.split_once('/')?;
        number(seq)?;
        return Some(Left::Shard(number(task)?));
    }
    if let Some(name) = rest.strip_prefix("tasks/") {
        return Some(Left::Manifest(number(name.strip_suffix(".json")?)?));
    }
    let name = key.strip_prefix(&keys.task_failures_prefix())?;
    number(name.strip_suffix(".json")?).map(|_| Left::Failures)
}
