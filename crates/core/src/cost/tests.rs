use super::*;
use crate::definition::model::RunOptions;
use floodgate_records::plan::{Plan, PlannedLoad, PlannedTask};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::time::Duration;

fn plan(regions: &[&str], duration_ms: u64) -> Plan {
    let task = |(index, region): (u32, &&str)| PlannedTask {
        index,
        weight: 1,
        region: (*region).into(),
    };
    Plan {
        schema: Plan::SCHEMA,
        execution: "01KAH2V0QK8N5D1S9P3B6YTGWM".into(),
        project: "shop".into(),
        test: "checkout".into(),
        version: "0".repeat(64),
        files: vec!["definition.json".into(), "users.csv".into()],
        base_dir: None,
        tasks: (0..).zip(regions).map(task).collect(),
        deadline_ms: 0,
        start_timeout_ms: 300_000,
        flush_interval_ms: 10_000,
        live_interval_ms: 5_000,
        control_interval_ms: 2_000,
        load: PlannedLoad {
            iterations: None,
            max_vus: 400,
            duration_ms,
            max_duration_ms: duration_ms + 30_000,
        },
        env: BTreeMap::new(),
        run_arn: None,
        allowed_targets: None,
        debug_requests: 0,
        spool: None,
    }
}

/// A watch that looks each three seconds for so long, a fifth of a second at a time.
fn looked_at(time: Duration) -> Watched {
    let turns = time.as_secs() / 3;
    Watched {
        turns,
        looks: turns,
        time: Duration::from_millis(turns * 200),
    }
}

fn estimate(plan: &Plan, run: &RunOptions, site: &Site) -> Bill {
    let watched = looked_at(READY + longest(plan, run) + END);
    super::estimate(plan, run, site, watched)
}

/// Ten tasks of 1 vCPU and 2 GB on ARM in Ireland for 10 min: the example of `docs/cost.md`.
fn example() -> Bill {
    let plan = plan(&["eu-west-1"; 10], 600_000);
    estimate(&plan, &RunOptions::default(), &Site::new("eu-west-1"))
}

#[test]
fn an_example_line_by_line() {
    let bill = example();
    let lines: Vec<_> = bill
        .items
        .iter()
        .map(|i| {
            format!(
                "{:<22} {:<10} {:>10.4} {:<12} ${:.5}",
                i.what, i.region, i.quantity, i.unit, i.usd
            )
        })
        .collect();
    let text = format!("{}\ntotal ${:.5}", lines.join("\n"), bill.usd());
    let page = include_str!("../../../../docs/cost.md");
    assert!(page.contains(&text), "docs/cost.md has another example");
    insta::assert_snapshot!(text);
}

#[test]
fn an_hour_costs_what_the_price_page_says() {
    let mut usage = Usage::new();
    let size = Size {
        cpu: 1_024,
        memory: 2_048,
    };
    let hour = Duration::from_secs(3_600);
    usage.add_task(
        "us-east-1",
        Architecture::X86_64,
        Capacity::OnDemand,
        size,
        hour,
    );
    assert!((bill(&usage).usd() - (0.04048 + 2.0 * 0.004_445)).abs() < 1e-12);
    let mut spot = Usage::new();
    spot.add_task(
        "us-east-1",
        Architecture::X86_64,
        Capacity::Spot,
        size,
        hour,
    );
    assert!((bill(&spot).usd() - bill(&usage).usd() * prices::SPOT_SHARE).abs() < 1e-12);
}

#[test]
fn a_task_is_charged_by_whole_seconds_and_for_a_minute_at_least() {
    let charged = |ms| {
        Usage::new()
            .add_task(
                "eu-west-1",
                Architecture::Arm64,
                Capacity::OnDemand,
                Size {
                    cpu: 256,
                    memory: 512,
                },
                Duration::from_millis(ms),
            )
            .as_secs()
    };
    assert_eq!(
        [0, 1, 59_999, 60_000, 60_001, 90_000, 90_500].map(charged),
        [60, 60, 60, 60, 61, 90, 91]
    );
}

#[test]
fn an_unknown_region_costs_the_dearest_and_says_so() {
    let known = estimate(
        &plan(&["sa-east-1"], 60_000),
        &RunOptions::default(),
        &Site::new("sa-east-1"),
    );
    let unknown = estimate(
        &plan(&["mars-north-1"], 60_000),
        &RunOptions::default(),
        &Site::new("mars-north-1"),
    );
    assert_eq!(known.warnings, Vec::<String>::new());
    assert_eq!(unknown.warnings.len(), 1, "{:?}", unknown.warnings);
    assert!(
        unknown.warnings[0].contains("mars-north-1"),
        "{:?}",
        unknown.warnings
    );
    assert!(unknown.usd() >= known.usd());
    assert_eq!(prices::of("mars-north-1").region, prices::DEAREST);
}

#[test]
fn the_fallback_is_at_least_any_region_in_every_column() {
    let most = prices::of("nowhere");
    for p in prices::table() {
        for (column, dearest) in [
            (p.fargate_arm64.vcpu_hour, most.fargate_arm64.vcpu_hour),
            (p.fargate_arm64.gb_hour, most.fargate_arm64.gb_hour),
            (p.fargate_x86_64.vcpu_hour, most.fargate_x86_64.vcpu_hour),
            (p.fargate_x86_64.gb_hour, most.fargate_x86_64.gb_hour),
            (p.transition, most.transition),
            (p.s3_put, most.s3_put),
            (p.s3_get, most.s3_get),
            (p.s3_gb_month, most.s3_gb_month),
            (p.dynamodb_write, most.dynamodb_write),
            (p.dynamodb_read, most.dynamodb_read),
            (p.logs_gb, most.logs_gb),
        ] {
            assert!(column > 0.0 && column <= dearest, "{}: {column}", p.region);
        }
        // Graviton is the cheaper one everywhere, by a fifth or so: a slip of the pen would show.
        let share = p.fargate_arm64.vcpu_hour / p.fargate_x86_64.vcpu_hour;
        assert!((0.78..0.82).contains(&share), "{}: {share}", p.region);
        assert!(prices::known(p.region));
        assert_eq!(prices::of(p.region), p);
    }
}

#[test]
fn the_cap_of_a_run_bounds_its_estimate() {
    let plan = plan(&["eu-west-1"; 4], 3_600_000);
    let site = Site::new("eu-west-1");
    let free = estimate(&plan, &RunOptions::default(), &site);
    let capped = RunOptions {
        max_duration: Some(Duration::from_secs(600)),
        ..RunOptions::default()
    };
    assert!(estimate(&plan, &capped, &site).usd() < free.usd() / 3.0);
}

#[test]
fn a_record_keeps_the_estimate_beside_the_actual_cost() {
    let before = example().as_estimate();
    assert_eq!(before.actual_usd, None);
    let after = example().as_actual(Some(&before));
    assert_eq!(after.estimate_usd, before.estimate_usd);
    let sum: f64 = after.items.iter().map(|i| i.usd).sum();
    assert!((after.actual_usd.unwrap() - sum).abs() < 1e-12);
    assert_eq!(after.prices_of, PRICES_OF);
}

#[test]
fn a_usage_survives_json() {
    let usage = some_usage(&[(0, 0, 1, 61), (1, 1, 0, 7_200)], &[(0, [1.0; 5])]);
    let text = serde_json::to_string(&usage).unwrap();
    assert_eq!(serde_json::from_str::<Usage>(&text).unwrap(), usage);
    assert_eq!(serde_json::from_str::<Usage>("{}").unwrap(), Usage::new());
}

const REGIONS: [&str; 3] = ["eu-west-1", "ap-northeast-1", "mars-north-1"];

fn some_usage(tasks: &[(usize, u8, u8, u64)], services: &[(usize, [f64; 5])]) -> Usage {
    let mut usage = Usage::new();
    for &(region, arch, capacity, seconds) in tasks {
        usage.add_task(
            REGIONS[region],
            [Architecture::Arm64, Architecture::X86_64][usize::from(arch)],
            [Capacity::OnDemand, Capacity::Spot][usize::from(capacity)],
            Size {
                cpu: 2_048,
                memory: 4_096,
            },
            Duration::from_secs(seconds),
        );
    }
    for &(region, [lambda, puts, gets, writes, log]) in services {
        let s = usage.services(REGIONS[region]);
        s.add_lambda(Architecture::Arm64, lambda, lambda * 0.1);
        s.transitions += lambda;
        s.s3_puts += puts;
        s.s3_gets += gets;
        s.dynamodb_writes += writes;
        s.log_gb += log;
        s.ipv4_hours += log;
    }
    usage
}

fn usages() -> impl Strategy<Value = Usage> {
    let tasks = prop::collection::vec((0..3_usize, 0..2_u8, 0..2_u8, 0..100_000_u64), 0..8);
    let quantities = prop::array::uniform5(0.0..1e6_f64);
    let services = prop::collection::vec((0..3_usize, quantities), 0..4);
    (tasks, services).prop_map(|(tasks, services)| some_usage(&tasks, &services))
}

fn observations() -> impl Strategy<Value = Observed> {
    let task =
        (0..3_usize, any::<bool>(), 0..40_000_u64).prop_map(|(region, spot, seconds)| TaskTime {
            region: REGIONS[region].into(),
            capacity: if spot {
                Capacity::Spot
            } else {
                Capacity::OnDemand
            },
            billed: Duration::from_secs(seconds),
        });
    (prop::collection::vec(task, 1..6), 0..30_000_u64).prop_map(|(tasks, running)| Observed {
        tasks,
        running: Duration::from_secs(running),
        watched: looked_at(Duration::from_secs(running)),
        ..Observed::default()
    })
}

proptest! {
    #[test]
    fn bills_add_up(a in usages(), b in usages()) {
        let mut both = a.clone();
        both.add(&b);
        let mut other = b.clone();
        other.add(&a);
        let (sum, parts) = (bill(&both).usd(), bill(&a).usd() + bill(&b).usd());
        prop_assert!((sum - parts).abs() <= parts * 1e-9);
        prop_assert!((bill(&other).usd() - sum).abs() <= sum * 1e-9);
        prop_assert!(bill(&both).items.iter().all(|i| i.usd > 0.0 && i.quantity > 0.0));
    }

    #[test]
    fn the_cost_so_far_never_falls(
        before in observations(),
        more_s in 0..10_000_u64,
        another in any::<bool>(),
        public_ip in any::<bool>(),
    ) {
        let plan = plan(&["eu-west-1"; 5], 3_600_000);
        let site = Site { public_ip, ..Site::new("eu-west-1") };
        let mut after = before.clone();
        after.running += Duration::from_secs(more_s);
        after.watched = looked_at(after.running);
        for task in &mut after.tasks {
            task.billed += Duration::from_secs(more_s);
        }
        if another {
            after.tasks.push(after.tasks[0].clone());
        }
        let cost = |o: &Observed| so_far(&plan, &RunOptions::default(), &site, o).usd();
        prop_assert!(cost(&after) >= cost(&before));
    }

    #[test]
    fn more_tasks_and_more_time_cost_more(tasks in 1..40_usize, ms in 1_000..20_000_000_u64, more_ms in 60_000..20_000_000_u64) {
        let regions = vec!["eu-central-1"; tasks + 1];
        let site = Site::new("eu-central-1");
        let run = RunOptions::default();
        let cost = |n: usize, ms: u64| estimate(&plan(&regions[..n], ms), &run, &site).usd();
        prop_assert!(cost(tasks, ms) < cost(tasks + 1, ms));
        prop_assert!(cost(tasks, ms) < cost(tasks, ms + more_ms));
    }

    #[test]
    fn what_may_go_on_longer_is_estimated_to_cost_more(tasks in 1..10_usize, longest_s in 60..20_000_u64, more_s in 60..20_000_u64) {
        // A script whose load nobody knows.
        let mut plan = plan(&vec!["eu-west-1"; tasks], 0);
        plan.load = PlannedLoad::default();
        let site = Site::new("eu-west-1");
        let cost = |max_duration: Option<Duration>| {
            let run = RunOptions { max_duration, ..RunOptions::default() };
            estimate(&plan, &run, &site).usd()
        };
        let up_to = |s| cost(Some(Duration::from_secs(s)));
        prop_assert!(up_to(longest_s) < up_to(longest_s + more_s));
        prop_assert_eq!(cost(None), cost(Some(crate::planned::UNKNOWN_DURATION)));
    }

    #[test]
    fn a_run_that_goes_as_planned_costs_no_more_than_estimated(tasks in 1..30_usize, ms in 1_000..10_000_000_u64, spared_ms in 0..30_000_u64) {
        let regions = vec!["us-west-2"; tasks];
        let plan = plan(&regions, ms);
        let (site, run) = (Site::new("us-west-2"), RunOptions::default());
        let running = Duration::from_millis(plan.load.max_duration_ms - spared_ms);
        let observed = Observed {
            tasks: vec![TaskTime { region: "us-west-2".into(), capacity: Capacity::OnDemand, billed: running + Duration::from_secs(40) }; tasks],
            running,
            watched: looked_at(running),
            ..Observed::default()
        };
        prop_assert!(so_far(&plan, &run, &site, &observed).usd() <= estimate(&plan, &run, &site).usd());
    }
}
