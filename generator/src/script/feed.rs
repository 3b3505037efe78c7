//! The thread that turns an engine's output into shards and live objects while the engine runs.

use super::output::{Look, OutputSource};
use crate::clock::unix_ms;
use crate::flush::{FlushConfig, Outbox, Output};
use crate::health::{CpuMeter, ProcessCpu, count_second};
use floodgate_core::fold::Folding;
use floodgate_core::shard::{Content, ShardMeta, Sources, encode};
use floodgate_engines::collector::Settings;
use floodgate_engines::{Collector, Reader, Series};
use floodgate_records::failure::FailureLog;
use floodgate_records::manifest::{Health, Totals};
use floodgate_records::metric::{Builtin, Tags};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// A second is closed this long after its end, so that what an engine buffers is in it as a rule. What comes later still counts.
const SETTLE_MS: i64 = 1_500;
/// Between two looks at an output that has nothing new.
const LOOK: Duration = Duration::from_millis(10);
/// The same after at least so many bytes since the last pause: a pipe's usual size. The engine may be waiting for room in it.
const SHORT_LOOK: Duration = Duration::from_millis(1);
const MANY_BYTES: usize = 64 << 10;
/// What is read at once.
const PIECE: usize = 256 << 10;

/// What it has to know.
pub(crate) struct FeedConfig {
    /// The task, its intervals and its start.
    pub(crate) flush: FlushConfig,
    /// Series before new ones fold.
    pub(crate) max_series: u32,
    /// What series past the bound keep.
    pub(crate) folding: Arc<Folding>,
    /// The test's own tags.
    pub(crate) tags: Tags,
    /// The engine's CPU time.
    pub(crate) cpu: ProcessCpu,
}

/// What the feed and the task tell each other.
#[derive(Clone, Debug, Default)]
pub(crate) struct Signals {
    /// The engine has ended: what is there is all.
    pub(crate) ended: Arc<AtomicBool>,
    /// The output cannot be read any more.
    pub(crate) broken: Arc<AtomicBool>,
}

/// What it leaves to the manifest.
#[derive(Debug)]
pub(crate) struct Fed {
    pub(crate) warnings: Vec<String>,
    pub(crate) totals: Totals,
    /// Trends of the engine's own that hold times.
    pub(crate) durations: Vec<String>,
    /// Filters that find all of their samples.
    pub(crate) kept_tags: Vec<Tags>,
    pub(crate) health: Health,
    /// Why reading ended early.
    pub(crate) broken: Option<String>,
    /// When the first sample was taken, in µs after the start of the run.
    pub(crate) began_us: Option<i64>,
}

/// Runs until the engine has ended and all that it wrote is read.
pub(crate) fn feed(
    config: FeedConfig,
    outbox: Outbox,
    mut source: OutputSource,
    reader: Box<dyn Reader>,
    signals: &Signals,
) -> Fed {
    let mut feed = Feed::new(config, outbox, reader);
    let (mut buffer, mut since_pause) = (vec![0; PIECE], 0);
    loop {
        // Looked at before the output is: what was written before the end is read then.
        let ended = signals.ended.load(Ordering::Acquire);
        match source.look(&mut buffer) {
            Ok(Look::Bytes(read)) => {
                since_pause += read;
                feed.read(&buffer[..read]);
            }
            Ok(Look::Nothing) if ended => break,
            Ok(Look::Nothing) => {
                let busy = std::mem::take(&mut since_pause) >= MANY_BYTES;
                std::thread::sleep(if busy { SHORT_LOOK } else { LOOK });
            }
            Err(error) => {
                feed.fail(format!("its output cannot be read: {error}"));
                if ended {
                    break;
                }
                std::thread::sleep(LOOK);
            }
        }
        if feed.broken.is_some() {
            signals.broken.store(true, Ordering::Release);
        }
        feed.keep_time();
    }
    feed.finish()
}

struct Feed {
    config: FlushConfig,
    output: Output,
    collector: Collector,
    reader: Box<dyn Reader>,
    broken: Option<String>,
    began_us: Option<i64>,
    /// Seconds since the start that are closed.
    closed: u64,
    next_live: Instant,
    live_seq: u32,
    meter: CpuMeter,
    cpu: Series,
    health: Health,
    failures: FailureLog,
    /// Whether the store lacks some of them.
    new_failures: bool,
}

impl Feed {
    fn new(config: FeedConfig, outbox: Outbox, reader: Box<dyn Reader>) -> Self {
        let FeedConfig {
            flush: config,
            max_series,
            folding,
            tags,
            cpu,
        } = config;
        let mut collector = Collector::new(Settings {
            origin_ms: config.start_ms,
            max_series,
            folding,
            tags,
        })
        .judged_by(config.phase_s, &config.marks);
        Self {
            output: Output::new(outbox, config.task),
            cpu: collector.builtin(
                Builtin::GeneratorCpu,
                &Tags::new().with("task", config.task.to_string()),
            ),
            collector,
            reader,
            broken: None,
            began_us: None,
            closed: 0,
            next_live: Instant::now() + config.live,
            live_seq: 0,
            meter: CpuMeter::with(cpu, config.usable_cpus),
            health: config.limits.health(config.usable_cpus),
            failures: FailureLog::new(),
            new_failures: false,
            config,
        }
    }

    fn read(&mut self, bytes: &[u8]) {
        // What follows a place that cannot be read is not understood either, but is taken so that the engine does not wait.
        if self.broken.is_some() {
            return;
        }
        if let Err(error) = self.reader.push(bytes, &mut self.collector) {
            self.fail(format!("its output cannot be read: {error}"));
        }
        self.keep_failures();
        if self.began_us.is_none() {
            let first = self.collector.latest_ms();
            self.began_us = first.map(|first| (first - self.config.start_ms) * 1_000);
        }
    }

    /// Keeps what the reader has sampled within the bounds, without what must not be seen in it.
    fn keep_failures(&mut self) {
        let (samples, left_out) = self.collector.take_failures();
        self.failures.left_out += left_out;
        for mut sample in samples {
            sample.task = self.config.task;
            self.config.redactor.redact(&mut sample);
            self.new_failures |= self.failures.add(sample);
        }
    }

    fn write_failures(&mut self) {
        if std::mem::take(&mut self.new_failures) {
            self.output.write_failures(&self.failures);
        }
    }

    fn fail(&mut self, problem: String) {
        self.broken.get_or_insert(problem);
    }

    fn keep_time(&mut self) {
        let passed = unix_ms() - SETTLE_MS - self.config.start_ms;
        let due = u64::try_from(passed / 1_000).unwrap_or(0);
        while self.closed < due {
            self.end_second();
        }
        if Instant::now() >= self.next_live {
            self.write_live();
        }
    }

    fn end_second(&mut self) {
        let at_us = self.time_of(self.closed) * 1_000;
        // Before the first sample the engine was starting, which takes CPU and no load.
        if let Some(cpu) = self.meter.measure()
            && self.began_us.is_some()
        {
            count_second(&mut self.health, cpu);
            self.collector.add(self.cpu, at_us, cpu.share);
        }
        self.closed += 1;
        let until = self.time_of(self.closed);
        self.collector.close(until, self.output.rows());
        if self.closed.is_multiple_of(self.config.flush_s) {
            self.flush(until);
            self.write_failures();
        }
    }

    fn time_of(&self, second: u64) -> i64 {
        self.config.start_ms + i64::try_from(second * 1_000).unwrap_or(i64::MAX / 2)
    }

    fn meta(&self, content: Content, seq: u32, start_ms: i64, end_ms: i64) -> ShardMeta {
        ShardMeta {
            content,
            execution: self.config.execution.clone(),
            segment: self.config.segment.clone(),
            sources: Sources::one(self.config.task, seq),
            start_ms: start_ms.min(end_ms),
            end_ms,
        }
    }

    fn flush(&mut self, end_ms: i64) {
        let seq = self.output.next_seq();
        let start = self.time_of(u64::from(seq) * self.config.flush_s);
        let meta = self.meta(Content::Shard, seq, start, end_ms);
        self.output.write_shard(&meta);
    }

    fn write_live(&mut self) {
        self.next_live = Instant::now() + self.config.live;
        if self.closed == 0 {
            return;
        }
        let (start, end) = (self.config.start_ms, self.time_of(self.closed));
        let meta = self.meta(Content::Live, self.live_seq, start, end);
        self.live_seq += 1;
        match encode(&meta, &self.collector.live(end)) {
            Ok(bytes) => self.output.write_live(bytes),
            Err(error) => self
                .output
                .warn(format!("live object not written: {error}")),
        }
    }

    fn finish(mut self) -> Fed {
        let mut warnings = Vec::new();
        // Of an output that cannot be read on, it gives what it had understood and held back.
        match self.reader.finish(&mut self.collector) {
            Ok(mut said) if self.broken.is_none() => warnings.append(&mut said),
            Ok(_) => {}
            Err(error) => self.fail(format!("its output cannot be read: {error}")),
        }
        self.keep_failures();
        self.write_failures();
        self.collector.finish(self.output.rows());
        // Rates are per second of what was covered: to the last sample, not to the end of the process.
        let covered = self.collector.latest_ms().map_or(0, |latest| latest + 1);
        let end_ms =
            covered.max(self.time_of(self.closed / self.config.flush_s * self.config.flush_s));
        if !self.output.rows().is_empty() {
            self.flush(end_ms);
        }
        self.closed = self.closed.max(1);
        self.write_live();
        self.health.peak_rss_bytes = crate::health::peak_rss_bytes();
        warnings.append(&mut self.output.finish());
        Fed {
            warnings,
            totals: self.collector.totals(),
            durations: self.collector.durations(),
            kept_tags: self.collector.kept_tags(),
            health: self.health,
            broken: self.broken,
            began_us: self.began_us,
        }
    }
}
