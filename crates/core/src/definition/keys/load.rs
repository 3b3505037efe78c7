//! Scenarios and k6's six executors, with k6's names, defaults and bounds
//! (<https://grafana.com/docs/k6/latest/using-k6/scenarios/executors/>, a page an executor with a table of its options;
//! `gracefulStop`: <https://grafana.com/docs/k6/latest/using-k6/scenarios/concepts/graceful-stop/>).

use super::grammar::{ANY_DURATION, ANY_RATE, MOST, RUN_DURATION, SOME_DURATION, SOME_RATE};
use super::{HTTP_SHAPE, TAGS, step};
use crate::definition::shape::{Key, Shape, Table};

const EXECUTORS: [&str; 6] = [
    "shared-iterations",
    "per-vu-iterations",
    "constant-vus",
    "ramping-vus",
    "constant-arrival-rate",
    "ramping-arrival-rate",
];

static EXECUTOR: Shape = Shape::Choice(&EXECUTORS);
static POSITIVE: Shape = Shape::Integer { min: 1, max: MOST };
static COUNT: Shape = Shape::Integer { min: 0, max: MOST };
static ITERATIONS: Shape = Shape::Integer {
    min: 1,
    max: 1_000_000_000_000,
};
static STAGES: Shape = Shape::List {
    of: &STAGE_SHAPE,
    min: 1,
};
static STAGE_SHAPE: Shape = Shape::Object(&STAGE);
static RATE_STAGES: Shape = Shape::List {
    of: &RATE_STAGE_SHAPE,
    min: 1,
};
static RATE_STAGE_SHAPE: Shape = Shape::Object(&RATE_STAGE);

/// `stages[n]`.
pub(super) static STAGE: Table = Table {
    name: "stage",
    about: "A linear change to a target; a duration of 0 is a jump.",
    keys: &[&[
        Key::new("duration", &ANY_DURATION, "How long the change takes.").required(),
        Key::new("target", &COUNT, "VUs at its end.").required(),
    ]],
    one_of: &[],
    at_most_one: &[],
    foreign: &[],
};

/// `stages[n]` of an arrival rate.
pub(super) static RATE_STAGE: Table = Table {
    name: "rate-stage",
    about: "A linear change to a rate; a duration of 0 is a jump.",
    keys: &[&[
        Key::new("duration", &ANY_DURATION, "How long the change takes.").required(),
        Key::new(
            "target",
            &ANY_RATE,
            "Iterations each timeUnit at its end; fractions are exact.",
        )
        .required(),
    ]],
    one_of: &[],
    at_most_one: &[],
    foreign: &[],
};

const COMMON: &[Key] = &[
    Key::new("executor", &EXECUTOR, "When iterations start.").required(),
    Key::new(
        "startTime",
        &ANY_DURATION,
        "When the scenario starts, from the start of the run.",
    )
    .default("\"0s\""),
    Key::new(
        "gracefulStop",
        &ANY_DURATION,
        "How long running iterations may go on after the end.",
    )
    .default("\"30s\""),
    Key::new("tags", &TAGS, "Tags of the scenario's samples."),
    Key::new(
        "http",
        &HTTP_SHAPE,
        "Options of the HTTP engine on top of those of the definition.",
    ),
    Key::new(
        "flow",
        &step::FLOW,
        "The steps of an iteration; for the engine http only.",
    ),
];

const VUS: Key = Key::new("vus", &POSITIVE, "Virtual users.").default("1");
const DURATION: Key = Key::new("duration", &RUN_DURATION, "For how long.").required();
const MAX_DURATION: Key =
    Key::new("maxDuration", &RUN_DURATION, "The longest time.").default("\"10m\"");
const TIME_UNIT: Key =
    Key::new("timeUnit", &SOME_DURATION, "The time that rates refer to.").default("\"1s\"");
const STAGE_LIST: Key =
    Key::new("stages", &STAGES, "Linear changes, one after the other.").required();

const OPEN: &[Key] = &[
    TIME_UNIT,
    Key::new(
        "preAllocatedVUs",
        &COUNT,
        "VUs that exist before the start.",
    )
    .required(),
    Key::new(
        "maxVUs",
        &POSITIVE,
        "The most VUs; preAllocatedVUs unless given.",
    ),
    Key::new(
        "maxLateness",
        &ANY_DURATION,
        "Past which lateness an iteration is dropped (not in k6).",
    )
    .default("\"10s\""),
];

const FOREIGN: &[(&str, &str)] = &[
    (
        "exec",
        "there are no functions to call: write the scenario's flow",
    ),
    (
        "env",
        "declare parameters at the top level and write ${param:NAME}, or ${env:NAME}",
    ),
    ("options", "browser options are not supported"),
    ("steps", "a scenario's steps are its flow"),
    (
        "thresholds",
        "thresholds stand at the top level; name the scenario in the key: http_req_duration{scenario:NAME}",
    ),
    ("data", "data files stand at the top level"),
    (
        "rps",
        "an arrival rate is the executor constant-arrival-rate with its rate",
    ),
    ("sleep", "a think time is a step of the flow: think: 1s"),
    ("setup", "there is no set-up; a script of k6 has it"),
    (
        "insecureSkipTLSVerify",
        "write http: {insecure: true} here or at the top level",
    ),
    ("userAgent", "write http: {userAgent: …}"),
    ("headers", "write http: {headers: {…}}"),
    ("weight", "give the scenario more VUs or a higher rate"),
];

macro_rules! executor {
    ($name:ident, $word:literal, $about:literal, $($keys:expr),+) => {
        static $name: Table = Table {
            name: $word,
            about: $about,
            keys: &[COMMON, $($keys),+],
            one_of: &[],
            at_most_one: &[],
            foreign: FOREIGN,
        };
    };
}

executor!(
    SHARED,
    "shared-iterations",
    "A fixed number of iterations, shared by the VUs.",
    &[
        VUS,
        Key::new(
            "iterations",
            &ITERATIONS,
            "Iterations in all; at least vus."
        )
        .default("1"),
        MAX_DURATION
    ]
);
executor!(
    PER_VU,
    "per-vu-iterations",
    "A fixed number of iterations for each VU.",
    &[
        VUS,
        Key::new("iterations", &ITERATIONS, "Iterations a VU.").default("1"),
        MAX_DURATION
    ]
);
executor!(
    CONSTANT_VUS,
    "constant-vus",
    "A closed loop: VUs that iterate for a time.",
    &[VUS, DURATION]
);
executor!(
    RAMPING_VUS,
    "ramping-vus",
    "A closed loop whose VUs change from stage to stage.",
    &[
        Key::new("startVUs", &COUNT, "VUs at the start.").default("1"),
        STAGE_LIST,
        Key::new(
            "gracefulRampDown",
            &ANY_DURATION,
            "How long an iteration of a VU that is ramped down may go on."
        )
        .default("\"30s\""),
    ]
);
executor!(
    CONSTANT_RATE,
    "constant-arrival-rate",
    "An open loop: iterations start at a fixed rate.",
    &[
        Key::new(
            "rate",
            &SOME_RATE,
            "Iterations each timeUnit: 50, 0.5; or with a unit of its own: 10/s, 1 per 3s."
        )
        .required(),
        DURATION
    ],
    OPEN
);
executor!(
    RAMPING_RATE,
    "ramping-arrival-rate",
    "An open loop whose rate changes from stage to stage.",
    &[
        Key::new(
            "startRate",
            &ANY_RATE,
            "Iterations each timeUnit at the start."
        )
        .default("0"),
        Key::new(
            "stages",
            &RATE_STAGES,
            "Linear changes, one after the other."
        )
        .required(),
    ],
    OPEN
);

static VARIANTS: [(&str, &Table); 6] = [
    (EXECUTORS[0], &SHARED),
    (EXECUTORS[1], &PER_VU),
    (EXECUTORS[2], &CONSTANT_VUS),
    (EXECUTORS[3], &RAMPING_VUS),
    (EXECUTORS[4], &CONSTANT_RATE),
    (EXECUTORS[5], &RAMPING_RATE),
];

/// `scenarios.NAME:`.
pub(super) static SCENARIO: Shape = Shape::Tagged {
    tag: "executor",
    variants: &VARIANTS,
};

/// The table of an executor.
pub(in crate::definition) fn variant(executor: &str) -> Option<&'static Table> {
    VARIANTS
        .iter()
        .find(|(name, _)| *name == executor)
        .map(|(_, table)| *table)
}
