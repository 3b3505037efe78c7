//! What series measured over the whole run, and quantiles of all of them together.

use super::copy::{Copy, copy_in};
use super::fault::refused;
use super::keys::Keys;
use super::series;
use crate::sink::SinkError;
use floodgate_core::histogram::Histogram;
use floodgate_core::merge::{Aggregate, Totals};
use floodgate_records::metric::{MetricKind, Tags};
use std::collections::BTreeSet;
use tokio_postgres::Transaction;

/// Thousandths of the unit that is printed.
const SCALE: f64 = 1e3;

/// Writes both, in place of those of an earlier export.
pub(super) async fn write(
    transaction: &Transaction<'_>,
    keys: Keys,
    project: &str,
    all: &Totals,
) -> Result<(), SinkError> {
    for table in ["floodgate.totals", "floodgate.quantiles"] {
        transaction
            .execute(
                format!("DELETE FROM {table} WHERE run = $1").as_str(),
                &[&keys.run],
            )
            .await
            .map_err(refused(table))?;
    }
    let mut copy = Copy::new();
    for (key, aggregate) in all.0.iter().filter(|(_, one)| one.count > 0) {
        total(&mut copy, keys, series::id(project, key), aggregate);
    }
    copy_in(transaction, "floodgate.totals", copy).await?;
    copy_in(transaction, "floodgate.quantiles", quantiles(keys, all)).await
}

fn total(copy: &mut Copy, keys: Keys, series: i64, all: &Aggregate) {
    let scale = if all.kind == MetricKind::Trend {
        SCALE
    } else {
        1.0
    };
    copy.number(keys.run);
    copy.number(series);
    copy.number(keys.project);
    copy.count(all.count);
    for figure in [all.sum, all.min, all.max] {
        copy.number(figure / scale);
    }
    match &all.histogram {
        Some(histogram) => {
            copy.array(histogram.buckets().map(|bucket| bucket.highest));
            copy.array(histogram.buckets().map(|bucket| bucket.count));
        }
        None => (0..2).for_each(|_| copy.null()),
    }
    copy.end_row();
}

/// By trend: of all its series, and of those of each name.
fn quantiles(keys: Keys, all: &Totals) -> Copy {
    let trends = all.0.keys().filter(|key| key.kind == MetricKind::Trend);
    let trends: BTreeSet<&str> = trends.map(|key| key.metric.as_str()).collect();
    let mut copy = Copy::new();
    for metric in trends {
        if let Some(whole) = all.sum_of(metric, &Tags::new()) {
            quantiles_of(&mut copy, keys, metric, "", &whole);
        }
        for (tags, one) in all.sums_by_tags(metric, &["name"]) {
            if let [name] = &tags[..]
                && !name.is_empty()
            {
                quantiles_of(&mut copy, keys, metric, name, &one);
            }
        }
    }
    copy
}

fn quantiles_of(copy: &mut Copy, keys: Keys, metric: &str, name: &str, all: &Aggregate) {
    let Some(histogram) = all.histogram.as_ref().filter(|h| !h.is_empty()) else {
        return;
    };
    copy.number(keys.run);
    copy.text(metric);
    copy.text(name);
    copy.number(keys.project);
    copy.count(histogram.count());
    copy.number(histogram.mean() / SCALE);
    for us in [histogram.min(), histogram.max()]
        .into_iter()
        .chain(points(histogram))
    {
        copy.number(us as f64 / SCALE);
    }
    copy.end_row();
}

fn points(histogram: &Histogram) -> [u64; 5] {
    [0.5, 0.9, 0.95, 0.99, 0.999].map(|q| histogram.quantile(q))
}
