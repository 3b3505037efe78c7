//! Merging in parts, when there are more shards than one function should read.
//!
//! A part has the shards of all tasks within a range of shard numbers: a span of time. So every window is added up over all
//! tasks within one part, the parts' files together are no larger than the whole, and putting them together needs the memory
//! of one part. Parts of some tasks over all of the time would each be as large as the whole, and would have to be read side
//! by side.

use super::inventory::{self, take_inventory};
use super::whole::{Collected, measured, merge_shards};
use crate::error::{ControlError, Result};
use crate::{json, prefetch};
use bytes::Bytes;
use floodgate_core::merge::{Inventory, MergeError, Merger, Wanted};
use floodgate_core::shard::{Sources, decode};
use floodgate_records::execution::{Completeness, ExcludedShard};
use floodgate_records::keys::ExecutionKeys;
use floodgate_records::plan::Plan;
use floodgate_store::ObjectStore;
use futures_util::StreamExt;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;

/// Parts at most: the Distributed Map's input names each, and a payload has 256 KiB.
const MAX_PARTS: usize = 1_000;

/// What one function should read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MergeLimits {
    /// Shards.
    pub shards: u64,
    /// Bytes of them.
    pub bytes: u64,
}

impl Default for MergeLimits {
    /// At some milliseconds a shard a part takes about a minute, far below the 15 minutes of a function.
    fn default() -> Self {
        Self {
            shards: 10_000,
            bytes: 1 << 30,
        }
    }
}

/// A part of a merge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The tenant.
    pub project: String,
    /// The execution.
    pub execution: String,
    /// Its number, from 0 without a gap.
    pub part: u32,
    /// The first shard number in it.
    pub from: u32,
    /// The first one after it.
    pub to: u32,
    /// How many shards it has, over all tasks.
    pub shards: u64,
}

/// A shard in the list of a part: task, number, SHA-256 if a manifest states it.
#[derive(Serialize, Deserialize)]
struct Listed(u32, u32, #[serde(default)] Option<String>);

/// What came of a part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PartAccount {
    /// Shards expected, merged and excluded.
    pub completeness: Completeness,
    /// What does not fit together.
    pub warnings: Vec<String>,
    /// Start of the covered time, Unix ms; 0 without rows.
    pub start_ms: i64,
    /// Rows written.
    pub rows: u64,
}

/// Splits the merge of a run, and writes which shards belong to which part. `None` if one function can do it at once.
/// Called again it does the same with what is there then.
///
/// # Errors
/// What the store refuses.
pub async fn plan_parts(
    objects: &dyn ObjectStore,
    plan: &Plan,
    limits: MergeLimits,
) -> Result<Option<Vec<Part>>> {
    let keys = ExecutionKeys::new(&plan.project, &plan.execution);
    let found = take_inventory(objects, plan, &keys).await?;
    let Inventory { wanted, .. } = found.inventory;
    let size = |w: &Wanted| found.sizes.get(&(w.seq, w.task)).copied().unwrap_or(0);
    let bytes: u64 = wanted.iter().map(size).sum();
    if wanted.len() as u64 <= limits.shards && bytes <= limits.bytes {
        // What an earlier attempt may have split is not to be taken for the truth.
        objects.delete(&keys.merge_parts()).await?;
        return Ok(None);
    }
    let least = wanted.len().div_ceil(MAX_PARTS) as u64;
    let limits = MergeLimits {
        shards: limits.shards.max(least),
        ..limits
    };
    let mut parts = Vec::new();
    for list in split(wanted, size, limits) {
        let (Some(first), Some(last)) = (list.first(), list.last()) else {
            continue;
        };
        let part = Part {
            project: plan.project.clone(),
            execution: plan.execution.clone(),
            part: parts.len() as u32,
            from: first.seq,
            to: last.seq.saturating_add(1),
            shards: list.len() as u64,
        };
        let listed: Vec<Listed> = list
            .into_iter()
            .map(|w| Listed(w.task, w.seq, w.sha256))
            .collect();
        json::put_compact(objects, &keys.merge_list(part.part), &listed).await?;
        parts.push(part);
    }
    json::put_compact(objects, &keys.merge_parts(), &parts).await?;
    Ok(Some(parts))
}

/// Whole shard numbers are kept together; a number that is too large for the limits is a part of its own.
fn split(
    wanted: Vec<Wanted>,
    size: impl Fn(&Wanted) -> u64,
    limits: MergeLimits,
) -> Vec<Vec<Wanted>> {
    let mut by_seq: BTreeMap<u32, (Vec<Wanted>, u64)> = BTreeMap::new();
    for w in wanted {
        let bytes = size(&w);
        let (list, sum) = by_seq.entry(w.seq).or_default();
        list.push(w);
        *sum += bytes;
    }
    let mut parts: Vec<Vec<Wanted>> = Vec::new();
    let mut bytes = 0;
    for (list, sum) in by_seq.into_values() {
        match parts.last_mut() {
            Some(part)
                if (part.len() + list.len()) as u64 <= limits.shards
                    && bytes + sum <= limits.bytes =>
            {
                part.extend(list);
                bytes += sum;
            }
            _ => {
                parts.push(list);
                bytes = sum;
            }
        }
    }
    parts
}

/// The parts that [`plan_parts`] wrote.
///
/// # Errors
/// What the store refuses, and an object that cannot be read.
pub async fn load_parts(objects: &dyn ObjectStore, keys: &ExecutionKeys) -> Result<Vec<Part>> {
    Ok(json::get(objects, &keys.merge_parts())
        .await?
        .unwrap_or_default())
}

/// Merges one part. A second time gives the same.
///
/// # Errors
/// What the store refuses, and a list that is missing.
pub async fn collect_part(
    objects: &dyn ObjectStore,
    project: &str,
    execution: &str,
    part: u32,
) -> Result<PartAccount> {
    let keys = ExecutionKeys::new(project, execution);
    let consequence = "without it nobody knows what belongs to this part";
    let listed: Vec<Listed> = json::need(objects, keys.merge_list(part), consequence).await?;
    let wanted = listed
        .into_iter()
        .map(|Listed(task, seq, sha256)| Wanted { task, seq, sha256 });
    let inventory = Inventory::of_shards(wanted.collect());
    let key = keys.merge_part(part);
    let collected = merge_shards(objects, execution, &keys, inventory, &key).await?;
    let account = PartAccount {
        completeness: collected.completeness,
        warnings: collected.warnings,
        start_ms: collected.merged.meta.start_ms,
        rows: collected.merged.rows,
    };
    objects.put(&key, collected.merged.out.into()).await?;
    json::put_compact(objects, &keys.merge_account(part), &account).await?;
    Ok(account)
}

/// Puts the parts together. The shards of a part that is missing or cannot be read are excluded, each with the reason.
pub(super) async fn collect_parts(
    objects: &dyn ObjectStore,
    plan: &Plan,
    started_ms: Option<i64>,
    parts: &[Part],
) -> Result<Collected> {
    let keys = ExecutionKeys::new(&plan.project, &plan.execution);
    let merged_key = keys.merged();
    let failed = |e: MergeError| ControlError::Corrupt {
        key: merged_key.clone(),
        source: e.into(),
    };
    let mut warnings = Vec::new();
    let manifests = inventory::manifests(objects, plan, &keys, &mut warnings).await?;
    let tasks: Vec<u32> = plan.tasks.iter().map(|t| t.index).collect();
    let named = Inventory::new(&plan.execution, &tasks, &manifests, &[]);
    warnings.extend(named.warnings);
    let mut completeness = Completeness {
        shards_expected: parts.iter().map(|p| p.shards).sum(),
        ..named.completeness
    };

    let accounts = accounts(objects, &keys, parts).await?;
    let mut merger = Merger::new(&plan.execution, Vec::new()).map_err(failed)?;
    let files = parts.iter().map(|p| keys.merge_part(p.part));
    let mut files = pin!(prefetch::read_few(objects, files));
    for (at, (part, account)) in parts.iter().zip(&accounts).enumerate() {
        let file = files.next().await.unwrap_or(Ok(None));
        match add_part(&mut merger, account.as_ref(), file).map_err(failed)? {
            Ok(account) => {
                completeness.shards_merged += account.completeness.shards_merged;
                warnings.extend(account.warnings.iter().cloned());
                let excluded = &account.completeness.shards_excluded;
                completeness
                    .shards_excluded
                    .extend(excluded.iter().cloned());
            }
            Err(reason) => {
                let reason = format!("part {} of the merge {reason}", part.part);
                exclude_part(objects, &keys, part, &reason, &mut completeness).await?;
            }
        }
        // Whatever ends before the first window of all later parts is complete.
        let later = accounts[at + 1..].iter().flatten().filter(|a| a.rows > 0);
        if let Some(until) = later.map(|a| a.start_ms).min() {
            merger.advance(until).map_err(failed)?;
        }
    }
    let merged = merger.finish().map_err(failed)?;
    late(&named.wanted, &merged.meta.sources, &mut completeness);
    completeness
        .shards_excluded
        .sort_by_key(|e| (e.seq, e.task));
    if let Some(stated) = named.stated {
        completeness.disagreements = stated.disagreements(&completeness, &merged.totals);
    }
    objects.put(&merged_key, merged.out.into()).await?;
    Ok(Collected {
        duration: measured(&merged.meta, merged.rows, started_ms),
        totals: merged.totals,
        completeness,
        manifests: manifests.into_values().collect(),
        warnings,
    })
}

/// Adds the file of a part; the inner error says why it is left out.
fn add_part<'a>(
    merger: &mut Merger<Vec<u8>>,
    account: std::result::Result<&'a PartAccount, &String>,
    file: floodgate_store::Result<Option<Bytes>>,
) -> std::result::Result<std::result::Result<&'a PartAccount, String>, MergeError> {
    let account = match account {
        Ok(account) => account,
        Err(reason) => return Ok(Err(reason.clone())),
    };
    let bytes = match file {
        Ok(Some(bytes)) => bytes,
        Ok(None) => return Ok(Err("is missing".into())),
        Err(error) => return Ok(Err(error.to_string())),
    };
    let shard = match decode(&bytes) {
        Ok(shard) => shard,
        Err(error) => return Ok(Err(error.to_string())),
    };
    match merger.push(&shard) {
        Ok(_) => Ok(Ok(account)),
        Err(error @ MergeError::Write(_)) => Err(error),
        Err(error) => Ok(Err(error.to_string())),
    }
}

/// The account of each part, or why there is none.
async fn accounts(
    objects: &dyn ObjectStore,
    keys: &ExecutionKeys,
    parts: &[Part],
) -> Result<Vec<std::result::Result<PartAccount, String>>> {
    let all = parts.iter().map(|p| keys.merge_account(p.part));
    let mut all = pin!(prefetch::read(objects, all));
    let mut accounts = Vec::with_capacity(parts.len());
    while let Some(object) = all.next().await {
        accounts.push(match object? {
            Some(bytes) => serde_json::from_slice(&bytes)
                .map_err(|error| format!("has an unreadable summary: {error}")),
            None => Err("was not carried out".into()),
        });
    }
    Ok(accounts)
}

async fn exclude_part(
    objects: &dyn ObjectStore,
    keys: &ExecutionKeys,
    part: &Part,
    reason: &str,
    completeness: &mut Completeness,
) -> Result<()> {
    let listed: Option<Vec<Listed>> = json::get(objects, &keys.merge_list(part.part)).await?;
    let excluded = listed
        .unwrap_or_default()
        .into_iter()
        .map(|l| ExcludedShard {
            task: l.0,
            seq: l.1,
            reason: reason.to_owned(),
        });
    completeness.shards_excluded.extend(excluded);
    Ok(())
}

/// Shards that a manifest names and that no part has: it was written after the merge had been split.
fn late(named: &[Wanted], merged: &Sources, completeness: &mut Completeness) {
    let excluded: BTreeSet<(u32, u32)> = completeness
        .shards_excluded
        .iter()
        .map(|e| (e.task, e.seq))
        .collect();
    for w in named {
        if !merged.contains(w.task, w.seq) && !excluded.contains(&(w.task, w.seq)) {
            completeness.shards_expected += 1;
            completeness.shards_excluded.push(ExcludedShard {
                task: w.task,
                seq: w.seq,
                reason: "was written after the merge had begun".into(),
            });
        }
    }
}
