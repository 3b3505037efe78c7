//! What must hold: of all that is judged, of a part of the run, or in a share of its windows.

use super::Definition;
use crate::shard::PHASE_WINDOW_S;
use crate::units::format_duration;
use floodgate_records::metric::MetricKind;
use std::collections::BTreeSet;
use std::time::Duration;

/// One threshold as written.
#[derive(Clone, Debug, PartialEq)]
pub struct ThresholdSpec {
    /// `metric{tag:value,…}`.
    pub key: String,
    /// `p(95)<500`.
    pub expression: String,
    /// Whether a breach ends the run.
    pub abort_on_fail: bool,
    /// How long after the start that is not looked at.
    pub delay_abort_eval: Duration,
    /// Of which part of the run it has to hold.
    pub part: RunPart,
    /// In how many windows, instead of in all of them together.
    pub objective: Option<Objective>,
}

impl ThresholdSpec {
    /// A threshold of all that is judged.
    pub fn new<K: Into<String>, E: Into<String>>(key: K, expression: E) -> Self {
        Self {
            key: key.into(),
            expression: expression.into(),
            abort_on_fail: false,
            delay_abort_eval: Duration::ZERO,
            part: RunPart::default(),
            objective: None,
        }
    }
}

/// A part of a run, in whole seconds after its start.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct RunPart {
    /// From when on; `None`: from the end of the warm-up.
    pub from: Option<Duration>,
    /// Until when; `None`: to the end.
    pub to: Option<Duration>,
    /// The stage that it is, as written.
    pub stage: Option<String>,
}

impl RunPart {
    /// Whether it is all that is judged.
    pub const fn is_whole(&self) -> bool {
        self.from.is_none() && self.to.is_none()
    }

    /// `from 1m to 10m`, `in stage soak.2`; empty for all that is judged.
    pub fn said(&self) -> String {
        let time = |word: &str, time: Option<Duration>| {
            time.map_or_else(String::new, |t| format!(" {word} {}", format_duration(t)))
        };
        match &self.stage {
            Some(stage) => format!("in stage {stage}"),
            None => (time("from", self.from) + &time("to", self.to))
                .trim_start()
                .to_owned(),
        }
    }
}

impl RunPart {
    /// When it is, after a warm-up.
    pub fn stretch(&self, warmup: Duration) -> Stretch {
        Stretch {
            from: self.from.unwrap_or(warmup),
            to: self.to,
        }
    }
}

/// A stretch of a run, after its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stretch {
    /// From when on.
    pub from: Duration,
    /// Until when; `None`: to the end.
    pub to: Option<Duration>,
}

impl Stretch {
    /// Whether it is all of the run.
    pub const fn is_whole(&self) -> bool {
        self.from.is_zero() && self.to.is_none()
    }

    /// Whether a row of a live object belongs to it, so many ms after the start and so many seconds long: sums that lie within, and a gauge's last
    /// value as long as the stretch goes on.
    pub fn has_live(&self, after_ms: i64, seconds: u32, kind: MetricKind) -> bool {
        let ms = |time: Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
        let end_ms = after_ms.saturating_add(i64::from(seconds) * 1_000);
        let begun = match kind {
            MetricKind::Gauge => end_ms > ms(self.from),
            _ => after_ms >= ms(self.from),
        };
        begun && self.to.is_none_or(|to| end_ms <= ms(to))
    }

    /// How much of it there is in a run that has gone on for so long.
    pub fn length(&self, elapsed: Duration) -> Duration {
        let end = self.to.map_or(elapsed, |to| to.min(elapsed));
        end.saturating_sub(self.from)
    }
}

/// A share of windows in which a threshold has to hold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Objective {
    /// In (0, 1].
    pub of: f64,
    /// The length of a window, in whole seconds.
    pub window: Duration,
}

/// Seconds of the windows in which trends are kept that are not kept by the second: so many that every time at which something that is
/// judged begins or ends is the end of a window.
pub fn phase_window_s(thresholds: &[ThresholdSpec], warmup: Duration) -> u32 {
    let ends = thresholds.iter().flat_map(|t| {
        let window = t.objective.map(|objective| objective.window);
        [t.part.from, t.part.to, window]
    });
    let ends = ends.flatten().chain([warmup]);
    let seconds = ends.fold(u64::from(PHASE_WINDOW_S), |all, end| {
        greatest_common(all, end.as_secs())
    });
    u32::try_from(seconds).unwrap_or(PHASE_WINDOW_S)
}

impl Definition {
    /// [`phase_window_s`] of its thresholds.
    pub fn phase_window_s(&self) -> u32 {
        phase_window_s(&self.thresholds, self.warmup)
    }

    /// Seconds after the start at which something begins or ends that may end the run, in their order.
    pub fn live_marks(&self) -> Vec<u64> {
        let aborting = self.thresholds.iter().filter(|t| t.abort_on_fail);
        let ends = aborting.flat_map(|t| {
            let stretch = t.part.stretch(self.warmup);
            [Some(stretch.from), stretch.to]
        });
        let seconds = ends.flatten().map(|end| end.as_secs());
        let marks: BTreeSet<u64> = seconds.filter(|second| *second > 0).collect();
        marks.into_iter().collect()
    }
}

/// Euclid's.
const fn greatest_common(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { greatest_common(b, a % b) }
}
