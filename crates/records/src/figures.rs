//! `figures.json`: what the charts of a run are drawn from, computed once from the merged data. It is bounded: a long run has longer slots,
//! and only some names, codes and tasks have lines of their own.
//!
//! Counts are those of a slot, not per second, so that they add up exactly to those of the summary. Times are in µs, taken from the sum of all
//! histograms of a slot. An absent value (`null`) is a slot without a sample.

use serde::{Deserialize, Serialize};

/// The figures of one execution.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// Version of this layout: [`Figures::SCHEMA`].
    pub schema: u32,
    /// The execution's ULID.
    pub execution: String,
    /// Where all axes begin, Unix ms: the common start. What was measured before it is in the first slot.
    pub start_ms: i64,
    /// Whole seconds that are covered; the last slot of an axis may be longer than what is left of them.
    pub seconds: u64,
    /// Slots of what is measured every second.
    pub fine: Axis,
    /// Slots of times that are kept in windows of 10 s.
    pub coarse: Axis,
    /// Slots of [`Self::names`].
    pub by_name: Axis,
    /// What was sent, by fine slot.
    pub load: LoadFigures,
    /// Response time first, as far as the engine measures it, then service time and iterations.
    pub times: Vec<TimeFigures>,
    /// Failed requests by code, the most frequent first; by fine slot.
    pub errors: Vec<ErrorFigures>,
    /// The generators, by fine slot.
    pub generators: GeneratorFigures,
    /// How the first of [`Self::times`] was distributed over time; `None` without samples.
    pub heat: Option<HeatMap>,
    /// Requests by name: those that the summary lists first.
    pub names: Vec<NameFigures>,
    /// How many more names there are, which are in no line of their own.
    pub more_names: u64,
    /// Groups of requests that an engine reports, the most frequent first.
    pub groups: Vec<GroupFigures>,
    /// How many more groups there are.
    pub more_groups: u64,
    /// The definition, without anything secret; `None` if it was not at hand.
    pub definition: Option<DefinitionText>,
}

impl Figures {
    /// The layout that this code writes and reads.
    pub const SCHEMA: u32 = 1;
    /// The most fine slots: an hour has one a second.
    pub const MAX_FINE: u32 = 3_600;
    /// The most coarse slots.
    pub const MAX_COARSE: u32 = 1_440;
    /// The most slots of a name.
    pub const MAX_BY_NAME: u32 = 240;
    /// The most columns of the heat map.
    pub const MAX_COLUMNS: u32 = 240;
    /// The most names with figures of their own.
    pub const MAX_NAMES: usize = 20;
    /// The most error codes with a line of their own; the rest is one more.
    pub const MAX_CODES: usize = 9;
    /// The most generators with a line of their own: those with the highest peak of CPU use.
    pub const MAX_TASKS: usize = 8;
    /// The most groups.
    pub const MAX_GROUPS: usize = 50;
    /// The longest definition in bytes; the rest is cut off.
    pub const MAX_DEFINITION: usize = 64 << 10;
}

/// Equal slots from the start on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Axis {
    /// Length of a slot in seconds.
    pub slot_s: u32,
    /// How many there are.
    pub slots: u32,
}

/// What was planned, started and sent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LoadFigures {
    /// Iterations that the schedule starts, by fine slot; `None` where it fixes no times, or the definition was not at hand.
    pub planned: Option<Vec<u64>>,
    /// Iterations that were due and started, by coarse slot; `None` in a closed loop.
    pub started: Option<Vec<u64>>,
    /// Iterations that ran to their end.
    pub completed: Vec<u64>,
    /// Iterations that were due and never started.
    pub dropped: Vec<u64>,
    /// Requests.
    pub requests: Vec<u64>,
    /// Requests that failed.
    pub failed: Vec<u64>,
    /// Bytes written to sockets.
    pub sent: Vec<u64>,
    /// Bytes read from sockets.
    pub received: Vec<u64>,
}

/// A trend over time and as a whole, in µs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TimeFigures {
    /// The metric.
    pub metric: String,
    /// Whether its slots are the fine ones.
    pub fine: bool,
    /// By slot.
    pub slots: Quantiles,
    /// The whole distribution: points that get denser toward the maximum. Empty without samples.
    pub distribution: Vec<Point>,
}

/// Quantiles of each slot in µs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Quantiles {
    /// Samples.
    pub count: Vec<u64>,
    /// The median.
    pub p50: Vec<Option<u64>>,
    /// The 90th percentile.
    pub p90: Vec<Option<u64>>,
    /// The 95th percentile.
    pub p95: Vec<Option<u64>>,
    /// The 99th percentile.
    pub p99: Vec<Option<u64>>,
    /// The exact maximum.
    pub max: Vec<Option<u64>>,
}

/// A quantile in [0, 1], and its value in µs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point(pub f64, pub u64);

/// Requests that failed alike.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ErrorFigures {
    /// As in the summary's `errors`; of the rest `None`.
    pub code: Option<String>,
    /// How many codes it stands for.
    pub codes: u64,
    /// By fine slot.
    pub count: Vec<u64>,
}

/// How the generators fared over time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GeneratorFigures {
    /// VUs that ran iterations: the most of a slot.
    pub vus: Vec<Option<f64>>,
    /// VUs that were allocated, likewise.
    pub vus_max: Vec<Option<f64>>,
    /// CPU use of the busiest generator as a share of what it may use: the most of a slot.
    pub cpu: Vec<Option<f64>>,
    /// The same of some tasks.
    pub tasks: Vec<TaskFigures>,
    /// How many more tasks there are.
    pub more_tasks: u64,
    /// Lag of starts by coarse slot.
    pub lag: Quantiles,
}

/// One generator.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TaskFigures {
    /// Its number.
    pub task: u32,
    /// CPU use as a share of what it may use: the most of a fine slot.
    pub cpu: Vec<Option<f64>>,
}

/// Counts by time and by value. Bins are powers of two, each in four equal parts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HeatMap {
    /// The metric.
    pub metric: String,
    /// Its columns.
    pub axis: Axis,
    /// The lower ends of the bins in µs, and the upper end of the last one.
    pub edges_us: Vec<u64>,
    /// By column: pairs of a bin's number and its count; bins without samples are left out.
    pub columns: Vec<Vec<(u32, u64)>>,
}

/// The requests of one name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NameFigures {
    /// The name.
    pub name: String,
    /// The metric that [`Self::times`] is of.
    pub metric: String,
    /// Requests by slot of [`Figures::by_name`].
    pub requests: Vec<u64>,
    /// Those that failed.
    pub failed: Vec<u64>,
    /// Their times.
    pub times: Quantiles,
}

/// A group of requests, such as one of k6 or a transaction of JMeter. Times are in ms.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GroupFigures {
    /// Its name.
    pub name: String,
    /// How often it was run.
    pub count: u64,
    /// The median.
    pub med: f64,
    /// The 95th percentile.
    pub p95: f64,
    /// The 99th percentile.
    pub p99: f64,
    /// The maximum.
    pub max: f64,
}

/// A definition as it may be shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DefinitionText {
    /// JSON; references are not resolved, and other values that look secret are masked.
    pub json: String,
    /// Whether its end is cut off.
    pub cut: bool,
}
