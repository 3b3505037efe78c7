//! Loops, conditions and choices as jumps in the flat list of operations, and which responses conditions look at.

use super::control::{Condition, Control};
use super::error::{CompileError, Problem};
use super::io::Request;
use super::scenario::{Compiler, Op, StepPlan, error};
use crate::exchange::ErrorCode;
use crate::http::Keep;
use floodgate_core::check::Check;
use floodgate_core::definition::{Branch, Each, Repeat, Step, Way};
use std::rc::Rc;

/// Stands for a place that is not known yet.
const LATER: u32 = u32::MAX;

impl<W, P: FnMut(&Request) -> Result<W, ErrorCode>> Compiler<'_, W, P> {
    /// The operations of a step that decides about others.
    pub(super) fn control(&mut self, step: &Step, group: &str) -> Result<(), CompileError> {
        match step {
            Step::Repeat(repeat) => self.repeat(repeat, group),
            Step::If(branch) => self.branch(branch, group),
            Step::Choose(ways) => self.choose(ways, group),
            Step::Each(each) => self.each(each, group),
            Step::Stop => {
                self.push(Control::Stop);
                Ok(())
            }
            Step::Request(_) | Step::Think { .. } | Step::Group { .. } | Step::Set(_) => Ok(()),
        }
    }

    fn repeat(&mut self, repeat: &Repeat, group: &str) -> Result<(), CompileError> {
        let number = self.next_loop()?;
        self.push(Control::Begin(number));
        let head = self.here();
        let (most, end) = (repeat.most, LATER);
        let mut exits = vec![self.push(Control::Repeat { number, most, end })];
        if let Some(check) = &repeat.condition {
            exits.push(self.unless(check)?);
        }
        self.flatten(&repeat.steps, group)?;
        self.push(Control::Again(head));
        exits.into_iter().for_each(|exit| self.lead_here(exit));
        Ok(())
    }

    fn branch(&mut self, branch: &Branch, group: &str) -> Result<(), CompileError> {
        let unless = self.unless(&branch.condition)?;
        self.flatten(&branch.steps, group)?;
        if branch.otherwise.is_empty() {
            self.lead_here(unless);
            return Ok(());
        }
        let over = self.push(Control::Jump(LATER));
        self.lead_here(unless);
        self.flatten(&branch.otherwise, group)?;
        self.lead_here(over);
        Ok(())
    }

    fn choose(&mut self, ways: &[Way], group: &str) -> Result<(), CompileError> {
        let number = self.number(self.choices)?;
        self.choices += 1;
        let choice = self.push(Control::Jump(LATER));
        let (mut sum, mut targets, mut ends) = (0, Vec::new(), Vec::new());
        for way in ways {
            sum += u64::from(way.weight);
            targets.push((sum, self.here()));
            self.flatten(&way.steps, group)?;
            ends.push(self.push(Control::Jump(LATER)));
        }
        ends.into_iter().for_each(|end| self.lead_here(end));
        let ways = targets;
        self.ops[choice] = Op::Control(Box::new(Control::Choose { number, ways }));
        Ok(())
    }

    fn each(&mut self, each: &Each, group: &str) -> Result<(), CompileError> {
        let number = self.next_loop()?;
        let slot = self.names.local(&each.variable);
        let slot = slot.map_err(|problem| self.error("each", problem))?;
        let (path, most, end) = (each.path.clone(), each.most, LATER);
        self.push(Control::Collect { number, path, most });
        let head = self.here();
        let exit = self.push(Control::Next { number, slot, end });
        self.flatten(&each.steps, group)?;
        self.push(Control::Again(head));
        self.lead_here(exit);
        Ok(())
    }

    fn unless(&mut self, check: &Check) -> Result<usize, CompileError> {
        let condition = Condition::compile(check, &self.names, self.files);
        let condition = condition.map_err(|problem| self.error(&check.name, problem))?;
        let otherwise = LATER;
        Ok(self.push(Control::Unless {
            condition,
            otherwise,
        }))
    }

    fn next_loop(&mut self) -> Result<u16, CompileError> {
        self.loops += 1;
        self.number(self.loops - 1)
    }

    fn number(&self, number: usize) -> Result<u16, CompileError> {
        let problem = |_| self.error("repeat", Problem::TooMany(usize::from(u16::MAX)));
        u16::try_from(number).map_err(problem)
    }

    fn error(&self, step: &str, problem: Problem) -> CompileError {
        error(self.scenario, step, problem)
    }

    fn push(&mut self, control: Control) -> usize {
        self.ops.push(Op::Control(Box::new(control)));
        self.ops.len() - 1
    }

    /// The place of the operation to come.
    fn here(&self) -> u32 {
        self.ops.len() as u32
    }

    /// Lets an operation lead to the one to come.
    fn lead_here(&mut self, from: usize) {
        let here = self.here();
        if let Op::Control(control) = &mut self.ops[from] {
            match &mut **control {
                Control::Jump(to)
                | Control::Unless { otherwise: to, .. }
                | Control::Repeat { end: to, .. }
                | Control::Next { end: to, .. } => *to = here,
                _ => debug_assert!(false, "it leads nowhere else"),
            }
        }
    }

    /// Lets requests keep what conditions behind them look at.
    pub(super) fn mark_remembered(&mut self) {
        let cookies: Rc<[String]> = controls(&self.ops)
            .filter_map(Control::cookie)
            .map(str::to_owned)
            .collect();
        let http = &self.scenario.http;
        let compressed = !http.accept_encoding.is_empty();
        for place in 0..self.ops.len() {
            let Op::Request(number) = &self.ops[place] else {
                continue;
            };
            if let Some(keep) = looked_at(&self.ops, place + 1, compressed) {
                let step: &mut StepPlan<W> = &mut self.steps[*number as usize];
                step.remembered = true;
                step.keep.headers |= keep.headers;
                step.keep.body |= keep.body;
                step.also_cookies = Rc::clone(&cookies);
            }
        }
    }
}

fn controls(ops: &[Op]) -> impl Iterator<Item = &Control> {
    ops.iter().filter_map(|op| match op {
        Op::Control(control) => Some(&**control),
        _ => None,
    })
}

/// What is looked at of a response, from a place on and before the next request; `None` if nothing is.
fn looked_at(ops: &[Op], from: usize, compressed: bool) -> Option<Keep> {
    let mut found: Option<Keep> = None;
    let (mut todo, mut done) = (vec![from], std::collections::BTreeSet::new());
    while let Some(place) = todo.pop() {
        let Some(op) = ops.get(place).filter(|_| done.insert(place)) else {
            continue;
        };
        let next = match op {
            Op::Request(_) => false,
            Op::Control(control) => {
                if let Some(keep) = control.looks(compressed) {
                    let found = found.get_or_insert_default();
                    found.headers |= keep.headers;
                    found.body |= keep.body;
                }
                let (ways, next) = control.ways();
                todo.extend(ways.into_iter().map(|to| to as usize));
                next
            }
            _ => true,
        };
        todo.extend(next.then_some(place + 1));
    }
    found
}
