//! Metrics and tags: k6's names, types and meanings (<https://grafana.com/docs/k6/latest/using-k6/metrics/reference/>),
//! and those that Floodgate adds (`http_req_response_time`, `http_req_looking_up`, `generator_lag`, `generator_cpu`).

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// The metrics of external engines that have a sample, or a count, for each request that is not one of HTTP: JMeter's other samplers;
/// k6's WebSocket sessions, its calls and streams of gRPC, and the requests of its browser
/// (<https://grafana.com/docs/k6/latest/using-k6/metrics/reference/>). Counters add up, of trends the samples count.
pub const OTHER_REQUESTS: [&str; 5] = [
    "samples",
    "ws_sessions",
    "grpc_req_duration",
    "grpc_streams",
    "browser_http_req_duration",
];

/// The four metric types of k6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MetricKind {
    /// A sum of the added values.
    Counter,
    /// The last value, with its smallest and largest.
    Gauge,
    /// The share of non-zero values, in [0, 1].
    Rate,
    /// A distribution, kept as an HDR histogram.
    Trend,
}

impl MetricKind {
    /// The name in records and in the shard column `kind`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Rate => "rate",
            Self::Trend => "trend",
        }
    }

    /// The kind of a name written by [`Self::as_str`].
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Counter, Self::Gauge, Self::Rate, Self::Trend]
            .into_iter()
            .find(|k| k.as_str() == name)
    }
}

impl fmt::Display for MetricKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What the values of a metric are, as in k6's summary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Contains {
    /// Plain numbers.
    Default,
    /// Durations: µs inside, milliseconds when printed.
    Time,
    /// Bytes.
    Data,
}

macro_rules! builtin {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $kind:ident, $contains:ident;)*) => {
        /// The metrics that every run knows; the discriminant is dense, so that a recorder can index by it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Builtin { $($(#[$doc])* $variant,)* }

        impl Builtin {
            /// All of them, in the order of their discriminants.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];
            /// The name in records, thresholds and shards.
            pub const fn name(self) -> &'static str { match self { $(Self::$variant => $name,)* } }
            /// Its type.
            pub const fn kind(self) -> MetricKind { match self { $(Self::$variant => MetricKind::$kind,)* } }
            /// What its values are.
            pub const fn contains(self) -> Contains { match self { $(Self::$variant => Contains::$contains,)* } }
        }
    };
}

builtin! {
    /// Requests sent, a sample each.
    HttpReqs = "http_reqs", Counter, Default;
    /// Requests without an expected response (status outside 200–399, or no response).
    HttpReqFailed = "http_req_failed", Rate, Default;
    /// Service time: sending + waiting + receiving.
    HttpReqDuration = "http_req_duration", Trend, Time;
    /// Response time: from the intended start of the request to its last byte. Where a request is the first of an
    /// iteration, its intended start is that of the iteration; a later one is intended when the step before it ended.
    HttpReqResponseTime = "http_req_response_time", Trend, Time;
    /// Waiting for a free connection, including its set-up's name resolution.
    HttpReqBlocked = "http_req_blocked", Trend, Time;
    /// Name resolution, part of `http_req_blocked`; zero on a reused connection.
    HttpReqLookingUp = "http_req_looking_up", Trend, Time;
    /// The TCP handshake; zero on a reused connection.
    HttpReqConnecting = "http_req_connecting", Trend, Time;
    /// The TLS handshake; zero on a reused connection.
    HttpReqTlsHandshaking = "http_req_tls_handshaking", Trend, Time;
    /// Writing the request.
    HttpReqSending = "http_req_sending", Trend, Time;
    /// From the last byte written to the first byte read.
    HttpReqWaiting = "http_req_waiting", Trend, Time;
    /// From the first byte read to the last.
    HttpReqReceiving = "http_req_receiving", Trend, Time;
    /// Iterations that ran to their end.
    Iterations = "iterations", Counter, Default;
    /// The time of a complete iteration from its actual start, think time included.
    IterationDuration = "iteration_duration", Trend, Time;
    /// Iterations that an arrival-rate schedule wanted and that never started.
    DroppedIterations = "dropped_iterations", Counter, Default;
    /// Iterations that ended at a step whose extraction found nothing; they are no `iterations`.
    FailedIterations = "failed_iterations", Counter, Default;
    /// Virtual users running an iteration loop.
    Vus = "vus", Gauge, Default;
    /// Virtual users allocated.
    VusMax = "vus_max", Gauge, Default;
    /// Checks that held.
    Checks = "checks", Rate, Default;
    /// Bytes written to sockets.
    DataSent = "data_sent", Counter, Data;
    /// Bytes read from sockets.
    DataReceived = "data_received", Counter, Data;
    /// Actual minus intended start of an iteration that a schedule gave a time.
    GeneratorLag = "generator_lag", Trend, Time;
    /// CPU use of a generator as a share of what its cgroup or machine allows, in [0, 1].
    GeneratorCpu = "generator_cpu", Gauge, Default;
}

impl Builtin {
    /// The metric of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|m| m.name() == name)
    }

    /// Whether its samples are times of requests, a request each.
    pub const fn is_of_request(self) -> bool {
        matches!(
            self,
            Self::HttpReqDuration
                | Self::HttpReqResponseTime
                | Self::HttpReqBlocked
                | Self::HttpReqLookingUp
                | Self::HttpReqConnecting
                | Self::HttpReqTlsHandshaking
                | Self::HttpReqSending
                | Self::HttpReqWaiting
                | Self::HttpReqReceiving
        )
    }

    /// Whether it is kept in windows of several seconds instead of one: every trend but the response
    /// time, which is what a run is followed by second by second. The others explain it: service time and its phases, the
    /// duration of iterations, the generator's lag.
    pub const fn in_phase_window(self) -> bool {
        matches!(self.kind(), MetricKind::Trend) && !matches!(self, Self::HttpReqResponseTime)
    }
}

/// What stands behind a number of the metric with that key: ` ms` or nothing.
pub fn unit_of(key: &str) -> &'static str {
    let name = key.split('{').next().unwrap_or(key);
    let is_time = Builtin::parse(name).is_some_and(|m| m.contains() == Contains::Time);
    if is_time { " ms" } else { "" }
}

/// Dimensions of a series: names to values, sorted by name. The names with a column of their own in a shard are
/// [`Tags::COLUMNS`]; `group` is the column `grp`, since `group` is a reserved word of SQL.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tags(pub BTreeMap<String, String>);

impl Tags {
    /// The tags that have a column of their own, in column order.
    pub const COLUMNS: [&'static str; 6] = [
        "scenario",
        "group",
        "name",
        "method",
        "status",
        "error_code",
    ];

    /// An empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same set with one more tag; an empty value removes it.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        let value = value.into();
        if value.is_empty() {
            self.0.remove(&name.into());
        } else {
            self.0.insert(name.into(), value);
        }
        self
    }

    /// The value of a tag.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Whether every tag of `filter` stands here with the same value.
    pub fn matches(&self, filter: &Self) -> bool {
        filter.0.iter().all(|(k, v)| self.get(k) == Some(v))
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Tags {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(iter: I) -> Self {
        Self(
            iter.into_iter()
                .map(|(k, v)| (k.into(), v.into()))
                .collect(),
        )
    }
}

/// A metric with its tags: what one time series is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeriesKey {
    /// The metric's name.
    pub metric: String,
    /// Its type.
    pub kind: MetricKind,
    /// Its tags.
    pub tags: Tags,
}

impl fmt::Display for SeriesKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.metric)?;
        if !self.tags.0.is_empty() {
            let tags: Vec<_> = self
                .tags
                .0
                .iter()
                .map(|(k, v)| format!("{k}:{v}"))
                .collect();
            write!(f, "{{{}}}", tags.join(","))?;
        }
        Ok(())
    }
}
