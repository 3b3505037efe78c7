//! Notifications: what receivers get of a run, and what becomes of it where they don't take it.

mod mail;
pub mod receiver;
mod regressed;
mod waiting;

use crate::support::*;
use floodgate_testserver::{Config, TestServer};
use receiver::{Receiver, Request};
use serde_json::Value;
use std::io::Write as _;
use std::process::{Command, Stdio};

/// A Python that has the reference library of the Standard Webhooks specification, and a mail server. `cargo xtask test` sets it.
const PYTHON: &str = "FLOODGATE_RECEIVERS_PYTHON";
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// What no receiver, file or message may have in it.
const HIDDEN: [&str; 3] = ["hunter2-path", "hunter2-plain", SECRET];

fn python() -> Option<std::path::PathBuf> {
    let found = std::env::var_os(PYTHON).map(Into::into);
    if found.is_none() {
        eprintln!("skipped: {PYTHON} is not set (cargo xtask test)");
    }
    found
}

/// A definition with these notifications, whose run passes or fails.
fn definition(target: &TestServer, passes: bool, notify: &str) -> String {
    let threshold = if passes { "count>0" } else { "count>1000000" };
    arrivals(
        &target.url(),
        20,
        "1s",
        &format!("thresholds:\n  http_reqs: ['{threshold}']\nnotify:\n{notify}"),
    )
}

/// Runs it with all secrets as files, with which the run finds them.
fn run(bench: &Bench, definition: &str, code: i32, more: &[&str]) -> Ended {
    let secrets = bench.path(".floodgate/secrets");
    std::fs::create_dir_all(&secrets).unwrap();
    for (name, value) in [("path", HIDDEN[0]), ("plain", HIDDEN[1]), ("whsec", SECRET)] {
        std::fs::write(secrets.join(name), value).unwrap();
    }
    bench.write("test.yaml", definition);
    let ended = bench.floodgate(&[&["run", "test.yaml"], more].concat());
    ended.expect(code);
    ended
}

/// Nothing of what is secret is left in any file of the store (but where the secrets lie), or was said.
fn nothing_is_told(bench: &Bench, ended: &Ended) {
    let said = format!("{}{}", ended.stdout(), ended.stderr());
    let kept = files(&bench.path(".floodgate"), "");
    let kept = kept
        .iter()
        .filter(|path| !path.to_string_lossy().contains("/secrets/"));
    let texts =
        kept.map(|path| String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned());
    for text in texts.chain([said]) {
        for secret in HIDDEN {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
    }
}

/// What a webhook was sent, by the published schema.
fn told(request: &Request) -> Value {
    let schema = jsonschema::validator_for(&floodgate_records::schema::notification()).unwrap();
    let body: Value = serde_json::from_str(&request.body).unwrap();
    let faults: Vec<_> = schema.iter_errors(&body).map(|e| e.to_string()).collect();
    assert!(faults.is_empty(), "{faults:?} in {body:#}");
    for secret in HIDDEN {
        assert!(!request.body.contains(secret), "{body:#}");
    }
    body
}

const VERIFY: &str = "
import json, sys
from standardwebhooks.webhooks import Webhook
request = json.load(sys.stdin)
for secret in request['secrets']:
    Webhook(secret if secret.startswith('whsec_') else secret.encode()).verify(request['body'], request['headers'])
try:
    Webhook(secret.encode()).verify(request['body'] + ' ', request['headers'])
    sys.exit('a changed body was verified')
except Exception as error:
    print(error)
";

/// The library of the specification accepts the signatures.
fn verified(request: &Request, secrets: &[&str]) {
    let Some(python) = python() else {
        return;
    };
    let headers = ["webhook-id", "webhook-timestamp", "webhook-signature"];
    let headers: serde_json::Map<_, _> = headers
        .iter()
        .map(|name| ((*name).to_owned(), request.header(name).into()))
        .collect();
    let input = serde_json::json!({"secrets": secrets, "body": request.body, "headers": headers});
    let mut child = Command::new(python)
        .args(["-c", VERIFY])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.to_string().as_bytes()).unwrap();
    drop(stdin);
    let done = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{said}");
    assert!(String::from_utf8_lossy(&done.stdout).contains("No matching signature"));
}

#[test]
fn receivers_are_told_of_begin_end_recovery_and_nothing_else() {
    let (bench, target) = (Bench::new(), TestServer::start(Config::fast()).unwrap());
    let receiver = Receiver::start();
    let url = receiver.url();
    let notify = format!(
        "  - webhook: '{url}/hook/${{secret:path}}'\n    secret: ['${{secret:whsec}}', '${{secret:plain}}']\n    \
         on: [started, failed, recovered]\n    link: https://console.example\n  \
         - {{slack: '{url}/slack/${{secret:path}}', on: [failed]}}\n  - {{teams: '{url}/teams/${{secret:path}}', on: [passed]}}\n"
    );
    let failed = run(&bench, &definition(&target, false, &notify), 99, &[]);
    nothing_is_told(&bench, &failed);
    assert!(!failed.stderr().contains("warning"), "{}", failed.stderr());
    let mut all = receiver.take();
    all.sort_by_key(|request| request.path.clone());
    let paths: Vec<_> = all.iter().map(|request| request.path.as_str()).collect();
    let hook = format!("/hook/{}", HIDDEN[0]);
    let slack = format!("/slack/{}", HIDDEN[0]);
    assert_eq!(paths, [&hook, &hook, &slack]);
    let kinds: Vec<_> = all[..2]
        .iter()
        .map(|request| told(request)["type"].clone())
        .collect();
    assert_eq!(kinds, ["run.started", "run.failed"]);
    for request in &all[..2] {
        verified(request, &[SECRET, HIDDEN[1]]);
    }
    let end = told(&all[1])["data"].clone();
    let id = end["execution"].as_str().unwrap();
    assert_eq!(all[0].header("webhook-id"), format!("msg_{id}_started_0"));
    assert_eq!(all[1].header("webhook-id"), format!("msg_{id}_ended_0"));
    assert_eq!(
        (&end["status"], &end["load"]["http_reqs"]),
        (&"failed".into(), &20.into())
    );
    assert_eq!(end["thresholds"][0]["outcome"], "failed");
    assert_eq!(
        end["links"][0]["url"],
        format!("https://console.example/#/runs/e2e/{id}")
    );
    let blocks: Value = serde_json::from_str(&all[2].body).unwrap();
    assert_eq!(blocks["blocks"][0]["text"]["text"], "✗ e2e/arrivals failed");
    // It passes again: one is told of it, and one that it passed.
    run(&bench, &definition(&target, true, &notify), 0, &[]);
    let mut all = receiver.take();
    all.sort_by_key(|request| request.path.clone());
    assert_eq!(all.len(), 3, "{all:?}");
    assert_eq!(told(&all[1])["type"], "run.recovered");
    assert_eq!(
        told(&all[1])["data"]["events"],
        serde_json::json!(["recovered", "passed"])
    );
    let card: Value = serde_json::from_str(&all[2].body).unwrap();
    let card = &card["attachments"][0]["content"];
    let head = &card["body"][0]["inlines"][0]["text"];
    assert_eq!(
        (&card["type"], head),
        (
            &"AdaptiveCard".into(),
            &"✓ e2e/arrivals passed, recovered".into()
        )
    );
    // And once more: that is nothing new.
    run(&bench, &definition(&target, true, &notify), 0, &[]);
    let kinds: Vec<_> = receiver
        .take()
        .iter()
        .map(|request| request.path.clone())
        .collect();
    assert_eq!(kinds, [hook, format!("/teams/{}", HIDDEN[0])]);
}

#[test]
fn what_makes_no_sense_is_refused_before_any_load() {
    let (bench, target) = (Bench::new(), TestServer::start(Config::fast()).unwrap());
    for (notify, why) in [
        (
            "{webhook: 'https://h', secret: hunter2}",
            "the secret itself stands in the definition",
        ),
        (
            "{slack: 'https://h', secret: '${secret:plain}'}",
            "secret has no effect without webhook",
        ),
        ("{email: team}", "is not an e-mail address"),
        ("{email: a@h.example}", "the key \"from\" is missing"),
        (
            "{email: a@h.example, from: b@h.example, smtp: 'smtp://u:hunter2@h'}",
            "a password stands in the URL",
        ),
        (
            "{email: a@h.example, from: b@h.example, smtp: 'smtp://h', password: '${secret:plain}'}",
            "there is a password and no user of it",
        ),
        ("{eventbridge: 'a b'}", "is not an event bus"),
        (
            "{webhook: 'https://h', on: [faild]}",
            "did you mean \"failed\"",
        ),
        (
            "{webhook: 'https://h/${secret:nowhere}'}",
            "FLOODGATE_SECRET_NOWHERE",
        ),
    ] {
        let ended = run(
            &bench,
            &definition(&target, true, &format!("  - {notify}\n")),
            104,
            &[],
        );
        let said = ended.stderr();
        assert!(said.contains(why), "{notify}: {said}");
    }
    assert_eq!(target.counters().requests(), 0);
}
