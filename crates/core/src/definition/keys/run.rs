//! Placement and bounds.

use super::grammar::{SHARE, TASKS as NUMBER_OF_TASKS};
use super::places::AWS_REGION;
use super::shared::text;
use super::times::SOME_DURATION;
use crate::definition::field::{Field, Parts, Share, keys};
use crate::definition::shape::{Key, Shape, Table};
use std::time::Duration;

static REDACTED: Shape = text(100, None);

// Which memory goes with which cpu is checked where a definition is built, against the table of
// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-cpu-memory-error.html>.
keys! { KEYS:
    TASKS: String = "tasks", NUMBER_OF_TASKS, default "\"auto\"";
        "Generator tasks; auto derives them from the load and the size of a task.";
    CPU: u32 = "cpu", { Shape::Integer { min: 256, max: 16_384 } }, default "1024";
        "CPU units of a task, 1024 a vCPU: 256, 512, 1024, 2048, 4096, 8192 or 16384.";
    MEMORY: u32 = "memory", { Shape::Integer { min: 512, max: 122_880 } };
        "MiB of a task, as Fargate offers them for that cpu; twice cpu by default.";
    REGIONS: Parts = "regions", { Shape::List { of: &Shape::Object(&REGION), min: 1 } }; "AWS regions and their shares.";
    MAX_COST_USD: f64 = "max_cost_usd", { Shape::Number { min: 0.01, max: 1_000_000.0 } }; "The hard cap of the run's cost.";
    MAX_DURATION: Duration = "max_duration", SOME_DURATION;
        "The longest time from start to end; by default, what the schedule needs.";
    MAX_SERIES: u32 = "max_series", { Shape::Integer { min: 1, max: 100_000 } }, default "2000";
        "Series a task may have before new ones are folded.";
    TOLERANCE: Share = "tolerance", SHARE, default "0"; "The share of tasks and shards that may be missing.";
    MIN_APPLIED_LOAD: Share = "min_applied_load", SHARE, default "\"95%\"";
        "The share of the planned load that must have been applied.";
    MIN_COMPLETED_LOAD: Share = "min_completed_load", SHARE, default "\"95%\"";
        "The share of the started iterations that must have run to their end.";
    REDACT: Vec<String> = "redact", { Shape::List { of: &REDACTED, min: 1 } };
        "Headers, URL parameters and body fields whose values samples of failures leave out.";
}

/// `run:`.
pub(super) static RUN: Table = Table::new("run", "Placement, size and limits of the run.", &[KEYS]);

keys! { REGION_KEYS:
    NAME: String = "region", AWS_REGION, required; "The AWS region.";
    WEIGHT: u32 = "weight", { Shape::Integer { min: 1, max: 1_000 } }, default "1"; "Its share relative to the others.";
}

/// `run.regions[n]`.
static REGION: Table = Table::new("region", "A region's share.", &[REGION_KEYS]);
