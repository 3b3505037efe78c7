//! Intervals, and what follows from them.

use statrs::distribution::{ContinuousCDF, StudentsT};

/// What a comparison is held to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// The confidence of all gates of a run together, in (0, 1): 0.95.
    pub confidence: f64,
    /// The least relative change that matters, a ratio above 0: 0.05. Downwards it is 1 - 1 / 1.05.
    pub min_effect: f64,
    /// How many gates are judged together; at least 1.
    pub gates: usize,
    /// What the bootstrap's draws follow from.
    pub seed: u64,
}

impl Settings {
    /// The chance of an error that one gate may have: the family's, divided (Bonferroni 1936), so that with *k* gates without any change at
    /// most one run in twenty has a false alarm anywhere, however the gates depend on each other.
    pub fn level(&self) -> f64 {
        (1.0 - self.confidence) / self.gates.max(1) as f64
    }

    /// [`Self::min_effect`] as a logarithm.
    pub(super) fn margin(&self) -> f64 {
        self.min_effect.ln_1p()
    }
}

/// The ratio of a run's value to the earlier one's. 1 is no change.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// The ratio as estimated.
    pub ratio: f64,
    /// Its least value that the data allow at [`Settings::level`].
    pub low: f64,
    /// Its greatest.
    pub high: f64,
}

/// What a ratio says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Surely more, by the least effect or more as estimated.
    More,
    /// Surely less, likewise.
    Less,
    /// Surely not changed by as much as the least effect.
    Same,
    /// The interval is too wide for any of these.
    Undecided,
}

/// A comparison that could be made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Compared {
    /// The ratio.
    pub interval: Interval,
    /// What it says.
    pub effect: Effect,
    /// Seconds left out at the start of both runs as their warm-up.
    pub warmup_s: u32,
    /// Seconds of a block; 0 where runs and not windows were compared.
    pub block_s: u32,
    /// By how much runs of the test differ anyway: the standard deviation from run to run, a ratio (0.02 is two per cent). `None` where
    /// too few are known to tell.
    pub between: Option<f64>,
    /// What would decide if the estimate is right; `None` if it is decided, or if nothing of a bearable size would.
    pub needed: Option<Needed>,
}

/// What an undecided comparison takes to be decided.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Needed {
    /// Runs so many times as long, above 1.
    Longer(f64),
    /// So many earlier runs.
    Earlier(usize),
    /// So many runs on each side.
    Each(usize),
}

impl Interval {
    /// From an estimate and its ends as logarithms.
    pub(super) fn of_logs(estimate: f64, low: f64, high: f64) -> Self {
        Self {
            ratio: estimate.exp(),
            low: low.exp(),
            high: high.exp(),
        }
    }

    /// What follows. A change is one if the interval excludes 1 *and* the estimate is of the size that matters; there is none if the
    /// whole interval lies within that size.
    pub fn outcome(&self, settings: &Settings) -> Effect {
        let margin = settings.min_effect + 1.0;
        let inside = |x: f64| x < margin && x > 1.0 / margin;
        if self.low > 1.0 && self.ratio >= margin {
            Effect::More
        } else if self.high < 1.0 && self.ratio <= 1.0 / margin {
            Effect::Less
        } else if inside(self.low) && inside(self.high) {
            Effect::Same
        } else {
            Effect::Undecided
        }
    }

    /// Half the interval that would decide, as a logarithm, if the estimate is right: it excludes 1, or it lies within the margin.
    pub(super) fn deciding_half(&self, settings: &Settings) -> f64 {
        let (size, margin) = (self.ratio.ln().abs(), settings.margin());
        // Next to the margin nothing decides; there one waits for whichever side the truth is on.
        if size >= margin {
            size
        } else {
            (margin - size).max(margin / 4.0)
        }
    }

    /// Half of this interval, as a logarithm: the longer half.
    pub(super) fn half(&self) -> f64 {
        let (low, middle, high) = (self.low.ln(), self.ratio.ln(), self.high.ln());
        (high - middle).max(middle - low)
    }
}

/// The point that a Student variable exceeds in either direction with the chance `level`.
pub(super) fn student(level: f64, freedom: f64) -> f64 {
    match StudentsT::new(0.0, 1.0, freedom.max(1.0)) {
        Ok(t) => t.inverse_cdf(1.0 - level / 2.0),
        Err(_) => f64::INFINITY,
    }
}
