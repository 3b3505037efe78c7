use super::words::{number, percent};
use super::*;
use crate::execution::summarise::testing::regressed;
use floodgate_records::comparison::{Change, IfUndecided};
use floodgate_records::control::StopReason;
use floodgate_records::manifest::{GeneratorLimits, Health, TaskOutcome, Totals};
use floodgate_records::outcome::{BaselineOutcome, Direction, Operator, Outcome};
use floodgate_records::over_time::OverTime;
use proptest::prelude::*;

mod saturation;

/// A run that passes, to be bent.
#[derive(Clone)]
struct Case {
    thresholds: Vec<ThresholdOutcome>,
    baseline: Vec<BaselineOutcome>,
    comparison: Option<Comparison>,
    completeness: Completeness,
    tolerance: f64,
    applied: AppliedLoad,
    manifests: Vec<Manifest>,
    stop: Option<Stop>,
    errors: Vec<String>,
    baseline_missing: Vec<String>,
    silent_scenarios: Vec<String>,
    unanswered_scenarios: Vec<(String, u64)>,
}

fn good() -> Case {
    Case {
        thresholds: vec![threshold(Outcome::Passed)],
        baseline: Vec::new(),
        comparison: None,
        completeness: Completeness {
            tasks_expected: 2,
            tasks_reported: 2,
            shards_expected: 10,
            shards_merged: 10,
            ..Completeness::default()
        },
        tolerance: 0.0,
        applied: AppliedLoad {
            iterations: 1000,
            http_reqs: 1000,
            samples: 0,
            ratio: Some(1.0),
            ..AppliedLoad::default()
        },
        manifests: vec![manifest(0), manifest(1)],
        stop: None,
        errors: Vec::new(),
        baseline_missing: Vec::new(),
        silent_scenarios: Vec::new(),
        unanswered_scenarios: Vec::new(),
    }
}

fn threshold(outcome: Outcome) -> ThresholdOutcome {
    ThresholdOutcome {
        id: "http_req_duration: p(95)<500".into(),
        key: "http_req_duration".into(),
        expression: "p(95)<500".into(),
        aggregate: "p(95)".into(),
        operator: Operator::Lt.into(),
        target: 500.0,
        observed: (outcome != Outcome::NoData).then_some(512.345_678),
        outcome,
        aborted: false,
        note: None,
        implicit: false,
        over_time: OverTime::default(),
    }
}

fn comparison(outcome: Outcome, baseline: Option<f64>, observed: Option<f64>) -> BaselineOutcome {
    BaselineOutcome {
        id: "http_req_duration p(95)".into(),
        key: "http_req_duration".into(),
        aggregate: "p(95)".into(),
        direction: Direction::HigherIsWorse,
        tolerance: 0.1,
        baseline,
        observed,
        change: baseline.zip(observed).map(|(b, o)| (o - b) / b),
        outcome,
        note: None,
    }
}

pub(super) fn manifest(task: u32) -> Manifest {
    Manifest {
        schema: Manifest::SCHEMA,
        execution: "x".into(),
        task,
        outcome: TaskOutcome::Completed,
        planned_start_ms: 0,
        start_skew_us: 0,
        ended_ms: 0,
        connections: Default::default(),
        shards: Vec::new(),
        unwritten: None,
        totals: Totals::default(),
        durations: Vec::new(),
        script: Default::default(),
        kept_tags: Vec::new(),
        health: Health {
            limits: GeneratorLimits {
                cpus: 1.0,
                ..GeneratorLimits::default()
            },
            measured_seconds: 60,
            ..Health::default()
        },
        warnings: Vec::new(),
    }
}

fn stop(reason: StopReason) -> Option<Stop> {
    Some(Stop {
        reason,
        by: "someone".into(),
        at_ms: 0,
    })
}

fn verdict(c: &Case) -> Verdict {
    judge(&Evidence {
        thresholds: &c.thresholds,
        baseline: &c.baseline,
        comparison: c.comparison.as_ref(),
        baseline_missing: &c.baseline_missing,
        completeness: &c.completeness,
        tolerance: c.tolerance,
        applied: &c.applied,
        min_applied_load: 0.95,
        min_completed_load: 0.95,
        expects_requests: true,
        silent_scenarios: &c.silent_scenarios,
        unanswered_scenarios: &c.unanswered_scenarios,
        failures: "dns",
        capacity: None,
        nothing_judged: None,
        manifests: &c.manifests,
        stop: c.stop.as_ref(),
        errors: &c.errors,
    })
}

/// The verdict of a good run with one change.
fn with(change: impl FnOnce(&mut Case)) -> Verdict {
    let mut case = good();
    change(&mut case);
    verdict(&case)
}

#[test]
fn each_kind_of_evidence_has_its_status() {
    type Change = fn(&mut Case);
    let cases: [(Status, &str, Change); 33] = [
        (Status::Passed, "the threshold holds", |_| {}),
        (Status::Passed, "no threshold", |c| c.thresholds.clear()),
        (Status::Passed, "and the baseline hold", |c| {
            c.baseline = vec![comparison(Outcome::Passed, Some(1.0), Some(1.0))];
        }),
        (Status::Passed, "the threshold holds", |c| {
            c.baseline = vec![comparison(Outcome::NoData, None, Some(1.0))];
        }),
        (Status::Errored, "no image", |c| {
            c.errors.push("no image".into());
        }),
        (Status::Errored, "none of 2 tasks reported", |c| {
            c.completeness = Completeness {
                tasks_expected: 2,
                tasks_lost: vec![0, 1],
                ..Completeness::default()
            };
        }),
        (Status::Errored, "task 0 failed: boom", |c| {
            c.manifests.iter_mut().for_each(|m| {
                m.outcome = TaskOutcome::Failed {
                    error: "boom".into(),
                }
            });
        }),
        (Status::Aborted, "stopped by someone", |c| {
            c.stop = stop(StopReason::Person);
        }),
        (Status::Aborted, "max_cost_usd", |c| {
            c.stop = stop(StopReason::Budget);
        }),
        (Status::Inconclusive, "1 of 2 tasks lost: task 1", |c| {
            c.completeness.tasks_lost = vec![1];
        }),
        (Status::Inconclusive, "1 of 10 shards not merged", |c| {
            c.completeness.shards_merged = 9;
        }),
        (Status::Inconclusive, "tasks were lost", |c| {
            c.stop = stop(StopReason::TasksLost);
        }),
        (
            Status::Inconclusive,
            "task 1 did not finish its part: failed: boom",
            |c| {
                c.manifests[1].outcome = TaskOutcome::Failed {
                    error: "boom".into(),
                };
            },
        ),
        (Status::Inconclusive, "stopped by SIGTERM", |c| {
            c.manifests[1].outcome = TaskOutcome::Stopped {
                by: "SIGTERM".into(),
            };
        }),
        (Status::Inconclusive, "no iteration started", |c| {
            c.applied = AppliedLoad::default();
        }),
        (Status::Inconclusive, "no request did", |c| {
            c.applied.http_reqs = 0;
        }),
        (
            Status::Inconclusive,
            "no response to any of 1000 requests",
            |c| {
                c.applied.unanswered_reqs = 1000;
            },
        ),
        (Status::Inconclusive, "for 8", |c| {
            let differs = "the manifests account for 9 requests, the shards for 8";
            c.completeness.disagreements.push(differs.into());
        }),
        (Status::Inconclusive, "3 values of trends", |c| {
            c.manifests[1].totals.unusable_values = 3;
        }),
        (Status::Inconclusive, "stood still for 7 s", |c| {
            c.manifests[1].health.standstill_max_us = 7_000_000;
        }),
        (Status::Inconclusive, "94 % of 1000 iterations ran", |c| {
            c.applied.interrupted_iterations = 60;
        }),
        (Status::Inconclusive, "ran out", |c| {
            c.manifests[1].totals.data_exhausted = true;
        }),
        (Status::Inconclusive, "the scenario pay sent nothing", |c| {
            c.silent_scenarios.push("pay".into());
        }),
        (
            Status::Inconclusive,
            "no response to the one request of the scenario pay",
            |c| c.unanswered_scenarios.push(("pay".into(), 1)),
        ),
        (
            Status::Inconclusive,
            "no response to any of 6 requests of the scenario pay",
            |c| c.unanswered_scenarios.push(("pay".into(), 6)),
        ),
        (Status::Inconclusive, "undecided", |c| {
            c.thresholds.push(ThresholdOutcome {
                observed: Some(400.0),
                ..threshold(Outcome::NoData)
            });
        }),
        (Status::Failed, "all 1000 requests failed: dns", |c| {
            c.thresholds.push(ThresholdOutcome {
                implicit: true,
                note: Some("all 1000 requests failed: dns".into()),
                ..threshold(Outcome::Failed)
            });
        }),
        (Status::Failed, "observed 512.346 ms", |c| {
            c.thresholds.push(threshold(Outcome::Failed));
        }),
        (Status::Failed, "abortOnFail: someone", |c| {
            c.stop = stop(StopReason::Threshold);
        }),
        (
            Status::Failed,
            "230 ms after 200 ms (+15 %, allowed 10 %)",
            |c| {
                c.baseline = vec![comparison(Outcome::Failed, Some(200.0), Some(230.0))];
            },
        ),
        (Status::Inconclusive, "no data for the threshold", |c| {
            c.thresholds.push(threshold(Outcome::NoData));
        }),
        (Status::Inconclusive, "94.99 % of the scheduled", |c| {
            c.applied.ratio = Some(0.949_99);
        }),
        (Status::Inconclusive, "max_duration", |c| {
            c.stop = stop(StopReason::Deadline);
        }),
    ];
    for (status, part, change) in cases {
        let v = with(change);
        assert_eq!(v.status, status, "{part}: {:?}", v.reasons);
        assert!(
            v.reasons.iter().any(|r| r.contains(part)),
            "{part}: {:?}",
            v.reasons
        );
    }
    let v = with(|c| c.baseline = vec![comparison(Outcome::NoData, Some(1.0), None)]);
    assert_eq!(
        v.status,
        Status::Inconclusive,
        "data missing in this run is not excused"
    );
}

#[test]
fn a_threshold_that_stopped_the_run_is_named_once() {
    let v = with(|c| {
        c.stop = stop(StopReason::Threshold);
        c.thresholds.push(ThresholdOutcome {
            aborted: true,
            ..threshold(Outcome::Failed)
        });
    });
    assert_eq!(v.status, Status::Failed);
    let reason =
        "threshold breached and stopped the run: http_req_duration: p(95)<500, observed 512.346 ms";
    assert_eq!(v.reasons, [reason]);
}

#[test]
fn earlier_tiers_come_first() {
    type Change = fn(&mut Case);
    let layers: [(Status, Change); 5] = [
        (Status::Inconclusive, |c| {
            c.thresholds.push(threshold(Outcome::NoData));
        }),
        (Status::Failed, |c| {
            c.thresholds.push(threshold(Outcome::Failed));
        }),
        (Status::Inconclusive, |c| {
            c.manifests[0].health.saturated_seconds = 30;
        }),
        (Status::Aborted, |c| c.stop = stop(StopReason::Person)),
        (Status::Errored, |c| c.errors.push("no room".into())),
    ];
    let mut case = good();
    for (status, change) in layers {
        change(&mut case);
        assert_eq!(verdict(&case).status, status);
    }
}

#[test]
fn what_the_tolerance_allows_is_a_warning() {
    let v = with(|c| {
        c.completeness.tasks_expected = 10;
        c.completeness.tasks_lost = vec![4];
        c.tolerance = 0.1;
    });
    assert_eq!(v.status, Status::Passed);
    assert!(
        v.warnings.iter().any(|w| w.contains("1 task lost")),
        "{:?}",
        v.warnings
    );
}

#[test]
fn warnings_say_what_to_change() {
    let v = with(|c| {
        c.thresholds.clear();
        c.applied = AppliedLoad {
            iterations: 970,
            dropped_iterations: 30,
            http_reqs: 970,
            samples: 0,
            ratio: Some(0.97),
            ..AppliedLoad::default()
        };
        c.manifests[0].totals = Totals {
            folded_samples: 1,
            clamped_values: 2,
            interrupted_iterations: 3,
            ..Totals::default()
        };
        c.manifests[1].start_skew_us = 1_500_000;
        c.manifests[1].health.lag_p99_us = 40_000;
        c.manifests[1]
            .warnings
            .push("open files are limited to 1024; raise ulimit -n".into());
        let note = Some("there is no earlier run".to_owned());
        c.baseline = vec![
            BaselineOutcome {
                note,
                ..comparison(Outcome::NoData, None, Some(1.0))
            };
            2
        ];
    });
    assert_eq!(v.status, Status::Passed);
    insta::assert_snapshot!(v.warnings.join("\n"));
}

#[test]
fn codes_and_names_are_those_of_the_design() {
    let of = |s: Status| (s.exit_code(), s.error_name());
    assert_eq!(of(Status::Passed), (0, None));
    assert_eq!(of(Status::Failed), (99, Some("Floodgate.ThresholdsFailed")));
    assert_eq!(
        of(Status::Inconclusive),
        (98, Some("Floodgate.Inconclusive"))
    );
    assert_eq!(of(Status::Errored), (97, Some("Floodgate.Errored")));
    assert_eq!(of(Status::Aborted), (105, Some("Floodgate.Aborted")));
}

#[test]
fn numbers_read_well() {
    for (value, text) in [
        (0.0, "0"),
        (512.345_678, "512.346"),
        (0.000_123_456_7, "0.000123457"),
        (100.0, "100"),
        (999_999.9, "1000000"),
        (12_345_678.5, "12345678.5"),
        (-1.5, "-1.5"),
    ] {
        assert_eq!(number(value), text);
    }
    assert_eq!(
        (
            percent(0.1).as_str(),
            percent(0.999_99).as_str(),
            percent(1.0).as_str()
        ),
        ("10 %", "99.99 %", "100 %")
    );
}

fn outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        Just(Outcome::Passed),
        Just(Outcome::Failed),
        Just(Outcome::NoData)
    ]
}

proptest! {
    /// Whatever the evidence, a pass needs all of it to be good, and every verdict has a reason.
    #[test]
    fn nothing_amiss_ever_passes(
        outcomes in proptest::collection::vec(outcome(), 0..4),
        lost in 0u32..3, merged in 8u64..=10, ratio in proptest::option::of(0.9..1.0f64),
        saturated in 0u64..10, exhausted in 0u64..2, requests in 0u64..2,
        reason in proptest::option::of(prop_oneof![
            Just(StopReason::Threshold), Just(StopReason::Person), Just(StopReason::Budget), Just(StopReason::Deadline),
            Just(StopReason::TasksLost),
        ]),
        error in any::<bool>(), unanswered in 0u64..2, interrupted in 0u64..100, exhausted_rows in any::<bool>(),
        standstill_s in 0u64..10, unusable in 0u64..2, differs in any::<bool>(), silent in any::<bool>(),
    ) {
        let v = with(|c| {
            c.thresholds = outcomes.iter().map(|o| threshold(*o)).collect();
            c.completeness.tasks_lost = (0..lost).collect();
            c.completeness.shards_merged = merged;
            c.applied.ratio = ratio;
            c.applied.http_reqs = requests;
            c.manifests[0].health.saturated_seconds = saturated;
            c.manifests[0].health.exhausted = exhausted;
            c.applied.unanswered_reqs = unanswered;
            c.applied.interrupted_iterations = interrupted;
            c.manifests[1].totals.data_exhausted = exhausted_rows;
            c.manifests[1].totals.unusable_values = unusable;
            c.manifests[1].health.standstill_max_us = standstill_s * 1_000_000;
            c.completeness.disagreements = differs.then(|| "differs".to_owned()).into_iter().collect();
            c.silent_scenarios = silent.then(|| "pay".to_owned()).into_iter().collect();
            c.stop = reason.and_then(stop);
            c.errors = error.then(|| "no".to_owned()).into_iter().collect();
        });
        let fine = outcomes.iter().all(|o| *o == Outcome::Passed) && lost == 0 && merged == 10
            && ratio.is_none_or(|r| r >= 0.95) && saturated <= 6 && exhausted == 0 && requests > 0
            && reason.is_none() && !error && unanswered < requests && interrupted <= 50 && !exhausted_rows
            && standstill_s <= 6 && unusable == 0 && !differs && !silent;
        prop_assert_eq!(v.status == Status::Passed, fine, "{:?}", v);
        prop_assert!(!v.reasons.is_empty() && v.status.is_final());
    }
}

#[test]
fn what_a_script_says_of_the_run_counts() {
    let said = |change: fn(&mut Manifest)| {
        with(|c| {
            let last = c.manifests.len() - 1;
            change(&mut c.manifests[last]);
        })
    };
    let marked = said(|m| m.script.failed = Some("the script marked the test as failed".into()));
    assert_eq!(marked.status, Status::Failed);
    assert_eq!(marked.reasons, ["the script marked the test as failed"]);
    // A few exceptions are a warning's matter; nothing but exceptions is not a pass.
    let few = said(|m| m.script.exceptions = 3);
    assert_eq!(few.status, Status::Passed);
    let all = said(|m| {
        m.script.exceptions = 1_000_000;
        m.script.exception = Some("Error: boom".into());
    });
    assert_eq!(all.status, Status::Failed);
    assert!(
        all.reasons[0].ends_with("the first: Error: boom"),
        "{:?}",
        all.reasons
    );
    let ended = with(|c| c.stop = stop(StopReason::Script));
    assert_eq!(ended.status, Status::Aborted);
}

#[test]
fn a_run_that_lost_its_tasks_before_the_start_could_not_be_carried_out() {
    let lost = |started_ms: i64| {
        with(|c| {
            c.completeness.shards_merged = 0;
            c.completeness.tasks_lost = vec![0];
            c.manifests.remove(0);
            for manifest in &mut c.manifests {
                manifest.planned_start_ms = started_ms;
            }
            c.stop = stop(StopReason::TasksLost);
        })
    };
    let before = lost(0);
    assert_eq!(before.status, Status::Errored);
    assert_eq!(before.reasons, ["nothing was started: someone"]);
    assert_eq!(lost(1).status, Status::Inconclusive);
}

#[test]
fn a_comparison_that_cannot_be_made_for_want_of_what_is_there_is_no_pass() {
    let missing = || vec!["no comparison with 01X: cannot be read".to_owned()];
    let undecided = with(|case| case.baseline_missing = missing());
    assert_eq!(undecided.status, Status::Inconclusive);
    assert_eq!(undecided.reasons, missing());
    let breached = with(|case| {
        case.baseline_missing = missing();
        case.thresholds = vec![threshold(Outcome::Failed)];
    });
    assert_eq!(breached.status, Status::Failed, "a breach is a breach");
}

#[test]
fn a_comparison_decides_as_the_definition_has_it() {
    let judged = |outcome, policy| {
        with(|c| {
            let mut found = regressed(policy);
            found.outcome = outcome;
            found.gates[0].outcome = match outcome {
                Change::NotComparable => Change::Unchanged,
                other => other,
            };
            found.gates[0].of_rest = false;
            c.comparison = Some(found);
        })
    };
    use IfUndecided::{Fail, Inconclusive, Pass};
    for (outcome, policy, status, reason) in [
        (
            Change::Regressed,
            Pass,
            Status::Failed,
            "worse than the baseline: http_req_duration p(95) 230 ms after 200 ms (+15 %, between +9.1 % and +21 %)",
        ),
        (
            Change::NotComparable,
            Pass,
            Status::Inconclusive,
            "not comparable with the baseline 01JD7Q3W5Z8X9Y0A1B2C3D4E5E: the region differs: eu-west-1 and us-east-1",
        ),
        (
            Change::Undecided,
            Fail,
            Status::Failed,
            "undecided against the baseline: http_req_duration p(95)",
        ),
        (
            Change::Undecided,
            Inconclusive,
            Status::Inconclusive,
            "undecided against the baseline: http_req_duration p(95)",
        ),
        (
            Change::Undecided,
            Pass,
            Status::Passed,
            "the threshold holds",
        ),
        (
            Change::Unchanged,
            Fail,
            Status::Passed,
            "1 threshold and the baseline hold",
        ),
        (
            Change::Improved,
            Fail,
            Status::Passed,
            "1 threshold and the baseline hold",
        ),
    ] {
        let v = judged(outcome, policy);
        assert_eq!(v.status, status, "{outcome:?}, {policy:?}");
        assert!(v.reasons[0].starts_with(reason), "{:?}", v.reasons);
    }
    let warned = judged(Change::Undecided, Pass).warnings;
    assert!(
        warned[0].contains("runs 1.4 times as long would decide"),
        "{warned:?}"
    );
}

#[test]
fn a_run_of_which_all_failed_is_not_said_to_have_done_otherwise() {
    let mut case = good();
    case.thresholds.clear();
    let says = |case: &Case| {
        let warnings = verdict(case).warnings;
        warnings.iter().any(|w| w.contains("not everything failed"))
    };
    assert!(says(&case));
    let mut all_failed = threshold(Outcome::Failed);
    all_failed.implicit = true;
    case.thresholds.push(all_failed);
    assert!(!says(&case));
}
