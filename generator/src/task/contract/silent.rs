//! A recorder of requests that are no load: nothing is counted.

use crate::clock::Nanos;
use crate::exchange::{Exchange, Protocol};
use crate::recorder::{CheckSeries, OwnSeries, Record, RequestSeries};
use floodgate_records::metric::{MetricKind, Tags};

pub(super) struct Silent;

impl Record for Silent {
    fn request_series(&mut self, _: &'static Protocol, _: &Tags) -> RequestSeries {
        RequestSeries::from_index(0)
    }

    fn check_series(&mut self, _: &Tags) -> CheckSeries {
        CheckSeries::from_index(0)
    }

    fn own_series(&mut self, _: &str, _: MetricKind, _: &Tags) -> OwnSeries {
        OwnSeries::from_index(0)
    }

    fn own(&mut self, _: OwnSeries, value: f64, _: Nanos) -> bool {
        value.is_finite()
    }

    fn request<E: Exchange>(&mut self, _: RequestSeries, _: &E, _: Nanos, _: bool) {}

    fn check(&mut self, _: CheckSeries, _: bool, _: Nanos) {}
}
