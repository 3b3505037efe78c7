//! Statistics of CloudWatch by `GetMetricData`
//! (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html>).

use crate::told::{Silence, Times, Told, kept};
use chrono::DateTime;
use floodgate_core::definition::model::CloudWatchSource;
use floodgate_store::aws::call::{CLOUDWATCH, CallError, Calls};
use floodgate_store::aws::loader;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// How long an answer may take, tries and pauses included.
const PATIENCE: Duration = Duration::from_secs(15);

/// A statistic of a metric.
pub(crate) struct CloudWatch {
    source: CloudWatchSource,
    /// Once credentials and region have been looked up.
    calls: Option<Calls>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    #[serde(default)]
    metric_data_results: Vec<Series>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Series {
    #[serde(default)]
    timestamps: Vec<Timestamp>,
    #[serde(default)]
    values: Vec<f64>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Timestamp {
    /// Unix seconds.
    Seconds(f64),
    /// RFC 3339, as emulators have it.
    Text(String),
}

impl Timestamp {
    fn ms(&self) -> Option<i64> {
        match self {
            Self::Seconds(seconds) => Some((seconds * 1_000.0).round() as i64),
            Self::Text(text) => {
                let time = DateTime::parse_from_rfc3339(text).ok()?;
                Some(time.timestamp_millis())
            }
        }
    }
}

impl CloudWatch {
    /// Nothing is connected yet.
    pub(crate) fn new(source: &CloudWatchSource) -> Self {
        Self {
            source: source.clone(),
            calls: None,
        }
    }

    /// Asks for the values at some times: those of the periods that were the last to end before them.
    ///
    /// # Errors
    /// [`Silence`].
    pub(crate) async fn ask(&mut self, times: Times) -> Result<Told, Silence> {
        let calls = match &self.calls {
            Some(calls) => calls,
            None => {
                let made = self.connect().await?;
                self.calls.insert(made)
            }
        };
        let input = question(&self.source, times);
        let asked = calls.json(CLOUDWATCH, "GetMetricData", &input);
        let answer = match tokio::time::timeout(PATIENCE, asked).await {
            Ok(answer) => answer.map_err(silence)?,
            Err(_) => {
                let why = format!("CloudWatch did not answer within {} s", PATIENCE.as_secs());
                return Err(Silence::passing(why));
            }
        };
        read(answer, times)
    }

    async fn connect(&self) -> Result<Calls, Silence> {
        let mut loader = loader();
        if let Some(region) = &self.source.region {
            loader = loader.region(aws_config::Region::new(region.clone()));
        }
        let config = loader.load().await;
        match config.region() {
            Some(_) => Ok(Calls::new(&config)),
            None => Err(Silence::lasting(
                "no region is known; write region, or set AWS_REGION",
            )),
        }
    }
}

fn silence(error: CallError) -> Silence {
    let may_end = error.may_pass();
    let why = format!("CloudWatch: {error}");
    Silence { why, may_end }
}

/// When the last period began that had ended at a time, Unix ms: the service aligns them to whole ones since 1970.
fn period_of(at_ms: i64, period_ms: i64) -> i64 {
    (at_ms.div_euclid(period_ms) - 1) * period_ms
}

fn question(source: &CloudWatchSource, times: Times) -> Value {
    let dimensions = source.dimensions.iter();
    let dimensions: Vec<_> = dimensions
        .map(|(name, value)| json!({ "Name": name, "Value": value }))
        .collect();
    let start = |at_ms: i64| period_of(at_ms, times.step_ms) / 1_000;
    let period_s = times.step_ms / 1_000;
    json!({
        "MetricDataQueries": [{
            "Id": "value",
            "MetricStat": {
                "Metric": {
                    "Namespace": source.namespace,
                    "MetricName": source.metric,
                    "Dimensions": dimensions,
                },
                "Period": period_s,
                "Stat": source.statistic,
            },
            "ReturnData": true,
        }],
        "StartTime": start(times.from_ms),
        // Exclusive.
        "EndTime": start(times.to_ms) + period_s,
        "ScanBy": "TimestampAscending",
    })
}

fn read(answer: Value, times: Times) -> Result<Told, Silence> {
    let not_its =
        |error| Silence::lasting(format!("its answer is not that of CloudWatch: {error}"));
    let answer: Answer = serde_json::from_value(answer).map_err(not_its)?;
    let all = answer.metric_data_results.into_iter();
    let found: BTreeMap<i64, f64> = all
        .flat_map(|series| series.timestamps.into_iter().zip(series.values))
        .filter_map(|(at, value)| Some((at.ms()?, value)))
        .collect();
    let mut told = Told::default();
    let step = usize::try_from(times.step_ms).unwrap_or(usize::MAX);
    for at_ms in (times.from_ms..=times.to_ms).step_by(step) {
        let Some(&value) = found.get(&period_of(at_ms, times.step_ms)) else {
            continue;
        };
        match kept(value) {
            Ok(value) => drop(told.values.insert(at_ms, value)),
            Err(why) => drop(told.refused.insert(at_ms, why)),
        }
    }
    Ok(told)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use aws_config::{BehaviorVersion, Region, SdkConfig};
    use aws_credential_types::Credentials;
    use aws_credential_types::provider::SharedCredentialsProvider;
    use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
    use aws_sigv4::sign::v4::SigningParams;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    /// 10 s and 70 s after a whole minute.
    const TIMES: Times = Times {
        from_ms: 1_700_000_110_000,
        to_ms: 1_700_000_170_000,
        step_ms: 60_000,
    };

    fn source() -> CloudWatchSource {
        CloudWatchSource {
            namespace: "AWS/ECS".to_owned(),
            metric: "CPUUtilization".to_owned(),
            dimensions: BTreeMap::from([("ServiceName".to_owned(), "shop".to_owned())]),
            statistic: "Average".to_owned(),
            region: None,
        }
    }

    #[test]
    fn the_last_whole_period_before_a_time_is_asked_for() {
        let asked = question(&source(), TIMES);
        // 1_700_000_100 is a whole minute.
        assert_eq!(asked["StartTime"], 1_700_000_040);
        assert_eq!(asked["EndTime"], 1_700_000_160);
        let stat = &asked["MetricDataQueries"][0]["MetricStat"];
        assert_eq!(stat["Period"], 60);
        assert_eq!(
            stat["Metric"]["Dimensions"],
            json!([{ "Name": "ServiceName", "Value": "shop" }])
        );
    }

    #[test]
    fn values_belong_to_the_times_after_their_periods() {
        let answer = json!({ "MetricDataResults": [{
            "Id": "value", "StatusCode": "Complete",
            "Timestamps": [1_700_000_040, "2023-11-14T22:15:00Z"], "Values": [40.5, -1.0],
        }] });
        let told = read(answer, TIMES).unwrap();
        assert_eq!(told.values, BTreeMap::from([(TIMES.from_ms, 40.5)]));
        assert!(told.refused[&TIMES.to_ms].contains("below 0"));
        let none = json!({ "MetricDataResults": [{ "Timestamps": [], "Values": [] }] });
        assert_eq!(read(none, TIMES).unwrap(), Told::default());
        assert!(!read(json!("x"), TIMES).unwrap_err().may_end);
    }

    fn credentials(secret: &str) -> Credentials {
        Credentials::new("AKIDEXAMPLE", secret, None, None, "test")
    }

    fn asking(endpoint: &str, secret: &str) -> CloudWatch {
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-west-1"))
            .endpoint_url(endpoint)
            .credentials_provider(SharedCredentialsProvider::new(credentials(secret)))
            .build();
        CloudWatch {
            source: source(),
            calls: Some(Calls::new(&config)),
        }
    }

    /// The header that proves who asks, computed from what came by whoever knows the secret.
    fn proof(endpoint: &str, head: &BTreeMap<String, String>, body: &[u8]) -> String {
        let time = &head["x-amz-date"];
        let time = chrono::NaiveDateTime::parse_from_str(time, "%Y%m%dT%H%M%SZ").unwrap();
        let identity = credentials("known").into();
        let parameters = SigningParams::builder()
            .identity(&identity)
            .region("eu-west-1")
            .name("monitoring")
            .time(time.and_utc().into())
            .settings(SigningSettings::default())
            .build()
            .unwrap()
            .into();
        let url = format!("{endpoint}/");
        let signed = ["content-type", "x-amz-target"].map(|name| (name, head[name].as_str()));
        let body = SignableBody::Bytes(body);
        let request = SignableRequest::new("POST", url, signed.into_iter(), body).unwrap();
        let (instructions, _) = sign(request, &parameters).unwrap().into_parts();
        let mut headers = instructions.headers();
        let (_, proof) = headers.find(|(name, _)| *name == "authorization").unwrap();
        proof.to_owned()
    }

    /// A server that knows the secret, and answers whoever does.
    async fn server() -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let own = endpoint.clone();
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut got = Vec::new();
                let (head, body) = loop {
                    let mut buffer = [0; 4_096];
                    let read = stream.read(&mut buffer).await.unwrap();
                    got.extend_from_slice(&buffer[..read]);
                    let text = String::from_utf8_lossy(&got).into_owned();
                    let Some((head, body)) = text.split_once("\r\n\r\n") else {
                        continue;
                    };
                    let lines = head
                        .lines()
                        .skip(1)
                        .filter_map(|line| line.split_once(": "));
                    let head: BTreeMap<String, String> = lines
                        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
                        .collect();
                    if body.len() >= head["content-length"].parse().unwrap() {
                        break (head, body.to_owned());
                    }
                };
                let target = "GraniteServiceVersion20100801.GetMetricData";
                assert_eq!(head["x-amz-target"], target);
                let is_known = head["authorization"] == proof(&own, &head, body.as_bytes());
                let asked: Value = serde_json::from_str(&body).unwrap();
                let (status, answer) = match is_known {
                    true => (
                        "200 OK",
                        json!({ "MetricDataResults": [{
                            "Timestamps": [asked["StartTime"]], "Values": [12.5],
                        }] }),
                    ),
                    false => (
                        "403 Forbidden",
                        json!({ "__type": "InvalidSignatureException", "message": "no" }),
                    ),
                };
                let answer = answer.to_string();
                let length = answer.len();
                let text = format!(
                    "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{answer}"
                );
                stream.write_all(text.as_bytes()).await.unwrap();
            }
        });
        endpoint
    }

    #[tokio::test]
    async fn who_asks_is_proven_by_a_signature() {
        let endpoint = server().await;
        let told = asking(&endpoint, "known").ask(TIMES).await.unwrap();
        assert_eq!(told.values, BTreeMap::from([(TIMES.from_ms, 12.5)]));
        let refused = asking(&endpoint, "guessed").ask(TIMES).await.unwrap_err();
        assert!(
            refused.why.contains("InvalidSignatureException"),
            "{refused:?}"
        );
        // The run's end does not wait for it.
        assert!(!refused.may_end);
    }
}
