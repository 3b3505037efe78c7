//! What series measured, window by window.

use super::copy::{Copy, copy_in};
use super::fault::refused;
use super::keys::Keys;
use super::series;
use crate::buckets::coarse;
use crate::row::Row;
use crate::sink::SinkError;
use tokio_postgres::{Client, Transaction};

/// The quantiles of a window.
const QUANTILES: [f64; 5] = [0.5, 0.9, 0.95, 0.99, 0.999];

/// Makes the table into which rows are copied before they replace those of an earlier try.
pub(super) async fn prepare(client: &Client) -> Result<(), SinkError> {
    client
        .batch_execute("CREATE TEMP TABLE incoming (LIKE floodgate.windows) ON COMMIT DELETE ROWS")
        .await
        .map_err(refused("temporary table"))
}

/// Deletes the windows of a run.
pub(super) async fn delete(transaction: &Transaction<'_>, keys: Keys) -> Result<(), SinkError> {
    transaction
        .execute("DELETE FROM floodgate.windows WHERE run = $1", &[&keys.run])
        .await
        .map_err(refused("windows"))?;
    Ok(())
}

/// Writes rows; those that are there already are replaced.
pub(super) async fn write(
    transaction: &Transaction<'_>,
    keys: Keys,
    project: &str,
    rows: &[Row],
) -> Result<(), SinkError> {
    let mut copy = Copy::new();
    for row in rows {
        one(&mut copy, keys, series::id(project, &row.key), row);
    }
    copy_in(transaction, "incoming", copy).await?;
    transaction
        .execute(
            "INSERT INTO floodgate.windows SELECT * FROM incoming
             ON CONFLICT (run, series, at) DO UPDATE SET
                 window_s = excluded.window_s, count = excluded.count, sum = excluded.sum, min = excluded.min, max = excluded.max,
                 p50 = excluded.p50, p90 = excluded.p90, p95 = excluded.p95, p99 = excluded.p99, p999 = excluded.p999,
                 upper_us = excluded.upper_us, counts = excluded.counts",
            &[],
        )
        .await
        .map_err(refused("windows"))?;
    Ok(())
}

/// A row in the order of the table's columns.
fn one(copy: &mut Copy, keys: Keys, series: i64, row: &Row) {
    let scale = row.scale();
    copy.number(keys.run);
    copy.number(series);
    copy.time(row.time_ms);
    copy.number(keys.project);
    copy.number(row.window_s);
    copy.count(row.count);
    for figure in [row.sum, row.min, row.max] {
        copy.number(figure / scale);
    }
    let histogram = row.histogram.as_ref();
    for q in QUANTILES {
        copy.optional(histogram.map(|_| row.quantile(q)));
    }
    match histogram.map(coarse) {
        Some(buckets) => {
            copy.array(buckets.iter().map(|&(upper, _)| upper));
            copy.array(buckets.iter().map(|&(_, count)| count));
        }
        None => (0..2).for_each(|_| copy.null()),
    }
    copy.end_row();
}
