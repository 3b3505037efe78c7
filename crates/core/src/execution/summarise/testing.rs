//! A finished run to judge and sum up, for tests.

use super::*;
use floodgate_records::comparison::{Change, ComparedRun, Gate, IfUndecided, Ratio};
use floodgate_records::engine::Engine;
use floodgate_records::execution::{Infrastructure, InfrastructureKind, Trigger, TriggerKind};
use floodgate_records::outcome::Direction;
use floodgate_records::status::Status;

static ALL_OBSERVED: BTreeMap<String, String> = BTreeMap::new();

/// A record of a local run that has ended.
pub(crate) fn execution() -> Execution {
    Execution {
        version: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".into(),
        engine: Engine::Http.into(),
        target: Some("http://127.0.0.1:8080".into()),
        trigger: Trigger {
            kind: TriggerKind::Cli.into(),
            ..Trigger::default()
        },
        started_ms: Some(1_700_000_001_000),
        ended_ms: Some(1_700_000_021_000),
        status: Status::Merging,
        infrastructure: Infrastructure {
            kind: InfrastructureKind::Local.into(),
            tasks: 1,
            ..Infrastructure::default()
        },
        warnings: vec!["written before the start".into()],
        ..Execution::created(
            "01JD7Q3W5Z8X9Y0A1B2C3D4E5F",
            "shop",
            "checkout",
            1_700_000_000_000,
        )
    }
}

/// A complete run of one second with ten requests; what a test is about it puts in the place of the rest.
pub(crate) fn finished<'a>(
    execution: &'a Execution,
    source: &'a dyn MetricSource,
    thresholds: &'a Thresholds,
    manifests: &'a [Manifest],
) -> Finished<'a> {
    Finished {
        execution,
        source,
        duration: Duration::from_secs(1),
        warmup: Duration::ZERO,
        course: None,
        completeness: Completeness {
            tasks_expected: 1,
            tasks_reported: 1,
            shards_expected: 4,
            shards_merged: 4,
            ..Completeness::default()
        },
        applied: AppliedLoad {
            iterations: 10,
            http_reqs: 10,
            ..AppliedLoad::default()
        },
        manifests,
        thresholds,
        baseline: None,
        comparison: None,
        compared_metrics: &[],
        capacity: None,
        baseline_missing: &[],
        tolerance: 0.0,
        min_applied_load: 0.95,
        min_completed_load: 0.95,
        expects_requests: true,
        silent_scenarios: Vec::new(),
        unobserved: &ALL_OBSERVED,
        stop: None,
        errors: &[],
    }
}

/// The conclusion of such a run.
pub(crate) fn conclude_with(
    source: &dyn MetricSource,
    thresholds: &Thresholds,
    baseline: Option<(&Baseline, Option<&Summary>)>,
    manifests: &[Manifest],
) -> Conclusion {
    conclude(&Finished {
        baseline,
        ..finished(&execution(), source, thresholds, manifests)
    })
}

/// The summary of such a run without thresholds, with what the baseline needs.
pub(crate) fn summary_with(source: &dyn MetricSource, baseline: &Baseline) -> Summary {
    conclude_with(source, &Thresholds::default(), Some((baseline, None)), &[]).summary
}

/// A comparison in which the p95 has risen from 200 ms to 230 ms.
pub(crate) fn regressed(undecided: IfUndecided) -> Comparison {
    let run = |id: &str, status| ComparedRun {
        execution: id.into(),
        test: "shop/checkout".into(),
        version: "v1".into(),
        commit: Some("0123abc".into()),
        status,
        started_ms: Some(1_700_000_000_000),
    };
    Comparison {
        schema: Comparison::SCHEMA,
        base: run("01JD7Q3W5Z8X9Y0A1B2C3D4E5E", Status::Passed),
        pooled: 6,
        in_turns: true,
        head: run("01JD7Q3W5Z8X9Y0A1B2C3D4E5F", Status::Merging),
        outcome: Change::Regressed,
        obstacles: vec!["the region differs: eu-west-1 and us-east-1".into()],
        confidence: 0.95,
        min_effect: 0.05,
        history: 6,
        undecided: Some(undecided),
        gates: vec![Gate {
            id: "http_req_duration p(95)".into(),
            key: "http_req_duration".into(),
            aggregate: "p(95)".into(),
            kind: Some(MetricKind::Trend),
            direction: Direction::HigherIsWorse,
            base: Some(200.0),
            head: Some(230.0),
            ratio: Some(Ratio {
                estimate: 1.15,
                low: 1.091,
                high: 1.21,
            }),
            of_rest: true,
            outcome: Change::Regressed,
            warmup_s: 20,
            note: Some("runs 1.4 times as long would decide".into()),
        }],
    }
}
