//! Reading what the tasks of a run wrote: manifests and shards.

use crate::error::{ControlError, Result};
use floodgate_core::execution::manifest::Manifest;
use floodgate_core::execution::plan::Plan;
use floodgate_core::execution::record::Completeness;
use floodgate_core::keys::ExecutionKeys;
use floodgate_core::merge::{Collector, MergeError, Totals};
use floodgate_store::ObjectStore;
use std::collections::BTreeMap;
use std::time::Duration;

/// All that was measured.
pub(crate) struct Collected {
    /// The merged data.
    pub(crate) totals: Totals,
    /// Expected against received.
    pub(crate) completeness: Completeness,
    /// The manifests that could be read, by task.
    pub(crate) manifests: Vec<Manifest>,
    /// What does not fit together.
    pub(crate) warnings: Vec<String>,
    /// From the common start to the last window with data.
    pub(crate) duration: Duration,
}

/// Merges every shard of a run and writes `merged.parquet`. What is missing or damaged is left out and listed, never an
/// error: the verdict weighs it.
pub(crate) async fn collect(
    objects: &dyn ObjectStore,
    plan: &Plan,
    started_ms: Option<i64>,
) -> Result<Collected> {
    let keys = ExecutionKeys::new(&plan.project, &plan.execution);
    let mut warnings = Vec::new();
    let manifests = manifests(objects, plan, &keys, &mut warnings).await?;
    let found = found(objects, &keys, &mut warnings).await?;
    let tasks: Vec<u32> = plan.tasks.iter().map(|t| t.index).collect();
    let key = keys.merged();
    let failed = |e: MergeError| ControlError::Corrupt {
        key: key.clone(),
        problem: e.to_string(),
    };
    let mut collector =
        Collector::new(&plan.execution, &tasks, &manifests, &found, Vec::new()).map_err(failed)?;
    for wanted in collector.wanted() {
        let object = objects
            .get(&keys.shard(wanted.task, wanted.seq))
            .await
            .map_err(|e| e.to_string());
        let bytes = object.as_ref().map(|o| o.as_deref()).map_err(Clone::clone);
        collector.supply(&wanted, bytes).map_err(failed)?;
    }
    let collected = collector.finish().map_err(failed)?;
    objects.put(&key, collected.merged.out.into()).await?;
    warnings.extend(collected.warnings);
    let end_ms = if collected.merged.rows > 0 {
        collected.merged.meta.end_ms
    } else {
        0
    };
    let measured_ms = end_ms.saturating_sub(started_ms.unwrap_or(end_ms));
    Ok(Collected {
        totals: collected.merged.totals,
        completeness: collected.completeness,
        manifests: manifests.into_values().collect(),
        warnings,
        duration: Duration::from_millis(u64::try_from(measured_ms).unwrap_or(0)),
    })
}

/// A manifest that cannot be read is as good as none: its task is lost, its shards still count.
async fn manifests(
    objects: &dyn ObjectStore,
    plan: &Plan,
    keys: &ExecutionKeys,
    warnings: &mut Vec<String>,
) -> Result<BTreeMap<u32, Manifest>> {
    let mut manifests = BTreeMap::new();
    for task in &plan.tasks {
        let Some(bytes) = objects.get(&keys.manifest(task.index)).await? else {
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

/// Task and number of every shard in the store.
async fn found(
    objects: &dyn ObjectStore,
    keys: &ExecutionKeys,
    warnings: &mut Vec<String>,
) -> Result<Vec<(u32, u32)>> {
    let prefix = keys.shards_prefix();
    let mut found = Vec::new();
    for info in objects.list(&prefix).await? {
        let name = info.key.strip_prefix(&prefix).unwrap_or(&info.key);
        let numbers = name
            .strip_suffix(".parquet")
            .and_then(|n| n.split_once('/'));
        match numbers.and_then(|(task, seq)| Some((task.parse().ok()?, seq.parse().ok()?))) {
            Some(shard) => found.push(shard),
            None => warnings.push(format!("{}: is no shard; it is left out", info.key)),
        }
    }
    Ok(found)
}
