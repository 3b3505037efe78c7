//! What the steps so far say of the capacity: Bayes' rule on a grid.

use super::trial::Trial;

/// The share of steps whose outcome has nothing to do with their load, such as one that a pause of the target hit.
const LAPSE: f64 = 0.01;
/// How wide the zone is in which chance decides: the scale of the logistic function, relative to the capacity. Each is as likely as the others.
const SLOPES: [f64; 5] = [0.003, 0.006, 0.0125, 0.025, 0.05];
/// How far below the largest load that held and above the smallest that broke the capacity may lie, as a factor.
const MARGIN: f64 = 3.0;
/// Points of the grid within half of an interval as narrow as was asked for.
const POINTS_A_WIDTH: f64 = 10.0;
/// Points of the grid at most.
const MOST_POINTS: f64 = 10_000.0;
/// The credible level of intervals.
const LEVEL: f64 = 0.95;
/// Where the next step may go, as quantiles of what is believed.
const CANDIDATES: [f64; 9] = [0.05, 0.15, 0.25, 0.35, 0.5, 0.65, 0.75, 0.85, 0.95];

/// An estimate with its 95 % credible interval, in the unit of the loads.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The median.
    pub estimate: f64,
    /// The upper end.
    pub high: f64,
}

impl Interval {
    /// Half of its width relative to the estimate: 0.05 for ±5 %.
    pub fn precision(&self) -> f64 {
        (self.high - self.low) / 2.0 / self.estimate
    }
}

/// The belief in each pair of a capacity and a slope.
pub(super) struct Posterior {
    /// Natural logarithms of capacities, evenly spaced.
    grid: Vec<f64>,
    /// By slope, then by grid point; all together are 1.
    belief: Vec<[f64; SLOPES.len()]>,
}

/// The probability that a step holds.
fn holds(load: f64, capacity: f64, slope: f64) -> f64 {
    LAPSE + (1.0 - 2.0 * LAPSE) / (1.0 + ((load - capacity) / slope).exp())
}

impl Posterior {
    /// After these steps, with the largest load that held and the smallest that broke. Before them, all capacities were equally
    /// likely on the logarithmic scale.
    pub(super) fn of(trials: &[Trial], (held, broke): (f64, f64), precision: f64) -> Self {
        let low = held.min(broke).ln() - MARGIN.ln();
        let high = held.max(broke).ln() + MARGIN.ln();
        let wanted = (high - low) * POINTS_A_WIDTH / precision.max(1e-6);
        let points = wanted.clamp(100.0, MOST_POINTS).ceil();
        let step = (high - low) / points;
        let grid: Vec<f64> = (0..=points as u32)
            .map(|n| low + f64::from(n) * step)
            .collect();
        let mut belief = vec![[1.0; SLOPES.len()]; grid.len()];
        for trial in trials {
            let load = trial.load.ln();
            let mut all = 0.0;
            for (capacity, row) in grid.iter().zip(&mut belief) {
                for (slope, belief) in SLOPES.iter().zip(row) {
                    let held = holds(load, *capacity, *slope);
                    *belief *= if trial.held { held } else { 1.0 - held };
                    all += *belief;
                }
            }
            // A product of many would vanish.
            belief
                .iter_mut()
                .flatten()
                .for_each(|belief| *belief /= all);
        }
        Self { grid, belief }
    }

    fn marginal(&self) -> Vec<f64> {
        let all: f64 = self.belief.iter().flatten().sum();
        let rows = self.belief.iter();
        rows.map(|row| row.iter().sum::<f64>() / all).collect()
    }

    /// Loads below which the capacity lies with these probabilities, which ascend.
    fn quantiles<const N: usize>(&self, shares: [f64; N]) -> [f64; N] {
        let marginal = self.marginal();
        let mut sum = 0.0;
        let mut points = self.grid.iter().zip(&marginal);
        let mut at = self.grid.first().copied().unwrap_or(0.0);
        shares.map(|share| {
            while sum < share {
                let Some((point, belief)) = points.next() else {
                    break;
                };
                (sum, at) = (sum + belief, *point);
            }
            at.exp()
        })
    }

    pub(super) fn interval(&self) -> Interval {
        let tail = (1.0 - LEVEL) / 2.0;
        let [low, estimate, high] = self.quantiles([tail, 0.5, 1.0 - tail]);
        Interval {
            low,
            estimate,
            high,
        }
    }

    /// The load whose step leaves least doubt of the capacity, as far as can be told before: the least expected entropy.
    pub(super) fn most_telling(&self) -> f64 {
        let doubt = |load: &f64| {
            let load = load.ln();
            let mut sides = [Vec::new(), Vec::new()];
            for (capacity, row) in self.grid.iter().zip(&self.belief) {
                let mut held_here = 0.0;
                for (slope, belief) in SLOPES.iter().zip(row) {
                    held_here += belief * holds(load, *capacity, *slope);
                }
                sides[0].push(held_here);
                sides[1].push(row.iter().sum::<f64>() - held_here);
            }
            sides.iter().map(|side| entropy(side)).sum::<f64>()
        };
        let candidates = self.quantiles(CANDIDATES);
        let best = candidates
            .iter()
            .map(|load| (doubt(load), *load))
            .min_by(|(a, _), (b, _)| a.total_cmp(b));
        best.map_or(f64::NAN, |(_, load)| load)
    }
}

/// The entropy of what is not normalised, times its sum.
fn entropy(beliefs: &[f64]) -> f64 {
    let all: f64 = beliefs.iter().sum();
    let terms = beliefs.iter().filter(|belief| **belief > 0.0);
    -terms
        .map(|belief| belief * (belief / all).ln())
        .sum::<f64>()
}
