//! What several fuzz targets need: a world for a definition, and one iteration of its first scenario against a
//! response that the fuzzer chooses.

use floodgate_core::definition::{Overrides, Parsed, Reference, Resolver, Source, parse};
use floodgate_generator::clock::Nanos;
use floodgate_generator::exchange::{ErrorCode, Exchange, Protocol};
use floodgate_generator::flow::{
    CompiledScenario, Files, Io, IterationStart, Place, Request, ThinkTimer, Vu,
};
use floodgate_generator::http::Keep;
use floodgate_generator::http::exchange::HttpExchange;
use floodgate_generator::recorder::{CheckSeries, OwnSeries, Record, RequestSeries};
use floodgate_records::metric::{MetricKind, Tags};
use std::cell::RefCell;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// Surroundings in which every secret and every file exists, and every variable is set but those whose names begin with `UNSET`;
/// of these some may be open.
pub struct Everything;

impl Resolver for Everything {
    fn env(&self, name: &str) -> Option<String> {
        (!name.starts_with("UNSET")).then(|| "${vu}: [\"".to_owned())
    }

    fn secret(&self, reference: &str) -> Result<String, String> {
        Ok(reference.chars().rev().collect())
    }

    fn file_exists(&self, _relative: &str) -> bool {
        true
    }

    fn leaves_open(&self, reference: &Reference) -> bool {
        matches!(reference, Reference::Env(name) if name.starts_with("UNSET_OPEN"))
    }
}

/// Reads a definition; `None` if it has faults. What is said of them must be printable and name a place.
pub fn definition(text: &[u8]) -> Option<Parsed> {
    let source = Source {
        name: "fuzz.yaml",
        text,
    };
    match parse(&source, &Overrides::default(), &Everything) {
        Ok(parsed) => Some(parsed),
        Err(faults) => {
            assert!(
                faults.to_string().contains("fuzz.yaml"),
                "a fault names its file"
            );
            None
        }
    }
}

/// Runs one iteration of the first scenario; every request is answered with 200 and `body`. Gives back what was sent.
pub fn iterate(parsed: &Parsed, body: &[u8]) -> Vec<Request> {
    let given = floodgate_generator::flow::Given::new();
    let place = Place {
        given: &given,
        execution: "01J00000000000000000000000",
        task: 3,
    };
    let compiled =
        CompiledScenario::compile(&parsed.definition, 0, &Files::default(), place, |request| {
            Ok(request.clone())
        });
    let Ok(scenario) = compiled else {
        return Vec::new();
    };
    let mut io = Answers {
        body,
        sent: Vec::new(),
    };
    let mut vu = Vu::new(7);
    let start = IterationStart {
        iteration: 41,
        intended: 0,
        actual: 0,
    };
    let record = RefCell::new(Forget);
    {
        let mut iteration = pin!(vu.iterate(&scenario, start, &mut io, &NoTime, &record));
        // A flow that sends nothing yields once.
        let mut context = Context::from_waker(Waker::noop());
        let ended = (0..2).any(|_| matches!(iteration.as_mut().poll(&mut context), Poll::Ready(_)));
        assert!(ended, "nothing here waits");
    }
    io.sent
}

struct Answers<'a> {
    body: &'a [u8],
    sent: Vec<Request>,
}

impl Io for Answers<'_> {
    type Wire = Request;

    fn prepare(&mut self, request: &Request, _old: Option<Request>) -> Result<Request, ErrorCode> {
        Ok(request.clone())
    }

    fn begin_iteration(&mut self) {}

    fn cookie_header(&self, _request: &Request) -> Option<String> {
        None
    }

    async fn execute(&mut self, wire: &Request, _keep: Keep, _timeout: Duration) -> HttpExchange {
        self.sent.push(wire.clone());
        HttpExchange {
            status: 200,
            ..HttpExchange::default()
        }
    }

    fn header(&self, _name: &str) -> Option<&[u8]> {
        Some(self.body)
    }

    fn each_header<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.header(name).into_iter()
    }

    fn cookie(&self, _name: &str) -> Option<&[u8]> {
        None
    }

    fn body(&self) -> &[u8] {
        self.body
    }

    fn size(&self) -> u64 {
        self.body.len() as u64
    }
}

struct NoTime;

impl ThinkTimer for NoTime {
    fn now(&self) -> Nanos {
        0
    }

    async fn sleep_until(&self, at: Nanos) -> Nanos {
        at
    }
}

struct Forget;

impl Record for Forget {
    fn request_series(&mut self, _: &'static Protocol, _tags: &Tags) -> RequestSeries {
        RequestSeries::from_index(0)
    }

    fn check_series(&mut self, _tags: &Tags) -> CheckSeries {
        CheckSeries::from_index(0)
    }

    fn own_series(&mut self, _: &str, _: MetricKind, _tags: &Tags) -> OwnSeries {
        OwnSeries::from_index(0)
    }

    fn own(&mut self, _: OwnSeries, _: f64, _: Nanos) -> bool {
        true
    }

    fn request<E: Exchange>(&mut self, _: RequestSeries, _: &E, _: Nanos, _: bool) {}

    fn check(&mut self, _: CheckSeries, _: bool, _: Nanos) {}
}
