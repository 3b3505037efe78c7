//! Which metrics a protocol's requests have.

/// A protocol's constants; see [`Protocol::new`].
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Protocol {
    /// What it is called; no two protocols share a name.
    pub name: &'static str,
    /// The counter of its requests.
    pub requests: &'static str,
    /// The rate of those without an expected response.
    pub failed: &'static str,
    /// The distributions of its times. The first is the response time, from the intended start, and kept by the second; the others are
    /// kept by the window of phases.
    pub trends: &'static [Trend],
}

impl Protocol {
    /// The constants of a protocol.
    ///
    /// # Panics
    /// More than nine trends, or more than two groups of zeros: of a `static`, when the program is compiled.
    pub const fn new(
        name: &'static str,
        requests: &'static str,
        failed: &'static str,
        trends: &'static [Trend],
    ) -> Self {
        assert!(trends.len() <= MOST_TRENDS, "too many trends");
        let mut place = 0;
        while place < trends.len() {
            if let Some(group) = trends[place].zeros {
                assert!(group < ZERO_GROUPS, "too many groups of zeros");
            }
            place += 1;
        }
        Self {
            name,
            requests,
            failed,
            trends,
        }
    }
}

/// A distribution of times.
#[derive(Debug, PartialEq, Eq)]
pub struct Trend {
    /// Its metric.
    pub metric: &'static str,
    /// Those of one group are usually zero together: see [`Trends::zero`](super::Trends::zero).
    pub zeros: Option<ZeroGroup>,
}

/// Trends that are usually zero together, by number.
pub type ZeroGroup = usize;

/// How many trends a protocol may have: as many as HTTP, so that a cell holds its histograms itself.
pub(super) const MOST_TRENDS: usize = 9;
/// How many groups a protocol may have.
pub(super) const ZERO_GROUPS: usize = 2;
