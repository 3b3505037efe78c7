//! The drift of a run: slopes and change points of the numbers that everybody asks for.

use super::Course;
use super::grid::{Grid, Layout};
use super::trend::{CONFIDENCE, said, seen};
use crate::definition::model::Stretch;
use crate::drift::{self, ChangePoint, Scale, Seen};
use crate::seed;
use crate::threshold::{Aggregate, MissingSamples};
use floodgate_records::comparison::Change;
use floodgate_records::drift::{Drift, DriftChange, DriftMetric};
use floodgate_records::key::Key;
use floodgate_records::metric::{MetricKind, Tags};
use floodgate_records::outcome::Direction;

const TIMES: [Aggregate; 3] = [
    Aggregate::Percentile(50.0),
    Aggregate::Percentile(95.0),
    Aggregate::Percentile(99.0),
];
const RATE: [Aggregate; 1] = [Aggregate::Rate];

/// Numbers of a run, and which metric says that they are what it is about.
type Numbers = &'static [(&'static str, &'static [Aggregate])];

/// What is followed: the first of these whose first metric was measured.
const FOLLOWED: [Numbers; 3] = [
    &[
        ("http_req_duration", &TIMES),
        ("http_req_failed", &RATE),
        ("http_reqs", &RATE),
    ],
    &[("sample_duration", &TIMES), ("sample_failed", &RATE)],
    &[("iteration_duration", &TIMES), ("iterations", &RATE)],
];

fn key(metric: &str) -> Key {
    Key {
        metric: metric.to_owned(),
        tags: Tags::new(),
    }
}

impl Course {
    pub(super) fn whole(&self) -> Stretch {
        Stretch {
            from: self.warmup,
            to: None,
        }
    }

    /// The windows of what every run is asked for.
    pub(super) fn own_layouts(&self) -> Vec<Layout> {
        let metrics = FOLLOWED.iter().flat_map(|numbers| numbers.iter());
        let slopes =
            metrics.filter_map(|(metric, _)| self.slope_layout(&key(metric), self.whole()));
        slopes.chain(self.steady_layout()).collect()
    }

    fn followed(&self, metric: &str) -> Option<&Grid> {
        self.grid(&self.slope_layout(&key(metric), self.whole())?)
    }
}

pub(super) fn drift(course: &Course, missing: &MissingSamples, seed: &str) -> Option<Drift> {
    let measured = |numbers: &&Numbers| {
        let (metric, _) = numbers[0];
        let grid = course.followed(metric);
        grid.is_some_and(|grid| grid.windows.iter().any(|window| !window.0.is_empty()))
    };
    let numbers = FOLLOWED.iter().find(measured)?;
    let each = || {
        let metrics = numbers.iter();
        metrics.flat_map(|(metric, aggregates)| aggregates.iter().map(move |a| (*metric, *a)))
    };
    let level = (1.0 - CONFIDENCE) / each().count().max(1) as f64;
    let metrics: Vec<DriftMetric> = each()
        .filter_map(|(metric, aggregate)| {
            let grid = course.followed(metric)?;
            Some(of_metric(grid, aggregate, missing, level, seed))
        })
        .collect();
    let layout = &course.followed(numbers[0].0)?.layout;
    let from_s = course.warmup.as_secs_f64();
    Some(Drift {
        from_s,
        to_s: from_s + f64::from(layout.window_s) * layout.windows as f64,
        window_s: layout.window_s,
        confidence: CONFIDENCE,
        load_changes: course.load_changes.unwrap_or(false),
        metrics,
    })
}

fn of_metric(
    grid: &Grid,
    aggregate: Aggregate,
    missing: &MissingSamples,
    level: f64,
    seed: &str,
) -> DriftMetric {
    let key = &grid.layout.key;
    let id = format!("{key} {aggregate}");
    let kind = match aggregate {
        Aggregate::Rate if key.metric.ends_with("failed") => MetricKind::Rate,
        Aggregate::Rate => MetricKind::Counter,
        _ => MetricKind::Trend,
    };
    let direction = Direction::of(&key.metric, kind);
    let mut metric = DriftMetric {
        key: key.to_string(),
        aggregate: aggregate.to_string(),
        kind,
        direction,
        mean: 0.0,
        slope: None,
        note: None,
        changes: Vec::new(),
        id,
    };
    match seen(grid, aggregate, missing) {
        Err(why) => metric.note = Some(why),
        Ok((scale, seen)) => {
            metric.mean = seen.iter().map(|s| s.value).sum::<f64>() / seen.len() as f64;
            let seed = seed::of(&[seed, &metric.id]);
            let found = drift::slope(scale, &seen, level, seed);
            metric.slope = Some(said(&found, grid, level));
            metric.changes = changes(grid, scale, &seen, direction);
        }
    }
    metric
}

fn changes(grid: &Grid, scale: Scale, seen: &[Seen], direction: Direction) -> Vec<DriftChange> {
    let half_s = f64::from(grid.layout.window_s) / 2.0;
    let named = |point: ChangePoint| {
        let is_more = point.after > point.before;
        DriftChange {
            at_s: seen[point.index].at_h * 3_600.0 - half_s,
            outcome: match (direction, is_more) {
                (Direction::HigherIsWorse, false) | (Direction::LowerIsWorse, true) => {
                    Change::Improved
                }
                _ => Change::Regressed,
            },
            before: point.before,
            after: point.after,
            change: (point.before != 0.0).then(|| point.change()),
            p_value: point.p_value,
        }
    };
    drift::steps(scale, seen).into_iter().map(named).collect()
}
