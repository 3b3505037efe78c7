//! Receivers that don't take a notification: the verdict stands, and nothing is lost.

use super::receiver::Receiver;
use super::*;

fn waiting(bench: &Bench) -> Vec<Value> {
    let listed = bench.floodgate(&["notify", "list", "--json"]);
    let json: Value = serde_json::from_str(&listed.expect(0).stdout()).unwrap();
    json.as_array().unwrap().clone()
}

/// The only entry of the outbox, as a file.
fn entry(bench: &Bench) -> std::path::PathBuf {
    let found = files(&bench.path(".floodgate/notifications"), ".json");
    assert_eq!(found.len(), 1, "{found:?}");
    found[0].clone()
}

#[test]
fn what_is_not_taken_waits_and_is_sent_again_under_its_id() {
    let (bench, target) = (Bench::new(), TestServer::start(Config::fast()).unwrap());
    let receiver = Receiver::start();
    let notify = format!(
        "  - webhook: '{}/hook/${{secret:path}}'\n    secret: '${{secret:whsec}}'\n    on: [passed]\n",
        receiver.url()
    );
    receiver.answer("503 Busy\nretry-after: 600");
    let ended = run(&bench, &definition(&target, true, &notify), 0, &[]);
    let said = ended.stderr();
    let warned = format!(
        "warning: notification to webhook {} (notify[0]) was not taken: answered 503",
        receiver.url()
    );
    assert!(
        said.contains(&warned) && said.contains("floodgate notify retry 01"),
        "{said}"
    );
    nothing_is_told(&bench, &ended);
    let first = receiver.take();
    assert_eq!(first.len(), 1, "it asked for patience");
    let left = waiting(&bench);
    assert_eq!((left.len(), &left[0]["attempts"]), (1, &1.into()));
    let next = left[0]["next_ms"].as_i64().unwrap() - left[0]["since_ms"].as_i64().unwrap();
    assert!(next >= 600_000, "{left:?}");
    let id = left[0]["notice"]["message"]["data"]["execution"]
        .as_str()
        .unwrap()
        .to_owned();
    let again = bench.floodgate(&["notify", "retry", &id[..8]]);
    assert!(again.expect(97).stderr().contains("1 of 1 were not taken"));
    receiver.answer("200 OK");
    let again = bench.floodgate(&["notify", "retry"]);
    assert_eq!(again.expect(0).stdout(), "1 notification sent\n");
    let later = receiver.take();
    for request in &later {
        assert_eq!(request.header("webhook-id"), first[0].header("webhook-id"));
        assert_eq!(request.body, first[0].body);
        verified(request, &[SECRET]);
    }
    assert_eq!((later.len(), waiting(&bench).len()), (2, 0));
    // Also when it was taken long ago.
    bench.floodgate(&["notify", "replay", &id]).expect(0);
    let replayed = receiver.take();
    assert_eq!(replayed.len(), 1);
    assert_eq!(
        replayed[0].header("webhook-id"),
        first[0].header("webhook-id")
    );
    assert_eq!(told(&replayed[0]), told(&first[0]));
    bench
        .floodgate(&["notify", "retry", &id])
        .refused("no notification of");
    let nobody = bench.floodgate(&["notify", "list"]);
    assert!(
        nobody
            .expect(0)
            .stderr()
            .contains("every notification was taken")
    );
}

#[test]
fn a_receiver_that_is_gone_leaves_a_dead_letter() {
    let (bench, target) = (Bench::new(), TestServer::start(Config::fast()).unwrap());
    let receiver = Receiver::start();
    let notify = format!("  - {{webhook: '{}/x', on: [failed]}}\n", receiver.url());
    receiver.answer("410 Gone");
    run(&bench, &definition(&target, false, &notify), 99, &[]);
    let request = receiver.take();
    assert_eq!(request.len(), 1);
    assert_eq!(
        request[0].header("webhook-signature"),
        "",
        "there is no secret to sign with"
    );
    assert_eq!(waiting(&bench)[0]["next_ms"], Value::Null);
    let listed = bench.floodgate(&["notify", "list"]);
    assert!(
        listed
            .stdout()
            .contains("run.failed  dead letter, 1 try: answered 410"),
        "{}",
        listed.stdout()
    );
    receiver.answer("200 OK");
    bench.floodgate(&["notify", "retry"]).expect(0);
    assert!(waiting(&bench).is_empty());
}

#[test]
fn a_service_tries_again_what_is_due() {
    let (bench, target) = (Bench::new(), TestServer::start(Config::fast()).unwrap());
    let receiver = Receiver::start();
    let notify = format!(
        "  - {{slack: '{}/${{secret:path}}', on: [passed]}}\n",
        receiver.url()
    );
    receiver.answer("500 No\nretry-after: 3600");
    run(&bench, &definition(&target, true, &notify), 0, &[]);
    assert_eq!(receiver.take().len(), 1);
    receiver.answer("200 OK");
    // An hour later.
    let path = entry(&bench);
    let text = std::fs::read_to_string(&path).unwrap();
    let mut kept: Value = serde_json::from_str(&text).unwrap();
    kept["next_ms"] = 1.into();
    std::fs::write(&path, kept.to_string()).unwrap();
    bench.write("tokens.json", r#"{"tokens": []}"#);
    let args = [
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--tokens",
        "tokens.json",
    ];
    let service = bench.spawn_into("address.txt", &args);
    eventually("the outbox", || waiting(&bench).is_empty());
    let got = receiver.take();
    assert_eq!((got.len(), got[0].path.as_str()), (1, "/hunter2-path"));
    service.signal("TERM");
    service.end().expect(0);
}

#[test]
fn a_run_that_nobody_finished_is_told_of_by_who_finds_it() {
    let (bench, target) = (Bench::new(), TestServer::start(Config::fast()).unwrap());
    let receiver = Receiver::start();
    let notify = format!(
        "  - {{webhook: '{}/x', on: [errored, failed, inconclusive]}}\n",
        receiver.url()
    );
    let long = definition(&target, true, &notify).replace("duration: 1s", "duration: 60s");
    bench.write("test.yaml", &long);
    let running = bench.spawn(&["run", "test.yaml", "--quiet"]);
    eventually("load", || target.counters().requests() > 5);
    running.signal("KILL");
    let _ = running.end();
    assert!(receiver.take().is_empty());
    let listed = bench.floodgate(&["runs", "--json"]);
    let runs: Value = serde_json::from_str(&listed.expect(0).stdout()).unwrap();
    let id = runs[0]["id"].as_str().unwrap();
    bench.floodgate(&["show", id, "--json"]);
    let got = receiver.take();
    assert_eq!(got.len(), 1);
    assert_eq!(told(&got[0])["data"]["execution"], id);
}
