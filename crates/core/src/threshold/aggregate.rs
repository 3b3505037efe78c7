//! Aggregates: how the samples of a metric become one number.

use super::number::number_length;
use super::source::Selected;
use crate::syntax::SyntaxError;
use floodgate_records::metric::MetricKind;
use floodgate_records::printable::quoted;
use std::fmt;
use std::time::Duration;

/// Microseconds in a millisecond: trends are µs inside and ms in thresholds and summaries.
pub(crate) const US_PER_MS: f64 = 1_000.0;

/// What a threshold compares. Which type of metric has which is k6's rule
/// (<https://grafana.com/docs/k6/latest/using-k6/thresholds/#threshold-syntax>).
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Aggregate {
    /// Counter: the sum.
    Count,
    /// Counter: the sum a second of the run's duration; rate: the share of non-zero values, in [0, 1].
    Rate,
    /// Gauge: the last value.
    Value,
    /// Trend: the mean.
    Avg,
    /// Trend: the smallest value.
    Min,
    /// Trend: the largest value.
    Max,
    /// Trend: the median.
    Med,
    /// Trend: a percentile, in [0, 100].
    Percentile(f64),
}

impl Aggregate {
    /// Parses `count`, `rate`, `value`, `avg`, `min`, `max`, `med` or `p(N)`, without spaces around it.
    ///
    /// # Errors
    /// An unknown name, with the nearest that is known, and a percentile that is none.
    pub fn parse(text: &str) -> Result<Self, SyntaxError> {
        if let Some(n) = text.strip_prefix("p(").and_then(|t| t.strip_suffix(')')) {
            return percentile(n).ok_or_else(|| {
                SyntaxError::new(
                    2..2 + n.len(),
                    format!("{} is not a valid percentile", quoted(n)),
                )
                .allowed("N of p(N) from 0 to 100, such as p(95) or p(99.9)")
            });
        }
        Ok(match text {
            "count" => Self::Count,
            "rate" => Self::Rate,
            "value" => Self::Value,
            "avg" => Self::Avg,
            "min" => Self::Min,
            "max" => Self::Max,
            "med" => Self::Med,
            _ => {
                let error = SyntaxError::new(0, format!("unknown aggregate {}", quoted(text)))
                    .allowed("count, rate, value, avg, min, max, med and p(N)");
                return Err(match nearest(text) {
                    Some(nearest) => error.hint(format!("\"{nearest}\"")),
                    None => error,
                });
            }
        })
    }

    /// Whether a type of metric has it.
    pub const fn is_of(self, kind: MetricKind) -> bool {
        match kind {
            MetricKind::Counter => matches!(self, Self::Count | Self::Rate),
            MetricKind::Gauge => matches!(self, Self::Value),
            MetricKind::Rate => matches!(self, Self::Rate),
            MetricKind::Trend => {
                matches!(
                    self,
                    Self::Avg | Self::Min | Self::Max | Self::Med | Self::Percentile(_)
                )
            }
        }
    }

    /// Whether only trends have it.
    pub const fn is_of_trend(self) -> bool {
        self.is_of(MetricKind::Trend)
    }

    /// The aggregates of a type, as an error message lists them.
    pub const fn allowed(kind: MetricKind) -> &'static str {
        match kind {
            MetricKind::Counter => "count and rate",
            MetricKind::Gauge => "value",
            MetricKind::Rate => "rate",
            MetricKind::Trend => "avg, min, max, med and p(N)",
        }
    }

    /// The aggregate of a type that someone who wrote `self` may have meant.
    pub(super) const fn nearest_of(self, kind: MetricKind) -> Option<&'static str> {
        match (kind, self) {
            (MetricKind::Gauge, _) => Some("value"),
            (MetricKind::Rate, _) => Some("rate"),
            (MetricKind::Counter, Self::Value) => Some("count"),
            (MetricKind::Trend, Self::Value) => Some("avg"),
            _ => None,
        }
    }

    /// The value over some samples: trends in ms, everything else as measured. `None` if there is no sample, if the
    /// type has no such aggregate, or if a counter's rate is asked of no time at all.
    pub fn of(self, selected: &Selected<'_>, elapsed: Duration) -> Option<f64> {
        if selected.count == 0 || !self.is_of(selected.kind) {
            return None;
        }
        let ms = |us: f64| us / US_PER_MS;
        let quantile = |q: f64| {
            // A bucket's representative may lie outside of what was measured; the exact ends are known.
            let us = selected.distribution.as_ref()?.quantile(q);
            Some(ms(us.max(selected.min).min(selected.max)))
        };
        match self {
            Self::Count => Some(selected.sum),
            Self::Rate if selected.kind == MetricKind::Rate => {
                Some(selected.sum / selected.count as f64)
            }
            Self::Rate if elapsed.is_zero() => None,
            Self::Rate => Some(selected.sum / elapsed.as_secs_f64()),
            Self::Value => Some(selected.last),
            Self::Avg => Some(ms(selected.sum / selected.count as f64)),
            Self::Min => Some(ms(selected.min)),
            Self::Max => Some(ms(selected.max)),
            Self::Med => quantile(0.5),
            Self::Percentile(0.0) => Some(ms(selected.min)),
            Self::Percentile(100.0) => Some(ms(selected.max)),
            Self::Percentile(p) => quantile(p / 100.0),
        }
    }
}

impl fmt::Display for Aggregate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Count => "count",
            Self::Rate => "rate",
            Self::Value => "value",
            Self::Avg => "avg",
            Self::Min => "min",
            Self::Max => "max",
            Self::Med => "med",
            Self::Percentile(n) => return write!(f, "p({n})"),
        })
    }
}

fn percentile(text: &str) -> Option<Aggregate> {
    let plain = text.starts_with(|c: char| c.is_ascii_digit()) && number_length(text) == text.len();
    let n: f64 = plain.then(|| text.parse().ok()).flatten()?;
    (0.0..=100.0)
        .contains(&n)
        .then_some(Aggregate::Percentile(n))
}

/// What someone may have meant who wrote `text`.
fn nearest(text: &str) -> Option<String> {
    let lower = text.to_lowercase();
    let digits = |t: &str| percentile(t).map(|p| p.to_string());
    if let Some(p) = lower
        .strip_prefix('p')
        .map(|t| t.trim_matches(['(', ')', ' ', '_']))
        .and_then(digits)
    {
        return Some(p);
    }
    let synonym = match lower.as_str() {
        "mean" | "average" => Some("avg"),
        "median" => Some("med"),
        "total" | "sum" => Some("count"),
        "last" => Some("value"),
        _ => None,
    };
    synonym
        .or_else(|| {
            let names = ["count", "rate", "value", "avg", "min", "max", "med"];
            names
                .into_iter()
                .filter(|n| strsim::osa_distance(n, &lower) <= 2)
                .min_by_key(|n| strsim::osa_distance(n, &lower))
        })
        .map(str::to_owned)
}
