//! Notifications of runs: real receivers on loopback, an outbox in memory, and the function as Lambda calls it.

use crate::receiver::{Receiver, Request};
use crate::support::*;
use floodgate_functions::Function;
use floodgate_notify::Reach;
use floodgate_records::keys::{DEFINITION_FILE, definition_file};
use floodgate_records::status::Status;
use floodgate_store::{ObjectStore, RecordStore};
use serde_json::{Value, json};
use std::sync::atomic::Ordering;
use std::time::Duration;

const MINUTES: Duration = Duration::from_secs(300);
/// What must stand in no object and no log line.
const PATH: &str = "T0/hunter2hunter2";
const SIGNING: &str = "whsec_aHVudGVyMmh1bnRlcjI=";

/// A stack with secrets, and a definition that wants this told.
fn wanting(receiver: &Receiver, on: &[&str]) -> (Stack, Value) {
    let stack = Stack::new();
    for (name, value) in [("shop/path", PATH), ("shop/signing", SIGNING)] {
        stack.books.secrets.lock().unwrap().push(name.into());
        let mut values = stack.books.values.lock().unwrap();
        values.insert(name.into(), value.into());
    }
    let mut test = definition(1, 60);
    test["notify"] = json!([{
        "webhook": format!("{}/${{secret:shop/path}}", receiver.url()),
        "secret": "${secret:shop/signing}",
        "on": on,
    }]);
    (stack, test)
}

/// Calls the function for what others had it called for, as Lambda does.
async fn called(stack: &Stack) -> Vec<Value> {
    let calls = std::mem::take(stack.books.calls.lock().unwrap().as_mut().unwrap());
    let mut answers = Vec::new();
    for (function, payload) in calls {
        assert_eq!(function, "floodgate-notify");
        answers.push(stack.call(Function::Notify, payload).await.unwrap());
    }
    answers
}

async fn swept(stack: &Stack) -> Value {
    let sweep = json!({"sweep": true});
    stack.call(Function::Notify, sweep).await.unwrap()
}

fn counts(sent: u32, waiting: u32, dead: u32) -> Value {
    json!({"sent": sent, "waiting": waiting, "dead": dead})
}

/// A run from its preparation to its end, which is inconclusive: nothing was measured.
async fn run(stack: &Stack, test: &Value) -> Value {
    let run = stack.prepare(json!({"definition": test})).await.unwrap();
    let run = stack.call(Function::Launch, run).await.unwrap();
    stack.ready(0..1);
    let run = stack.call(Function::Watch, run).await.unwrap();
    stack.manifest(0, json!([]));
    stack.tasks.end_all();
    stack.pass(Duration::from_secs(10));
    let run = stack.call(Function::Watch, run).await.unwrap();
    assert_eq!(run["phase"], "ended");
    let plan = json!({"op": "plan", "run": run});
    let run = stack.call(Function::Merge, plan).await.unwrap();
    stack.call(Function::Finish, run).await.unwrap()
}

/// The record as another status leaves it.
async fn becomes(stack: &Stack, status: Status) {
    let mut record = stack.record().await;
    let before = record.status;
    record.status = status;
    let updated = stack.records.update(&record, &[before]).await;
    updated.unwrap();
}

async fn tell_of_end(stack: &Stack) -> Value {
    let payload = json!({"project": "shop", "execution": ID, "moment": "ended"});
    stack.call(Function::Notify, payload).await.unwrap()
}

fn body(request: &Request) -> Value {
    serde_json::from_str(&request.body).unwrap()
}

fn outbox(stack: &Stack) -> Vec<(String, String)> {
    stack.objects.below("notifications/")
}

/// Neither in the outbox nor in the log.
fn no_secret(stack: &Stack) {
    let log = String::from_utf8(stack.out.lock().unwrap().clone()).unwrap();
    for (place, text) in outbox(stack).into_iter().chain([("the log".into(), log)]) {
        assert!(
            !text.contains("hunter2") && !text.contains("aHVud"),
            "{place}: {text}"
        );
    }
}

#[tokio::test]
async fn begin_and_end_of_a_run_are_told_without_the_run_waiting() {
    let receiver = Receiver::start();
    let (stack, test) = wanting(&receiver, &["started", "inconclusive"]);
    let ended = run(&stack, &test).await;
    assert_eq!(ended["status"], "inconclusive");
    // Nobody has been told yet: that is the other function's work.
    assert_eq!(receiver.take().len(), 0);
    assert_eq!(called(&stack).await, [counts(1, 0, 0), counts(1, 0, 0)]);
    let told = receiver.take();
    let kinds: Vec<_> = told
        .iter()
        .map(|request| body(request)["type"].clone())
        .collect();
    assert_eq!(kinds, ["run.started", "run.inconclusive"]);
    for (request, moment) in told.iter().zip(["started", "ended"]) {
        assert_eq!(request.path, format!("/{PATH}"));
        assert_eq!(request.header("webhook-id"), format!("msg_{ID}_{moment}_0"));
        assert!(request.header("webhook-signature").starts_with("v1,"));
        let link = &body(request)["data"]["links"][0]["url"];
        assert_eq!(*link, format!("https://console.example/#/runs/shop/{ID}"));
    }
    assert!(outbox(&stack).is_empty(), "{:?}", outbox(&stack));
    no_secret(&stack);
}

#[tokio::test]
async fn only_what_is_wanted_is_told_and_always_under_one_id() {
    let receiver = Receiver::start();
    let (stack, test) = wanting(&receiver, &["passed", "failed", "recovered"]);
    run(&stack, &test).await;
    // That of the end alone: nobody wants to know of the begin.
    assert_eq!(called(&stack).await, [counts(0, 0, 0)]);
    assert_eq!(receiver.take().len(), 0);
    for (status, kind) in [
        (Status::Failed, "run.failed"),
        (Status::Passed, "run.passed"),
    ] {
        becomes(&stack, status).await;
        for _ in 0..2 {
            assert_eq!(tell_of_end(&stack).await, counts(1, 0, 0));
        }
        let told = receiver.take();
        assert_eq!(told.len(), 2);
        for request in told {
            assert_eq!(body(&request)["type"], kind);
            assert_eq!(request.header("webhook-id"), format!("msg_{ID}_ended_0"));
        }
    }
    // The one before it did not pass.
    let mut earlier = stack.record().await;
    earlier.id = "01JD7Q3W5Z8X9Y0A1B2C3D4E5A".into();
    earlier.status = Status::Failed;
    earlier.created_ms -= 1;
    stack.records.create(&earlier).await.unwrap();
    tell_of_end(&stack).await;
    let told = receiver.take();
    assert_eq!(body(&told[0])["type"], "run.recovered");
}

#[tokio::test]
async fn what_is_not_taken_waits_without_a_secret_and_is_swept_when_it_is_due() {
    let receiver = Receiver::start();
    let (stack, test) = wanting(&receiver, &["inconclusive"]);
    receiver.answer("503 Busy\nretry-after: 200");
    let ended = run(&stack, &test).await;
    assert_eq!(ended["status"], "inconclusive");
    assert_eq!(called(&stack).await, [counts(0, 1, 0)]);
    let waiting = outbox(&stack);
    assert_eq!(waiting.len(), 1);
    let (key, entry) = &waiting[0];
    assert_eq!(*key, format!("notifications/shop/msg_{ID}_ended_0.json"));
    assert!(entry.contains("answered 503"), "{entry}");
    no_secret(&stack);

    receiver.answer("200 OK");
    let first = receiver.take();
    // Not due yet.
    assert_eq!(swept(&stack).await, counts(0, 0, 0));
    assert_eq!(receiver.take().len(), 0);
    stack.pass(MINUTES);
    assert_eq!(swept(&stack).await, counts(1, 0, 0));
    let again = receiver.take();
    assert_eq!(again[0].header("webhook-id"), first[0].header("webhook-id"));
    assert_eq!(again[0].body, first[0].body);
    assert!(outbox(&stack).is_empty(), "{:?}", outbox(&stack));
    no_secret(&stack);
}

#[tokio::test]
async fn after_a_day_it_is_a_dead_letter_that_is_sent_if_somebody_asks() {
    let receiver = Receiver::start();
    let (stack, test) = wanting(&receiver, &["inconclusive"]);
    receiver.answer("503 Busy");
    run(&stack, &test).await;
    called(&stack).await;
    stack.pass(Duration::from_secs(24 * 3_600));
    assert_eq!(swept(&stack).await, counts(0, 0, 1));
    let dead = format!("notifications/shop/dead/msg_{ID}_ended_0.json");
    assert_eq!(outbox(&stack)[0].0, dead);
    let given_up = |line: &Value| line["message"] == "notification given up";
    assert!(stack.log().iter().any(given_up));

    // It is not even looked at.
    receiver.answer("200 OK");
    receiver.take();
    stack.pass(MINUTES);
    let gets = stack.objects.gets.load(Ordering::Relaxed);
    assert_eq!(swept(&stack).await, counts(0, 0, 0));
    assert_eq!(stack.objects.gets.load(Ordering::Relaxed), gets);

    stack
        .objects
        .set(&format!("notifications/shop/asked/msg_{ID}_ended_0"), "");
    assert_eq!(swept(&stack).await, counts(1, 0, 0));
    assert_eq!(receiver.take().len(), 1);
    assert!(outbox(&stack).is_empty(), "{:?}", outbox(&stack));
}

#[tokio::test]
async fn a_sweep_without_anything_to_do_is_one_listing() {
    let stack = Stack::new();
    let requests = |stack: &Stack| {
        let objects = &stack.objects;
        [&objects.lists, &objects.gets, &objects.puts].map(|n| n.load(Ordering::Relaxed))
    };
    let before = requests(&stack);
    assert_eq!(swept(&stack).await, counts(0, 0, 0));
    let after = requests(&stack);
    assert_eq!(after, [before[0] + 1, before[1], before[2]]);
}

#[tokio::test]
async fn without_lambda_the_verdict_stands_and_the_next_sweep_tells() {
    let receiver = Receiver::start();
    let (stack, test) = wanting(&receiver, &["started", "inconclusive"]);
    *stack.books.calls.lock().unwrap() = None;
    let ended = run(&stack, &test).await;
    assert_eq!(ended["status"], "inconclusive");
    let asked: Vec<_> = outbox(&stack).into_iter().map(|(key, _)| key).collect();
    let of = |what: &str| format!("notifications/shop/asked/{what}_{ID}");
    assert_eq!(asked, [of("ended"), of("started")]);
    let warned = |line: &Value| line["level"] == "warn" && line["moment"] == "ended";
    assert!(stack.log().iter().any(warned));
    assert_eq!(swept(&stack).await, counts(2, 0, 0));
    assert_eq!(receiver.take().len(), 2);
    assert!(outbox(&stack).is_empty());
}

#[tokio::test]
async fn a_run_gets_no_secret_of_another_project() {
    let receiver = Receiver::start();
    let (stack, test) = wanting(&receiver, &["inconclusive"]);
    run(&stack, &test).await;
    // The project's secrets have become another one's.
    let mut place = placement();
    place["secret_arns"] = json!([]);
    place["projects"]["search"] = json!({"secret_arns": ["arn:*:secret:shop/*"]});
    stack.place(&place);
    assert_eq!(called(&stack).await, [counts(0, 1, 0)]);
    assert_eq!(receiver.take().len(), 0);
    let (_, entry) = &outbox(&stack)[0];
    assert!(entry.contains("it is not a secret of project"), "{entry}");
    no_secret(&stack);
    // They are its own again.
    place["projects"]["*"]["secret_arns"] = json!(["arn:*:secret:shop/*"]);
    stack.place(&place);
    stack.pass(MINUTES);
    assert_eq!(swept(&stack).await, counts(1, 0, 0));
    assert_eq!(receiver.take().len(), 1);
}

#[tokio::test]
async fn what_somebody_puts_into_the_outbox_reaches_no_other_project() {
    let receiver = Receiver::start();
    let (stack, test) = wanting(&receiver, &["inconclusive"]);
    receiver.answer("503 Busy");
    run(&stack, &test).await;
    called(&stack).await;
    receiver.take();
    let (key, entry) = outbox(&stack).remove(0);
    stack.objects.delete(&key).await.unwrap();
    // Whoever may write below search/ alone.
    let stolen = key.replace("/shop/", "/search/");
    stack.objects.set(&stolen, entry);
    for asked in [
        format!("ended_{ID}"),
        "ended_01".into(),
        format!("msg_{ID}_ended_0"),
    ] {
        let ask = format!("notifications/search/asked/{asked}");
        stack.objects.set(&ask, "");
    }
    stack.pass(MINUTES);
    assert_eq!(swept(&stack).await, counts(0, 0, 0));
    assert_eq!(receiver.take().len(), 0);
}

#[tokio::test]
async fn a_run_that_is_refused_is_told_of_if_its_definition_is_on_record() {
    let receiver = Receiver::start();
    let (first, test) = wanting(&receiver, &["errored"]);
    first.prepare(json!({"definition": test})).await.unwrap();
    let version = first.record().await.version;
    let key = definition_file("shop", "checkout", &version, DEFINITION_FILE);
    let text = first.objects.get(&key).await.unwrap().unwrap();

    let (stack, _) = wanting(&receiver, &["errored"]);
    stack.objects.set(&key, text);
    let mut place = placement();
    place["projects"]["*"]["max_tasks"] = json!(0);
    stack.place(&place);
    let input = json!({"project": "shop", "test": "checkout", "version": version});
    stack.prepare(input).await.unwrap_err();
    assert_eq!(called(&stack).await, [counts(1, 0, 0)]);
    let told = receiver.take();
    assert_eq!(body(&told[0])["type"], "run.errored");
    let reason = body(&told[0])["data"]["reasons"][0].to_string();
    assert!(reason.contains("the limit is 0"), "{reason}");

    // One that came with the run and was never stored tells nobody.
    let (stack, test) = wanting(&receiver, &["errored"]);
    stack.place(&place);
    stack
        .prepare(json!({"definition": test}))
        .await
        .unwrap_err();
    assert_eq!(called(&stack).await, [counts(0, 0, 0)]);
    assert_eq!(receiver.take().len(), 0);
}

#[tokio::test]
async fn receivers_on_lambdas_own_machine_are_refused_for_good() {
    let receiver = Receiver::start();
    let (mut stack, test) = wanting(&receiver, &["inconclusive"]);
    stack.reach = Reach::Elsewhere;
    run(&stack, &test).await;
    assert_eq!(called(&stack).await, [counts(0, 0, 1)]);
    assert_eq!(receiver.take().len(), 0);
    let (key, entry) = &outbox(&stack)[0];
    assert!(key.contains("/dead/"), "{key}");
    assert!(entry.contains("this machine's own"), "{entry}");
}

#[tokio::test]
async fn a_secret_that_is_no_address_hides_no_other_receiver() {
    let receiver = Receiver::start();
    let (stack, mut test) = wanting(&receiver, &["inconclusive"]);
    let mut slack = test["notify"][0].clone();
    slack.as_object_mut().unwrap().clear();
    slack["slack"] = json!("${secret:shop/path}");
    slack["on"] = json!(["inconclusive"]);
    let plain = json!({"webhook": format!("{}/plain", receiver.url()), "on": ["inconclusive"]});
    test["notify"] = json!([slack, plain]);
    run(&stack, &test).await;
    assert_eq!(called(&stack).await, [counts(1, 1, 0)]);
    assert_eq!(receiver.take()[0].path, "/plain");
    no_secret(&stack);
}

#[tokio::test]
async fn a_stack_that_notifies_nobody_says_so() {
    let receiver = Receiver::start();
    let (mut stack, test) = wanting(&receiver, &["inconclusive"]);
    stack.notifies = false;
    run(&stack, &test).await;
    assert_eq!(called(&stack).await.len(), 0);
    let warnings = stack.record().await.warnings;
    let said = warnings
        .iter()
        .any(|w| w.contains("this stack notifies nobody"));
    assert!(said, "{warnings:?}");
}
