//! Several runs against several, by ranks alone: the exact test of Mann & Whitney (1947), and the interval that belongs to it (Hodges & Lehmann
//! 1963). Nothing is assumed of how values are distributed.

use super::interval::{Compared, Effect, Interval, Needed, Settings};

/// Runs on a side beyond which nobody goes, and counts of orders stay exact in a double.
const MOST_RUNS: usize = 25;

/// The chance, if nothing changed, of so extreme an order or a more extreme one, in either direction. Ties count half; with ties it is on the
/// safe side.
pub fn mann_whitney(base: &[f64], head: &[f64]) -> f64 {
    let wins: f64 = head
        .iter()
        .flat_map(|h| base.iter().map(move |b| win(*h, *b)))
        .sum();
    let most = (base.len() * head.len()) as f64;
    // The rarer side, rounded towards the middle.
    let rarer = wins.min(most - wins).ceil() as usize;
    let orders = orders(base.len(), head.len());
    let all: f64 = orders.iter().sum();
    let tail: f64 = orders.iter().take(rarer + 1).sum();
    (2.0 * tail / all).min(1.0)
}

fn win(head: f64, base: f64) -> f64 {
    match head.partial_cmp(&base) {
        Some(std::cmp::Ordering::Greater) => 1.0,
        Some(std::cmp::Ordering::Less) => 0.0,
        _ => 0.5,
    }
}

/// How many orders of `m` and `n` values have each number of wins.
fn orders(m: usize, n: usize) -> Vec<f64> {
    // Of the generating function ∏ (1 - x^(n+i)) / (1 - x^i), i = 1..m: the Gaussian binomial.
    let size = m * n + 1;
    let mut counts = vec![0.0; size];
    counts[0] = 1.0;
    for i in 1..=m {
        for at in (n + i..size).rev() {
            counts[at] -= counts[at - n - i];
        }
        for at in i..size {
            counts[at] += counts[at - i];
        }
    }
    counts
}

/// Compares runs with runs; the values are logarithms, one a run.
///
/// # Errors
/// If there are so few that no order of them would decide, with how many would.
pub fn groups(base: &[f64], head: &[f64], settings: &Settings) -> Result<Compared, String> {
    let (m, n) = (base.len(), head.len());
    if m.max(n) > MOST_RUNS {
        return Err(format!(
            "{} runs on a side; {MOST_RUNS} are the most",
            m.max(n)
        ));
    }
    let level = settings.level();
    let Some(cut) = critical(m, n, level) else {
        let enough = (m.max(n)..=MOST_RUNS).find(|&k| critical(k, k, level).is_some());
        let enough = enough.unwrap_or(MOST_RUNS);
        return Err(format!(
            "no order of {m} and {n} runs is rare enough to decide; {enough} on each side are"
        ));
    };
    let mut shifts: Vec<f64> = head
        .iter()
        .flat_map(|h| base.iter().map(move |b| h - b))
        .collect();
    shifts.sort_by(f64::total_cmp);
    let middle = |at: usize| shifts[at];
    let estimate = f64::midpoint(middle((shifts.len() - 1) / 2), middle(shifts.len() / 2));
    let interval = Interval::of_logs(estimate, shifts[cut], shifts[shifts.len() - 1 - cut]);
    let effect = interval.outcome(settings);
    let times = (interval.half() / interval.deciding_half(settings)).powi(2);
    let each = ((m.max(n) as f64 * times).ceil() as usize).max(m.max(n) + 1);
    Ok(Compared {
        interval,
        effect,
        warmup_s: 0,
        block_s: 0,
        between: None,
        needed: Some(Needed::Each(each))
            .filter(|_| effect == Effect::Undecided && each <= MOST_RUNS),
    })
}

/// The largest number of wins that is still too rare to be chance; `None` if even none at all is not.
fn critical(m: usize, n: usize, level: f64) -> Option<usize> {
    let orders = orders(m, n);
    let all: f64 = orders.iter().sum();
    let mut tail = 0.0;
    let rare = orders.iter().take_while(|&&count| {
        tail += count;
        2.0 * tail / all <= level
    });
    rare.count().checked_sub(1)
}
