//! What is left of a run for whoever was not there: the page, Markdown, annotations, a badge.

use crate::support::{Bench, Ended, arrivals};
use floodgate_records::figures::Figures;
use floodgate_records::summary::Summary;
use floodgate_testserver::{Config, TestServer};
use std::path::PathBuf;
use std::process::Command;

const THRESHOLD: &str = "thresholds:\n  http_reqs: ['rate>1000']\n";

fn folder(bench: &Bench, summary: &Summary) -> PathBuf {
    let place = format!(
        ".floodgate/projects/{}/executions/{}",
        summary.project, summary.execution
    );
    bench.path(&place)
}

/// Runs a test that fails, with variables set.
fn failed(bench: &Bench, variables: &[(&str, &str)], more: &[&str]) -> Ended {
    let target = TestServer::start(Config::service()).unwrap();
    bench.write("t.yaml", &arrivals(&target.url(), 40, "3s", THRESHOLD));
    let mut script = String::new();
    for (name, value) in variables {
        script += &format!("export {name}='{value}'; ");
    }
    let arguments: Vec<_> = ["run", "t.yaml"].iter().chain(more).copied().collect();
    bench
        .spawn_limited(&format!("{script}true"), &arguments)
        .end()
}

#[test]
fn every_run_has_a_page_whose_figures_are_those_of_its_summary() {
    let bench = Bench::new();
    let ended = failed(&bench, &[], &[]);
    ended.expect(99);
    let said = ended.stderr();
    let path = said
        .lines()
        .find_map(|line| line.strip_prefix("report: "))
        .expect(&said);
    let page = std::fs::read_to_string(bench.path(path)).unwrap();
    let id = path.split('/').rev().nth(1).unwrap();
    let summary = bench.floodgate(&["show", id, "--json"]).summary();
    let figures = std::fs::read(folder(&bench, &summary).join("figures.json")).unwrap();
    let figures: Figures = serde_json::from_slice(&figures).unwrap();
    let sum = |of: &[u64]| of.iter().sum::<u64>();
    assert_eq!(sum(&figures.load.requests), summary.applied.http_reqs);
    assert_eq!(sum(&figures.load.completed), summary.applied.iterations);
    assert_eq!(
        sum(figures.load.planned.as_ref().unwrap()),
        summary.planned.iterations.unwrap()
    );
    assert_eq!(
        sum(figures.load.started.as_ref().unwrap()),
        summary.applied.iterations
    );
    let times = &figures.times[0];
    let values = &summary.metrics[&times.metric].values;
    assert_eq!(
        times.distribution.last().unwrap().1 as f64 / 1e3,
        values["max"]
    );
    assert_eq!(sum(&times.slots.count) as f64, values["count"]);
    let most = times.slots.max.iter().flatten().max().unwrap();
    assert_eq!(*most as f64 / 1e3, values["max"]);
    let vus = figures
        .generators
        .vus
        .iter()
        .flatten()
        .copied()
        .fold(0.0, f64::max);
    assert_eq!(vus, summary.metrics["vus"].values["max"]);
    assert!(
        page.contains("✗ FAILED") && page.contains("rate&#62;1000"),
        "{id}"
    );
    // The same again, from what is stored, and from the merged data alone as after a run of an earlier version.
    bench
        .floodgate(&["report", id, "--html", "again.html"])
        .expect(0);
    assert!(std::fs::read_to_string(bench.path("again.html")).unwrap() == page);
    let place = folder(&bench, &summary).join("figures.json");
    let written = std::fs::read(&place).unwrap();
    for damage in [None, Some("{\"schema\": 1, \"exec")] {
        match damage {
            None => std::fs::remove_file(&place).unwrap(),
            Some(text) => std::fs::write(&place, text).unwrap(),
        }
        std::fs::remove_file(bench.path(path)).unwrap();
        bench.floodgate(&["report", id]).expect(0);
        assert!(std::fs::read_to_string(bench.path(path)).unwrap() == page);
        assert!(std::fs::read(&place).unwrap() == written);
    }
    // Markdown names the page that the run has.
    bench
        .floodgate(&["report", id, "--markdown", "v.md"])
        .expect(0);
    let said = std::fs::read_to_string(bench.path("v.md")).unwrap();
    assert!(
        said.contains("Report: <code>.floodgate/projects/"),
        "{said}"
    );
    std::fs::remove_file(bench.path(path)).unwrap();
    bench
        .floodgate(&["report", id, "--markdown", "v.md"])
        .expect(0);
    let said = std::fs::read_to_string(bench.path("v.md")).unwrap();
    assert!(!said.contains("Report:"), "{said}");
}

/// What the schedule planned where it depends on what the run was started with is not made up.
#[test]
fn a_schedule_that_depends_on_references_is_not_planned_again() {
    let bench = Bench::new();
    let target = TestServer::start(Config::service()).unwrap();
    let definition = arrivals(&target.url(), 40, "1s", "");
    bench.write(
        "t.yaml",
        &definition.replace("rate: 40", "rate: ${env:RATE:-20}"),
    );
    let ended = bench
        .spawn_limited("export RATE=30", &["run", "t.yaml", "--json"])
        .end();
    ended.expect(0);
    let summary = ended.summary();
    let place = folder(&bench, &summary).join("figures.json");
    std::fs::remove_file(&place).unwrap();
    let id = &summary.execution;
    bench
        .floodgate(&["report", id, "--html", "again.html"])
        .expect(0);
    let page = std::fs::read_to_string(bench.path("again.html")).unwrap();
    assert!(page.contains("\"planned\":null"));
    assert!(!place.exists());
}

/// `runs | grep NAME` finds it: nothing is broken for a program.
#[test]
fn through_a_pipe_no_name_is_broken() {
    let bench = Bench::new();
    let target = TestServer::start(Config::service()).unwrap();
    let name = "n".repeat(60);
    let definition = arrivals(&target.url(), 40, "1s", "");
    bench.write(
        "t.yaml",
        &definition.replace("test: arrivals", &format!("test: {name}")),
    );
    bench.floodgate(&["run", "t.yaml"]).expect(0);
    let listed = bench.floodgate(&["runs"]).stdout();
    assert!(listed.contains(&format!("e2e/{name}")), "{listed}");
}

/// What a person who reads the message needs: which file, and what to do.
#[test]
fn a_damaged_file_is_named_with_a_remedy() {
    let bench = Bench::new();
    let target = TestServer::start(Config::service()).unwrap();
    let (ended, summary) = bench.run(&arrivals(&target.url(), 40, "1s", ""), &[]);
    ended.expect(0);
    let place = folder(&bench, &summary);
    std::fs::remove_file(place.join("figures.json")).unwrap();
    for name in ["merged.parquet", "summary.json"] {
        std::fs::write(place.join(name), "damage").unwrap();
        let ended = bench.floodgate(&["report", &summary.execution]);
        ended.expect(97);
        let (said, path) = (ended.stderr(), place.join(name));
        assert!(said.contains(&path.display().to_string()), "{said}");
        assert!(said.contains("back-up"), "{said}");
    }
}

#[test]
fn a_report_that_cannot_be_written_changes_no_verdict() {
    let bench = Bench::new();
    let id = "01JD7Q3W5Z8X9Y0A1B2C3D4E5F";
    let place = format!(".floodgate/projects/e2e/executions/{id}");
    std::fs::create_dir_all(bench.path(&place).join("report.html/in-the-way")).unwrap();
    let ended = failed(&bench, &[], &["--id", id]);
    ended.expect(99);
    let said = ended.stderr();
    assert!(
        said.contains("there is no report") && said.contains("failed all the same"),
        "{said}"
    );
}

#[test]
fn forms_are_written_where_they_are_asked_for() {
    let bench = Bench::new();
    let forms = [
        "--markdown",
        "v.md",
        "--html",
        "v.html",
        "--badge",
        "v.svg",
        "--openmetrics",
        "v.txt",
        "--junit",
        "v.xml",
    ];
    failed(&bench, &[], &forms).expect(99);
    let read = |name: &str| std::fs::read_to_string(bench.path(name)).unwrap();
    assert!(
        read("v.md").starts_with("### ✗ FAILED <code>e2e/arrivals</code>"),
        "{}",
        read("v.md")
    );
    assert!(
        read("v.md").contains("| <code>home</code> | 120 |"),
        "{}",
        read("v.md")
    );
    assert!(read("v.html").starts_with("<!doctype html>"));
    assert!(read("v.svg").contains("load test: failed"));
    assert!(read("v.txt").starts_with("floodgate_passed{test=\"e2e/arrivals\"} 0\n"));
    assert!(read("v.xml").contains("<testsuite"));
    let refused = bench.floodgate(&["run", "t.yaml", "--markdown", "no/such/folder.md"]);
    refused.expect(97);
    assert!(
        refused.stderr().contains("in a folder that exists"),
        "{}",
        refused.stderr()
    );
}

#[test]
fn a_pipeline_is_told_why_in_the_first_line() {
    let bench = Bench::new();
    let summary = bench.path("step.md");
    std::fs::write(&summary, "before\n").unwrap();
    let path = summary.display().to_string();
    let variables = [("GITHUB_ACTIONS", "true"), ("GITHUB_STEP_SUMMARY", &*path)];
    let ended = failed(&bench, &variables, &["--quiet"]);
    ended.expect(99);
    let first = ended.stdout().lines().next().unwrap().to_owned();
    assert!(
        first.starts_with("✗ FAILED  ") && first.contains("rate>1000"),
        "{first}"
    );
    let said = ended.stderr();
    let annotation = said.lines().next().unwrap();
    assert!(
        annotation.starts_with("::error title=Floodgate%3A e2e/arrivals failed::"),
        "{said}"
    );
    assert!(annotation.contains("rate>1000"), "{said}");
    let added = std::fs::read_to_string(&summary).unwrap();
    assert!(
        added.starts_with("before\n### ✗ FAILED") && added.contains("Report: <code>"),
        "{added}"
    );
    // A job's summary that cannot be written changes nothing.
    let variables = [("GITHUB_STEP_SUMMARY", "/no/such/folder/step.md")];
    let ended = failed(&bench, &variables, &["--quiet"]);
    ended.expect(99);
    assert!(
        ended.stderr().contains("warning: /no/such/folder/step.md"),
        "{}",
        ended.stderr()
    );
}

/// What is imported has a page, too.
#[test]
fn imported_results_have_a_page() {
    let bench = Bench::new();
    let line = |at: u32, ms: u32| {
        format!(
            "17000000{at:02}000,{ms},home,200,OK,main 1-1,text,true,,512,128,1,1,http://shop/,{ms},0,0\n"
        )
    };
    let head = "timeStamp,elapsed,label,responseCode,responseMessage,threadName,dataType,success,failureMessage,bytes,sentBytes,grpThreads,allThreads,URL,Latency,IdleTime,Connect\n";
    let lines: String = (0..20).map(|at| line(at, 20 + at)).collect();
    bench.write("results.jtl", &format!("{head}{lines}"));
    let ended = bench.floodgate(&["import", "results.jtl"]);
    let said = ended.stderr();
    let path = said
        .lines()
        .find_map(|line| line.strip_prefix("report: "))
        .expect(&said);
    let page = std::fs::read_to_string(bench.path(path)).unwrap();
    assert!(page.contains("data-chart=\"heat\"") && page.contains("home"));
    // Nothing else is asked of the environment: the program finds it again by its id alone.
    let id = path.split('/').rev().nth(1).unwrap();
    let out = Command::new(env!("CARGO_BIN_EXE_floodgate"))
        .args(["report", id])
        .current_dir(bench.path("."))
        .output()
        .unwrap();
    assert!(
        out.status.success(),
        "{}",
        String::from_utf8_lossy(&out.stderr)
    );
}
