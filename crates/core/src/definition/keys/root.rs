//! The whole definition.

use super::capacity::CAPACITY as CAPACITY_TABLE;
use super::contract::CONTRACT as CONTRACT_TABLE;
use super::data::DATA;
use super::export::EXPORT as EXPORT_ITEM;
use super::grammar;
use super::http::HTTP_SHAPE;
use super::names::{OWN_METRIC, PARAMETER, SCENARIO_NAME, SLUG};
use super::notify::NOTIFY as NOTIFY_TABLE;
use super::observe::OBSERVE as OBSERVE_TABLE;
use super::places::{FILE, TARGET as BASE_URL};
use super::run::RUN as RUN_TABLE;
use super::scenario::SCENARIO;
use super::shared::{TAGS as TAG_MAP, named};
use super::step::STEPS_SHAPE;
use super::threshold::{
    BASELINE as BASELINE_TABLE, SLO as OBJECTIVES, THRESHOLDS as THRESHOLD_MAP,
};
use super::tier::TIERS as TIERS_TABLE;
use super::times::ANY_DURATION;
use crate::definition::field::{Field, Parts, keys};
use crate::definition::model::Tier;
use crate::definition::shape::{Key, Shape, Table};
use floodgate_records::engine::Engine;
use std::time::Duration;

static SLUG_TEXT: Shape = named(SLUG);
static PARAMETER_VALUE: Shape = Shape::Grammar(grammar::PARAMETER);

keys! { KEYS:
    VERSION: u64 = "version", { Shape::Integer { min: 1, max: 1 } }, required; "The version of this format.";
    PROJECT: String = "project", SLUG_TEXT, default "\"default\""; "The tenant that the test belongs to.";
    TEST: String = "test", SLUG_TEXT, required; "The test's name.";
    TARGET: String = "target", BASE_URL; "The base URL that the paths of requests are joined to.";
    AGAINST: String = "against", BASE_URL;
        "The base URL of what the target is compared with: both are loaded in turns of seconds. For scenarios with an arrival rate.";
    ENGINE: Engine = "engine", { Shape::Choice(Engine::WORDS) }, default "\"http\""; "The engine that sends the load.";
    SCRIPT: String = "script", FILE; "The script of k6, JMeter or Gatling, for Gatling also a project's folder; not for http.";
    FILES: Parts = "files", { Shape::List { of: &FILE, min: 1 } }; "Further files that the script reads; not for http.";
    PARAMETERS: Parts = "parameters", { Shape::Map { keys: PARAMETER, of: &PARAMETER_VALUE, min: 0 } };
        "Names with defaults, for ${param:NAME} and --set NAME=VALUE; scripts are given them too.";
    HTTP: Parts = "http", HTTP_SHAPE; "Options of the native HTTP engine for all scenarios.";
    TAGS: Parts = "tags", TAG_MAP; "Tags of every sample.";
    DATA_FILES: Parts = "data", { Shape::List { of: &Shape::Object(&DATA), min: 0 } }; "Data files, whose rows templates read.";
    SETUP: Parts = "setup", STEPS_SHAPE; "Steps that are done once before the load; what they extract is known to all flows.";
    TEARDOWN: Parts = "teardown", STEPS_SHAPE; "Steps that are done once after the load.";
    SCENARIOS: Parts = "scenarios", { Shape::Map { keys: SCENARIO_NAME, of: &SCENARIO, min: 1 } };
        "When iterations start, and what they do.";
    WARMUP: Duration = "warmup", ANY_DURATION, default "\"0s\""; "The beginning of the run that is measured and not judged.";
    THRESHOLDS: Parts = "thresholds", THRESHOLD_MAP; "What must hold, by metric, in k6's grammar.";
    SLO: Parts = "slo", OBJECTIVES; "Objectives: what must hold in a share of windows.";
    BASELINE: Parts = "baseline", { Shape::Object(&BASELINE_TABLE) }; "The comparison with an earlier run.";
    CAPACITY: Parts = "capacity", { Shape::Object(&CAPACITY_TABLE) };
        "Makes the run seek the highest load at which the thresholds hold.";
    TIER: Tier = "tier", { Shape::Choice(Tier::WORDS) }; "The tier that this run is of, as floodgate run --tier sets it.";
    TIERS: Parts = "tiers", { Shape::Object(&TIERS_TABLE) }; "How the tiers smoke, load and soak scale the definition.";
    RUN: Parts = "run", { Shape::Object(&RUN_TABLE) }; "Placement, size and limits of the run.";
    OBSERVE: Parts = "observe", { Shape::Map { keys: OWN_METRIC, of: &Shape::Object(&OBSERVE_TABLE), min: 0 } };
        "Series that are asked of other systems while a local run goes on, by the metric that each becomes.";
    EXPORT: Parts = "export", { Shape::List { of: &EXPORT_ITEM, min: 0 } }; "Where results go beside the run's own store, during a local run and at its end.";
    NOTIFY: Parts = "notify", { Shape::List { of: &Shape::Object(&NOTIFY_TABLE), min: 0 } }; "Where to send notifications of the verdict.";
    CONTRACT: Parts = "contract", { Shape::Object(&CONTRACT_TABLE) }; "What the target's responses are checked against, once before any load.";
}

const BOUNDS: &str = "a setup may take as long as the start of the tasks, a teardown five minutes";

/// The whole definition.
pub(in crate::definition) static DEFINITION: Table = Table::new(
    "definition",
    "A load test: what to send, and what must hold.",
    &[KEYS],
)
.foreign(&[
        (
            "options",
            "k6's options belong at the top level here: scenarios, thresholds, tags",
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
        ("setupTimeout", BOUNDS),
        ("teardownTimeout", BOUNDS),
        ("before", "write setup"),
        ("after", "write teardown"),
        (
            "sleep",
            "a think time is a step of a scenario's flow: think: 1s",
        ),
        (
            "config",
            "the definition has no part of that name: target, http, data and thresholds belong at the top level",
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
    ]);
