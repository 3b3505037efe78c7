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
mod slope;
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

use crate::definition::model::{Definition, Objective, RunPart, Stretch, ThresholdSpec};
use crate::syntax::SyntaxError;
use crate::units::format_duration;
use floodgate_records::control::{Stop, StopReason};
use floodgate_records::key::Key;
use floodgate_records::metric::{Builtin, MetricKind};
use floodgate_records::outcome::{Operator, Outcome, ThresholdOutcome};
use floodgate_records::over_time::OverTime;
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
    /// Of which part of the run it has to hold.
    pub part: RunPart,
    /// In how many windows, instead of in all of them together.
    pub objective: Option<Objective>,
}

impl Threshold {
    /// A threshold of all that is judged.
    pub(crate) fn new(key: Key, expression: Expression) -> Self {
        Self {
            key,
            expression,
            abort_on_fail: false,
            delay_abort_eval: Duration::ZERO,
            part: RunPart::default(),
            objective: None,
        }
    }

    /// `metric{tag:value}: expression`, with the share of windows and the part of the run that it is about.
    pub fn id(&self) -> String {
        format!("{}: {}", self.key, self.said())
    }

    /// The expression with the share of windows and the part of the run.
    fn said(&self) -> String {
        let mut said = self.expression.text.clone();
        if let Some(Objective { of, window }) = self.objective {
            let percent = (of * 1e6).round() / 1e4;
            let window = format_duration(window);
            said.push_str(&format!(" in {percent}% of windows of {window}"));
        }
        let part = self.part.said();
        if !part.is_empty() {
            said.push_str(&format!(" {part}"));
        }
        said
    }

    /// Whether one number of all that is judged decides it.
    pub fn is_plain(&self) -> bool {
        !self.expression.is_trend && self.objective.is_none()
    }

    /// Judges the samples of its part; `elapsed` is how long that was.
    pub(crate) fn judge(
        &self,
        source: &dyn MetricSource,
        elapsed: Duration,
        missing: &MissingSamples,
    ) -> ThresholdOutcome {
        let Expression {
            aggregate,
            comparison,
            target,
            ..
        } = self.expression;
        let observed = observe(source, &self.key, aggregate, elapsed, missing);
        let outcome = observed.outcome(comparison, target);
        ThresholdOutcome {
            observed: observed.value,
            outcome,
            note: observed.note.filter(|_| outcome != Outcome::Passed),
            ..self.unknown(None)
        }
    }

    /// No outcome, with the reason.
    pub(crate) fn unknown(&self, note: Option<String>) -> ThresholdOutcome {
        let Expression {
            aggregate,
            operator,
            target,
            is_trend,
            ..
        } = self.expression;
        let part = self.part.said();
        ThresholdOutcome {
            id: self.id(),
            key: self.key.to_string(),
            expression: self.said(),
            aggregate: match (is_trend, self.objective) {
                (_, Some(_)) => "windows".to_owned(),
                (true, None) => format!("trend({aggregate})"),
                (false, None) => aggregate.to_string(),
            },
            operator: match self.objective {
                Some(_) => Operator::Ge,
                None => operator,
            }
            .into(),
            target: self.objective.map_or(target, |objective| objective.of),
            observed: None,
            outcome: Outcome::NoData,
            aborted: false,
            note,
            implicit: false,
            over_time: OverTime {
                part: (!part.is_empty()).then_some(part),
                ..OverTime::default()
            },
        }
    }
}

/// The thresholds of a definition, in its order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Thresholds {
    /// Each of them.
    pub items: Vec<Threshold>,
    /// The beginning of the run that none is about unless it says so.
    pub warmup: Duration,
}

impl Thresholds {
    /// Those of a definition.
    ///
    /// # Errors
    /// As for [`Self::compile`].
    pub fn of(definition: &Definition) -> Result<Self, Vec<SyntaxError>> {
        Ok(Self {
            warmup: definition.warmup,
            ..Self::compile(&definition.thresholds)?
        })
    }

    /// Compiles thresholds as written, without a warm-up.
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
                    part: spec.part.clone(),
                    objective: spec.objective,
                }),
                Err(fault) => faults.push(fault),
            }
        }
        if faults.is_empty() {
            Ok(Self {
                items,
                warmup: Duration::ZERO,
            })
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

    /// Evaluates all of them on the same samples: a slope, an objective and a part of the run have no outcome then. `elapsed` is how long the
    /// samples took, which a counter's `rate` is relative to.
    pub fn evaluate(
        &self,
        source: &dyn MetricSource,
        elapsed: Duration,
        missing: &MissingSamples,
    ) -> Vec<ThresholdOutcome> {
        let judge = |t: &Threshold| match t.is_plain() && t.part.is_whole() {
            true => t.judge(source, elapsed, missing),
            false => t.unknown(Some("the course of the run is not known".to_owned())),
        };
        self.items.iter().map(judge).collect()
    }

    /// The stretches that thresholds with `abortOnFail` are about.
    pub fn abort_stretches(&self) -> BTreeSet<Stretch> {
        let aborting = self.items.iter().filter(|t| t.abort_on_fail);
        aborting.map(|t| t.part.stretch(self.warmup)).collect()
    }

    /// Those with `abortOnFail` that are breached now, past their `delayAbortEval` and the beginning of their stretch, whose samples
    /// `source` gives. Missing data is not a breach.
    pub fn abort_breaches<'s>(
        &self,
        source: impl Fn(&Stretch) -> Option<&'s dyn MetricSource>,
        elapsed: Duration,
    ) -> Vec<ThresholdOutcome> {
        let due = |t: &&Threshold| {
            t.abort_on_fail
                && t.is_plain()
                && (t.delay_abort_eval.is_zero() || elapsed > t.delay_abort_eval)
        };
        let judge = |t: &Threshold| {
            let stretch = t.part.stretch(self.warmup);
            let length = stretch.length(elapsed);
            let outcome = match source(&stretch).filter(|_| !length.is_zero()) {
                Some(source) => t.judge(source, length, &MissingSamples::default()),
                None => t.unknown(None),
            };
            ThresholdOutcome {
                aborted: true,
                ..outcome
            }
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
