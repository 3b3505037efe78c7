//! What time series are about.

use super::fault::refused;
use super::json::without_nul;
use super::keys::Keys;
use crate::sink::SinkError;
use floodgate_core::shard::sha256_hex;
use floodgate_records::metric::SeriesKey;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashSet};
use tokio_postgres::Transaction;

/// The number of a series of a project: the first 63 bits of the SHA-256 of its name. A table of a million series has two of the same number with a
/// probability of 5 in 10⁸.
pub(super) fn id(project: &str, key: &SeriesKey) -> i64 {
    let name = json!([project, key.metric, key.kind.as_str(), key.tags]).to_string();
    let digest = sha256_hex(name.as_bytes());
    let bits = digest.get(..16).map(|hex| u64::from_str_radix(hex, 16));
    match bits {
        Some(Ok(bits)) => (bits >> 1) as i64,
        _ => 0,
    }
}

/// Adds series that are not known to be there, and says which.
pub(super) async fn add<'a>(
    transaction: &Transaction<'_>,
    keys: Keys,
    series: impl Iterator<Item = (i64, &'a SeriesKey)>,
    known: &HashSet<i64>,
) -> Result<Vec<i64>, SinkError> {
    let new: BTreeMap<i64, &SeriesKey> = series.filter(|(id, _)| !known.contains(id)).collect();
    if new.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<Value> = new.iter().map(|(id, key)| row(*id, key)).collect();
    let rows = without_nul(Value::Array(rows)).to_string();
    transaction
        .execute(
            "INSERT INTO floodgate.series
                 (id, project, metric, kind, scenario, grp, name, method, status, error_code, tags)
             SELECT id, $2::integer, metric, kind, scenario, \"group\", name, method, status, error_code, tags
             FROM jsonb_to_recordset($1::text::jsonb) AS r (
                 id bigint, metric text, kind text, scenario text, \"group\" text, name text, method text, status text,
                 error_code text, tags jsonb
             )
             ON CONFLICT (id) DO NOTHING",
            &[&rows, &keys.project],
        )
        .await
        .map_err(refused("series"))?;
    Ok(new.into_keys().collect())
}

fn row(id: i64, key: &SeriesKey) -> Value {
    let tag = |name| key.tags.get(name);
    json!({
        "id": id,
        "metric": key.metric,
        "kind": key.kind.as_str(),
        "scenario": tag("scenario"),
        "group": tag("group"),
        "name": tag("name"),
        "method": tag("method"),
        "status": tag("status"),
        "error_code": tag("error_code"),
        "tags": key.tags,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use floodgate_records::metric::{MetricKind, Tags};

    #[test]
    fn a_series_has_the_same_number_wherever_it_is_computed() {
        let key = |value: &str| SeriesKey {
            metric: "http_reqs".into(),
            kind: MetricKind::Counter,
            tags: Tags::new().with("name", value),
        };
        let home = id("shop", &key("home"));
        // Written down, since rows of earlier exports have it.
        assert_eq!(home, 3_032_234_219_416_421_316);
        assert_ne!(home, id("other", &key("home")));
        assert_ne!(home, id("shop", &key("Home")));
        assert!(home > 0);
    }
}
