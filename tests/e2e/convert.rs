//! Definitions that are made of recordings, commands and documents, run against the shop that they are of.

use crate::support::*;
use floodgate_records::status::Status;
use floodgate_testserver::{Config, TestServer};

/// A recording of the shop: a visitor looks at a product, logs in, orders it, and looks at the order.
const SHOP: &str = include_str!("../../crates/convert/fixtures/chrome-shop.har");

#[test]
fn a_recorded_journey_runs_with_values_of_its_own() {
    let (bench, target) = (Bench::new(), TestServer::start(Config::service()).unwrap());
    bench.write("shop.har", SHOP);
    let made = bench.floodgate(&["convert", "shop.har", "--out", "shop.yaml", "--no-think"]);
    assert!(
        made.expect(0)
            .stdout()
            .starts_with("wrote shop.yaml; next:"),
        "{}",
        made.stdout()
    );
    assert!(
        made.stderr()
            .contains("note: to be set before a run: ${secret:password}"),
        "{}",
        made.stderr()
    );
    let valid = bench.floodgate(&["validate", "shop.yaml"]);
    assert!(
        valid
            .expect(0)
            .stdout()
            .contains("shop.yaml is valid: test shop"),
        "{}",
        valid.stdout()
    );
    let url = format!("target={}", target.url());
    let args = [
        "run",
        "shop.yaml",
        "--json",
        "--set",
        &url,
        "--set",
        "rate=5",
        "--set",
        "scenarios.shop.duration=2s",
        "--set",
        "thresholds.http_req_duration=p(95)<60000",
        "--env",
        "FLOODGATE_SECRET_PASSWORD=x",
    ];
    let ended = bench.floodgate(&args);
    let summary = ended.expect(0).summary();
    assert_eq!(summary.status, Status::Passed);
    assert_eq!(value(&summary, "iterations", "count"), 10.0);
    assert_eq!(value(&summary, "checks", "rate"), 1.0);
    assert_eq!(value(&summary, "http_reqs", "count"), 60.0);
    // Each iteration looked at the order that it had made itself.
    for order in 1..=10 {
        assert_eq!(
            target.counters().path(&format!("/api/orders/o-{order}")),
            1,
            "{order}"
        );
    }
    assert_eq!(target.counters().path("/api/products/7"), 10);
}

#[test]
fn commands_from_a_pipe_become_a_definition_on_stdout() {
    let (bench, target) = (Bench::new(), TestServer::start(Config::service()).unwrap());
    let commands = format!(
        "curl -s {0}/api/products \\\n  -H 'accept: application/json' --compressed\ncurl {0}/api/login -d '{{\"user\": \"ann\", \"password\": \"x\"}}' -H 'content-type: application/json'\n",
        target.url()
    );
    let made = bench.floodgate_reading(&commands, &["convert", "-", "--test", "piped"]);
    let text = made.expect(0).stdout();
    assert!(text.contains("test: piped\n"), "{text}");
    bench.write("piped.yaml", &text);
    let ended = bench.floodgate(&[
        "run",
        "piped.yaml",
        "--json",
        "--set",
        "scenarios.piped.duration=1s",
        "--set",
        "thresholds.http_req_duration=p(95)<60000",
        "-e",
        "FLOODGATE_SECRET_PASSWORD=x",
    ]);
    assert_eq!(value(&ended.expect(0).summary(), "checks", "rate"), 1.0);
}

#[test]
fn nothing_is_written_over_and_what_is_wrong_is_named() {
    let bench = Bench::new();
    bench.write("shop.har", SHOP);
    bench.write("there.yaml", "mine");
    bench
        .floodgate(&["convert", "shop.har", "--out", "there.yaml"])
        .refused("there.yaml exists already");
    assert_eq!(
        std::fs::read_to_string(bench.path("there.yaml")).unwrap(),
        "mine"
    );
    bench.write("cut.har", &SHOP[..SHOP.len() / 2]);
    bench
        .floodgate(&["convert", "cut.har", "--out", "cut.yaml"])
        .refused("of the HAR cannot be read: EOF");
    assert!(!bench.path("cut.yaml").exists());
    bench
        .floodgate(&["convert", "shp.har"])
        .refused("did you mean shop.har?");
    bench
        .floodgate(&["convert", "shop.har", "--host", "x"])
        .refused("the hosts are 127.0.0.1:18080, metrics.example");
    bench
        .floodgate(&["convert", "shop.har", "--from", "openapi"])
        .refused("has no key openapi");
}
