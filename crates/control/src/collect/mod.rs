//! Reading what the tasks of a run wrote: manifests and shards; at once, or in parts.

mod inventory;
mod parts;
mod whole;

pub use parts::{MergeLimits, Part, PartAccount, collect_part, load_parts, plan_parts};

use crate::error::Result;
use floodgate_records::keys::ExecutionKeys;
use floodgate_records::manifest::Manifest;
use floodgate_records::plan::Plan;
use floodgate_store::ObjectStore;
use inventory::take_inventory;
use std::collections::BTreeMap;
pub(crate) use whole::Collected;
use whole::{measured, merge_shards};

/// The manifests of a run that can be read, by task.
pub(crate) async fn manifests_of(
    objects: &dyn ObjectStore,
    plan: &Plan,
) -> Result<BTreeMap<u32, Manifest>> {
    let keys = ExecutionKeys::new(&plan.project, &plan.execution);
    inventory::manifests(objects, plan, &keys, &mut Vec::new()).await
}

/// Merges every shard of a run and writes `merged.parquet`; from the parts, if it was merged in parts. What is missing or
/// damaged is left out and listed, never an error: the verdict weighs it.
pub(crate) async fn collect(
    objects: &dyn ObjectStore,
    plan: &Plan,
    started_ms: Option<i64>,
    parts: &[Part],
) -> Result<Collected> {
    if !parts.is_empty() {
        return parts::collect_parts(objects, plan, started_ms, parts).await;
    }
    let keys = ExecutionKeys::new(&plan.project, &plan.execution);
    let found = take_inventory(objects, plan, &keys).await?;
    let mut warnings = found.warnings;
    let key = keys.merged();
    let merged = merge_shards(objects, &plan.execution, &keys, found.inventory, &key).await?;
    objects.put(&key, merged.merged.out.into()).await?;
    warnings.extend(merged.warnings);
    Ok(Collected {
        duration: measured(&merged.merged.meta, merged.merged.rows, started_ms),
        totals: merged.merged.totals,
        completeness: merged.completeness,
        manifests: found.manifests.into_values().collect(),
        warnings,
    })
}
