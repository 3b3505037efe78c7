//! A scenario made ready: one flat list of operations, shared by the VUs of a worker.

use super::check::{CheckPlan, ExtractPlan, RecordPlan};
use super::control::Control;
use super::data::Table;
use super::encode::Encoding;
use super::error::{CompileError, Problem};
use super::failure::StepFailures;
use super::files::Files;
use super::io::Request;
use super::place::Place;
use super::request::RequestTemplate;
use super::retry::RetryPlan;
use super::rows::Rows;
use super::sampled::Sampled;
use super::series::StepSeries;
use super::symbols::SymbolTable;
use super::text::{Scope, Text};
use super::trace::{self, Tracing};
use crate::clock::Nanos;
use crate::exchange::ErrorCode;
use crate::http::Keep;
use crate::http::exchange::HttpExchange;
use floodgate_core::definition::{Definition, OnMissing, RequestStep, Scenario, Step};
use floodgate_core::seed;
use floodgate_records::metric::Tags;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

/// A scenario ready to be iterated by the VUs of one worker. `W` is what the client makes of a request
/// ([`super::Io::Wire`]).
#[derive(Debug)]
pub struct CompiledScenario<W> {
    pub(crate) ops: Vec<Op>,
    pub(crate) steps: Vec<StepPlan<W>>,
    pub(crate) locals: usize,
    pub(crate) rows: Vec<Rows>,
    pub(crate) tables: Vec<Arc<Table>>,
    pub(crate) seed: u64,
    /// Whether nothing but its own answers tells a VU when to send, so that VUs may wait for each other
    /// ([`crate::timer::give_way`]).
    pub(crate) closed: bool,
    /// Whether there are loops, conditions or choices, and how many of the first and the last.
    pub(crate) controlled: bool,
    pub(crate) loops: usize,
    pub(crate) choices: usize,
    /// Whether what targets have asked a VU for outlives an iteration, as connections do.
    pub(crate) reuses: bool,
}

/// One operation.
#[derive(Debug)]
pub(crate) enum Op {
    /// The request of that number.
    Request(u32),
    /// Wait between the two times.
    Think { min: Nanos, max: Nanos },
    /// Fill a variable.
    Set { slot: u16, value: Box<Text> },
    /// Go on elsewhere.
    Control(Box<Control>),
}

/// One request.
#[derive(Debug)]
pub(crate) struct StepPlan<W> {
    pub(crate) source: RequestSource<W>,
    pub(crate) keep: Keep,
    /// Whether a 401 is answered by HTTP Digest.
    pub(crate) digest: bool,
    pub(crate) timeout: Duration,
    pub(crate) max_redirects: u32,
    /// Empty: 200–399.
    expected: Vec<(u16, u16)>,
    pub(crate) checks: Vec<CheckPlan>,
    pub(crate) extract: Vec<ExtractPlan>,
    pub(crate) record: Vec<RecordPlan>,
    /// Whether there is any of these three.
    pub(crate) looks: bool,
    /// Whether an extraction that finds nothing ends the iteration.
    pub(crate) ends_on_missing: bool,
    /// Whether a condition may look at the response.
    pub(crate) remembered: bool,
    /// The cookies that such conditions look at.
    pub(super) also_cookies: Rc<[String]>,
    pub(crate) retry: Option<Box<RetryPlan>>,
    pub(crate) series: StepSeries,
    pub(crate) failures: StepFailures,
    /// Which responses are held against the contract.
    pub(crate) sampled: Option<Box<Sampled>>,
    pub(super) tracing: Option<Box<Tracing>>,
}

/// Where a request comes from.
#[derive(Debug)]
pub(crate) enum RequestSource<W> {
    /// It never changes.
    Fixed { request: Box<Request>, wire: W },
    /// It is filled in for each iteration.
    Rendered(Box<RequestTemplate>),
}

impl<W> StepPlan<W> {
    /// The cookies that its checks and extractions look at.
    pub(crate) fn cookie_names(&self) -> impl Iterator<Item = &str> {
        let checked = self.checks.iter().filter_map(|check| check.look.cookie());
        let recorded = self.record.iter().map(|own| &own.from);
        let extracted = self.extract.iter().chain(recorded);
        let extracted = extracted.filter_map(ExtractPlan::cookie);
        let also = self.also_cookies.iter().map(String::as_str);
        checked.chain(extracted).chain(also)
    }

    /// How many checks, extractions and metrics there are: the number of the check against the contract.
    pub(super) fn looked_at(&self) -> u16 {
        (self.checks.len() + self.extract.len() + self.record.len()) as u16
    }

    /// Whether a response counts as expected (k6's `responseCallback`; its default is 200–399).
    #[inline]
    pub(crate) fn is_expected(&self, exchange: &HttpExchange) -> bool {
        exchange.error.is_none()
            && if self.expected.is_empty() {
                (200..400).contains(&exchange.status)
            } else {
                self.expected
                    .iter()
                    .any(|&(low, high)| (low..=high).contains(&exchange.status))
            }
    }
}

impl<W> CompiledScenario<W> {
    /// Compiles scenario number `index` of a definition. `prepare` makes what the client sends of a request that never
    /// changes.
    ///
    /// # Errors
    /// A name that is not known, a URL, header or body that cannot be sent, a file that was not loaded.
    ///
    /// # Panics
    /// The definition has no scenario of that number.
    pub fn compile(
        definition: &Definition,
        index: usize,
        files: &Files,
        place: Place<'_>,
        prepare: impl FnMut(&Request) -> Result<W, ErrorCode>,
    ) -> Result<Self, CompileError> {
        let scenario = &definition.scenarios[index];
        let names = SymbolTable::collect(definition, scenario, place, files.tables())
            .map_err(|problem| error(scenario, "data", problem))?;
        let rows = names.sources.iter().zip(&names.tables);
        let rows = rows
            .map(|(&(source, _), table)| Rows::new(definition, index, source, table.rows()))
            .collect();
        let seed = seed::of(&[place.execution, &scenario.name]);
        let boundary = format!("floodgate-{:032x}", fastrand::Rng::with_seed(seed).u128(..));
        let mut compiler = Compiler {
            definition,
            scenario,
            files,
            names,
            boundary,
            prepare,
            ops: Vec::new(),
            steps: Vec::new(),
            loops: 0,
            choices: 0,
        };
        compiler.flatten(&scenario.flow, "")?;
        let controlled = compiler.ops.iter().any(|op| matches!(op, Op::Control(_)));
        if controlled {
            compiler.mark_remembered();
        }
        let Compiler {
            names,
            ops,
            steps,
            loops,
            choices,
            ..
        } = compiler;
        Ok(Self {
            ops,
            controlled,
            loops,
            choices,
            steps,
            locals: names.locals.len(),
            rows,
            tables: names.tables,
            seed,
            closed: !scenario.executor.is_open(),
            reuses: scenario.http.reuse_across_iterations,
        })
    }

    /// The last iteration that has rows of all `unique` sources; `None` if there is no such source.
    pub(crate) fn last_row(&self) -> Option<u64> {
        self.rows.iter().filter_map(Rows::last).min()
    }
}

pub(super) struct Compiler<'a, W, P> {
    definition: &'a Definition,
    pub(super) scenario: &'a Scenario,
    pub(super) files: &'a Files,
    pub(super) names: SymbolTable<'a>,
    boundary: String,
    prepare: P,
    pub(super) ops: Vec<Op>,
    pub(super) steps: Vec<StepPlan<W>>,
    pub(super) loops: usize,
    pub(super) choices: usize,
}

impl<W, P: FnMut(&Request) -> Result<W, ErrorCode>> Compiler<'_, W, P> {
    pub(super) fn flatten(&mut self, steps: &[Step], group: &str) -> Result<(), CompileError> {
        for step in steps {
            match step {
                Step::Request(step) => {
                    let plan = self
                        .request(step, group)
                        .map_err(|problem| error(self.scenario, &step.name, problem))?;
                    self.ops.push(Op::Request(self.steps.len() as u32));
                    self.steps.push(plan);
                }
                Step::Think { min, max } => {
                    let (min, max) = (min.as_nanos() as u64, max.as_nanos() as u64);
                    self.ops.push(Op::Think {
                        min,
                        max: max.max(min),
                    });
                }
                Step::Group { name, steps } => self.flatten(steps, &format!("{group}::{name}"))?,
                Step::Set(variables) => {
                    for (name, value) in variables {
                        let compiled = Text::compile(value, &self.names, Encoding::Raw);
                        let op = compiled.and_then(|text| {
                            Ok(Op::Set {
                                slot: self.names.local(name)?,
                                value: Box::new(text),
                            })
                        });
                        self.ops.push(op.map_err(|problem| {
                            error(self.scenario, &format!("set {name}"), problem)
                        })?);
                    }
                }
                Step::Repeat(_) | Step::If(_) | Step::Choose(_) | Step::Each(_) | Step::Stop => {
                    self.control(step, group)?;
                }
            }
        }
        Ok(())
    }

    fn request(&mut self, step: &RequestStep, group: &str) -> Result<StepPlan<W>, Problem> {
        let http = &self.scenario.http;
        let target = self.scenario.target(self.definition);
        let template =
            RequestTemplate::compile(step, http, target, &self.names, self.files, &self.boundary)?;
        let (own_tags, tags) = self.tags(step, group);
        let checks = step
            .checks
            .iter()
            .map(|check| CheckPlan::compile(check, &own_tags, self.files))
            .collect::<Result<Vec<_>, _>>()?;
        let mut extract = Vec::with_capacity(step.extract.len());
        for (name, from) in &step.extract {
            extract.push(ExtractPlan::new(
                name,
                self.names.local(name)?,
                from,
                &own_tags,
            ));
        }
        let record = step
            .record
            .iter()
            .map(|own| RecordPlan::new(own, &own_tags));
        let record: Vec<_> = record.collect();
        let taken = || extract.iter().chain(record.iter().map(|own| &own.from));
        let compressed = !http.accept_encoding.is_empty()
            || http
                .headers
                .iter()
                .chain(&step.headers)
                .any(|(name, _)| name.eq_ignore_ascii_case("accept-encoding"));
        let digest = template.answers_challenges();
        let keep = Keep {
            headers: digest
                || checks.iter().any(|c| c.look.needs_headers())
                || taken().any(ExtractPlan::needs_headers),
            body: checks.iter().any(|c| c.look.needs_body(compressed))
                || taken().any(ExtractPlan::needs_body),
        };
        Ok(StepPlan {
            source: self.source(template)?,
            keep,
            digest,
            timeout: step.timeout.unwrap_or(http.timeout),
            max_redirects: step.max_redirects.unwrap_or(http.max_redirects),
            expected: step.expected_statuses.clone(),
            looks: !(checks.is_empty() && extract.is_empty() && record.is_empty()),
            checks,
            extract,
            record,
            ends_on_missing: step.on_missing == OnMissing::End,
            retry: step
                .retry
                .as_ref()
                .map(|retry| Box::new(RetryPlan::new(retry))),
            remembered: false,
            also_cookies: Rc::default(),
            series: StepSeries::new(tags),
            failures: StepFailures::default(),
            sampled: Sampled::new(self.definition, self.files.contract(), &own_tags),
            tracing: self.tracing(step),
        })
    }

    /// How a step's requests are traced; those that bring a trace of their own are not.
    fn tracing(&self, step: &RequestStep) -> Option<Box<Tracing>> {
        let http = &self.scenario.http;
        let mut headers = http.headers.iter().chain(&step.headers);
        let own = headers.any(|(name, _)| name.eq_ignore_ascii_case(trace::HEADER));
        (http.traced > 0.0 && !own).then(|| Box::new(Tracing::new(http.traced)))
    }

    fn source(&mut self, template: RequestTemplate) -> Result<RequestSource<W>, Problem> {
        if !template.is_fixed() {
            return Ok(RequestSource::Rendered(Box::new(template)));
        }
        let mut request = Box::<Request>::default();
        let (mut rng, mut hidden) = (fastrand::Rng::with_seed(0), Vec::new());
        let mut nothing = Scope {
            vu: 0,
            iteration: 0,
            locals: &[],
            rows: &[],
            tables: &[],
            rng: &mut rng,
            hidden: &mut hidden,
        };
        template
            .render(&mut nothing, &mut request)
            .map_err(Problem::Unsendable)?;
        let wire = (self.prepare)(&request).map_err(Problem::Unsendable)?;
        Ok(RequestSource::Fixed { request, wire })
    }

    /// The tags of checks, which name their request, and those of requests. The step's own go over the scenario's, those over the definition's, and
    /// the ones with a meaning of their own over all.
    fn tags(&self, step: &RequestStep, group: &str) -> (Tags, Tags) {
        let mut tags = Tags::new();
        for own in [&self.definition.tags, &self.scenario.tags, &step.tags] {
            tags = own
                .iter()
                .fold(tags, |tags, (name, value)| tags.with(name, value));
        }
        let tags = tags
            .with("scenario", &self.scenario.name)
            .with("group", group);
        let tags = tags.with("name", &step.name);
        let request = tags.clone().with("method", &step.method);
        (tags, request)
    }
}

pub(super) fn error(scenario: &Scenario, step: &str, problem: Problem) -> CompileError {
    CompileError {
        scenario: scenario.name.clone(),
        step: step.to_owned(),
        problem,
    }
}
