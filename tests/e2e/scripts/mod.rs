//! Scripts of k6, JMeter and Gatling through the program, by the real tools where they are installed, and their results from
//! elsewhere.

mod failures;
mod given;
mod k6;
mod misbehaving;
mod plans;
mod projects;
mod results;
mod series;

use crate::support::*;
use floodgate_records::status::Status;
use floodgate_records::summary::Summary;
use floodgate_testserver::{Config, TestServer};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A tool as `cargo xtask test` provides it; without it the test returns with a word.
fn tool(variable: &str) -> Option<PathBuf> {
    let place = std::env::var_os(variable).map(PathBuf::from);
    if place.is_none() {
        eprintln!("skipped: {variable} is not set; cargo xtask test sets it");
    }
    place
}

fn here(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/e2e/scripts")
        .join(name)
}

fn copied(bench: &Bench, name: &str) {
    std::fs::copy(here(name), bench.path(name)).unwrap();
}

/// A definition that runs a script against a target.
fn definition(engine: &str, script: &str, target: &TestServer, rest: &str) -> String {
    let (url, port) = (target.url(), target.addr().port());
    format!(
        "version: 1\ntest: browse\nengine: {engine}\nscript: {script}\ntarget: {url}\nparameters: {{port: {port}}}\n{rest}"
    )
}

/// Runs the same script over one and over three tasks: both send all of its 100 requests, and no more.
fn any_number_of_tasks(engine: &str, script: &str, bench: &Bench) -> Vec<Summary> {
    any_number_of_tasks_with(engine, script, "", bench)
}

/// The same with more lines in the definition.
fn any_number_of_tasks_with(engine: &str, script: &str, more: &str, bench: &Bench) -> Vec<Summary> {
    let rest = more.to_owned()
        + "thresholds:\n  http_reqs: [count==100]\n  \"http_reqs{name:home,scenario:browse}\": [count==100]\n  \
                \"http_req_failed{name:home}\": [rate==0]\n  \"http_req_duration{name:home}\": [p(99)<60000]\n";
    let run = |tasks: &&str| {
        let target = TestServer::start(Config::fast()).unwrap();
        let text = definition(engine, script, &target, &rest);
        let (ended, summary) = bench.run(&text, &["--generators", tasks]);
        ended.expect(0);
        assert_eq!(target.counters().requests(), 100, "{engine}, {tasks} tasks");
        assert_eq!(summary.completeness.tasks_reported.to_string(), **tasks);
        let differ = summary
            .warnings
            .iter()
            .find(|w| w.contains("manifests account for"));
        assert_eq!(differ, None);
        target.stop();
        summary
    };
    ["1", "3"].iter().map(run).collect()
}

/// The metrics of HTTP requests, which all engines have alike.
fn common(summary: &Summary) -> Vec<&str> {
    let names = summary.metrics.keys().map(String::as_str);
    names.filter(|name| name.starts_with("http_req")).collect()
}

#[test]
fn k6_sends_the_same_over_any_number_of_tasks_and_one_task_sees_no_verdict() {
    let Some(_) = tool("FLOODGATE_K6") else {
        return;
    };
    let bench = Bench::new();
    copied(&bench, "browse.js");
    let summaries = any_number_of_tasks("k6", "browse.js", &bench);
    assert_eq!(common(&summaries[0]), common(&summaries[1]));
    // The script's own threshold holds for all tasks together, and for none alone.
    let target = TestServer::start(Config::fast()).unwrap();
    let url = target.url();
    let args = ["run", "browse.js", "--json", "--generators", "3"];
    let shell = format!("export TARGET={url}");
    let ended = bench.spawn_limited(&shell, &args).end();
    let summary = ended.expect(0).summary();
    assert_eq!(
        (summary.test.as_str(), summary.status),
        ("browse", Status::Passed)
    );
    assert_eq!(value(&summary, "http_reqs", "count"), 100.0);
    // And a breach that only all of them together make fails the run.
    let rest = "thresholds: {http_reqs: [count<50]}\n";
    let text = definition("k6", "browse.js", &target, rest);
    let (ended, summary) = bench.run(&text, &["--generators", "3"]);
    ended.expect(99);
    assert_eq!(summary.status, Status::Failed);
    assert!(
        summary
            .warnings
            .iter()
            .any(|w| w.contains("the script's own thresholds (1)")),
        "{:?}",
        summary.warnings
    );
}

/// k6 goes on after an exception, and ends with 0: what it says of it is in the record, and a run that sent nothing is not a pass.
#[test]
fn exceptions_of_a_script_are_told_and_nothing_sent_is_no_pass() {
    let Some(_) = tool("FLOODGATE_K6") else {
        return;
    };
    let bench = Bench::new();
    bench.write(
        "thrower.js",
        "export const options = { vus: 1, iterations: 3 };\nexport default function () { htp.get('x'); }\n",
    );
    let ended = bench.spawn(&["run", "thrower.js", "--json"]).end();
    let summary = ended.expect(98).summary();
    assert_eq!(summary.status, Status::Inconclusive);
    let told = |what: &str| summary.warnings.iter().any(|w| w.contains(what));
    let said = "errors that the engine reported: 3; the first: ReferenceError: htp is not defined";
    assert!(told(said), "{:?}", summary.warnings);
    let why = |why: &String| why.contains("no request did");
    assert!(summary.reasons.iter().any(why), "{:?}", summary.reasons);
}

#[test]
fn k6_is_stopped_in_order_with_setup_and_teardown_once() {
    let Some(_) = tool("FLOODGATE_K6") else {
        return;
    };
    let (bench, target) = (Bench::new(), TestServer::start(Config::service()).unwrap());
    copied(&bench, "lasting.js");
    bench.write("test.yaml", &definition("k6", "lasting.js", &target, ""));
    let running = bench.spawn(&["run", "test.yaml", "--json", "--generators", "2"]);
    eventually("load is sent", || target.counters().requests() > 60);
    running.signal("INT");
    let summary = running.end().expect(105).summary();
    assert_eq!(summary.status, Status::Aborted);
    let of = |path: &str| target.counters().path(path);
    assert_eq!(
        (of("/setup"), of("/teardown/abc")),
        (1, 1),
        "once for all tasks: {:?}",
        target.counters().by_path()
    );
    let (merged, counted) = (
        value(&summary, "http_reqs", "count"),
        target.counters().requests(),
    );
    // What k6 cuts off at its end may have reached the target without being counted, or the other way round: at most one a VU.
    assert!(
        (merged - counted as f64).abs() <= 16.0,
        "{merged} of {counted}"
    );
    assert!(merged > 60.0);
    let complains = |warning: &&String| warning.contains("the engine reported");
    assert_eq!(summary.warnings.iter().find(complains), None);
}

#[test]
fn an_engine_does_not_outlive_the_program() {
    let Some(_) = tool("FLOODGATE_K6") else {
        return;
    };
    let (bench, target) = (Bench::new(), TestServer::start(Config::fast()).unwrap());
    copied(&bench, "lasting.js");
    bench.write("test.yaml", &definition("k6", "lasting.js", &target, ""));
    let running = bench.spawn(&["run", "test.yaml", "--json"]);
    eventually("load is sent", || target.counters().requests() > 20);
    let engine = children_of_any_thread(running.pid());
    assert!(!engine.is_empty());
    running.signal("KILL");
    drop(running);
    eventually("k6 is gone", || !engine.iter().any(|&pid| is_alive(pid)));
}

/// The processes that any thread of a process has started.
fn children_of_any_thread(pid: u32) -> Vec<u32> {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    let children = tasks
        .flatten()
        .map(|task| std::fs::read_to_string(task.path().join("children")).unwrap_or_default());
    let all: Vec<String> = children.collect();
    let numbers = all.iter().flat_map(|text| text.split_whitespace());
    numbers.map(|number| number.parse().unwrap()).collect()
}

#[test]
fn jmeter_sends_the_same_over_any_number_of_tasks() {
    let Some(_) = tool("FLOODGATE_JMETER") else {
        return;
    };
    let bench = Bench::new();
    copied(&bench, "browse.jmx");
    any_number_of_tasks("jmeter", "browse.jmx", &bench);
}

#[test]
fn gatling_sends_the_same_over_any_number_of_tasks() {
    let Some(home) = tool("FLOODGATE_GATLING") else {
        return;
    };
    let bench = Bench::new();
    simulation(&home, &bench, "Browse.java", "browse.jar");
    any_number_of_tasks("gatling", "browse.jar", &bench);
}

/// Compiles a simulation into a jar in the bench's folder.
fn simulation(home: &Path, bench: &Bench, source: &str, jar: &str) {
    let run = |program: &str, arguments: &[&str]| {
        let done = Command::new(program).args(arguments).output().unwrap();
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{program}: {said}");
    };
    let lib = ["lib", "."].iter().map(|name| home.join(name));
    let lib = lib.into_iter().find(|folder| folder.is_dir()).unwrap();
    let (classes, jar) = (bench.path("classes"), bench.path(jar));
    let text = |path: &Path| path.display().to_string();
    let class_path = format!("{}/*", text(&lib));
    run(
        "javac",
        &[
            "-cp",
            &class_path,
            "-d",
            &text(&classes),
            &text(&here(source)),
        ],
    );
    run(
        "jar",
        &[
            "--create",
            "--file",
            &text(&jar),
            "-C",
            &text(&classes),
            ".",
        ],
    );
}

#[test]
fn a_tool_that_is_not_there_is_named_with_the_remedy() {
    let bench = Bench::new();
    copied(&bench, "browse.jmx");
    copied(&bench, "browse.js");
    let nothing = "export PATH=/nonexistent; unset FLOODGATE_K6 FLOODGATE_JMETER JMETER_HOME";
    for (script, said) in [
        ("browse.js", "k6 is not installed: give its program"),
        ("browse.jmx", "JMeter is not installed: unpack JMeter 5.6"),
    ] {
        let ended = bench.spawn_limited(nothing, &["run", script]).end();
        let all = ended.stderr();
        assert!(all.contains(said), "{script}: {all}");
        assert!(
            [Some(104), Some(97)].contains(&ended.code()),
            "{script}: {:?} {all}",
            ended.code()
        );
    }
}
