//! Real receivers on loopback, and what they are sent.

use crate::events::Moment;
use crate::message::Message;
use crate::notice::{Notice, notices};
use crate::outbox::{Entry, Outbox};
use crate::{Account, Backoff, Courier, Reach, Refusal, events, slack, teams, text};
use floodgate_records::execution::Execution;
use floodgate_records::notify::{Channel, Event, Notify};
use floodgate_records::outcome::{Outcome, ThresholdOutcome};
use floodgate_records::status::Status;
use floodgate_store::local::LocalStore;
use proptest::prelude::*;
use serde_json::Value;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

const ID: &str = "01M8080EYWF7AW9DV1PG8JMESS";

/// A run of a hostile name that failed.
fn failed(name: &str) -> Execution {
    let mut execution = Execution::created(ID, "shop", name, 1_000);
    execution.status = Status::Failed;
    execution.ended_ms = Some(61_000);
    execution.reasons = vec![name.to_owned()];
    execution.target = Some(name.to_owned());
    execution.trigger.principal = Some(name.to_owned());
    execution.trigger.branch = Some(name.to_owned());
    execution.thresholds = vec![ThresholdOutcome {
        id: name.to_owned(),
        key: format!("http_reqs{{name:{name}}}"),
        expression: "count>5".to_owned(),
        aggregate: "count".to_owned(),
        operator: floodgate_records::outcome::Operator::Gt.into(),
        target: 5.0,
        observed: Some(1.25),
        outcome: Outcome::Failed,
        aborted: false,
        note: None,
        implicit: false,
        over_time: floodgate_records::over_time::OverTime::default(),
    }];
    execution
}

fn to(channel: Channel) -> Notify {
    Notify {
        channel,
        on: vec![Event::Failed, Event::Recovered, Event::Started],
        link: Some("https://console.example".to_owned()),
    }
}

fn notice(name: &str) -> Notice {
    let wanted = [to(Channel::Slack("https://h/x".into()))];
    let execution = failed(name);
    notices(&wanted, Moment::Ended, &execution, None, None, None).remove(0)
}

fn message(name: &str) -> Message {
    notice(name).message
}

#[test]
fn events_are_what_is_true_of_the_run() {
    let mut execution = failed("t");
    let of = |execution: &Execution, before| events(Moment::Ended, execution, None, before);
    assert_eq!(of(&execution, None), [Event::Failed]);
    assert_eq!(
        events(Moment::Started, &execution, None, None),
        [Event::Started]
    );
    execution.status = Status::Passed;
    assert_eq!(of(&execution, None), [Event::Passed]);
    assert_eq!(of(&execution, Some(Status::Passed)), [Event::Passed]);
    for before in [
        Status::Failed,
        Status::Errored,
        Status::Inconclusive,
        Status::Aborted,
    ] {
        assert_eq!(
            of(&execution, Some(before)),
            [Event::Recovered, Event::Passed]
        );
    }
    assert_eq!(of(&execution, Some(Status::Running)), [Event::Passed]);
}

#[test]
fn only_what_is_asked_for_is_told_and_always_under_the_same_id() {
    let mut wanted = vec![
        to(Channel::Slack("https://h/x".into())),
        to(Channel::Teams("https://h/y".into())),
    ];
    wanted[0].on = vec![Event::Passed];
    let execution = failed("t");
    let told = |moment| notices(&wanted, moment, &execution, None, None, None);
    let ended = told(Moment::Ended);
    assert_eq!(ended.len(), 1);
    assert_eq!(ended[0].id, format!("msg_{ID}_ended_1"));
    assert_eq!(ended[0].message.kind, "run.failed");
    assert_eq!(ended, told(Moment::Ended));
    assert_eq!(told(Moment::Started)[0].id, format!("msg_{ID}_started_1"));
    let link = &ended[0].message.data.links[0];
    assert_eq!(
        link.url,
        format!("https://console.example/#/runs/shop/{ID}")
    );
}

#[test]
fn a_message_is_of_the_published_schema() {
    let schema = floodgate_records::schema::notification();
    let required = schema["$defs"]["run"]["required"].as_array().unwrap();
    let message = serde_json::to_value(message("t")).unwrap();
    for key in required {
        assert!(
            message["data"].get(key.as_str().unwrap()).is_some(),
            "{key}"
        );
    }
    let known = schema["$defs"]["run"]["properties"].as_object().unwrap();
    for key in message["data"].as_object().unwrap().keys() {
        assert!(known.contains_key(key), "{key} is not in the schema");
    }
    let back: Message = serde_json::from_value(message.clone()).unwrap();
    assert_eq!(serde_json::to_value(back).unwrap(), message);
}

/// All texts of a document that have markup: those of Slack's `mrkdwn`, and the first line.
fn marked_up(body: &Value) -> Vec<String> {
    let mut found = vec![body["text"].as_str().unwrap().to_owned()];
    for block in body["blocks"].as_array().unwrap() {
        if block["text"]["type"] == "mrkdwn" {
            found.push(block["text"]["text"].as_str().unwrap().to_owned());
        }
    }
    found
}

proptest! {
    #[test]
    fn hostile_names_stay_text(name in "(<!channel>|<https://evil|x>|\\[a\\]\\(http://b\\)|\\{\\{DATE\\(|[*_`~&<>@#|\u{202e}\u{1b}\n\r]|.){0,40}") {
        let message = message(&name);
        let body = slack::body(&message);
        for text in marked_up(&body) {
            let foreign = text.replace(&format!("<https://console.example/#/runs/shop/{ID}|Run>"), "");
            prop_assert!(!foreign.contains(['<', '>']), "{text}");
        }
        for block in body["blocks"].as_array().unwrap() {
            let text = block["text"]["text"].as_str().unwrap();
            let most = if block["type"] == "header" { 150 } else { 3_000 };
            prop_assert!(!text.is_empty() && text.chars().count() <= most);
        }
        prop_assert!(body["blocks"].as_array().unwrap().len() <= 50);
        let card = teams::body(&message);
        let content = &card["attachments"][0]["content"];
        for block in content["body"].as_array().unwrap() {
            // Rich text has no Markdown.
            prop_assert_eq!(&block["type"], "RichTextBlock");
            prop_assert!(!block["inlines"][0]["text"].as_str().unwrap().contains("{{"));
        }
        prop_assert!(card.to_string().len() < 28 << 10);
        let plain = text::plain(&message);
        prop_assert!(plain.chars().all(|c| c == '\n' || floodgate_records::printable::shows(c)));
    }
}

/// Answers that a receiver gives in turn, then 204; a dash takes the request and says nothing.
async fn receiver(answers: &'static [&'static str]) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!(
        "http://{}/hook/hunter2hunter2",
        listener.local_addr().unwrap()
    );
    let got: Arc<Mutex<Vec<String>>> = Arc::default();
    let kept = got.clone();
    tokio::spawn(async move {
        let mut held = Vec::new();
        for n in 0.. {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut text = String::new();
            while !text.ends_with("}}") {
                let mut piece = [0; 8_192];
                let read = stream.read(&mut piece).await.unwrap();
                if read == 0 {
                    break;
                }
                text.push_str(&String::from_utf8_lossy(&piece[..read]));
            }
            kept.lock().unwrap().push(text);
            match answers.get(n).copied().unwrap_or("204 No Content\r\n") {
                "-" => held.push(stream),
                answer => {
                    let (head, body) = answer.split_once("\n\n").unwrap_or((answer.trim(), ""));
                    let length = body.len();
                    let text = format!(
                        "HTTP/1.1 {head}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
                    );
                    stream.write_all(text.as_bytes()).await.unwrap();
                }
            }
        }
    });
    (url, got)
}

fn quick() -> Backoff {
    Backoff {
        first: Duration::from_millis(1),
        longest: Duration::from_millis(2),
        total: Duration::from_secs(60),
        attempt: Duration::from_secs(30),
    }
}

fn courier(backoff: Backoff) -> Courier {
    Courier::new(Account::OfEnvironment, Reach::Anywhere, backoff)
}

fn webhook(url: &str) -> Channel {
    Channel::Webhook {
        url: url.to_owned(),
        secrets: vec!["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".into()],
    }
}

fn header(request: &str, name: &str) -> String {
    let line = request
        .lines()
        .find(|line| line.starts_with(&format!("{name}: ")));
    line.unwrap()[name.len() + 2..].to_owned()
}

#[tokio::test]
async fn a_receiver_that_fails_gets_the_same_id_until_it_takes_it() {
    let (url, got) = receiver(&[
        "500 Oh",
        "302 Found\r\nlocation: http://127.0.0.1:1/",
        "429 Slow\r\nretry-after: 0",
    ])
    .await;
    let notice = notice("t");
    let (tries, sent) = courier(quick()).patiently(&webhook(&url), &notice).await;
    assert_eq!((tries, sent), (4, Ok(())));
    let got = got.lock().unwrap().clone();
    assert_eq!(got.len(), 4);
    for request in &got {
        assert!(
            request.starts_with("POST /hook/hunter2hunter2 HTTP/1.1\r\n"),
            "{request}"
        );
        assert_eq!(header(request, "webhook-id"), notice.id);
        let body = request.split_once("\r\n\r\n").unwrap().1;
        let stamp: i64 = header(request, "webhook-timestamp").parse().unwrap();
        let secrets = ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned()];
        let signed = crate::signatures(&secrets, &notice.id, stamp, body.as_bytes()).unwrap();
        assert_eq!(header(request, "webhook-signature"), signed);
        let told: Message = serde_json::from_str(body).unwrap();
        assert_eq!(told, notice.message);
    }
}

#[tokio::test]
async fn gone_is_for_good_and_what_is_said_has_no_secret() {
    let (url, got) = receiver(&["410 Gone\n\nno /hook/hunter2hunter2 here"]).await;
    let (tries, sent) = courier(quick())
        .patiently(&webhook(&url), &notice("t"))
        .await;
    let refusal = sent.unwrap_err();
    assert!(tries == 1 && refusal.is_final() && got.lock().unwrap().len() == 1);
    assert_eq!(
        refusal.to_string(),
        "answered 410: no *** here; it is gone for good"
    );
    // Nobody is there.
    let silent = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let channel = webhook(&format!("http://{silent}/hunter2hunter2"));
    let refusal = courier(quick())
        .once(&channel, &notice("t"))
        .await
        .unwrap_err();
    let said = refusal.to_string();
    assert!(
        said.starts_with("cannot be reached: ") && !said.contains("hunter2"),
        "{said}"
    );
}

#[tokio::test]
async fn a_receiver_that_hangs_or_asks_for_patience_is_left() {
    let (url, _) = receiver(&["-", "503 Busy\r\nretry-after: 7200"]).await;
    let impatient = Backoff {
        attempt: Duration::from_millis(300),
        total: Duration::ZERO,
        ..quick()
    };
    let hung = courier(impatient).once(&webhook(&url), &notice("t")).await;
    assert_eq!(
        hung.unwrap_err(),
        Refusal::again("did not answer within 300ms")
    );
    let (tries, busy) = courier(quick())
        .patiently(&webhook(&url), &notice("t"))
        .await;
    let busy = busy.unwrap_err();
    assert_eq!((tries, busy.after()), (1, Some(Duration::from_secs(7_200))));
}

#[tokio::test]
async fn what_is_not_taken_waits_and_becomes_a_dead_letter_in_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(LocalStore::open(folder.path()).unwrap());
    let outbox = Outbox::new(store);
    let entry = Entry {
        schema: Entry::SCHEMA,
        notice: notice("t"),
        channel: "webhook".into(),
        place: "http://h".into(),
        since_ms: 0,
        attempts: 0,
        left: 0,
        next_ms: None,
        why: String::new(),
    };
    outbox.take(&entry, 1_000).await.unwrap();
    let (all, damaged) = outbox.list(None).await.unwrap();
    assert!(damaged.is_empty() && !all[0].is_due(1_000) && all[0].is_due(61_000));
    let asked = Refusal::Again {
        why: "busy".into(),
        after: Some(Duration::from_secs(5_000)),
    };
    let waits = all[0].clone().refused(3, &asked, 0.5, 1_000);
    assert_eq!((waits.attempts, waits.next_ms), (3, Some(5_001_000)));
    outbox.put(&waits).await.unwrap();
    let listed = outbox.list(Some("shop")).await.unwrap().0;
    assert_eq!(listed.as_slice(), std::slice::from_ref(&waits));
    assert!(outbox.list(Some("other")).await.unwrap().0.is_empty());
    let day = 24 * 3_600_000;
    assert_eq!(waits.clone().refused(1, &asked, 0.5, day).next_ms, None);
    let gone = Refusal::never("gone");
    assert_eq!(waits.clone().refused(1, &gone, 0.5, 2_000).next_ms, None);
    outbox.remove(&waits).await.unwrap();
    assert!(outbox.list(None).await.unwrap().0.is_empty());
}
