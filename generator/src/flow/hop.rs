//! One exchange of a step: how it is prepared, kept while it is under way, and recorded.

use super::check::HopCookies;
use super::io::{Io, Request};
use super::scenario::StepPlan;
use super::trace;
use crate::clock::Nanos;
use crate::exchange::ErrorCode;
use crate::http::exchange::HttpExchange;
use crate::recorder::Record;

/// The exchange that is under way, for the case that nobody waits for its end.
#[derive(Clone, Debug)]
pub(super) struct InFlight {
    pub(super) step: u32,
    pub(super) as_get: bool,
    pub(super) intended: Nanos,
    pub(super) begun: Nanos,
    /// The redirects and challenges that led to it, not recorded yet.
    pub(super) passed: Vec<Hop>,
}

/// One exchange of a step.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hop {
    pub(super) exchange: HttpExchange,
    pub(super) intended: Nanos,
    /// Whether a redirect made a GET of another method.
    pub(super) as_get: bool,
}

/// The exchange at the end of a chain of redirects and challenges.
#[derive(Debug)]
pub(super) struct Final {
    pub(super) hop: Hop,
    pub(super) cookies: HopCookies,
    /// The request that a redirect led to, if one did.
    pub(super) followed: Option<Box<Request>>,
    /// Whether all was kept of it, to be held against the contract.
    pub(super) sampled: bool,
}

impl Final {
    /// Whether there is a response, all of it.
    pub(super) const fn is_whole(&self) -> bool {
        self.hop.exchange.status != 0 && self.hop.exchange.error.is_none()
    }

    pub(super) fn of(exchange: HttpExchange, intended: Nanos) -> Self {
        Self {
            hop: Hop {
                exchange,
                intended,
                as_get: false,
            },
            cookies: HopCookies::default(),
            followed: None,
            sampled: false,
        }
    }
}

/// Records an exchange.
#[inline]
pub(super) fn write<W, R: Record>(step: &StepPlan<W>, hop: &Hop, expected: bool, record: &mut R) {
    let series = step.series.get(record, &hop.exchange, expected, hop.as_get);
    record.request(series, &hop.exchange, hop.intended, expected);
}

/// What one exchange adds to a request.
#[derive(Debug, Default)]
pub(super) struct Own {
    /// The answer to a challenge.
    pub(super) authorization: Option<String>,
    pub(super) traceparent: Option<String>,
}

impl Own {
    #[inline]
    pub(super) const fn is_none(&self) -> bool {
        self.authorization.is_none() && self.traceparent.is_none()
    }
}

/// What the client sends of a request, with its cookies and what is this exchange's own.
pub(super) fn prepare<I: Io>(
    io: &mut I,
    request: &Request,
    own: Own,
    old: Option<I::Wire>,
) -> Result<I::Wire, ErrorCode> {
    match io.cookie_header(request) {
        None if own.is_none() => io.prepare(request, old),
        cookies => dress(io, request, cookies, own, old),
    }
}

/// The same, of what is known already.
pub(super) fn dress<I: Io>(
    io: &mut I,
    request: &Request,
    cookies: Option<String>,
    own: Own,
    old: Option<I::Wire>,
) -> Result<I::Wire, ErrorCode> {
    let mut request = match cookies {
        Some(cookies) => request.with_cookies(&cookies),
        None => request.clone(),
    };
    if let Some(value) = own.authorization {
        request = request.with_header("Authorization", value);
    }
    if let Some(value) = own.traceparent {
        request = request.with_header(trace::HEADER, value);
    }
    io.prepare(&request, old)
}
