//! Where a run's warm-up ends.
//!
//! The cut is where the marginal standard error of what remains is smallest (MSER: White 1997; Franklin & White 2008). Pure noise has such a
//! place, too, and cutting there would make runs look calmer than they are; so a cut counts only if what it leaves out stands clearly apart.

/// The share of a run that may be warm-up.
const MOST: usize = 3;
/// How many standard deviations of the remaining windows the windows before the cut have to be off on average.
const APART: f64 = 3.0;

/// Windows to leave out at the start: 0 if the run does not begin otherwise than it goes on. `scores` are deviations by window.
pub(crate) fn end_of_warmup(scores: &[f64]) -> usize {
    let n = scores.len();
    let (mut sum, mut squares) = (0.0, 0.0);
    let mut best = (f64::INFINITY, 0, 0.0, 0.0);
    let total: f64 = scores.iter().sum();
    for cut in (0..n).rev() {
        sum += scores[cut];
        squares += scores[cut] * scores[cut];
        if cut > n / MOST {
            continue;
        }
        let left = (n - cut) as f64;
        let mean = sum / left;
        let deviation = (squares - left * mean * mean).max(0.0);
        let marginal = deviation / (left * left);
        if marginal <= best.0 {
            best = (marginal, cut, mean, (deviation / left).sqrt());
        }
    }
    let (_, cut, mean, spread) = best;
    if cut == 0 {
        return 0;
    }
    let before = (total - mean * (n - cut) as f64) / cut as f64;
    if (before - mean).abs() > APART * spread {
        cut
    } else {
        0
    }
}
