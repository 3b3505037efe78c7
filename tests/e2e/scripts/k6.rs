//! Scripts of k6 as they are written every day: what `k6 run` takes, and how their own word on a run counts.

use super::tool;
use crate::support::*;
use floodgate_records::status::Status;
use floodgate_records::summary::Summary;
use floodgate_testserver::{Config, TestServer};

/// Runs a script by itself against a target, which it finds as `__ENV.BASE`; `None` without k6.
fn run(script: &str, more: &[&str]) -> Option<(Ended, TestServer)> {
    tool("FLOODGATE_K6")?;
    let (bench, target) = (Bench::new(), TestServer::start(Config::service()).unwrap());
    bench.write("test.js", &format!("import http from 'k6/http';\nimport exec from 'k6/execution';\nimport {{ sleep }} from 'k6';\n{script}"));
    let base = format!("BASE={}", target.url());
    let args = [&["run", "test.js", "--json", "-e", &base], more].concat();
    Some((bench.spawn(&args).end(), target))
}

fn reasons(summary: &Summary) -> String {
    summary.reasons.join(" / ")
}

const GET: &str = "http.get(__ENV.BASE + '/echo');";

#[test]
fn iterations_alone_are_an_option_and_a_task_may_have_nothing_to_do() {
    for (options, tasks, sent) in [
        ("{ iterations: 10 }", "1", 10),
        ("{ iterations: 10 }", "2", 10),
        ("{}", "2", 1),
    ] {
        let script =
            format!("export const options = {options};\nexport default function () {{ {GET} }}");
        let Some((ended, target)) = run(&script, &["-g", tasks]) else {
            return;
        };
        let summary = ended.expect(0).summary();
        assert_eq!(summary.status, Status::Passed, "{}", reasons(&summary));
        assert_eq!(
            target.counters().requests(),
            sent,
            "{options}, {tasks} tasks"
        );
        assert_eq!(summary.completeness.tasks_reported.to_string(), tasks);
    }
}

#[test]
fn a_script_that_ends_the_test_ends_it_in_every_task() {
    let script = format!(
        "export const options = {{ vus: 4, duration: '120s' }};
        export function teardown() {{ http.get(__ENV.BASE + '/gzip'); }}
        export default function () {{ {GET} if (exec.vu.idInTest === NUMBER) exec.test.abort('enough'); sleep(0.1); }}"
    );
    // The VU is one of the first task, which leads, or of the second.
    for number in ["1", "2"] {
        let script = script.replace("NUMBER", number);
        let Some((ended, target)) = run(&script, &["-g", "2"]) else {
            return;
        };
        let summary = ended.expect(105).summary();
        assert_eq!(summary.status, Status::Aborted);
        let why = reasons(&summary);
        assert!(why.contains("stopped by the script, in task"), "{why}");
        assert_eq!(target.counters().path("/gzip"), 1, "{number}");
        assert!(summary.completeness.tasks_lost.is_empty());
    }
}

#[test]
fn a_script_can_mark_the_test_as_failed_and_go_on() {
    let script = format!(
        "export const options = {{ vus: 2, iterations: 6 }};
        export default function () {{ {GET} exec.test.fail('too many orders'); }}"
    );
    let Some((ended, target)) = run(&script, &["-g", "2"]) else {
        return;
    };
    let summary = ended.expect(99).summary();
    assert_eq!(
        summary.reasons,
        ["the script marked the test as failed: too many orders"]
    );
    assert_eq!(target.counters().requests(), 6);
}

#[test]
fn setup_and_teardown_that_throw_have_one_verdict_for_any_number_of_tasks() {
    let options = "export const options = { vus: 2, iterations: 4 };";
    for tasks in ["1", "2"] {
        let setup = format!(
            "{options}\nexport function setup() {{ throw new Error('target is down'); }}\nexport default function () {{ {GET} }}"
        );
        let Some((ended, target)) = run(&setup, &["-g", tasks]) else {
            return;
        };
        let summary = ended.expect(97).summary();
        let why = reasons(&summary);
        assert!(
            why.starts_with("nothing was started: task 0")
                && why.contains("setup() failed: Error: target is down"),
            "{why}"
        );
        assert_eq!(target.counters().requests(), 0);
        let teardown = format!(
            "{options}\nexport function teardown() {{ throw new Error('boom'); }}\nexport default function () {{ {GET} }}"
        );
        let (ended, target) = run(&teardown, &["-g", tasks]).unwrap();
        let summary = ended.expect(99).summary();
        assert_eq!(summary.reasons, ["teardown() failed: Error: boom"]);
        assert_eq!(target.counters().requests(), 4);
    }
}

#[test]
fn nothing_but_exceptions_is_no_pass_and_the_console_is_shown() {
    let script = format!(
        "export const options = {{ vus: 2, iterations: 4 }};
        export default function () {{ {GET} console.log('order', 17); throw new Error('no basket'); }}"
    );
    for tasks in ["1", "2"] {
        let Some((ended, _)) = run(&script, &["-q", "-g", tasks]) else {
            return;
        };
        let why = reasons(&ended.expect(99).summary());
        assert!(
            why.contains("every iteration of the script ended with an exception (4 in all); the first: Error: no basket"),
            "{why}"
        );
        let lines = ended.stderr();
        assert_eq!(lines.matches("console: order 17").count(), 4, "{lines}");
    }
}

#[test]
fn what_cannot_be_run_is_refused_before_anything_starts() {
    let script = format!(
        "export const options = {{ scenarios: {{ c: {{ executor: 'externally-controlled', vus: 1, maxVUs: 2, duration: '1s' }} }} }};
        export default function () {{ {GET} }}"
    );
    let Some((ended, target)) = run(&script, &["-g", "2"]) else {
        return;
    };
    ended.refused("scenario c: its executor waits for orders");
    assert_eq!(target.counters().requests(), 0);
}

/// Parameters reach a script by each flag, with a definition or without, and whatever its tool's other users call them.
#[test]
fn parameters_reach_a_script_by_every_flag() {
    let Some(_) = tool("FLOODGATE_K6") else {
        return;
    };
    let (bench, target) = (Bench::new(), TestServer::start(Config::service()).unwrap());
    bench.write(
        "test.js",
        "import http from 'k6/http';\nexport const options = { vus: parseInt(__ENV.vus || '1'), iterations: parseInt(__ENV.count || '1') };
        export default function () { http.get(`${__ENV.BASE}/${__ENV.MY_PATH || 'echo'}`); }",
    );
    bench.write("names.env", "MY_PATH=bytes/1\n");
    bench.write(
        "test.yaml",
        "version: 1\ntest: t\nengine: k6\nscript: test.js\nparameters: {count: 2}\n",
    );
    let base = format!("BASE={}", target.url());
    let file = bench.path("names.env").display().to_string();
    let cases: [(&[&str], &str, u64); 6] = [
        (&["test.js", "-e", &base, "-e", "count=3"], "/echo", 3),
        (
            &["test.js", "--set", &base, "-J", "MY_PATH=bytes/2"],
            "/bytes/2",
            1,
        ),
        (
            &["test.js", "-D", &base, "-DMY_PATH=bytes/3", "-g", "2"],
            "/bytes/3",
            1,
        ),
        (
            &["test.js", "-e", &base, "--env-file", &file],
            "/bytes/1",
            1,
        ),
        (
            &["test.yaml", "-e", &base, "-J", "MY_PATH=bytes/4"],
            "/bytes/4",
            2,
        ),
        (
            &[
                "test.yaml",
                "-e",
                &base,
                "-e",
                "count=5",
                "-e",
                "MY_PATH=bytes/5",
            ],
            "/bytes/5",
            5,
        ),
    ];
    for (args, path, count) in cases {
        let before = target.counters().path(path);
        let args = [&["run", "--json"], args].concat();
        bench.spawn(&args).end().expect(0);
        assert_eq!(target.counters().path(path) - before, count, "{args:?}");
    }
    // What is given by reference is stored by reference.
    let stored = files(&bench.path(".floodgate"), "definition.json");
    assert!(!stored.is_empty());
    let text = std::fs::read_to_string(&stored[0]).unwrap();
    assert!(!text.contains("bytes/1"), "{text}");
}

/// A file of the script's own folder, named by way of the folder above; and metrics of the script's own, about which there is no doubt.
#[test]
fn what_a_script_opens_is_packed_and_what_it_declares_is_known() {
    let Some(_) = tool("FLOODGATE_K6") else {
        return;
    };
    let (bench, target) = (Bench::new(), TestServer::start(Config::service()).unwrap());
    std::fs::create_dir(bench.path("own")).unwrap();
    bench.write("own/rows.csv", "echo\n");
    bench.write(
        "own/test.js",
        "import http from 'k6/http';\nimport { group } from 'k6';\nimport { Trend } from 'k6/metrics';
        const path = open('../own/rows.csv').trim(), waiting = new Trend('waiting_time');
        export const options = { iterations: 2, thresholds: { waiting_time: ['max<60000'], group_duration: ['max<60000'] } };
        export default function () { group('g', () => waiting.add(http.get(`${__ENV.BASE}/${path}`).timings.waiting)); }",
    );
    let base = format!("BASE={}", target.url());
    let args = ["run", "own/test.js", "--json", "-e", &base, "-g", "2"];
    let summary = bench.spawn(&args).end().expect(0).summary();
    assert_eq!(target.counters().path("/echo"), 2);
    let doubt = summary.warnings.iter().find(|w| w.contains("not built in"));
    assert_eq!(doubt, None);
}

/// What a script opens travels with it: a link could carry away any file of this machine. What it names by its path is named.
#[test]
fn no_link_of_a_script_leads_out_of_its_folder() {
    let Some(_) = tool("FLOODGATE_K6") else {
        return;
    };
    let bench = Bench::new();
    std::fs::create_dir_all(bench.path("own/data")).unwrap();
    bench.write("own/data/real.csv", "a");
    let link = |to: &str, name: &str| std::os::unix::fs::symlink(to, bench.path(name)).unwrap();
    link("/etc/hostname", "own/data/out.csv");
    link("data/real.csv", "own/in.csv");
    let opens = |path: &str| {
        bench.write(
            "own/test.js",
            &format!("const data = open('{path}');\nexport default function () {{}}"),
        );
        bench.floodgate(&["validate", "own/test.js"])
    };
    opens("./in.csv").expect(0);
    opens("./data/out.csv")
        .refused("it opens data/out.csv, a link that leads out of its folder, to /etc/hostname");
    let ended = opens("/etc/hostname");
    let said = ended.expect(0).stdout() + &ended.stderr();
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        said.contains("which travel with it (/etc/hostname)"),
        "{said}"
    );
    // A script that is named itself is meant, wherever it lies.
    link("own/test.js", "called.js");
    bench.floodgate(&["validate", "called.js"]).expect(0);
}
