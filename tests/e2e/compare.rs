//! `floodgate compare`: results of runs that took five minutes elsewhere, taken over and compared.

use crate::support::*;
use floodgate_records::comparison::{Change, Comparison};
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
