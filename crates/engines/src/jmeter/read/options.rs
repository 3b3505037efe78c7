//! What a reader of results knows from elsewhere.

use crate::jmeter::checks::Checks;
use crate::jmeter::pace::Paces;

/// What a reader knows from elsewhere.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options {
    /// Which samplers have assertions: from the plan. A JTL in CSV does not name assertions that held.
    pub checks: Checks,
    /// The header of CSV results that begin without one. Without it, and without theirs, JMeter's default columns are assumed.
    pub header: Option<String>,
    /// The paces of the plan's samplers; without it, there are no response times.
    pub paces: Option<Paces>,
}
