//! How long a run remembers: the length of blocks, and what blocks of that length do not see.
//!
//! A run of five minutes has thirty windows. Blocks of them see dependence up to their own length only, and so few blocks say little of
//! their own spread: taken as they are, they call five of a hundred equal pairs different by intention and fifteen in fact. Both is
//! corrected by an autoregression of the first order, whose one coefficient even thirty windows tell.

/// The largest coefficient that is believed: 0.9 from window to window is a memory of minutes.
const MAX_PERSISTENCE: f64 = 0.9;

/// The coefficient of the first order of one or two runs together, on its upper side: the estimate, corrected for its bias in short series
/// (Kendall 1954), plus its standard error. In [0, 0.9]: what swings back from window to window is taken to be independent.
pub(crate) fn persistence(runs: &[Vec<f64>]) -> f64 {
    let (estimate, error) = coefficient(runs);
    (estimate + error).clamp(0.0, MAX_PERSISTENCE)
}

/// The same of differences between two that take turns, as estimated: turns leave little of what would persist, and change sides against the
/// rest, so that there is nothing to be taken for worse than it looks.
pub(super) fn left_in_turns(differences: Vec<f64>) -> f64 {
    let (estimate, _) = coefficient(&[differences]);
    estimate.clamp(0.0, MAX_PERSISTENCE)
}

/// The coefficient, corrected for its bias, with its standard error.
fn coefficient(runs: &[Vec<f64>]) -> (f64, f64) {
    let (mut products, mut squares, mut windows) = (0.0, 0.0, 0.0);
    for run in runs {
        let n = run.len() as f64;
        let mean = run.iter().sum::<f64>() / n;
        let deviations: Vec<f64> = run.iter().map(|x| x - mean).collect();
        let own: f64 = deviations.iter().map(|d| d * d).sum();
        if own > 0.0 {
            // Each run counts by its length and not by how noisy it was.
            products += n * deviations
                .windows(2)
                .map(|two| two[0] * two[1])
                .sum::<f64>()
                / own;
            squares += n;
        }
        windows += n;
    }
    if squares == 0.0 {
        return (0.0, 0.0);
    }
    let raw = products / squares;
    let each = windows / runs.len() as f64;
    let corrected = (raw + (1.0 + 3.0 * raw) / each).clamp(-1.0, 1.0);
    let error = ((1.0 - corrected * corrected) / windows).sqrt();
    (corrected, error)
}

/// Windows of a block: what Politis & White (2004, as corrected by Patton, Politis & White 2009) give for moving blocks and such a
/// persistence; at least √n, since their rule takes the persistence as known; at most a quarter of the run.
pub(crate) fn block_length(windows: usize, persistence: f64) -> usize {
    let least = (windows as f64).sqrt();
    let length = automatic(windows, persistence).max(least).ceil() as usize;
    length.clamp(1, (windows / 4).max(1))
}

/// The same for differences between two that take turns: two rounds, which begin with either, or what the dependence asks for.
pub(super) fn block_of_rounds(rounds: usize, persistence: f64) -> usize {
    let length = automatic(rounds, persistence).ceil() as usize;
    length.clamp(2, (rounds / 4).max(2))
}

fn automatic(windows: usize, persistence: f64) -> f64 {
    let n = windows as f64;
    // Their (2 G² / D)^⅓ n^⅓ with D = 4/3 g(0)²: for the first order G / g(0) = 2ρ / (1 - ρ²).
    let shape = 2.0 * persistence / (1.0 - persistence * persistence);
    (1.5 * shape * shape * n).cbrt()
}

/// By which factor the variance is larger than blocks of that length show: what reaches beyond a block, and what the run's own mean takes
/// away.
pub(super) fn unseen(windows: usize, length: usize, persistence: f64) -> f64 {
    let all = (1.0 + persistence) / (1.0 - persistence);
    let l = length as f64;
    let mut power = 1.0;
    let mut seen = 1.0;
    for lag in 1..length {
        power *= persistence;
        seen += 2.0 * (1.0 - lag as f64 / l) * power;
    }
    (all / seen).max(1.0) / (1.0 - l / windows as f64)
}

/// Degrees of freedom of a variance from blocks: as many as fit side by side, less one.
pub(super) fn freedom(windows: usize, length: usize) -> f64 {
    (windows as f64 / length as f64 - 1.0).max(1.0)
}
