//! What came of thresholds that look at the course of a run: at a part of it, at a slope, at windows.

use serde::{Deserialize, Serialize};

/// What a threshold says beyond one number of all that was judged. Empty for one that says no more.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OverTime {
    /// The part of the run that it is about: `from 1m to 10m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<String>,
    /// The slope, of a `trend(…)`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trend: Option<Slope>,
    /// In how many windows it held, of an objective.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub objective: Option<ObjectiveSeen>,
}

/// How fast a number changes, with its interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Slope {
    /// By how much in an hour, as estimated: of a share as a difference of shares (0.001 is 0.1 percentage points), of anything else
    /// as a ratio (0.01 is one per cent more).
    pub per_hour: f64,
    /// The least that the data allow.
    pub low: f64,
    /// The most.
    pub high: f64,
    /// How sure the interval is, in (0, 1).
    pub confidence: f64,
    /// Seconds of a window.
    pub window_s: u32,
    /// How many windows there are.
    pub windows: u32,
}

impl Slope {
    /// Whether the number surely changes, in either direction.
    pub fn is_sure(&self) -> bool {
        self.low > 0.0 || self.high < 0.0
    }

    /// `+1.2 %/h (+0.9 to +1.5)`.
    pub fn said(&self) -> String {
        let percent = |ratio: f64| {
            let value = ratio * 100.0;
            let digits = match value.abs() {
                v if v >= 100.0 => 0,
                v if v >= 10.0 => 1,
                v if v >= 1.0 => 2,
                _ => 3,
            };
            let text = format!("{value:+.digits$}");
            match text.trim_start_matches(['+', '-', '0', '.']).is_empty() {
                true => "0".to_owned(),
                false => text,
            }
        };
        let [middle, low, high] = [self.per_hour, self.low, self.high].map(percent);
        format!("{middle} %/h ({low} to {high})")
    }
}

/// In how many windows of a run something held.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ObjectiveSeen {
    /// The share of windows in which it has to, in (0, 1].
    pub of: f64,
    /// Seconds of a window.
    pub window_s: u32,
    /// Windows that were judged.
    pub windows: u64,
    /// Those in which it held.
    pub held: u64,
    /// Those in which it did not.
    pub breached: u64,
    /// Those of which nobody can tell: nothing was measured, or no more than a lower bound.
    pub unknown: u64,
    /// The share of the error budget that is used: of the windows in which it need not hold, those in which it did not. 1 is all of it.
    /// `None` where there is no budget, since it has to hold in all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget_used: Option<f64>,
}

impl ObjectiveSeen {
    /// `held in 359 of 360 windows of 10 s (28 % of the error budget used)`.
    pub fn said(&self) -> String {
        let unknown = match self.unknown {
            0 => String::new(),
            n => format!(", unknown in {n}"),
        };
        let budget = match self.budget_used {
            Some(used) => format!(" ({:.0} % of the error budget used)", used * 100.0),
            None => String::new(),
        };
        format!(
            "held in {} of {} window{} of {} s{unknown}{budget}",
            self.held,
            self.windows,
            if self.windows == 1 { "" } else { "s" },
            self.window_s
        )
    }
}

impl OverTime {
    /// Whether there is nothing of the kind.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What was seen, where one number does not say it.
    pub fn said(&self) -> Option<String> {
        let slope = self.trend.as_ref().map(Slope::said);
        slope.or_else(|| self.objective.as_ref().map(ObjectiveSeen::said))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slopes_and_objectives_read_well() {
        let slope = Slope {
            per_hour: 0.012,
            low: -0.000_004,
            high: 1.5,
            confidence: 0.95,
            window_s: 10,
            windows: 60,
        };
        assert_eq!(slope.said(), "+1.20 %/h (0 to +150)");
        assert!(!slope.is_sure());
        let seen = ObjectiveSeen {
            of: 0.99,
            window_s: 10,
            windows: 360,
            held: 358,
            breached: 1,
            unknown: 1,
            budget_used: Some(1.0 / 3.6),
        };
        assert_eq!(
            seen.said(),
            "held in 358 of 360 windows of 10 s, unknown in 1 (28 % of the error budget used)"
        );
    }
}
