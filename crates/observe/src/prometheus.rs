//! Range queries by Prometheus' HTTP API (<https://prometheus.io/docs/prometheus/latest/querying/api/#range-queries>).

use crate::told::{Silence, Times, Told, kept};
use bytes::Bytes;
use floodgate_core::definition::model::PrometheusSource;
use floodgate_export::http::Http;
use floodgate_export::{Credentials, Secret};
use serde::Deserialize;
use std::time::Duration;
use url::form_urlencoded::Serializer;

/// Bytes of an answer that are read: a value takes about 30.
const MAX_ANSWER: usize = 256 << 10;
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// A query of one server.
pub(crate) struct Prometheus {
    http: Http,
    path: String,
    query: String,
}

#[derive(Deserialize)]
struct Answer {
    data: Data,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    result_type: String,
    result: Vec<Series>,
}

#[derive(Deserialize)]
struct Series {
    #[serde(default)]
    values: Vec<(f64, String)>,
}

impl Prometheus {
    /// Nothing is connected yet.
    ///
    /// # Errors
    /// A URL that is none: a sentence.
    pub(crate) fn new(source: &PrometheusSource) -> Result<Self, String> {
        let credentials = Credentials {
            password: source.password.as_ref().map(Secret::new),
            token: source.token.as_ref().map(Secret::new),
        };
        let made = Http::of_url(&source.url, source.user.as_deref(), &credentials);
        let (http, base) = made.map_err(|error| error.told())?;
        Ok(Self {
            http: http.reading(MAX_ANSWER),
            path: format!("{base}/api/v1/query_range"),
            query: source.query.clone(),
        })
    }

    /// Asks for the values at some times.
    ///
    /// # Errors
    /// [`Silence`].
    pub(crate) async fn ask(&mut self, times: Times) -> Result<Told, Silence> {
        let seconds = |ms: i64| format!("{}.{:03}", ms / 1_000, ms % 1_000);
        let form = Serializer::new(String::new())
            .append_pair("query", &self.query)
            .append_pair("start", &seconds(times.from_ms))
            .append_pair("end", &seconds(times.to_ms))
            .append_pair("step", &seconds(times.step_ms))
            // VictoriaMetrics would hold back the newest values, or give older answers again.
            .append_pair("latency_offset", "1s")
            .append_pair("nocache", "1")
            .finish();
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        let asked = self.http.post(&self.path, &headers, Bytes::from(form));
        let answer = match tokio::time::timeout(PATIENCE, asked).await {
            Ok(answer) => answer.and_then(|answer| answer.accepted()),
            Err(_) => {
                let why = format!("did not answer within {} s", PATIENCE.as_secs());
                return Err(Silence::passing(why));
            }
        };
        read(&answer?.body, times).map_err(Silence::lasting)
    }
}

/// What an answer says of the times that were asked for.
fn read(body: &[u8], times: Times) -> Result<Told, String> {
    let answer: Answer = serde_json::from_slice(body).map_err(|error| match body.len() {
        MAX_ANSWER.. => format!("its answer has more than {MAX_ANSWER} bytes"),
        _ => format!("its answer is not that of a Prometheus: {error}"),
    })?;
    let Data {
        result_type,
        result,
    } = answer.data;
    if result_type != "matrix" {
        return Err(format!("its answer is a {result_type:?}, not a matrix"));
    }
    if result.len() > 1 {
        let n = result.len();
        return Err(format!(
            "the query gives {n} series; make one of them, such as with sum() or max()"
        ));
    }
    let mut told = Told::default();
    for (seconds, text) in result.into_iter().flat_map(|series| series.values) {
        let at_ms = (seconds * 1_000.0).round() as i64;
        let is_asked = (times.from_ms..=times.to_ms).contains(&at_ms)
            && (at_ms - times.from_ms) % times.step_ms == 0;
        if !is_asked {
            return Err("it tells of times that were not asked for".to_owned());
        }
        match value(&text) {
            Ok(value) => drop(told.values.insert(at_ms, value)),
            Err(why) => drop(told.refused.insert(at_ms, why)),
        }
    }
    Ok(told)
}

/// A value of an answer as a trend can hold it.
fn value(text: &str) -> Result<f64, String> {
    let shown: String = text.chars().take(40).collect();
    let number = text.parse::<f64>();
    let number = number.map_err(|_| format!("it gave {shown:?}, which is no number"))?;
    kept(number).map_err(|why| match number {
        _ if !number.is_finite() => why,
        ..0.0 => format!("{why}; use abs() or clamp_min() in the query"),
        _ => format!("{why}; divide it in the query"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    const TIMES: Times = Times {
        from_ms: 10_500,
        to_ms: 20_500,
        step_ms: 5_000,
    };

    fn matrix(series: &str) -> String {
        format!(r#"{{"status":"success","data":{{"resultType":"matrix","result":[{series}]}}}}"#)
    }

    fn told(series: &str) -> Result<Told, String> {
        read(matrix(series).as_bytes(), TIMES)
    }

    #[test]
    fn values_are_taken_by_their_times_and_what_cannot_be_kept_is_told() {
        let found = told(r#"{"metric":{},"values":[[10.5,"40.25"],[15.5,"NaN"],[20.5,"-1"]]}"#);
        let found = found.expect("an answer");
        assert_eq!(found.values, BTreeMap::from([(10_500, 40.25)]));
        assert!(found.refused[&15_500].contains("no number"));
        let negative = &found.refused[&20_500];
        assert!(negative.contains("below 0") && negative.contains("use abs()"));
        assert!(!negative.contains("divide"), "{negative}");
        assert_eq!(told(""), Ok(Told::default()));
        let large = told(r#"{"values":[[10.5,"8e9"]]}"#).expect("an answer");
        let large = &large.refused[&10_500];
        assert!(large.contains("divide it in the query") && !large.contains("abs()"));
    }

    #[test]
    fn an_answer_that_was_not_asked_for_is_refused() {
        let one = r#"{"values":[[10.5,"1"]]}"#;
        for (answer, said) in [
            (matrix(&format!("{one},{one}")), "2 series"),
            (matrix(r#"{"values":[[11.5,"1"]]}"#), "not asked for"),
            (matrix(r#"{"values":[[25.5,"1"]]}"#), "not asked for"),
            ("<html>".to_owned(), "not that of a Prometheus"),
            (matrix(one).replace("matrix", "vector"), "not a matrix"),
        ] {
            let why = read(answer.as_bytes(), TIMES).expect_err("a refusal");
            assert!(why.contains(said), "{why}");
        }
    }
}
