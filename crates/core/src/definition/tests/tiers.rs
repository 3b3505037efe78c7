//! Tiers scale one definition.

use super::{faults, good, read_with};
use crate::definition::{Definition, Executor, Stage, Tier};
use std::time::Duration;

const BASE: &str = "version: 1
test: t
target: http://127.0.0.1:8080
parameters: {rate: 100}
warmup: 30s
scenarios:
  open:
    executor: constant-arrival-rate
    rate: ${param:rate}
    duration: 4m
    startTime: 1m
    preAllocatedVUs: 50
    flow: [{get: /}]
  ramp:
    executor: ramping-arrival-rate
    startRate: 10/m
    stages: [{duration: 0s, target: 60/m}, {duration: 2m30s, target: 0}]
    preAllocatedVUs: 5
    flow: [{get: /}]
  closed: {executor: constant-vus, vus: 25, duration: 5m, pace: 1s, flow: [{get: /}]}
  vus: {executor: ramping-vus, startVUs: 0, stages: [{duration: 1m, target: 4}, {duration: 1m, target: 0}], flow: [{get: /}]}
  some: {executor: shared-iterations, vus: 10, iterations: 1000, maxDuration: 5m, flow: [{get: /}]}
  each: {executor: per-vu-iterations, vus: 3, iterations: 100, maxDuration: 1m, flow: [{get: /}]}
thresholds:
  http_req_duration: [{threshold: p(95)<500, from: 1m, to: 5m}, {threshold: p(99)<900, abortOnFail: true, delayAbortEval: 10s}]
";

fn tier(text: &str, name: &str) -> Definition {
    let parsed = read_with(text, &[("tier", name)]);
    parsed
        .unwrap_or_else(|faults| panic!("{faults}"))
        .definition
}

fn executor<'a>(definition: &'a Definition, name: &str) -> &'a Executor {
    let mut scenarios = definition.scenarios.iter();
    &scenarios
        .find(|scenario| scenario.name == name)
        .unwrap()
        .executor
}

fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// Iterations a second.
fn rate(executor: &Executor) -> f64 {
    match executor {
        Executor::ConstantArrivalRate {
            rate, time_unit, ..
        } => *rate as f64 / time_unit.as_secs_f64(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_tier_scales_times_and_loads() {
    // Five minutes become one, and a hundred a second ten.
    let smoke = tier(BASE, "smoke");
    assert_eq!(smoke.tier, Some(Tier::Smoke));
    assert_eq!(smoke.warmup, secs(6));
    let open = executor(&smoke, "open");
    assert!((rate(open) - 10.0).abs() < 1e-9, "{open:?}");
    let Executor::ConstantArrivalRate {
        duration,
        pre_allocated_vus,
        ..
    } = open
    else {
        panic!("{open:?}")
    };
    assert_eq!((*duration, *pre_allocated_vus), (secs(48), 50));
    assert_eq!(smoke.scenarios[0].start_time, secs(12));
    let Executor::RampingArrivalRate {
        start_rate,
        time_unit,
        stages,
        ..
    } = executor(&smoke, "ramp")
    else {
        panic!("a ramp")
    };
    let a_minute = |rate: u64| rate as f64 / time_unit.as_secs_f64() * 60.0;
    assert!((a_minute(*start_rate) - 1.0).abs() < 1e-9);
    assert_eq!(
        [stages[0].duration, stages[1].duration],
        [Duration::ZERO, secs(30)]
    );
    assert!((a_minute(stages[0].target) - 6.0).abs() < 1e-9);
    assert_eq!(stages[1].target, 0);
    assert_eq!(
        executor(&smoke, "closed"),
        &Executor::ConstantVus {
            vus: 3,
            duration: secs(60)
        }
    );
    let Executor::RampingVus {
        start_vus, stages, ..
    } = executor(&smoke, "vus")
    else {
        panic!("a ramp")
    };
    let stage = |target| Stage {
        duration: secs(12),
        target,
    };
    assert_eq!((*start_vus, &stages[..]), (0, &[stage(1), stage(0)][..]));
    let Executor::SharedIterations {
        vus,
        iterations,
        max_duration,
    } = executor(&smoke, "some")
    else {
        panic!("iterations")
    };
    assert_eq!((*vus, *iterations, *max_duration), (1, 20, secs(60)));
    let Executor::PerVuIterations {
        vus, iterations, ..
    } = executor(&smoke, "each")
    else {
        panic!("iterations")
    };
    assert_eq!((*vus, *iterations), (1, 20));
    // What the definition says itself is as it was.
    let own = good(BASE).definition;
    assert_eq!((own.tier, rate(executor(&own, "open"))), (None, 100.0));
}

#[test]
fn the_other_tiers_only_take_longer() {
    for (name, seconds) in [("load", 600), ("soak", 3600)] {
        let definition = tier(BASE, name);
        let closed = Executor::ConstantVus {
            vus: 25,
            duration: secs(seconds),
        };
        assert_eq!(executor(&definition, "closed"), &closed);
        assert!((rate(executor(&definition, "open")) - 100.0).abs() < 1e-9);
    }
}

#[test]
fn a_tier_has_values_of_its_own() {
    let own = format!(
        "{BASE}tiers:\n  smoke: {{duration: 30s, load: 1%, set: {{rate: 200, scenarios.closed.vus: 100, thresholds.http_req_failed: rate<0.5}}}}\n  soak: {{duration: 2h, load: 150%}}\n"
    );
    let smoke = tier(&own, "smoke");
    assert!((rate(executor(&smoke, "open")) - 2.0).abs() < 1e-9);
    assert_eq!(
        executor(&smoke, "closed"),
        &Executor::ConstantVus {
            vus: 1,
            duration: secs(30)
        }
    );
    assert!(smoke.thresholds.iter().any(|t| t.key == "http_req_failed"));
    let soak = tier(&own, "soak");
    let closed = Executor::ConstantVus {
        vus: 38,
        duration: secs(7_200),
    };
    assert_eq!(executor(&soak, "closed"), &closed);
    let Executor::ConstantArrivalRate {
        pre_allocated_vus, ..
    } = executor(&soak, "open")
    else {
        panic!("a rate")
    };
    assert_eq!(*pre_allocated_vus, 75, "more load may need more VUs");
    // What the caller sets comes last.
    let set = read_with(&own, &[("tier", "smoke"), ("rate", "300")]).unwrap();
    assert!((rate(executor(&set.definition, "open")) - 3.0).abs() < 1e-9);
    // Nothing of a tier is left where none is chosen.
    assert_eq!(
        good(&own).definition.scenarios,
        good(BASE).definition.scenarios
    );
}

#[test]
fn what_is_stored_gives_the_same_again() {
    let own = format!("{BASE}tiers: {{smoke: {{set: {{rate: 200}}}}}}\n");
    let first = read_with(&own, &[("tier", "smoke"), ("rate", "300")]).unwrap();
    let again = good(&first.normalised.to_string());
    assert_eq!(again.definition, first.definition);
    assert_eq!(again.normalised, first.normalised);
}

#[test]
fn tiers_have_bounds() {
    let own = |tiers: &str| faults(&format!("{BASE}tiers: {tiers}\n"));
    for (tiers, says) in [
        (
            "{smoke: {duration: 3m}}",
            "\"3m\" is not a length of the tier smoke; allowed: 1s to 2m",
        ),
        ("{load: {duration: 20m}}", "allowed: 10m to 15m"),
        ("{soak: {duration: 10m}}", "allowed: 30m and more"),
    ] {
        let text = format!("{BASE}tier: smoke\ntiers: {tiers}\n");
        let said = faults(&text);
        assert!(said.contains(says), "{tiers}: {said}");
    }
    assert!(
        own("{soak: {duration: 10m}}").contains("30m and more"),
        "also where it is not chosen"
    );
}
