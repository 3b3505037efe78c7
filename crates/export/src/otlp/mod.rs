//! OpenTelemetry: metrics over OTLP/HTTP, for a Collector and all that it reaches. Trends are exponential histograms, whose error is that of
//! [`crate::exponential`].

mod encode;
mod proto;

use crate::http::Http;
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
use proto::ExportMetricsServiceResponse;
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
    open,
};

/// Where receivers take metrics (<https://opentelemetry.io/docs/specs/otlp/#otlphttp-request>).
const PATH: &str = "/v1/metrics";
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
        http: Http::new(target),
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
        let answer = answer.accepted()?;
        self.running.take(changed);
        Ok(refused(&answer.body))
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
fn refused(answer: &[u8]) -> Accepted {
    let said = ExportMetricsServiceResponse::decode(answer).ok();
    let said = said.and_then(|said| said.partial_success);
    let refused = said.and_then(|said| {
        let rows = u64::try_from(said.rejected_data_points).ok()?;
        let why = printable(&said.error_message).into_owned();
        (rows > 0).then_some(Refused { rows, why })
    });
    Accepted {
        refused: refused.into_iter().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::PartialSuccess;

    #[test]
    fn what_a_receiver_leaves_out_is_told() {
        let answer = |rejected_data_points| ExportMetricsServiceResponse {
            partial_success: Some(PartialSuccess {
                rejected_data_points,
                error_message: "too\nold".into(),
            }),
        };
        let found = refused(&answer(3).encode_to_vec());
        assert_eq!(
            found.refused,
            [Refused {
                rows: 3,
                why: "too\\nold".into()
            }]
        );
        for nothing in [
            &b""[..],
            b"{}",
            &answer(0).encode_to_vec(),
            &answer(-1).encode_to_vec(),
        ] {
            assert_eq!(refused(nothing), Accepted::ALL);
        }
    }
}
