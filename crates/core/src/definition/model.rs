//! What a definition says, validated and typed. Units stand in the types; every reference has been resolved.

mod capacity;
mod connection;
mod export;
mod flow;
mod observe;
mod retry;
mod threshold;
mod tier;

pub use capacity::*;
pub use connection::*;
pub use export::*;
pub use floodgate_records::connections::TlsResumption;
pub use floodgate_records::notify::*;
pub use flow::*;
pub use observe::*;
pub use retry::*;
pub use threshold::*;
pub use tier::*;

use crate::template::Template;
use floodgate_records::comparison::IfUndecided;
use floodgate_records::engine::Engine;
use floodgate_records::words;
use std::collections::BTreeMap;
use std::time::Duration;

/// Stands for a target whose host is known only where the test runs; no host has this name (RFC 6761 §6.4).
pub const OPEN_TARGET: &str = "http://open.invalid";

/// A validated test definition.
#[derive(Clone, Debug, PartialEq)]
pub struct Definition {
    /// The tenant; `[a-z0-9][a-z0-9-]{0,62}`.
    pub project: String,
    /// The test's name; the same alphabet.
    pub test: String,
    /// Base URL that relative step URLs are joined to (`http` or `https`, no trailing slash); `None` if every step is absolute.
    pub target: Option<String>,
    /// Base URL of what the target is compared with, in turns: the scenarios with [`Side::Base`] send to it.
    pub against: Option<String>,
    /// The engine that sends the load.
    pub engine: Engine,
    /// The script of an external engine, relative to the definition's folder.
    pub script: Option<String>,
    /// Files that the script reads, relative to the definition's folder.
    pub script_files: Vec<String>,
    /// What the parameters stand for; an external engine's script is given them.
    pub parameters: BTreeMap<String, String>,
    /// What is done once before the load, by one task; what it sets and extracts is known to all flows.
    pub setup: Vec<Step>,
    /// What is done once after the load, by the same task.
    pub teardown: Vec<Step>,
    /// Scenarios in the order of the file. With an external engine they say what load its script makes, as far as that is known,
    /// and may be empty.
    pub scenarios: Vec<Scenario>,
    /// Data files.
    pub data: Vec<DataSource>,
    /// The beginning of the run that is measured and not judged, in whole seconds; zero without one.
    pub warmup: Duration,
    /// Thresholds in the order of the file, then objectives, not yet compiled (see [`crate::threshold`]); all compile.
    pub thresholds: Vec<ThresholdSpec>,
    /// Comparison with an earlier run.
    pub baseline: Option<BaselineSpec>,
    /// Makes the run seek the capacity.
    pub capacity: Option<CapacitySpec>,
    /// The tier that it has been scaled to.
    pub tier: Option<Tier>,
    /// Where and how large.
    pub run: RunOptions,
    /// Defaults of the native HTTP engine.
    pub http: HttpOptions,
    /// Tags of every sample.
    pub tags: BTreeMap<String, String>,
    /// What is asked of other systems while the run goes on.
    pub observe: Vec<ObserveSpec>,
    /// Where results go beside the store of the run.
    pub export: Vec<ExportSpec>,
    /// Notifications.
    pub notify: Vec<Notify>,
    /// What responses are checked against.
    pub contract: Option<ContractSpec>,
}

/// One scenario.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// Its name; also the tag `scenario`.
    pub name: String,
    /// When it starts, from the start of the run.
    pub start_time: Duration,
    /// How long running iterations may go on after its end. k6's default: 30 s.
    pub graceful_stop: Duration,
    /// When iterations start.
    pub executor: Executor,
    /// Which of the starts are its own, where scenarios share an arrival rate.
    pub share: Option<Share>,
    /// Whose turns it has, where two targets are loaded in turns.
    pub side: Option<Side>,
    /// The least time from the start of a VU's iteration to that of its next, in a closed loop.
    pub pace: Option<Duration>,
    /// Tags of its samples.
    pub tags: BTreeMap<String, String>,
    /// The native engine's steps; empty for other engines.
    pub flow: Vec<Step>,
    /// The engine's options for this scenario (the definition's with the scenario's own on top).
    pub http: HttpOptions,
}

words! {
    /// Which of two targets that are loaded in turns.
    pub Side {
        /// The one that is compared with.
        Base = "base",
        /// The one in question.
        Head = "head",
    }
}

impl Side {
    /// The tag of a side's samples.
    pub const TAG: &'static str = "side";
}

impl Scenario {
    /// The base URL that its relative URLs are joined to.
    pub fn target<'a>(&self, definition: &'a Definition) -> Option<&'a str> {
        match self.side {
            Some(Side::Base) => definition.against.as_deref(),
            _ => definition.target.as_deref(),
        }
    }
}

/// A scenario's share of an arrival rate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    /// The weights of all scenarios that share it.
    pub weights: Vec<u32>,
    /// Which of them this one's is.
    pub place: usize,
}

impl Share {
    /// As a ratio in [0, 1].
    pub fn ratio(&self) -> f64 {
        let sum: u64 = self.weights.iter().copied().map(u64::from).sum();
        let own = self.weights.get(self.place).copied().unwrap_or(0);
        if sum == 0 {
            0.0
        } else {
            f64::from(own) / sum as f64
        }
    }
}

/// k6's executors with k6's option names and defaults
/// (<https://grafana.com/docs/k6/latest/using-k6/scenarios/executors/>).
#[derive(Clone, Debug, PartialEq)]
pub enum Executor {
    /// A fixed number of iterations, shared by the VUs.
    SharedIterations {
        /// VUs (default 1).
        vus: u64,
        /// Iterations in all (default 1; at least `vus`).
        iterations: u64,
        /// The longest time (default 10 min).
        max_duration: Duration,
    },
    /// A fixed number of iterations for each VU.
    PerVuIterations {
        /// VUs (default 1).
        vus: u64,
        /// Iterations a VU (default 1).
        iterations: u64,
        /// The longest time (default 10 min).
        max_duration: Duration,
    },
    /// A closed loop: VUs that iterate for a time.
    ConstantVus {
        /// VUs (default 1).
        vus: u64,
        /// For how long.
        duration: Duration,
    },
    /// A closed loop whose VUs change linearly from stage to stage.
    RampingVus {
        /// VUs at the start (default 1).
        start_vus: u64,
        /// Targets in VUs.
        stages: Vec<Stage>,
        /// How long an iteration of a VU that is ramped down may go on (default 30 s).
        graceful_ramp_down: Duration,
    },
    /// An open loop: iterations start at a fixed rate.
    ConstantArrivalRate {
        /// Iterations each `time_unit`.
        rate: u64,
        /// The unit of `rate` (default 1 s).
        time_unit: Duration,
        /// For how long.
        duration: Duration,
        /// VUs allocated before the start.
        pre_allocated_vus: u64,
        /// VUs at most (default: `pre_allocated_vus`).
        max_vus: u64,
        /// Past which lateness a start is dropped (ours, not k6's; default 10 s).
        max_lateness: Duration,
    },
    /// An open loop whose rate changes linearly from stage to stage.
    RampingArrivalRate {
        /// Iterations each `time_unit` at the start (default 0).
        start_rate: u64,
        /// The unit of the rates (default 1 s).
        time_unit: Duration,
        /// Targets in iterations each `time_unit`.
        stages: Vec<Stage>,
        /// VUs allocated before the start.
        pre_allocated_vus: u64,
        /// VUs at most (default: `pre_allocated_vus`).
        max_vus: u64,
        /// Past which lateness a start is dropped (ours, not k6's; default 10 s).
        max_lateness: Duration,
    },
}

impl Executor {
    /// Whether a schedule starts its iterations, whatever the target does: an arrival rate.
    pub const fn is_open(&self) -> bool {
        matches!(
            self,
            Self::ConstantArrivalRate { .. } | Self::RampingArrivalRate { .. }
        )
    }
}

/// A linear change to `target` within `duration`; a duration of zero is a jump.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stage {
    /// How long.
    pub duration: Duration,
    /// VUs or rate at its end.
    pub target: u64,
}

words! {
    /// HTTP versions to offer.
    pub HttpVersion {
        /// TLS: what ALPN agrees on of h2 and http/1.1; plain: HTTP/1.1.
        Auto = "auto",
        /// HTTP/1.1 only.
        Http1 = "1.1",
        /// HTTP/2 only; plain: with prior knowledge (RFC 9113 §3.3).
        Http2 = "2",
    }
}

words! {
    /// Who owns connections.
    pub ConnectionMode {
        /// Each VU its own, as in k6.
        PerVu = "per-vu",
        /// One pool a worker thread for all VUs, as a browser-less service client would.
        Shared = "shared",
    }
}

/// Options of the native HTTP engine.
#[derive(Clone, Debug, PartialEq)]
pub struct HttpOptions {
    /// Versions (default auto).
    pub version: HttpVersion,
    /// Connections (default per VU).
    pub connections: ConnectionMode,
    /// Whether connections outlive a request (default true; k6's `noConnectionReuse` reversed).
    pub keep_alive: bool,
    /// Whether connections outlive an iteration (default true; k6's `noVUConnectionReuse` reversed).
    pub reuse_across_iterations: bool,
    /// The whole request with its redirect hop, from the first attempt to connect (default 60 s, as in k6).
    pub timeout: Duration,
    /// TCP connect (default 30 s; never longer than `timeout`).
    pub connect_timeout: Duration,
    /// Redirects to follow (default 10, as in k6; 0: none).
    pub max_redirects: u32,
    /// The largest response body that is read, after decompression, in bytes (default 64 MiB); past it `body_too_large`.
    pub max_body_bytes: u64,
    /// Whether cookies are kept for a VU (default true), cleared at each iteration's start as in k6.
    pub cookies: bool,
    /// `Accept-Encoding` to send: of gzip, deflate, br (default none, as in k6). Bodies are decompressed only if a step needs them.
    pub accept_encoding: Vec<String>,
    /// Headers of each request.
    pub headers: Vec<(String, Template)>,
    /// `User-Agent` (default `floodgate/VERSION`).
    pub user_agent: Option<String>,
    /// Credentials of each request.
    pub auth: Option<Auth>,
    /// Skip the verification of certificates (default false).
    pub insecure: bool,
    /// PEM file of certificate authorities to trust instead of the bundled ones, relative to the definition.
    pub ca: Option<String>,
    /// PEM file of the client certificate chain.
    pub cert: Option<String>,
    /// PEM file of the client's private key.
    pub key: Option<String>,
    /// Whose TLS sessions connections resume; see [`Self::resumption`] for what `None` means.
    pub tls_resumption: Option<TlsResumption>,
    /// The proxy (default: as the environment says).
    pub proxy: Option<ProxyChoice>,
    /// Addresses in place of what names resolve to.
    pub hosts: Vec<HostOverride>,
    /// Path of a Unix socket that all connections go to.
    pub unix_socket: Option<String>,
    /// The share of requests that carry a `traceparent` of their own, in [0, 1] (default 0).
    pub traced: f64,
}

impl HttpOptions {
    /// Whose TLS sessions connections resume. Unless it is said: each VU its own, as in a browser; nobody's if connections
    /// do not outlive a request, since each then stands for a client of its own; those of the pool if there is one.
    pub fn resumption(&self) -> TlsResumption {
        match (self.tls_resumption, self.keep_alive, self.connections) {
            (Some(said), ..) => said,
            (None, false, _) => TlsResumption::Never,
            (None, true, ConnectionMode::Shared) => TlsResumption::Shared,
            (None, true, ConnectionMode::PerVu) => TlsResumption::PerVu,
        }
    }
}

/// A data file whose rows feed `${data.column}` (or `${name.column}` when it has a name).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataSource {
    /// How templates call it (default `data`).
    pub name: String,
    /// The path relative to the definition.
    pub file: String,
    /// csv (by a header line) or jsonl.
    pub format: DataFormat,
    /// How rows are chosen.
    pub mode: DataMode,
}

/// Formats of data files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataFormat {
    /// Separated values with a header line (RFC 4180).
    Csv {
        /// What stands between values: an ASCII character, `,` unless given.
        delimiter: u8,
    },
    /// A JSON object a line.
    Jsonl,
}

words! {
    /// How an iteration gets its row.
    pub DataMode {
        /// Each row once in the whole run; rows run out: the scenario's iterations end and a warning says so.
        Unique = "unique",
        /// Row `global iteration number mod rows`.
        Sequential = "sequential",
        /// Any row, independently.
        Random = "random",
    }
}

/// Comparison with an earlier run.
#[derive(Clone, Debug, PartialEq)]
pub struct BaselineSpec {
    /// With what.
    pub compare: BaselineRef,
    /// How.
    pub method: BaselineMethod,
    /// `metric{tags} aggregate` each.
    pub metrics: Vec<String>,
}

/// How runs are compared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum BaselineMethod {
    /// By single numbers, with a relative worsening that is allowed, a ratio (0.1 for `10%`).
    Tolerance(f64),
    /// By intervals: [`crate::compare`].
    Compare(ByIntervals),
}

/// What a comparison by intervals is held to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ByIntervals {
    /// The least relative change that matters, a ratio above 0.
    pub min_effect: f64,
    /// The confidence of all metrics together, in (0, 1).
    pub confidence: f64,
    /// What becomes of a run if the data decide nothing.
    pub undecided: IfUndecided,
}

impl Default for ByIntervals {
    /// What stands for keys that are not given. They have no declared default: writing one of them out chooses the method.
    fn default() -> Self {
        Self {
            min_effect: 0.05,
            confidence: 0.95,
            undecided: IfUndecided::Inconclusive,
        }
    }
}

words! {
    /// The names of the methods.
    pub MethodName {
        /// [`BaselineMethod::Compare`].
        Compare = "compare",
        /// [`BaselineMethod::Tolerance`].
        Tolerance = "tolerance",
    }
}

/// Which run is the baseline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BaselineRef {
    /// The last one of the test that passed.
    LastPassed,
    /// The one that is pinned as the test's baseline.
    Pinned,
    /// So many that passed last, together.
    Rolling(u32),
    /// That execution.
    Execution(String),
}

/// Placement and bounds.
#[derive(Clone, Debug, PartialEq)]
pub struct RunOptions {
    /// `None`: auto.
    pub tasks: Option<u32>,
    /// CPU units of a task, 1024 a vCPU.
    pub cpu: u32,
    /// MiB of a task.
    pub memory: u32,
    /// Regions and their weights.
    pub regions: Vec<Region>,
    /// The hard cap in US dollars.
    pub max_cost_usd: Option<f64>,
    /// The longest time from start to end (default: what the schedule needs, plus a minute).
    pub max_duration: Option<Duration>,
    /// Series a task may have before new ones fold into `name=__other__` (default 2,000).
    pub max_series: u32,
    /// The share of expected tasks and shards that may be missing, in [0, 1] (default 0).
    pub tolerance: f64,
    /// The share of the planned load that must have been applied, in [0, 1] (default 0.95).
    pub min_applied_load: f64,
    /// The share of the started iterations that must have run to their end, in [0, 1] (default 0.95).
    pub min_completed_load: f64,
    /// Headers, parameters of URLs and fields of bodies whose values samples of failures leave out, beside those that they
    /// leave out in any case.
    pub redact: Vec<String>,
}

/// A region's share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    /// AWS region name.
    pub region: String,
    /// Relative weight.
    pub weight: u32,
}

/// What the target's responses are checked against.
#[derive(Clone, Debug, PartialEq)]
pub struct ContractSpec {
    /// An OpenAPI document, by its path relative to the definition.
    pub file: String,
    /// The share of the load's responses that is checked, too, in [0, 1].
    pub sample: f64,
}
