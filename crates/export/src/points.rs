//! Windows as single samples, for stores and dashboards that know nothing else.
//!
//! k6 writes a point for each sample, and its dashboards compute means and percentiles of points. As long as a metric has no more samples
//! than the [rate](Points) allows, each sample becomes a point again, so that these queries have the same answers (trends to within the
//! width of a bucket, 0.1 %). Past it every n-th sample does, counted over all series of the metric in order of their values
//! (systematic sampling: W. G. Cochran, Sampling Techniques, 3rd ed., chapter 8): each series keeps its weight, and means, ratios and
//! percentiles are those of a sample of that size. Which samples those are depends on nothing but the window, so that an
//! export that is repeated writes the same points.

use crate::row::Row;
use floodgate_records::metric::MetricKind;

/// The fractional part of the golden ratio: its multiples are spread as evenly as any (Knuth, The Art of Computer Programming, volume 3, 6.4).
const GOLDEN: f64 = 0.618_033_988_749_894_9;

/// How many samples become points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Points {
    /// Each.
    All,
    /// At most so many a second and metric; at least 1.
    PerSecond(u64),
}

impl Points {
    pub(crate) const DEFAULT: Self = Self::PerSecond(50);
    /// What an option may say.
    pub(crate) const ALLOWED: &str = "all, or a number from 1 to 1000000";

    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "all" => Some(Self::All),
            _ => {
                let number: u64 = text.parse().ok()?;
                (1..=1_000_000)
                    .contains(&number)
                    .then_some(Self::PerSecond(number))
            }
        }
    }
}

/// One sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Point {
    /// Unix ns; points of a row have different ones, and none has the start of the window.
    pub(crate) time_ns: i64,
    /// In the printed unit.
    pub(crate) value: f64,
}

/// Calls `each` with every row and its points. Those of counters and gauges are one: the sum, and the last value, at the start of the
/// window.
pub(crate) fn points(rows: &[Row], how: Points, mut each: impl FnMut(&Row, &[Point])) {
    let mut found = Vec::new();
    let same = |a: &Row, b: &Row| {
        (a.time_ms, a.window_s, a.key.kind) == (b.time_ms, b.window_s, b.key.kind)
            && a.key.metric == b.key.metric
    };
    for group in rows.chunk_by(same) {
        let is_distribution = matches!(group[0].key.kind, MetricKind::Rate | MetricKind::Trend);
        let mut every = is_distribution.then(|| Every::of(group, how));
        for row in group {
            found.clear();
            match &mut every {
                Some(every) => sampled(row, every, &mut found),
                None => found.push(Point {
                    time_ns: row.time_ms.saturating_mul(1_000_000),
                    value: row.sum,
                }),
            }
            each(row, &found);
        }
    }
}

/// Which samples of a window become points: those with the numbers `(k + phase) · step`, rounded down, over all series.
struct Every {
    step: f64,
    phase: f64,
    /// Points that were taken.
    taken: u64,
    /// Samples of the series before.
    before: u64,
}

impl Every {
    fn of(group: &[Row], how: Points) -> Self {
        let all: u64 = group.iter().map(|row| row.count).sum();
        let most = match how {
            Points::All => all,
            Points::PerSecond(points) => points.saturating_mul(u64::from(group[0].window_s)),
        };
        if all <= most {
            return Self {
                step: 1.0,
                phase: 0.0,
                taken: 0,
                before: 0,
            };
        }
        let window = group[0].time_ms.div_euclid(1_000) as f64;
        Self {
            step: all as f64 / most as f64,
            phase: (window * GOLDEN).fract().abs(),
            taken: 0,
            before: 0,
        }
    }

    /// The number of the next sample to take.
    fn next(&self) -> u64 {
        ((self.taken as f64 + self.phase) * self.step) as u64
    }
}

/// The points of a row of a rate or trend.
fn sampled(row: &Row, every: &mut Every, found: &mut Vec<Point>) {
    match &row.histogram {
        Some(histogram) => {
            let mut seen = 0u64;
            let (least, most) = (histogram.min(), histogram.max());
            for bucket in histogram.buckets() {
                seen += bucket.count;
                let value = bucket.highest.clamp(least, most) as f64 / row.scale();
                take_until(every, seen, value, found);
            }
        }
        None => {
            let zeros = row.count.saturating_sub(row.sum as u64);
            take_until(every, zeros, 0.0, found);
            take_until(every, row.count, 1.0, found);
        }
    }
    every.before += row.count;
    // Points of rising value in rising time would be a slope that nobody measured: they are spread over the window.
    let start_ns = row.time_ms.saturating_mul(1_000_000);
    let length_ns = f64::from(row.window_s) * 1e9;
    for (n, point) in (1u64..).zip(found) {
        let place = (n as f64 * GOLDEN).fract();
        // Whole microseconds would be enough, but neighbours must not meet. Never 0: that is where the row's own figures stand.
        let offset = ((place * length_ns) as i64).clamp(1, length_ns as i64 - 1);
        point.time_ns = start_ns.saturating_add(offset);
    }
}

/// Takes points of this value among the samples of the row up to a number.
fn take_until(every: &mut Every, until: u64, value: f64, found: &mut Vec<Point>) {
    let until = every.before + until;
    while every.next() < until {
        every.taken += 1;
        found.push(Point { time_ns: 0, value });
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::testing::{key, row, trend};
    use proptest::prelude::*;
    use std::collections::HashSet;

    fn all(rows: &[Row], how: Points) -> Vec<Vec<Point>> {
        let mut found = Vec::new();
        points(rows, how, |_, points| found.push(points.to_vec()));
        found
    }

    #[test]
    fn few_samples_are_all_points() {
        let duration = key("http_req_duration", MetricKind::Trend, &[]);
        let failed = key("http_req_failed", MetricKind::Rate, &[]);
        let reqs = key("http_reqs", MetricKind::Counter, &[]);
        let rows = [
            trend(&duration, 5_000, 1, [1_500, 500, 1_500]),
            row(&failed, 5_000, 3, 2.0),
            row(&reqs, 5_000, 3, 3.0),
        ];
        let found = all(&rows, Points::PerSecond(3));
        let values = |n: usize| -> Vec<_> { found[n].iter().map(|p| p.value).collect() };
        assert_eq!(values(0), [0.5, 1.5, 1.5]);
        assert_eq!(values(1), [0.0, 1.0, 1.0]);
        assert_eq!(values(2), [3.0]);
        assert_eq!(found[2][0].time_ns, 5_000_000_000);
    }

    #[test]
    fn what_an_option_may_say() {
        assert_eq!(Points::parse("all"), Some(Points::All));
        assert_eq!(Points::parse("100"), Some(Points::PerSecond(100)));
        for bad in ["0", "-1", "1e3", "1000001", ""] {
            assert_eq!(Points::parse(bad), None, "{bad}");
        }
    }

    /// 500 requests a second, of which 5 fail, in windows of a second: what k6's queries find in an hour.
    #[test]
    fn means_ratios_and_percentiles_are_those_of_all_samples() {
        let ok = key(
            "http_req_failed",
            MetricKind::Rate,
            &[("expected_response", "true")],
        );
        let bad = key(
            "http_req_failed",
            MetricKind::Rate,
            &[("expected_response", "false")],
        );
        let home = key(
            "http_req_response_time",
            MetricKind::Trend,
            &[("name", "home")],
        );
        let buy = key(
            "http_req_response_time",
            MetricKind::Trend,
            &[("name", "buy")],
        );
        let mut rows = Vec::new();
        let mut exact = Vec::new();
        for second in 0..3_600 {
            let t = second * 1_000;
            rows.extend([row(&bad, t, 5, 5.0), row(&ok, t, 495, 0.0)]);
            let quick = (0..450).map(|i| 1_000 + 20 * i);
            let slow = (0..50).map(|i| 100_000 + 4_000 * i);
            exact.extend(quick.clone().chain(slow.clone()));
            rows.extend([trend(&buy, t, 1, slow), trend(&home, t, 1, quick)]);
        }
        let (mut failed, mut times) = (Vec::new(), Vec::new());
        points(&rows, Points::DEFAULT, |row, points| {
            let of = match row.key.kind {
                MetricKind::Rate => &mut failed,
                _ => &mut times,
            };
            of.extend(points.iter().map(|p| p.value));
        });
        assert_eq!((failed.len(), times.len()), (3_600 * 50, 3_600 * 50));
        let ratio = failed.iter().sum::<f64>() / failed.len() as f64;
        assert!((ratio - 0.01).abs() < 1e-4, "{ratio}");
        let mean = times.iter().sum::<f64>() / times.len() as f64;
        let expected = exact.iter().sum::<u64>() as f64 / exact.len() as f64 / 1e3;
        assert!((mean / expected - 1.0).abs() < 2e-3, "{mean} {expected}");
        times.sort_by(f64::total_cmp);
        exact.sort_unstable();
        for p in [0.5, 0.89, 0.95, 0.99] {
            let at = |n: usize| ((n as f64 * p).ceil() as usize).max(1) - 1;
            let (found, expected) = (times[at(times.len())], exact[at(exact.len())] as f64 / 1e3);
            assert!(
                (found / expected - 1.0).abs() < 5e-3,
                "p{p}: {found} {expected}"
            );
        }
    }

    proptest! {
        #[test]
        fn as_many_as_there_may_be_and_none_at_the_same_time(
            counts in proptest::collection::vec(1u64..3_000, 1..6), per_second in 1u64..200, second in 0i64..1_000_000,
        ) {
            let rows: Vec<_> = counts.iter().enumerate().map(|(n, &count)| {
                let key = key("m", MetricKind::Trend, &[("n", &n.to_string())]);
                trend(&key, second * 1_000, 10, (0..count).map(|v| v * 7))
            }).collect();
            let found = all(&rows, Points::PerSecond(per_second));
            let total: u64 = counts.iter().sum();
            let points: usize = found.iter().map(Vec::len).sum();
            prop_assert_eq!(points as u64, total.min(per_second * 10));
            for (row, points) in rows.iter().zip(&found) {
                // Each series has its share, to within one.
                let share = row.count as f64 * points_of(total, per_second);
                prop_assert!((points.len() as f64 - share).abs() <= 1.0 + 1e-6, "{} {share}", points.len());
                let times: HashSet<_> = points.iter().map(|p| p.time_ns).collect();
                prop_assert_eq!(times.len(), points.len());
                let (start, end) = (row.time_ms * 1_000_000, row.end_ms() * 1_000_000);
                prop_assert!(times.iter().all(|t| (start + 1..end).contains(t)));
            }
            prop_assert_eq!(all(&rows, Points::All).iter().map(Vec::len).sum::<usize>() as u64, total);
        }
    }

    fn points_of(total: u64, per_second: u64) -> f64 {
        ((per_second * 10) as f64 / total as f64).min(1.0)
    }
}
