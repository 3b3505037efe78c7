//! Which load comes next, and when the capacity is known.

use super::posterior::{Interval, Posterior};
use super::trial::Trial;

/// By what the load grows while every step holds, and shrinks while none does.
const GROWTH: f64 = 2.0;
/// The capacity is below this share of the first load if every step breaks down to it.
const LOWEST: f64 = 1.0 / 256.0;

/// What is sought, and how exactly.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Search {
    /// The first load.
    pub start: f64,
    /// The largest load to try.
    pub max: Option<f64>,
    /// Half the width of an interval that is narrow enough, relative to the estimate; in (0, 1).
    pub precision: f64,
    /// Whether loads are whole numbers: VUs.
    pub whole: bool,
}

/// What follows from the steps so far.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Next {
    /// A step at this load.
    Try(f64),
    /// The interval is as narrow as was asked for.
    Found(Interval),
    /// The thresholds hold at the largest load that may be tried.
    AtLeast(f64),
    /// They don't hold at any load that makes sense, down to this one.
    Below(f64),
}

impl Search {
    /// What to do after these steps.
    pub fn next(&self, trials: &[Trial]) -> Next {
        let (held, broke) = bounds(trials);
        match (held, broke) {
            (None, None) => Next::Try(self.load(self.start)),
            (Some(held), None) if self.max.is_some_and(|max| held >= max) => Next::AtLeast(held),
            (Some(held), None) => {
                let next = held * GROWTH;
                Next::Try(self.load(self.max.map_or(next, |max| next.min(max))))
            }
            (None, Some(broke)) => {
                let lowest = self.load(self.start * LOWEST);
                let next = self.load(broke / GROWTH);
                match next < lowest || next >= broke {
                    true => Next::Below(broke),
                    false => Next::Try(next),
                }
            }
            (Some(held), Some(broke)) => self.refine(trials, (held, broke)),
        }
    }

    fn refine(&self, trials: &[Trial], bounds: (f64, f64)) -> Next {
        let posterior = Posterior::of(trials, bounds, self.precision);
        let interval = posterior.interval();
        // Between two numbers of VUs there is nothing.
        let narrow = self.whole && interval.high - interval.low < 1.0;
        if narrow || interval.precision() <= self.precision {
            return Next::Found(interval);
        }
        if self.max.is_some_and(|max| interval.low >= max) {
            return Next::AtLeast(interval.low);
        }
        let next = posterior.most_telling();
        Next::Try(self.load(self.max.map_or(next, |max| next.min(max))))
    }

    /// Whether one of these steps held and another broke: the capacity is near.
    pub fn is_bracketed(trials: &[Trial]) -> bool {
        let (held, broke) = bounds(trials);
        held.is_some() && broke.is_some()
    }

    /// What the steps so far say, however wide; `None` if none held or none broke.
    pub fn interval(&self, trials: &[Trial]) -> Option<Interval> {
        let (held, broke) = bounds(trials);
        Some(Posterior::of(trials, held.zip(broke)?, self.precision).interval())
    }

    /// A load that can be sent: whole VUs, one at least; rates to three digits after the point.
    fn load(&self, load: f64) -> f64 {
        match self.whole {
            true => load.round().max(1.0),
            false => ((load * 1_000.0).round() / 1_000.0).max(0.001),
        }
    }
}

/// The largest load that held, and the smallest that broke.
fn bounds(trials: &[Trial]) -> (Option<f64>, Option<f64>) {
    let of = |held: bool| {
        let those = trials.iter().filter(move |trial| trial.held == held);
        those.map(|trial| trial.load)
    };
    (of(true).reduce(f64::max), of(false).reduce(f64::min))
}
