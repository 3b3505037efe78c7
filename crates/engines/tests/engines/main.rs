//! The real engines, run through this crate against a target that counts. Each looks for its tool in a variable that
//! `cargo xtask test` sets, and says so where it is not set.
#![allow(clippy::unwrap_used)]

mod door;
mod gatling;
mod jmeter;
mod k6;

use floodgate_core::histogram::Histogram;
use floodgate_core::shard::Row;

/// The times of requests called `home`: those that were measured, and those that were estimated so.
fn times(rows: &[Row], metric: &str, how: &str) -> (Histogram, Histogram) {
    let (mut measured, mut estimated) = (Histogram::new(), Histogram::new());
    for row in rows.iter().filter(|row| row.key.metric == metric) {
        assert_eq!(row.key.tags.get("name"), Some("home"));
        let all = match row.key.tags.get("corrected") {
            Some(method) => {
                assert_eq!(method, how);
                &mut estimated
            }
            None => &mut measured,
        };
        all.add_v2(row.histogram.as_ref().unwrap()).unwrap();
    }
    (measured, estimated)
}

/// How many of these took longer than 400 ms.
fn long(all: &Histogram) -> u64 {
    all.count() - all.count_at_or_below(400_000)
}
