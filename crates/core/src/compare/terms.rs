//! What two runs are compared by, and the bounds of it.

use crate::baseline::BaselineMetric;
use crate::definition::model::ByIntervals;
use crate::syntax::SyntaxError;
use crate::units::parse_ratio;
use floodgate_records::comparison::IfUndecided;
use std::ops::RangeInclusive;

/// What two runs are compared by.
#[derive(Clone, Debug)]
pub struct Terms {
    /// The numbers.
    pub metrics: Vec<BaselineMetric>,
    /// The confidence of all of them together, in (0, 1).
    pub confidence: f64,
    /// The least relative change that matters, a ratio above 0.
    pub min_effect: f64,
    /// What a comparison that decides nothing does to a verdict; `None` where none depends on it.
    pub undecided: Option<IfUndecided>,
}

impl Terms {
    /// Those of a definition.
    ///
    /// # Errors
    /// As for [`BaselineMetric::all`].
    pub fn compile(metrics: &[String], by: &ByIntervals) -> Result<Self, Vec<SyntaxError>> {
        Ok(Self {
            metrics: BaselineMetric::all(metrics)?,
            confidence: by.confidence,
            min_effect: by.min_effect,
            undecided: Some(by.undecided),
        })
    }
}

/// What two targets are compared by that a run has loaded in turns.
const IN_TURNS: [&str; 3] = [
    "http_req_duration p(50)",
    "http_req_duration p(95)",
    "http_req_failed rate",
];

impl Terms {
    /// Those of two targets that are loaded in turns: as nothing drifts between them, smaller changes are found, and fewer false ones are borne.
    pub fn in_turns() -> Self {
        let metrics = IN_TURNS.iter();
        Self {
            metrics: metrics
                .filter_map(|text| BaselineMetric::parse(text).ok())
                .collect(),
            confidence: 0.99,
            min_effect: 0.01,
            undecided: Some(IfUndecided::Pass),
        }
    }
}

/// What [`min_effect`] takes, in words.
pub const MIN_EFFECT_SAID: &str = "a share from 0.1% to 100%, such as 5%";
/// What [`confidence`] takes, in words.
pub const CONFIDENCE_SAID: &str = "a share from 50% to 99.9%, such as 95%";

/// The least relative change that matters. Below a thousandth, buckets of a histogram are wider.
///
/// # Errors
/// No share, or one out of range.
pub fn min_effect(text: &str) -> Result<f64, SyntaxError> {
    within(text, 0.001..=1.0, MIN_EFFECT_SAID)
}

/// The confidence of a comparison. Beyond 99.9 % the draws of the bootstrap are too few.
///
/// # Errors
/// No share, or one out of range.
pub fn confidence(text: &str) -> Result<f64, SyntaxError> {
    within(text, 0.5..=0.999, CONFIDENCE_SAID)
}

fn within(text: &str, range: RangeInclusive<f64>, said: &str) -> Result<f64, SyntaxError> {
    let ratio = parse_ratio(text)?;
    match range.contains(&ratio) {
        true => Ok(ratio),
        false => Err(SyntaxError::whole(text, "is out of range").allowed(said)),
    }
}
