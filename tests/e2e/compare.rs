//! `floodgate compare`: results of runs that took five minutes elsewhere, taken over and compared.

use crate::support::*;
use floodgate_records::comparison::{Change, Comparison};
use floodgate_records::trend::Trend;
use std::fmt::Write as _;

const START_MS: u64 = 1_795_330_000_000;
const HEAD: &str = "timeStamp,elapsed,label,responseCode,responseMessage,threadName,dataType,success,failureMessage,bytes,sentBytes,grpThreads,\
                    allThreads,URL,Latency,IdleTime,Connect\n";

/// Five minutes at 100/s with times that vary around 50 ms times the scale; each seed gives others.
fn results(seed: u64, scale: f64) -> String {
    let mut text = HEAD.to_owned();
    let mut random = seed;
    for n in 0..30_000 {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let part = (random >> 40) as f64 / f64::from(1_u32 << 24);
        let elapsed = (50.0 * scale * (1.0 + 3.0 * part.powi(4))) as u64;
        let at = START_MS + n * 10;
        let _ = writeln!(
            text,
            "{at},{elapsed},home,200,OK,g 1-1,text,true,,100,50,1,1,http://h/,{elapsed},0,0"
        );
    }
    text
}

/// Takes results over as a run of the test; its id.
fn taken_over(bench: &Bench, file: &str, test: &str, text: &str) -> String {
    bench.write(file, text);
    let path = bench.path(file).display().to_string();
    let ended = bench.floodgate(&["import", &path, "--test", test, "--json"]);
    ended.expect(0).summary().execution
}

fn comparison(ended: &Ended) -> Comparison {
    serde_json::from_str(&ended.stdout()).unwrap()
}

#[test]
fn a_slower_run_has_regressed_and_the_same_again_has_not() {
    let bench = Bench::new();
    let base = taken_over(&bench, "base.csv", "shop", &results(1, 1.0));
    let same = taken_over(&bench, "same.csv", "shop", &results(2, 1.0));
    let slow = taken_over(&bench, "slow.csv", "shop", &results(3, 1.2));

    let ended = bench.floodgate(&["compare", &base, &slow]);
    let shown = ended.expect(99).stdout();
    assert!(shown.starts_with("✗ REGRESSED  default/shop"), "{shown}");
    assert!(shown.contains("http_req_duration p(95)"), "{shown}");

    let ended = bench.floodgate(&["compare", &base, &same, "--json"]);
    let found = comparison(ended.expect(0));
    assert_eq!(found.outcome, Change::Unchanged, "{found:#?}");
    assert_eq!(found.gates.len(), 5);

    let ended = bench.floodgate(&[
        "compare",
        &slow,
        &base,
        "--json",
        "-m",
        "http_req_duration avg",
    ]);
    let found = comparison(ended.expect(0));
    assert_eq!(found.outcome, Change::Improved);
    let ratio = found.gates[0].ratio.unwrap();
    assert!(ratio.low < 1.0 / 1.2 && 1.0 / 1.2 < ratio.high, "{ratio:?}");
}

#[test]
fn what_cannot_be_compared_is_told_apart_from_what_was_asked_wrongly() {
    let bench = Bench::new();
    let base = taken_over(&bench, "base.csv", "shop", &results(1, 1.0));
    let other = taken_over(&bench, "other.csv", "other", &results(1, 1.0));
    let ended = bench.floodgate(&["compare", &base, &other]);
    let shown = ended.expect(98).stdout();
    assert!(shown.starts_with("? NOT COMPARABLE"), "{shown}");
    assert!(
        shown.contains("runs of different tests: default/shop and default/other"),
        "{shown}"
    );

    // Ten seconds say nothing about how much runs vary.
    let short: String = results(1, 1.0)
        .lines()
        .take(1_001)
        .map(|line| format!("{line}\n"))
        .collect();
    let short = [
        taken_over(&bench, "a.csv", "short", &short),
        taken_over(&bench, "b.csv", "short", &short),
    ];
    let ended = bench.floodgate(&["compare", &short[0], &short[1]]);
    let shown = ended.expect(98).stdout();
    assert!(
        shown.starts_with("? UNDECIDED") && shown.contains("too few windows"),
        "{shown}"
    );

    for (arguments, told) in [
        (vec![base.as_str(), base.as_str()], "name two"),
        (vec![base.as_str(), "01AAAAAAAA"], "there is no execution"),
        (
            vec![base.as_str(), other.as_str(), "-m", "http_req_duration"],
            "aggregate",
        ),
        (
            vec![base.as_str(), other.as_str(), "--min-effect", "0%"],
            "from 0.1% to 100%",
        ),
    ] {
        let ended = bench.floodgate(&[&["compare"], &arguments[..]].concat());
        let shown = ended.expect(104).stderr();
        assert!(shown.contains(told), "{shown}");
    }
}

/// Takes results over with a definition that compares them.
fn judged(bench: &Bench, results: &str, baseline: &str) -> Ended {
    bench.write("results.csv", results);
    bench.write("plan.jmx", include_str!("scripts/browse.jmx"));
    let test = "version: 1\ntest: shop\nengine: jmeter\nscript: plan.jmx\n";
    let metrics = "[http_req_duration p(95), http_req_failed rate]";
    let text = format!("{test}baseline: {{metrics: {metrics}, {baseline}}}\n");
    bench.write("compared.yaml", &text);
    let [results, definition] = ["results.csv", "compared.yaml"].map(|name| bench.path(name));
    let (results, definition) = (
        results.display().to_string(),
        definition.display().to_string(),
    );
    bench.floodgate(&["import", &results, "--definition", &definition, "--json"])
}

#[test]
fn a_definition_fails_a_run_that_has_regressed() {
    const BY: &str = "method: compare";
    let bench = Bench::new();
    let first = judged(&bench, &results(1, 1.0), BY).expect(0).summary();
    assert_eq!(first.comparison, None);
    let said = first.warnings.join("; ");
    assert!(
        said.contains("no earlier run to compare with yet"),
        "{said}"
    );

    let same = judged(&bench, &results(2, 1.0), BY).expect(0).summary();
    let found = same.comparison.unwrap();
    assert_eq!(found.outcome, Change::Unchanged, "{found:#?}");
    assert_eq!(found.base.execution, first.execution);

    let slow = judged(&bench, &results(3, 1.2), BY).expect(99).summary();
    assert!(slow.reasons[0].starts_with("worse than the baseline: http_req_duration p(95)"));
    let shown = bench.floodgate(&["show", &slow.execution]);
    let shown = shown.expect(0).stdout();
    assert!(
        shown.contains("✗ regressed") && shown.contains(&same.execution),
        "{shown}"
    );

    // What has changed may be the test: named, and no deadlock.
    let changed = "method: compare, min_effect: 4%";
    let other = judged(&bench, &results(4, 1.2), changed)
        .expect(0)
        .summary();
    let said = other.warnings.join("; ");
    assert!(
        said.contains("not comparable with any run before it")
            && said.contains("the test has changed"),
        "{said}"
    );
    let named = format!("{changed}, compare: {}", first.execution);
    let named = judged(&bench, &results(5, 1.0), &named)
        .expect(98)
        .summary();
    assert!(
        named.reasons[0].contains("not comparable with the baseline"),
        "{:?}",
        named.reasons
    );
}

#[test]
fn a_run_is_compared_with_several_before_it() {
    const BY: &str = "compare: {rolling: 5}";
    let bench = Bench::new();
    for seed in 0..5 {
        judged(&bench, &results(10 + seed, 1.0), BY).expect(0);
    }
    let same = judged(&bench, &results(20, 1.0), BY).expect(0).summary();
    let found = same.comparison.unwrap();
    assert_eq!(
        (found.pooled, found.outcome),
        (5, Change::Unchanged),
        "{found:#?}"
    );
    let slow = judged(&bench, &results(21, 1.2), BY).expect(99).summary();
    assert_eq!(slow.comparison.unwrap().outcome, Change::Regressed);
}

#[test]
fn a_pinned_run_is_what_others_are_compared_with() {
    const BY: &str = "compare: pinned, method: compare";
    let bench = Bench::new();
    let none = judged(&bench, &results(1, 1.0), BY).expect(98).summary();
    assert!(
        none.reasons[0].contains("floodgate baseline set shop RUN"),
        "{:?}",
        none.reasons
    );
    let base = judged(&bench, &results(1, 1.0), "tolerance: 10%")
        .expect(0)
        .summary();
    let other = taken_over(&bench, "other.csv", "other", &results(1, 1.0));

    for (arguments, told) in [
        (
            ["set", "shop", &none.execution],
            "it is inconclusive; pin a run that passed",
        ),
        (["set", "shop", &other], "is of the test other, not of shop"),
        (["set", "shop", "01AAAAAAAA"], "there is no execution"),
        (
            ["set", "more/shop", &base.execution],
            "there is no execution",
        ),
    ] {
        let ended = bench.floodgate(&[&["baseline"], &arguments[..]].concat());
        let shown = ended.expect(104).stderr();
        assert!(shown.contains(told), "{shown}");
    }
    let show = || {
        bench
            .floodgate(&["baseline", "show", "default/shop"])
            .expect(0)
            .stdout()
    };
    assert!(
        show().contains("none; pin a run with floodgate baseline set"),
        "{}",
        show()
    );

    // A prefix will do. By a tolerance, other versions are compared as well.
    let short = &base.execution[..20];
    bench
        .floodgate(&["baseline", "set", "shop", short])
        .expect(0);
    assert!(
        show().contains(&base.execution) && show().contains("pinned by ann"),
        "{}",
        show()
    );
    let pinned = judged(&bench, &results(2, 1.0), "compare: pinned")
        .expect(0)
        .summary();
    let found = pinned.baseline.unwrap().execution;
    assert_eq!(found.as_deref(), Some(base.execution.as_str()));
    let named = judged(&bench, &results(2, 1.0), BY).expect(98).summary();
    assert!(
        named.reasons[0].contains(&base.execution),
        "{:?}",
        named.reasons
    );

    bench.floodgate(&["baseline", "clear", "shop"]).expect(0);
    assert!(show().contains("ann took the pin away"), "{}", show());
    let json = bench.floodgate(&["baseline", "show", "shop", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&json.expect(0).stdout()).unwrap();
    assert!(json["execution"].is_null() && json["by"] == "ann", "{json}");
}

#[test]
fn a_trend_names_the_run_with_which_a_number_changed() {
    let bench = Bench::new();
    let few = |seed, scale| {
        let text = results(seed, scale);
        let lines = text.lines().take(1_001);
        lines.map(|line| format!("{line}\n")).collect::<String>()
    };
    let ids: Vec<_> = (0..12)
        .map(|n| {
            let scale = if n < 6 { 1.0 } else { 1.5 };
            taken_over(&bench, &format!("{n}.csv"), "shop", &few(n, scale))
        })
        .collect();
    let shown = bench.floodgate(&["trend", "shop"]).expect(0).stdout();
    assert!(shown.starts_with("default/shop  12 runs"), "{shown}");
    assert!(
        shown.contains(&ids[6]) && !shown.contains(&ids[5]),
        "{shown}"
    );
    assert!(shown.contains("✗  http_req_duration p(95) +"), "{shown}");
    assert!(!shown.contains('\u{1b}'), "no colours in a pipe: {shown}");

    let arguments = [
        "trend",
        "default/shop",
        "--runs",
        "8",
        "-m",
        "http_req_duration p(95)",
        "--json",
    ];
    let found = bench.floodgate(&arguments);
    let found: Trend = serde_json::from_str(&found.expect(0).stdout()).unwrap();
    assert_eq!(found.runs.len(), 8);
    let [change] = &found.metrics[0].changes[..] else {
        panic!("{found:#?}")
    };
    assert_eq!((change.run, &change.execution), (2, &ids[6]));
    assert_eq!(change.outcome, Change::Regressed);

    let none = bench.floodgate(&["trend", "nothing"]);
    let shown = none.expect(104).stderr();
    assert!(
        shown.contains("no run of default/nothing has passed or failed"),
        "{shown}"
    );
}
