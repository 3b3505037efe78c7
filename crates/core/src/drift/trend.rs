//! The numbers of a test over its runs, with their change points.

use super::change_points::{ChangePoint, Sensitivity, change_points};
use crate::baseline::{BaselineMetric, value_in};
use crate::compare::{Account, compared, obstacles};
use crate::threshold::{MetricSource, MissingSamples, observe, parse_key};
use floodgate_records::comparison::Change;
use floodgate_records::execution::Execution;
use floodgate_records::metric::MetricKind;
use floodgate_records::outcome::Direction;
use floodgate_records::summary::Summary;
use floodgate_records::trend::{Trend, TrendChange, TrendMetric};
use std::collections::BTreeMap;

/// A run with its account.
#[derive(Clone, Debug)]
pub struct PastRun {
    /// Its record.
    pub execution: Execution,
    /// What it came to.
    pub summary: Summary,
    /// Numbers that its summary lacks (trends: ms), by [`BaselineMetric::id`].
    pub measured: BTreeMap<String, f64>,
}

impl PastRun {
    /// A run of which the summary is known.
    pub fn new(execution: Execution, summary: Summary) -> Self {
        Self {
            execution,
            summary,
            measured: BTreeMap::new(),
        }
    }

    /// One of its numbers (trends: ms), if it is known.
    pub fn value(&self, metric: &BaselineMetric) -> Option<f64> {
        let measured = || self.measured.get(&metric.id()).copied();
        value_in(&self.summary, metric).or_else(measured)
    }

    /// Works a number out from what the run measured.
    ///
    /// # Errors
    /// Why there is none: a sentence.
    pub fn measure(
        &self,
        source: &dyn MetricSource,
        metric: &BaselineMetric,
    ) -> Result<f64, String> {
        let elapsed = self.summary.judged();
        // Of what was folded, nobody can say here that it was not asked for.
        let missing = MissingSamples {
            kept: Some(Vec::new()),
            ..MissingSamples::default()
        };
        let seen = observe(source, &metric.key, metric.aggregate, elapsed, &missing);
        let why = || format!("{} has no samples", metric.key);
        seen.value.ok_or_else(|| seen.note.unwrap_or_else(why))
    }

    fn account(&self) -> Account<'_> {
        Account {
            execution: &self.execution,
            generators: &self.summary.generators,
        }
    }
}

/// Follows some numbers over runs of a test, the oldest first.
pub fn trend(
    test: &str,
    runs: &[PastRun],
    metrics: &[BaselineMetric],
    sensitivity: &Sensitivity,
) -> Trend {
    Trend {
        schema: Trend::SCHEMA,
        test: test.to_owned(),
        max_p_value: sensitivity.max_p_value,
        min_effect: sensitivity.min_change,
        runs: runs.iter().map(|run| compared(run.account())).collect(),
        left_out: Vec::new(),
        notes: Vec::new(),
        metrics: metrics
            .iter()
            .map(|metric| over(runs, metric, sensitivity))
            .collect(),
    }
}

fn over(runs: &[PastRun], metric: &BaselineMetric, sensitivity: &Sensitivity) -> TrendMetric {
    let values: Vec<_> = runs.iter().map(|run| run.value(metric)).collect();
    let kind = runs.iter().find_map(|run| kind_in(&run.summary, metric));
    let direction = kind.map_or(Direction::EitherIsWorse, |kind| {
        Direction::of(&metric.key.metric, kind)
    });
    // Runs that lack the number leave no gap in its series.
    let (places, series): (Vec<usize>, Vec<f64>) = (0..)
        .zip(&values)
        .filter_map(|(at, value)| Some((at, (*value)?)))
        .unzip();
    let named = |point: &ChangePoint| {
        let (at, before) = (places[point.index], places[point.index - 1]);
        let also = obstacles(runs[before].account(), runs[at].account());
        let execution = &runs[at].execution;
        TrendChange {
            run: at,
            execution: execution.id.clone(),
            commit: execution.trigger.commit.clone(),
            outcome: outcome(direction, point),
            before: point.before,
            after: point.after,
            change: (point.before != 0.0).then(|| point.change()),
            p_value: point.p_value,
            also,
        }
    };
    let found = change_points(&series, sensitivity);
    TrendMetric {
        id: metric.id(),
        key: metric.key.to_string(),
        aggregate: metric.aggregate.to_string(),
        kind,
        direction,
        changes: found.iter().map(named).collect(),
        values,
    }
}

/// Of what nobody can tell whether more of it is worse, a change is one for the worse.
fn outcome(direction: Direction, point: &ChangePoint) -> Change {
    let is_more = point.after > point.before;
    match (direction, is_more) {
        (Direction::HigherIsWorse, false) | (Direction::LowerIsWorse, true) => Change::Improved,
        _ => Change::Regressed,
    }
}

fn kind_in(summary: &Summary, metric: &BaselineMetric) -> Option<MetricKind> {
    // A summary has every metric, if not with these tags.
    let same = |text: &String| parse_key(text).is_ok_and(|key| key.metric == metric.key.metric);
    let (_, found) = summary.metrics.iter().find(|(text, _)| same(text))?;
    Some(found.kind)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::baseline::Baseline;
    use crate::execution::summarise::testing::{execution, summary_with};
    use crate::threshold::testing::Samples;

    /// Runs with these values of the p95, in ms, and each its own id.
    fn runs(values: &[f64], change: impl Fn(usize, &mut Execution)) -> Vec<PastRun> {
        let baseline = Baseline::compile(&["http_req_duration p(95)".into()], 0.1).unwrap();
        let run = |(at, ms): (usize, &f64)| {
            let samples = Samples::default().with(
                "http_req_duration",
                MetricKind::Trend,
                &[],
                [ms * 1e3; 20],
            );
            let mut execution = execution();
            execution.id = format!("01JD7Q3W5Z8X9Y0A1B2C3D4E{at:02}");
            change(at, &mut execution);
            PastRun::new(execution, summary_with(&samples, &baseline))
        };
        values.iter().enumerate().map(run).collect()
    }

    fn of(runs: &[PastRun], metrics: &[&str]) -> Trend {
        let metrics: Vec<_> = metrics
            .iter()
            .map(|text| BaselineMetric::parse(text).unwrap())
            .collect();
        let sensitivity = Sensitivity {
            min_change: 0.05,
            ..Sensitivity::default()
        };
        trend("shop/checkout", runs, &metrics, &sensitivity)
    }

    fn step(at: usize, to: f64) -> Vec<f64> {
        let noise = [0.3, -0.2, 0.1, -0.4, 0.2, 0.0, -0.1];
        (0..20)
            .map(|n| if n < at { 100.0 } else { to } + noise[n % noise.len()])
            .collect()
    }

    #[test]
    fn a_change_is_named_with_its_run_commit_and_what_else_changed() {
        let runs = runs(&step(12, 120.0), |at, e| {
            e.trigger.commit = Some(format!("c{at}"));
            if at >= 12 {
                e.version = "f".repeat(64);
            }
        });
        let found = of(&runs, &["http_req_duration p(95)", "http_reqs rate"]);
        assert_eq!(found.runs.len(), 20);
        let [change] = &found.metrics[0].changes[..] else {
            panic!("{found:#?}")
        };
        assert_eq!(
            (change.run, change.execution.as_str()),
            (12, runs[12].execution.id.as_str())
        );
        assert_eq!(change.commit.as_deref(), Some("c12"));
        assert_eq!(change.outcome, Change::Regressed);
        assert!((change.change.unwrap() - 0.2).abs() < 0.01, "{change:?}");
        assert!(
            change.also[0].contains("the test has changed"),
            "{change:?}"
        );
        assert_eq!(found.metrics[1].values, vec![None; 20], "no run has it");
        assert_eq!(found.metrics[1].changes, []);
    }

    #[test]
    fn a_number_that_the_summary_lacks_is_measured_or_named() {
        let mut runs = runs(&[100.0, 100.0], |_, _| {});
        let parsed = |text: &str| BaselineMetric::parse(text).unwrap();
        let of_home = parsed("http_req_duration{name:home} p(97.5)");
        let with = |name: &str| {
            let tags = [("name", name)];
            Samples::default().with("http_req_duration", MetricKind::Trend, &tags, [7e3; 4])
        };
        let measured = runs[0].measure(&with("home"), &of_home).unwrap();
        assert_eq!(measured, 7.0);
        let none = runs[1].measure(&with("other"), &of_home).unwrap_err();
        assert!(none.contains("has these tags"), "{none}");
        let hidden = runs[1].measure(&with("__other__"), &of_home).unwrap_err();
        assert!(
            hidden.contains("4 samples of other series were folded"),
            "{hidden}"
        );

        runs[0].measured.insert(of_home.id(), measured);
        let found = of(&runs, &["http_req_duration{name:home} p(97.5)"]);
        assert_eq!(found.metrics[0].values, [Some(7.0), None]);
        assert_eq!(found.metrics[0].kind, Some(MetricKind::Trend));
        assert_eq!(found.metrics[0].direction, Direction::HigherIsWorse);
    }

    #[test]
    fn what_is_small_or_better_is_no_regression() {
        let better = of(
            &runs(&step(8, 80.0), |_, _| {}),
            &["http_req_duration p(95)"],
        );
        assert_eq!(better.metrics[0].changes[0].outcome, Change::Improved);
        let small = of(
            &runs(&step(8, 103.0), |_, _| {}),
            &["http_req_duration p(95)"],
        );
        assert_eq!(small.metrics[0].changes, []);
        // The median stands in a summary by its name.
        let median = of(
            &runs(&step(8, 80.0), |_, _| {}),
            &["http_req_duration p(50)"],
        );
        assert_eq!(median.metrics[0].changes.len(), 1);
        assert_eq!(of(&[], &["http_reqs rate"]).runs, []);
    }
}
