//! What a person sees.

use crate::support::*;
use floodgate_core::printable::shows;
use floodgate_target::{Config, Target};

/// Sets the title, clears the screen (also in C1), forges a line, turns the direction of writing.
const HOSTILE: &str = r"x\x1b]0;pwned\x07\x1b[2J\x9b31m\n✓ FORGED\u202etxt\u2066";

/// The same as a shell or an environment has it.
fn raw() -> String {
    "x\u{1b}]0;pwned\u{7}\u{1b}[2J\u{9b}31m\n✓ FORGED\u{202e}txt\u{2066}".to_owned()
}

fn assert_printable(what: &str, text: &str) {
    let bad = |c: &char| !shows(*c) && *c != '\n' && *c != '\t';
    assert_eq!(text.chars().find(bad), None, "{what}: {text:?}");
    assert!(
        !text.lines().any(|line| line.starts_with("✓ FORGED")),
        "{what}: {text}"
    );
}

#[test]
fn no_text_of_a_test_reaches_the_terminal_raw() {
    let (bench, target) = (Bench::new(), Target::start(Config::fast()).unwrap());
    bench.write(
        "run.yaml",
        &format!(
            "version: 1\ntest: t\ntarget: {url}\nscenarios:\n  s:\n    executor: shared-iterations\n    vus: 1\n    iterations: 3\n    \
             flow:\n      - get: /?a=1\n        name: \"{HOSTILE}\"\n        checks: [\"body contains \\\"{HOSTILE}\\\"\", status == 200]\n\
             thresholds:\n  \"http_reqs{{name:nothing}}\": [count>0]\n",
            url = target.url()
        ),
    );
    let bad = format!(
        "version: 1\ntest: \"{HOSTILE}\"\n\"{HOSTILE}\": 1\nscenarios:\n  \"{HOSTILE}\":\n    executor: \"{HOSTILE}\"\n"
    );
    bench.write("bad.yaml", &bad);
    let mut seen = Vec::new();
    for args in [
        &["run", "run.yaml", "--junit", "j.xml"][..],
        &["run", "run.yaml", "--json"],
        &["inspect", "run.yaml"],
        &["inspect", "run.yaml", "--json"],
        &["validate", "run.yaml"],
        &["validate", "bad.yaml"],
        &["runs"],
        &["runs", "--json"],
        &["run", "run.yaml", "--set", &format!("test={}", raw())],
        &["run", "run.yaml", "--set", &raw()],
        &["run", &raw()],
        &["run", "run.yaml", "--frob", &raw()],
        &["show", &raw()],
        &["hit", &format!("http://{}", raw())],
        &["import", &raw()],
        &["init", &format!("no/such/{}", raw())],
    ] {
        let ended = bench.floodgate(args);
        assert_printable(&format!("{args:?}, stdout"), &ended.stdout());
        assert_printable(&format!("{args:?}, stderr"), &ended.stderr());
        seen.push(ended);
    }
    // The name is there to be seen, as its codes.
    assert!(
        seen[0].stdout().contains(r"x\u{1b}]0;pwned"),
        "{}",
        seen[0].stdout()
    );
    assert!(seen[5].stderr().contains(r"\u{1b}"), "{}", seen[5].stderr());
    assert_printable(
        "JUnit",
        &std::fs::read_to_string(bench.path("j.xml")).unwrap(),
    );
    // What is stored is what was said.
    let id = seen[1].summary().execution;
    let summary = seen[1].summary();
    assert!(
        summary.requests.iter().any(|r| r.name.contains('\u{9b}')),
        "{summary:?}"
    );
    let shown = bench.floodgate(&["show", &id]).expect(0).stdout();
    assert_printable("show", &shown);
}

#[test]
fn a_run_says_by_name_what_failed() {
    let (bench, target) = (Bench::new(), Target::start(Config::service()).unwrap());
    bench.write(
        "t.yaml",
        &format!(
            "version: 1\ntest: t\ntarget: {}\nscenarios:\n  s:\n    executor: shared-iterations\n    vus: 2\n    iterations: 6\n    \
             flow:\n      - get: /\n        name: home\n        checks: [status == 200]\n      - get: /no/such/page\n        name: gone\n        \
             checks: [status == 200]\n",
            target.url()
        ),
    );
    let ended = bench.floodgate(&["run", "t.yaml", "--json"]);
    let summary = ended.summary();
    let rows: Vec<_> = summary
        .requests
        .iter()
        .map(|r| (r.name.as_str(), r.count, r.failed))
        .collect();
    assert_eq!(rows, [("gone", 6, 6), ("home", 6, 0)]);
    assert_eq!(summary.requests[0].outcomes["404"], 6);
    assert_eq!(summary.errors["404"], 6);
    assert!(summary.requests[1].times["http_req_duration"]["p(95)"] > 0.0);
    let failing: Vec<_> = summary.checks.iter().filter(|c| c.fails > 0).collect();
    assert_eq!(failing.len(), 1);
    assert_eq!(failing[0].request.as_deref(), Some("gone"));
    assert_eq!(failing[0].scenario.as_deref(), Some("s"));
    let vus = value(&summary, "vus", "max");
    assert!(
        (1.0..=2.0).contains(&vus),
        "{vus}: a short run has VUs, too"
    );
    let table = bench
        .floodgate(&["show", &summary.execution])
        .expect(0)
        .stdout();
    let line = table
        .lines()
        .find(|l| l.trim_start().starts_with("gone"))
        .unwrap();
    assert!(
        line.contains("6 (100 %)") && line.contains("404 ×6"),
        "{line}"
    );
    let last = table.lines().last().unwrap();
    assert!(
        last.contains(&summary.status.as_str().to_uppercase()),
        "{last}"
    );
}
