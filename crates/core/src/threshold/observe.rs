//! What the samples of a key say of an aggregate, and how far that can be from the truth.
//!
//! A sample may be only a lower bound of what it stands for: a request that was cut off would have taken longer, a value above the
//! histogram's range is recorded as its end, an iteration that was cut off has no duration at all, and where no request got a response its
//! time is that of the failure. Such samples are *censored*. The
//! aggregate over the samples as they stand is then the least that the truth can be, and its largest value follows from putting
//! the censored ones last. A threshold holds if it holds at both ends, is breached if it is breached at both, and otherwise has no
//! outcome.

use super::aggregate::{Aggregate, US_PER_MS};
use super::failures::is_unanswered;
use super::select;
use super::source::{MetricSource, Selected};
use crate::check::Comparison;
use crate::fold::{INTERRUPTED, may_hide};
use crate::histogram::HIGHEST_US;
use floodgate_records::key::Key;
use floodgate_records::metric::{Builtin, MetricKind, Tags};
use floodgate_records::outcome::Outcome;
use std::collections::BTreeMap;
use std::time::Duration;

/// The samples that a run should have and has not.
#[derive(Clone, Debug, Default)]
pub struct MissingSamples {
    /// The filters that found all of their samples, whatever was folded ([`crate::fold`]); `None`: all did.
    pub kept: Option<Vec<Tags>>,
    /// Iterations that were cut off, and so have no duration.
    pub interrupted_iterations: u64,
    /// Metrics that lack values of other systems, and what is known of it. The missing ones could have been anything.
    pub unobserved: BTreeMap<String, String>,
}

/// An aggregate and what is known of it.
pub(crate) struct Observation {
    /// The metric's type; `None` without a sample.
    pub(crate) kind: Option<MetricKind>,
    /// The aggregate over the samples as they stand: trends in ms. `None` without data.
    pub(crate) value: Option<f64>,
    /// The largest that the true value can be; infinite where nothing bounds it.
    at_most: f64,
    /// The value stands for a clamped sample: it is longer than any bound that can be judged.
    clamped: bool,
    /// There should be more samples, of which nothing is known: what holds without them is not shown to hold.
    lacking: bool,
    /// Why there is no value, or why it is no more than a lower bound.
    pub(crate) note: Option<String>,
}

impl Observation {
    /// Whether the true value compares so with a target.
    pub(crate) fn outcome(&self, comparison: Comparison, target: f64) -> Outcome {
        let Some(value) = self.value else {
            return Outcome::NoData;
        };
        let is_upper_bound = matches!(comparison, Comparison::Lt | Comparison::Le);
        if self.clamped && is_upper_bound {
            return Outcome::Failed;
        }
        let exact = value >= self.at_most;
        let inside = target >= value && target <= self.at_most;
        let both = match comparison {
            // Equality with something between the ends can be neither shown nor excluded.
            Comparison::Eq | Comparison::Ne if inside && !exact => None,
            Comparison::Eq | Comparison::Ne => Some(comparison.holds(value, target)),
            _ => {
                let ends = [value, self.at_most].map(|end| comparison.holds(end, target));
                (ends[0] == ends[1]).then_some(ends[0])
            }
        };
        match both {
            Some(true) if self.lacking => Outcome::NoData,
            Some(true) => Outcome::Passed,
            Some(false) => Outcome::Failed,
            None => Outcome::NoData,
        }
    }

    /// Whether the true value is this one.
    pub(crate) fn is_exact(&self) -> bool {
        !self.lacking && self.value.is_some_and(|value| value >= self.at_most)
    }

    fn nothing(kind: Option<MetricKind>, note: String) -> Self {
        Self {
            kind,
            value: None,
            at_most: f64::INFINITY,
            clamped: false,
            lacking: false,
            note: Some(note),
        }
    }
}

/// Observes an aggregate of a key. `elapsed` is the run's duration, which a counter's rate is relative to.
pub(crate) fn observe(
    source: &dyn MetricSource,
    key: &Key,
    aggregate: Aggregate,
    elapsed: Duration,
    missing: &MissingSamples,
) -> Observation {
    let selected = select(source, key);
    let kind = selected.as_ref().map(|s| s.kind);
    let hidden = hidden(source, key, missing);
    if hidden > 0 {
        let note = format!(
            "{hidden} samples of other series were folded into name=__other__ and may belong to it; raise run.max_series, or give \
             requests fixed names"
        );
        return Observation::nothing(kind, note);
    }
    let value = selected.as_ref().and_then(|s| aggregate.of(s, elapsed));
    let (Some(selected), Some(value)) = (&selected, value) else {
        let known = missing.unobserved.get(&key.metric).cloned();
        let why = || why_no_data(key, aggregate, selected.as_ref());
        return Observation::nothing(kind, known.unwrap_or_else(why));
    };
    if !value.is_finite() {
        return Observation::nothing(kind, format!("{aggregate} of {key} is not a number"));
    }
    let exact = Observation {
        kind,
        value: Some(value),
        at_most: value,
        clamped: false,
        lacking: false,
        note: None,
    };
    if let Some(note) = missing.unobserved.get(&key.metric) {
        return Observation {
            lacking: true,
            note: Some(note.clone()),
            ..exact
        };
    }
    if kind != Some(MetricKind::Trend) {
        return exact;
    }
    let limit = HIGHEST_US as f64;
    let recorded = if selected.max >= limit {
        clamped(exact, key, aggregate, value, limit)
    } else {
        exact
    };
    let censored = censored(source, key, aggregate, selected, missing);
    let (at_most, note) = match (censored, unanswered(source, key)) {
        (None, None) => return recorded,
        (Some((at_most, cut_off)), None) => (
            at_most,
            format!("{cut_off}, so it is at least this; raise gracefulStop"),
        ),
        (None, Some(note)) => (f64::INFINITY, note),
        (Some((_, cut_off)), Some(note)) => (
            f64::INFINITY,
            format!("{cut_off}, and {note}; raise gracefulStop"),
        ),
    };
    // With the cut-off samples put last, it may fall among the clamped ones.
    let at_most = if at_most < limit / US_PER_MS {
        at_most
    } else {
        f64::INFINITY
    };
    Observation {
        at_most: at_most.max(recorded.at_most),
        note: Some(match recorded.note {
            Some(clamped) => format!("{note}; {clamped}"),
            None => note,
        }),
        ..recorded
    }
}

/// Values above the histogram's range are recorded as its end: what lies there is longer than it says.
fn clamped(
    exact: Observation,
    key: &Key,
    aggregate: Aggregate,
    value: f64,
    limit_us: f64,
) -> Observation {
    let at_the_end = value >= limit_us / US_PER_MS;
    let bounded = !at_the_end && !matches!(aggregate, Aggregate::Avg);
    Observation {
        at_most: if bounded { value } else { f64::INFINITY },
        clamped: at_the_end,
        note: (!bounded).then(|| match Builtin::parse(&key.metric) {
            Some(_) => {
                "samples of more than an hour are recorded as an hour, so it is at least this"
                    .into()
            }
            // A trend of the test's own need not be one of times.
            None => {
                let limit = limit_us / US_PER_MS;
                format!("samples above {limit} are recorded as that, so it is at least this")
            }
        }),
        ..exact
    }
}

/// Samples in folded series that may match the filter of a key, unless it is known to have lost none.
fn hidden(source: &dyn MetricSource, key: &Key, missing: &MissingSamples) -> u64 {
    let kept = |all: &Vec<Tags>| all.contains(&key.tags);
    if key.tags.0.is_empty() || missing.kept.as_ref().is_none_or(kept) {
        return 0;
    }
    let folded = source.select_where(&key.metric, &|tags| may_hide(tags, &key.tags));
    folded.map_or(0, |s| s.count)
}

/// Why times of requests are those of no response: none of these requests got one. How soon they failed is no more than the least that an
/// answer would have taken.
fn unanswered(source: &dyn MetricSource, key: &Key) -> Option<String> {
    if !Builtin::parse(&key.metric)?.is_of_request() {
        return None;
    }
    let answered = source.select_where(&key.metric, &|tags| {
        tags.matches(&key.tags) && !is_unanswered(tags)
    });
    answered
        .is_none_or(|answered| answered.count == 0)
        .then(|| {
            "none of these requests got a response, so it says nothing of how long one takes"
                .to_owned()
        })
}

/// The largest value that an aggregate can have if what was cut off had gone on for ever, and what was cut off, in words; `None` if nothing
/// was.
fn censored(
    source: &dyn MetricSource,
    key: &Key,
    aggregate: Aggregate,
    all: &Selected<'_>,
    missing: &MissingSamples,
) -> Option<(f64, String)> {
    let request = |cut_off: bool| {
        source.select_where(&key.metric, &|tags| {
            let was = tags.get("error_code") == Some(INTERRUPTED);
            tags.matches(&key.tags) && was == cut_off
        })
    };
    let metric = Builtin::parse(&key.metric)?;
    let (cut_off, what) = match metric {
        Builtin::IterationDuration => (missing.interrupted_iterations, "iterations"),
        _ if metric.is_of_request() => (request(true).map_or(0, |s| s.count), "requests"),
        _ => return None,
    };
    if cut_off == 0 {
        return None;
    }
    let whole = match metric {
        Builtin::IterationDuration => select(source, key),
        _ => request(false),
    };
    let complete = whole.as_ref().map_or(0, |s| s.count);
    let at_most = whole.and_then(|whole| last(aggregate, &whole, cut_off));
    let note = format!(
        "{cut_off} of {} {what} were cut off before their end",
        complete + cut_off
    );
    // Where only few were cut off, the value is bounded, and often not even changed.
    let changes = at_most.is_none_or(|most| aggregate.of(all, Duration::ZERO) != Some(most));
    changes.then(|| (at_most.unwrap_or(f64::INFINITY), note))
}

/// The aggregate in ms with so many more samples that are longer than all others; `None`: it falls among these.
fn last(aggregate: Aggregate, whole: &Selected<'_>, longer: u64) -> Option<f64> {
    let share = match aggregate {
        Aggregate::Med => 0.5,
        Aggregate::Percentile(p) => p / 100.0,
        Aggregate::Min => 0.0,
        _ => return None,
    };
    let rank = (share * (whole.count + longer) as f64).ceil().max(1.0);
    let within = rank / whole.count as f64;
    (within <= 1.0)
        .then(|| Aggregate::Percentile(within * 100.0).of(whole, Duration::ZERO))
        .flatten()
}

fn why_no_data(key: &Key, aggregate: Aggregate, selected: Option<&Selected<'_>>) -> String {
    match selected {
        Some(s) if !aggregate.is_of(s.kind) => format!(
            "{} was recorded as a {}, which has no {aggregate}; use {}",
            key.metric,
            s.kind,
            Aggregate::allowed(s.kind)
        ),
        Some(s) if s.count > 0 => "no time has passed, so there is no rate".to_owned(),
        _ if key.tags.0.is_empty() => format!("{key} has no samples"),
        _ => format!(
            "no sample of {} has these tags; compare them with the names in the test",
            key.metric
        ),
    }
}
