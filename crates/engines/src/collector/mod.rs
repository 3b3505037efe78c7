//! Samples of an external engine become the rows of shards: by series and second, histograms for trends.

pub mod cell;
mod failures;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
mod windows;

use cell::Cell;
use failures::Failures;
use floodgate_core::fold::Folding;
use floodgate_core::shard::{PHASE_WINDOW_S, Row, WINDOW_S, window_s};
use floodgate_records::failure::FailureSample;
use floodgate_records::manifest::Totals;
use floodgate_records::metric::{Builtin, MetricKind, OTHER_REQUESTS, SeriesKey, Tags};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::hash::Hash;
use std::sync::Arc;
use windows::Windows;

/// A series of a [`Collector`]. Readers keep it, so that a sample costs no look-up of its tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Series(u32);

/// What a collector has to know.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Windows count from here, Unix ms: the start of the run, which is the same for all tasks.
    pub origin_ms: i64,
    /// Tag sets before new ones fold into `name=__other__`, as for the native engine.
    pub max_series: u32,
    /// What series past it keep.
    pub folding: Arc<Folding>,
    /// Tags of every sample: the test's own. Where the engine gives the same tag, the engine's stands.
    pub tags: Tags,
}

/// Series for each allowed tag set, on average: a request has eleven metrics in k6's output. It bounds what a script with metrics
/// without end takes.
const SERIES_A_SET: usize = 16;

struct KnownSeries {
    key: Arc<SeriesKey>,
    /// Whether the window is [`PHASE_WINDOW_S`] long.
    phase: bool,
    /// Its samples are those of series past the bound.
    folded: bool,
}

/// Adds samples up; see the [module](self).
pub struct Collector {
    settings: Settings,
    known: Vec<KnownSeries>,
    numbers: HashMap<SeriesKey, Series>,
    /// Tag sets of series that are not folded.
    sets: HashSet<Tags>,
    seconds: Windows,
    phases: Windows,
    /// Of the windows that are closed, from each mark to the next: by series.
    totals: Vec<Vec<Cell>>,
    /// When these begin, Unix ms.
    marks: Vec<i64>,
    folded_samples: u64,
    unusable_values: u64,
    lost_names: bool,
    /// Whether the output ends within a record.
    cut: bool,
    latest_us: i64,
    durations: BTreeSet<String>,
    failures: Failures,
}

impl Collector {
    /// Nothing yet.
    pub fn new(settings: Settings) -> Self {
        Self {
            seconds: Windows::new(settings.origin_ms, WINDOW_S),
            phases: Windows::new(settings.origin_ms, PHASE_WINDOW_S),
            settings,
            known: Vec::new(),
            numbers: HashMap::new(),
            sets: HashSet::new(),
            totals: vec![Vec::new()],
            marks: vec![i64::MIN],
            folded_samples: 0,
            unusable_values: 0,
            lost_names: false,
            cut: false,
            latest_us: i64::MIN,
            durations: BTreeSet::new(),
            failures: Failures::default(),
        }
    }

    /// The same with other windows for the trends that are not kept by the second, and with live objects whose sums begin anew at some seconds
    /// after the origin. Nothing has been added yet.
    #[must_use]
    pub fn judged_by(mut self, phase_s: u32, marks: &[u64]) -> Self {
        self.phases = Windows::new(self.settings.origin_ms, phase_s);
        let at = |second: &u64| {
            let after = i64::try_from(second.saturating_mul(1_000)).unwrap_or(i64::MAX);
            self.settings.origin_ms.saturating_add(after)
        };
        self.marks = [i64::MIN].into_iter().chain(marks.iter().map(at)).collect();
        self.totals = vec![Vec::new(); self.marks.len()];
        self
    }

    /// The series of a metric with these tags; past the bound, with what [`Folding::fold`] leaves of them and the test's own.
    pub fn series(&mut self, metric: &str, kind: MetricKind, tags: &Tags) -> Series {
        let mut all = self.settings.tags.clone();
        all.0
            .extend(tags.0.iter().map(|(k, v)| (k.clone(), v.clone())));
        let key = SeriesKey {
            metric: metric.to_owned(),
            kind,
            tags: all,
        };
        if let Some(&series) = self.numbers.get(&key) {
            return series;
        }
        let known = if self.has_room(&key.tags) {
            key.clone()
        } else {
            let mut left = self.settings.tags.clone();
            left.0.extend(self.settings.folding.fold(&key.tags).0);
            SeriesKey {
                metric: key.metric.clone(),
                kind,
                tags: left,
            }
        };
        let folded = known != key;
        // The tags that were folded are not remembered: what is kept stays bounded.
        match self.numbers.get(&known) {
            Some(&series) => series,
            None => self.add_series(known, folded),
        }
    }

    /// Whether a new series may have these tags.
    fn has_room(&mut self, tags: &Tags) -> bool {
        let most = self.settings.max_series as usize;
        if self.known.len() >= most.saturating_mul(SERIES_A_SET) {
            return false;
        }
        if self.sets.contains(tags) {
            return true;
        }
        let room = self.sets.len() < most;
        if room {
            self.sets.insert(tags.clone());
        }
        room
    }

    fn add_series(&mut self, key: SeriesKey, folded: bool) -> Series {
        let series = Series(self.known.len() as u32);
        self.numbers.insert(key.clone(), series);
        for part in &mut self.totals {
            part.push(Cell::default());
        }
        self.known.push(KnownSeries {
            phase: window_s(&key.metric) == PHASE_WINDOW_S,
            key: Arc::new(key),
            folded,
        });
        series
    }

    /// The series of a trend of the engine's or the script's own whose values are times.
    pub fn duration(&mut self, metric: &str, tags: &Tags) -> Series {
        self.note_duration(metric);
        self.series(metric, MetricKind::Trend, tags)
    }

    /// The series of response times that stand for starts which an engine left out, with these tags and the tag `corrected`: how they are
    /// estimated.
    pub fn estimates(&mut self, tags: &Tags, how: &str) -> Series {
        let tags = tags.clone().with("corrected", how);
        self.builtin(Builtin::HttpReqResponseTime, &tags)
    }

    /// Takes note that the values of a trend are times. Of built-in metrics that is known.
    pub fn note_duration(&mut self, metric: &str) {
        let is_new = Builtin::parse(metric).is_none() && !self.durations.contains(metric);
        if is_new && self.durations.len() < self.settings.max_series as usize {
            self.durations.insert(metric.to_owned());
        }
    }

    /// The trends that [`Self::note_duration`] was told of, sorted.
    pub fn durations(&self) -> Vec<String> {
        self.durations.iter().cloned().collect()
    }

    /// A built-in metric's series.
    pub fn builtin(&mut self, metric: Builtin, tags: &Tags) -> Series {
        self.series(metric.name(), metric.kind(), tags)
    }

    /// Adds a value at a time in Unix µs: a counter's addition, a gauge's value, or a rate's outcome (non-zero: it held).
    /// A value of a trend is in milliseconds, as k6 writes it; [`Self::time`] takes µs. A value that is not finite, and a negative one
    /// of a counter or a trend, counts as zero and among [`Totals::unusable_values`].
    #[inline]
    pub fn add(&mut self, series: Series, at_us: i64, value: f64) {
        let kind = self.known[series.0 as usize].key.kind;
        let cell = self.cell(series, at_us);
        if !cell.sample(kind, value) {
            cell.sample(kind, 0.0);
            self.unusable_values += 1;
        }
    }

    /// Adds a duration in µs to a trend.
    #[inline]
    pub fn time(&mut self, series: Series, at_us: i64, value_us: u64) {
        debug_assert_eq!(self.known[series.0 as usize].key.kind, MetricKind::Trend);
        self.cell(series, at_us).trend(value_us);
    }

    #[inline]
    fn cell(&mut self, series: Series, at_us: i64) -> &mut Cell {
        let known = &self.known[series.0 as usize];
        self.folded_samples += u64::from(known.folded);
        self.latest_us = self.latest_us.max(at_us);
        let windows = if known.phase {
            &mut self.phases
        } else {
            &mut self.seconds
        };
        windows.cell(series.0 as usize, at_us)
    }

    /// Makes rows of all windows that end at or before a time in Unix ms. A sample that comes later for one of them still counts:
    /// it opens the window again, and the merge adds both rows up.
    pub fn close(&mut self, until_ms: i64, rows: &mut Vec<Row>) {
        for windows in [&mut self.seconds, &mut self.phases] {
            let length_s = windows.length_s();
            for (start_ms, cells) in windows.take_until(until_ms) {
                for (number, cell) in cells.iter().enumerate() {
                    if !cell.is_empty() {
                        let known = &self.known[number];
                        rows.push(cell.to_row(&known.key, start_ms, length_s));
                        let part = part_of(&self.marks, start_ms);
                        self.totals[part][number].add(known.key.kind, cell);
                    }
                }
                windows.recycle(cells);
            }
        }
    }

    /// Makes rows of everything that is left.
    pub fn finish(&mut self, rows: &mut Vec<Row>) {
        self.close(i64::MAX, rows);
    }

    /// Everything since the start, a row a series and mark, as of `end_ms` (Unix ms): what a live object holds. Gauges are no sums: they have one
    /// row.
    pub fn live(&self, end_ms: i64) -> Vec<Row> {
        let mut rows = Vec::with_capacity(self.known.len());
        for (number, known) in self.known.iter().enumerate() {
            let windows = if known.phase {
                &self.phases
            } else {
                &self.seconds
            };
            // Gauges are of all parts together.
            let parts = match known.key.kind {
                MetricKind::Gauge => 1,
                _ => self.totals.len(),
            };
            for part in 0..parts {
                let is_own = |other: usize| parts == 1 || other == part;
                let closed = self.totals.iter().enumerate();
                let closed =
                    closed.filter(|(other, all)| is_own(*other) && !all[number].is_empty());
                let open = windows
                    .open_cells(number)
                    .filter(|(start_ms, _)| is_own(part_of(&self.marks, *start_ms)));
                let cells = closed
                    .map(|(_, all)| &all[number])
                    .chain(open.map(|(_, cell)| cell));
                rows.extend(self.live_row(known, (part, parts), cells, end_ms));
            }
        }
        rows
    }

    /// The row of a series from one mark to the next.
    fn live_row<'a>(
        &'a self,
        known: &KnownSeries,
        (part, parts): (usize, usize),
        mut cells: impl Iterator<Item = &'a Cell>,
        end_ms: i64,
    ) -> Option<Row> {
        let (first, second) = (cells.next()?, cells.next());
        let begin = self.marks[part].max(self.settings.origin_ms);
        let next = self.marks.get(part + 1).filter(|_| parts > 1);
        let end = next.map_or(end_ms, |next| (*next).min(end_ms));
        let length_s = u32::try_from((end - begin) / 1_000).unwrap_or(0).max(1);
        let Some(second) = second else {
            return Some(first.to_row(&known.key, begin, length_s));
        };
        let mut all = first.clone();
        for cell in std::iter::once(second).chain(cells) {
            all.add(known.key.kind, cell);
        }
        Some(all.to_row(&known.key, begin, length_s))
    }

    /// Samples of all series of a metric, open windows included; of a counter what was added.
    pub fn total(&self, metric: Builtin) -> f64 {
        self.total_of(metric.name())
    }

    fn total_of(&self, metric: &str) -> f64 {
        let mut sum = 0.0;
        for (number, known) in self.known.iter().enumerate() {
            if known.key.metric == metric {
                let windows = if known.phase {
                    &self.phases
                } else {
                    &self.seconds
                };
                let closed = self.totals.iter().map(|part| &part[number]);
                let open = windows.open_cells(number).map(|(_, cell)| cell);
                sum += closed
                    .chain(open)
                    .map(|cell| match known.key.kind {
                        MetricKind::Counter => cell.sum,
                        _ => cell.count as f64,
                    })
                    .sum::<f64>();
            }
        }
        sum
    }

    /// The totals of a manifest.
    pub fn totals(&self) -> Totals {
        let clamped = |cell: &Cell| cell.histogram.as_ref().map_or(0, |h| h.clamped());
        Totals {
            http_reqs: self.total(Builtin::HttpReqs) as u64,
            samples: OTHER_REQUESTS
                .iter()
                .map(|metric| self.total_of(metric) as u64)
                .sum(),
            iterations: self.total(Builtin::Iterations) as u64,
            dropped_iterations: self.total(Builtin::DroppedIterations) as u64,
            clamped_values: self.totals.iter().flatten().map(clamped).sum(),
            folded_samples: self.folded_samples,
            unusable_values: self.unusable_values,
            ..Totals::default()
        }
    }

    /// What series past the bound keep.
    pub fn folding(&self) -> &Arc<Folding> {
        &self.settings.folding
    }

    /// Takes note that the output ends within a record: what would have followed is not known.
    pub fn note_cut(&mut self) {
        self.cut = true;
    }

    /// Whether a reader has said so.
    pub fn is_cut(&self) -> bool {
        self.cut
    }

    /// Takes note that a reader has replaced names by [`floodgate_core::fold::OTHER`] whatever filters ask for.
    pub fn lost_names(&mut self) {
        self.lost_names = true;
    }

    /// The filters that find all of their samples: what the manifest states.
    pub fn kept_tags(&self) -> Vec<Tags> {
        if self.lost_names {
            Vec::new()
        } else {
            self.settings.folding.named().to_vec()
        }
    }

    /// Whether a sample of one more failure of this kind is wanted, which is counted: readers make none in vain. A kind is what a reader
    /// tells failures apart by: scenario, name, status, error code, check.
    pub fn wants_failure(&mut self, kind: impl Hash) -> bool {
        self.failures.admits(kind)
    }

    /// Keeps a sample of a failure until [`Self::take_failures`]. The task is the caller's to add, and to leave out what must not be seen.
    pub fn add_failure(&mut self, sample: FailureSample) {
        self.failures.add(sample);
    }

    /// The samples of failures since the last call, and how many were left out since then because there are too many kinds.
    pub fn take_failures(&mut self) -> (Vec<FailureSample>, u64) {
        self.failures.take()
    }

    /// The time of the latest sample in Unix ms; `None` before the first.
    pub fn latest_ms(&self) -> Option<i64> {
        (self.latest_us > i64::MIN).then(|| self.latest_us.div_euclid(1_000))
    }

    /// How many series there are.
    pub fn series_count(&self) -> usize {
        self.known.len()
    }
}

/// Which part a window belongs to that begins then.
fn part_of(marks: &[i64], start_ms: i64) -> usize {
    marks
        .partition_point(|mark| *mark <= start_ms)
        .saturating_sub(1)
}
