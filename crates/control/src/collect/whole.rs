//! Shards that are merged at once.

use crate::error::{ControlError, Result};
use crate::prefetch;
use bytes::Bytes;
use floodgate_core::merge::{self, Collector, Inventory, MergeError, Totals};
use floodgate_core::shard::ShardMeta;
use floodgate_records::execution::Completeness;
use floodgate_records::keys::ExecutionKeys;
use floodgate_records::manifest::Manifest;
use floodgate_store::ObjectStore;
use futures_util::StreamExt;
use std::pin::pin;
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

/// From the common start to the end of the merged windows.
pub(super) fn measured(meta: &ShardMeta, rows: u64, started_ms: Option<i64>) -> Duration {
    let end_ms = if rows > 0 { meta.end_ms } else { 0 };
    let measured_ms = end_ms.saturating_sub(started_ms.unwrap_or(end_ms));
    Duration::from_millis(u64::try_from(measured_ms).unwrap_or(0))
}

/// Adds up the shards of an inventory; `key` is where the result will lie, for messages.
pub(super) async fn merge_shards(
    objects: &dyn ObjectStore,
    execution: &str,
    keys: &ExecutionKeys,
    inventory: Inventory,
    key: &str,
) -> Result<merge::Collected<Vec<u8>>> {
    let failed = |e: MergeError| ControlError::Corrupt {
        key: key.to_owned(),
        source: e.into(),
    };
    let wanted = inventory.wanted.clone();
    let mut collector = Collector::of(execution, inventory, Vec::new()).map_err(failed)?;
    let shards = wanted.iter().map(|w| keys.shard(w.task, w.seq));
    let mut shards = pin!(prefetch::read(objects, shards));
    for wanted in &wanted {
        let object = shards.next().await.unwrap_or(Ok(None));
        let object = object.map_err(|e| e.to_string());
        let bytes: std::result::Result<Option<&Bytes>, _> = object.as_ref().map(Option::as_ref);
        let bytes = bytes.map(|b| b.map(|b| &b[..])).map_err(Clone::clone);
        collector.supply(wanted, bytes).map_err(failed)?;
    }
    collector.finish().map_err(failed)
}
