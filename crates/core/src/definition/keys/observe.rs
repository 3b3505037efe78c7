//! Series that are asked of other systems while a run goes on.

use super::places::SOURCE as BASE_URL;
use super::shared::{TEXT, text};
use crate::definition::field::{Field, keys};
use crate::definition::shape::{Grammar, Key, Shape, Table};
use crate::syntax::SyntaxError;
use crate::units::parse_duration;
use floodgate_records::printable::quoted;
use std::time::Duration;

/// The longest expression; Prometheus takes no more in a URL.
const MAX_QUERY: usize = 4 << 10;
/// The longest time between two values.
const LONGEST: Duration = Duration::from_secs(600);
const INTERVALS: &str = "whole seconds from 1s to 10m";

static QUERY_TEXT: Shape = text(MAX_QUERY, None);
static INTERVAL_TIME: Shape = Shape::Grammar(Grammar {
    pattern: Some(r"^([0-9]*\.?[0-9]*(ns|us|µs|ms|s|m|h|d)?)+$"),
    ..Grammar::new(interval, INTERVALS)
});

/// Windows are of whole seconds, and a value stands in one.
fn interval(text: &str) -> Result<(), SyntaxError> {
    let time = parse_duration(text)?;
    let is_whole = time.subsec_nanos() == 0 && !time.is_zero() && time <= LONGEST;
    match is_whole {
        true => Ok(()),
        false => {
            let problem = format!("{} is not a valid interval", quoted(text));
            Err(SyntaxError::new(0, problem).allowed(INTERVALS))
        }
    }
}

keys! { OBSERVE_KEYS:
    PROMETHEUS: String = "prometheus", BASE_URL, required;
        "The base URL of a Prometheus, or of what answers its HTTP API.";
    QUERY: String = "query", QUERY_TEXT, required; "A PromQL expression that gives one series.";
    INTERVAL: Duration = "interval", INTERVAL_TIME, default "\"10s\""; "The time between two values.";
    USER: String = "user", TEXT; "Who asks, where a user and password are needed.";
    PASSWORD: String = "password", TEXT; "A reference to the user's password: ${secret:NAME} or ${env:NAME}.";
    TOKEN: String = "token", TEXT; "A reference to a bearer token: ${secret:NAME} or ${env:NAME}.";
}

/// `observe.NAME`.
pub(super) static OBSERVE: Table = Table::new(
    "observe",
    "A series that is asked of another system while the run goes on.",
    &[OBSERVE_KEYS],
)
.foreign(&[
    ("url", "write prometheus"),
    ("expr", "write query"),
    ("step", "write interval"),
]);
