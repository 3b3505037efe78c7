//! What the flow adds to a request: an iteration against a client that answers at once.

#![allow(missing_docs)]

use divan::{Bencher, black_box};
use floodgate_core::check::{Check, Comparison, Subject, Test};
use floodgate_core::definition::*;
use floodgate_core::template::{Part as TemplatePart, Template, Variable};
use floodgate_generator::clock::Nanos;
use floodgate_generator::exchange::{ErrorCode, Exchange, Protocol};
use floodgate_generator::flow::{
    CompiledScenario, Files, Io, IterationStart, Place, Request, ThinkTimer, Vu,
};
use floodgate_generator::http::Keep;
use floodgate_generator::http::exchange::HttpExchange;
use floodgate_generator::recorder::{CheckSeries, OwnSeries, Record, RequestSeries};
use floodgate_records::engine::Engine;
use floodgate_records::metric::{MetricKind, Tags};
use std::cell::RefCell;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// Answers 200 with a small JSON body.
struct Instant;

impl Io for Instant {
    /// The length of what would be sent.
    type Wire = usize;

    fn prepare(&mut self, request: &Request, _old: Option<usize>) -> Result<usize, ErrorCode> {
        Ok(black_box(request).path_and_query.len() + request.body.len())
    }

    fn begin_iteration(&mut self) {}

    fn cookie_header(&self, _request: &Request) -> Option<String> {
        None
    }

    async fn execute(&mut self, wire: &usize, _keep: Keep, _timeout: Duration) -> HttpExchange {
        HttpExchange {
            status: black_box(200),
            sent: *wire as u64,
            ..HttpExchange::default()
        }
    }

    fn header(&self, _name: &str) -> Option<&[u8]> {
        None
    }

    fn each_header<'a>(&'a self, _name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        std::iter::empty()
    }

    fn cookie(&self, _name: &str) -> Option<&[u8]> {
        None
    }

    fn body(&self) -> &[u8] {
        br#"{"order":{"id":42,"state":"open"},"items":[1,2,3]}"#
    }

    fn size(&self) -> u64 {
        50
    }
}

struct NoTimer;

impl ThinkTimer for NoTimer {
    fn now(&self) -> Nanos {
        0
    }

    async fn sleep_until(&self, at: Nanos) -> Nanos {
        at
    }
}

#[derive(Default)]
struct Sums {
    requests: u64,
    checks: u64,
}

impl Record for Sums {
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

    fn request<E: Exchange>(
        &mut self,
        _series: RequestSeries,
        exchange: &E,
        _intended: Nanos,
        expected: bool,
    ) {
        self.requests += u64::from(expected) + exchange.sent();
    }

    fn check(&mut self, _series: CheckSeries, held: bool, _at: Nanos) {
        self.checks += u64::from(held);
    }
}

fn main() {
    size();
    divan::main();
}

fn size() {
    let (scenario, record) = (compile(vec![request()]), RefCell::new(Sums::default()));
    let mut vu = Vu::new(1);
    let start = IterationStart {
        iteration: 0,
        intended: 0,
        actual: 0,
    };
    let mut io = Instant;
    let client = size_of_val(&io.execute(&0, Keep::default(), Duration::ZERO));
    let whole = size_of_val(&vu.iterate(&scenario, start, &mut io, &NoTimer, &record));
    eprintln!(
        "future of an iteration: {} bytes beside the client's {client}",
        whole - client
    );
    eprintln!("a vu: {} bytes", size_of::<Vu<usize>>());
}

#[divan::bench]
fn static_get_with_a_check_of_the_status(bencher: Bencher<'_, '_>) {
    run(bencher, vec![request()]);
}

#[divan::bench]
fn ten_static_gets(bencher: Bencher<'_, '_>) {
    run(bencher, (0..10).map(|_| request()).collect());
}

#[divan::bench]
fn url_header_and_json_filled_in(bencher: Bencher<'_, '_>) {
    let json = JsonTemplate::Object(vec![
        (
            "user".into(),
            JsonTemplate::String(variable("", Variable::Vu)),
        ),
        (
            "id".into(),
            JsonTemplate::String(variable("", Variable::Uuid)),
        ),
        ("note".into(), JsonTemplate::Literal("fixed".into())),
    ]);
    let step = RequestStep {
        method: "POST".into(),
        url: variable("/orders/", Variable::Iteration),
        headers: vec![("X-Request-Id".into(), variable("r-", Variable::Iteration))],
        body: Body::Json(json),
        ..request()
    };
    run(bencher, vec![step]);
}

#[divan::bench]
fn jsonpath_checked_and_extracted(bencher: Bencher<'_, '_>) {
    let path = |text: &str| serde_json_path::JsonPath::parse(text).expect("a path");
    let open = Check {
        name: "open".into(),
        subject: Subject::JsonPath(path("$.order.state")),
        test: Test::Text {
            equal: true,
            value: "open".into(),
        },
    };
    let extract = vec![("id".to_owned(), Extractor::JsonPath(path("$.order.id")))];
    run(
        bencher,
        vec![RequestStep {
            checks: vec![open],
            extract,
            ..request()
        }],
    );
}

fn run(bencher: Bencher<'_, '_>, flow: Vec<RequestStep>) {
    let (scenario, record) = (compile(flow), RefCell::new(Sums::default()));
    let mut vu = Vu::new(1);
    let mut iteration = 0;
    bencher.bench_local(|| {
        iteration += 1;
        let start = IterationStart {
            iteration,
            intended: 0,
            actual: 0,
        };
        let mut io = Instant;
        let mut future = pin!(vu.iterate(&scenario, black_box(start), &mut io, &NoTimer, &record));
        // Nothing waits, but a VU of a closed loop gives way before a request that follows an answer.
        loop {
            if let Poll::Ready(end) =
                (future.as_mut()).poll(&mut Context::from_waker(Waker::noop()))
            {
                break end;
            }
        }
    });
    black_box(record.into_inner().checks);
}

fn variable(before: &str, variable: Variable) -> Template {
    let literal = Template::literal(before).parts;
    Template {
        parts: [literal, vec![TemplatePart::Variable(variable)]].concat(),
        source: before.into(),
    }
}

fn request() -> RequestStep {
    let ok = Check {
        name: "ok".into(),
        subject: Subject::Status,
        test: Test::Number(Comparison::Eq, 200.0),
    };
    RequestStep {
        method: "GET".into(),
        url: Template::literal("/"),
        name: "home".into(),
        params: Vec::new(),
        headers: Vec::new(),
        body: Body::Empty,
        auth: None,
        timeout: None,
        max_redirects: None,
        expected_statuses: Vec::new(),
        tags: Default::default(),
        checks: vec![ok],
        extract: Vec::new(),
        on_missing: Default::default(),
        retry: None,
        record: Vec::new(),
    }
}

fn compile(flow: Vec<RequestStep>) -> CompiledScenario<usize> {
    let scenario = Scenario {
        name: "s".into(),
        start_time: Duration::ZERO,
        graceful_stop: Duration::ZERO,
        share: None,
        side: None,
        pace: None,
        executor: Executor::PerVuIterations {
            vus: 1,
            iterations: 1,
            max_duration: Duration::ZERO,
        },
        tags: Default::default(),
        flow: flow
            .into_iter()
            .map(|step| Step::Request(Box::new(step)))
            .collect(),
        http: HttpOptions::default(),
    };
    let definition = Definition {
        project: "p".into(),
        test: "t".into(),
        target: Some("http://127.0.0.1:1".into()),
        against: None,
        engine: Engine::Http,
        script: None,
        script_files: Vec::new(),
        parameters: Default::default(),
        scenarios: vec![scenario],
        data: Vec::new(),
        thresholds: Vec::new(),
        baseline: None,
        capacity: None,
        warmup: Duration::ZERO,
        run: RunOptions::default(),
        http: HttpOptions::default(),
        tags: Default::default(),
        observe: Vec::new(),
        export: Vec::new(),
        notify: Vec::new(),
        setup: Vec::new(),
        teardown: Vec::new(),
        contract: None,
        tier: None,
    };
    let given = floodgate_generator::flow::Given::new();
    let place = Place {
        given: &given,
        execution: "bench",
        task: 0,
    };
    CompiledScenario::compile(&definition, 0, &Files::default(), place, |r| {
        Instant.prepare(r, None)
    })
    .expect("compiles")
}
