//! Where a history changes for good: E-divisive (Matteson & James 2014) with a t-test in place of permutations, over sliding windows, weak points
//! removed afterwards, as Hunter does it (Fleming et al., arXiv 2301.03034). It finds what Apache Otava finds, but for one thing: when a weak point
//! is removed, the points on either side of it are judged anew, while Otava 0.8 takes the two after it and leaves the one before it as it was. In
//! series without a level, such as a steady drift, that can leave other points.

use statrs::distribution::{ContinuousCDF, StudentsT};
use std::ops::Range;

/// How easily a change is taken for one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sensitivity {
    /// Values that are looked at together, at least 2. More find smaller changes, fewer find short episodes.
    pub window: usize,
    /// The chance of a change point where there is none, in (0, 1).
    pub max_p_value: f64,
    /// The least relative change that is one, a ratio from 0 on.
    pub min_change: f64,
    /// How many values say as much as one that depends on no other: 1 where they are independent, more where they remember.
    pub each_is: f64,
}

impl Default for Sensitivity {
    /// Otava's, for fifty runs and one false point in a thousand.
    fn default() -> Self {
        Self {
            window: 50,
            max_p_value: 0.001,
            min_change: 0.0,
            each_is: 1.0,
        }
    }
}

/// A place where what came after differs from what came before.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ChangePoint {
    /// The first value after the change.
    pub index: usize,
    /// The mean from the change point before it, or the beginning, up to here.
    pub before: f64,
    /// The mean from here to the next one, or the end.
    pub after: f64,
    /// The chance of such a difference if there is no change.
    pub p_value: f64,
}

impl ChangePoint {
    /// The relative change, a ratio: 0.1 is a tenth more. 0 from zero.
    pub fn change(&self) -> f64 {
        relative(self.before, self.after)
    }

    /// The larger of the relative changes there and back.
    fn magnitude(&self) -> f64 {
        let back = relative(self.after, self.before);
        self.change().abs().max(back.abs())
    }
}

fn relative(from: f64, to: f64) -> f64 {
    if from == 0.0 { 0.0 } else { to / from - 1.0 }
}

/// The change points of a series, in its order.
pub fn change_points(series: &[f64], sensitivity: &Sensitivity) -> Vec<ChangePoint> {
    let wanted = sensitivity.max_p_value;
    // Points that are only nearly sure come to be sure when others beside them are known.
    let weak = match wanted {
        p if p < 0.05 => p * 10.0,
        p if p < 0.5 => p * 2.0,
        p => p,
    };
    let each_is = sensitivity.each_is;
    let mut found = split(series, sensitivity.window.max(2), weak, each_is);
    while let Some(weakest) = weakest(&found, sensitivity) {
        found.remove(weakest);
        let places: Vec<usize> = found.iter().map(|point| point.index).collect();
        for at in weakest.saturating_sub(1)..(weakest + 1).min(found.len()) {
            found[at] = judged(series, &places, at, each_is);
        }
    }
    found
}

/// The change point that is none by what is wanted, the least sure first, then the smallest.
fn weakest(found: &[ChangePoint], sensitivity: &Sensitivity) -> Option<usize> {
    let by = |key: fn(&ChangePoint) -> f64, of: fn(f64, f64) -> bool| {
        let better = |best: usize, at: usize| {
            if of(key(&found[at]), key(&found[best])) {
                at
            } else {
                best
            }
        };
        (0..found.len()).reduce(better)
    };
    let unsure = by(|point| point.p_value, |a, b| a > b)?;
    if found[unsure].p_value >= sensitivity.max_p_value {
        return Some(unsure);
    }
    let least = by(ChangePoint::magnitude, |a, b| a < b)?;
    (found[least].magnitude() <= sensitivity.min_change).then_some(least)
}

/// The change points of overlapping windows, each judged between its neighbours.
fn split(series: &[f64], window: usize, max_p_value: f64, each_is: f64) -> Vec<ChangePoint> {
    let mut places: Vec<usize> = Vec::new();
    let mut start = 0;
    while start < series.len() {
        let end = (start + window).min(series.len());
        let inside = divide(&series[start..end], max_p_value, each_is);
        let last = inside.last().map_or(0, |place| place + start);
        for place in inside.into_iter().map(|place| place + start) {
            if !places.contains(&place) {
                places.push(place);
            }
        }
        start = last.max(start + window / 2);
    }
    places.sort_unstable();
    (0..places.len())
        .map(|at| judged(series, &places, at, each_is))
        .collect()
}

/// The change point at one of some places, judged by what lies between the places beside it.
fn judged(series: &[f64], places: &[usize], at: usize, each_is: f64) -> ChangePoint {
    let index = places[at];
    let from = at.checked_sub(1).map_or(0, |before| places[before]);
    let to = places.get(at + 1).copied().unwrap_or(series.len());
    let (left, right) = (&series[from..index], &series[index..to]);
    ChangePoint {
        index,
        before: moments(left).0,
        after: moments(right).0,
        p_value: t_test(left, right, each_is),
    }
}

/// E-divisive: divides where the parts differ most, as long as they differ surely.
fn divide(series: &[f64], max_p_value: f64, each_is: f64) -> Vec<usize> {
    let mut places: Vec<usize> = Vec::new();
    loop {
        let mut bounds = vec![0];
        bounds.extend(&places);
        bounds.push(series.len());
        let mut best: Option<(f64, usize, Range<usize>)> = None;
        for part in bounds.windows(2).map(|ends| ends[0]..ends[1]) {
            let found = most_different(&series[part.clone()]);
            if let Some((height, at)) = found
                && best.as_ref().is_none_or(|(other, ..)| height > *other)
            {
                best = Some((height, part.start + at, part));
            }
        }
        let Some((_, place, part)) = best else { break };
        let (left, right) = (&series[part.start..place], &series[place..part.end]);
        if t_test(left, right, each_is) > max_p_value {
            break;
        }
        places.push(place);
        places.sort_unstable();
    }
    places
}

/// The place where a part is best divided, with the energy distance there; a stretch of it after the place is looked at, too, since it may
/// change back. `None` for fewer than two values.
fn most_different(part: &[f64]) -> Option<(f64, usize)> {
    let mut best: Option<(f64, usize)> = None;
    let mut within_left = 0.0;
    for place in 1..part.len() {
        let left = &part[..place];
        let newest = left[place - 1];
        within_left += distances(&left[..place - 1], newest);
        let (mut across, mut within_right) = (0.0, 0.0);
        let n = place as f64;
        for end in place + 1..=part.len() {
            let value = part[end - 1];
            across += distances(left, value);
            within_right += distances(&part[place..end - 1], value);
            let m = (end - place) as f64;
            let mean = |sum: f64, others: f64, of: f64| {
                if of > 1.0 {
                    sum * others / (of - 1.0)
                } else {
                    0.0
                }
            };
            let inside = mean(within_left, m, n) + mean(within_right, n, m);
            let height = 2.0 / (m + n) * (across - inside);
            if best.is_none_or(|(other, _)| height > other) {
                best = Some((height, place));
            }
        }
    }
    best
}

fn distances(values: &[f64], from: f64) -> f64 {
    values.iter().map(|value| (value - from).abs()).sum()
}

/// Mean and variance, the latter over all values and not one less: as Otava takes it.
fn moments(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values
        .iter()
        .map(|value| (value - mean).powi(2))
        .sum::<f64>()
        / n;
    (mean, variance)
}

/// Student's test of equal means with equal variances, in both directions. So many values count as one.
fn t_test(left: &[f64], right: &[f64], each_is: f64) -> f64 {
    let (n, m) = (left.len() as f64, right.len() as f64);
    let freedom = n + m - 2.0;
    if freedom <= 0.0 {
        return 1.0;
    }
    let independent = ((n + m) / each_is - 2.0).max(1.0);
    let ((before, own), (after, other)) = (moments(left), moments(right));
    let pooled = ((n - 1.0) * own + (m - 1.0) * other) / freedom;
    let difference = (before - after).abs();
    if difference == 0.0 {
        return 1.0;
    }
    let t = difference / (pooled * (1.0 / n + 1.0 / m) * each_is).sqrt();
    if t.is_infinite() {
        return 0.0;
    }
    StudentsT::new(0.0, 1.0, independent).map_or(1.0, |student| 2.0 * student.sf(t))
}
