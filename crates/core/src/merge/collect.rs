//! What was expected against what was received, while shards are added up. The caller does the I/O: it asks for
//! [`Collector::wanted`], reads each object and hands it to [`Collector::supply`].

use super::{MergeError, Merged, Merger, Totals};
use crate::shard::{Content, Shard, Sources, decode, sha256_hex};
use floodgate_records::execution::{Completeness, ExcludedShard};
use floodgate_records::keys::OBSERVER;
use floodgate_records::manifest::Manifest;
use floodgate_records::metric::{Builtin, Tags};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

/// How many missing numbers of a task are listed: a bound for senseless object names.
const MAX_GAPS: u32 = 100_000;

/// A shard that has to be merged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Its task.
    pub task: u32,
    /// Its number.
    pub seq: u32,
    /// The SHA-256 that the task's manifest states; without one the file's own checksum stands for its content.
    pub sha256: Option<String>,
}

/// What an execution should have written, before any of it is read.
#[derive(Clone, Debug)]
pub struct Inventory {
    /// The shards to merge: by number, then by task, so that windows close early.
    pub wanted: Vec<Wanted>,
    /// Tasks expected, reported and lost, and how many shards are expected.
    pub completeness: Completeness,
    /// What does not fit together.
    pub warnings: Vec<String>,
    /// What all manifests add up to, if every task has one.
    pub stated: Option<Stated>,
}

/// What the manifests of all tasks say that they wrote.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stated {
    /// Requests.
    pub requests: u64,
    /// Complete iterations.
    pub iterations: u64,
    /// Dropped iterations.
    pub dropped: u64,
}

impl Stated {
    fn add(&mut self, totals: &floodgate_records::manifest::Totals) {
        let add = |to: &mut u64, n: u64| *to = to.saturating_add(n);
        add(&mut self.requests, totals.http_reqs);
        add(&mut self.iterations, totals.iterations);
        add(&mut self.dropped, totals.dropped_iterations);
    }

    /// Where the merged data of all shards differs, a sentence each. With shards missing nothing can be said.
    pub fn disagreements(&self, completeness: &Completeness, totals: &Totals) -> Vec<String> {
        if completeness.shards_merged != completeness.shards_expected {
            return Vec::new();
        }
        let counts = [
            (Builtin::HttpReqs, self.requests, "requests"),
            (Builtin::Iterations, self.iterations, "iterations"),
            (
                Builtin::DroppedIterations,
                self.dropped,
                "dropped iterations",
            ),
        ];
        let differing = counts.into_iter().filter_map(|(metric, stated, what)| {
            let found = totals.sum_of(metric.name(), &Tags::new());
            // What was added, not how often: readers of engines add zeros, so that there is a series.
            let found = found.map_or(0, |all| all.sum as u64);
            (found != stated).then(|| {
                format!("the manifests account for {stated} {what}, the shards for {found}")
            })
        });
        differing.collect()
    }
}

impl Inventory {
    /// From the tasks of the plan, the manifests that could be read (by task) and the task and number of each shard that was
    /// found. Shards that no manifest names count as well: a killed task has none, and a late shard may follow it.
    pub fn new(
        execution: &str,
        tasks: &[u32],
        manifests: &BTreeMap<u32, Manifest>,
        found: &[(u32, u32)],
    ) -> Self {
        let mut completeness = Completeness {
            tasks_expected: tasks.len() as u32,
            ..Completeness::default()
        };
        let mut warnings = Vec::new();
        let mut wanted: BTreeMap<(u32, u32), Option<String>> = BTreeMap::new();
        let mut stated = Some(Stated::default());
        let planned: BTreeSet<u32> = tasks.iter().copied().collect();
        let mut found_of: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for &(task, seq) in found {
            found_of.entry(task).or_default().push(seq);
        }
        for &task in &planned {
            let found = found_of.remove(&task).unwrap_or_default();
            let manifest = manifests.get(&task).filter(|manifest| {
                let fits = manifest.execution == execution && manifest.task == task;
                if !fits {
                    let (of, number) = (&manifest.execution, manifest.task);
                    warnings.push(format!(
                        "manifest of task {task} is that of task {number} of {of:?}: ignored"
                    ));
                }
                fits
            });
            // A task numbers its shards without a gap: a number that was skipped is a shard that was lost.
            let end = found.iter().max().map_or(0, |last| last.saturating_add(1));
            let end = end.min(found.len() as u32 + MAX_GAPS);
            wanted.extend((0..end).chain(found).map(|seq| ((seq, task), None)));
            if let Some(manifest) = manifest {
                completeness.tasks_reported += 1;
                if let Some(stated) = &mut stated {
                    stated.add(&manifest.totals);
                }
                wanted.extend(
                    manifest
                        .shards
                        .iter()
                        .map(|s| ((s.seq, task), Some(s.sha256.clone()))),
                );
            } else {
                completeness.tasks_lost.push(task);
                stated = None;
            }
        }
        // What other systems told has no manifest; how many values there should be is known elsewhere.
        let observed = found_of.remove(&OBSERVER).unwrap_or_default();
        let observed = observed.into_iter().map(|seq| ((seq, OBSERVER), None));
        wanted.extend(observed);
        for (task, numbers) in found_of {
            warnings.extend(numbers.into_iter().map(|seq| {
                format!("shard {seq} of task {task}: the plan has no such task; it is left out")
            }));
        }
        completeness.shards_expected = wanted.len() as u64;
        let wanted = wanted
            .into_iter()
            .map(|((seq, task), sha256)| Wanted { task, seq, sha256 })
            .collect();
        Self {
            wanted,
            completeness,
            warnings,
            stated,
        }
    }

    /// These shards and nothing else, in this order: a part of a larger merge, which knows of the tasks.
    pub fn of_shards(wanted: Vec<Wanted>) -> Self {
        let completeness = Completeness {
            shards_expected: wanted.len() as u64,
            ..Completeness::default()
        };
        Self {
            wanted,
            completeness,
            warnings: Vec::new(),
            stated: None,
        }
    }
}

/// Adds up the shards of an execution and keeps account of them.
#[derive(Debug)]
pub struct Collector<W: Write + Send> {
    merger: Merger<W>,
    execution: String,
    wanted: Vec<Wanted>,
    completeness: Completeness,
    warnings: Vec<String>,
    stated: Option<Stated>,
    /// The shards' number that is being supplied, and the earliest end among them.
    round: Option<(u32, i64)>,
}

/// What came of it.
#[derive(Debug)]
pub struct Collected<W> {
    /// Totals and merged file.
    pub merged: Merged<W>,
    /// Expected against received.
    pub completeness: Completeness,
    /// What does not fit together.
    pub warnings: Vec<String>,
}

impl<W: Write + Send> Collector<W> {
    /// Begins with what [`Inventory::new`] makes of these.
    ///
    /// # Errors
    /// [`MergeError::Write`] if `out` cannot be written.
    pub fn new(
        execution: &str,
        tasks: &[u32],
        manifests: &BTreeMap<u32, Manifest>,
        found: &[(u32, u32)],
        out: W,
    ) -> Result<Self, MergeError> {
        let inventory = Inventory::new(execution, tasks, manifests, found);
        Self::of(execution, inventory, out)
    }

    /// Begins with an inventory.
    ///
    /// # Errors
    /// [`MergeError::Write`] if `out` cannot be written.
    pub fn of(execution: &str, inventory: Inventory, out: W) -> Result<Self, MergeError> {
        Ok(Self {
            merger: Merger::new(execution, out)?,
            execution: execution.to_owned(),
            wanted: inventory.wanted,
            completeness: inventory.completeness,
            warnings: inventory.warnings,
            stated: inventory.stated,
            round: None,
        })
    }

    /// The shards to supply, in this order: by number, then by task, so that windows close early.
    pub fn wanted(&self) -> Vec<Wanted> {
        self.wanted.clone()
    }

    /// Takes the object of a wanted shard: its bytes, `None` if it is not there, or why it could not be read. A shard that is
    /// missing, damaged or not what it should be is left out and listed with the reason.
    ///
    /// # Errors
    /// [`MergeError::Write`] if the merged file cannot be written.
    pub fn supply(
        &mut self,
        wanted: &Wanted,
        object: Result<Option<&[u8]>, String>,
    ) -> Result<(), MergeError> {
        match self.round {
            Some((seq, end_ms)) if seq < wanted.seq => {
                self.merger.advance(end_ms)?;
                self.round = None;
            }
            _ => {}
        }
        let result = object.and_then(|bytes| self.check(wanted, bytes));
        let outcome = match result {
            Ok(shard) => {
                let end_ms = self
                    .round
                    .map_or(shard.meta.end_ms, |(_, end)| end.min(shard.meta.end_ms));
                self.round = Some((wanted.seq, end_ms));
                match self.merger.push(&shard) {
                    Ok(new) => {
                        self.completeness.shards_merged += u64::from(new);
                        return Ok(());
                    }
                    Err(error @ MergeError::Write(_)) => return Err(error),
                    Err(error) => error.to_string(),
                }
            }
            Err(reason) => reason,
        };
        self.completeness.shards_excluded.push(ExcludedShard {
            task: wanted.task,
            seq: wanted.seq,
            reason: outcome,
        });
        Ok(())
    }

    /// The shard, if it is what it should be.
    fn check(&self, wanted: &Wanted, bytes: Option<&[u8]>) -> Result<Shard, String> {
        let bytes = bytes.ok_or("missing")?;
        if let Some(expected) = &wanted.sha256 {
            let found = sha256_hex(bytes);
            if found != *expected {
                return Err(format!("has SHA-256 {found}, its manifest says {expected}"));
            }
        }
        let shard = decode(bytes).map_err(|error| error.to_string())?;
        let meta = &shard.meta;
        if meta.content != Content::Shard || meta.sources != Sources::one(wanted.task, wanted.seq) {
            let (content, sources) = (meta.content.as_str(), &meta.sources);
            return Err(format!("says that it is the {content} {sources}"));
        }
        if meta.execution != self.execution {
            return Err(format!(
                "says that it belongs to execution {:?}",
                meta.execution
            ));
        }
        Ok(shard)
    }

    /// Ends the merge. A wanted shard that was never supplied counts as missing.
    ///
    /// # Errors
    /// [`MergeError::Write`] if the merged file cannot be written.
    pub fn finish(mut self) -> Result<Collected<W>, MergeError> {
        let merged = self.merger.finish()?;
        if let Some(stated) = self.stated {
            self.completeness.disagreements =
                stated.disagreements(&self.completeness, &merged.totals);
        }
        Ok(Collected {
            merged,
            completeness: self.completeness,
            warnings: self.warnings,
        })
    }
}
