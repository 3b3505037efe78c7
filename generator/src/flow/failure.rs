//! Samples that explain a failure: which of them are wanted, and what they are made of.

use super::io::Request;
use super::trace::Trace;
use crate::clock::Nanos;
use crate::exchange::Exchange;
use crate::http::exchange::HttpExchange;
use floodgate_records::failure::{Excerpt, FailureLog, FailureSample, Received, Sent};
use smallvec::SmallVec;
use std::cell::{Cell, RefCell};

/// How many failures of each kind one step of one worker has seen, as far as they were wanted.
#[derive(Debug, Default)]
pub(crate) struct StepFailures {
    /// By status, error and check.
    known: RefCell<SmallVec<[(u64, u32); 2]>>,
    /// Whether some kind was seen that more samples are wanted of.
    wanting: Cell<bool>,
}

impl StepFailures {
    /// Whether the next response should be kept, whatever it is: one before was not as it should be, and too little was kept of it.
    #[inline]
    pub(crate) fn wants(&self) -> bool {
        self.wanting.get()
    }

    /// Whether a sample of this kind is wanted; counts it. `check` is the first one that did not hold.
    pub(crate) fn admits(&self, exchange: &HttpExchange, check: Option<u16>) -> bool {
        let check = check.map_or(0, |check| u64::from(check) + 1);
        let kind = u64::from(exchange.outcome()) | check << 32;
        let mut known = self.known.borrow_mut();
        let kinds = known.len();
        let admitted = match known.iter_mut().find(|(other, _)| *other == kind) {
            Some((_, count)) => {
                *count += 1;
                *count <= FailureLog::MAX_OF_KIND
            }
            None if kinds >= FailureLog::MAX_KINDS => false,
            None => {
                known.push((kind, 1));
                true
            }
        };
        let open = |&(_, count): &(u64, u32)| count < FailureLog::MAX_OF_KIND;
        self.wanting.set(known.iter().any(open));
        admitted
    }
}

/// What a sample is made of.
pub(super) struct Parts<'a> {
    /// The scenario and the request's name.
    pub(crate) names: (&'a str, &'a str),
    /// The request, if it could be made.
    pub(crate) request: Option<&'a Request>,
    /// What came of it.
    pub(crate) exchange: &'a HttpExchange,
    /// When it was intended to begin.
    pub(crate) intended: Nanos,
    /// The checks that did not hold.
    pub(crate) checks: Vec<String>,
    /// See [`super::Io::take_evidence`].
    pub(crate) evidence: Option<(Vec<u8>, Vec<u8>)>,
    /// Bytes of the response's body.
    pub(crate) size: u64,
    pub(crate) trace: Option<Trace>,
}

/// A sample; its time and task are the recorder's to add.
#[cold]
pub(crate) fn sample(parts: Parts<'_>) -> Box<FailureSample> {
    let exchange = parts.exchange;
    let timings = &exchange.timings;
    let times = [
        (
            "http_req_response_time",
            timings.end.saturating_sub(parts.intended),
        ),
        ("http_req_duration", timings.duration()),
        ("http_req_blocked", timings.blocked),
        ("http_req_looking_up", timings.looking_up),
        ("http_req_connecting", timings.connecting),
        ("http_req_tls_handshaking", timings.tls),
        ("http_req_sending", timings.sending),
        ("http_req_waiting", timings.waiting),
        ("http_req_receiving", timings.receiving),
    ];
    let shown = times.into_iter().filter(|(_, nanos)| *nanos > 0);
    Box::new(FailureSample {
        scenario: parts.names.0.to_owned(),
        name: parts.names.1.to_owned(),
        status: Some(exchange.status).filter(|status| *status != 0),
        error: exchange.error.map(|error| error.as_str().to_owned()),
        checks: parts.checks,
        request: parts.request.map(sent),
        response: parts
            .evidence
            .map(|(head, body)| received(&head, &body, parts.size)),
        times: shown
            .map(|(name, nanos)| (name.to_owned(), (nanos / 1_000) as f64 / 1_000.0))
            .collect(),
        trace: parts.trace.map(Trace::id),
        ..FailureSample::default()
    })
}

fn sent(request: &Request) -> Sent {
    let scheme = if request.origin.https {
        "https"
    } else {
        "http"
    };
    let url = format!("{scheme}://{}{}", request.authority, request.path_and_query);
    let headers = request.headers.iter().take(FailureSample::MAX_HEADERS);
    Sent {
        method: request.method.to_string(),
        url: cut(url.as_bytes()),
        headers: headers
            .map(|(name, value)| (name.to_string(), cut(value)))
            .collect(),
        body: Excerpt::of(&request.body, request.body.len() as u64),
    }
}

fn received(head: &[u8], body: &[u8], size: u64) -> Received {
    let text = String::from_utf8_lossy(head);
    let mut lines = text.lines();
    let line = lines.next().unwrap_or_default().to_owned();
    let fields = lines.filter_map(|line| line.split_once(':'));
    Received {
        line,
        headers: fields
            .take(FailureSample::MAX_HEADERS)
            .map(|(name, value)| (name.to_owned(), cut(value.trim().as_bytes())))
            .collect(),
        body: Excerpt::of(body, size.max(body.len() as u64)),
    }
}

fn cut(value: &[u8]) -> String {
    let end = value.len().min(FailureSample::MAX_VALUE_BYTES);
    String::from_utf8_lossy(&value[..end]).into_owned()
}
