//! Notifications: a run is told of by the function that sends, in its own name, and what it may not send waits.

use super::cli::{expect, floodgate, floodgate_as, output};
use super::shop;
use crate::execution::{PROJECT, arrivals, input};
use crate::stack::{Stack, calls};
use floodgate_records::status::Status;
use floodgate_store::aws::call::{Calls, EVENTS, QueryService, SNS, element};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const QUEUES: QueryService = QueryService {
    name: "sqs",
    version: "2012-11-05",
};
/// Longer than this takes on a slow machine.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(100);
const SENDER: &str = "load@mail.example";

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    list.iter().map(owned).collect()
}

/// A queue that a topic of this name delivers to: the topic's ARN, and the queue's URL.
async fn subscribed(calls: &Calls, name: &str) -> (String, String) {
    let topic = pairs(&[("Name", name)]);
    let made = calls.query(SNS, "CreateTopic", &topic).await.unwrap();
    let topic = element(&made, "TopicArn").unwrap().to_owned();
    let queue = pairs(&[("QueueName", name)]);
    let made = calls.query(QUEUES, "CreateQueue", &queue).await.unwrap();
    let queue = element(&made, "QueueUrl").unwrap().to_owned();
    let arn = topic.replace(":sns:", ":sqs:");
    let subscription = [
        ("TopicArn", topic.as_str()),
        ("Protocol", "sqs"),
        ("Endpoint", &arn),
        ("Attributes.entry.1.key", "RawMessageDelivery"),
        ("Attributes.entry.1.value", "true"),
    ];
    let subscribed = calls.query(SNS, "Subscribe", &pairs(&subscription)).await;
    subscribed.unwrap();
    (topic, queue)
}

/// What has come into a queue about a run, by its type; the queue keeps nothing.
async fn received(calls: &Calls, queue: &str, execution: &str) -> Vec<String> {
    let asked = pairs(&[("QueueUrl", queue), ("MaxNumberOfMessages", "10")]);
    let answer = calls.query(QUEUES, "ReceiveMessage", &asked).await.unwrap();
    let mut kinds = Vec::new();
    for message in answer.split("<Message>").skip(1) {
        let body = element(message, "Body").unwrap().replace("&quot;", "\"");
        let receipt = element(message, "ReceiptHandle").unwrap();
        let gone = pairs(&[("QueueUrl", queue), ("ReceiptHandle", receipt)]);
        calls.query(QUEUES, "DeleteMessage", &gone).await.unwrap();
        let told: Value = serde_json::from_str(&body).unwrap();
        if told["data"]["execution"] == execution {
            kinds.push(told["type"].as_str().unwrap().to_owned());
        }
    }
    kinds
}

/// What comes into a queue about a run until it is so much.
async fn told(calls: &Calls, queue: &str, execution: &str, much: usize) -> Vec<String> {
    let begun = Instant::now();
    let mut all = Vec::new();
    while all.len() < much {
        assert!(begun.elapsed() < PATIENCE, "{queue} has {all:?} alone");
        all.extend(received(calls, queue, execution).await);
        tokio::time::sleep(PAUSE).await;
    }
    all.sort();
    all
}

/// Entries of the outbox, as somebody of the stack sees them.
async fn waiting(stack: &Stack, role: &str) -> Vec<Value> {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["notify", "list", "--json", "--project", PROJECT];
    let said = output(floodgate_as(role, stack, folder.path(), &arguments)).await;
    serde_json::from_str(&expect(&said, 0)).unwrap()
}

/// The one entry that is left in the outbox in the end, and is like this.
async fn left(stack: &Stack, role: &str, is: impl Fn(&Value) -> bool) -> Value {
    let begun = Instant::now();
    loop {
        let mut listed = waiting(stack, role).await;
        if listed.len() == 1 && is(&listed[0]) {
            return listed.remove(0);
        }
        assert!(begun.elapsed() < PATIENCE, "{listed:?}");
        tokio::time::sleep(PAUSE).await;
    }
}

async fn sweep(stack: &Stack, calls: &Calls) {
    let function = stack.function("notify").rsplit(':').next().unwrap();
    let called = calls.invoke_later(function, &json!({"sweep": true})).await;
    called.unwrap();
}

#[tokio::test]
#[ignore = "needs the emulator: cargo xtask test"]
async fn a_run_is_told_of_and_once_more_if_somebody_asks() {
    let (stack, shop, folder) = (Stack::shared().await, shop(), tempfile::tempdir().unwrap());
    let calls = calls(&stack).await;
    let (topic, queue) = subscribed(&calls, "floodgate-notifications").await;
    let bus = json!({"Name": "floodgate"});
    calls.json(EVENTS, "CreateEventBus", &bus).await.unwrap();
    let identity = pairs(&[("EmailAddress", SENDER)]);
    let ses = QueryService {
        name: "ses",
        version: "2010-12-01",
    };
    let made = calls.query(ses, "VerifyEmailIdentity", &identity).await;
    made.unwrap();
    let notify = format!(
        "parameters:\n  token: ${{secret:floodgate/cloud/token}}\nhttp:\n  headers: {{x-token: '${{param:token}}'}}\nnotify:\n  \
         - {{sns: '{topic}', on: [started, passed]}}\n  - {{eventbridge: floodgate, on: [passed]}}\n  \
         - {{webhook: 'http://127.0.0.1:9/', on: [passed]}}\n  - {{email: perf@mail.example, from: {SENDER}, on: [passed]}}"
    );
    let definition = arrivals("told", &shop.url(), (20, "2s"), 1, &notify);
    let run = stack.start(&input("told", &definition)).await;
    let (id, ended) = (run.id.clone(), run.end().await);
    ended.expect(Status::Passed, "");
    let kinds = told(&calls, &queue, &id, 2).await;
    assert_eq!(kinds, ["run.passed", "run.started"]);
    // What SES and the bus had not taken would wait; loopback is Lambda's own.
    let tries = |n: u32| move |entry: &Value| entry["next_ms"].is_null() && entry["attempts"] == n;
    let dead = left(&stack, "operator", tries(1)).await;
    assert_eq!(dead["channel"], "webhook");

    let runner = format!("runner-{PROJECT}");
    let arguments = ["notify", "replay", &id, "--project", PROJECT];
    let said = output(floodgate(&stack, folder.path(), &arguments)).await;
    let said = expect(&said, 0);
    assert!(said.contains("within 5 minutes"), "{said}");
    sweep(&stack, &calls).await;
    assert_eq!(told(&calls, &queue, &id, 1).await, ["run.passed"]);
    let notice = dead["notice"]["id"].as_str().unwrap();
    let arguments = ["notify", "retry", notice, "--project", PROJECT];
    let said = output(floodgate(&stack, folder.path(), &arguments)).await;
    expect(&said, 0);
    sweep(&stack, &calls).await;
    // The replay had begun to count anew.
    left(&stack, &runner, tries(2)).await;
}

/// No container is started for it.
#[tokio::test]
#[ignore = "needs the emulator: cargo xtask test"]
async fn what_the_function_may_not_send_waits_and_a_refused_run_is_told_of() {
    let rules = json!({"projects": {PROJECT: {"max_tasks": 1}}, "secret_arns": []}).to_string();
    let stack = Stack::own("refused-notify", &["--placement", &rules]).await;
    let calls = calls(&stack).await;
    let (topic, queue) = subscribed(&calls, "refused-notify-notifications").await;
    let closed = topic.replace("notifications", "others");
    let notify = format!("notify:\n  - sns: '{topic}'\n  - sns: '{closed}'");
    let definition = arrivals("refused", "http://127.0.0.1:1", (20, "2s"), 2, &notify);
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("test.yaml"), definition).unwrap();
    let refused = output(floodgate(&stack, folder.path(), &["run", "test.yaml"])).await;
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("the limit is 1"), "{said}");
    let entry = left(&stack, "operator", |entry| entry["attempts"] != 0).await;
    assert_eq!(entry["place"], closed);
    let why = entry["why"].as_str().unwrap();
    assert!(why.contains("notifications.topic_arns"), "{why}");
    let id = entry["notice"]["message"]["data"]["execution"].clone();
    let kinds = told(&calls, &queue, id.as_str().unwrap(), 1).await;
    assert_eq!(kinds, ["run.errored"]);
}
