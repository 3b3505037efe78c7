//! Series that are asked of other systems while a run goes on.

use super::places::{AWS_REGION, SOURCE as BASE_URL};
use super::shared::{TAG_VALUE as DIMENSION, TEXT, text};
use crate::definition::field::{Field, Parts, keys};
use crate::definition::shape::pattern::matches;
use crate::definition::shape::{Grammar, Key, NameRule, Shape, Table};
use crate::syntax::SyntaxError;
use crate::units::parse_duration;
use floodgate_records::printable::quoted;
use std::time::Duration;

/// The longest expression; Prometheus takes no more in a URL.
const MAX_QUERY: usize = 4 << 10;
/// The longest time between two values.
const LONGEST: Duration = Duration::from_secs(600);
const INTERVALS: &str = "whole seconds from 1s to 10m";

/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_Dimension.html>
const DIMENSION_NAME: NameRule = NameRule::new(
    "^[\\x21-\\x39\\x3b-\\x7e][\\x20-\\x7e]{0,254}$",
    "1 to 255 ASCII characters, not beginning with a colon",
);

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

const STATISTIC: &str =
    r"^(Average|Sum|Minimum|Maximum|SampleCount|p(100|[0-9]{1,2}(\.[0-9]{1,10})?))$";
static STATISTIC_NAME: Shape = Shape::Grammar(Grammar {
    pattern: Some(STATISTIC),
    ..Grammar::new(statistic, STATISTICS)
});
const STATISTICS: &str = "Average, Sum, Minimum, Maximum, SampleCount, or a percentile such as p95";

fn statistic(text: &str) -> Result<(), SyntaxError> {
    match matches(STATISTIC, text) {
        true => Ok(()),
        false => Err(SyntaxError::whole(text, "is not a statistic").allowed(STATISTICS)),
    }
}

keys! { OBSERVE_KEYS:
    PROMETHEUS: String = "prometheus", BASE_URL; "The base URL of a Prometheus, or of what answers its HTTP API.";
    QUERY: String = "query", QUERY_TEXT; "For a Prometheus: a PromQL expression that gives one series.";
    CLOUDWATCH: String = "cloudwatch", TEXT; "A namespace of CloudWatch, such as AWS/ECS.";
    METRIC: String = "metric", TEXT; "For CloudWatch: a metric of the namespace.";
    DIMENSIONS: Parts = "dimensions", { Shape::Map { keys: DIMENSION_NAME, of: &DIMENSION, min: 0 } };
        "For CloudWatch: all dimensions of the metric.";
    STATISTIC_KEY: String = "statistic", STATISTIC_NAME, default "\"Average\"";
        "For CloudWatch: Average, Sum, Minimum, Maximum, SampleCount, or a percentile such as p95.";
    REGION: String = "region", AWS_REGION; "For CloudWatch: the region, unless it is that of the AWS SDK.";
    INTERVAL: Duration = "interval", INTERVAL_TIME;
        "The time between two values: 10s, or 60s of CloudWatch, unless it is given.";
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
.one_of(&["prometheus", "cloudwatch"])
.foreign(&[
    ("url", "write prometheus"),
    ("expr", "write query"),
    ("step", "write interval"),
]);
