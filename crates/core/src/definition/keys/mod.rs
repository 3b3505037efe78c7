//! The tables of known keys: what the parser accepts, what the schema publishes.

pub(super) mod grammar;
mod http;
mod load;
pub(super) mod names;
mod run;
mod step;

pub(super) use load::variant;

use super::shape::{Key, Shape, Table, Text};
use grammar::{FILE, TARGET};
use http::HTTP;
use load::SCENARIO;
use names::{HEADER, PARAMETER, SCENARIO_NAME, SLUG, TAG};
use run::{BASELINE, CONTRACT, DATA, NOTIFY, RUN};

/// The engines in the order of [`super::Engine`].
pub(super) const ENGINES: [&str; 4] = ["http", "k6", "jmeter", "gatling"];

/// The longest text that says something about the test.
const MAX_TEXT: usize = 8 << 10;
/// The longest text that is sent: a URL, a header, a token, a body. HTTP has no bound of its own.
const MAX_SENT: usize = super::yaml::MAX_SCALAR;

static SLUG_TEXT: Shape = Shape::Text(Text {
    template: false,
    names: Some(SLUG),
    max: MAX_TEXT,
});
static TEXT: Shape = Shape::Text(Text {
    template: false,
    names: None,
    max: MAX_TEXT,
});
/// Text of a header that is no template.
static SENT_TEXT: Shape = Shape::Text(Text {
    template: false,
    names: None,
    max: MAX_SENT,
});
static TEMPLATE: Shape = Shape::Text(Text {
    template: true,
    names: None,
    max: MAX_SENT,
});
static ONE_OR_MORE: Shape = Shape::Either(&[
    Shape::Text(Text {
        template: true,
        names: None,
        max: MAX_SENT,
    }),
    Shape::List {
        of: &TEMPLATE,
        min: 1,
    },
]);
static HEADERS: Shape = Shape::Map {
    keys: HEADER,
    of: &ONE_OR_MORE,
    min: 0,
};
static TAG_VALUE: Shape = Shape::Text(Text {
    template: false,
    names: None,
    max: 256,
});
static TAGS: Shape = Shape::Map {
    keys: TAG,
    of: &TAG_VALUE,
    min: 0,
};
static FLAG: Shape = Shape::Boolean;
static VERSION: Shape = Shape::Integer { min: 1, max: 1 };
static ENGINE: Shape = Shape::Choice(&ENGINES);
static PARAMETERS: Shape = Shape::Map {
    keys: PARAMETER,
    of: &TEXT_OR_NUMBER,
    min: 0,
};
static TEXT_OR_NUMBER: Shape = Shape::Grammar(grammar::PARAMETER);
static SCENARIOS: Shape = Shape::Map {
    keys: SCENARIO_NAME,
    of: &SCENARIO,
    min: 1,
};
static FILES: Shape = Shape::List { of: &FILE, min: 1 };
static DATA_LIST: Shape = Shape::List {
    of: &DATA_SHAPE,
    min: 0,
};
static DATA_SHAPE: Shape = Shape::Object(&DATA);
static HTTP_SHAPE: Shape = Shape::Object(&HTTP);
static RUN_SHAPE: Shape = Shape::Object(&RUN);
static BASELINE_SHAPE: Shape = Shape::Object(&BASELINE);
static NOTIFY_LIST: Shape = Shape::List {
    of: &NOTIFY_SHAPE,
    min: 0,
};
static NOTIFY_SHAPE: Shape = Shape::Object(&NOTIFY);
static CONTRACT_SHAPE: Shape = Shape::Object(&CONTRACT);

const SETUP: &str = "there is no set-up or tear-down: run it before and after, and pass what it gives with --set or ${env:NAME}; \
                     a script of k6 has both";

/// The whole definition.
pub(super) static DEFINITION: Table = Table {
    name: "definition",
    about: "A load test: what to send, and what must hold.",
    keys: &[&[
        Key::new("version", &VERSION, "The version of this format.").required(),
        Key::new(
            "project",
            &SLUG_TEXT,
            "The tenant that the test belongs to.",
        )
        .default("\"default\""),
        Key::new("test", &SLUG_TEXT, "The test's name.").required(),
        Key::new(
            "target",
            &TARGET,
            "The base URL that the paths of requests are joined to.",
        ),
        Key::new("engine", &ENGINE, "Who sends the load.").default("\"http\""),
        Key::new(
            "script",
            &FILE,
            "The script of k6, JMeter or Gatling, for Gatling also a project's folder; not for http.",
        ),
        Key::new(
            "files",
            &FILES,
            "Files that the script reads, which go where it goes; not for http.",
        ),
        Key::new(
            "parameters",
            &PARAMETERS,
            "Names with defaults, for ${param:NAME} and --set NAME=VALUE; scripts are given them too.",
        ),
        Key::new(
            "http",
            &HTTP_SHAPE,
            "Options of the native HTTP engine for all scenarios.",
        ),
        Key::new("tags", &TAGS, "Tags of every sample."),
        Key::new("data", &DATA_LIST, "Data files, whose rows templates read."),
        Key::new(
            "scenarios",
            &SCENARIOS,
            "When iterations start, and what they do.",
        ),
        Key::new(
            "thresholds",
            &run::THRESHOLDS,
            "What must hold, by metric, in k6's grammar.",
        ),
        Key::new(
            "baseline",
            &BASELINE_SHAPE,
            "The comparison with an earlier run.",
        ),
        Key::new(
            "run",
            &RUN_SHAPE,
            "Where it runs, how large, and its bounds.",
        ),
        Key::new("notify", &NOTIFY_LIST, "Who is told of the verdict."),
        Key::new(
            "contract",
            &CONTRACT_SHAPE,
            "What the target is checked against before any load.",
        ),
    ]],
    one_of: &[],
    at_most_one: &[],
    foreign: &[
        (
            "options",
            "k6's options stand at the top level here: scenarios, thresholds, tags",
        ),
        ("vus", "write a scenario with the executor constant-vus"),
        (
            "duration",
            "write a scenario with an executor that has a duration",
        ),
        (
            "stages",
            "write a scenario with the executor ramping-vus or ramping-arrival-rate",
        ),
        (
            "iterations",
            "write a scenario with the executor shared-iterations",
        ),
        (
            "rps",
            "write a scenario with the executor constant-arrival-rate and its rate",
        ),
        (
            "executor",
            "an executor belongs to a scenario below scenarios",
        ),
        ("insecureSkipTLSVerify", "write http: {insecure: true}"),
        ("userAgent", "write it below http"),
        ("headers", "write them below http"),
        ("noConnectionReuse", "write http: {keepAlive: false}"),
        (
            "noVUConnectionReuse",
            "write http: {reuseAcrossIterations: false}",
        ),
        ("setup", SETUP),
        ("teardown", SETUP),
        ("setupTimeout", SETUP),
        ("teardownTimeout", SETUP),
        (
            "sleep",
            "a think time is a step of a scenario's flow: think: 1s",
        ),
        (
            "config",
            "the definition has no part of that name: target, http, data and thresholds stand at the top level",
        ),
        (
            "systemTags",
            "which tags samples have is fixed; further ones stand below tags",
        ),
        (
            "summaryTrendStats",
            "the summary has its percentiles; others are asked for by thresholds, such as p(99.9)<500",
        ),
        ("flow", "a flow belongs to a scenario"),
        ("name", "the test's name is the key test"),
        (
            "env",
            "declare parameters, and read the environment with ${env:NAME}",
        ),
    ],
};
