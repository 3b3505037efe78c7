//! What a run should have written, and what is there.

use crate::error::Result;
use crate::prefetch;
use floodgate_core::merge::Inventory;
use floodgate_records::keys::ExecutionKeys;
use floodgate_records::manifest::Manifest;
use floodgate_records::plan::Plan;
use floodgate_store::ObjectStore;
use futures_util::StreamExt;
use std::collections::BTreeMap;
use std::pin::pin;

/// What was found.
pub(super) struct Found {
    /// The manifests that could be read, by task.
    pub(super) manifests: BTreeMap<u32, Manifest>,
    /// What is to be merged.
    pub(super) inventory: Inventory,
    /// The size in bytes of each shard, by number and task.
    pub(super) sizes: BTreeMap<(u32, u32), u64>,
    /// What is not as it should be.
    pub(super) warnings: Vec<String>,
}

/// Reads all manifests and lists all shards.
pub(super) async fn take_inventory(
    objects: &dyn ObjectStore,
    plan: &Plan,
    keys: &ExecutionKeys,
) -> Result<Found> {
    let mut warnings = Vec::new();
    let manifests = manifests(objects, plan, keys, &mut warnings).await?;
    let mut sizes = BTreeMap::new();
    let prefix = keys.shards_prefix();
    for info in objects.list(&prefix).await? {
        let name = info.key.strip_prefix(&prefix).unwrap_or(&info.key);
        match numbers(name) {
            Some((task, seq)) => {
                sizes.insert((seq, task), info.size);
            }
            None => warnings.push(format!("{}: is not a shard; it is left out", info.key)),
        }
    }
    let found: Vec<(u32, u32)> = sizes.keys().map(|&(seq, task)| (task, seq)).collect();
    let tasks: Vec<u32> = plan.tasks.iter().map(|t| t.index).collect();
    let inventory = Inventory::new(&plan.execution, &tasks, &manifests, &found);
    Ok(Found {
        manifests,
        inventory,
        sizes,
        warnings,
    })
}

/// Task and number of a shard from the end of its key.
fn numbers(name: &str) -> Option<(u32, u32)> {
    let (task, seq) = name.strip_suffix(".parquet")?.split_once('/')?;
    Some((task.parse().ok()?, seq.parse().ok()?))
}

/// A manifest that cannot be read is as good as none: its task is lost, its shards still count.
pub(super) async fn manifests(
    objects: &dyn ObjectStore,
    plan: &Plan,
    keys: &ExecutionKeys,
    warnings: &mut Vec<String>,
) -> Result<BTreeMap<u32, Manifest>> {
    let mut manifests = BTreeMap::new();
    let all = plan.tasks.iter().map(|task| keys.manifest(task.index));
    let mut all = pin!(prefetch::read(objects, all));
    for task in &plan.tasks {
        let Some(bytes) = all.next().await.transpose()?.flatten() else {
            continue;
        };
        match serde_json::from_slice::<Manifest>(&bytes) {
            Ok(manifest) if manifest.schema == Manifest::SCHEMA => {
                manifests.insert(task.index, manifest);
            }
            Ok(Manifest { schema, .. }) => warnings.push(format!(
                "manifest of task {}: has layout {schema}, this program reads {}",
                task.index,
                Manifest::SCHEMA
            )),
            Err(error) => warnings.push(format!("manifest of task {}: {error}", task.index)),
        }
    }
    Ok(manifests)
}
