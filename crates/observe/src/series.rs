//! One series: the times whose values are due, and what came for them.

use crate::source::{Pace, Source};
use crate::told::{Times, Told};
use floodgate_core::definition::model::ObserveSpec;
use floodgate_core::histogram::Histogram;
use floodgate_core::shard::{Row, WINDOW_S};
use floodgate_records::metric::{MetricKind, SeriesKey, Tags};
use floodgate_records::observed::Observed;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Between two questions that failed, at most.
const LONGEST_PAUSE_MS: i64 = 8_000;
/// A second, the window of a value, which ends at its time.
const WINDOW_MS: i64 = WINDOW_S as i64 * 1_000;

/// A series that is asked for.
pub(crate) struct Series {
    key: Arc<SeriesKey>,
    interval_ms: i64,
    source: Source,
    pace: Pace,
    /// The next time whose value is not due yet, Unix ms.
    next_ms: i64,
    /// Times without a value so far.
    open: BTreeSet<i64>,
    /// Those of them that the last answer leaves no hope for.
    hopeless: BTreeSet<i64>,
    /// Values that no shard has yet, by time.
    values: BTreeMap<i64, f64>,
    pause_ms: i64,
    longest_pause_ms: i64,
    /// Not to be asked before.
    resting_until_ms: i64,
    /// Why the last question had no answer.
    problem: Option<String>,
}

impl Series {
    /// The values of a run that began then, one at the end of each interval.
    pub(crate) fn new(spec: &ObserveSpec, start_ms: i64) -> Result<Self, String> {
        let interval_ms = i64::try_from(spec.interval.as_millis()).unwrap_or(i64::MAX);
        let pace = Source::pace_of(&spec.source);
        let key = SeriesKey {
            metric: spec.metric.clone(),
            kind: MetricKind::Trend,
            tags: Tags::new(),
        };
        Ok(Self {
            key: Arc::new(key),
            interval_ms: interval_ms.max(1),
            source: Source::new(&spec.source)?,
            pace,
            next_ms: start_ms.saturating_add(interval_ms),
            open: BTreeSet::new(),
            hopeless: BTreeSet::new(),
            values: BTreeMap::new(),
            pause_ms: pace.first_pause_ms,
            longest_pause_ms: LONGEST_PAUSE_MS,
            resting_until_ms: i64::MIN,
            problem: None,
        })
    }

    /// Asks for the values up to a time, if there are some that were not told yet.
    pub(crate) async fn ask(&mut self, until_ms: i64, now_ms: i64) {
        while self.next_ms <= until_ms {
            self.open.insert(self.next_ms);
            self.next_ms += self.interval_ms;
        }
        let (Some(&from_ms), Some(&to_ms)) = (self.open.first(), self.open.last()) else {
            return;
        };
        if now_ms < self.resting_until_ms {
            return;
        }
        let times = Times {
            from_ms,
            to_ms,
            step_ms: self.interval_ms,
        };
        self.problem = match self.source.ask(times).await {
            Ok(told) => self.take(told, now_ms),
            Err(silence) => {
                self.hopeless = match silence.may_end {
                    true => BTreeSet::new(),
                    false => self.open.clone(),
                };
                Some(silence.why)
            }
        };
        self.pause_ms = match self.problem {
            Some(_) => (self.pause_ms * 2).min(self.longest_pause_ms),
            None => self.pace.first_pause_ms,
        };
        let rests = self.problem.as_ref().map(|_| now_ms + self.pause_ms);
        self.resting_until_ms = rests.unwrap_or(i64::MIN);
    }

    /// Takes what was told; says why values are missing, if some are.
    fn take(&mut self, told: Told, now_ms: i64) -> Option<String> {
        for (at_ms, value) in told.values {
            if self.open.remove(&at_ms) {
                self.values.insert(at_ms, value);
            }
        }
        let mut why = None;
        // What has no value yet may get one; what has one that cannot be kept will not change.
        self.hopeless = self
            .open
            .range(..=now_ms - self.pace.late_ms)
            .copied()
            .collect();
        for (at_ms, refused) in told.refused {
            if self.open.contains(&at_ms) {
                self.hopeless.insert(at_ms);
                why = Some(refused);
            }
        }
        let silent = || "it has no value of these times".to_owned();
        (!self.open.is_empty()).then(|| why.unwrap_or_else(silent))
    }

    /// Asks at once and then more often, since somebody waits.
    pub(crate) fn hurry(&mut self) {
        self.resting_until_ms = i64::MIN;
        self.longest_pause_ms = self.pace.first_pause_ms;
    }

    /// Waits no longer for values that the last answer leaves no hope for.
    pub(crate) fn give_up_hopeless(&mut self, account: &mut Observed) {
        let hopeless = std::mem::take(&mut self.hopeless);
        if hopeless.is_empty() {
            return;
        }
        self.open.retain(|at_ms| !hopeless.contains(at_ms));
        self.note_missing(account);
    }

    /// Waits no longer for values of times before.
    pub(crate) fn give_up(&mut self, before_ms: i64, account: &mut Observed) {
        let left = self.open.split_off(&before_ms);
        let given_up = std::mem::replace(&mut self.open, left);
        if !given_up.is_empty() {
            self.note_missing(account);
        }
    }

    fn note_missing(&self, account: &mut Observed) {
        let why = self.problem.clone();
        let why = why.unwrap_or_else(|| "it was not asked in time".to_owned());
        account.note(&self.key.metric, why);
    }

    /// The same for those that are late by now.
    pub(crate) fn give_up_late(&mut self, now_ms: i64, account: &mut Observed) {
        self.give_up(now_ms.saturating_sub(self.pace.given_up_after_ms), account);
    }

    /// Whether all values up to a time have come or been given up.
    pub(crate) fn is_settled(&self, until_ms: i64) -> bool {
        self.next_ms > until_ms && self.open.first().is_none_or(|first| *first > until_ms)
    }

    /// The values up to a time, as rows.
    pub(crate) fn rows(&self, until_ms: i64) -> impl Iterator<Item = Row> + '_ {
        let due = self.values.range(..=until_ms);
        due.map(|(&at_ms, &value)| row(&self.key, at_ms, value))
    }

    /// Whether shards have all values.
    pub(crate) fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Forgets the values up to a time, which a shard has.
    pub(crate) fn forget(&mut self, until_ms: i64) {
        self.values = self.values.split_off(&(until_ms + 1));
    }
}

/// A trend's sample, in thousandths like those of scripts.
fn row(key: &Arc<SeriesKey>, at_ms: i64, value: f64) -> Row {
    let thousandths = (value * 1_000.0).round() as u64;
    let mut histogram = Histogram::new();
    histogram.record(thousandths);
    let mut bytes = Vec::new();
    histogram.encode_v2(&mut bytes);
    let value = thousandths as f64;
    Row {
        time_ms: at_ms - WINDOW_MS,
        window_s: WINDOW_S,
        key: key.clone(),
        count: 1,
        sum: value,
        min: value,
        max: value,
        histogram: Some(bytes.into()),
    }
}
