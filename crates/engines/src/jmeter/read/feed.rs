//! Samples into the collector: the series of each label, group and outcome are looked up once.

use super::evidence::Evidence;
use super::intern::Interner;
use super::outcome::Outcome;
use super::sample::Kind;
use crate::collector::{Collector, Series};
use crate::jmeter::checks::Checks;
use crate::jmeter::figures::Figures;
use crate::jmeter::pace::{CORRECTED, Pace, Paces};
use floodgate_records::metric::{Builtin, MetricKind, Tags};
use std::collections::HashMap;

/// The longest value of a tag in bytes; what is longer is cut.
const LONGEST_TAG: usize = 512;

/// The series of an outcome.
#[derive(Clone, Copy)]
struct Bundle {
    count: Series,
    failed: Series,
    duration: Series,
    /// Of requests only, and only if the JTL has the columns.
    connecting: Option<Series>,
    waiting: Option<Series>,
    receiving: Option<Series>,
    /// Of requests of a run.
    response: Option<Series>,
    /// Estimates of the response times of starts that were left out, and the place of the sampler's pace.
    omitted: Option<(Series, u32)>,
}

/// The series of a thread group's traffic.
#[derive(Clone, Copy)]
struct Traffic {
    sent: Option<Series>,
    received: Option<Series>,
}

/// Which optional figures the results have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Has {
    pub(super) connect: bool,
    pub(super) latency: bool,
    pub(super) bytes: bool,
    pub(super) sent_bytes: bool,
}

/// See the [module](self).
#[derive(Default)]
pub(super) struct Feed {
    pub(super) names: Interner,
    pub(super) has: Has,
    checks: Checks,
    /// By label, so that the search among the outcomes of one is short.
    bundles: Vec<Vec<(Outcome, Bundle)>>,
    traffic: HashMap<u32, Traffic>,
    check_series: HashMap<(u32, u32), Option<Series>>,
    group_series: HashMap<(u32, u32), Series>,
    vus: Option<Series>,
    pub(super) groups: u64,
    paces: Option<Paces>,
    /// Those that were found by an outcome.
    known_paces: Vec<Pace>,
    /// When the first sample began.
    first_ms: Option<i64>,
    estimated: u64,
    /// Of rows that are held, by their number; see [`Self::hold`].
    held: HashMap<u32, Evidence>,
    latest_held: u32,
}

fn tag(text: &[u8]) -> String {
    let mut text = String::from_utf8_lossy(text).into_owned();
    if text.len() > LONGEST_TAG {
        let mut end = LONGEST_TAG;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
    }
    text
}

const fn us(ms: u64) -> u64 {
    ms.saturating_mul(1_000)
}

impl Feed {
    pub(super) fn new(checks: Checks, paces: Option<Paces>) -> Self {
        Self {
            checks,
            paces,
            ..Self::default()
        }
    }

    /// Whether the results are those of a run of ours, whose plan is known.
    pub(super) fn is_of_run(&self) -> bool {
        self.paces.is_some()
    }

    /// Forgets the names, and with them what was found by them; the collector keeps its series.
    pub(super) fn forget(&mut self) {
        self.names.clear();
        self.bundles.clear();
        self.known_paces.clear();
        self.traffic.clear();
        self.check_series.clear();
        self.group_series.clear();
        self.held.clear();
    }

    /// Keeps what is known of a failed row until it is known what the row is, and gives it a number. There are no more than are wanted: see
    /// [`Collector::wants_failure`].
    #[cold]
    pub(super) fn hold(&mut self, evidence: Evidence) -> u32 {
        self.latest_held = self.latest_held.wrapping_add(1).max(1);
        self.held.insert(self.latest_held, evidence);
        self.latest_held
    }

    /// A row that was held is a failure of this outcome; 0 is the number of none. `unmet` says that assertions failed.
    #[inline]
    pub(super) fn add_failure(
        &mut self,
        held: u32,
        outcome: Outcome,
        figures: &Figures,
        unmet: bool,
        into: &mut Collector,
    ) {
        if held != 0
            && let Some(mut evidence) = self.held.remove(&held)
        {
            if unmet && evidence.checks.is_empty() {
                let label = String::from_utf8_lossy(self.names.text(outcome.label));
                evidence.checks = vec![self.checks.failed(&label).to_owned()];
            }
            self.add_whole_failure(evidence, outcome, figures, into);
        }
    }

    /// What is known of a row that was held is not needed.
    pub(super) fn let_go(&mut self, held: u32) {
        self.held.remove(&held);
    }

    /// A failure with what is known of it.
    #[cold]
    pub(super) fn add_whole_failure(
        &self,
        evidence: Evidence,
        outcome: Outcome,
        figures: &Figures,
        into: &mut Collector,
    ) {
        let text = |number: u32| tag(self.names.text(number));
        let place = (text(outcome.group), text(outcome.label));
        into.add_failure(evidence.sample(place, outcome, figures));
    }

    fn base(&self, label: u32, group: u32) -> Tags {
        Tags::new()
            .with("name", tag(self.names.text(label)))
            .with("scenario", tag(self.names.text(group)))
    }

    #[inline]
    fn bundle(&mut self, outcome: Outcome, into: &mut Collector) -> Bundle {
        let label = outcome.label as usize;
        if let Some(known) = self.bundles.get(label)
            && let Some((_, bundle)) = known.iter().find(|(known, _)| *known == outcome)
        {
            return *bundle;
        }
        self.new_bundle(outcome, into)
    }

    #[cold]
    fn new_bundle(&mut self, outcome: Outcome, into: &mut Collector) -> Bundle {
        let base = outcome.code.tags(self.base(outcome.label, outcome.group));
        let tags = base.with(
            "expected_response",
            if outcome.ok { "true" } else { "false" },
        );
        let bundle = if outcome.kind == Kind::Http {
            let mut phase = |has: bool, metric: Builtin| has.then(|| into.builtin(metric, &tags));
            Bundle {
                connecting: phase(self.has.connect, Builtin::HttpReqConnecting),
                waiting: phase(self.has.latency, Builtin::HttpReqWaiting),
                receiving: phase(self.has.latency, Builtin::HttpReqReceiving),
                response: self
                    .paces
                    .is_some()
                    .then(|| into.builtin(Builtin::HttpReqResponseTime, &tags)),
                omitted: self
                    .pace(outcome)
                    .map(|pace| (into.estimates(&tags, CORRECTED), pace)),
                count: into.builtin(Builtin::HttpReqs, &tags),
                failed: into.builtin(Builtin::HttpReqFailed, &tags),
                duration: into.builtin(Builtin::HttpReqDuration, &tags),
            }
        } else {
            Bundle {
                count: into.series("samples", MetricKind::Counter, &tags),
                failed: into.series("sample_failed", MetricKind::Rate, &tags),
                duration: into.duration("sample_duration", &tags),
                connecting: None,
                waiting: None,
                receiving: None,
                response: None,
                omitted: None,
            }
        };
        let label = outcome.label as usize;
        if self.bundles.len() <= label {
            self.bundles.resize_with(label + 1, Vec::new);
        }
        self.bundles[label].push((outcome, bundle));
        bundle
    }

    /// The place of a sampler's pace, if it has one.
    fn pace(&mut self, outcome: Outcome) -> Option<u32> {
        let text = |number: u32| String::from_utf8_lossy(self.names.text(number));
        let paces = self.paces.as_ref()?;
        let pace = paces.get(&text(outcome.group), &text(outcome.label))?;
        self.known_paces.push(pace.clone());
        Some(self.known_paces.len() as u32 - 1)
    }

    /// What the reader of the record should know.
    pub(super) fn warning(&self) -> Option<String> {
        (self.estimated > 0).then(|| {
            format!(
                "http_req_response_time holds {} estimates for starts that a throughput timer wanted while their thread waited for an answer, tagged corrected:expected_interval",
                self.estimated
            )
        })
    }

    fn traffic(&mut self, group: u32, into: &mut Collector) -> Traffic {
        if let Some(known) = self.traffic.get(&group) {
            return *known;
        }
        let tags = Tags::new().with("scenario", tag(self.names.text(group)));
        let traffic = Traffic {
            sent: self
                .has
                .sent_bytes
                .then(|| into.builtin(Builtin::DataSent, &tags)),
            received: self
                .has
                .bytes
                .then(|| into.builtin(Builtin::DataReceived, &tags)),
        };
        self.traffic.insert(group, traffic);
        traffic
    }

    /// A request, or a sample of another sampler.
    #[inline]
    pub(super) fn sample(&mut self, outcome: Outcome, figures: &Figures, into: &mut Collector) {
        let at_us = figures.end_ms().saturating_mul(1_000);
        let bundle = self.bundle(outcome, into);
        into.add(bundle.count, at_us, 1.0);
        into.add(bundle.failed, at_us, f64::from(u8::from(!outcome.ok)));
        let connect = match outcome.kind {
            Kind::Http => figures.connect_ms.unwrap_or(0).min(figures.elapsed_ms),
            Kind::Other | Kind::Transaction => 0,
        };
        into.time(bundle.duration, at_us, us(figures.elapsed_ms - connect));
        if let Some(series) = bundle.response {
            into.time(series, at_us, us(figures.elapsed_ms));
        }
        let first_ms = *self.first_ms.get_or_insert(figures.start_ms);
        if let Some((series, pace)) = bundle.omitted {
            let since_ms = figures.start_ms.saturating_sub(first_ms);
            for response_us in self.known_paces[pace as usize].omitted(figures, since_ms) {
                into.time(series, at_us, response_us);
                self.estimated += 1;
            }
        }
        if let Some(series) = bundle.connecting {
            into.time(series, at_us, us(connect));
        }
        if let (Some(waiting), Some(receiving)) = (bundle.waiting, bundle.receiving) {
            // Without a response there is no first byte, and the latency is 0.
            let latency = figures.latency_ms.unwrap_or(0).min(figures.elapsed_ms);
            let first = latency.max(connect);
            let answered = u64::from(latency > 0 || outcome.code.error == 0);
            into.time(waiting, at_us, us(first - connect));
            into.time(receiving, at_us, us(figures.elapsed_ms - first) * answered);
        }
        let traffic = self.traffic(outcome.group, into);
        if let (Some(series), Some(sent)) = (traffic.sent, figures.sent_bytes) {
            into.add(series, at_us, sent as f64);
        }
        // JMeter counts the stack trace that it shows in place of a response as received.
        if let (Some(series), Some(bytes), 0) =
            (traffic.received, figures.bytes, outcome.code.error)
        {
            into.add(series, at_us, bytes as f64);
        }
    }

    /// A Transaction Controller's or a parent's time.
    pub(super) fn group(
        &mut self,
        label: u32,
        group: u32,
        figures: &Figures,
        into: &mut Collector,
    ) {
        self.groups += 1;
        let series = match self.group_series.get(&(label, group)) {
            Some(&known) => known,
            None => self.new_group(label, group, into),
        };
        into.time(
            series,
            figures.end_ms().saturating_mul(1_000),
            us(figures.elapsed_ms),
        );
    }

    #[cold]
    fn new_group(&mut self, label: u32, group: u32, into: &mut Collector) -> Series {
        let name = tag(&[b"::", self.names.text(label)].concat());
        let tags = Tags::new()
            .with("group", name)
            .with("scenario", tag(self.names.text(group)));
        let series = into.duration("group_duration", &tags);
        self.group_series.insert((label, group), series);
        series
    }

    /// What the assertions of a sampler came to, all together.
    #[inline]
    pub(super) fn assertions(
        &mut self,
        outcome: Outcome,
        held: bool,
        at_ms: i64,
        into: &mut Collector,
    ) {
        if held && !self.checks.any() {
            return;
        }
        let at_us = at_ms.saturating_mul(1_000);
        let key = (outcome.label, outcome.group);
        let series = match self.check_series.get(&key) {
            Some(known) => *known,
            None => {
                let label = String::from_utf8_lossy(self.names.text(key.0));
                let name = self.checks.of(&label).map(str::to_owned);
                let series = name.map(|name| self.check_of(key, &name, into));
                self.check_series.insert(key, series);
                series
            }
        };
        // Of a run every failure counts, also where the plan does not tell of an assertion: in what it includes, for one.
        let series = match series {
            None if !held && self.is_of_run() => {
                let label = String::from_utf8_lossy(self.names.text(key.0));
                let name = self.checks.failed(&label).to_owned();
                Some(self.check_of(key, &name, into))
            }
            known => known,
        };
        if let Some(series) = series {
            into.add(series, at_us, f64::from(u8::from(held)));
        }
        if !held {
            self.assertion_failed(outcome, at_us, into);
        }
    }

    #[cold]
    fn check_of(&self, (label, group): (u32, u32), name: &str, into: &mut Collector) -> Series {
        let tags = self.base(label, group).with("check", name);
        into.builtin(Builtin::Checks, &tags)
    }

    #[cold]
    fn assertion_failed(&mut self, outcome: Outcome, at_us: i64, into: &mut Collector) {
        let tags = self.base(outcome.label, outcome.group);
        let series = into.series("assertion_failures", MetricKind::Counter, &tags);
        into.add(series, at_us, 1.0);
    }

    /// One assertion by its name.
    pub(super) fn check(
        &mut self,
        outcome: Outcome,
        name: &[u8],
        held: bool,
        at_ms: i64,
        into: &mut Collector,
    ) {
        let at_us = at_ms.saturating_mul(1_000);
        let tags = self
            .base(outcome.label, outcome.group)
            .with("check", tag(name));
        let series = into.builtin(Builtin::Checks, &tags);
        into.add(series, at_us, f64::from(u8::from(held)));
        if !held {
            self.assertion_failed(outcome, at_us, into);
        }
    }

    /// Threads that are running.
    #[inline]
    pub(super) fn threads(&mut self, threads: u64, at_ms: i64, into: &mut Collector) {
        let series = *self
            .vus
            .get_or_insert_with(|| into.builtin(Builtin::Vus, &Tags::new()));
        into.add(series, at_ms.saturating_mul(1_000), threads as f64);
    }
}
