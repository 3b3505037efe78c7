//! InfluxDB, versions 1 and 2, and what takes its line protocol.
//!
//! The shape is k6's (<https://grafana.com/docs/k6/latest/results-output/real-time/influxdb/>): a measurement a metric, the field `value`,
//! tags as tags. Beside it a trend or rate has a point at the start of each window with the exact figures, in fields that k6 does
//! not have.

mod line;

use crate::http::{Answer, Http};
use crate::points::Points;
use crate::row::Row;
use crate::sink::{Accepted, End, Refused, Run, Sink, SinkError};
use crate::target::{Scheme, Target, TargetError};
use async_trait::async_trait;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use line::{Body, Lines};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use std::io::Write;

pub(crate) static SCHEME: Scheme = Scheme {
    names: &["influxdb", "influxdb+http"],
    tls_names: &["influxdbs", "influxdb+https"],
    shown: "influxdb://HOST:PORT/DB, or influxdb://HOST:PORT/BUCKET?org=ORG",
    default_port: Some(8086),
    options: &["org", "points", "rp", "tags_as_fields"],
    password_env: &["FLOODGATE_INFLUXDB_PASSWORD"],
    token_env: &["FLOODGATE_INFLUXDB_TOKEN", "INFLUX_TOKEN"],
    again_is_the_same: true,
    serves: false,
    open,
};

/// Tags whose values have no bound, which make an index grow without end: fields, as with k6.
const TAGS_AS_FIELDS: &str = "vu,iter,url";

/// Points of a request: bodies of some 2 MB before compression; servers refuse those above 25 MB by default.
const MAX_LINES: usize = 20_000;

fn open(target: &Target, run: &Run) -> Result<Box<dyn Sink>, TargetError> {
    let database = target.database().ok_or_else(|| {
        let problem = "names no database; write influxdb://HOST:PORT/DB".to_owned();
        TargetError::new(&target.url, problem)
    })?;
    let points = match target.option("points") {
        Some(text) => {
            Points::parse(text).ok_or_else(|| target.bad_option("points", Points::ALLOWED))?
        }
        None => Points::DEFAULT,
    };
    let fields = target.option("tags_as_fields").unwrap_or(TAGS_AS_FIELDS);
    let fields = fields.split(',').map(|tag| tag.trim().to_owned());
    let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let prefix = target.path.trim_end_matches('/');
    let prefix = prefix.rsplit_once('/').map_or("", |(prefix, _)| prefix);
    let db = encoded(&database);
    let (write, create) = match target.option("org") {
        Some(org) => {
            let org = encoded(org);
            let write = format!("{prefix}/api/v2/write?org={org}&bucket={db}&precision=ns");
            (write, None)
        }
        None => {
            let rp = target.option("rp");
            let rp = rp.map_or(String::new(), |rp| format!("&rp={}", encoded(rp)));
            let name = database.replace('\\', "\\\\").replace('"', "\\\"");
            let statement = encoded(&format!("CREATE DATABASE \"{name}\""));
            (
                format!("{prefix}/write?db={db}&precision=ns{rp}"),
                Some(format!("{prefix}/query?q={statement}")),
            )
        }
    };
    Ok(Box::new(Influx {
        http: Http::new(target).with_token_as(target, "Token"),
        server: target.authority(),
        database,
        write,
        create,
        points,
        lines: Lines::new(&run.testid, fields),
    }))
}

struct Influx {
    http: Http,
    server: String,
    database: String,
    /// Path and query that take lines.
    write: String,
    /// Path and query that make the database, which version 2 has none for.
    create: Option<String>,
    points: Points,
    lines: Lines,
}

#[async_trait]
impl Sink for Influx {
    async fn push(&mut self, rows: &[Row]) -> Result<Accepted, SinkError> {
        let mut accepted = Accepted::ALL;
        for body in self.lines.bodies(rows, self.points, MAX_LINES) {
            accepted.refused.extend(self.send(&body).await?);
        }
        Ok(accepted)
    }

    async fn finish(&mut self, _: &End<'_>) -> Result<Accepted, SinkError> {
        Ok(Accepted::ALL)
    }
}

impl Influx {
    /// What was refused, if anything.
    async fn send(&mut self, body: &Body) -> Result<Option<Refused>, SinkError> {
        let headers = [
            ("content-encoding", "gzip"),
            ("content-type", "text/plain; charset=utf-8"),
        ];
        let packed = gzip(body.text.as_bytes())
            .map_err(|e| SinkError::batch("cannot be packed").because(e))?;
        let answer = self
            .http
            .post(&self.write, &headers, packed.clone())
            .await?;
        let answer = match &self.create {
            Some(create) if is_missing(&answer) => {
                let made = self.http.post(create, &[], Bytes::new()).await?;
                self.accepted(made)?;
                self.http.post(&self.write, &headers, packed).await?
            }
            _ => answer,
        };
        if let Some(dropped) = partly_refused(&answer) {
            // The share of the rows that these points stand for.
            let rows = dropped
                .saturating_mul(body.rows)
                .div_ceil(body.lines.max(1));
            return Ok(Some(Refused {
                rows,
                why: answer.said().trim_start_matches(": ").to_owned(),
            }));
        }
        let answer = self.accepted(answer)?;
        match answer.status {
            204 => Ok(None),
            // A proxy or another server says that all is well, and has stored nothing.
            status => Err(SinkError::never(format!(
                "{} answered {status} to a write, where InfluxDB answers 204: check the URL",
                self.server
            ))),
        }
    }

    fn accepted(&self, answer: Answer) -> Result<Answer, SinkError> {
        if is_missing(&answer) {
            let (server, database) = (&self.server, &self.database);
            return Err(SinkError::never(format!(
                "{server} has no database or bucket {database:?}; create it{}",
                answer.said()
            )));
        }
        if answer.status == 500 && answer.said().contains("retention policy not found") {
            return Err(SinkError::never(format!(
                "{}{}; create the retention policy, or leave rp out",
                self.server,
                answer.said()
            )));
        }
        answer.accepted()
    }
}

fn is_missing(answer: &Answer) -> bool {
    answer.status == 404 && answer.said().contains("not found")
}

/// How many points were dropped while the others were taken: version 1 says so in an error
/// (`partial write: field type conflict: … dropped=7`).
fn partly_refused(answer: &Answer) -> Option<u64> {
    let said = answer.said();
    if !(answer.status == 400 && said.contains("partial write")) {
        return None;
    }
    let (_, number) = said.rsplit_once("dropped=")?;
    let digits = number
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(number.len());
    number[..digits].parse().ok()
}

fn gzip(body: &[u8]) -> std::io::Result<Bytes> {
    let mut packed = GzEncoder::new(Vec::with_capacity(body.len() / 8), Compression::fast());
    packed.write_all(body)?;
    Ok(packed.finish()?.into())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
