use super::testing::{conclude_with, regressed, summary_with};
use super::*;
use crate::definition::model::ThresholdSpec;
use crate::threshold::testing::Samples;
use floodgate_records::comparison::IfUndecided;
use floodgate_records::cost::{Charge, ChargeUnit, Cost, CostItem};
use floodgate_records::execution::ExcludedShard;
use floodgate_records::manifest::{GeneratorLimits, Health, TaskOutcome, Totals};
use floodgate_records::schema;
use floodgate_records::status::Status;
use serde_json::Value;

fn source() -> Samples {
    let checks = |passes: u32| (0..10).map(move |i| f64::from(u8::from(i < passes)));
    Samples::default()
        .with(
            "http_reqs",
            MetricKind::Counter,
            &[("name", "home")],
            [1.0; 7],
        )
        .with(
            "http_reqs",
            MetricKind::Counter,
            &[("name", "home"), ("error_code", "timeout")],
            [1.0; 3],
        )
        .with(
            "http_req_duration",
            MetricKind::Trend,
            &[("name", "home")],
            (1..=10).map(|i| f64::from(i) * 1_000.0),
        )
        .with(
            "http_req_failed",
            MetricKind::Rate,
            &[],
            (0..10).map(|i| f64::from(u8::from(i < 3))),
        )
        .with(
            "checks",
            MetricKind::Rate,
            &[("check", "status == 200")],
            checks(7),
        )
        .with(
            "checks",
            MetricKind::Rate,
            &[("check", "body contains \"x\"")],
            checks(10),
        )
        .with("vus", MetricKind::Gauge, &[], [1.0, 5.0, 3.0])
}

fn thresholds(list: &[(&str, &str)]) -> Thresholds {
    let spec = |(key, expression): &(&str, &str)| ThresholdSpec::new(*key, *expression);
    Thresholds::compile(&list.iter().map(spec).collect::<Vec<_>>()).unwrap()
}

fn manifest() -> Manifest {
    Manifest {
        schema: Manifest::SCHEMA,
        execution: "x".into(),
        task: 0,
        outcome: TaskOutcome::Completed,
        planned_start_ms: 0,
        start_skew_us: 250,
        ended_ms: 1,
        connections: Default::default(),
        shards: Vec::new(),
        unwritten: None,
        totals: Totals::default(),
        durations: Vec::new(),
        script: Default::default(),
        kept_tags: Vec::new(),
        health: Health {
            limits: GeneratorLimits {
                cpus: 2.0,
                ..GeneratorLimits::default()
            },
            lag_p99_us: 150,
            measured_seconds: 1,
            ..Health::default()
        },
        warnings: Vec::new(),
    }
}

fn conclusion() -> Conclusion {
    let list = thresholds(&[
        ("http_req_duration", "p(95)<500"),
        ("http_req_duration{ name : home }", "p(97.5)<5"),
        ("http_req_waiting", "avg<1"),
        ("orders", "p(95)<1"),
    ]);
    let metrics = ["http_reqs{name:home} rate", "http_req_duration p(80)"];
    let baseline = Baseline::compile(&metrics.map(str::to_owned), 0.1).unwrap();
    let earlier = summary_with(&source(), &baseline);
    conclude_with(
        &source(),
        &list,
        Some((&baseline, Some(&earlier))),
        &[manifest()],
    )
}

#[test]
fn a_summary_has_what_was_measured_and_what_was_asked_for() {
    let c = conclusion();
    assert_eq!(c.verdict.status, Status::Failed);
    assert_eq!(
        c.thresholds.len(),
        5,
        "four of its own and the implicit one"
    );
    insta::assert_json_snapshot!(c.summary);
}

#[test]
fn a_custom_trend_holds_what_its_tasks_say() {
    let source = Samples::default()
        .with("rendering", MetricKind::Trend, &[], [3_000.0])
        .with("basket_size", MetricKind::Trend, &[], [3_000.0]);
    let said = Manifest {
        durations: vec!["rendering".into()],
        script: Default::default(),
        ..manifest()
    };
    let none = Thresholds::default();
    let metrics = conclude_with(&source, &none, None, &[manifest(), said])
        .summary
        .metrics;
    assert_eq!(metrics["rendering"].contains, Contains::Time);
    assert_eq!(metrics["basket_size"].contains, Contains::Default);
}

#[test]
fn every_summary_is_of_the_published_schema() {
    let schema = schema::summary();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let mut summary = conclusion().summary;
    let check = |s: &Summary| {
        let value = serde_json::to_value(s).unwrap();
        let errors: Vec<_> = validator
            .iter_errors(&value)
            .map(|e| format!("{} at {}", e, e.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{errors:#?}");
        value
    };
    check(&summary);
    check(&conclude_with(&Samples::default(), &Thresholds::default(), None, &[]).summary);

    summary.completeness.shards_excluded.push(ExcludedShard {
        task: 0,
        seq: 1,
        reason: "checksum".into(),
    });
    summary.completeness.tasks_lost.push(3);
    summary
        .completeness
        .disagreements
        .push("the manifests account for 2 requests, the shards for 1".into());
    summary.cost = Some(Cost {
        estimate_usd: Some(0.1),
        actual_usd: None,
        items: vec![CostItem {
            what: Charge::FargateVcpuArm64.into(),
            region: "eu-west-1".into(),
            quantity: 0.5,
            unit: ChargeUnit::VcpuHours.into(),
            usd: 0.02,
        }],
        prices_of: "2026-11-01".into(),
    });
    summary.baseline.as_mut().unwrap().outcomes[0].note = Some("a note".into());
    summary.comparison = Some(Box::new(regressed(IfUndecided::Inconclusive)));
    let value = check(&summary);
    undocumented(&value, &schema, &schema, "summary");

    for (field, wrong) in [
        ("status", Value::from("great")),
        ("metrics", Value::from(3)),
        ("reasons", Value::from(Vec::<Value>::new())),
    ] {
        let mut bad = value.clone();
        bad[field] = wrong;
        assert!(!validator.is_valid(&bad), "{field}");
    }
}

/// Asserts that the schema describes every field that is written.
fn undocumented(value: &Value, schema: &Value, root: &Value, place: &str) {
    let schema = match schema["$ref"].as_str() {
        Some(reference) => root.pointer(reference.trim_start_matches('#')).unwrap(),
        None => schema,
    };
    match value {
        Value::Object(fields) => {
            for (name, v) in fields {
                let of = schema["properties"]
                    .get(name)
                    .unwrap_or(&schema["additionalProperties"]);
                assert!(of.is_object(), "{place}.{name} is not in the schema");
                undocumented(v, of, root, &format!("{place}.{name}"));
            }
        }
        Value::Array(items) => items
            .iter()
            .for_each(|v| undocumented(v, &schema["items"], root, &format!("{place}[]"))),
        _ => {}
    }
}

#[test]
fn a_summary_survives_its_file() {
    let summary = conclusion().summary;
    let text = serde_json::to_string(&summary).unwrap();
    assert_eq!(serde_json::from_str::<Summary>(&text).unwrap(), summary);
}

#[test]
fn another_version_of_the_test_is_pointed_out() {
    let baseline = Baseline::compile(&["http_reqs rate".to_owned()], 0.1).unwrap();
    let mut earlier = summary_with(&source(), &baseline);
    earlier.version = "another".into();
    let c = conclude_with(
        &source(),
        &Thresholds::default(),
        Some((&baseline, Some(&earlier))),
        &[],
    );
    assert_eq!(c.verdict.status, Status::Passed);
    assert!(
        c.verdict
            .warnings
            .last()
            .unwrap()
            .contains("another version"),
        "{:?}",
        c.verdict.warnings
    );
    assert_eq!(c.verdict.warnings[0], "written before the start");
}
