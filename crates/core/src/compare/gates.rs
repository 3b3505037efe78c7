//! Both runs, number by number.

use super::comparable::{Account, obstacles};
use super::interval::{Compared, Effect, Needed, Settings};
use super::paired::paired;
use super::runs::{MIN_RUNS, RunValue, after, run_value};
use super::series::{Statistic, WINDOW_S, Window};
use super::share::{is_mostly, rest_of, smoothed, turned, weighed};
use super::terms::Terms;
use super::two_runs::two;
use super::windows::{Measured, value};
use crate::baseline::BaselineMetric;
use crate::seed;
use crate::threshold::Aggregate;
use floodgate_records::comparison::{Change, ComparedRun, Comparison, Gate, Ratio};
use floodgate_records::metric::{Builtin, Contains, MetricKind};
use floodgate_records::outcome::Direction;
use std::borrow::Cow;

const US_PER_MS: f64 = 1e3;
/// Runs that are longer by more than this are not a remedy.
const MOST_TIMES: f64 = 10.0;

/// A run to compare.
#[derive(Clone, Copy, Debug)]
pub struct Run<'a> {
    /// What is known of it.
    pub account: Account<'a>,
    /// What it measured.
    pub measured: &'a Measured,
}

/// What a run is compared with.
#[derive(Clone, Copy, Debug)]
pub enum Against<'a> {
    /// One run. Others of the same test say by how much runs differ anyway, if they are [`MIN_RUNS`] or more.
    One(Run<'a>, &'a [Measured]),
    /// Another target, which the same run has loaded in turns: what it measured there.
    InTurns(Run<'a>),
    /// Several together, [`MIN_RUNS`] or more, with what is known of the newest.
    Several(Account<'a>, &'a [Measured]),
}

impl<'a> Against<'a> {
    fn account(&self) -> Account<'a> {
        match self {
            Self::One(run, _) | Self::InTurns(run) => run.account,
            Self::Several(account, _) => *account,
        }
    }

    /// The runs that are compared with.
    fn runs(&self) -> &'a [Measured] {
        match self {
            Self::One(run, _) | Self::InTurns(run) => std::slice::from_ref(run.measured),
            Self::Several(_, runs) => runs,
        }
    }
}

/// Compares `head` with what was before it. The draws follow from the ids of the runs, so the same runs always give the same.
pub fn compare(against: Against<'_>, head: Run<'_>, terms: &Terms) -> Comparison {
    let base = against.account();
    let settings = Settings {
        confidence: terms.confidence,
        min_effect: terms.min_effect,
        gates: terms.metrics.len(),
        seed: seed::of(&[&base.execution.id, &head.account.execution.id]),
    };
    let gates: Vec<_> = terms
        .metrics
        .iter()
        .map(|metric| gate(metric, against, head.measured, &settings))
        .collect();
    let mut obstacles = obstacles(base, head.account);
    // What is to be said of a run that is both is said once.
    obstacles.dedup();
    let (pooled, history) = match against {
        Against::One(_, history) if history.len() >= MIN_RUNS => (0, history.len()),
        Against::One(..) | Against::InTurns(_) => (0, 0),
        Against::Several(_, runs) => (runs.len(), runs.len()),
    };
    Comparison {
        schema: Comparison::SCHEMA,
        base: compared(base),
        pooled,
        in_turns: matches!(against, Against::InTurns(_)),
        head: compared(head.account),
        outcome: together(&gates, &obstacles),
        obstacles,
        confidence: terms.confidence,
        min_effect: terms.min_effect,
        history,
        undecided: terms.undecided,
        gates,
    }
}

/// One is enough to have regressed, and what is undecided is not unchanged.
fn together(gates: &[Gate], obstacles: &[String]) -> Change {
    let any = |change| gates.iter().any(|gate| gate.outcome == change);
    if !obstacles.is_empty() {
        return Change::NotComparable;
    }
    [Change::Regressed, Change::Undecided, Change::Improved]
        .into_iter()
        .find(|change| any(*change))
        .unwrap_or(if gates.is_empty() {
            Change::Undecided
        } else {
            Change::Unchanged
        })
}

fn gate(
    metric: &BaselineMetric,
    against: Against<'_>,
    head: &Measured,
    settings: &Settings,
) -> Gate {
    let mut measured = against.runs().iter().chain([head]);
    let kind = measured.find_map(|run| run.kind(&metric.key));
    let direction = kind.map_or(Direction::EitherIsWorse, |kind| {
        Direction::of(&metric.key.metric, kind)
    });
    let mut gate = Gate {
        id: metric.id(),
        key: metric.key.to_string(),
        aggregate: metric.aggregate.to_string(),
        kind,
        direction,
        base: None,
        head: None,
        ratio: None,
        of_rest: false,
        outcome: Change::Undecided,
        warmup_s: 0,
        note: None,
    };
    if let Err(why) = fill(&mut gate, metric, against, head, settings) {
        gate.note = Some(why);
    }
    gate
}

fn fill(
    gate: &mut Gate,
    metric: &BaselineMetric,
    against: Against<'_>,
    head: &Measured,
    settings: &Settings,
) -> Result<(), String> {
    let kind = gate.kind.ok_or("neither run has a sample of it")?;
    let number = Number {
        metric,
        statistic: statistic(metric.aggregate, kind)?,
        of_rest: false,
    };
    let head = head.windows(&metric.key)?;
    let base = against.runs().iter().map(|run| run.windows(&metric.key));
    let base = base.collect::<Result<Vec<_>, _>>()?;
    let number = Number {
        of_rest: number.statistic == Statistic::Share && is_mostly(&base.concat()),
        ..number
    };
    gate.of_rest = number.of_rest;
    (gate.base, gate.head) = (number.shown_of(&base.concat()), number.shown_of(head));
    let (base, head): (Vec<_>, _) = (
        base.into_iter().map(|run| number.counted(run)).collect(),
        number.counted(head),
    );
    let nothing = |run: &Cow<'_, [Window]>| value(number.statistic, run) == Some(0.0);
    if number.statistic == Statistic::Share && base.iter().all(nothing) && nothing(&head) {
        // Nothing has no ratio to nothing, however many samples say so.
        gate.outcome = Change::Unchanged;
        let much = if number.of_rest { "all" } else { "none" };
        gate.note = Some(format!("{much} in either run"));
        return Ok(());
    }
    let values = |runs: &mut dyn Iterator<Item = &[Window]>| -> Vec<RunValue> {
        runs.filter_map(|run| run_value(number.statistic, run, settings.seed).ok())
            .collect()
    };
    let (found, before, weight) = match against {
        Against::One(_, history) => {
            let known: Vec<_> = history
                .iter()
                .filter_map(|run| Some(number.counted(run.windows(&metric.key).ok()?)))
                .collect();
            let known = values(&mut known.iter().map(|run| &run[..]));
            let found = two(number.statistic, &base[0], &head, &known, settings)?;
            let left = rest(&base[0], found.warmup_s);
            (found, value(number.statistic, left), smoothed(left))
        }
        Against::InTurns(_) => {
            let found = paired(number.statistic, &base[0], &head, settings)?;
            let left = rest(&base[0], found.warmup_s);
            (found, value(number.statistic, left), smoothed(left))
        }
        Against::Several(..) => {
            let known = values(&mut base.iter().map(|run| &run[..]));
            let own = run_value(number.statistic, &head, settings.seed)?;
            let mean = known.iter().map(|run| run.log).sum::<f64>() / known.len().max(1) as f64;
            let before = number.of_log(mean);
            (after(&known, own, settings)?, Some(before), before)
        }
    };
    let now = value(number.statistic, rest(&head, found.warmup_s));
    gate.base = before.map(|v| number.shown(v));
    gate.head = now.map(|v| number.shown(v));
    number.judge(gate, &found, weight);
    Ok(())
}

/// What is left of windows after a warm-up.
fn rest(windows: &[Window], warmup_s: u32) -> &[Window] {
    let warmup = (warmup_s / WINDOW_S) as usize;
    windows.get(warmup..).unwrap_or_default()
}

/// A number of a run, and how it is compared.
#[derive(Clone, Copy)]
struct Number<'a> {
    metric: &'a BaselineMetric,
    statistic: Statistic,
    /// Whether what is left of a share is compared, in its place.
    of_rest: bool,
}

impl Number<'_> {
    /// The windows with what is compared.
    fn counted<'w>(&self, windows: &'w [Window]) -> Cow<'w, [Window]> {
        match self.of_rest {
            true => rest_of(windows).into(),
            false => windows.into(),
        }
    }

    /// The value that a logarithm of [`RunValue`] stands for.
    fn of_log(&self, log: f64) -> f64 {
        match self.statistic {
            Statistic::Gain => log.exp() / f64::from(WINDOW_S),
            _ => log.exp(),
        }
    }

    /// As a person reads it: times in ms, the share itself and not its rest.
    fn shown(&self, value: f64) -> f64 {
        let is_trend = matches!(self.statistic, Statistic::Quantile(_) | Statistic::Mean);
        // Trends of one's own are scaled likewise, whatever their unit.
        let builtin = Builtin::parse(&self.metric.key.metric);
        match is_trend && builtin.is_none_or(|m| m.contains() == Contains::Time) {
            true => value / US_PER_MS,
            false if self.of_rest => 1.0 - value,
            false => value,
        }
    }

    fn shown_of(&self, windows: &[Window]) -> Option<f64> {
        value(self.statistic, &self.counted(windows)).map(|v| self.shown(v))
    }

    /// `weight` is the earlier value of a share, above 0.
    fn judge(&self, gate: &mut Gate, found: &Compared, weight: f64) {
        let mut effect = found.effect;
        if self.statistic == Statistic::Share {
            effect = weighed(effect, &found.interval, weight);
        }
        gate.note = match effect {
            Effect::Undecided if found.effect != Effect::Undecided => {
                Some("it has changed, but perhaps by too little to matter".to_owned())
            }
            Effect::Undecided => needed(found),
            _ => None,
        };
        if self.of_rest {
            effect = turned(effect);
        }
        gate.outcome = change(effect, gate.direction);
        gate.warmup_s = found.warmup_s;
        gate.ratio = Some(Ratio {
            estimate: found.interval.ratio,
            low: found.interval.low,
            high: found.interval.high,
        });
    }
}

/// # Errors
/// An aggregate that has no interval.
fn statistic(aggregate: Aggregate, kind: MetricKind) -> Result<Statistic, String> {
    match (aggregate, kind) {
        (Aggregate::Percentile(p), MetricKind::Trend) if p > 0.0 && p < 100.0 => {
            Ok(Statistic::Quantile(p / 100.0))
        }
        (Aggregate::Med, MetricKind::Trend) => Ok(Statistic::Quantile(0.5)),
        (Aggregate::Avg, MetricKind::Trend) => Ok(Statistic::Mean),
        (Aggregate::Rate, MetricKind::Rate) => Ok(Statistic::Share),
        (Aggregate::Rate | Aggregate::Count, MetricKind::Counter) => Ok(Statistic::Gain),
        _ => Err(format!(
            "{aggregate} has no interval; compare a percentile, avg, or a rate"
        )),
    }
}

const fn change(effect: Effect, direction: Direction) -> Change {
    match (effect, direction) {
        (Effect::Same, _) => Change::Unchanged,
        (Effect::Undecided, _) => Change::Undecided,
        (Effect::More, Direction::LowerIsWorse) | (Effect::Less, Direction::HigherIsWorse) => {
            Change::Improved
        }
        (Effect::More | Effect::Less, _) => Change::Regressed,
    }
}

fn needed(found: &Compared) -> Option<String> {
    Some(match found.needed? {
        Needed::Longer(times) if times > MOST_TIMES => {
            "there is too little of it for runs of a bearable length to decide".to_owned()
        }
        Needed::Longer(times) => format!("runs {times:.1} times as long would decide"),
        Needed::Earlier(runs) => format!("{runs} earlier runs would decide"),
        Needed::Each(runs) => format!("{runs} runs on each side would decide"),
    })
}

/// A run as comparisons name it.
pub fn compared(account: Account<'_>) -> ComparedRun {
    let e = account.execution;
    ComparedRun {
        execution: e.id.clone(),
        test: format!("{}/{}", e.project, e.test),
        version: e.version.clone(),
        commit: e.trigger.commit.clone(),
        status: e.status,
        started_ms: e.started_ms,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
