//! The search for the capacity.

use super::grammar::SHARE;
use super::times::{ANY_DURATION, RUN_DURATION};
use crate::definition::field::{Field, Share, keys};
use crate::definition::shape::{Key, Shape, Table};
use std::time::Duration;

const MOST_LOAD: f64 = 10_000_000.0;

keys! { KEYS:
    START: f64 = "start", { Shape::Number { min: 0.001, max: MOST_LOAD } };
        "The first load, in iterations a second or VUs; by default, a tenth of what the scenarios say.";
    MAX: f64 = "max", { Shape::Number { min: 0.001, max: MOST_LOAD } }; "The largest load to try.";
    PRECISION: Share = "precision", SHARE, default "\"5%\"";
        "How far the ends of the 95 % interval may be from the estimate.";
    SETTLE: Duration = "settle", ANY_DURATION, default "\"5s\""; "The beginning of each step that is not judged.";
    STEP: Duration = "step", RUN_DURATION, default "\"15s\"";
        "How long a step is judged at least; at low rates it is longer, up to a minute.";
    MAX_DURATION: Duration = "max_duration", RUN_DURATION, default "\"30m\""; "When the search ends at the latest.";
}

/// `capacity:`.
pub(super) static CAPACITY: Table = Table::new(
    "capacity",
    "The search for the highest load at which the thresholds hold.",
    &[KEYS],
);
