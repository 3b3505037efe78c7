//! A task's share of a plan, written into a copy of it: threads, rates, rows of data. Totals over the tasks are those of one.
//!
//! Threads are numbered through all groups in the order of the file, and thread *n* belongs to the task that owns *n*
//! ([`Segment`]); so does row *n* of a CSV file. Rates are divided by weight among the tasks that have threads to keep them.

mod data;
mod part;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

pub(super) use part::{Folders, Part, Share};

use super::plan::{Edits, Element, Group, Kind, Plan, Prop, Values};
use floodgate_core::schedule::Segment;
use part::decimal;
use std::path::Path;

struct Splitter<'a> {
    plan: &'a Plan,
    bytes: &'a [u8],
    values: &'a Values,
    share: &'a Share<'a>,
    segment: Segment,
    edits: Edits,
    part: Part,
    /// By group: its number in the plan, and which tasks have a part of it.
    active: Vec<(usize, Vec<bool>)>,
}

fn about(element: &Element) -> String {
    format!("{} {:?}", element.class, element.name)
}

/// What to do about a value that cannot be known.
fn unknown(element: &Element, prop: &Prop, why: &str) -> String {
    format!(
        "{}: {} is {why}, which is not known before the run, and cannot be divided among tasks: give it as \
         ${{__P(name,default)}} with the parameter name, or run with tasks: 1",
        about(element),
        prop.name
    )
}

/// The copy of the plan for one task.
///
/// # Errors
/// What cannot be divided, and the remedy.
pub(super) fn split(
    plan: &Plan,
    bytes: &[u8],
    values: &Values,
    share: &Share<'_>,
    folders: &Folders<'_>,
) -> Result<Part, String> {
    let segment =
        |place| Segment::of_weights(share.weights, place).map_err(|error| error.to_string());
    let mut splitter = Splitter {
        plan,
        bytes,
        values,
        share,
        segment: segment(share.place)?,
        edits: Edits::default(),
        part: Part::default(),
        active: Vec::new(),
    };
    splitter.listeners();
    if share.weights.len() > 1 {
        let groups = Group::all(plan);
        splitter.find_active(&groups)?;
        splitter.groups(&groups)?;
        for (number, element) in plan.enabled() {
            splitter.element(number, element, folders)?;
        }
    }
    let Splitter {
        edits,
        mut part,
        active,
        ..
    } = splitter;
    part.is_idle = !active.is_empty() && !active.iter().any(|(_, tasks)| tasks[share.place]);
    part.bytes = edits.apply(bytes);
    Ok(part)
}

impl Splitter<'_> {
    fn warn(&mut self, text: String) {
        if !self.part.warnings.contains(&text) {
            self.part.warnings.push(text);
        }
    }

    /// Listeners that write files of their own: the samples come out once. In functional mode JMeter would not number the requests of a
    /// sampler, so that they could not be told from its sum.
    fn listeners(&mut self) {
        for (_, element) in self.plan.enabled() {
            if element.class == "TestPlan"
                && let Some(mode) = element.prop("TestPlan.functional_mode")
                && mode.text.trim() == "true"
            {
                self.edits.set(mode, "false", self.bytes);
            }
            if element.class.ends_with("ResultCollector")
                && let Some(file) = element.prop("filename")
                && !file.text.is_empty()
            {
                self.edits.set(file, "", self.bytes);
                self.warn(format!(
                    "{} does not write {}: the run keeps the samples",
                    about(element),
                    file.text
                ));
            }
        }
    }

    fn whole(&self, element: &Element, prop: &Prop) -> Result<u64, String> {
        self.values
            .whole(&prop.text)
            .map_err(|why| unknown(element, prop, &why))
    }

    fn number(&self, element: &Element, prop: &Prop) -> Result<f64, String> {
        self.values
            .number(&prop.text)
            .map_err(|why| unknown(element, prop, &why))
    }

    /// Which tasks have threads of which group.
    fn find_active(&mut self, groups: &[Group<'_>]) -> Result<(), String> {
        let tasks = self.share.weights.len();
        self.active = groups
            .iter()
            .map(|group| (group.number, vec![false; tasks]))
            .collect();
        let mut totals = Vec::new();
        for group in groups {
            totals.push(self.total(group)?);
        }
        for task in 0..tasks {
            let segment =
                Segment::of_weights(self.share.weights, task).map_err(|error| error.to_string())?;
            let mut from = 0;
            for (place, group) in groups.iter().enumerate() {
                let first_only = matches!(group.kind, Kind::SetUp | Kind::TearDown);
                self.active[place].1[task] = match totals[place] {
                    _ if first_only => task == 0,
                    None => true,
                    Some(total) => {
                        let to = from + total;
                        let any = segment.count_below(to) > segment.count_below(from);
                        from = to;
                        any
                    }
                };
            }
        }
        Ok(())
    }

    /// The whole numbers of a group together; none if it is divided as rates.
    fn total(&self, group: &Group<'_>) -> Result<Option<u64>, String> {
        if group.kind == Kind::OpenModel {
            return Ok(None);
        }
        let mut total = 0_u64;
        for prop in group.load() {
            let value = self.number(group.element, prop)?;
            if is_rate(group.kind) && value.fract() != 0.0 {
                return Ok(None);
            }
            total = total.saturating_add(self.whole(group.element, prop)?);
        }
        // Numbers past this are no load; the sum of all has to stay a number.
        if total > 1 << 40 {
            return Err(format!(
                "{}: {total} threads or starts are not possible",
                about(group.element)
            ));
        }
        Ok(Some(total))
    }

    fn groups(&mut self, groups: &[Group<'_>]) -> Result<(), String> {
        let mut from = 0;
        for group in groups {
            match group.kind {
                Kind::SetUp | Kind::TearDown => self.only_first(group),
                Kind::OpenModel => self.open_model(group)?,
                _ => match self.total(group)? {
                    None => self.rates(group)?,
                    Some(_) => from = self.counts(group, from)?,
                },
            }
        }
        Ok(())
    }

    fn only_first(&mut self, group: &Group<'_>) {
        if self.share.place != 0 {
            self.edits.turn_off(group.element);
        }
        self.warn(format!(
            "{} runs in the first task only: what it leaves in variables, properties or files of its JVM the other {} tasks do not see, \
             and they do not wait for it",
            about(group.element),
            self.share.weights.len() - 1
        ));
    }

    /// Divides whole numbers; the number of the next group's first.
    fn counts(&mut self, group: &Group<'_>, mut from: u64) -> Result<u64, String> {
        let mut any = false;
        for prop in group.load() {
            let to = from + self.whole(group.element, prop)?;
            let ours = self.segment.count_below(to) - self.segment.count_below(from);
            self.edits.set(prop, &ours.to_string(), self.bytes);
            any |= ours > 0;
            from = to;
        }
        if !any {
            self.edits.turn_off(group.element);
            return Ok(from);
        }
        if group.kind == Kind::Stepping {
            self.steps(group)?;
        }
        self.limit(group)?;
        Ok(from)
    }

    /// Threads a step; at least one, since a step of none would never end.
    fn steps(&mut self, group: &Group<'_>) -> Result<(), String> {
        for name in [
            "Start users count",
            "Start users count burst",
            "Stop users count",
        ] {
            let Some(prop) = group.element.prop(name) else {
                continue;
            };
            let all = self.whole(group.element, prop)?;
            let tasks = self.share.weights.len() as u64;
            if all > 0 {
                let ours = self.segment.count_below(all).max(1);
                self.edits.set(prop, &ours.to_string(), self.bytes);
            }
            if all % tasks != 0 {
                self.warn(format!(
                    "{}: {name} is {all}, which {tasks} tasks cannot divide: its steps are rounded in each task, their end is exact",
                    about(group.element)
                ));
            }
        }
        Ok(())
    }

    /// How many iterations of arrivals may run at once; rounded up, so that it does not bind where it did not.
    fn limit(&mut self, group: &Group<'_>) -> Result<(), String> {
        let Some(prop) = group.element.prop("ConcurrencyLimit") else {
            return Ok(());
        };
        let all = self.whole(group.element, prop)?;
        if all > 0 {
            let (weight, sum) = self.weight(None);
            let ours = (all as f64 * weight / sum).ceil() as u64;
            self.edits.set(prop, &ours.to_string(), self.bytes);
        }
        Ok(())
    }

    /// Our weight and that of all tasks that keep a rate: those with threads in its scope.
    fn weight(&self, scope: Option<usize>) -> (f64, f64) {
        let active = |task: usize| {
            let mut groups = self.active.iter();
            match scope {
                Some(group) => groups.any(|(number, tasks)| *number == group && tasks[task]),
                None => groups.any(|(_, tasks)| tasks[task]) || self.active.is_empty(),
            }
        };
        let weights = self.share.weights.iter().enumerate();
        let sum = weights
            .filter(|(task, _)| active(*task))
            .map(|(_, weight)| f64::from(*weight))
            .sum();
        (f64::from(self.share.weights[self.share.place]), sum)
    }

    /// Divides a rate among the tasks that keep it.
    fn rate(&mut self, element: &Element, prop: &Prop, scope: Option<usize>) -> Result<(), String> {
        let all = self.number(element, prop)?;
        let (weight, sum) = self.weight(scope);
        if sum > 0.0 {
            self.edits
                .set(prop, &decimal(all * weight / sum), self.bytes);
        }
        Ok(())
    }

    fn rates(&mut self, group: &Group<'_>) -> Result<(), String> {
        for prop in group.load() {
            self.rate(group.element, prop, None)?;
        }
        self.limit(group)
    }

    /// `rate(10/sec) random_arrivals(1 min)`: each rate is divided.
    fn open_model(&mut self, group: &Group<'_>) -> Result<(), String> {
        let Some(prop) = group.load().first().copied() else {
            return Ok(());
        };
        let text = self
            .values
            .evaluate(&prop.text)
            .map_err(|why| unknown(group.element, prop, &why))?;
        let (weight, sum) = self.weight(None);
        let mut out = String::new();
        let mut rest = text.as_str();
        while let Some(at) = rest.find("rate(") {
            let (before, after) = rest.split_at(at + 5);
            let end = after
                .find(|c: char| !c.is_ascii_digit() && c != '.' && c != ' ')
                .unwrap_or(after.len());
            let all: f64 = after[..end]
                .trim()
                .parse()
                .map_err(|_| unknown(group.element, prop, &format!("{text:?}")))?;
            out.push_str(before);
            out.push_str(&decimal(all * weight / sum));
            rest = &after[end..];
        }
        out.push_str(rest);
        self.edits.set(prop, &out, self.bytes);
        self.warn(format!(
            "{}: each of its steps starts a whole number of iterations in each task: the total may differ by one a step and task",
            about(group.element)
        ));
        Ok(())
    }

    fn scope(&self, number: usize) -> Option<usize> {
        self.plan
            .above(number)
            .find(|above| self.active.iter().any(|(group, _)| group == above))
    }

    fn element(
        &mut self,
        number: usize,
        element: &Element,
        folders: &Folders<'_>,
    ) -> Result<(), String> {
        match element.class.as_str() {
            "ConstantThroughputTimer" => {
                // 0: each thread by itself, and threads are divided already.
                if element.text("calcMode") != "0" && !element.text("calcMode").is_empty()
                    && let Some(prop) = element.prop("throughput")
                {
                    self.rate(element, prop, self.scope(number))?;
                }
            }
            "PreciseThroughputTimer" => {
                if let Some(prop) = element.prop("throughput") {
                    self.rate(element, prop, self.scope(number))?;
                }
                self.seed(element)?;
            }
            "VariableThroughputTimer" => {
                for row in element.rows("load_profile") {
                    for prop in row.into_iter().take(2) {
                        self.rate(element, prop, self.scope(number))?;
                    }
                }
            }
            "ThroughputController" => self.executions(element)?,
            "SyncTimer" => self.rendezvous(element)?,
            "CSVDataSet" => self.rows(element, folders),
            "CounterConfig" if element.text("CounterConfig.per_user") != "true" => self.warn(format!(
                "{} counts in each task from its start: its values come once for each task",
                about(element)
            )),
            "IncludeController" => self.warn(format!(
                "{}: timers and data in the included file are not divided: each task has them whole",
                about(element)
            )),
            "RandomCSVDataSetConfig" => self.warn(format!(
                "{}: its rows are not divided: each task draws from all",
                about(element)
            )),
            _ => {}
        }
        Ok(())
    }

    /// The same seed in every task would give all of them the same times.
    fn seed(&mut self, element: &Element) -> Result<(), String> {
        if let Some(prop) = element.prop("randomSeed") {
            let seed = self.whole(element, prop)?;
            if seed != 0 {
                let ours = seed.wrapping_add(self.share.place as u64);
                self.edits.set(prop, &ours.to_string(), self.bytes);
            }
        }
        Ok(())
    }

    /// A Throughput Controller that counts the executions of all threads together.
    fn executions(&mut self, element: &Element) -> Result<(), String> {
        let own = |name: &str| {
            element
                .text(&format!("ThroughputController.{name}"))
                .to_owned()
        };
        if own("style") != "0" || own("perThread") == "true" {
            return Ok(());
        }
        if let Some(prop) = element.prop("ThroughputController.maxThroughput") {
            let all = self.whole(element, prop)?;
            let ours = self.segment.count_below(all);
            self.edits.set(prop, &ours.to_string(), self.bytes);
        }
        Ok(())
    }

    /// A Synchronizing Timer waits for so many threads: more than a task has would wait for ever.
    fn rendezvous(&mut self, element: &Element) -> Result<(), String> {
        if let Some(prop) = element.prop("groupSize") {
            let all = self.whole(element, prop)?;
            if all > 0 {
                let ours = self.segment.count_below(all).max(1);
                self.edits.set(prop, &ours.to_string(), self.bytes);
                self.warn(format!(
                    "{} lets threads go together within each task, not over tasks",
                    about(element)
                ));
            }
        }
        Ok(())
    }

    fn rows(&mut self, element: &Element, folders: &Folders<'_>) {
        let Some(prop) = element.prop("filename") else {
            return;
        };
        if element.text("shareMode") == "shareMode.thread" {
            // Each thread reads all rows from the first on.
            return;
        }
        let name = match self.values.evaluate(&prop.text) {
            Ok(name) => name,
            Err(why) => {
                self.warn(format!(
                    "{}: its file is {why}, not known before the run: each task reads all rows",
                    about(element)
                ));
                return;
            }
        };
        match data::rows(element, &folders.plan.join(name.trim()), &self.segment) {
            Ok(found) => {
                if let Some(warning) = found.warning {
                    self.warn(format!("{}: {warning}", about(element)));
                }
                let base = Path::new(name.trim()).file_name().unwrap_or_default();
                let place = folders.data.join(format!(
                    "{}-{}",
                    self.part.files.len(),
                    base.to_string_lossy()
                ));
                self.edits.set(prop, &place.to_string_lossy(), self.bytes);
                self.part.files.push((place, found.bytes));
            }
            Err(why) => self.warn(format!(
                "{}: {why}: each task reads all rows",
                about(element)
            )),
        }
    }
}

const fn is_rate(kind: Kind) -> bool {
    matches!(kind, Kind::Arrivals | Kind::FreeArrivals | Kind::OpenModel)
}
