//! What thresholds may say, and what comes of them.

mod grammar;
mod outcomes;

use super::*;

fn spec(key: &str, expression: &str) -> ThresholdSpec {
    ThresholdSpec {
        key: key.into(),
        expression: expression.into(),
        abort_on_fail: false,
        delay_abort_eval: Duration::ZERO,
    }
}
