//! A virtual user of the native engine: a flow, a client, and where its measurements go.

use crate::clock::Nanos;
use crate::executor::{Iterate, IterationOutcome, VuFactory};
use crate::flow::{CompiledScenario, IterationEnd, IterationStart, Native, Vu};
use crate::http::{TransportId, Wire, Worker};
use crate::recorder::WorkerRecorder;
use crate::timer::Timer;
use std::cell::RefCell;
use std::rc::Rc;

/// What the VUs of one scenario on one worker have in common.
#[derive(Debug)]
pub(super) struct NativeScenario {
    pub(super) worker: Rc<Worker>,
    pub(super) transport: TransportId,
    pub(super) flow: CompiledScenario<Wire>,
    pub(super) timer: Rc<Timer>,
    pub(super) recorder: Rc<RefCell<WorkerRecorder>>,
}

/// Makes VUs for a scenario.
#[derive(Clone, Debug)]
pub(super) struct NativeVus(pub(super) Rc<NativeScenario>);

impl VuFactory for NativeVus {
    type Vu = NativeVu;

    fn make(&self, number: u64) -> NativeVu {
        NativeVu {
            vu: Vu::new(number),
            io: Native::new(Rc::clone(&self.0.worker), self.0.transport),
            scenario: Rc::clone(&self.0),
        }
    }
}

#[derive(Debug)]
pub(super) struct NativeVu {
    vu: Vu<Wire>,
    io: Native,
    scenario: Rc<NativeScenario>,
}

impl Iterate for NativeVu {
    async fn iterate(&mut self, number: u64, start: (Nanos, Nanos)) -> IterationOutcome {
        let scenario = &*self.scenario;
        let (intended, actual) = start;
        let start = IterationStart {
            iteration: number,
            intended,
            actual,
        };
        match self
            .vu
            .iterate(
                &scenario.flow,
                start,
                &mut self.io,
                &scenario.timer,
                &scenario.recorder,
            )
            .await
        {
            IterationEnd::Completed { ended } => IterationOutcome {
                at: ended,
                complete: true,
                more: true,
            },
            IterationEnd::Failed { ended } => IterationOutcome {
                at: ended,
                complete: false,
                more: true,
            },
            IterationEnd::DataExhausted => IterationOutcome {
                at: actual,
                complete: true,
                more: false,
            },
        }
    }

    fn interrupted(&mut self, at: Nanos) {
        self.vu
            .interrupted(&self.scenario.flow, at, &self.scenario.recorder);
    }
}

impl crate::flow::ThinkTimer for Rc<Timer> {
    fn now(&self) -> Nanos {
        self.clock().now()
    }

    async fn sleep_until(&self, at: Nanos) -> Nanos {
        Timer::sleep_until(self, at).await;
        self.clock().now()
    }
}
