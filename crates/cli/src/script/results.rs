//! Result files of other tools, read in constant memory and written as the shards of a task.

use super::source::ResultsFile;
use crate::error::{CliError, Result};
use bytes::Bytes;
use floodgate_control::{Stores, json};
use floodgate_core::definition::Definition;
use floodgate_core::execution::redact::Redactor;
use floodgate_core::fold::Folding;
use floodgate_core::shard::{Content, Row, ShardMeta, Sources, encode};
use floodgate_engines::Collector;
use floodgate_engines::collector::Settings;
use floodgate_records::failure::FailureLog;
use floodgate_records::keys::ExecutionKeys;
use floodgate_records::manifest::{Health, Manifest, ShardEntry, TaskOutcome};
use floodgate_records::metric::Tags;
use floodgate_records::plan::Plan;
use std::io::Read;
use std::sync::Arc;

/// What is read at once.
const PIECE: usize = 1 << 20;
/// How far samples may be out of order in time before they take a second row of their window.
const DISORDER_MS: i64 = 60_000;
/// What no run takes, in days.
const LONGEST_DAYS: i64 = 366;
/// Rows of a shard.
const SHARD_ROWS: usize = 20_000;

/// What became of a file.
#[derive(Debug)]
pub(crate) struct Imported {
    /// The task's account.
    pub(crate) manifest: Manifest,
    /// The first second with a sample, Unix ms.
    pub(crate) first_ms: Option<i64>,
    /// Why not all of it could be read.
    pub(crate) problem: Option<String>,
}

/// Reads a file as one task of a run.
///
/// # Errors
/// What the store refuses. A file that cannot be read to its end is part of the account.
pub(crate) async fn import_file(
    mut source: ResultsFile,
    definition: &Definition,
    plan: &Plan,
    keys: &ExecutionKeys,
    task: u32,
    stores: &Stores,
) -> Result<Imported> {
    let mut collector = Collector::new(Settings {
        // Windows are whole seconds of the clock: the start is known when all of it has been read.
        origin_ms: 0,
        max_series: definition.run.max_series,
        folding: Arc::new(Folding::of(definition)),
        tags: Tags(definition.tags.clone()),
    });
    let mut writer = Writer {
        plan,
        keys,
        task,
        stores,
        shards: Vec::new(),
        rows: Vec::new(),
        first_ms: None,
    };
    let (mut warnings, mut problem) = (Vec::new(), None);
    let mut failures = Failures {
        log: FailureLog::new(),
        redactor: Redactor::new(&definition.run.redact, []),
        task,
    };
    let mut piece = std::mem::take(&mut source.head);
    while !piece.is_empty() && problem.is_none() {
        if let Err(error) = source.reader.push(&piece, &mut collector) {
            problem = Some(error.to_string());
        }
        failures.keep(&mut collector);
        if let Some(latest) = collector.latest_ms() {
            collector.close(latest - DISORDER_MS, &mut writer.rows);
        }
        if writer.rows.len() >= SHARD_ROWS {
            writer.write(collector.latest_ms()).await?;
        }
        piece.resize(PIECE, 0);
        match source.file.read(&mut piece) {
            Ok(read) => piece.truncate(read),
            Err(error) => {
                piece.clear();
                problem.get_or_insert_with(|| error.to_string());
            }
        }
    }
    match source.reader.finish(&mut collector) {
        Ok(mut said) => warnings.append(&mut said),
        Err(error) => {
            problem.get_or_insert_with(|| error.to_string());
        }
    }
    failures.keep(&mut collector);
    failures.write(keys, stores).await?;
    collector.finish(&mut writer.rows);
    writer.write(collector.latest_ms()).await?;
    let problem = problem.or_else(|| too_far(writer.first_ms?, collector.latest_ms()?));
    let problem = problem.map(|problem| format!("{}: {problem}", source.path.display()));
    let outcome = match &problem {
        Some(error) => TaskOutcome::Failed {
            error: error.clone(),
        },
        // What would have followed is not known: it may be one sample, or half of the run.
        None if collector.is_cut() => TaskOutcome::Stopped {
            by: format!("the end of {}, within a record", source.path.display()),
        },
        None => TaskOutcome::Completed,
    };
    let Writer {
        shards, first_ms, ..
    } = writer;
    Ok(Imported {
        manifest: Manifest {
            schema: Manifest::SCHEMA,
            execution: plan.execution.clone(),
            task,
            outcome,
            planned_start_ms: 0,
            start_skew_us: 0,
            ended_ms: collector.latest_ms().unwrap_or(plan.deadline_ms),
            connections: Default::default(),
            shards,
            unwritten: None,
            totals: collector.totals(),
            durations: collector.durations(),
            script: Default::default(),
            kept_tags: collector.kept_tags(),
            health: Health::default(),
            warnings,
        },
        first_ms,
        problem,
    })
}

/// Why samples are none that one run can have: rates over all of the time between them would be next to nothing, and hold of what they should not.
pub(crate) fn too_far(first_ms: i64, latest_ms: i64) -> Option<String> {
    let days = latest_ms.saturating_sub(first_ms) / 86_400_000;
    (days > LONGEST_DAYS).then(|| {
        format!(
            "its samples lie {days} days apart, more than {LONGEST_DAYS}: a clock was wrong, or there is more than one run in the file; \
             give those of one run"
        )
    })
}

/// The samples of failures of a file.
struct Failures {
    log: FailureLog,
    redactor: Redactor,
    task: u32,
}

impl Failures {
    fn keep(&mut self, collector: &mut Collector) {
        let (samples, left_out) = collector.take_failures();
        self.log.left_out += left_out;
        for mut sample in samples {
            sample.task = self.task;
            self.redactor.redact(&mut sample);
            self.log.add(sample);
        }
    }

    async fn write(&self, keys: &ExecutionKeys, stores: &Stores) -> Result<()> {
        if self.log.is_empty() {
            return Ok(());
        }
        let key = keys.task_failures(self.task);
        stores
            .objects
            .put(&key, json::bytes(&key, &self.log)?)
            .await?;
        Ok(())
    }
}

struct Writer<'a> {
    plan: &'a Plan,
    keys: &'a ExecutionKeys,
    task: u32,
    stores: &'a Stores,
    shards: Vec<ShardEntry>,
    rows: Vec<Row>,
    first_ms: Option<i64>,
}

impl Writer<'_> {
    /// Writes the rows as a shard; the last window ends with the last sample, so that rates are per second of what was covered.
    async fn write(&mut self, latest_ms: Option<i64>) -> Result<()> {
        let start = self.rows.iter().map(|row| row.time_ms).min();
        let end = |row: &Row| row.time_ms + i64::from(row.window_s) * 1_000;
        let (Some(start_ms), Some(end_ms)) = (start, self.rows.iter().map(end).max()) else {
            return Ok(());
        };
        let end_ms = latest_ms.map_or(end_ms, |latest| end_ms.min(latest + 1).max(start_ms));
        let seq = u32::try_from(self.shards.len()).unwrap_or(u32::MAX);
        let meta = ShardMeta {
            content: Content::Shard,
            execution: self.plan.execution.clone(),
            segment: format!("{}", self.task),
            sources: Sources::one(self.task, seq),
            start_ms,
            end_ms,
        };
        let key = self.keys.shard(self.task, seq);
        let bytes = encode(&meta, &self.rows).map_err(|error| CliError::write(&key, error))?;
        self.shards
            .push(floodgate_core::shard::entry(seq, self.rows.len(), &bytes));
        self.stores.objects.put(&key, Bytes::from(bytes)).await?;
        // Windows of ten seconds begin before the first sample; those of one second tell when it was.
        let first = self.rows.iter().filter(|row| row.window_s == 1);
        let first = first.map(|row| row.time_ms).min();
        self.first_ms = self.first_ms.into_iter().chain(first).min();
        self.rows.clear();
        Ok(())
    }
}
