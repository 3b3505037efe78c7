//! What a live object holds: everything since the start, or since a mark.

use super::{SeriesTable, counter, rate, request_rows, trend};
use crate::recorder::{CheckCell, DataCell};
use floodgate_core::shard::Row;
use floodgate_records::manifest::Totals;
use floodgate_records::metric::MetricKind;

impl SeriesTable {
    /// The sums of all series since the last mark, which was so many seconds ago: one row a series. Gauges are no sums.
    pub(in crate::flush) fn sums(&self, mark_ms: i64, seconds: u64) -> Vec<Row> {
        let seconds = seconds_of(seconds);
        let mut rows = Vec::new();
        for series in &self.requests.series {
            request_rows(
                &series.requests,
                &series.failed,
                &series.all,
                mark_ms,
                seconds,
                &mut rows,
            );
            for (key, histogram) in series.trends.iter().zip(series.all.trends.histograms()) {
                trend(key, mark_ms, seconds, histogram, &mut rows);
            }
        }
        for series in self.checks.series.iter().filter(|s| s.all.count > 0) {
            rows.push(rate(
                &series.key,
                mark_ms,
                seconds,
                series.all.count,
                series.all.held,
            ));
        }
        for series in self.data.series.iter().filter(|s| s.all.count > 0) {
            for (key, bytes) in [
                (&series.sent, series.all.sent),
                (&series.received, series.all.received),
            ] {
                rows.push(counter(key, mark_ms, seconds, series.all.count, bytes));
            }
        }
        for series in &self.scenarios.series {
            series.counters(&series.all, mark_ms, seconds, &mut rows);
            for (key, histogram) in [
                (&series.duration, &series.all.duration),
                (&series.lag, &series.all.lag),
            ] {
                trend(key, mark_ms, seconds, histogram, &mut rows);
            }
        }
        let own = self.own.series.iter();
        for own in own.filter(|own| own.key.kind != MetricKind::Gauge && !own.all.is_empty()) {
            rows.push(own.all.to_row(&own.key, mark_ms, seconds));
        }
        rows
    }

    /// The gauges since the start of the run.
    pub(in crate::flush) fn gauges(&self, start_ms: i64, seconds: u64, rows: &mut Vec<Row>) {
        let seconds = seconds_of(seconds);
        let own = self.own.series.iter();
        for own in own.filter(|own| own.key.kind == MetricKind::Gauge && !own.all.is_empty()) {
            rows.push(own.all.to_row(&own.key, start_ms, seconds));
        }
        for gauge in [&self.vus, &self.vus_max, &self.cpu] {
            gauge.live(start_ms, seconds, rows);
        }
    }

    /// Begins the sums anew. What they were is in `totals` from now on.
    pub(in crate::flush) fn mark(&mut self, totals: &mut Totals) {
        self.add_totals(totals);
        for series in &mut self.requests.series {
            series.all.clear();
        }
        for series in &mut self.checks.series {
            series.all = CheckCell::default();
        }
        for series in &mut self.data.series {
            series.all = DataCell::default();
        }
        for series in &mut self.scenarios.series {
            series.all.clear();
        }
        let own = self.own.series.iter_mut();
        own.filter(|own| own.key.kind != MetricKind::Gauge)
            .for_each(|own| own.all.clear());
    }
}

fn seconds_of(seconds: u64) -> u32 {
    u32::try_from(seconds).unwrap_or(u32::MAX).max(1)
}
