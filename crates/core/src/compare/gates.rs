//! Both runs, number by number.

use super::comparable::{Account, obstacles};
use super::interval::{Compared, Effect, Needed, Settings};
use super::runs::{MIN_RUNS, RunValue, run_value};
use super::series::{Statistic, WINDOW_S, Window};
use super::two_runs::two;
use super::windows::{Measured, value};
use crate::baseline::BaselineMetric;
use crate::seed;
use crate::threshold::Aggregate;
use floodgate_records::comparison::{Change, ComparedRun, Comparison, Gate, Ratio};
use floodgate_records::metric::{Builtin, Contains, MetricKind};
use floodgate_records::outcome::Direction;

const US_PER_MS: f64 = 1e3;
/// Runs that are longer by more than this are not a remedy.
const MOST_TIMES: f64 = 10.0;

/// A run to compare.
#[derive(Clone, Copy, Debug)]
pub struct Run<'a> {
    /// What is known of it.
    pub account: Account<'a>,
    /// What it measured.
    pub measured: Measured<'a>,
}

/// What two runs are compared by.
#[derive(Clone, Debug)]
pub struct Terms {
    /// The numbers.
    pub metrics: Vec<BaselineMetric>,
    /// The confidence of all of them together, in (0, 1).
    pub confidence: f64,
    /// The least relative change that matters, a ratio above 0.
    pub min_effect: f64,
}

/// Compares `head` with `base`. `history` has earlier runs of the same test, which say by how much runs differ anyway. The draws follow
/// from the ids of the runs, so the same two runs always give the same.
pub fn compare(
    base: Run<'_>,
    head: Run<'_>,
    history: &[Measured<'_>],
    terms: &Terms,
) -> Comparison {
    let seed = seed::of(&[&base.account.execution.id, &head.account.execution.id]);
    let settings = Settings {
        confidence: terms.confidence,
        min_effect: terms.min_effect,
        gates: terms.metrics.len(),
        seed,
    };
    let gates: Vec<_> = terms
        .metrics
        .iter()
        .map(|metric| gate(metric, base, head, history, &settings))
        .collect();
    let obstacles = obstacles(base.account, head.account);
    Comparison {
        schema: Comparison::SCHEMA,
        base: compared(base.account),
        head: compared(head.account),
        outcome: together(&gates, &obstacles),
        obstacles,
        confidence: terms.confidence,
        min_effect: terms.min_effect,
        history: match history.len() {
            known @ MIN_RUNS.. => known,
            _ => 0,
        },
        gates,
    }
}

/// One is enough to have regressed, and what is undecided is not unchanged.
fn together(gates: &[Gate], obstacles: &[String]) -> Change {
    let any = |change| gates.iter().any(|gate| gate.outcome == change);
    if !obstacles.is_empty() {
        return Change::NotComparable;
    }
    [Change::Regressed, Change::Undecided, Change::Improved]
        .into_iter()
        .find(|change| any(*change))
        .unwrap_or(if gates.is_empty() {
            Change::Undecided
        } else {
            Change::Unchanged
        })
}

fn gate(
    metric: &BaselineMetric,
    base: Run<'_>,
    head: Run<'_>,
    history: &[Measured<'_>],
    settings: &Settings,
) -> Gate {
    let kind = kind_of(metric, base).or_else(|| kind_of(metric, head));
    let direction = kind.map_or(Direction::EitherIsWorse, |kind| {
        Direction::of(&metric.key.metric, kind)
    });
    let mut gate = Gate {
        id: metric.id(),
        key: metric.key.to_string(),
        aggregate: metric.aggregate.to_string(),
        direction,
        base: None,
        head: None,
        ratio: None,
        outcome: Change::Undecided,
        warmup_s: 0,
        note: None,
    };
    if let Err(why) = fill(&mut gate, metric, [base, head], history, settings) {
        gate.note = Some(why);
    }
    gate
}

fn fill(
    gate: &mut Gate,
    metric: &BaselineMetric,
    runs: [Run<'_>; 2],
    history: &[Measured<'_>],
    settings: &Settings,
) -> Result<(), String> {
    let kind = runs.into_iter().find_map(|run| kind_of(metric, run));
    let kind = kind.ok_or("neither run has a sample of it")?;
    let statistic = statistic(metric.aggregate, kind)?;
    let [base, head] = runs.map(|run| windows(run.measured, metric));
    let (base, head) = (base?, head?);
    let shown = |windows: &[Window]| shown(statistic, metric, windows);
    (gate.base, gate.head) = (shown(&base), shown(&head));
    if statistic == Statistic::Share && (gate.base, gate.head) == (Some(0.0), Some(0.0)) {
        // Nothing has no ratio to nothing, however many samples say so.
        gate.outcome = Change::Unchanged;
        gate.note = Some("none in either run".to_owned());
        return Ok(());
    }
    let known: Vec<RunValue> = history
        .iter()
        .filter_map(|run| run_value(statistic, &windows(*run, metric).ok()?, settings.seed).ok())
        .collect();
    let found = two(statistic, &base, &head, &known, settings)?;
    let after = |windows: &[Window]| {
        let warmup = (found.warmup_s / WINDOW_S) as usize;
        shown(windows.get(warmup..).unwrap_or_default())
    };
    (gate.base, gate.head) = (after(&base), after(&head));
    gate.ratio = Some(Ratio {
        estimate: found.interval.ratio,
        low: found.interval.low,
        high: found.interval.high,
    });
    gate.outcome = change(found.effect, gate.direction);
    gate.warmup_s = found.warmup_s;
    gate.note = needed(&found);
    Ok(())
}

fn windows(run: Measured<'_>, metric: &BaselineMetric) -> Result<Vec<Window>, String> {
    run.windows(&metric.key).map_err(|error| error.to_string())
}

fn kind_of(metric: &BaselineMetric, run: Run<'_>) -> Option<MetricKind> {
    let rows = run.measured.rows.iter();
    let mut of_metric = rows.filter(|row| row.key.metric == metric.key.metric);
    of_metric.next().map(|row| row.key.kind)
}

/// # Errors
/// An aggregate that has no interval.
fn statistic(aggregate: Aggregate, kind: MetricKind) -> Result<Statistic, String> {
    match (aggregate, kind) {
        (Aggregate::Percentile(p), MetricKind::Trend) if p > 0.0 && p < 100.0 => {
            Ok(Statistic::Quantile(p / 100.0))
        }
        (Aggregate::Med, MetricKind::Trend) => Ok(Statistic::Quantile(0.5)),
        (Aggregate::Avg, MetricKind::Trend) => Ok(Statistic::Mean),
        (Aggregate::Rate, MetricKind::Rate) => Ok(Statistic::Share),
        (Aggregate::Rate | Aggregate::Count, MetricKind::Counter) => Ok(Statistic::Gain),
        _ => Err(format!(
            "{aggregate} has no interval; compare a percentile, avg, or a rate"
        )),
    }
}

/// As a person reads it: times in ms.
fn shown(statistic: Statistic, metric: &BaselineMetric, windows: &[Window]) -> Option<f64> {
    let value = value(statistic, windows)?;
    let is_trend = matches!(statistic, Statistic::Quantile(_) | Statistic::Mean);
    // Trends of one's own are scaled likewise, whatever their unit.
    let is_scaled = is_trend
        && Builtin::parse(&metric.key.metric).is_none_or(|m| m.contains() == Contains::Time);
    Some(if is_scaled { value / US_PER_MS } else { value })
}

const fn change(effect: Effect, direction: Direction) -> Change {
    match (effect, direction) {
        (Effect::Same, _) => Change::Unchanged,
        (Effect::Undecided, _) => Change::Undecided,
        (Effect::More, Direction::LowerIsWorse) | (Effect::Less, Direction::HigherIsWorse) => {
            Change::Improved
        }
        (Effect::More | Effect::Less, _) => Change::Regressed,
    }
}

fn needed(found: &Compared) -> Option<String> {
    Some(match found.needed? {
        Needed::Longer(times) if times > MOST_TIMES => {
            "there is too little of it for runs of a bearable length to decide".to_owned()
        }
        Needed::Longer(times) => format!("runs {times:.1} times as long would decide"),
        Needed::Earlier(runs) => format!("{runs} earlier runs would decide"),
        Needed::Each(runs) => format!("{runs} runs on each side would decide"),
    })
}

fn compared(account: Account<'_>) -> ComparedRun {
    let e = account.execution;
    ComparedRun {
        execution: e.id.clone(),
        test: format!("{}/{}", e.project, e.test),
        version: e.version.clone(),
        commit: e.trigger.commit.clone(),
        status: e.status,
        started_ms: e.started_ms,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::execution::summarise::testing::execution;
    use crate::histogram::Histogram;
    use crate::shard::Row;
    use bytes::Bytes;
    use floodgate_records::engine::Engine;
    use floodgate_records::execution::Execution;
    use floodgate_records::metric::{SeriesKey, Tags};
    use floodgate_records::status::Status;
    use std::sync::Arc;

    const WINDOWS: usize = 30;

    fn row(at: usize, metric: Builtin, count: u64, sum: f64, histogram: Option<Bytes>) -> Row {
        Row {
            time_ms: (at * 10_000) as i64,
            window_s: 10,
            key: Arc::new(SeriesKey {
                metric: metric.name().to_owned(),
                kind: metric.kind(),
                tags: Tags::new().with("name", "home"),
            }),
            count,
            sum,
            min: 0.0,
            max: 0.0,
            histogram,
        }
    }

    /// Five minutes at 200/s, with times of about `scale` ms and this share of failures.
    fn rows(seed: u64, scale: f64, failed: f64) -> Vec<Row> {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut rows = Vec::new();
        for at in 0..WINDOWS {
            let mut histogram = Histogram::new();
            let shared = scale * 1e3 * (0.99 + 0.02 * random.f64());
            for _ in 0..2_000 {
                histogram.record((shared * (1.0 + 3.0 * random.f64().powi(4))) as u64);
            }
            let mut encoded = Vec::new();
            histogram.encode_v2(&mut encoded);
            let sum = histogram.sum() as f64;
            let times = Some(Bytes::from(encoded));
            rows.push(row(at, Builtin::HttpReqDuration, 2_000, sum, times));
            let failures = (0..2_000).filter(|_| random.f64() < failed).count() as f64;
            rows.push(row(at, Builtin::HttpReqFailed, 2_000, failures, None));
            rows.push(row(at, Builtin::HttpReqs, 2_000, 2_000.0, None));
        }
        rows
    }

    fn terms(metrics: &[&str]) -> Terms {
        Terms {
            metrics: metrics
                .iter()
                .map(|text| BaselineMetric::parse(text).unwrap())
                .collect(),
            confidence: 0.95,
            min_effect: 0.05,
        }
    }

    fn record(id: &str, change: impl FnOnce(&mut Execution)) -> Execution {
        let mut record = execution();
        record.id = id.to_owned();
        record.status = Status::Passed;
        change(&mut record);
        record
    }

    fn compared_by(metrics: &[&str], rows: [&[Row]; 2], records: [&Execution; 2]) -> Comparison {
        let run = |at: usize| Run {
            account: Account {
                execution: records[at],
                generators: &[],
            },
            measured: Measured {
                rows: rows[at],
                start_ms: 0,
                duration_s: 10.0 * WINDOWS as f64,
            },
        };
        compare(run(0), run(1), &[], &terms(metrics))
    }

    const METRICS: [&str; 3] = [
        "http_req_duration p(95)",
        "http_req_failed rate",
        "http_reqs rate",
    ];

    #[test]
    fn what_is_worse_follows_from_the_metric() {
        let (a, b) = (record("A", |_| {}), record("B", |_| {}));
        let (fast, slow) = (rows(1, 10.0, 0.0), rows(2, 12.0, 0.02));
        let of = |rows: [&[Row]; 2]| compared_by(&METRICS, rows, [&a, &b]);
        let outcomes = |c: &Comparison| c.gates.iter().map(|g| g.outcome).collect::<Vec<_>>();
        let worse = of([&fast, &slow]);
        assert_eq!(worse.outcome, Change::Regressed);
        assert_eq!(
            outcomes(&worse),
            [Change::Regressed, Change::Regressed, Change::Unchanged]
        );
        let ratio = worse.gates[0].ratio.unwrap();
        assert!(ratio.low > 1.1 && ratio.high < 1.3, "{ratio:?}");
        assert!(worse.gates[0].base.unwrap() > 10.0, "in ms");
        assert_eq!(worse.gates[2].head, Some(200.0), "a second");
        let better = of([&slow, &fast]);
        assert_eq!(better.outcome, Change::Improved);
        assert_eq!(better, of([&slow, &fast]), "the same runs give the same");
    }

    #[test]
    fn no_failures_in_either_run_are_unchanged() {
        let (a, b) = (record("A", |_| {}), record("B", |_| {}));
        let same = compared_by(
            &METRICS,
            [&rows(1, 10.0, 0.0), &rows(2, 10.0, 0.0)],
            [&a, &b],
        );
        assert_eq!(same.outcome, Change::Unchanged, "{same:#?}");
        assert_eq!(same.gates[1].note.as_deref(), Some("none in either run"));
    }

    #[test]
    fn what_has_no_interval_is_undecided_and_says_why() {
        let (a, b) = (record("A", |_| {}), record("B", |_| {}));
        let rows = rows(1, 10.0, 0.0);
        let metrics = [
            "http_req_duration max",
            "http_req_duration{name:nope} p(95)",
        ];
        let none = compared_by(&metrics, [&rows, &rows], [&a, &b]);
        assert_eq!(none.outcome, Change::Undecided);
        assert!(
            none.gates
                .iter()
                .all(|g| g.note.is_some() && g.ratio.is_none())
        );
        let empty = compared_by(&[], [&rows, &rows], [&a, &b]);
        assert_eq!(
            empty.outcome,
            Change::Undecided,
            "nothing that is missing passes"
        );
    }

    /// What makes a run one of another kind, and what is said of it.
    type Difference = (fn(&mut Execution), &'static str);

    #[test]
    fn runs_of_another_kind_are_named_and_not_judged() {
        let rows = rows(1, 10.0, 0.0);
        let a = record("A", |_| {});
        let cases: [Difference; 8] = [
            (|e| e.version = "f".repeat(64), "the test has changed"),
            (|e| e.test = "other".into(), "different tests"),
            (|e| e.engine = Engine::K6.into(), "the engine differs"),
            (|e| e.planned.max_vus += 1, "the planned load differs"),
            (
                |e| e.infrastructure.tasks += 1,
                "the number of tasks differs",
            ),
            (
                |e| e.infrastructure.regions = vec!["us-east-1".into()],
                "the region differs",
            ),
            (|e| e.infrastructure.cpu += 1, "the size of a task differs"),
            (|e| e.status = Status::Inconclusive, "B is inconclusive"),
        ];
        for (change, word) in cases {
            let b = record("B", change);
            let found = compared_by(&METRICS[..1], [&rows, &rows], [&a, &b]);
            assert_eq!(found.outcome, Change::NotComparable);
            assert!(found.obstacles[0].contains(word), "{:?}", found.obstacles);
            assert_eq!(found.obstacles.len(), 1, "{:?}", found.obstacles);
        }
    }
}
