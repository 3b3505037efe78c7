//! What the action and the recipes for pipelines run: their own text, in a shell, with the program in `PATH`.

use crate::support::*;
use floodgate_testserver::{Config, TestServer};
use std::path::Path;
use std::process::{Command, Output};

fn text(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// The lines of the block that begins with `head` after `mark`, without their indentation.
fn block(file: &str, mark: &str, head: &str) -> String {
    let text = text(file);
    let from = text.find(mark).unwrap_or_else(|| panic!("{file}: {mark}"));
    let mut lines = text[from..].lines().skip_while(|line| line.trim() != head);
    lines.next().unwrap_or_else(|| panic!("{file}: {head}"));
    let mut lines = lines.peekable();
    let first = lines.peek().unwrap();
    let indent = first.len() - first.trim_start().len();
    let of_block = lines.take_while(|line| {
        line.trim().is_empty() || line.len() - line.trim_start().len() >= indent
    });
    of_block
        .map(|line| format!("{}\n", line.get(indent..).unwrap_or("")))
        .collect()
}

/// A definition that holds, or one that doesn't, with a tier of its own.
fn definition(target: &str, threshold: &str) -> String {
    format!(
        "version: 1\ntest: gate\ntarget: {target}\nscenarios:\n  page: {{ executor: shared-iterations, vus: 1, iterations: 3, flow: [get: /status/200] }}\n\
         thresholds: {{ http_req_failed: {threshold} }}\n"
    )
}

fn shell(bench: &Bench, program: &str, script: &str, variables: &[(&str, &str)]) -> Output {
    let own = Path::new(env!("CARGO_BIN_EXE_floodgate")).parent().unwrap();
    let path = format!("{}:{}", own.display(), std::env::var("PATH").unwrap());
    // As runners call it.
    let flags: &[&str] = match program {
        "bash" => &["--noprofile", "--norc", "-eo", "pipefail", "-c"],
        _ => &["-ec"],
    };
    Command::new(program)
        .args(flags)
        .arg(script)
        .current_dir(bench.path("."))
        .env("PATH", path)
        .envs(variables.iter().copied())
        .output()
        .unwrap()
}

fn action(bench: &Bench, variables: &[(&str, &str)]) -> (String, Output) {
    let script = block("action.yml", "id: run", "run: |");
    let output = bench.path("output").display().to_string();
    let report = bench.path("report of it").display().to_string();
    let _ = std::fs::remove_file(bench.path("output"));
    let usual = [
        ("DEFINITION", "test.yaml"),
        ("TIER", ""),
        ("TARGET", ""),
        ("CLOUD", "false"),
        ("MORE", ""),
        ("REPORT", &report),
        ("GITHUB_OUTPUT", &output),
    ];
    let done = shell(bench, "bash", &script, &[&usual[..], variables].concat());
    let outputs = std::fs::read_to_string(bench.path("output")).unwrap_or_default();
    (outputs, done)
}

#[test]
fn the_action_says_what_came_of_it_and_leaves_the_report() {
    let server = TestServer::start(Config::prompt_service()).unwrap();
    let bench = Bench::new();
    for (threshold, verdict, code) in [
        ("rate<0.01", "passed", 0),
        ("rate>0.5", "failed", 99),
        ("rate<", "invalid", 104),
    ] {
        bench.write("test.yaml", &definition(&server.url(), threshold));
        let (outputs, done) = action(&bench, &[("TIER", "smoke")]);
        assert!(done.status.success(), "{done:?}");
        assert!(
            outputs.contains(&format!("verdict={verdict}\nexit-code={code}\n")),
            "{outputs}{done:?}"
        );
    }
    for file in ["report.html", "verdict.md", "verdict.xml"] {
        assert!(bench.path("report of it").join(file).exists(), "{file}");
    }
}

#[test]
fn what_the_action_is_given_stays_text() {
    let server = TestServer::start(Config::prompt_service()).unwrap();
    let bench = Bench::new();
    bench.write("-a b.yaml", &definition("http://127.0.0.1:9", "rate<0.01"));
    let hostile = [
        ("DEFINITION", "-a b.yaml"),
        (
            "MORE",
            "--set thresholds.http_req_failed=rate<0.5 $(touch hit) `touch hit` ;touch hit",
        ),
    ];
    let (outputs, done) = action(&bench, &hostile);
    assert!(outputs.contains("verdict=invalid"), "{outputs}{done:?}");
    assert!(!bench.path("hit").exists());
    let target = server.url();
    let given = [("DEFINITION", "-a b.yaml"), ("TARGET", target.as_str())];
    let (outputs, done) = action(&bench, &given);
    assert!(outputs.contains("verdict=passed"), "{outputs}{done:?}");
    let (outputs, _) = action(
        &bench,
        &[
            ("DEFINITION", "-a b.yaml"),
            ("TARGET", "http://x/$(touch hit)"),
        ],
    );
    assert!(!outputs.contains("verdict=passed") && !bench.path("hit").exists());
}

#[test]
fn other_recipes_gate_by_the_exit_code() {
    let server = TestServer::start(Config::prompt_service()).unwrap();
    let bench = Bench::new();
    let gitlab = block(
        "recipes/gitlab/.gitlab-ci.yml",
        "\n  script:\n    - |\n      set --",
        "- |",
    );
    let line = |file: &str| {
        let text = text(file);
        let line = text
            .lines()
            .find(|line| line.contains("floodgate run --tier"))
            .unwrap();
        line.trim().trim_start_matches("- ").to_owned()
    };
    let codebuild = format!(
        "mkdir -p results; {}",
        line("recipes/codebuild/buildspec.yml")
    );
    let jenkins = line("recipes/jenkins/Jenkinsfile");
    let jenkins = jenkins
        .strip_prefix("sh '")
        .unwrap()
        .strip_suffix('\'')
        .unwrap();
    let variables = [
        ("DEFINITION", "test.yaml"),
        ("TIER", "smoke"),
        ("TARGET", ""),
        ("CLOUD", ""),
        ("ARGUMENTS", "--set project=shop"),
    ];
    for (threshold, code) in [("rate<0.01", 0), ("rate>0.5", 99)] {
        bench.write("test.yaml", &definition(&server.url(), threshold));
        for script in [&gitlab, &codebuild, jenkins] {
            let done = shell(&bench, "sh", script, &variables);
            assert_eq!(done.status.code(), Some(code), "{script}: {done:?}");
            assert!(
                bench.path("verdict.xml").exists() || bench.path("results/verdict.xml").exists()
            );
        }
    }
}
