//! What is asked of other systems while a run goes on.

use std::fmt;
use std::time::Duration;

/// A series that another system measures.
#[derive(Clone, PartialEq, Eq)]
pub struct ObserveSpec {
    /// The metric that it becomes, a trend.
    pub metric: String,
    /// The base URL of a Prometheus, without a trailing slash.
    pub prometheus: String,
    /// A PromQL expression.
    pub query: String,
    /// Between two values: whole seconds, 1 s to 10 min.
    pub interval: Duration,
    /// Who asks.
    pub user: Option<String>,
    /// The user's password.
    pub password: Option<String>,
    /// A bearer token.
    pub token: Option<String>,
}

/// Without what proves who asks.
impl fmt::Debug for ObserveSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (metric, prometheus, query) = (&self.metric, &self.prometheus, &self.query);
        write!(f, "ObserveSpec({metric}: {query} of {prometheus})")
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
