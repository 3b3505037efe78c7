//! What is asked of a source, and what it tells.

use floodgate_core::histogram::HIGHEST_US;
use floodgate_export::SinkError;
use std::collections::BTreeMap;

/// The largest value that a trend can hold; see [`HIGHEST_US`].
const LARGEST: f64 = (HIGHEST_US / 1_000) as f64;

/// Times that are asked for: from the first to the last, both included, in Unix ms.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    pub(crate) from_ms: i64,
    pub(crate) to_ms: i64,
    /// More than 0.
    pub(crate) step_ms: i64,
}

/// What a source told.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Told {
    /// By time, Unix ms; none below 0 or above what a trend can hold.
    pub(crate) values: BTreeMap<i64, f64>,
    /// Times whose value cannot be kept, with the reason.
    pub(crate) refused: BTreeMap<i64, String>,
}

/// Why there is no answer that could be used.
#[derive(Debug, PartialEq)]
pub(crate) struct Silence {
    /// A sentence.
    pub(crate) why: String,
    /// Whether the same question may have an answer later.
    pub(crate) may_end: bool,
}

impl Silence {
    /// It lasts until somebody changes something.
    pub(crate) fn lasting(why: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            may_end: false,
        }
    }

    /// It may end by itself.
    pub(crate) fn passing(why: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            may_end: true,
        }
    }
}

impl From<SinkError> for Silence {
    fn from(error: SinkError) -> Self {
        Self {
            why: error.told(),
            may_end: matches!(error, SinkError::Again { .. }),
        }
    }
}

/// A value as a trend can hold it.
///
/// # Errors
/// Why it cannot be kept: a sentence.
pub(crate) fn kept(value: f64) -> Result<f64, String> {
    match value.is_finite() {
        true if value > LARGEST => Err(format!(
            "it gave {value}, and values above {LARGEST} cannot be kept"
        )),
        true if value < 0.0 => Err(format!(
            "it gave {value}, and values below 0 cannot be kept"
        )),
        true => Ok(value.abs()),
        false => Err(format!("it gave {value}, which is no number")),
    }
}
