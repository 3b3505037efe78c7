use super::*;
use crate::delivery::{Delivery, Patience};
use crate::schemes;
use crate::target::References;
use crate::testing::{Received, Server, counters, run};
use floodgate_records::execution::Execution;
use std::io::Read;
use std::time::Duration;

struct Token;

impl References for Token {
    fn env(&self, name: &str) -> Option<String> {
        (name == "INFLUX_TOKEN").then(|| "secret".to_owned())
    }
    fn secret(&self, _: &str) -> Result<String, String> {
        Err("unset".to_owned())
    }
}

const TAKEN: &str = "HTTP/1.1 204 No Content\r\n\r\n";
const FULL: &str = "HTTP/1.1 503 Busy\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n";

fn sink(server: &Server, rest: &str) -> Box<dyn Sink> {
    let url = format!("influxdb://127.0.0.1:{}/{rest}", server.port());
    let target = schemes::parse(&url, &Token).unwrap();
    schemes::open(&target, &run()).unwrap()
}

fn text(request: &Received) -> String {
    let mut text = String::new();
    flate2::read::GzDecoder::new(&request.body[..])
        .read_to_string(&mut text)
        .unwrap();
    text
}

fn answer(status: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

#[tokio::test]
async fn version_1_and_2_have_their_own_paths() {
    for (rest, line) in [
        (
            "a/my%20db",
            "POST /a/write?db=my%20db&precision=ns HTTP/1.1",
        ),
        (
            "db?rp=week",
            "POST /write?db=db&precision=ns&rp=week HTTP/1.1",
        ),
        (
            "b?org=my%26org",
            "POST /api/v2/write?org=my%26org&bucket=b&precision=ns HTTP/1.1",
        ),
    ] {
        let server = Server::start([TAKEN]).await;
        let mut sink = sink(&server, rest);
        assert_eq!(sink.push(&counters(2)).await.unwrap(), Accepted::ALL);
        let requests = server.requests();
        assert_eq!(requests[0].line, line);
        assert_eq!(requests[0].header("authorization"), Some("Token secret"));
        assert_eq!(text(&requests[0]).lines().count(), 2);
    }
}

#[tokio::test]
async fn a_database_that_is_missing_is_made() {
    let missing = answer("404 Not Found", r#"{"error":"database not found: \"k6\""}"#);
    let server = Server::start([missing.as_str(), &answer("200 OK", "{}"), TAKEN]).await;
    let mut sink = sink(&server, "k6");
    assert_eq!(sink.push(&counters(1)).await.unwrap(), Accepted::ALL);
    let requests = server.requests();
    assert_eq!(
        requests[1].line,
        "POST /query?q=CREATE%20DATABASE%20%22k6%22 HTTP/1.1"
    );
    assert_eq!(requests.len(), 3);
}

#[tokio::test]
async fn what_is_dropped_is_counted_and_a_liar_is_found_out() {
    let partial = answer(
        "400 Bad Request",
        r#"{"error":"partial write: field type conflict: input field \"value\" dropped=1"}"#,
    );
    let server = Server::start([
        partial.as_str(),
        &answer("200 OK", "welcome"),
        &answer("401 Unauthorized", "no"),
        &answer("400 Bad Request", "unable to parse\u{1b}[31m"),
    ])
    .await;
    let mut sink = sink(&server, "db");
    let accepted = sink.push(&counters(4)).await.unwrap();
    assert_eq!(accepted.refused.len(), 1);
    assert_eq!(accepted.refused[0].rows, 1);
    let error = sink.push(&counters(4)).await.unwrap_err();
    assert!(matches!(error, SinkError::Never { .. }), "{error}");
    assert!(
        error.to_string().contains("where InfluxDB answers 204"),
        "{error}"
    );
    let error = sink.push(&counters(4)).await.unwrap_err();
    assert!(
        error.to_string().contains("check user, password or token"),
        "{error}"
    );
    let error = sink.push(&counters(4)).await.unwrap_err();
    assert!(matches!(error, SinkError::Batch { .. }), "{error}");
    assert!(!error.to_string().contains('\u{1b}'), "{error}");
}

/// A server that is full, cuts the connection in the middle of an answer, and hangs: every row arrives, and only
/// batches that were not acknowledged arrive again.
#[tokio::test]
async fn faults_on_the_way_lose_nothing() {
    let server = Server::start([FULL, "HTTP/1.1 204", "", TAKEN]).await;
    let patience = Patience {
        batch: Duration::from_secs(5),
        first_pause: Duration::from_millis(1),
        longest_pause: Duration::from_millis(5),
        total: Duration::from_secs(60),
    };
    let mut delivery = Delivery::new(sink(&server, "db"), patience);
    delivery.push(counters(7_000));
    let execution = Execution::created("id", "p", "t", 0);
    let end = End {
        execution: &execution,
        summary: None,
        totals: None,
        complete: false,
    };
    let report = delivery.finish(end).await;
    assert!(report.is_complete(), "{report:?}");
    assert_eq!((report.taken, report.retries), (7_000, 3));
    let mut lines: Vec<String> = Vec::new();
    for request in server.requests() {
        lines.extend(text(&request).lines().map(str::to_owned));
    }
    let sent = lines.len();
    lines.sort();
    lines.dedup();
    assert_eq!((lines.len(), sent), (7_000, 7_000 + 3 * 5_000));
}

#[test]
fn a_database_is_asked_for() {
    let target = schemes::parse("influxdb://h:1/", &Token).unwrap();
    let Err(error) = schemes::open(&target, &run()) else {
        panic!("it was opened");
    };
    assert!(error.to_string().contains("names no database"), "{error}");
}

#[tokio::test]
async fn a_retention_policy_that_is_missing_is_told_at_once() {
    // What InfluxDB 1.6 says.
    let missing = answer(
        "500 Internal Server Error",
        r#"{"error":"retention policy not found: nope"}"#,
    );
    let server = Server::start([missing]).await;
    let error = sink(&server, "k6?rp=nope").push(&counters(10)).await;
    let error = error.unwrap_err();
    assert!(matches!(error, SinkError::Never { .. }), "{error:?}");
    assert!(error.to_string().contains("leave rp out"), "{error}");
    assert_eq!(server.requests().len(), 1);
}
