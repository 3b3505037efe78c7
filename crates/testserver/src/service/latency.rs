//! How long the shop takes: a log-normal distribution, as most services' latencies are close to one.

use std::time::Duration;

/// The fastest answer.
const MIN_MS: f64 = 2.0;
/// The slowest.
const MAX_MS: f64 = 20.0;
/// The median.
const MEDIAN_MS: f64 = 5.0;
/// Standard deviation of the logarithm: puts 95 % of the answers below 5 ms × e^(1.645 × 0.45) ≈ 10.5 ms.
const SIGMA: f64 = 0.45;

/// The latency of the shop's `n`-th page. A pure function, so that two runs of one seed are alike.
pub(super) fn latency(seed: u64, n: u64) -> Duration {
    // A generator a request: neighbouring seeds are mixed by two draws that are thrown away.
    let mut random = fastrand::Rng::with_seed(seed ^ n.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    random.u64(..);
    random.u64(..);
    // Box–Muller (https://en.wikipedia.org/wiki/Box%E2%80%93Muller_transform); 1 − [0, 1) keeps the logarithm finite.
    let radius = (-2.0 * (1.0 - random.f64()).ln()).sqrt();
    let normal = radius * (std::f64::consts::TAU * random.f64()).cos();
    let ms = (MEDIAN_MS * (SIGMA * normal).exp()).clamp(MIN_MS, MAX_MS);
    Duration::from_secs_f64(ms / 1e3)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn is_log_normal_between_its_bounds_and_repeatable() {
        let mut all: Vec<_> = (0..20_000)
            .map(|n| latency(7, n).as_secs_f64() * 1e3)
            .collect();
        assert_eq!(all[123], latency(7, 123).as_secs_f64() * 1e3);
        assert_ne!(all[123], latency(8, 123).as_secs_f64() * 1e3);
        all.sort_by(f64::total_cmp);
        let quantile = |q: f64| all[(q * all.len() as f64) as usize];
        assert!(all[0] >= MIN_MS && all[all.len() - 1] <= MAX_MS);
        assert!(
            (quantile(0.5) - MEDIAN_MS).abs() < 0.15,
            "median {}",
            quantile(0.5)
        );
        let p95 = MEDIAN_MS * (1.645 * SIGMA).exp();
        assert!(
            (quantile(0.95) - p95).abs() < 0.4,
            "p95 {} for {p95}",
            quantile(0.95)
        );
    }
}
