//! `floodgate import`: recordings of the real tools, through the program.

use crate::support::*;
use floodgate_records::status::Status;
use std::path::{Path, PathBuf};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("crates/engines/fixtures")
        .join(name)
}

fn import(bench: &Bench, files: &[&Path], more: &[&str]) -> Ended {
    let files: Vec<String> = files
        .iter()
        .map(|file| file.display().to_string())
        .collect();
    let files = files.iter().map(String::as_str);
    let args: Vec<&str> = ["import", "--json"]
        .into_iter()
        .chain(files)
        .chain(more.iter().copied())
        .collect();
    bench.floodgate(&args)
}

#[test]
fn every_format_is_told_by_its_content_and_judged() {
    let bench = Bench::new();
    for name in [
        "k6/samples.json",
        "k6/samples.csv",
        "k6/samples-v1.json",
        "k6/samples-v1.csv",
        "jmeter/5.6.3-default.csv",
        "jmeter/5.6.3-bare.csv",
        "jmeter/5.6.3-xml.jtl",
        "gatling/text/simulation.log",
        "gatling/binary/simulation.log",
    ] {
        // In the recorded script of k6, all requests of one scenario fail.
        let (code, status) = match name.starts_with("k6/") {
            true => (99, Status::Failed),
            false => (0, Status::Passed),
        };
        let holds = ["--threshold", "http_reqs: count>10", "--test", "taken-over"];
        let summary = import(&bench, &[&fixture(name)], &holds)
            .expect(code)
            .summary();
        assert_eq!(summary.status, status, "{name}");
        // Nothing else is wrong with it.
        assert!(summary.reasons.len() == 1, "{name}: {:?}", summary.reasons);
        let scenario = |reason: &String| reason.contains("of the scenario api failed");
        assert_eq!(summary.reasons.iter().any(scenario), code == 99, "{name}");
        assert!(
            value(&summary, "http_req_duration", "count") > 10.0,
            "{name}"
        );
        let fails = ["--threshold", "http_reqs: count<10"];
        import(&bench, &[&fixture(name)], &fails).expect(99);
    }
    let listed = bench.floodgate(&["runs"]);
    assert!(listed.expect(0).stdout().contains("taken-over"));
}

#[test]
fn several_files_are_the_tasks_of_one_run() {
    let bench = Bench::new();
    let file = fixture("k6/samples.json");
    let one = import(&bench, &[&file], &[]).expect(99).summary();
    let two = import(&bench, &[&file, &file], &[]).expect(99).summary();
    assert_eq!(
        value(&two, "http_reqs", "count"),
        2.0 * value(&one, "http_reqs", "count")
    );
    assert_eq!(
        value(&two, "http_req_duration", "p(95)"),
        value(&one, "http_req_duration", "p(95)")
    );
    assert_eq!(two.completeness.tasks_reported, 2);
    let shown = bench.floodgate(&["show", &two.execution, "--json"]);
    assert_eq!(shown.expect(0).summary(), two);
}

#[test]
fn a_file_that_breaks_off_is_read_as_far_as_it_goes_and_rubbish_is_an_error() {
    let bench = Bench::new();
    let whole = std::fs::read(fixture("k6/samples.json")).unwrap();
    std::fs::write(bench.path("cut.json"), &whole[..whole.len() / 2]).unwrap();
    let cut = import(&bench, &[&bench.path("cut.json")], &[])
        .expect(98)
        .summary();
    assert!(value(&cut, "http_reqs", "count") > 5.0);
    assert!(!cut.warnings.is_empty());
    assert_eq!(cut.status, Status::Inconclusive, "half a run is not a pass");

    let text = std::fs::read_to_string(fixture("jmeter/5.6.3-default.csv")).unwrap();
    let broken: Vec<&str> = text.lines().take(5).chain(["no,sample"]).collect();
    bench.write("broken.csv", &(broken.join("\n") + "\n"));
    let ended = import(&bench, &[&bench.path("broken.csv")], &[]);
    let summary = ended.expect(97).summary();
    assert!(
        summary
            .reasons
            .iter()
            .any(|r| r.contains("broken.csv: line 6")),
        "{:?}",
        summary.reasons
    );
    assert!(
        value(&summary, "http_reqs", "count") > 0.0,
        "what was read is kept"
    );

    bench.write("notes.txt", "these are notes\n");
    let ended = import(&bench, &[&bench.path("notes.txt")], &[]);
    assert!(
        ended.stderr().contains("is not a known kind of result"),
        "{}",
        ended.stderr()
    );
    assert_ne!(ended.code(), Some(0));
}
