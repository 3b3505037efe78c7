//! The little arithmetic that the report needs.

/// The middle value, or the mean of the two in the middle; `None` of nothing.
pub(super) fn median(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        n if n % 2 == 1 => Some(values[middle]),
        _ => Some(f64::midpoint(values[middle - 1], values[middle])),
    }
}

/// The smallest value that a share `q` of all values does not exceed (nearest rank); `None` of nothing.
pub(super) fn quantile(mut values: Vec<f64>, q: f64) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let rank = (q * values.len() as f64).ceil() as usize;
    values.get(rank.saturating_sub(1)).copied()
}

/// Standard deviation of a sample; `None` of fewer than two values.
pub(super) fn standard_deviation(values: &[f64]) -> Option<f64> {
    if values.len() < 2 {
        return None;
    }
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    Some((squares / (values.len() - 1) as f64).sqrt())
}

/// How the arrivals of one run compare with an even grid of `rate` a second. All in ms.
#[derive(Debug, PartialEq)]
pub(super) struct Evenness {
    /// Standard deviation of the time between two arrivals.
    pub(super) gap_sd: f64,
    /// 99th percentile of the time that an arrival is behind the grid; the grid is laid so that the one least behind is
    /// on time.
    pub(super) behind_p99: f64,
}

/// Judges arrival times in ns; `None` of fewer than three.
pub(super) fn evenness(arrivals_ns: &[u64], rate: f64) -> Option<Evenness> {
    let first = *arrivals_ns.first()?;
    let ms: Vec<f64> = arrivals_ns
        .iter()
        .map(|at| (at - first) as f64 / 1e6)
        .collect();
    let gaps: Vec<f64> = ms.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let behind: Vec<f64> = ms
        .iter()
        .enumerate()
        .map(|(n, at)| at - n as f64 * 1e3 / rate)
        .collect();
    let least = behind.iter().copied().min_by(f64::total_cmp)?;
    let behind_p99 = quantile(behind.iter().map(|late| late - least).collect(), 0.99)?;
    Some(Evenness {
        gap_sd: standard_deviation(&gaps)?,
        behind_p99,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn order_does_not_matter_and_nothing_has_no_middle() {
        assert_eq!(median([3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median([4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median([]), None);
        let hundred: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        assert_eq!(quantile(hundred.clone(), 0.99), Some(99.0));
        assert_eq!(
            (quantile(hundred.clone(), 0.0), quantile(hundred, 1.0)),
            (Some(1.0), Some(100.0))
        );
        assert_eq!(
            standard_deviation(&[2.0, 4.0]),
            Some(std::f64::consts::SQRT_2)
        );
        assert_eq!(standard_deviation(&[2.0]), None);
    }

    #[test]
    fn a_grid_is_even_and_one_late_arrival_is_two_odd_gaps() {
        let grid: Vec<u64> = (0..1_000).map(|n| 7_000 + n * 5_000_000).collect();
        let even = evenness(&grid, 200.0).unwrap();
        assert!(even.gap_sd < 1e-9 && even.behind_p99 < 1e-9, "{even:?}");
        let mut late = grid;
        for at in late.iter_mut().skip(100).step_by(50) {
            *at += 1_000_000;
        }
        let late = evenness(&late, 200.0).unwrap();
        assert!((late.behind_p99 - 1.0).abs() < 1e-9, "{late:?}");
        assert!(late.gap_sd > 0.1 && late.gap_sd < 0.3, "{late:?}");
    }
}
