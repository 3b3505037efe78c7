//! What is told: one JSON document for programs, of which the texts for people are made. Its schema is
//! `floodgate schema --notification`.

use crate::events::Moment;
use crate::link::{Link, links};
use chrono::{DateTime, SecondsFormat};
use floodgate_records::capacity::CapacitySummary;
use floodgate_records::comparison::Change;
use floodgate_records::engine::Engine;
use floodgate_records::execution::{Execution, Trigger};
use floodgate_records::notify::Event;
use floodgate_records::outcome::{Outcome, ThresholdOutcome};
use floodgate_records::status::Status;
use floodgate_records::summary::{BaselineSummary, Summary};
use floodgate_records::word::Word;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Entries of a list at most: a document has to fit into 256 KB whatever a definition has in it.
const MOST: usize = 50;
/// Characters of a sentence at most.
const LONGEST: usize = 1_000;

/// A notification as the Standard Webhooks specification lays it out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// `run.` and the event that it is of.
    #[serde(rename = "type")]
    pub kind: String,
    /// When that was, RFC 3339.
    pub timestamp: String,
    /// The run.
    pub data: Data,
}

/// What is told of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Data {
    /// Version of this layout: [`Data::SCHEMA`].
    pub schema: u32,
    /// All that is true of the run at this moment, the most telling first.
    pub events: Vec<Event>,
    /// The execution's ULID.
    pub execution: String,
    /// The tenant.
    pub project: String,
    /// The test's name.
    pub test: String,
    /// SHA-256 of the definition and its files.
    pub version: String,
    /// Who sends the load; empty if a refused definition doesn't say.
    pub engine: Word<Engine>,
    /// The tier that its definition was scaled to, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tier: Option<String>,
    /// Where the load goes, as the record shows it.
    pub target: Option<String>,
    /// Where it stands, or how it ended.
    pub status: Status,
    /// Why, a sentence each.
    pub reasons: Vec<String>,
    /// RFC 3339.
    pub created_at: String,
    /// RFC 3339; the common start.
    pub started_at: Option<String>,
    /// RFC 3339.
    pub ended_at: Option<String>,
    /// Who started it and from where.
    pub trigger: Trigger,
    /// `local` or `aws`.
    pub infrastructure: String,
    /// Tasks.
    pub tasks: u32,
    /// Regions.
    pub regions: Vec<String>,
    /// What was sent; `None` before the end, and of a run that sent nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub load: Option<Load>,
    /// Those that did not hold come first.
    pub thresholds: Vec<ThresholdOutcome>,
    /// How many more there are.
    #[serde(default)]
    pub thresholds_left_out: usize,
    /// The change against an earlier run, if it was compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baseline: Option<Baseline>,
    /// What capacity was found, if one was sought; without the steps of the search.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capacity: Option<CapacitySummary>,
    /// US dollars; absent for local runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
    /// Where a reader finds more.
    pub links: Vec<Link>,
}

/// What was sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Load {
    /// Seconds from the start to the last window with data.
    pub duration_s: f64,
    /// HTTP requests.
    pub http_reqs: u64,
    /// The share of them that failed, in [0, 1].
    pub failed_ratio: Option<f64>,
    /// Iterations.
    pub iterations: u64,
    /// Starts that were dropped.
    pub dropped_iterations: u64,
    /// `med`, `p(95)`, `p(99)` and `max` of the response time in ms, else of the service time.
    pub response_ms: BTreeMap<String, f64>,
}

/// The change against an earlier run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    /// That run; `None` if there was none yet.
    pub execution: Option<String>,
    /// What follows from all numbers together.
    pub outcome: Change,
    /// The numbers that changed or did not hold, a sentence each.
    pub changes: Vec<String>,
}

impl Data {
    /// The layout that this code writes and reads.
    pub const SCHEMA: u32 = 1;
}

impl Message {
    /// Of a run; `events` is not empty, and `kind` is one of them.
    pub(crate) fn new(
        kind: Event,
        events: &[Event],
        moment: Moment,
        execution: &Execution,
        summary: Option<&Summary>,
        link: Option<&str>,
    ) -> Self {
        let at_ms = match moment {
            Moment::Started => execution.created_ms,
            Moment::Ended => execution.ended_ms.unwrap_or(execution.created_ms),
        };
        let mut thresholds = execution.thresholds.clone();
        thresholds.retain(|t| !(t.implicit && t.outcome == Outcome::Passed));
        thresholds.sort_by_key(|t| t.outcome == Outcome::Passed);
        let thresholds_left_out = thresholds.len().saturating_sub(MOST);
        thresholds.truncate(MOST);
        let cost = execution.cost.as_ref();
        Self {
            kind: format!("run.{kind}"),
            timestamp: time(at_ms),
            data: Data {
                schema: Data::SCHEMA,
                events: events.to_vec(),
                execution: execution.id.clone(),
                project: execution.project.clone(),
                test: execution.test.clone(),
                version: execution.version.clone(),
                engine: execution.engine.clone(),
                tier: execution.tier.clone(),
                target: execution.target.as_deref().map(bounded),
                status: execution.status,
                reasons: sentences(execution.reasons.iter()),
                created_at: time(execution.created_ms),
                started_at: execution.started_ms.map(time),
                ended_at: execution.ended_ms.map(time),
                trigger: execution.trigger.clone(),
                infrastructure: execution.infrastructure.kind.to_string(),
                tasks: execution.infrastructure.tasks,
                regions: execution.infrastructure.regions.clone(),
                load: summary.map(load),
                thresholds,
                thresholds_left_out,
                baseline: baseline(execution, summary),
                capacity: execution.capacity.clone().map(|mut found| {
                    found.steps.clear();
                    found
                }),
                cost_usd: cost.and_then(|cost| cost.actual_usd.or(cost.estimate_usd)),
                links: links(execution, link),
            },
        }
    }
}

fn load(summary: &Summary) -> Load {
    let value = |metric: &str, name: &str| {
        let found = summary.metrics.get(metric)?;
        found.values.get(name).copied()
    };
    let of = |metric: &str| -> BTreeMap<String, f64> {
        ["med", "p(95)", "p(99)", "max"]
            .into_iter()
            .filter_map(|name| Some((name.to_owned(), value(metric, name)?)))
            .collect()
    };
    let mut response_ms = of("http_req_response_time");
    if response_ms.is_empty() {
        response_ms = of("http_req_duration");
    }
    Load {
        duration_s: summary.duration_s,
        http_reqs: summary.applied.http_reqs,
        failed_ratio: value("http_req_failed", "rate"),
        iterations: summary.applied.iterations,
        dropped_iterations: summary.applied.dropped_iterations,
        response_ms,
    }
}

fn baseline(execution: &Execution, summary: Option<&Summary>) -> Option<Baseline> {
    if let Some(found) = &execution.comparison {
        let changed = |outcome| outcome != Change::Unchanged;
        let gates = found.gates.iter().filter(|gate| changed(gate.outcome));
        let gates = gates.map(|gate| format!("{}: {}", gate.outcome.as_str(), gate.sentence()));
        let said: Vec<_> = found.obstacles.iter().cloned().chain(gates).collect();
        return Some(Baseline {
            execution: Some(found.base.execution.clone()),
            outcome: found.outcome,
            changes: sentences(said.iter()),
        });
    }
    by_tolerance(summary?.baseline.as_ref()?)
}

fn by_tolerance(found: &BaselineSummary) -> Option<Baseline> {
    let base = found.execution.clone()?;
    let of = |outcome| found.outcomes.iter().any(|o| o.outcome == outcome);
    let outcome = match (of(Outcome::Failed), of(Outcome::NoData)) {
        (true, _) => Change::Regressed,
        (false, true) => Change::Undecided,
        (false, false) => Change::Unchanged,
    };
    let worse = found.outcomes.iter();
    let worse = worse.filter(|o| o.outcome != Outcome::Passed);
    let changes: Vec<_> = worse.map(|o| o.sentence()).collect();
    Some(Baseline {
        execution: Some(base),
        outcome,
        changes: sentences(changes.iter()),
    })
}

fn sentences<'a>(all: impl Iterator<Item = &'a String>) -> Vec<String> {
    all.take(MOST).map(|text| bounded(text)).collect()
}

fn bounded(text: &str) -> String {
    let mut shown: String = text.chars().take(LONGEST).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}

/// RFC 3339 in UTC, to the millisecond.
fn time(ms: i64) -> String {
    DateTime::from_timestamp_millis(ms).map_or_else(
        || format!("{ms} ms"),
        |time| time.to_rfc3339_opts(SecondsFormat::Millis, true),
    )
}
