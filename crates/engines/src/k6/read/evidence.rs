//! What the metrics of a request say of a failure.

use floodgate_records::metric::Builtin;
use std::collections::BTreeMap;

/// Times of a request, in the order in which k6 writes them.
const PHASES: [Builtin; 7] = [
    Builtin::HttpReqDuration,
    Builtin::HttpReqBlocked,
    Builtin::HttpReqConnecting,
    Builtin::HttpReqTlsHandshaking,
    Builtin::HttpReqSending,
    Builtin::HttpReqWaiting,
    Builtin::HttpReqReceiving,
];

/// What a metric says of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Evidence {
    None,
    /// The time of this place in [`PHASES`].
    Time(u8),
    /// Whether the request failed.
    Request,
    /// Whether a check held.
    Check,
}

impl Evidence {
    pub(super) fn of(name: &str) -> Self {
        match Builtin::parse(name) {
            Some(Builtin::HttpReqFailed) => Self::Request,
            Some(Builtin::Checks) => Self::Check,
            Some(metric) => {
                let place = PHASES.iter().position(|&phase| phase == metric);
                place.map_or(Self::None, |place| Self::Time(place as u8))
            }
            None => Self::None,
        }
    }

    /// Whether a value of the metric is a failure.
    #[inline]
    pub(super) fn fails(self, value: f64) -> bool {
        match self {
            Self::Request => value != 0.0,
            Self::Check => value == 0.0,
            Self::None | Self::Time(_) => false,
        }
    }
}

/// The times of the request whose samples are being read, ms.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Times([f64; PHASES.len()]);

impl Times {
    #[inline]
    pub(super) fn note(&mut self, evidence: Evidence, value: f64) {
        if let Evidence::Time(place) = evidence {
            self.0[usize::from(place)] = value;
        }
    }

    /// Those that are not zero, by their names.
    pub(super) fn named(&self) -> BTreeMap<String, f64> {
        let all = PHASES.iter().zip(self.0).filter(|(_, ms)| *ms > 0.0);
        all.map(|(phase, ms)| (phase.name().to_owned(), ms))
            .collect()
    }
}
