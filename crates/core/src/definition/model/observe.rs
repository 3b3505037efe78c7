//! What is asked of other systems while a run goes on.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// A series that another system measures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObserveSpec {
    /// The metric that it becomes, a trend.
    pub metric: String,
    /// What is asked.
    pub source: ObserveSource,
    /// Between two values: whole seconds, 1 s to 10 min; of CloudWatch what its periods may be.
    pub interval: Duration,
}

/// A system that is asked, and the question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ObserveSource {
    /// A Prometheus.
    Prometheus(PrometheusSource),
    /// CloudWatch.
    CloudWatch(CloudWatchSource),
}

/// A query of a Prometheus.
#[derive(Clone, PartialEq, Eq)]
pub struct PrometheusSource {
    /// The base URL, without a trailing slash.
    pub url: String,
    /// A PromQL expression.
    pub query: String,
    /// Who asks.
    pub user: Option<String>,
    /// The user's password.
    pub password: Option<String>,
    /// A bearer token.
    pub token: Option<String>,
}

/// A statistic of a metric of CloudWatch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloudWatchSource {
    /// The namespace.
    pub namespace: String,
    /// The metric.
    pub metric: String,
    /// All of its dimensions.
    pub dimensions: BTreeMap<String, String>,
    /// Such as `Average` or `p95`.
    pub statistic: String,
    /// The region; none: the one that the AWS SDK finds.
    pub region: Option<String>,
}

/// Without what proves who asks.
impl fmt::Debug for PrometheusSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrometheusSource({} of {})", self.query, self.url)
    }
}

/// Why a run in the cloud cannot have the definition, if it cannot: nobody there asks other systems.
pub fn observe_in_the_cloud(observe: &[ObserveSpec]) -> Option<String> {
    let first = observe.first()?;
    Some(format!(
        "observe.{}: only a run on one machine asks other systems; remove observe, and the thresholds on its metrics",
        first.metric
    ))
}
