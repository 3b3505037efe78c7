//! The last seconds of a figure.

use std::time::Duration;

/// Seconds that are shown.
const SHOWN: usize = 20;

/// One value a second, the newest last.
#[derive(Debug, Default)]
pub(super) struct Recent {
    values: Vec<Option<f64>>,
    /// The second of the newest, from the start of the run.
    second: u64,
}

impl Recent {
    /// Notes how the figure stands; within a second, the newest value counts. A second of which nothing was heard is a gap.
    pub(super) fn add(&mut self, elapsed: Duration, value: Option<f64>) {
        let second = elapsed.as_secs();
        if self.values.is_empty() {
            self.second = second;
            self.values.push(value);
        }
        let passed = usize::try_from(second.saturating_sub(self.second)).unwrap_or(usize::MAX);
        let gaps = passed.min(SHOWN);
        self.values.extend(std::iter::repeat_n(None, gaps));
        self.second = self.second.max(second);
        if let Some(newest) = self.values.last_mut() {
            *newest = value;
        }
        let old = self.values.len().saturating_sub(SHOWN);
        self.values.drain(..old);
    }

    pub(super) fn values(&self) -> &[Option<f64>] {
        &self.values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_value_a_second_and_no_more_than_are_shown() {
        let mut recent = Recent::default();
        for (ms, value) in [(200, 1.0), (700, 2.0), (1_100, 3.0), (3_000, 4.0)] {
            recent.add(Duration::from_millis(ms), Some(value));
        }
        assert_eq!(recent.values(), [Some(2.0), Some(3.0), None, Some(4.0)]);
        recent.add(Duration::from_secs(1_000_000), None);
        assert_eq!(recent.values(), [None; SHOWN]);
    }
}
