//! What thresholds, baselines and summaries ask of merged data.

use floodgate_records::metric::{MetricKind, Tags};

/// Merged measurements of a run, or of what is known of it so far.
pub trait MetricSource {
    /// All samples of the metric in series whose tags are wanted, merged into one; `None` if there is no such series.
    fn select_where(&self, metric: &str, wanted: &dyn Fn(&Tags) -> bool) -> Option<Selected<'_>>;

    /// [`Self::select_where`] the tags match `filter`.
    fn select(&self, metric: &str, filter: &Tags) -> Option<Selected<'_>> {
        self.select_where(metric, &|tags| tags.matches(filter))
    }

    /// The metrics with at least one series, each once. Empty if nothing has been measured at all.
    fn metrics(&self) -> Vec<(String, MetricKind)>;

    /// The samples of the metric by the values of one tag, each value once, sorted; series without the tag are left out.
    fn tag_values(&self, metric: &str, tag: &str) -> Vec<(String, Selected<'_>)>;

    /// The samples of the metric by the values of these tags, each combination once, sorted; an absent tag is empty.
    fn by_tags(&self, metric: &str, tags: &[&str]) -> Vec<Grouped<'_>>;
}

/// The values of the tags that were asked for, in that order, and the samples that have them.
pub type Grouped<'a> = (Vec<String>, Selected<'a>);

/// The samples of a metric, merged over series and tasks. Values are as recorded: trends in µs (a custom trend's are
/// scaled by 1,000 likewise, so that its printed value is the one that was added).
pub struct Selected<'a> {
    /// The metric's type.
    pub kind: MetricKind,
    /// Samples.
    pub count: u64,
    /// Counter: the total; rate: how many samples were not zero; trend and gauge: the sum of the values.
    pub sum: f64,
    /// The smallest value (gauge, trend).
    pub min: f64,
    /// The largest value (gauge, trend).
    pub max: f64,
    /// The last value (gauge).
    pub last: f64,
    /// The distribution of a trend.
    pub distribution: Option<Box<dyn Distribution + 'a>>,
}

impl Selected<'_> {
    /// A counter that stayed at zero.
    pub fn zero_counter() -> Self {
        Self {
            kind: MetricKind::Counter,
            count: 1,
            sum: 0.0,
            min: 0.0,
            max: 0.0,
            last: 0.0,
            distribution: None,
        }
    }
}

/// A distribution that knows its quantiles.
pub trait Distribution {
    /// The value at `q` in [0, 1], in the unit of the samples.
    fn quantile(&self, q: f64) -> f64;
}

impl<F: Fn(f64) -> f64> Distribution for F {
    fn quantile(&self, q: f64) -> f64 {
        self(q)
    }
}
