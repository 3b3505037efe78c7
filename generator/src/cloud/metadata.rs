//! What ECS tells a task about itself
//! (<https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-metadata-endpoint-v4-fargate.html>).

use crate::limits::Named;
use serde::Deserialize;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// The endpoint is on the same machine.
const TIMEOUT: Duration = Duration::from_secs(2);
/// Far more than the description of one task needs.
const MAX_BYTES: u64 = 1 << 20;
/// The error of the clock, in ms, above which the record says so.
const CLOCK_LIMIT_MS: f64 = 50.0;

/// What is read of the description.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct TaskMetadata {
    /// The task's ARN.
    #[serde(rename = "TaskARN")]
    pub task_arn: String,
    /// Where it runs, such as `eu-west-1a`.
    pub availability_zone: Option<String>,
    /// The limits of the task, if it has any.
    #[serde(default, deserialize_with = "lenient")]
    pub limits: Option<TaskSize>,
    /// How well its clock is kept; Fargate tells.
    pub clock_drift: Option<ClockDrift>,
}

/// The size of a task.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct TaskSize {
    /// In vCPUs.
    #[serde(rename = "CPU")]
    pub cpu: Option<f64>,
    /// In MiB.
    pub memory: Option<f64>,
}

/// A size that reads otherwise than documented is none: what else the endpoint says is still of use.
fn lenient<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<TaskSize>, D::Error> {
    let value = serde_json::Value::deserialize(from)?;
    Ok(serde_json::from_value(value).ok())
}

/// How well the clock of a task is kept.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ClockDrift {
    /// Largest error in ms.
    pub clock_error_bound: Option<f64>,
    /// `SYNCHRONIZED` or `NOT_SYNCHRONIZED`.
    pub clock_synchronization_status: Option<String>,
}

impl TaskMetadata {
    /// The limits that the task's cgroup has.
    pub fn limits(&self) -> Named {
        let size = self.limits.unwrap_or_default();
        Named::of(size.cpu, size.memory)
    }

    /// A sentence for the record, if the clock cannot be relied on.
    pub fn clock_warning(&self) -> Option<String> {
        let drift = self.clock_drift.as_ref()?;
        if drift.clock_synchronization_status.as_deref() == Some("NOT_SYNCHRONIZED") {
            return Some("the clock of this task is not synchronised: it may start before or after the others".to_owned());
        }
        let bound = drift.clock_error_bound.filter(|ms| *ms > CLOCK_LIMIT_MS)?;
        Some(format!(
            "the clock of this task may be off by {bound:.0} ms, more than {CLOCK_LIMIT_MS} ms"
        ))
    }
}

/// Asks the endpoint whose address is in `ECS_CONTAINER_METADATA_URI_V4`.
pub(super) async fn fetch(uri: &str) -> Result<TaskMetadata, String> {
    let asked = timeout(TIMEOUT, get(uri)).await;
    let body =
        asked.map_err(|_| format!("{uri}/task: no answer within {} s", TIMEOUT.as_secs()))?;
    let body = body.map_err(|problem| format!("{uri}/task: {problem}"))?;
    serde_json::from_slice(&body).map_err(|problem| format!("{uri}/task: {problem}"))
}

/// An HTTP/1.0 request: the answer ends with the connection, and has no chunks.
async fn get(uri: &str) -> Result<Vec<u8>, String> {
    let url = url::Url::parse(uri).map_err(|error| error.to_string())?;
    let host = url
        .host_str()
        .filter(|_| url.scheme() == "http")
        .ok_or("not an http address")?;
    let port = url.port_or_known_default().unwrap_or(80);
    let said = |error: std::io::Error| error.to_string();
    let mut stream = TcpStream::connect((host.trim_matches(['[', ']']), port))
        .await
        .map_err(said)?;
    let path = url.path().trim_end_matches('/');
    let request =
        format!("GET {path}/task HTTP/1.0\r\nHost: {host}\r\nAccept: application/json\r\n\r\n");
    stream.write_all(request.as_bytes()).await.map_err(said)?;
    let mut answer = Vec::new();
    stream
        .take(MAX_BYTES)
        .read_to_end(&mut answer)
        .await
        .map_err(said)?;
    body(&answer).map(<[u8]>::to_vec)
}

fn body(answer: &[u8]) -> Result<&[u8], String> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut head = httparse::Response::new(&mut headers);
    match head.parse(answer) {
        Ok(httparse::Status::Complete(length)) if head.code == Some(200) => Ok(&answer[length..]),
        Ok(httparse::Status::Complete(_)) => Err(format!("status {}", head.code.unwrap_or(0))),
        Ok(httparse::Status::Partial) => Err("the answer breaks off".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    /// From the page that is named above, shortened.
    const FARGATE: &str = r#"{"Cluster":"arn:aws:ecs:us-east-1:123456789012:cluster/clusterName",
        "TaskARN":"arn:aws:ecs:us-east-1:123456789012:task/MyEmptyCluster/bfa2636268144d039771334145e490c5",
        "Family":"sample-fargate","Revision":"5","DesiredStatus":"RUNNING","KnownStatus":"RUNNING",
        "Limits":{"CPU":0.25,"Memory":512},"Containers":[],"LaunchType":"FARGATE","AvailabilityZone":"us-east-1d",
        "ClockDrift":{"ClockErrorBound":0.5458234999999999,"ReferenceTimestamp":"2021-09-07T16:57:44Z",
        "ClockSynchronizationStatus":"SYNCHRONIZED"}}"#;

    #[test]
    fn the_documented_answer_is_read() {
        let metadata: TaskMetadata = serde_json::from_str(FARGATE).unwrap();
        assert!(
            metadata
                .task_arn
                .ends_with("bfa2636268144d039771334145e490c5")
        );
        assert_eq!(metadata.availability_zone.as_deref(), Some("us-east-1d"));
        assert_eq!(metadata.clock_warning(), None);
        let limits = metadata.limits();
        assert_eq!((limits.cpus, limits.memory), (Some(0.25), Some(512 << 20)));
        for none in [r#"{"CPU":0,"Memory":0}"#, "null", r#""all""#] {
            let none = FARGATE.replace(r#"{"CPU":0.25,"Memory":512}"#, none);
            let none: TaskMetadata = serde_json::from_str(&none).unwrap();
            assert_eq!(none.limits(), Named::default());
        }
        let off = FARGATE.replace("0.5458234999999999", "72.5");
        let off: TaskMetadata = serde_json::from_str(&off).unwrap();
        assert!(off.clock_warning().unwrap().contains("72 ms"));
        let adrift = FARGATE.replace("\"SYNCHRONIZED", "\"NOT_SYNCHRONIZED");
        let adrift: TaskMetadata = serde_json::from_str(&adrift).unwrap();
        assert!(adrift.clock_warning().unwrap().contains("not synchronised"));
        let elsewhere: TaskMetadata = serde_json::from_str(r#"{"TaskARN":"a"}"#).unwrap();
        assert_eq!(elsewhere.clock_warning(), None);
    }

    /// Answers one request with these bytes and returns what was asked.
    async fn answering(answer: String) -> (String, tokio::task::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let uri = format!("http://{}/v4/abc", listener.local_addr().unwrap());
        let asked = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = vec![0; 1_024];
            let read = stream.read(&mut request).await.unwrap();
            stream.write_all(answer.as_bytes()).await.unwrap();
            String::from_utf8_lossy(&request[..read]).into_owned()
        });
        (uri, asked)
    }

    #[tokio::test]
    async fn the_endpoint_is_asked_and_its_refusals_are_told() {
        let (uri, asked) = answering(format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{FARGATE}"
        ))
        .await;
        assert!(
            fetch(&uri)
                .await
                .unwrap()
                .task_arn
                .starts_with("arn:aws:ecs:")
        );
        assert!(
            asked
                .await
                .unwrap()
                .starts_with("GET /v4/abc/task HTTP/1.0\r\n")
        );
        for (answer, problem) in [
            ("HTTP/1.1 404 Not Found\r\n\r\n", "status 404"),
            ("HTTP/1.1 200 OK\r\n", "breaks off"),
            ("HTTP/1.1 200 OK\r\n\r\n{}", "TaskARN"),
            ("nonsense", ""),
        ] {
            let (uri, _asked) = answering(answer.to_owned()).await;
            let error = fetch(&uri).await.unwrap_err();
            assert!(
                error.contains(problem) && error.contains("/v4/abc/task"),
                "{error}"
            );
        }
        assert!(
            fetch("https://127.0.0.1/")
                .await
                .unwrap_err()
                .contains("not an http address")
        );
    }
}
