//! What a script is given: parameters that nobody else of the machine can read, and options of its own tool's command line.

use super::{copied, tool};
use crate::support::*;
use floodgate_records::status::Status;
use floodgate_testserver::{Config, TestServer};

const SECRET: &str = "s3cret-nobody-may-read";

/// The command lines of all processes.
fn command_lines() -> Vec<String> {
    let all = std::fs::read_dir("/proc").unwrap().flatten();
    let read = all.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
    read.map(|line| String::from_utf8_lossy(&line).replace('\0', " "))
        .collect()
}

/// Runs a script that goes on until it is stopped and asks for `${path}`, which holds the secret; `marks` tells the engine's process.
fn unseen(engine: &str, script: &str, bench: &Bench, marks: &str) {
    let target = TestServer::start(Config::service()).unwrap();
    let (url, port) = (target.url(), target.addr().port());
    let own = format!("mark{port}");
    bench.write(
        "test.yaml",
        &format!(
            "version: 1\ntest: unseen\nengine: {engine}\nscript: {script}\ntarget: {url}\n\
             parameters: {{path: '/${{secret:word}} é', port: {port}, empty: '', mark: {own}}}\n\
             run: {{max_duration: 100s}}\n"
        ),
    );
    let setting = format!("export FLOODGATE_SECRET_WORD={SECRET}");
    let running = bench.spawn_limited(
        &setting,
        &["run", "test.yaml", "--json", "--generators", "2"],
    );
    eventually("load is sent", || target.counters().requests() > 20);
    let lines = command_lines();
    running.signal("INT");
    running.end();
    let folder = bench.path("").display().to_string();
    let engines = lines.iter().filter(|line| line.contains(marks));
    assert!(engines.count() >= 1, "the engine of {folder} was there");
    let seen: Vec<_> = lines.iter().filter(|line| line.contains(SECRET)).collect();
    assert!(seen.is_empty(), "{seen:?}");
    let paths = target.counters().by_path();
    let asked = paths.iter().any(|(path, _)| path.contains(SECRET));
    assert!(asked, "the script has it: {paths:?}");
}

#[test]
fn k6_is_given_secrets_that_no_command_line_shows() {
    let Some(_) = tool("FLOODGATE_K6") else {
        return;
    };
    let bench = Bench::new();
    bench.write(
        "asks.js",
        "import http from 'k6/http';\nimport { sleep } from 'k6';\nexport const options = { vus: 4, duration: '90s' };\n\
         export default () => { http.get(`${__ENV.TARGET}${encodeURI(__ENV.path)}`); sleep(0.05); };\n",
    );
    unseen("k6", "asks.js", &bench, "k6.samples");
}

#[test]
fn jmeter_is_given_secrets_that_no_command_line_shows() {
    let Some(_) = tool("FLOODGATE_JMETER") else {
        return;
    };
    let bench = Bench::new();
    copied(&bench, "browse.jmx");
    let plan = std::fs::read_to_string(bench.path("browse.jmx")).unwrap();
    // As a property of JMeter and of the system.
    let path =
        "/${__groovy(URLEncoder.encode(System.getProperty('path')\\, 'UTF-8'))}${__P(empty)}";
    let plan = plan
        .replace("path\">/<", &format!("path\">{path}<"))
        .replace("loops\">25<", "loops\">-1<");
    bench.write("asks.jmx", &plan);
    unseen("jmeter", "asks.jmx", &bench, "ApacheJMeter.jar");
}

#[test]
fn options_of_k6s_command_line_stand_before_those_of_the_script() {
    let Some(_) = tool("FLOODGATE_K6") else {
        return;
    };
    let (bench, target) = (Bench::new(), TestServer::start(Config::fast()).unwrap());
    bench.write(
        "script.js",
        "import http from 'k6/http';\n\
         export const options = { scenarios: { a: { executor: 'constant-vus', vus: 1, duration: '300s' } } };\n\
         export default () => { http.get(__ENV.TARGET); };\n\
         export function handleSummary() { return {}; }\n",
    );
    let url = format!("TARGET={}", target.url());
    let run = |more: &[&str]| {
        let args = [&["run", "script.js", "--json", "-e", &url], more].concat();
        bench.floodgate(&args)
    };
    let summary = run(&["--vus", "2", "-i", "6", "--generators", "2"])
        .expect(0)
        .summary();
    assert_eq!(value(&summary, "iterations", "count"), 6.0);
    assert_eq!(target.counters().requests(), 6);
    let told = summary
        .warnings
        .iter()
        .any(|w| w.contains("handleSummary() of the script is not called"));
    assert!(told, "{:?}", summary.warnings);
    let planned = bench.floodgate(&[
        "inspect",
        "script.js",
        "--json",
        "--stage",
        "2s:3",
        "--stage",
        "1s:0",
    ]);
    let planned: serde_json::Value = serde_json::from_str(&planned.expect(0).stdout()).unwrap();
    let stages = &planned["definition"]["scenarios"]["default"]["stages"];
    assert_eq!(stages[0]["target"], 3, "{planned}");
    run(&["--no-thresholds"]).refused("of k6's options: thresholds in a definition");
    bench.write("flow.yaml", &arrivals(&target.url(), 5, "1s", ""));
    let refused = bench.floodgate(&["run", "flow.yaml", "--vus", "3"]);
    refused.refused("are for scripts of k6, and the engine is http");
}

#[test]
fn a_scenario_of_a_script_that_sent_nothing_is_named() {
    let Some(_) = tool("FLOODGATE_K6") else {
        return;
    };
    let (bench, target) = (Bench::new(), TestServer::start(Config::fast()).unwrap());
    bench.write(
        "two.js",
        "import http from 'k6/http';\n\
         const once = { executor: 'shared-iterations', iterations: 3 };\n\
         export const options = { scenarios: { buy: { ...once, exec: 'buy' }, pay: { ...once, exec: 'pay' } } };\n\
         export function buy() { http.get(__ENV.TARGET); }\n\
         export function pay() { if (__ENV.PAY) http.get(__ENV.TARGET); }\n",
    );
    let url = format!("TARGET={}", target.url());
    let run =
        |more: &[&str]| bench.floodgate(&[&["run", "two.js", "--json", "-e", &url], more].concat());
    let silent = run(&[]).expect(98).summary();
    assert_eq!(silent.status, Status::Inconclusive);
    let named = |why: &String| why.contains("the scenario pay sent nothing");
    assert!(silent.reasons.iter().any(named), "{:?}", silent.reasons);
    run(&["-e", "PAY=1"]).expect(0);
}
