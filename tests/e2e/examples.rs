//! The published examples, shortened, against the bundled shop: every path, field and header in them is one it knows.

use crate::support::*;
use floodgate_records::status::Status;
use floodgate_testserver::{Config, TestServer, tls};

/// Every example, and what makes it short and gentle.
const EXAMPLES: &[(&str, &[&str])] = &[
    ("hello", &["scenarios.hello.duration=1s"]),
    (
        "checkout",
        &[
            "rate=10",
            "duration=1s",
            "scenarios.buy.startTime=0s",
            "scenarios.buy.stages=[{duration: 2s, target: 2}]",
        ],
    ),
    ("contract", &["rate=10", "duration=2s"]),
    ("journeys", &["vus=4", "duration=1s"]),
    (
        "ramping",
        &[
            "peak=20",
            "scenarios.climb.stages=[{duration: 1s, target: 20}]",
        ],
    ),
    (
        "soak",
        &["duration=4s", "warmup=1s", "from=2s", "window=1s"],
    ),
    (
        "spike",
        &[
            "scenarios.base.duration=1s",
            "scenarios.probe.duration=1s",
            "scenarios.spike.startTime=0s",
            "scenarios.spike.stages=[{duration: 0s, target: 20}, {duration: 1s, target: 20}]",
        ],
    ),
    (
        "thresholds",
        &["scenarios.steady.rate=20", "scenarios.steady.duration=1s"],
    ),
    (
        "tls-http2",
        &[
            "http.ca=ca.pem",
            "scenarios.closed.iterations=2",
            "scenarios.fresh-connections.iterations=10",
        ],
    ),
];

fn folder() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples")
}

#[test]
fn every_example_is_here() {
    let yaml = files(&folder(), ".yaml");
    let names = yaml
        .iter()
        .map(|path| path.file_stem().unwrap().to_str().unwrap());
    let mut listed: Vec<_> = EXAMPLES.iter().map(|(name, _)| *name).collect();
    listed.sort_unstable();
    assert_eq!(names.collect::<Vec<_>>(), listed);
}

#[test]
fn every_example_is_understood_by_the_bundled_shop() {
    let bench = Bench::new();
    for file in files(&folder(), "examples") {
        std::fs::copy(
            &file,
            bench.path(file.file_name().unwrap().to_str().unwrap()),
        )
        .unwrap();
    }
    for (name, short) in EXAMPLES {
        let config = Config::service();
        let target = TestServer::start(if name.starts_with("tls") {
            config.with_tls(tls::Mode::Valid)
        } else {
            config
        })
        .unwrap();
        if let Some(ca) = target.ca_pem() {
            bench.write("ca.pem", ca);
        }
        let file = format!("{name}.yaml");
        let to = format!("target={}", target.url());
        let sets = [to.as_str()].into_iter().chain(short.iter().copied());
        let args: Vec<&str> = ["run", &file, "--json"]
            .into_iter()
            .chain(sets.flat_map(|set| ["--set", set]))
            .collect();
        let ended = bench.floodgate(&args);
        let summary = ended.summary();
        // Latencies and rates are the machine's: what may depend on them does not decide here.
        assert_ne!(
            summary.status,
            Status::Errored,
            "{name}: {}",
            ended.stderr()
        );
        assert!(value(&summary, "http_reqs", "count") >= 5.0, "{name}");
        assert_eq!(
            value(&summary, "http_req_failed", "rate"),
            0.0,
            "{name}: {:?}",
            summary.errors
        );
        for check in summary
            .checks
            .iter()
            .filter(|c| !c.name.contains("duration"))
        {
            assert_eq!(check.fails, 0, "{name}: {}", check.name);
        }
    }
}
