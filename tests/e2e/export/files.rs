//! Files, read back by what reads such files.

use super::server::installed;
use super::*;
use std::process::Command;

#[test]
fn files_have_what_the_run_measured_live_and_afterwards() {
    let bench = Bench::new();
    let live = [
        "file:live.csv",
        "file:live.jsonl",
        "file:live.json",
        "file:live.hlog",
    ];
    let (_, summary) = run(&bench, 20, &live);
    for name in ["csv", "jsonl", "json", "hlog"] {
        let told = export(&bench, &summary, &format!("file:after.{name}"));
        told.expect(0);
        assert!(told.stderr().is_empty(), "{}", told.stderr());
        let read =
            |place: &str| std::fs::read_to_string(bench.path(&format!("{place}.{name}"))).unwrap();
        let (live, after) = (read("live"), read("after"));
        // The log begins with the start of the run, which is not known before.
        if name != "hlog" {
            assert_eq!(live, after, "{name}");
        }
    }
    let text = std::fs::read_to_string(bench.path("live.json")).unwrap();
    let lines = text
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let points: Vec<_> = lines.filter(|line| line["type"] == "Point").collect();
    let of = |metric: &str| -> Vec<f64> {
        let of = points.iter().filter(|point| point["metric"] == metric);
        of.map(|point| point["data"]["value"].as_f64().unwrap())
            .collect()
    };
    assert_eq!(of("http_reqs").iter().sum::<f64>(), 54.0);
    assert_eq!(of("http_req_duration").len(), 54);
    assert_eq!(of("http_req_failed").iter().sum::<f64>(), 7.0);
}

const READER: &str = "
import sys
from hdrh.histogram import HdrHistogram
from hdrh.log import HistogramLogReader
total = HdrHistogram(1, 3600000000, 3)
reader = HistogramLogReader(sys.argv[1], HdrHistogram(1, 3600000000, 3))
while True:
    histogram = reader.get_next_interval_histogram()
    if histogram is None:
        break
    if histogram.get_tag().startswith('http_req_duration'):
        total.add(histogram)
print(total.get_total_count(), total.get_value_at_percentile(50), total.get_value_at_percentile(95), total.get_max_value())
";

#[test]
fn the_library_of_histograms_reads_the_log() {
    let Some(python) = installed("FLOODGATE_HDR_PYTHON") else {
        return;
    };
    let bench = Bench::new();
    let (_, summary) = run(&bench, 20, &[]);
    export(&bench, &summary, "file:run.hlog").expect(0);
    let output = Command::new(python)
        .args(["-c", READER])
        .arg(bench.path("run.hlog"))
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let numbers: Vec<f64> = said
        .split_whitespace()
        .map(|n| n.parse().unwrap())
        .collect();
    assert_eq!(
        numbers.len(),
        4,
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(numbers[0], 54.0);
    // The library rounds the rank of a percentile, where the summary rounds it up: it may be one sample below.
    for (found, [least, most]) in
        numbers[1..]
            .iter()
            .zip([["med", "med"], ["p(90)", "p(95)"], ["max", "max"]])
    {
        let bound = |name: &str| value(&summary, "http_req_duration", name) * 1e3;
        let (least, most) = (bound(least) * 0.999, bound(most) * 1.001);
        assert!(
            (least..=most).contains(found),
            "{found} in {least}..={most}: {said}"
        );
    }
}
