//! Prometheus, and whatever else takes its remote write 1.0 (VictoriaMetrics, Mimir, Cortex, Thanos); and the other direction, an end point
//! that is scraped.
//!
//! Counters and histograms only rise, from a zero at the start of a series to its exact total; they are told again while they don't change,
//! and end in stale markers. A batch that is sent twice changes nothing: time and value of each sample are the same.

mod names;
mod native;
mod proto;
mod samples;
mod scrape;
mod text;
mod write;

use crate::http::Http;
use crate::row::Row;
use crate::running::Running;
use crate::sink::{Accepted, End, Run, Sink, SinkError};
use crate::target::{Scheme, Target, TargetError};
use async_trait::async_trait;
use names::run_labels;
use samples::Style;
use write::Writer;

pub(crate) use scrape::SCHEME as SCRAPE;

/// `prometheus+http://HOST:PORT`.
pub(crate) static SCHEME: Scheme = Scheme {
    names: &["prometheus+http"],
    tls_names: &["prometheus+https"],
    shown: "prometheus+http://HOST:PORT/api/v1/write",
    default_port: Some(9090),
    options: &["histograms"],
    password_env: &["FLOODGATE_PROMETHEUS_PASSWORD"],
    token_env: &["FLOODGATE_PROMETHEUS_TOKEN"],
    again_is_the_same: true,
    serves: false,
    open,
};

/// Where Prometheus and VictoriaMetrics take remote write.
const PATH: &str = "/api/v1/write";
const HEADERS: [(&str, &str); 3] = [
    ("Content-Type", "application/x-protobuf"),
    ("Content-Encoding", "snappy"),
    ("X-Prometheus-Remote-Write-Version", "0.1.0"),
];

fn open(target: &Target, run: &Run) -> Result<Box<dyn Sink>, TargetError> {
    let style = match target.option("histograms") {
        None | Some("classic") => Style::Classic,
        Some("native") => Style::Native,
        Some(_) => return Err(target.bad_option("histograms", "classic or histograms=native")),
    };
    Ok(Box::new(RemoteWrite {
        http: Http::new(target),
        path: match target.path.as_str() {
            "" | "/" => PATH.to_owned(),
            path => path.to_owned(),
        },
        writer: Writer {
            run: run_labels(run),
            style,
        },
        running: Running::default(),
    }))
}

struct RemoteWrite {
    http: Http,
    path: String,
    writer: Writer,
    running: Running,
}

impl RemoteWrite {
    async fn send(&mut self, request: &proto::WriteRequest) -> Result<(), SinkError> {
        let body = write::body(request)
            .map_err(|error| SinkError::batch("batch too large to compress").because(error))?;
        let answer = self.http.post(&self.path, &HEADERS, body.into()).await?;
        answer.accepted()?;
        Ok(())
    }
}

#[async_trait]
impl Sink for RemoteWrite {
    async fn push(&mut self, rows: &[Row]) -> Result<Accepted, SinkError> {
        let (request, changed) = {
            let mut batch = self.running.batch();
            let request = self.writer.rows(&mut batch, rows);
            (request, batch.changed())
        };
        self.send(&request).await?;
        self.running.take(changed);
        Ok(Accepted::ALL)
    }

    fn skip(&mut self, rows: &[Row]) {
        self.running.skip(rows);
    }

    async fn finish(&mut self, _: &End<'_>) -> Result<Accepted, SinkError> {
        let request = self.writer.ends(&self.running);
        if !request.timeseries.is_empty() {
            self.send(&request).await?;
        }
        Ok(Accepted::ALL)
    }
}
