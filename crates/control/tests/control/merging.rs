//! Merging in parts gives what merging at once gives.

use crate::support::*;
use floodgate_control::collect::{MergeLimits, Part, collect_part, plan_parts};
use floodgate_control::{Closing, Finished, Prepared, finish_with};
use floodgate_core::shard::{Content, Row, decode, encode, sha256_hex};
use floodgate_records::manifest::{ShardEntry, TaskOutcome};
use floodgate_records::metric::{Builtin, SeriesKey, Tags};
use floodgate_store::ObjectStore;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What may be wrong with a shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Harm {
    Missing,
    Damaged,
    /// Its windows are those of the shard after it, as of a task that flushes late.
    Late,
}

/// What the tasks of a run have left.
#[derive(Clone, Debug)]
struct Remains {
    tasks: u32,
    shards: u32,
    harms: BTreeMap<(u32, u32), Harm>,
    /// A task without a manifest.
    killed: Option<u32>,
}

fn remains() -> impl Strategy<Value = Remains> {
    let harm = prop_oneof![Just(Harm::Missing), Just(Harm::Damaged), Just(Harm::Late)];
    let harms = prop::collection::btree_map((0u32..5, 0u32..6), harm, 0..5);
    (1u32..5, 1u32..7, harms, prop::option::of(0u32..4)).prop_map(
        |(tasks, shards, harms, killed)| Remains {
            tasks,
            shards,
            harms,
            killed,
        },
    )
}

fn load(task: u32, seq: u32) -> Load {
    Load {
        per_s: 1 + u64::from((task * 7 + seq * 3) % 5),
        response_us: 1_000 * u64::from(1 + task + 2 * seq),
        failed_per_s: 0,
    }
}

/// A gauge is not a sum: it shows whether windows are put together over all tasks before they follow each other.
fn vus(time_ms: i64, value: f64) -> Row {
    let key = SeriesKey {
        metric: Builtin::Vus.name().into(),
        kind: Builtin::Vus.kind(),
        tags: Tags::new(),
    };
    Row {
        time_ms,
        window_s: 1,
        key: Arc::new(key),
        count: 1,
        sum: value,
        min: value,
        max: value,
        histogram: None,
    }
}

impl Remains {
    async fn write(&self, run: &Run<'_>) {
        let late = self.harms.values().any(|h| *h == Harm::Late);
        for task in 0..self.tasks {
            let mut entries = Vec::new();
            for seq in 0..self.shards {
                let harm = self.harms.get(&(task, seq));
                let at = u64::from(seq + u32::from(harm == Some(&Harm::Late))) * 5;
                let mut all = Vec::new();
                for second in at..at + 5 {
                    let time_ms = START + second as i64 * 1_000;
                    all.extend(rows(load(task, seq), time_ms, 1, 1));
                    // A window that was closed before a late row came has two rows: then the order of gauges is another.
                    if !late {
                        all.push(vus(time_ms, f64::from(task + 1) * 10.0 + second as f64));
                    }
                }
                let meta = run.meta(Content::Shard, task, seq, at..at + 5);
                let bytes = encode(&meta, &all).unwrap();
                entries.push(ShardEntry {
                    seq,
                    rows: all.len() as u64,
                    bytes: bytes.len() as u64,
                    sha256: sha256_hex(&bytes),
                });
                match harm {
                    Some(Harm::Missing) => {}
                    Some(Harm::Damaged) => run.put(&run.keys.shard(task, seq), "damaged").await,
                    _ => run.put(&run.keys.shard(task, seq), bytes).await,
                }
            }
            if self.killed != Some(task) {
                let manifest = run.manifest(task, load(task, 0), entries, TaskOutcome::Completed);
                run.write_manifest(&manifest).await;
            }
        }
    }
}

async fn parts(run: &Run<'_>, limits: MergeLimits) -> Vec<Part> {
    let objects = run.folder.stores.objects.as_ref();
    let plan = &run.prepared.plan;
    let parts = plan_parts(objects, plan, limits).await.unwrap();
    for part in parts.iter().flatten() {
        collect_part(objects, &part.project, &part.execution, part.part)
            .await
            .unwrap();
    }
    parts.unwrap_or_default()
}

async fn end(run: &Run<'_>, in_parts: bool) -> Finished {
    let Prepared { plan, .. } = &run.prepared;
    let closing = Closing {
        in_parts,
        ..Closing::default()
    };
    let stores = &run.folder.stores;
    finish_with(stores, plan, &run.definition, &closing, NOW + 60_000)
        .await
        .unwrap()
}

/// Samples and sums of the merged series, by series and window.
async fn series(run: &Run<'_>) -> BTreeMap<(String, i64), (u64, f64)> {
    let key = run.keys.merged();
    let bytes = run.folder.store.get(&key).await.unwrap().unwrap();
    let mut all = BTreeMap::new();
    for row in decode(&bytes).unwrap().rows {
        let (count, sum) = all
            .entry((row.key.to_string(), row.time_ms))
            .or_insert((0, 0.0));
        *count += row.count;
        *sum += row.sum;
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn parts_give_what_the_whole_gives(remains in remains(), shards in 1u64..12) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (whole, tree) = runtime.block_on(async {
            let mut results = Vec::new();
            for in_parts in [false, true] {
                let folder = Folder::new();
                let mut run = folder.run(ID, definition(&[("http_reqs", "count>1")]), remains.tasks).await;
                run.start().await;
                remains.write(&run).await;
                let limits = MergeLimits { shards, ..MergeLimits::default() };
                let split = if in_parts { parts(&run, limits).await } else { Vec::new() };
                let finished = end(&run, !split.is_empty()).await;
                results.push((finished.summary, series(&run).await));
            }
            let tree = results.pop().unwrap();
            (results.pop().unwrap(), tree)
        });
        prop_assert_eq!(whole.1, tree.1);
        prop_assert_eq!(whole.0, tree.0);
    }
}

#[tokio::test]
async fn shards_of_a_part_that_is_lost_are_excluded_with_the_reason() {
    let folder = Folder::new();
    let mut run = folder.run(ID, definition(&[]), 2).await;
    run.start().await;
    let remains = Remains {
        tasks: 2,
        shards: 4,
        harms: BTreeMap::new(),
        killed: None,
    };
    remains.write(&run).await;
    let limits = MergeLimits {
        shards: 2,
        ..MergeLimits::default()
    };
    let parts = parts(&run, limits).await;
    let spans: Vec<(u32, u32, u64)> = parts.iter().map(|p| (p.from, p.to, p.shards)).collect();
    assert_eq!(spans, [(0, 1, 2), (1, 2, 2), (2, 3, 2), (3, 4, 2)]);
    let objects = &folder.stores.objects;
    objects.delete(&run.keys.merge_account(1)).await.unwrap();
    objects.delete(&run.keys.merge_part(3)).await.unwrap();
    let completeness = end(&run, true).await.summary.completeness;
    assert_eq!(
        (completeness.shards_expected, completeness.shards_merged),
        (8, 4)
    );
    let excluded: Vec<String> = completeness
        .shards_excluded
        .iter()
        .map(|e| format!("{} {} {}", e.task, e.seq, e.reason))
        .collect();
    assert_eq!(
        excluded,
        [
            "0 1 part 1 of the merge was not carried out",
            "1 1 part 1 of the merge was not carried out",
            "0 3 part 3 of the merge is missing",
            "1 3 part 3 of the merge is missing",
        ]
    );
}

#[tokio::test]
async fn a_shard_that_comes_after_the_split_is_missed_and_not_forgotten() {
    let folder = Folder::new();
    let mut run = folder.run(ID, definition(&[]), 1).await;
    run.start().await;
    let remains = Remains {
        tasks: 1,
        shards: 3,
        harms: BTreeMap::new(),
        killed: Some(0),
    };
    remains.write(&run).await;
    let limits = MergeLimits {
        shards: 2,
        ..MergeLimits::default()
    };
    assert_eq!(parts(&run, limits).await.len(), 2);
    let remains = Remains {
        shards: 4,
        killed: None,
        ..remains
    };
    remains.write(&run).await;
    let completeness = end(&run, true).await.summary.completeness;
    assert_eq!(
        (completeness.shards_expected, completeness.shards_merged),
        (4, 3)
    );
    assert_eq!(
        completeness.shards_excluded[0].reason,
        "was written after the merge had begun"
    );
}
