//! What the readers of both formats share: metrics, tag sets, and the way of a sample to its series.

use super::evidence::{Evidence, Times};
use super::kinds;
use super::response::{CORRECTED, Responses};
use super::tags::{SetId, TagSets};
use super::time::Clock;
use crate::collector::{Collector, Series};
use crate::read::{LATEST_MS, ReadError};
use floodgate_records::metric::{Builtin, MetricKind, Tags};
use std::collections::HashMap;

/// Metrics of one run; k6 refuses nothing here, so that hostile input is what the bound is for.
const MAX_METRICS: usize = 10_000;

/// A metric, by its place in [`Samples`].
pub(super) type MetricId = u32;

/// The largest value that is read: sums of it stay finite.
const LARGEST: f64 = 1e100;

struct Metric {
    name: String,
    kind: MetricKind,
    role: Role,
    evidence: Evidence,
    /// What followed it the last time: k6 writes the samples of a request in one order.
    next: MetricId,
}

/// What a metric's samples say of response times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Other,
    Duration,
    Blocked,
    Iteration,
    Dropped,
}

impl Role {
    fn of(name: &str) -> Self {
        match Builtin::parse(name) {
            Some(Builtin::HttpReqDuration) => Self::Duration,
            Some(Builtin::HttpReqBlocked) => Self::Blocked,
            Some(Builtin::IterationDuration) => Self::Iteration,
            Some(Builtin::DroppedIterations) => Self::Dropped,
            _ => Self::Other,
        }
    }
}

/// Places among the series of a tag set: of `http_req_response_time`, of its estimates, then of k6's metrics.
const RESPONSE: usize = 0;
const ESTIMATE: usize = 1;
const FIRST: usize = 2;

/// Metrics and tag sets of a run.
#[derive(Default)]
pub(super) struct Samples {
    metrics: Vec<Metric>,
    by_name: HashMap<Vec<u8>, MetricId>,
    latest: MetricId,
    pub(super) sets: TagSets,
    pub(super) clock: Clock,
    /// Of the request whose samples are being read.
    pub(super) times: Times,
    /// Not of files from elsewhere, which do not say what executor a scenario has.
    responses: Option<Responses>,
    /// Negative values of trends, and the first trend that had one.
    negative: u64,
    first_negative: String,
}

impl Samples {
    /// Of a run: response times are made, too.
    pub(super) fn with(responses: Responses) -> Self {
        Self {
            responses: Some(responses),
            ..Self::default()
        }
    }

    /// Takes note of a metric and its type.
    ///
    /// # Errors
    /// The problem: another type than before, or too many metrics.
    pub(super) fn define(&mut self, name: &str, kind: MetricKind) -> Result<MetricId, String> {
        if let Some(&id) = self.by_name.get(name.as_bytes()) {
            let known = self.metrics[id as usize].kind;
            return if known == kind {
                Ok(id)
            } else {
                Err(format!(
                    "the metric {name} is a {kind}, and was a {known} before"
                ))
            };
        }
        if let Some(own) = kinds::of(name).filter(|&own| own != kind) {
            return Err(format!("k6's metric {name} is a {kind} here, not a {own}"));
        }
        if self.metrics.len() >= MAX_METRICS {
            return Err(format!(
                "there are more than {MAX_METRICS} metrics: is this k6's output?"
            ));
        }
        let id = self.metrics.len() as MetricId;
        self.by_name.insert(name.as_bytes().to_vec(), id);
        self.metrics.push(Metric {
            name: name.to_owned(),
            kind,
            role: Role::of(name),
            evidence: Evidence::of(name),
            next: id,
        });
        Ok(id)
    }

    /// A metric by its name, which is most often that which followed the latest one before.
    #[inline]
    pub(super) fn metric(&mut self, name: &[u8]) -> Option<MetricId> {
        let expected = self.metrics.get(self.latest as usize)?.next;
        let id = if self.metrics[expected as usize].name.as_bytes() == name {
            expected
        } else {
            let id = *self.by_name.get(name)?;
            self.metrics[self.latest as usize].next = id;
            id
        };
        self.latest = id;
        Some(id)
    }

    /// Whether a metric can have a value.
    #[inline]
    pub(super) fn is_sound(&self, metric: MetricId, value: f64) -> bool {
        (0.0..=LARGEST).contains(&value) || self.doubt(metric, value).is_none()
    }

    /// Why a metric cannot have a value: it is not a number, or negative where that is damage. A script of ours may give a trend of its own
    /// such a value; of a file from elsewhere it is better known than taken for zero.
    #[cold]
    pub(super) fn doubt(&self, metric: MetricId, value: f64) -> Option<String> {
        let Metric { name, kind, .. } = &self.metrics[metric as usize];
        if !value.is_finite() {
            return Some(format!(
                "a sample of {name} is {value}, which is not a number"
            ));
        }
        if value.abs() > LARGEST {
            return Some(format!(
                "a sample of {name} is {value:e}: at most {LARGEST:e} can be added up"
            ));
        }
        let elsewhere = self.responses.is_none();
        let never = *kind == MetricKind::Trend || Builtin::parse(name).is_some();
        (value < 0.0 && elsewhere && never).then(|| {
            format!("a sample of {name} is {value}: such a {kind} has no negative values here; leave the metric out")
        })
    }

    /// Whether a time in Unix µs is one of a run.
    #[inline]
    pub(super) fn is_time(at_us: i64) -> bool {
        (0..=LATEST_MS * 1_000).contains(&at_us)
    }

    /// What a metric says of a failure.
    pub(super) fn evidence(&self, metric: MetricId) -> Evidence {
        self.metrics[metric as usize].evidence
    }

    /// Adds a sample, and says whether it tells of a failure.
    #[inline]
    pub(super) fn add(
        &mut self,
        metric: MetricId,
        set: SetId,
        at_us: i64,
        value: f64,
        into: &mut Collector,
    ) -> bool {
        let Metric {
            name,
            kind,
            role,
            evidence,
            ..
        } = &self.metrics[metric as usize];
        let place = FIRST + metric as usize;
        let series = match self.sets.series(set, place) {
            Some(series) => series,
            None => {
                let series = into.series(name, *kind, self.sets.tags(set));
                self.sets.keep(set, place, series);
                series
            }
        };
        if value < 0.0 && *kind == MetricKind::Trend {
            if self.negative == 0 {
                self.first_negative.clone_from(name);
            }
            self.negative += 1;
        }
        into.add(series, at_us, value);
        let evidence = *evidence;
        self.times.note(evidence, value);
        if *role != Role::Other && self.responses.is_some() {
            self.follow(*role, set, at_us, value, into);
        }
        evidence.fails(value)
    }

    /// Makes response times of what k6 writes.
    fn follow(&mut self, role: Role, set: SetId, at_us: i64, value: f64, into: &mut Collector) {
        let Some(responses) = &mut self.responses else {
            return;
        };
        match role {
            Role::Duration => responses.duration(value),
            Role::Blocked => {
                if let Some(response_us) = responses.blocked(value) {
                    let series = response_series(&mut self.sets, set, RESPONSE, into);
                    into.time(series, at_us, response_us);
                    if responses.is_waited_for() {
                        let series = response_series(&mut self.sets, set, ESTIMATE, into);
                        let scenario = scenario(self.sets.tags(set));
                        for made in responses.estimates(scenario, series, response_us) {
                            into.time(series, made.at_us, made.response_us);
                        }
                    }
                }
            }
            Role::Iteration if responses.is_waited_for() => {
                responses.iteration(scenario(self.sets.tags(set)), at_us, value);
            }
            Role::Dropped => responses.dropped(scenario(self.sets.tags(set)), at_us, value),
            Role::Iteration | Role::Other => {}
        }
    }

    /// The output has ended: what is left, and what the reader of the record should know.
    pub(super) fn finish(&mut self, into: &mut Collector) -> Vec<String> {
        let mut warnings: Vec<_> = self.sets.warning().into_iter().collect();
        if self.negative > 0 {
            warnings.push(format!(
                "{} negative values of trends count as 0, first of {}: a trend has no negative values here",
                self.negative, self.first_negative
            ));
        }
        if let Some(responses) = &mut self.responses {
            for (series, made) in responses.finish() {
                into.time(series, made.at_us, made.response_us);
            }
            warnings.extend(responses.warnings());
        }
        warnings
    }
}

/// The scenario of a sample. Those of setup and teardown have none, but a group of k6's.
fn scenario(tags: &Tags) -> Option<&str> {
    let outside = |group: &&str| matches!(*group, "::setup" | "::teardown");
    tags.get("scenario")
        .or_else(|| tags.get("group").filter(outside))
}

/// The series of response times of a tag set: those measured, or those estimated.
fn response_series(sets: &mut TagSets, set: SetId, place: usize, into: &mut Collector) -> Series {
    if let Some(series) = sets.series(set, place) {
        return series;
    }
    let tags = sets.tags(set);
    let series = if place == ESTIMATE {
        into.estimates(tags, CORRECTED)
    } else {
        into.builtin(Builtin::HttpReqResponseTime, tags)
    };
    sets.keep(set, place, series);
    series
}

/// A line that cannot be read.
pub(super) fn malformed(line: u64, problem: impl Into<String>) -> ReadError {
    ReadError::malformed(format!("line {line}"), problem)
}

/// The beginning of a line, for a message.
pub(super) fn excerpt(line: &[u8]) -> String {
    const SHOWN: usize = 120;
    let text = String::from_utf8_lossy(&line[..line.len().min(SHOWN)]);
    let more = if line.len() > SHOWN { "…" } else { "" };
    format!("{:?}{more}", text.trim_end_matches('\u{fffd}'))
}
