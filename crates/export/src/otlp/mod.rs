//! OpenTelemetry: metrics over OTLP/HTTP, for a Collector and all that it reaches. Trends are exponential histograms, whose error is that of
//! [`crate::exponential`].

mod encode;
mod proto;
mod response;

use crate::http::{Answer, Http};
use crate::row::Row;
use crate::running::Running;
use crate::sink::{Accepted, End, Refused, Run, Sink, SinkError};
use crate::target::{Scheme, Target, TargetError};
use async_trait::async_trait;
use encode::{Encoder, Temporality};
use flate2::Compression;
use flate2::write::GzEncoder;
use floodgate_records::printable::printable;
use prost::Message as _;
use std::io::Write as _;

/// `otlp+http://HOST:PORT`.
pub(crate) static SCHEME: Scheme = Scheme {
    names: &["otlp+http"],
    tls_names: &["otlp+https"],
    shown: "otlp+http://HOST:PORT/v1/metrics",
    default_port: Some(4318),
    options: &["temporality"],
    password_env: &["FLOODGATE_OTLP_PASSWORD"],
    token_env: &["FLOODGATE_OTLP_TOKEN"],
    again_is_the_same: true,
    serves: false,
    open,
};

/// Where receivers take metrics (<https://opentelemetry.io/docs/specs/otlp/#otlphttp-request>).
const PATH: &str = "/v1/metrics";
/// Bytes of an answer: what was left out, and why.
const MAX_ANSWER: usize = 64 << 10;
const HEADERS: [(&str, &str); 2] = [
    ("Content-Type", "application/x-protobuf"),
    ("Content-Encoding", "gzip"),
];

fn open(target: &Target, run: &Run) -> Result<Box<dyn Sink>, TargetError> {
    let temporality = match target.option("temporality") {
        None | Some("cumulative") => Temporality::Cumulative,
        Some("delta") => Temporality::Delta,
        Some(_) => return Err(target.bad_option("temporality", "cumulative or temporality=delta")),
    };
    let execution = &run.execution;
    let resource = vec![
        ("service.name", "floodgate".to_owned()),
        ("project", execution.project.clone()),
        ("test", execution.test.clone()),
        ("testid", run.testid.clone()),
    ];
    Ok(Box::new(Otlp {
        http: Http::new(target).reading(MAX_ANSWER),
        path: match target.path.as_str() {
            "" | "/" => PATH.to_owned(),
            path => path.to_owned(),
        },
        encoder: Encoder {
            resource,
            temporality,
        },
        running: Running::default(),
    }))
}

struct Otlp {
    http: Http,
    path: String,
    encoder: Encoder,
    /// Empty with deltas.
    running: Running,
}

#[async_trait]
impl Sink for Otlp {
    async fn push(&mut self, rows: &[Row]) -> Result<Accepted, SinkError> {
        let (request, changed) = {
            let mut batch = self.running.batch();
            let request = self.encoder.request(&mut batch, rows);
            (request, batch.changed())
        };
        let body = compressed(&request.encode_to_vec())
            .map_err(|error| SinkError::batch("batch cannot be compressed").because(error))?;
        let answer = self.http.post(&self.path, &HEADERS, body.into()).await?;
        let accepted = refused(&answer.accepted()?)?;
        self.running.take(changed);
        Ok(accepted)
    }

    fn skip(&mut self, rows: &[Row]) {
        if self.encoder.temporality == Temporality::Cumulative {
            self.running.skip(rows);
        }
    }

    async fn finish(&mut self, _: &End<'_>) -> Result<Accepted, SinkError> {
        Ok(Accepted::ALL)
    }
}

fn compressed(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes)?;
    encoder.finish()
}

/// What a receiver left out of what it accepted; one that says nothing left out nothing.
///
/// # Errors
/// [`SinkError::Never`] for what no receiver says.
fn refused(answer: &Answer) -> Result<Accepted, SinkError> {
    let said = response::read(&answer.content_type, &answer.body).map_err(|why| {
        let (status, said) = (answer.status, answer.said());
        let problem = format!(
            "answered {status} to metrics, but not as an OTLP receiver does ({why}){said}; check the URL: the path is {PATH}, or what the store \
             says"
        );
        SinkError::never(problem)
    })?;
    let refused = said.partial_success.and_then(|said| {
        let rows = u64::try_from(said.rejected_data_points).ok()?;
        let why = printable(&said.error_message).into_owned();
        (rows > 0).then_some(Refused { rows, why })
    });
    Ok(Accepted {
        refused: refused.into_iter().collect(),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::schemes;
    use crate::testing::{Nothing, Server, counters, run};
    use proto::{ExportMetricsServiceResponse, PartialSuccess};

    fn answer(content_type: &str, body: &[u8]) -> Answer {
        Answer {
            status: 200,
            retry_after: None,
            content_type: content_type.to_owned(),
            body: body.to_vec().into(),
        }
    }

    #[test]
    fn what_a_receiver_leaves_out_is_told() {
        let said = |rejected_data_points| {
            let response = ExportMetricsServiceResponse {
                partial_success: Some(PartialSuccess {
                    rejected_data_points,
                    error_message: "too\nold".into(),
                }),
            };
            response.encode_to_vec()
        };
        let three = [Refused {
            rows: 3,
            why: "too\\nold".into(),
        }];
        let (protobuf, json) = ("application/x-protobuf", "application/json");
        for (kind, body) in [
            (protobuf, said(3)),
            ("", said(3)),
            (
                json,
                br#"{"partialSuccess":{"rejectedDataPoints":"3","errorMessage":"too\nold"}}"#.to_vec(),
            ),
            (
                "",
                br#" {"partialSuccess":{"rejectedDataPoints":3,"errorMessage":"too\nold"},"more":1}"#
                    .to_vec(),
            ),
        ] {
            assert_eq!(refused(&answer(kind, &body)).unwrap().refused, three);
        }
        for (kind, nothing) in [
            ("", vec![]),
            ("text/plain", vec![]),
            (json, b"{}".to_vec()),
            ("", b"{}".to_vec()),
            (json, br#"{"partialSuccess":{}}"#.to_vec()),
            (json, br#"{"partialSuccess":null}"#.to_vec()),
            (protobuf, said(0)),
            (protobuf, said(-1)),
        ] {
            assert_eq!(refused(&answer(kind, &nothing)).unwrap(), Accepted::ALL);
        }
    }

    #[test]
    fn what_no_receiver_says_is_a_failure() {
        for (kind, body) in [
            ("", "OK"),
            ("text/plain", "Success."),
            ("application/json", "{\"partialSuccess\": 7}"),
            (
                "application/json",
                "{\"partialSuccess\": {\"rejectedDataPoints\": \"many\"}}",
            ),
            ("application/json", "[]"),
            ("application/x-protobuf", "{\"partialSuccess\": "),
        ] {
            let error = refused(&answer(kind, body.as_bytes())).unwrap_err();
            assert!(matches!(error, SinkError::Never { .. }), "{error:?}");
            assert!(error.to_string().contains("check the URL"), "{error}");
        }
    }

    /// A proxy, a login page, another server: what says 200 to everything has stored nothing.
    #[tokio::test]
    async fn a_web_page_is_not_a_store() {
        for url in ["otlp+http", "prometheus+http"] {
            for head in ["Content-Type: text/html; charset=utf-8\r\n", ""] {
                let page = "<!DOCTYPE html><title>Sign in</title>";
                let said = format!(
                    "HTTP/1.1 200 OK\r\n{head}Content-Length: {}\r\n\r\n{page}",
                    page.len()
                );
                let server = Server::start([said]).await;
                let target =
                    schemes::parse(&format!("{url}://127.0.0.1:{}", server.port()), &Nothing)
                        .unwrap();
                let mut sink = schemes::open(&target, &run()).unwrap();
                let error = sink.push(&counters(10)).await.unwrap_err();
                assert!(matches!(error, SinkError::Never { .. }), "{error:?}");
                assert!(error.to_string().contains("web page"), "{error}");
                // What was not taken is in no running total.
                sink.push(&counters(10)).await.unwrap();
            }
        }
    }
}
