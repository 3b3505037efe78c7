//! A scripted client, a clock that only tests move, and short ways to write definitions.

use crate::clock::Nanos;
use crate::exchange::{ErrorCode, Exchange, Protocol};
use crate::flow::{CompileError, CompiledScenario, Files, Given, IterationEnd, Place};
use crate::flow::{Io, IterationStart, Request, ThinkTimer, Vu};
use crate::http::Keep;
use crate::http::exchange::{HttpExchange, Timings};
use crate::recorder::{CheckSeries, OwnSeries, Record, RequestSeries, Sample};
use floodgate_core::check::{Check, Subject, Test};
use floodgate_core::definition::*;
use floodgate_core::template::{Part as TemplatePart, Template, Variable};
use floodgate_records::engine::Engine;
use floodgate_records::metric::{MetricKind, Tags};
use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

pub(super) const MS: Nanos = 1_000_000;

/// One scripted response.
#[derive(Clone, Debug, Default)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) cookies: Vec<(&'static str, &'static str)>,
    pub(super) body: Vec<u8>,
    pub(super) error: Option<ErrorCode>,
    /// It never comes.
    pub(super) hangs: bool,
}

impl Reply {
    pub(super) fn status(status: u16) -> Self {
        Self {
            status,
            ..Self::default()
        }
    }

    pub(super) fn body(body: impl Into<Vec<u8>>) -> Self {
        Self {
            status: 200,
            body: body.into(),
            ..Self::default()
        }
    }

    pub(super) fn to(status: u16, location: &str) -> Self {
        Self {
            status,
            headers: vec![("Location", location.to_owned())],
            ..Self::default()
        }
    }
}

/// A client that answers from a script, each time after 10 ms; when the script is at its end, with 200.
#[derive(Default)]
pub(super) struct Fake {
    pub(super) clock: Rc<Cell<Nanos>>,
    pub(super) script: VecDeque<Reply>,
    pub(super) sent: Vec<Request>,
    pub(super) kept: Vec<Keep>,
    pub(super) iterations: usize,
    last: Reply,
    jar: Vec<(String, String)>,
}

impl Io for Fake {
    type Wire = Request;

    fn prepare(&mut self, request: &Request, _old: Option<Request>) -> Result<Request, ErrorCode> {
        Ok(request.clone())
    }

    fn begin_iteration(&mut self) {
        self.iterations += 1;
        self.jar.clear();
    }

    fn cookie_header(&self, request: &Request) -> Option<String> {
        let here = self
            .jar
            .iter()
            .filter(|(host, _)| *host == request.origin.host);
        let values: Vec<_> = here.map(|(_, cookie)| cookie.as_str()).collect();
        (!values.is_empty()).then(|| values.join("; "))
    }

    async fn execute(&mut self, wire: &Request, keep: Keep, _timeout: Duration) -> HttpExchange {
        self.sent.push(wire.clone());
        self.kept.push(keep);
        self.last = self.script.pop_front().unwrap_or(Reply::status(200));
        for (name, value) in &self.last.cookies {
            self.jar
                .push((wire.origin.host.clone(), format!("{name}={value}")));
        }
        if self.last.hangs {
            std::future::pending::<()>().await;
        }
        let begin = self.clock.get();
        let end = begin + 10 * MS;
        self.clock.set(end);
        let timings = Timings {
            begin,
            end,
            sending: MS,
            waiting: 8 * MS,
            receiving: MS,
            ..Timings::default()
        };
        HttpExchange {
            timings,
            status: self.last.status,
            error: self.last.error,
            ..HttpExchange::default()
        }
    }

    fn header(&self, name: &str) -> Option<&[u8]> {
        let found = self
            .last
            .headers
            .iter()
            .find(|(other, _)| other.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_bytes())
    }

    fn each_header<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        let all = self.last.headers.iter();
        all.filter(move |(other, _)| other.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_bytes())
    }

    fn cookie(&self, name: &str) -> Option<&[u8]> {
        self.last
            .cookies
            .iter()
            .find(|(other, _)| *other == name)
            .map(|(_, value)| value.as_bytes())
    }

    fn body(&self) -> &[u8] {
        &self.last.body
    }

    fn size(&self) -> u64 {
        self.last.body.len() as u64
    }
}

/// A timer that wakes a millisecond late.
pub(super) struct LateTimer(pub(super) Rc<Cell<Nanos>>);

impl ThinkTimer for LateTimer {
    fn now(&self) -> Nanos {
        self.0.get()
    }

    async fn sleep_until(&self, at: Nanos) -> Nanos {
        self.0.set(self.0.get().max(at + MS));
        self.0.get()
    }
}

/// Keeps every sample with its tags.
#[derive(Default)]
pub(super) struct Log {
    tags: Vec<Tags>,
    /// How often a series was looked up.
    pub(super) asked: usize,
    pub(super) http: Vec<(Tags, HttpExchange, Nanos, bool)>,
    pub(super) checks: Vec<(Tags, bool)>,
    own_names: Vec<(String, MetricKind)>,
    /// Samples of all exchanges, if they are wanted.
    pub(super) samples: Option<Vec<Sample>>,
    /// Metrics of the test's own: name, type, value.
    pub(super) own: Vec<(String, MetricKind, f64)>,
}

impl Log {
    fn number(&mut self, tags: &Tags) -> u32 {
        self.asked += 1;
        let known = self.tags.iter().position(|other| other == tags);
        let index = known.unwrap_or_else(|| {
            self.tags.push(tags.clone());
            self.tags.len() - 1
        });
        index as u32
    }

    /// The outcomes of the checks with their names.
    pub(super) fn outcomes(&self) -> Vec<(&str, bool)> {
        self.checks
            .iter()
            .map(|(tags, held)| (tags.get("check").unwrap_or_default(), *held))
            .collect()
    }
}

impl Record for Log {
    fn request_series(&mut self, _: &'static Protocol, tags: &Tags) -> RequestSeries {
        RequestSeries::from_index(self.number(tags))
    }

    fn check_series(&mut self, tags: &Tags) -> CheckSeries {
        CheckSeries::from_index(self.number(tags))
    }

    fn own_series(&mut self, metric: &str, kind: MetricKind, _: &Tags) -> OwnSeries {
        self.own_names.push((metric.to_owned(), kind));
        OwnSeries::from_index(self.own_names.len() as u32 - 1)
    }

    fn own(&mut self, series: OwnSeries, value: f64, _: Nanos) -> bool {
        let (name, kind) = self.own_names[series.index() as usize].clone();
        let counts_up = matches!(kind, MetricKind::Counter | MetricKind::Trend);
        if counts_up && value < 0.0 {
            return false;
        }
        self.own.push((name, kind, value));
        true
    }

    fn request<E: Exchange>(
        &mut self,
        series: RequestSeries,
        exchange: &E,
        intended: Nanos,
        expected: bool,
    ) {
        let exchange: &dyn Any = exchange;
        self.http.push((
            self.tags[series.index() as usize].clone(),
            *exchange.downcast_ref().unwrap(),
            intended,
            expected,
        ));
    }

    fn wants_all(&self) -> bool {
        self.samples.is_some()
    }

    fn sample(&mut self, sample: Sample, _: Nanos) {
        self.samples.get_or_insert_default().push(sample);
    }

    fn check(&mut self, series: CheckSeries, held: bool, _at: Nanos) {
        self.checks
            .push((self.tags[series.index() as usize].clone(), held));
    }
}

/// A scenario with its world.
pub(super) struct World {
    pub(super) scenario: CompiledScenario<Request>,
    pub(super) vu: Vu<Request>,
    pub(super) io: Fake,
    pub(super) log: RefCell<Log>,
}

impl World {
    pub(super) fn new(flow: Vec<Step>) -> Self {
        Self::of(&definition(flow), 0, &Files::default()).unwrap()
    }

    pub(super) fn of(
        definition: &Definition,
        index: usize,
        files: &Files,
    ) -> Result<Self, CompileError> {
        let place = Place {
            given: &Given::new(),
            execution: "01J00000000000000000000000",
            task: 3,
        };
        let scenario = CompiledScenario::compile(definition, index, files, place, |request| {
            Ok(request.clone())
        })?;
        Ok(Self {
            scenario,
            vu: Vu::new(7),
            io: Fake::default(),
            log: RefCell::default(),
        })
    }

    pub(super) fn replies(mut self, replies: impl IntoIterator<Item = Reply>) -> Self {
        self.io.script.extend(replies);
        self
    }

    /// Runs an iteration that starts when it should; `None` if it hangs (and was dropped).
    pub(super) fn run(&mut self, iteration: u64) -> Option<IterationEnd> {
        let now = self.io.clock.get();
        self.run_late(IterationStart {
            iteration,
            intended: now,
            actual: now,
        })
    }

    pub(super) fn run_late(&mut self, start: IterationStart) -> Option<IterationEnd> {
        let timer = LateTimer(Rc::clone(&self.io.clock));
        let future = pin!(
            self.vu
                .iterate(&self.scenario, start, &mut self.io, &timer, &self.log)
        );
        poll(future)
    }

    /// The only request of one iteration.
    pub(super) fn one(&mut self) -> Request {
        self.run(41).unwrap();
        assert_eq!(self.io.sent.len(), 1);
        self.io.sent.remove(0)
    }
}

fn poll<T>(mut future: std::pin::Pin<&mut impl Future<Output = T>>) -> Option<T> {
    let mut context = Context::from_waker(Waker::noop());
    // More than once for a flow that gives way between its requests.
    for _ in 0..64 {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return Some(value);
        }
    }
    None
}

/// The request that a step sends in iteration 41 of VU 7.
pub(super) fn sent(step: RequestStep) -> Request {
    World::new(vec![Step::Request(Box::new(step))]).one()
}

pub(super) fn definition(flow: Vec<Step>) -> Definition {
    Definition {
        project: "p".into(),
        test: "t".into(),
        target: Some("http://target.example:8080/base".into()),
        against: None,
        engine: Engine::Http,
        script: None,
        script_files: Vec::new(),
        parameters: Default::default(),
        scenarios: vec![scenario("browse", flow)],
        data: Vec::new(),
        thresholds: Vec::new(),
        baseline: None,
        capacity: None,
        warmup: Duration::ZERO,
        run: RunOptions::default(),
        http: HttpOptions::default(),
        tags: [("team".to_owned(), "shop".to_owned())].into(),
        observe: Vec::new(),
        export: Vec::new(),
        notify: Vec::new(),
        setup: Vec::new(),
        teardown: Vec::new(),
        contract: None,
        tier: None,
    }
}

pub(super) fn scenario(name: &str, flow: Vec<Step>) -> Scenario {
    Scenario {
        name: name.into(),
        start_time: Duration::ZERO,
        graceful_stop: Duration::from_secs(30),
        share: None,
        side: None,
        pace: None,
        executor: Executor::PerVuIterations {
            vus: 1,
            iterations: 1,
            max_duration: Duration::from_secs(1),
        },
        tags: [("tier".to_owned(), "gold".to_owned())].into(),
        flow,
        http: HttpOptions::default(),
    }
}

pub(super) fn get(url: &str) -> RequestStep {
    RequestStep {
        method: "GET".into(),
        url: t(url),
        name: url.into(),
        params: Vec::new(),
        headers: Vec::new(),
        body: Body::Empty,
        auth: None,
        timeout: None,
        max_redirects: None,
        expected_statuses: Vec::new(),
        tags: Default::default(),
        checks: Vec::new(),
        extract: Vec::new(),
        on_missing: Default::default(),
        retry: None,
        record: Vec::new(),
    }
}

pub(super) fn post(url: &str, body: Body) -> RequestStep {
    RequestStep {
        method: "POST".into(),
        body,
        ..get(url)
    }
}

pub(super) fn step(step: RequestStep) -> Step {
    Step::Request(Box::new(step))
}

pub(super) fn set(name: &str, value: &str) -> Step {
    Step::Set(vec![(name.to_owned(), t(value))])
}

/// Sets a variable to any text, which `t` could not write.
pub(super) fn set_literal(name: &str, value: &str) -> Step {
    Step::Set(vec![(name.to_owned(), Template::literal(value))])
}

pub(super) fn pairs(list: &[(&str, &str)]) -> Vec<(String, Template)> {
    list.iter()
        .map(|(name, value)| ((*name).to_owned(), t(value)))
        .collect()
}

pub(super) fn check(name: &str, subject: Subject, test: Test) -> Check {
    Check {
        name: name.into(),
        subject,
        test,
    }
}

pub(super) fn header<'a>(request: &'a Request, name: &str) -> Vec<&'a str> {
    let found = request
        .headers
        .iter()
        .filter(|(other, _)| other.eq_ignore_ascii_case(name));
    found
        .map(|(_, value)| std::str::from_utf8(value).unwrap())
        .collect()
}

pub(super) fn url_of(request: &Request) -> String {
    let origin = &request.origin;
    format!(
        "{}://{}{}",
        origin.scheme(),
        origin.authority(),
        request.path_and_query
    )
}

/// A template in the notation of definitions, for well-formed text.
pub(super) fn t(text: &str) -> Template {
    let mut parts = Vec::new();
    let literal = |text: &str, parts: &mut Vec<TemplatePart>| {
        if !text.is_empty() {
            parts.push(TemplatePart::Literal(text.to_owned()));
        }
    };
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        literal(before, &mut parts);
        let (name, after) = after.split_once('}').unwrap();
        parts.push(TemplatePart::Variable(variable(name)));
        rest = after;
    }
    literal(rest, &mut parts);
    Template {
        parts,
        source: text.to_owned(),
    }
}

fn variable(name: &str) -> Variable {
    match name {
        "vu" => Variable::Vu,
        "iteration" => Variable::Iteration,
        "scenario" => Variable::Scenario,
        "task" => Variable::Task,
        "uuid()" => Variable::Uuid,
        "now()" => Variable::Now,
        "isoNow()" => Variable::IsoNow,
        "randomInt(1,6)" => Variable::RandomInt(1, 6),
        "randomInt(6,1)" => Variable::RandomInt(6, 1),
        "randomString(8)" => Variable::RandomString(8),
        name => match name.split_once('.') {
            Some((source, column)) => Variable::Data {
                source: source.into(),
                column: column.into(),
            },
            None => Variable::Local(name.into()),
        },
    }
}
