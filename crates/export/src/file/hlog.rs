//! HdrHistogram's interval log, version 1.3: a line for each window of a trend, with all of its values
//! (<https://github.com/HdrHistogram/HdrHistogram/blob/master/src/main/java/org/HdrHistogram/HistogramLogWriter.java>).

use super::Format;
use crate::row::Row;
use crate::sink::Run;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, SecondsFormat};
use flate2::Compression;
use flate2::write::ZlibEncoder;
use floodgate_core::histogram::Histogram;
use floodgate_records::metric::SeriesKey;
use std::io::{self, Write};

/// V2, compressed (`0x1c849304 | 0x10`).
const COOKIE: u32 = 0x1c84_9314;

/// Trends by window; a series is a tag of the log.
#[derive(Default)]
pub(super) struct Log {
    base_ms: i64,
}

impl Format for Log {
    fn head(&mut self, run: &Run) -> Vec<u8> {
        let execution = &run.execution;
        self.base_ms = execution.started_ms.unwrap_or(execution.created_ms);
        let seconds = self.base_ms as f64 / 1e3;
        let date = DateTime::from_timestamp_millis(self.base_ms).unwrap_or_default();
        let date = date.to_rfc3339_opts(SecondsFormat::Millis, true);
        let head = format!(
            "#[Histogram log format version 1.3]\n\
             #[Floodgate execution {} of {}: trends; times in microseconds, other values in thousandths; Interval_Max in milliseconds]\n\
             #[StartTime: {seconds:.3} (seconds since epoch), {date}]\n\
             #[BaseTime: {seconds:.3} (seconds since epoch)]\n\
             \"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_Histogram\"\n",
            execution.id, execution.test
        );
        head.into_bytes()
    }

    fn rows(&mut self, rows: &[Row], out: &mut Vec<u8>) -> io::Result<()> {
        for row in rows {
            let Some(histogram) = &row.histogram else {
                continue;
            };
            let start = (row.time_ms - self.base_ms) as f64 / 1e3;
            let tag = tag(&row.key);
            let (length, max) = (row.window_s, row.max / row.scale());
            let packed = STANDARD.encode(compressed(histogram)?);
            writeln!(out, "Tag={tag},{start:.3},{length}.000,{max:.3},{packed}")?;
        }
        Ok(())
    }
}

/// `metric{name:value;name:value}`: a tag of the log has neither commas nor white space.
fn tag(key: &SeriesKey) -> String {
    let tags = key
        .tags
        .0
        .iter()
        .map(|(name, value)| format!("{name}:{value}"));
    let tags = tags.collect::<Vec<_>>().join(";");
    let plain = |c: char| match c {
        ',' | '"' => '_',
        c if c.is_whitespace() || c.is_control() => '_',
        c => c,
    };
    match tags.is_empty() {
        true => key.metric.clone(),
        false => format!("{}{{{tags}}}", key.metric)
            .chars()
            .map(plain)
            .collect(),
    }
}

fn compressed(histogram: &Histogram) -> io::Result<Vec<u8>> {
    let mut plain = Vec::new();
    histogram.encode_v2(&mut plain);
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::default());
    packed.write_all(&plain)?;
    let packed = packed.finish()?;
    let mut out = Vec::with_capacity(packed.len() + 8);
    out.extend_from_slice(&COOKIE.to_be_bytes());
    out.extend_from_slice(&(packed.len() as u32).to_be_bytes());
    out.extend_from_slice(&packed);
    Ok(out)
}
