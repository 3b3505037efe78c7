//! Scenarios and k6's six executors, with k6's names, defaults and bounds
//! (<https://grafana.com/docs/k6/latest/using-k6/scenarios/executors/>, a page an executor with a table of its options;
//! `gracefulStop`: <https://grafana.com/docs/k6/latest/using-k6/scenarios/concepts/graceful-stop/>).

use super::http::HTTP_SHAPE;
use super::names::SCENARIO_NAME;
use super::shared::TAGS as TAG_MAP;
use super::step::STEPS_SHAPE;
use super::times::{ANY_DURATION, ANY_RATE, MOST, RUN_DURATION, SOME_DURATION, SOME_RATE};
use crate::definition::field::{Field, Parts, keys, one_of};
use crate::definition::shape::{Key, Shape, Table};
use crate::rate::Rate;
use floodgate_records::words;
use std::time::Duration;

words! {
    /// Executors by their names.
    pub(in crate::definition) Named {
        /// `shared-iterations`.
        SharedIterations = "shared-iterations",
        /// `per-vu-iterations`.
        PerVuIterations = "per-vu-iterations",
        /// `constant-vus`.
        ConstantVus = "constant-vus",
        /// `ramping-vus`.
        RampingVus = "ramping-vus",
        /// `constant-arrival-rate`.
        ConstantArrivalRate = "constant-arrival-rate",
        /// `ramping-arrival-rate`.
        RampingArrivalRate = "ramping-arrival-rate",
    }
}

one_of!(Named);

static POSITIVE: Shape = Shape::Integer { min: 1, max: MOST };
static COUNT: Shape = Shape::Integer { min: 0, max: MOST };
static NUMBER: Shape = Shape::Integer {
    min: 1,
    max: 1_000_000_000_000,
};
static STAGE_LIST: Shape = Shape::List {
    of: &Shape::Object(&STAGE),
    min: 1,
};
static RATE_STAGE_LIST: Shape = Shape::List {
    of: &Shape::Object(&RATE_STAGE),
    min: 1,
};

keys! { STAGE_KEYS:
    STAGE_DURATION: Duration = "duration", ANY_DURATION, required; "Duration of the change.";
    STAGE_VUS: u64 = "target", COUNT, required; "VUs at its end.";
}

/// `stages[n]`.
static STAGE: Table = Table::new(
    "stage",
    "A linear change to a target; a duration of 0 is a jump.",
    &[STAGE_KEYS],
);

pub(in crate::definition) const STAGE_RATE: Field<Rate> = Field::new(
    "target",
    &ANY_RATE,
    "Iterations each timeUnit at its end; fractions are exact.",
)
.required();
const RATE_STAGE_KEYS: &[Key] = &[STAGE_DURATION.key, STAGE_RATE.key];

/// `stages[n]` of an arrival rate.
static RATE_STAGE: Table = Table::new(
    "rate-stage",
    "A linear change to a rate; a duration of 0 is a jump.",
    &[RATE_STAGE_KEYS],
);

keys! { COMMON:
    EXECUTOR: Named = "executor", { Shape::Choice(Named::WORDS) }, required; "When iterations start.";
    START_TIME: Duration = "startTime", ANY_DURATION, default "\"0s\""; "When the scenario starts, from the start of the run.";
    GRACEFUL_STOP: Duration = "gracefulStop", ANY_DURATION, default "\"30s\"";
        "How long running iterations may continue after the end.";
    TAGS: Parts = "tags", TAG_MAP; "Tags of the scenario's samples.";
    HTTP: Parts = "http", HTTP_SHAPE; "Options of the HTTP engine on top of those of the definition.";
    FLOW: Parts = "flow", STEPS_SHAPE; "The steps of an iteration; for the engine http only.";
}

keys! { SOME:
    VUS: u64 = "vus", POSITIVE, default "1"; "Virtual users.";
    ITERATIONS: u64 = "iterations", NUMBER, default "1"; "Iterations a VU.";
    MAX_DURATION: Duration = "maxDuration", RUN_DURATION, default "\"10m\""; "The maximum duration.";
}

const ONE_VUS: &[Key] = &[VUS.key];
const ONE_MAX_DURATION: &[Key] = &[MAX_DURATION.key];

keys! { SHARED:
    SHARED_ITERATIONS: u64 = "iterations", NUMBER, default "1"; "Iterations in all; at least vus.";
}

keys! { TIMED:
    DURATION: Duration = "duration", RUN_DURATION, required; "The duration.";
}

keys! { RAMPING:
    START_VUS: u64 = "startVUs", COUNT, default "1"; "VUs at the start.";
    STAGES: Parts = "stages", STAGE_LIST, required; "Linear changes, one after the other.";
    GRACEFUL_RAMP_DOWN: Duration = "gracefulRampDown", ANY_DURATION, default "\"30s\"";
        "How long an iteration may continue when its VU is ramped down.";
}

keys! { CONSTANT_RATE:
    RATE: Rate = "rate", SOME_RATE, required;
        "Iterations each timeUnit: 50, 0.5; or with a unit of its own: 10/s, 1 per 3s.";
}

keys! { RAMPING_RATE:
    START_RATE: Rate = "startRate", ANY_RATE, default "0"; "Iterations each timeUnit at the start.";
    RATE_STAGES: Parts = "stages", RATE_STAGE_LIST, required; "Linear changes, one after the other.";
}

keys! { OPEN:
    TIME_UNIT: Duration = "timeUnit", SOME_DURATION, default "\"1s\""; "The time that rates refer to.";
    PRE_ALLOCATED_VUS: u64 = "preAllocatedVUs", COUNT, required; "VUs that exist before the start.";
    MAX_VUS: u64 = "maxVUs", POSITIVE; "The maximum number of VUs; preAllocatedVUs by default.";
    MAX_LATENESS: Duration = "maxLateness", ANY_DURATION, default "\"10s\"";
        "The maximum lateness of an iteration; a later one is dropped (not in k6).";
}

keys! { CLOSED:
    PACE: Duration = "pace", SOME_DURATION;
        "The least time from the start of a VU's iteration to that of its next (not in k6).";
}

keys! { PART_KEYS:
    WEIGHT: u32 = "weight", { Shape::Integer { min: 1, max: 1_000 } }, default "1"; "Its share of the starts, relative to the others.";
    PART_TAGS: Parts = "tags", TAG_MAP; "Tags of its samples, on top of the scenario's.";
    PART_HTTP: Parts = "http", HTTP_SHAPE; "Options of the HTTP engine on top of the scenario's.";
    PART_FLOW: Parts = "flow", STEPS_SHAPE, required; "The steps of an iteration.";
}

/// `mix.NAME:`.
static PART: Table = Table::new(
    "mixed",
    "A scenario that shares the arrival rate of its mix.",
    &[PART_KEYS],
)
.foreign(&[("steps", "a scenario's steps are its flow")]);

keys! { SHARED_RATE:
    MIX: Parts = "mix", { Shape::Map { keys: SCENARIO_NAME, of: &Shape::Object(&PART), min: 1 } };
        "Scenarios that share the arrival rate by weight, in place of a flow (not in k6).";
}

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
        "thresholds belong at the top level; name the scenario in the key: http_req_duration{scenario:NAME}",
    ),
    ("data", "data files belong at the top level"),
    (
        "rps",
        "an arrival rate is the executor constant-arrival-rate with its rate",
    ),
    ("sleep", "a think time is a step of the flow: think: 1s"),
    (
        "setup",
        "setup belongs at the top level, and is done once for all",
    ),
    (
        "insecureSkipTLSVerify",
        "write http: {insecure: true} here or at the top level",
    ),
    ("userAgent", "write http: {userAgent: …}"),
    ("headers", "write http: {headers: {…}}"),
    (
        "weight",
        "scenarios that share an arrival rate by weight stand below mix",
    ),
];

const fn executor(name: Named, about: &'static str, keys: &'static [&'static [Key]]) -> Table {
    Table::new(name.as_str(), about, keys).foreign(FOREIGN)
}

const FLOW_OR_MIX: &[&str] = &["flow", "mix"];

static VARIANTS: [Table; 6] = [
    executor(
        Named::SharedIterations,
        "A fixed number of iterations, shared by the VUs.",
        &[COMMON, ONE_VUS, SHARED, ONE_MAX_DURATION, CLOSED],
    ),
    executor(
        Named::PerVuIterations,
        "A fixed number of iterations for each VU.",
        &[COMMON, SOME, CLOSED],
    ),
    executor(
        Named::ConstantVus,
        "A closed loop: VUs that iterate for a time.",
        &[COMMON, ONE_VUS, TIMED, CLOSED],
    ),
    executor(
        Named::RampingVus,
        "A closed loop whose VUs change from stage to stage.",
        &[COMMON, RAMPING, CLOSED],
    ),
    executor(
        Named::ConstantArrivalRate,
        "An open loop: iterations start at a fixed rate.",
        &[COMMON, CONSTANT_RATE, TIMED, OPEN, SHARED_RATE],
    )
    .at_most_one(FLOW_OR_MIX),
    executor(
        Named::RampingArrivalRate,
        "An open loop whose rate changes from stage to stage.",
        &[COMMON, RAMPING_RATE, OPEN, SHARED_RATE],
    )
    .at_most_one(FLOW_OR_MIX),
];

/// `scenarios.NAME:`; each table has the name of its executor.
pub(super) static SCENARIO: Shape = Shape::Tagged {
    tag: "executor",
    variants: &VARIANTS,
};
