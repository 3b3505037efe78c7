//! CloudWatch, by `PutMetricData`
//! (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html>).
//!
//! Each set of dimensions of a metric is a metric of its own there, and costs money by the month: few metrics are sent, by few tags, and no
//! more of them than a bound. The service adds up what it gets for a moment, so a batch goes on where it stood after an error.

mod datum;

use crate::row::Row;
use crate::sink::{Accepted, End, Refused, Run, Sink, SinkError};
use crate::target::{Scheme, Target, TargetError};
use async_trait::async_trait;
use datum::{Datum, Shape, data};
use floodgate_store::aws::call::{CLOUDWATCH, CallError, Calls};
use floodgate_store::aws::loader;
use serde_json::{Value, json};

pub(crate) static SCHEME: Scheme = Scheme {
    names: &["cloudwatch"],
    tls_names: &[],
    shown: "cloudwatch://NAMESPACE",
    default_port: None,
    options: &[
        "dimensions",
        "max_metrics",
        "metrics",
        "region",
        "resolution",
    ],
    password_env: &[],
    token_env: &[],
    again_is_the_same: false,
    serves: false,
    open,
};

/// What is sent unless other metrics are asked for; `all` is all.
const METRICS: &str =
    "http_reqs,http_req_failed,http_req_response_time,iterations,dropped_iterations,checks,vus";
/// The tags that become dimensions unless others are named.
const DIMENSIONS: &str = "name";
/// Dimensions of a metric at most, `test` among them: a limit of the service.
const MOST_DIMENSIONS: usize = 30;
/// Metrics (with their dimensions) of an export at most, unless another bound is given.
const MOST_METRICS: usize = 100;
/// Data of a request at most, a limit of the service.
const REQUEST_DATA: usize = 1_000;
/// Bytes of a request at most: the service takes 1 MB.
const REQUEST_BYTES: usize = 900_000;

fn open(target: &Target, run: &Run) -> Result<Box<dyn Sink>, TargetError> {
    let namespace = target.path.trim_matches('/');
    let is_sound = |c: char| c.is_ascii_alphanumeric() || ".-_/#:".contains(c);
    let is_valid = (1..=255).contains(&namespace.len()) && namespace.chars().all(is_sound);
    if !is_valid || namespace.starts_with("AWS/") {
        let problem = "is not a valid namespace: write cloudwatch://NAMESPACE with letters, digits and .-_/#:, not beginning with AWS/";
        return Err(TargetError::new(&target.url, problem));
    }
    let list = |name: &str, default: &str| -> Vec<String> {
        let text = target.option(name).unwrap_or(default);
        let parts = text.split(',').map(str::trim);
        parts.filter(|p| !p.is_empty()).map(str::to_owned).collect()
    };
    let mut metrics = list("metrics", METRICS);
    metrics.retain(|metric| metric != "all");
    let dimensions = list("dimensions", DIMENSIONS);
    if dimensions.len() >= MOST_DIMENSIONS {
        return Err(target.bad_option("dimensions", "up to 29 tags, such as scenario,name"));
    }
    let most = match target.option("max_metrics").map(str::parse) {
        None => MOST_METRICS,
        Some(Ok(most @ 1..=100_000)) => most,
        Some(_) => return Err(target.bad_option("max_metrics", "a number from 1 to 100000")),
    };
    let resolution = match target.option("resolution") {
        None | Some("60") => 60,
        Some("1") => 1,
        Some(_) => return Err(target.bad_option("resolution", "60, or 1 for seconds")),
    };
    Ok(Box::new(CloudWatch {
        namespace: namespace.to_owned(),
        region: target.option("region").map(str::to_owned),
        calls: None,
        shape: Shape::new(&run.execution.test, metrics, dimensions, most, resolution),
        sent: 0,
    }))
}

struct CloudWatch {
    namespace: String,
    region: Option<String>,
    /// Once credentials and region have been looked up.
    calls: Option<Calls>,
    shape: Shape,
    /// Requests of this batch that have been taken.
    sent: usize,
}

#[async_trait]
impl Sink for CloudWatch {
    async fn push(&mut self, rows: &[Row]) -> Result<Accepted, SinkError> {
        let (all, left_out) = data(rows, &mut self.shape);
        for request in requests(&all).iter().skip(self.sent) {
            self.put(request).await?;
            self.sent += 1;
        }
        self.sent = 0;
        let most = self.shape.most();
        let refused = (left_out > 0).then(|| Refused {
            rows: left_out,
            why: format!(
                "there are more than {most} metrics with their dimensions, which cost money each; raise max_metrics, or name fewer metrics or dimensions"
            ),
        });
        Ok(Accepted {
            refused: refused.into_iter().collect(),
        })
    }

    async fn finish(&mut self, _: &End<'_>) -> Result<Accepted, SinkError> {
        Ok(Accepted::ALL)
    }
}

impl CloudWatch {
    async fn put(&mut self, data: &[Value]) -> Result<(), SinkError> {
        let calls = match &self.calls {
            Some(calls) => calls,
            None => {
                let made = self.connect().await?;
                self.calls.insert(made)
            }
        };
        let input = json!({ "Namespace": self.namespace, "MetricData": data });
        let answer = calls.json(CLOUDWATCH, "PutMetricData", &input).await;
        answer.map(drop).map_err(refused)
    }

    async fn connect(&self) -> Result<Calls, SinkError> {
        let mut loader = loader();
        if let Some(region) = &self.region {
            loader = loader.region(aws_config::Region::new(region.clone()));
        }
        let config = loader.load().await;
        if config.region().is_none() {
            return Err(SinkError::never(
                "no region is known; write ?region=REGION, or set AWS_REGION",
            ));
        }
        Ok(Calls::new(&config))
    }
}

fn refused(error: CallError) -> SinkError {
    let code = error.code().to_owned();
    let (what, passes) = match &error {
        CallError::Refused { .. } => (
            "refuses",
            code.contains("Throttl") || code == "InternalServiceFault",
        ),
        CallError::Credentials(_) => return SinkError::never("cannot be asked").because(error),
        _ => ("cannot be reached", true),
    };
    let is_final = error.is_denial()
        || ["Token", "Signature", "Credentials", "AccessKey", "Endpoint"]
            .iter()
            .any(|part| code.contains(part));
    let what = format!("CloudWatch {what}");
    match (passes || code.starts_with("status 5"), is_final) {
        (true, _) => SinkError::again(what),
        (false, true) => SinkError::never(what),
        (false, false) => SinkError::batch(what),
    }
    .because(error)
}

/// Data by requests, each within the limits of the service. The same data gives the same requests.
fn requests(all: &[Datum]) -> Vec<Vec<Value>> {
    let mut requests: Vec<(Vec<Value>, usize)> = Vec::new();
    for datum in all {
        let json = datum.json();
        let bytes = json.to_string().len();
        match requests.last_mut() {
            Some((data, size)) if data.len() < REQUEST_DATA && *size + bytes < REQUEST_BYTES => {
                data.push(json);
                *size += bytes;
            }
            _ => requests.push((vec![json], bytes)),
        }
    }
    requests.into_iter().map(|(data, _)| data).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
