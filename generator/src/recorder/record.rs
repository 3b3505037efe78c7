//! What a flow records, and the handles that it gets for its series.

use crate::clock::Nanos;
use crate::exchange::{Exchange, Protocol};
use floodgate_records::failure::FailureSample;
use floodgate_records::metric::{MetricKind, Tags};

/// A bundle of series that one request's samples go to: all metrics of its protocol under one tag set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestSeries(pub(super) u32);

impl RequestSeries {
    /// The handle of this number, for an implementation of [`Record`] outside of this crate.
    pub const fn from_index(index: u32) -> Self {
        Self(index)
    }

    /// Its number.
    pub const fn index(self) -> u32 {
        self.0
    }
}

/// A sample, and what it is one of.
#[derive(Clone, Debug)]
pub enum Sample {
    /// A failure.
    Failure(Box<FailureSample>),
    /// The first exchanges, whatever came of them.
    First(Box<FailureSample>),
    /// A request that was traced, one of the slowest of its worker so far.
    Slow(Box<FailureSample>),
}

impl Sample {
    /// What was sampled.
    pub fn inner(&mut self) -> &mut FailureSample {
        match self {
            Self::Failure(sample) | Self::First(sample) | Self::Slow(sample) => sample,
        }
    }
}

/// The series of one check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckSeries(pub(super) u32);

impl CheckSeries {
    /// The handle of this number, for an implementation of [`Record`] outside of this crate.
    pub const fn from_index(index: u32) -> Self {
        Self(index)
    }

    /// Its number.
    pub const fn index(self) -> u32 {
        self.0
    }
}

/// The series of a metric of the test's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnSeries(pub(super) u32);

impl OwnSeries {
    /// The handle of this number, for an implementation of [`Record`] outside of this crate.
    pub const fn from_index(index: u32) -> Self {
        Self(index)
    }

    /// Its number.
    pub const fn index(self) -> u32 {
        self.0
    }
}

/// Where the flow puts its measurements. The recorder of a worker implements it; tests have their own.
/// Times are on the worker's clock; tags are given once, when a series is first needed, never per sample.
pub trait Record {
    /// The bundle for these tags (scenario, group, name, error_code, expected_response, those of the protocol and the test's own).
    fn request_series(&mut self, protocol: &'static Protocol, tags: &Tags) -> RequestSeries;
    /// The series of a check (tags: scenario, group, check and the test's own).
    fn check_series(&mut self, tags: &Tags) -> CheckSeries;
    /// One exchange; `intended` is when its request was intended to begin; `expected` whether its response is as expected.
    fn request<E: Exchange>(
        &mut self,
        series: RequestSeries,
        exchange: &E,
        intended: Nanos,
        expected: bool,
    );
    /// The series of a metric of the test's own (tags as of a check, but `check`).
    fn own_series(&mut self, metric: &str, kind: MetricKind, tags: &Tags) -> OwnSeries;
    /// A value of such a metric at a time; false if its type has no such value.
    fn own(&mut self, series: OwnSeries, value: f64, at: Nanos) -> bool;
    /// The outcome of one check at a time.
    fn check(&mut self, series: CheckSeries, held: bool, at: Nanos);
    /// The exchange that was recorded last is followed by another attempt of the same request.
    #[inline]
    fn attempted_again(&mut self) {}
    /// Whether the next exchange is wanted as a sample, whatever comes of it; see `run --debug-requests`.
    #[inline]
    fn wants_all(&self) -> bool {
        false
    }
    /// A sample of an exchange that ended at that time: of a failure, or of the first exchanges of all.
    fn sample(&mut self, _: Sample, _: Nanos) {}
}
