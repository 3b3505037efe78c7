//! Comparison with an earlier run of the same test.
//!
//! Each aggregate named in `baseline.metrics` may be worse than the earlier run's by a relative tolerance. What is worse
//! follows from the metric: more of a time, of failures, of drops, of CPU; less of requests, iterations, checks that
//! hold. Of anything else (bytes, VUs, custom counters and gauges) nobody can tell, so a change either way counts.
//! The tolerance is relative, so a metric that was exactly zero has to stay there; a threshold is the tool for an absolute
//! bound.
//!
//! The first run has nothing to be compared with, and a metric that the earlier summary lacks neither: these are
//! [`Outcome::NoData`] without a `baseline` value, which is a warning. A metric that the *present* run lacks is missing data,
//! and that never passes.

use crate::syntax::SyntaxError;
use crate::threshold::{
    Aggregate, MetricSource, MissingSamples, check_aggregate, checked_key, observe, parse_key,
};
use floodgate_records::key::Key;
use floodgate_records::metric::Builtin;
use floodgate_records::outcome::{BaselineOutcome, Direction, Outcome};
use floodgate_records::summary::Summary;
use std::time::Duration;

/// An aggregate to compare: `http_req_duration{name:home} p(95)`.
#[derive(Clone, Debug, PartialEq)]
pub struct BaselineMetric {
    /// What is measured.
    pub key: Key,
    /// Which number of it.
    pub aggregate: Aggregate,
}

/// What is compared and followed unless somebody says otherwise.
const DEFAULTS: [&str; 5] = [
    "http_req_duration p(50)",
    "http_req_duration p(95)",
    "http_req_duration p(99)",
    "http_req_failed rate",
    "http_reqs rate",
];

impl BaselineMetric {
    /// What is compared and followed by default, as far as the metrics are known: p(50), p(95) and p(99) of `http_req_duration`, the
    /// rates of `http_req_failed` and `http_reqs`.
    pub fn defaults(is_known: impl Fn(&str) -> bool) -> Vec<Self> {
        let all = DEFAULTS.iter().filter_map(|text| Self::parse(text).ok());
        all.filter(|metric| is_known(&metric.key.to_string()))
            .collect()
    }

    /// Parses `metric{tag:value} aggregate`.
    ///
    /// # Errors
    /// As for a threshold.
    pub fn parse(text: &str) -> Result<Self, SyntaxError> {
        let trimmed = text.trim_end();
        let Some((at, _)) = trimmed.char_indices().rfind(|(_, c)| c.is_whitespace()) else {
            return Err(SyntaxError::new(
                trimmed.len(),
                "an aggregate after the metric is missing",
            )
            .allowed("\"http_req_duration p(95)\""));
        };
        let key_at = text.len() - text.trim_start().len();
        let key_text = text.get(key_at..at).map_or("", str::trim_end);
        let key =
            checked_key(key_text).map_err(|error| error.within(key_at..key_at + key_text.len()))?;
        let aggregate_text = trimmed[at..].trim_start();
        let aggregate_at = trimmed.len() - aggregate_text.len()..trimmed.len();
        let aggregate = Aggregate::parse(aggregate_text)
            .and_then(|aggregate| check_aggregate(&key.metric, aggregate).map(|()| aggregate))
            .map_err(|error| error.within(aggregate_at))?;
        Ok(Self { key, aggregate })
    }

    /// Parses all metrics of a definition.
    ///
    /// # Errors
    /// All faults, in the order of the definition; each names its text.
    pub fn all(metrics: &[String]) -> Result<Vec<Self>, Vec<SyntaxError>> {
        let (good, bad): (Vec<_>, Vec<_>) = metrics
            .iter()
            .map(|m| Self::parse(m).map_err(|error| error.naming(m)))
            .partition(Result::is_ok);
        match bad.is_empty() {
            true => Ok(good.into_iter().flatten().collect()),
            false => Err(bad.into_iter().filter_map(Result::err).collect()),
        }
    }

    /// As it is written in canonical form.
    pub fn id(&self) -> String {
        format!("{} {}", self.key, self.aggregate)
    }
}

/// A comparison, ready to be made.
#[derive(Clone, Debug, PartialEq)]
pub struct Baseline {
    /// What is compared.
    pub metrics: Vec<BaselineMetric>,
    /// Allowed relative worsening, a ratio.
    pub tolerance: f64,
}

impl Baseline {
    /// Compiles a comparison as written, with a relative worsening that is allowed.
    ///
    /// # Errors
    /// As for [`BaselineMetric::all`].
    pub fn compile(metrics: &[String], tolerance: f64) -> Result<Self, Vec<SyntaxError>> {
        Ok(Self {
            metrics: BaselineMetric::all(metrics)?,
            tolerance,
        })
    }

    /// Compares a run that took `elapsed` with the summary of an earlier one, if there is one.
    pub fn compare(
        &self,
        source: &dyn MetricSource,
        elapsed: Duration,
        missing: &MissingSamples,
        earlier: Option<&Summary>,
    ) -> Vec<BaselineOutcome> {
        self.metrics
            .iter()
            .map(|m| self.compare_one(m, source, elapsed, missing, earlier))
            .collect()
    }

    fn compare_one(
        &self,
        metric: &BaselineMetric,
        source: &dyn MetricSource,
        elapsed: Duration,
        missing: &MissingSamples,
        earlier: Option<&Summary>,
    ) -> BaselineOutcome {
        let seen = observe(source, &metric.key, metric.aggregate, elapsed, missing);
        let kind = seen
            .kind
            .or_else(|| Builtin::parse(&metric.key.metric).map(Builtin::kind));
        let direction = kind.map_or(Direction::EitherIsWorse, |k| {
            Direction::of(&metric.key.metric, k)
        });
        let observed = seen.value;
        let baseline = earlier.and_then(|s| value_in(s, metric));
        let (outcome, note) = match (baseline, observed, earlier) {
            (Some(b), Some(o), _) if direction.holds(b, o, self.tolerance) => {
                // A lower bound of the value may hold where the value does not.
                match seen.is_exact() {
                    true => (Outcome::Passed, None),
                    false => (Outcome::NoData, seen.note),
                }
            }
            (Some(_), Some(_), _) => (Outcome::Failed, None),
            (Some(_), None, _) => (Outcome::NoData, seen.note),
            (None, _, None) => (
                Outcome::NoData,
                Some("there is no earlier run to compare with yet; the first one that passes becomes the baseline".to_owned()),
            ),
            (None, _, Some(s)) => (
                Outcome::NoData,
                Some(format!("the baseline run {} has no {}; the next baseline will", s.execution, metric.id())),
            ),
        };
        let change = baseline
            .zip(observed)
            .filter(|(b, _)| *b != 0.0)
            .map(|(b, o)| (o - b) / b.abs());
        BaselineOutcome {
            id: metric.id(),
            key: metric.key.to_string(),
            aggregate: metric.aggregate.to_string(),
            direction,
            tolerance: self.tolerance,
            baseline,
            observed,
            change,
            outcome,
            note,
        }
    }
}

/// The value in an earlier summary (trends: ms). Its keys may be spelled in another way: what they mean is compared.
pub fn value_in(summary: &Summary, metric: &BaselineMetric) -> Option<f64> {
    let same = |text: &String| parse_key(text).is_ok_and(|k| k == metric.key);
    let (_, found) = summary.metrics.iter().find(|(text, _)| same(text))?;
    // Every summary has the median, by its name.
    let other = match metric.aggregate {
        Aggregate::Percentile(50.0) => Some(Aggregate::Med),
        Aggregate::Med => Some(Aggregate::Percentile(50.0)),
        _ => None,
    };
    let names = [Some(metric.aggregate), other].into_iter().flatten();
    let mut values = names.filter_map(|name| found.values.get(&name.to_string()));
    values.next().copied().filter(|v| v.is_finite())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
