//! CSV: a line a row.

use super::Format;
use crate::row::Row;
use crate::sink::Run;
use floodgate_records::metric::{MetricKind, Tags};
use std::io;

/// One column for each tag with a column in a shard, and one for all others.
#[derive(Default)]
pub(super) struct Csv {
    testid: String,
}

const BEFORE: [&str; 5] = ["time_ms", "window_s", "testid", "metric", "kind"];
const AFTER: [&str; 10] = [
    "tags", "count", "sum", "min", "max", "mean", "p50", "p90", "p95", "p99",
];

impl Format for Csv {
    fn head(&mut self, run: &Run) -> Vec<u8> {
        self.testid.clone_from(&run.testid);
        let columns = BEFORE.into_iter().chain(Tags::COLUMNS).chain(AFTER);
        let mut head = columns.collect::<Vec<_>>().join(",");
        head.push('\n');
        head.into_bytes()
    }

    fn rows(&mut self, rows: &[Row], out: &mut Vec<u8>) -> io::Result<()> {
        let mut writer = csv::WriterBuilder::new()
            .has_headers(false)
            .from_writer(out);
        for row in rows {
            writer.write_record(self.fields(row))?;
        }
        writer.flush()
    }
}

impl Csv {
    fn fields(&self, row: &Row) -> Vec<String> {
        let tags = &row.key.tags;
        let mut fields = vec![
            row.time_ms.to_string(),
            row.window_s.to_string(),
            tags.get("testid").unwrap_or(&self.testid).to_owned(),
            row.key.metric.clone(),
            row.key.kind.to_string(),
        ];
        let columns = Tags::COLUMNS.iter();
        fields.extend(columns.map(|name| tags.get(name).unwrap_or_default().to_owned()));
        fields.push(others(tags));
        let scale = row.scale();
        let exact = [row.sum, row.min, row.max].map(|value| (value / scale).to_string());
        fields.push(row.count.to_string());
        fields.extend(exact);
        fields.push(row.mean().to_string());
        fields.extend([0.5, 0.9, 0.95, 0.99].map(|q| match row.key.kind {
            MetricKind::Trend => row.quantile(q).to_string(),
            _ => String::new(),
        }));
        fields
    }
}

/// All other tags, as k6 writes its `extra_tags`: `name=value&name=value`.
fn others(tags: &Tags) -> String {
    let fixed = |name: &str| name == "testid" || Tags::COLUMNS.contains(&name);
    let others = tags.0.iter().filter(|(name, _)| !fixed(name));
    let others: Vec<_> = others
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    others.join("&")
}
