//! Data, thresholds, baseline, placement and notifications.

use super::FLAG;
use super::grammar::{
    ANY_DURATION, ARN, AWS_REGION, BASELINE_METRICS, COMPARE, DELIMITER, EXPRESSION, FILE, SHARE,
    SOME_DURATION, TASKS, WEB_URL,
};
use super::names::{METRIC, VARIABLE};
use crate::definition::shape::{Key, Shape, Table, Text};

static SOURCE_NAME: Shape = Shape::Text(Text {
    template: false,
    names: Some(VARIABLE),
    max: 64,
});
static FORMAT: Shape = Shape::Choice(&["csv", "jsonl"]);
static MODE: Shape = Shape::Choice(&["unique", "sequential", "random"]);

/// `data[n]`.
pub(super) static DATA: Table = Table {
    name: "data",
    about: "A data file.",
    keys: &[&[
        Key::new("file", &FILE, "The file.").required(),
        Key::new("name", &SOURCE_NAME, "How templates call it.").default("\"data\""),
        Key::new(
            "format",
            &FORMAT,
            "csv with a header line, or an object a line; from the file's name unless given.",
        ),
        Key::new(
            "delimiter",
            &DELIMITER,
            "What stands between the values of csv: one character, or the word tab.",
        )
        .default("\",\""),
        Key::new(
            "mode",
            &MODE,
            "How an iteration gets its row: each once in the whole run, in turn, or any.",
        )
        .default("\"sequential\""),
    ]],
    one_of: &[],
    at_most_one: &[],
    foreign: &[],
};

pub(super) static THRESHOLDS: Shape = Shape::Map {
    keys: METRIC,
    of: &THRESHOLD_VALUE,
    min: 0,
};
static THRESHOLD_VALUE: Shape = Shape::Either(&[
    Shape::Grammar(super::grammar::EXPRESSION_GRAMMAR),
    Shape::List {
        of: &THRESHOLD_ITEM,
        min: 1,
    },
]);
static THRESHOLD_ITEM: Shape = Shape::Either(&[
    Shape::Grammar(super::grammar::EXPRESSION_GRAMMAR),
    Shape::Object(&THRESHOLD),
]);

/// A threshold as a map.
pub(super) static THRESHOLD: Table = Table {
    name: "threshold",
    about: "A threshold that may end the run.",
    keys: &[&[
        Key::new("threshold", &EXPRESSION, "The expression.").required(),
        Key::new("abortOnFail", &FLAG, "Whether a breach ends the run.").default("false"),
        Key::new(
            "delayAbortEval",
            &ANY_DURATION,
            "How long after the start it is not looked at.",
        )
        .default("\"0s\""),
    ]],
    one_of: &[],
    at_most_one: &[],
    foreign: &[],
};

/// `baseline:`.
pub(super) static BASELINE: Table = Table {
    name: "baseline",
    about: "The comparison with an earlier run.",
    keys: &[&[
        Key::new(
            "compare",
            &COMPARE,
            "The last run that passed, or an execution's id.",
        )
        .default("\"last-passed\""),
        Key::new("tolerance", &SHARE, "By how much a metric may be worse.").default("\"10%\""),
        Key::new(
            "metrics",
            &BASELINE_METRICS,
            "What is compared: a metric and an aggregate each.",
        )
        .required(),
    ]],
    one_of: &[],
    at_most_one: &[],
    foreign: &[],
};

// Which memory goes with which cpu is checked where a definition is built, against the table of
// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-cpu-memory-error.html>.
static CPU: Shape = Shape::Integer {
    min: 256,
    max: 16_384,
};
static MEMORY: Shape = Shape::Integer {
    min: 512,
    max: 122_880,
};
static REGIONS: Shape = Shape::List {
    of: &REGION_SHAPE,
    min: 1,
};
static REGION_SHAPE: Shape = Shape::Object(&REGION);
static WEIGHT: Shape = Shape::Integer { min: 1, max: 1_000 };
static DOLLARS: Shape = Shape::Number {
    min: 0.01,
    max: 1_000_000.0,
};
static SERIES: Shape = Shape::Integer {
    min: 1,
    max: 100_000,
};

static REDACT: Shape = Shape::List {
    of: &REDACTED,
    min: 1,
};
static REDACTED: Shape = Shape::Text(Text {
    template: false,
    names: None,
    max: 100,
});

/// `run:`.
pub(super) static RUN: Table = Table {
    name: "run",
    about: "Where it runs, how large, and its bounds.",
    keys: &[&[
        Key::new(
            "tasks",
            &TASKS,
            "Generator tasks; auto derives them from the load and the size of a task.",
        )
        .default("\"auto\""),
        Key::new(
            "cpu",
            &CPU,
            "CPU units of a task, 1024 a vCPU: 256, 512, 1024, 2048, 4096, 8192 or 16384.",
        )
        .default("1024"),
        Key::new(
            "memory",
            &MEMORY,
            "MiB of a task, as Fargate offers them with the cpu; twice cpu unless given.",
        ),
        Key::new("regions", &REGIONS, "AWS regions and their shares."),
        Key::new("max_cost_usd", &DOLLARS, "The hard cap of the run's cost."),
        Key::new(
            "max_duration",
            &SOME_DURATION,
            "The longest time from start to end; what the schedule needs unless given.",
        ),
        Key::new(
            "max_series",
            &SERIES,
            "Series a task may have before new ones are folded.",
        )
        .default("2000"),
        Key::new(
            "tolerance",
            &SHARE,
            "The share of tasks and shards that may be missing.",
        )
        .default("0"),
        Key::new(
            "min_applied_load",
            &SHARE,
            "The share of the planned load that must have been applied.",
        )
        .default("\"95%\""),
        Key::new(
            "min_completed_load",
            &SHARE,
            "The share of the started iterations that must have run to their end.",
        )
        .default("\"95%\""),
        Key::new(
            "redact",
            &REDACT,
            "Headers, URL parameters and body fields whose values samples of failures leave out.",
        ),
    ]],
    one_of: &[],
    at_most_one: &[],
    foreign: &[],
};

/// `run.regions[n]`.
pub(super) static REGION: Table = Table {
    name: "region",
    about: "A region's share.",
    keys: &[&[
        Key::new("region", &AWS_REGION, "The AWS region.").required(),
        Key::new("weight", &WEIGHT, "Its share relative to the others.").default("1"),
    ]],
    one_of: &[],
    at_most_one: &[],
    foreign: &[],
};

static EVENTS: Shape = Shape::List { of: &EVENT, min: 1 };
static EVENT: Shape = Shape::Choice(&[
    "passed",
    "failed",
    "inconclusive",
    "errored",
    "aborted",
    "recovered",
]);

/// `notify[n]`.
pub(super) static NOTIFY: Table = Table {
    name: "notify",
    about: "Who is told of the verdict.",
    keys: &[&[
        Key::new("webhook", &WEB_URL, "A URL that gets the summary as JSON."),
        Key::new("sns", &ARN, "An SNS topic."),
        Key::new("slack", &WEB_URL, "A Slack webhook."),
        Key::new(
            "on",
            &EVENTS,
            "For which verdicts; recovered is passed after one that was not.",
        )
        .default(r#"["failed","inconclusive","errored","aborted","recovered"]"#),
    ]],
    one_of: &["webhook", "sns", "slack"],
    at_most_one: &[],
    foreign: &[],
};

/// `contract:`.
pub(super) static CONTRACT: Table = Table {
    name: "contract",
    about: "What the target is checked against before any load.",
    keys: &[&[Key::new("openapi", &FILE, "An OpenAPI document.").required()]],
    one_of: &[],
    at_most_one: &[],
    foreign: &[],
};
