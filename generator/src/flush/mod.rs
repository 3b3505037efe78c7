//! The flusher: one thread a task that turns full windows of its workers into shards and live objects.

mod outbox;
mod output;
mod rows;
mod series;
#[cfg(test)]
mod tests;

pub(crate) use outbox::spool;
pub use outbox::{Delivered, Delivery, Outbox, outbox};
pub(crate) use output::Output;

use crate::clock::Nanos;
use crate::health::{CpuMeter, count_second};
use crate::limits::TaskLimits;
use crate::recorder::Sample;
use crate::recorder::{Closed, Window};
use floodgate_core::execution::redact::Redactor;
use floodgate_core::shard::{Content, Row, ShardMeta, Sources, encode};
use floodgate_records::failure::FailureLog;
use floodgate_records::manifest::{Health, Totals};
use series::SeriesTable;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

/// What a flusher has to know.
#[derive(Clone, Debug)]
pub struct FlushConfig {
    /// The execution's id.
    pub execution: String,
    /// The task.
    pub task: u32,
    /// The task's share, as text for a shard's metadata.
    pub segment: String,
    /// Start of the run, Unix ms; windows count from here, on every task.
    pub start_ms: i64,
    /// Seconds between two shards.
    pub flush_s: u64,
    /// Seconds of a window of the trends that are not kept by the second: [`floodgate_core::shard::PHASE_WINDOW_S`], or less where shards
    /// are shorter, so that a shard has all of its time.
    pub phase_s: u32,
    /// Seconds after the start at which the sums of live objects begin anew, the earlier ones first: when something begins or ends that may end
    /// the run.
    pub marks: Vec<u64>,
    /// Between two live objects.
    pub live: Duration,
    /// Threads that send load.
    pub workers: usize,
    /// CPUs that they can use.
    pub usable_cpus: f64,
    /// What the task may use, for its account.
    pub limits: TaskLimits,
    /// Leaves out of samples what must not be seen in them.
    pub redactor: Arc<Redactor>,
}

/// What a flusher leaves to the manifest.
#[derive(Debug)]
pub struct Flushed {
    /// What went wrong.
    pub warnings: Vec<String>,
    /// Totals over all windows.
    pub totals: Totals,
    /// Metrics of durations beside those that every run knows.
    pub durations: Vec<String>,
    /// CPU figures; limits and lag are the task's to add.
    pub health: Health,
}

/// Runs until every worker has sent its last window. `recycle` has one channel a worker, for windows to be used again.
pub fn run(
    config: FlushConfig,
    outbox: Outbox,
    windows: &Receiver<Closed>,
    recycle: Vec<Sender<Window>>,
) -> Flushed {
    let (_, held) = std::sync::mpsc::channel();
    run_held(config, outbox, (windows, &held), recycle)
}

/// The same, and gives signs of life after that, until the other end of `held` is gone: the task has more to do.
pub(crate) fn run_held(
    config: FlushConfig,
    outbox: Outbox,
    (windows, held): (&Receiver<Closed>, &Receiver<Infallible>),
    recycle: Vec<Sender<Window>>,
) -> Flushed {
    let mut flusher = Flusher::new(config, outbox, recycle);
    while flusher.open_workers > 0 {
        let wait = flusher.next_live.saturating_duration_since(Instant::now());
        match windows.recv_timeout(wait) {
            Ok(closed) => flusher.take(closed),
            Err(RecvTimeoutError::Timeout) => flusher.write_live(),
            // A worker that died without its last window: what the others have said is still written.
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    flusher.finish(held)
}

struct Flusher {
    config: FlushConfig,
    output: Output,
    series: SeriesTable,
    recycle: Vec<Sender<Window>>,
    /// The first second that a worker may still send.
    reached: Vec<u64>,
    open_workers: usize,
    /// Windows that wait for other workers to reach the same second.
    waiting: BTreeMap<u64, Vec<Closed>>,
    /// The first second that has not been turned into rows.
    next_second: u64,
    /// When the last of the workers that have ended did so, in ns after the start.
    ended: Nanos,
    meter: CpuMeter,
    health: Health,
    totals: Totals,
    next_live: Instant,
    live_seq: u32,
    /// The last mark, and the sums before it.
    mark: u64,
    marked: Vec<Row>,
    failures: FailureLog,
    /// Whether the store lacks some of them.
    new_failures: bool,
}

impl Flusher {
    fn new(config: FlushConfig, outbox: Outbox, recycle: Vec<Sender<Window>>) -> Self {
        Self {
            output: Output::new(outbox, config.task),
            series: SeriesTable::new(config.workers, config.task),
            reached: vec![0; config.workers],
            open_workers: config.workers,
            waiting: BTreeMap::new(),
            next_second: 0,
            ended: 0,
            meter: CpuMeter::new(config.usable_cpus),
            health: config.limits.health(config.usable_cpus),
            totals: Totals::default(),
            next_live: Instant::now() + config.live,
            live_seq: 0,
            mark: 0,
            marked: Vec::new(),
            failures: FailureLog::new(),
            new_failures: false,
            recycle,
            config,
        }
    }

    fn take(&mut self, mut closed: Closed) {
        for new in closed.new_series.drain(..) {
            self.series.learn(closed.worker, new);
        }
        for sample in closed.samples.drain(..) {
            self.keep(sample);
        }
        self.reached[closed.worker] = match closed.ended {
            Some(ended) => {
                self.open_workers -= 1;
                self.ended = self.ended.max(ended);
                u64::MAX
            }
            None => closed.second + 1,
        };
        self.waiting.entry(closed.second).or_default().push(closed);
        let complete = self.reached.iter().copied().min().unwrap_or(u64::MAX);
        while let Some(entry) = self.waiting.first_entry()
            && *entry.key() < complete
        {
            let second = *entry.key();
            let windows = entry.remove();
            self.end_second(second, windows);
        }
        if Instant::now() >= self.next_live {
            self.write_live();
        }
    }

    /// Keeps a sample within the bounds, without what must not be seen in it.
    fn keep(&mut self, mut sample: Sample) {
        let inner = sample.inner();
        inner.task = self.config.task;
        inner.at_ms = inner.at_ms.saturating_add(self.config.start_ms);
        self.config.redactor.redact(inner);
        self.new_failures |= match sample {
            Sample::Failure(failure) => self.failures.add(*failure),
            Sample::First(first) => {
                self.failures.first.push(*first);
                true
            }
            Sample::Slow(slow) => {
                self.failures.add_slow(*slow);
                true
            }
        };
    }

    fn write_failures(&mut self) {
        if std::mem::take(&mut self.new_failures) {
            self.output.write_failures(&self.failures);
        }
    }

    /// Turns a second that all workers have left behind into rows.
    fn end_second(&mut self, second: u64, windows: Vec<Closed>) {
        // Seconds in which nothing closed a window have no rows, but they may have been the last of a shard.
        for passed in self.next_second..second {
            self.end_of_intervals(passed);
        }
        for Closed {
            worker, mut window, ..
        } in windows
        {
            self.series.add(worker, &mut window);
            self.totals.folded_samples += window.folded;
            window.clear();
            // A worker that has ended needs no windows any more.
            drop(self.recycle[worker].send(window));
        }
        if let Some(cpu) = self.meter.measure() {
            count_second(&mut self.health, cpu);
            self.series.set_cpu(cpu.share);
        }
        self.series
            .end_second(self.time_of(second), self.output.rows());
        self.end_of_intervals(second);
    }

    fn end_of_intervals(&mut self, second: u64) {
        self.next_second = second + 1;
        if self.config.marks.contains(&self.next_second) {
            self.begin_anew();
        }
        let phase = u64::from(self.config.phase_s);
        if self.next_second.is_multiple_of(phase) {
            self.series.end_phase_window(
                self.phase_window(self.next_second - phase),
                self.output.rows(),
            );
        }
        if self.next_second.is_multiple_of(self.config.flush_s) {
            self.flush();
            self.write_failures();
        }
    }

    /// Ends the sums of live objects, and begins them anew.
    fn begin_anew(&mut self) {
        let begun = self.time_of(self.mark);
        let sums = self.series.sums(begun, self.next_second - self.mark);
        self.marked.extend(sums);
        self.health.exhausted += self.series.exhausted();
        self.series.mark(&mut self.totals);
        self.mark = self.next_second;
    }

    /// When such a window began, Unix ms, and how long it is at most, in seconds.
    fn phase_window(&self, second: u64) -> (i64, u32) {
        (self.time_of(second), self.config.phase_s)
    }

    fn time_of(&self, second: u64) -> i64 {
        self.config.start_ms + i64::try_from(second * 1_000).unwrap_or(i64::MAX / 2)
    }

    fn flush(&mut self) {
        let seq = self.output.next_seq();
        let start = u64::from(seq) * self.config.flush_s;
        // Rates are per second of what was covered: the last second of a run is seldom a whole one.
        let full = self.time_of(self.next_second.max(start));
        let ended =
            self.config.start_ms + i64::try_from(self.ended.div_ceil(1_000_000)).unwrap_or(0);
        let partial = self.open_workers == 0 && (full - 1_000..full).contains(&ended);
        let end_ms = if partial { ended } else { full };
        let meta = ShardMeta {
            content: Content::Shard,
            execution: self.config.execution.clone(),
            segment: self.config.segment.clone(),
            sources: Sources::one(self.config.task, seq),
            // With shards shorter than the windows of phases, the last one may hold nothing but such a window's begin.
            start_ms: self.time_of(start).min(end_ms),
            end_ms,
        };
        self.output.write_shard(&meta);
    }

    fn write_live(&mut self) {
        self.next_live = Instant::now() + self.config.live;
        if self.next_second == 0 {
            return;
        }
        let meta = ShardMeta {
            content: Content::Live,
            execution: self.config.execution.clone(),
            segment: self.config.segment.clone(),
            sources: Sources::one(self.config.task, self.live_seq),
            start_ms: self.config.start_ms,
            end_ms: self.time_of(self.next_second),
        };
        self.live_seq += 1;
        let mut rows = self.marked.clone();
        let sums = self
            .series
            .sums(self.time_of(self.mark), self.next_second - self.mark);
        rows.extend(sums);
        self.series
            .gauges(self.config.start_ms, self.next_second, &mut rows);
        match encode(&meta, &rows) {
            Ok(bytes) => self.output.write_live(bytes),
            Err(error) => self
                .output
                .warn(format!("live object not written: {error}")),
        }
    }

    fn finish(mut self, held: &Receiver<Infallible>) -> Flushed {
        let waiting = std::mem::take(&mut self.waiting);
        for (second, windows) in waiting {
            self.end_second(second, windows);
        }
        let phase = u64::from(self.config.phase_s);
        let begun = self.next_second / phase * phase;
        if begun < self.next_second {
            self.series
                .end_phase_window(self.phase_window(begun), self.output.rows());
        }
        if !self.output.rows().is_empty() {
            self.flush();
        }
        self.write_live();
        self.write_failures();
        while held.recv_timeout(self.config.live) == Err(RecvTimeoutError::Timeout) {
            self.write_live();
        }
        self.series.add_totals(&mut self.totals);
        self.health.exhausted += self.series.exhausted();
        self.health.peak_rss_bytes = crate::health::peak_rss_bytes();
        Flushed {
            warnings: self.output.finish(),
            totals: self.totals,
            durations: self.series.durations(),
            health: self.health,
        }
    }
}
