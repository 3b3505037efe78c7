//! The check of the contract before the load: each flow is done once, and what the target answers is held against an OpenAPI document.
//! These requests are no load and are in no metric.

mod client;
mod each_once;
mod ledger;
mod silent;

use super::apart::apart;
use crate::clock::{Clock, Nanos};
use crate::flow::{
    CompiledScenario, ContractPlace, Files, Given, IterationEnd, IterationStart, Native, Place,
    Request, ThinkTimer, Vu, used_operations,
};
use crate::http::{TransportId, TransportOptions, Worker};
use crate::timer::Timer;
use client::{Called, Checked};
use each_once::each_once;
use floodgate_contract::Contract;
use floodgate_core::definition::Definition;
pub(super) use ledger::Findings;
use ledger::Ledger;
use silent::Silent;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

/// The longest pause between two requests: think times are for load.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// A check to be done.
pub(super) struct ContractCheck {
    pub(super) definition: Definition,
    pub(super) contract: Arc<Contract>,
    pub(super) files: Arc<Files>,
    /// Of the definition's scenarios.
    pub(super) transports: Vec<TransportOptions>,
    pub(super) execution: String,
    pub(super) task: u32,
    /// What setup has given.
    pub(super) given: Given,
}

impl ContractCheck {
    /// Does it. Who drops the future cuts it off.
    ///
    /// # Errors
    /// What keeps it from being done.
    pub(super) async fn run(self) -> Result<Findings, String> {
        apart("contract", move || async move { self.work().await }).await
    }

    async fn work(&self) -> Result<Findings, String> {
        let clock = Clock::start();
        let timer = Timer::new(clock).map_err(|error| format!("no timer: {error}"))?;
        let worker =
            Worker::new(clock, &self.transports).map_err(|error| format!("the client: {error}"))?;
        let helpers = [
            tokio::task::spawn_local(Rc::clone(&timer).drive()),
            tokio::task::spawn_local(Rc::clone(&worker).run_deadlines()),
        ];
        let ledger = Rc::new(RefCell::new(Ledger::default()));
        let definition = once_each(&self.definition);
        let mut ended = Ok(());
        for index in 0..definition.scenarios.len() {
            ended = self
                .scenario(&definition, index, &worker, &timer, &ledger)
                .await;
            if ended.is_err() {
                break;
            }
        }
        helpers.iter().for_each(tokio::task::JoinHandle::abort);
        ended?;
        let used = used_operations(&self.definition, &self.contract);
        let used = used.into_iter().map(floodgate_contract::Operation::name);
        Ok(ledger.take().conclude(self.contract.name(), used))
    }

    /// Does one iteration of a scenario.
    async fn scenario(
        &self,
        definition: &Definition,
        index: usize,
        worker: &Rc<Worker>,
        timer: &Rc<Timer>,
        ledger: &Rc<RefCell<Ledger>>,
    ) -> Result<(), String> {
        // Random values are others than those of the load's iterations.
        let execution = format!("{}/contract", self.execution);
        let place = Place {
            execution: &execution,
            task: self.task,
            given: &self.given,
        };
        let wire = |request: &Request| {
            let wire = Native::wire(worker, request, None)?;
            Ok(Called::new(request, wire))
        };
        let flow = CompiledScenario::compile(definition, index, &self.files, place, wire)
            .map_err(|error| error.to_string())?;
        let transport = u16::try_from(index).map_err(|_| "there are too many scenarios")?;
        let mut io = Checked {
            inner: Native::new(Rc::clone(worker), TransportId(transport)),
            worker: Rc::clone(worker),
            contract: Arc::clone(&self.contract),
            place: ContractPlace::of(definition),
            ledger: Rc::clone(ledger),
        };
        let now = timer.now();
        // A row that is used once in a run is the load's, as far as there are others.
        let start = IterationStart {
            iteration: flow.last_row().unwrap_or(0),
            intended: now,
            actual: now,
        };
        let silent = RefCell::new(Silent);
        let brief = Brief(Rc::clone(timer));
        let end = Vu::new(1)
            .iterate(&flow, start, &mut io, &brief, &silent)
            .await;
        let name = &definition.scenarios[index].name;
        let why = match end {
            IterationEnd::Completed { .. } => return Ok(()),
            IterationEnd::Failed { .. } => "an extraction found nothing",
            IterationEnd::DataExhausted => "a data file with unique rows has none for it",
        };
        ledger.borrow_mut().cut_short(name, why);
        Ok(())
    }
}

/// The definition with flows whose requests are made once each.
fn once_each(definition: &Definition) -> Definition {
    let mut definition = definition.clone();
    definition.contract = None;
    for scenario in &mut definition.scenarios {
        scenario.flow = each_once(&scenario.flow);
    }
    definition
}

/// A timer that does not wait long.
struct Brief(Rc<Timer>);

impl ThinkTimer for Brief {
    fn now(&self) -> Nanos {
        ThinkTimer::now(&self.0)
    }

    async fn sleep_until(&self, at: Nanos) -> Nanos {
        let longest = self.now().saturating_add(LONGEST_PAUSE.as_nanos() as u64);
        ThinkTimer::sleep_until(&self.0, at.min(longest)).await
    }
}
