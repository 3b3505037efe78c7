//! What thresholds may say, and what comes of them.

mod grammar;
mod outcomes;

use super::*;

fn spec(key: &str, expression: &str) -> ThresholdSpec {
    ThresholdSpec::new(key, expression)
}
