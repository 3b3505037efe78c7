//! The series that the samples of a step go to, looked up without hashing or allocation once they are known.

use crate::exchange::Exchange;
use crate::recorder::{CheckSeries, OwnSeries, Record, RequestSeries};
use floodgate_records::metric::{MetricKind, Tags};
use smallvec::SmallVec;
use std::cell::{Cell, RefCell};

/// The series of the requests of one step, of whatever protocol.
#[derive(Debug)]
pub(crate) struct StepSeries {
    /// All tags that do not depend on the response.
    tags: Tags,
    /// What was seen so far. A target answers with few kinds of responses, the usual one first, so a scan is quickest.
    known: RefCell<SmallVec<[(u32, RequestSeries); 4]>>,
}

impl StepSeries {
    pub(crate) fn new(tags: Tags) -> Self {
        Self {
            tags,
            known: RefCell::default(),
        }
    }

    /// The scenario and the request's name.
    pub(crate) fn names(&self) -> (&str, &str) {
        let tag = |name| self.tags.get(name).unwrap_or_default();
        (tag("scenario"), tag("name"))
    }

    /// The series for this outcome. `as_get`: a redirect made a GET of another method.
    #[inline]
    pub(crate) fn get<E: Exchange, R: Record>(
        &self,
        record: &mut R,
        exchange: &E,
        expected: bool,
        as_get: bool,
    ) -> RequestSeries {
        let key = exchange.outcome() | u32::from(expected) << 24 | u32::from(as_get) << 25;
        let found = self
            .known
            .borrow()
            .iter()
            .find(|(known, _)| *known == key)
            .map(|(_, series)| *series);
        found.unwrap_or_else(|| self.learn(key, record, exchange, expected, as_get))
    }

    #[cold]
    fn learn<E: Exchange, R: Record>(
        &self,
        key: u32,
        record: &mut R,
        exchange: &E,
        expected: bool,
        as_get: bool,
    ) -> RequestSeries {
        let mut tags = exchange
            .tags(self.tags.clone())
            .with("expected_response", if expected { "true" } else { "false" });
        if as_get {
            tags = tags.with("method", "GET");
        }
        let series = record.request_series(E::PROTOCOL, &tags);
        self.known.borrow_mut().push((key, series));
        series
    }
}

/// The series of one check.
#[derive(Debug)]
pub(crate) struct CheckTags {
    tags: Tags,
    known: Cell<Option<CheckSeries>>,
}

impl CheckTags {
    pub(crate) fn new(tags: Tags) -> Self {
        Self {
            tags,
            known: Cell::new(None),
        }
    }

    /// The check's text.
    pub(crate) fn check(&self) -> &str {
        self.tags.get("check").unwrap_or_default()
    }

    #[inline]
    pub(crate) fn get<R: Record>(&self, record: &mut R) -> CheckSeries {
        self.known.get().unwrap_or_else(|| {
            let series = record.check_series(&self.tags);
            self.known.set(Some(series));
            series
        })
    }
}

/// The series of one metric of the test's own.
#[derive(Debug)]
pub(crate) struct OwnTags {
    metric: String,
    kind: MetricKind,
    tags: Tags,
    known: Cell<Option<OwnSeries>>,
}

impl OwnTags {
    pub(crate) fn new(metric: &str, kind: MetricKind, tags: Tags) -> Self {
        Self {
            metric: metric.to_owned(),
            kind,
            tags,
            known: Cell::new(None),
        }
    }

    pub(crate) fn get<R: Record>(&self, record: &mut R) -> OwnSeries {
        self.known.get().unwrap_or_else(|| {
            let series = record.own_series(&self.metric, self.kind, &self.tags);
            self.known.set(Some(series));
            series
        })
    }
}
