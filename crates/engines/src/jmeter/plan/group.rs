//! Thread groups of all kinds.

use super::expression::Values;
use super::model::{Element, Plan, Prop};
use super::scope::is_sampler;

/// How a group makes its load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::jmeter) enum Kind {
    /// JMeter's own.
    Plain,
    /// Before all others.
    SetUp,
    /// After all others.
    TearDown,
    /// jpgc: a table of ramps.
    Ultimate,
    /// jpgc: steps.
    Stepping,
    /// bzm: as many threads as it takes to keep a number running.
    Concurrency,
    /// bzm: starts at a rate.
    Arrivals,
    /// bzm: starts at rates by a table.
    FreeArrivals,
    /// JMeter 5.5: starts at rates by a text.
    OpenModel,
}

impl Kind {
    fn of(class: &str) -> Option<Self> {
        Some(match class {
            "ThreadGroup" => Self::Plain,
            "SetupThreadGroup" => Self::SetUp,
            "PostThreadGroup" => Self::TearDown,
            "UltimateThreadGroup" => Self::Ultimate,
            "SteppingThreadGroup" => Self::Stepping,
            "ConcurrencyThreadGroup" => Self::Concurrency,
            "ArrivalsThreadGroup" => Self::Arrivals,
            "FreeFormArrivalsThreadGroup" => Self::FreeArrivals,
            "OpenModelThreadGroup" => Self::OpenModel,
            _ => return None,
        })
    }
}

/// A group of a plan.
#[derive(Clone, Copy, Debug)]
pub(in crate::jmeter) struct Group<'a> {
    pub(in crate::jmeter) number: usize,
    pub(in crate::jmeter) kind: Kind,
    pub(in crate::jmeter) element: &'a Element,
}

impl<'a> Group<'a> {
    /// The groups that will run.
    pub(in crate::jmeter) fn all(plan: &'a Plan) -> Vec<Self> {
        plan.enabled()
            .filter_map(|(number, element)| {
                Kind::of(&element.class).map(|kind| Self {
                    number,
                    kind,
                    element,
                })
            })
            .collect()
    }

    /// The whole numbers that are divided among the tasks: threads, or starts per unit of time. One that is 0 in a task is
    /// nothing to it; a group whose numbers are all 0 is turned off.
    pub(in crate::jmeter) fn load(&self) -> Vec<&'a Prop> {
        let own = |name: &str| self.element.prop(name).into_iter().collect::<Vec<_>>();
        match self.kind {
            Kind::Plain | Kind::SetUp | Kind::TearDown | Kind::Stepping => {
                own("ThreadGroup.num_threads")
            }
            Kind::Concurrency | Kind::Arrivals => own("TargetLevel"),
            Kind::Ultimate => self.column("ultimatethreadgroupdata", &[0]),
            Kind::FreeArrivals => self.column("Schedule", &[0, 1]),
            Kind::OpenModel => own("OpenModelThreadGroup.schedule"),
        }
    }

    /// Whether it is known that it starts nothing: it has no threads, no rows, or makes no loops.
    pub(in crate::jmeter) fn is_idle(&self, values: &Values) -> bool {
        let none = |prop: &&Prop| values.whole(&prop.text) == Ok(0);
        self.load().iter().all(none) || self.never_loops(values)
    }

    /// Whether it has elements and none of them makes samples: no sampler, and nothing that brings some.
    pub(in crate::jmeter) fn is_speechless(&self, plan: &Plan) -> bool {
        let brings = |class: &str| {
            is_sampler(class) || matches!(class, "ModuleController" | "IncludeController")
        };
        let within = |number| plan.above(number).any(|above| above == self.number);
        let mut own = plan
            .enabled()
            .filter(|&(number, _)| within(number))
            .peekable();
        own.peek().is_some() && !own.any(|(_, element)| brings(&element.class))
    }

    fn never_loops(&self, values: &Values) -> bool {
        let plain = matches!(self.kind, Kind::Plain | Kind::SetUp | Kind::TearDown);
        let text = |name: &str| self.element.any(name).map_or("", |prop| &prop.text);
        let loops = values.evaluate(text("LoopController.loops"));
        // Less than none is for ever.
        let none = loops.is_ok_and(|loops| loops.trim().parse() == Ok(0_i64));
        plain && none && text("LoopController.continue_forever") != "true"
    }

    fn column(&self, table: &str, columns: &[usize]) -> Vec<&'a Prop> {
        let rows = self.element.rows(table);
        rows.iter()
            .flat_map(|row| {
                columns
                    .iter()
                    .filter_map(|&column| row.get(column).copied())
            })
            .collect()
    }

    /// The most threads that it runs at once, where it is known.
    ///
    /// # Errors
    /// The value that cannot be known.
    pub(in crate::jmeter) fn threads(&self, values: &Values) -> Result<Option<u64>, String> {
        match self.kind {
            Kind::Arrivals | Kind::FreeArrivals | Kind::OpenModel => {
                let limit = values.whole(self.element.text("ConcurrencyLimit"))?;
                Ok((limit > 0).then_some(limit))
            }
            _ => self
                .load()
                .iter()
                .try_fold(0, |all: u64, prop| {
                    Ok(all.saturating_add(values.whole(&prop.text)?))
                })
                .map(Some),
        }
    }
}
