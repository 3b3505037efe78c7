//! Thresholds: k6's grammar, evaluated on merged data.
//!
//! A threshold is a key (`metric{tag:value}`) and an expression (`p(95)<500`). Grammar and meaning are those of k6
//! (<https://grafana.com/docs/k6/latest/using-k6/thresholds/>), with units of time on top; see [`parse_key`] and
//! [`parse_expression`].
//!
//! # Where there is nothing to judge
//! A metric without a sample has no percentile, no mean and no rate: the outcome is [`Outcome::NoData`], which never
//! passes. (k6 compares with 0 and passes.) One case is different: a *built-in counter* that was never added to, asked for
//! without a tag filter, in a run that measured anything at all. Such a counter is known to be 0, since the engine
//! would have counted: `dropped_iterations: count<10` holds when nothing was dropped, and `http_reqs: count>0` is breached
//! when nothing was sent. With a filter a zero cannot be told from a misspelt tag, so it stays without data.

mod aggregate;
mod expression;
mod failures;
pub(crate) mod implicit;
mod number;
mod observe;
mod source;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
mod validate;

pub use aggregate::Aggregate;
pub(crate) use aggregate::US_PER_MS;
pub use expression::{Expression, parse_expression};
pub(crate) use failures::Failures;
pub use failures::is_unanswered;
pub use observe::MissingSamples;
pub(crate) use observe::observe;
pub use source::{Distribution, Grouped, MetricSource, Selected};
pub use validate::check;
pub(crate) use validate::{check_aggregate, checked_expression, checked_key, pointless};

use crate::definition::model::ThresholdSpec;
use crate::syntax::SyntaxError;
use floodgate_records::control::{Stop, StopReason};
use floodgate_records::key::Key;
use floodgate_records::metric::{Builtin, MetricKind};
use floodgate_records::outcome::{Outcome, ThresholdOutcome};
use std::collections::BTreeSet;
use std::time::Duration;

/// Parses a key, `metric{tag:value}`, by the rules of [`Key`].
///
/// # Errors
/// What is wrong, and where.
pub fn parse_key(text: &str) -> Result<Key, SyntaxError> {
    text.parse().map_err(SyntaxError::from)
}

/// One threshold, ready to be evaluated.
#[derive(Clone, Debug, PartialEq)]
pub struct Threshold {
    /// What is measured.
    pub key: Key,
    /// What must hold.
    pub expression: Expression,
    /// Whether a breach ends the run.
    pub abort_on_fail: bool,
    /// A breach does not end the run until more than this has passed since its start.
    pub delay_abort_eval: Duration,
}

impl Threshold {
    /// `metric{tag:value}: expression`.
    pub fn id(&self) -> String {
        format!("{}: {}", self.key, self.expression)
    }

    fn judge(
        &self,
        source: &dyn MetricSource,
        elapsed: Duration,
        missing: &MissingSamples,
    ) -> ThresholdOutcome {
        let Expression {
            text,
            aggregate,
            comparison,
            operator,
            target,
            ..
        } = &self.expression;
        let observed = observe(source, &self.key, *aggregate, elapsed, missing);
        let outcome = observed.outcome(*comparison, *target);
        ThresholdOutcome {
            id: self.id(),
            key: self.key.to_string(),
            expression: text.clone(),
            aggregate: aggregate.to_string(),
            operator: (*operator).into(),
            target: *target,
            observed: observed.value,
            outcome,
            aborted: false,
            note: observed.note.filter(|_| outcome != Outcome::Passed),
            implicit: false,
        }
    }
}

/// The thresholds of a definition, in its order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Thresholds {
    /// Each of them.
    pub items: Vec<Threshold>,
}

impl Thresholds {
    /// Compiles thresholds as written.
    ///
    /// # Errors
    /// All faults, in the order of `specs`; each names its text.
    pub fn compile(specs: &[ThresholdSpec]) -> Result<Self, Vec<SyntaxError>> {
        let mut faults = Vec::new();
        let mut items = Vec::new();
        for spec in specs {
            let parsed = checked_key(&spec.key)
                .map_err(|error| error.naming(&spec.key))
                .and_then(|key| {
                    let expression = checked_expression(&key, &spec.expression)
                        .map_err(|error| error.naming(&spec.expression))?;
                    Ok((key, expression))
                });
            match parsed {
                Ok((key, expression)) => items.push(Threshold {
                    key,
                    expression,
                    abort_on_fail: spec.abort_on_fail,
                    delay_abort_eval: spec.delay_abort_eval,
                }),
                Err(fault) => faults.push(fault),
            }
        }
        if faults.is_empty() {
            Ok(Self { items })
        } else {
            Err(faults)
        }
    }

    /// What is allowed and probably not meant: custom metrics, nearly known tags, ratios beyond 1, and aborts at once.
    /// `recorded` are the custom metrics that the definition records itself.
    pub fn warnings(&self, recorded: &BTreeSet<String>) -> Vec<String> {
        let mut all: Vec<String> = Vec::new();
        for t in &self.items {
            for doubt in validate::doubts(
                &t.key,
                &t.expression,
                t.abort_on_fail,
                !t.delay_abort_eval.is_zero(),
                recorded.contains(&t.key.metric),
            ) {
                if !all.contains(&doubt) {
                    all.push(doubt);
                }
            }
        }
        all
    }

    /// Evaluates all of them. `elapsed` is the run's duration, which a counter's `rate` is relative to.
    pub fn evaluate(
        &self,
        source: &dyn MetricSource,
        elapsed: Duration,
        missing: &MissingSamples,
    ) -> Vec<ThresholdOutcome> {
        let judge = |t: &Threshold| t.judge(source, elapsed, missing);
        self.items.iter().map(judge).collect()
    }

    /// Those with `abortOnFail` that are breached now, past their `delayAbortEval`. Missing data is not a breach.
    pub fn abort_breaches(
        &self,
        source: &dyn MetricSource,
        elapsed: Duration,
    ) -> Vec<ThresholdOutcome> {
        let due = |t: &&Threshold| {
            t.abort_on_fail && (t.delay_abort_eval.is_zero() || elapsed > t.delay_abort_eval)
        };
        let judge = |t: &Threshold| ThresholdOutcome {
            aborted: true,
            ..t.judge(source, elapsed, &MissingSamples::default())
        };
        let outcomes = self.items.iter().filter(due).map(judge);
        outcomes.filter(|o| o.outcome == Outcome::Failed).collect()
    }
}

/// Between the ids of thresholds in [`Stop::by`].
const ID_SEPARATOR: &str = "; ";

/// What to write into [`Stop::by`] for these breaches.
pub fn stopped_by(breaches: &[ThresholdOutcome]) -> String {
    breaches
        .iter()
        .map(|b| b.id.as_str())
        .collect::<Vec<_>>()
        .join(ID_SEPARATOR)
}

/// Marks the thresholds that an order to stop names.
pub fn mark_aborted(outcomes: &mut [ThresholdOutcome], stop: &Stop) {
    if stop.reason == StopReason::Threshold {
        for o in outcomes {
            o.aborted = stop.by.split(ID_SEPARATOR).any(|id| id == o.id);
        }
    }
}

/// The samples of a key; a built-in counter that was never added to is zero (see the module's documentation).
pub(crate) fn select<'s>(source: &'s dyn MetricSource, key: &Key) -> Option<Selected<'s>> {
    let found = source.select(&key.metric, &key.tags);
    let is_counter = Builtin::parse(&key.metric).is_some_and(|m| m.kind() == MetricKind::Counter);
    match found {
        None if is_counter && key.tags.0.is_empty() && !source.metrics().is_empty() => {
            Some(Selected::zero_counter())
        }
        found => found,
    }
}
