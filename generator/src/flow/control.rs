//! Which step is next: loops, conditions and choices, compiled to jumps in the flat list of operations.

use super::check::{JsonBody, Look, Outcome};
use super::error::Problem;
use super::files::Files;
use super::hop::Final;
use super::io::Io;
use super::scenario::CompiledScenario;
use super::symbols::SymbolTable;
use super::text::Text;
use super::vu::{Vu, mix};
use crate::clock::Nanos;
use crate::http::Keep;
use floodgate_core::check::{Check, Subject};
use serde_json_path::JsonPath;

/// An operation that says which one follows. Numbers are places in the list of operations.
#[derive(Debug)]
pub(crate) enum Control {
    /// That one.
    Jump(u32),
    /// That one, in another pass of a loop: others go first.
    Again(u32),
    /// `otherwise`, unless the condition holds.
    Unless {
        condition: Condition,
        otherwise: u32,
    },
    /// The next, with no pass done of that loop.
    Begin(u16),
    /// The next, unless so many passes of the loop are done; `end` then.
    Repeat { number: u16, most: u32, end: u32 },
    /// The next, with the nodes of the last response's body for that loop.
    Collect {
        number: u16,
        path: JsonPath,
        most: u32,
    },
    /// The next, with the loop's next node in the variable; `end` without one.
    Next { number: u16, slot: u16, end: u32 },
    /// One of these, by weight: each with the sum of the weights up to it.
    Choose { number: u16, ways: Vec<(u64, u32)> },
    /// None.
    Stop,
}

/// A condition ready to be looked at.
#[derive(Debug)]
pub(crate) struct Condition {
    look: Look,
    /// What it looks at, if that is not the last response.
    value: Option<Text>,
}

/// Where an iteration is in its loops and choices.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    loops: Vec<Loop>,
    /// How often each choice was made.
    choices: Vec<u32>,
    seen: Option<Seen>,
}

#[derive(Debug, Default)]
struct Loop {
    passes: u32,
    items: std::vec::IntoIter<String>,
}

/// The last response that a condition may look at.
#[derive(Debug)]
struct Seen {
    last: Final,
    /// When its step was intended to begin.
    intended: Nanos,
    json: JsonBody,
}

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// The next operation.
    On,
    /// The one at that place.
    To(u32),
    /// The same, once others have had their turn.
    Again(u32),
    /// None.
    End,
}

impl Condition {
    pub(crate) fn compile(
        check: &Check,
        names: &SymbolTable<'_>,
        files: &Files,
    ) -> Result<Self, Problem> {
        let value = match &check.subject {
            Subject::Value(variable) => {
                let mut text = Text::default();
                text.push_variable(variable, names, super::encode::Encoding::Raw)?;
                Some(text)
            }
            _ => None,
        };
        Ok(Self {
            look: Look::compile(check, files)?,
            value,
        })
    }

    /// What it needs of the response before it.
    fn needs(&self, compressed: bool) -> Keep {
        Keep {
            headers: self.look.needs_headers(),
            body: self.look.needs_body(compressed),
        }
    }
}

impl Control {
    /// Where it may lead beside the next operation, and whether that may follow, too.
    pub(crate) fn ways(&self) -> (Vec<u32>, bool) {
        match self {
            Self::Jump(to) | Self::Again(to) => (vec![*to], false),
            Self::Unless { otherwise, .. } => (vec![*otherwise], true),
            Self::Repeat { end, .. } | Self::Next { end, .. } => (vec![*end], true),
            Self::Choose { ways, .. } => (ways.iter().map(|(_, to)| *to).collect(), false),
            Self::Begin(_) | Self::Collect { .. } => (Vec::new(), true),
            Self::Stop => (Vec::new(), false),
        }
    }

    /// What it needs of the response before it; `None` if it does not look at it.
    pub(crate) fn looks(&self, compressed: bool) -> Option<Keep> {
        match self {
            Self::Unless { condition, .. } if condition.value.is_none() => {
                Some(condition.needs(compressed))
            }
            Self::Collect { .. } => Some(Keep {
                headers: false,
                body: true,
            }),
            _ => None,
        }
    }

    /// The cookie that its condition looks at.
    pub(crate) fn cookie(&self) -> Option<&str> {
        match self {
            Self::Unless { condition, .. } => condition.look.cookie(),
            _ => None,
        }
    }
}

impl Progress {
    /// Of an iteration that begins, with so many loops and choices.
    pub(crate) fn begin(&mut self, loops: usize, choices: usize) {
        self.loops.clear();
        self.loops.resize_with(loops, Loop::default);
        self.choices.clear();
        self.choices.resize(choices, 0);
        self.seen = None;
    }

    fn collect<I: Io>(&mut self, number: u16, path: &JsonPath, most: u32, io: &I) {
        let items = match &mut self.seen {
            Some(seen) if seen.last.is_whole() => seen.json.nodes(io.body(), path, most as usize),
            _ => Vec::new(),
        };
        self.loops[usize::from(number)].items = items.into_iter();
    }
}

impl<W> Vu<W> {
    /// Keeps what a condition may look at.
    #[cold]
    pub(super) fn remember(&mut self, last: Final, intended: Nanos) {
        if let Some(progress) = &mut self.progress {
            progress.seen = Some(Seen {
                last,
                intended,
                json: JsonBody::default(),
            });
        }
    }

    /// Which operation follows.
    #[cold]
    pub(super) fn turn<I: Io>(
        &mut self,
        scenario: &CompiledScenario<W>,
        control: &Control,
        io: &I,
    ) -> Turn {
        if let Control::Unless {
            condition,
            otherwise,
        } = control
        {
            return match self.holds(scenario, condition, io) {
                true => Turn::On,
                false => Turn::To(*otherwise),
            };
        }
        // Made when the iteration began.
        let progress = &mut **self.progress.get_or_insert_default();
        match control {
            Control::Jump(to) => Turn::To(*to),
            Control::Again(to) => Turn::Again(*to),
            Control::Begin(number) => {
                progress.loops[usize::from(*number)].passes = 0;
                Turn::On
            }
            Control::Repeat { number, most, end } => {
                let passes = &mut progress.loops[usize::from(*number)].passes;
                if *passes == *most {
                    return Turn::To(*end);
                }
                *passes += 1;
                Turn::On
            }
            Control::Collect { number, path, most } => {
                progress.collect(*number, path, *most, io);
                Turn::On
            }
            Control::Next { number, slot, end } => {
                match progress.loops[usize::from(*number)].items.next() {
                    Some(item) => {
                        self.locals[usize::from(*slot)] = item;
                        Turn::On
                    }
                    None => Turn::To(*end),
                }
            }
            Control::Choose { number, ways } => {
                let made = &mut progress.choices[usize::from(*number)];
                let key = u64::from(*number) << 32 | u64::from(*made);
                *made += 1;
                Turn::To(choose(scenario.seed, self.iteration, key, ways))
            }
            Control::Unless { .. } | Control::Stop => Turn::End,
        }
    }

    fn holds<I: Io>(
        &mut self,
        scenario: &CompiledScenario<W>,
        condition: &Condition,
        io: &I,
    ) -> bool {
        if let Some(value) = &condition.value {
            let value = value.rendered(&mut self.scope(scenario));
            return condition.look.holds_of(&value);
        }
        let seen = self.progress.as_deref_mut().and_then(|p| p.seen.as_mut());
        seen.is_some_and(|seen| {
            let outcome = Outcome {
                exchange: &seen.last.hop.exchange,
                intended: seen.intended,
                cookies: &seen.last.cookies,
            };
            condition.look.holds(outcome, io, &mut seen.json)
        })
    }
}

/// The way of one choice: a function of the iteration's number and of which choice it is, whatever was done before and by whom.
fn choose(seed: u64, iteration: u64, key: u64, ways: &[(u64, u32)]) -> u32 {
    let total = ways.last().map_or(1, |(sum, _)| *sum);
    let drawn = mix(seed ^ mix(iteration) ^ mix(!key));
    // The upper half of the product is uniform over 0..total (Lemire 2019, <https://doi.org/10.1145/3230636>).
    let place = ((u128::from(drawn) * u128::from(total)) >> 64) as u64;
    let way = ways.iter().find(|(sum, _)| place < *sum);
    way.or(ways.last()).map_or(0, |(_, to)| *to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_are_taken_by_their_weights() {
        let ways = [(70, 0), (95, 1), (100, 2)];
        let mut taken = [0_u32; 3];
        for iteration in 0..100_000 {
            taken[choose(7, iteration, 3, &ways) as usize] += 1;
        }
        // Five standard deviations of a binomial with the smallest share: 5·√(100000·0.05·0.95).
        for (taken, share) in taken.iter().zip([70_000, 25_000, 5_000]) {
            assert!(taken.abs_diff(share) < 750, "{taken} of {share}");
        }
    }

    #[test]
    fn choices_of_an_iteration_are_independent() {
        let ways = [(1, 0), (2, 1)];
        let same = (0..10_000).filter(|&n| choose(7, n, 0, &ways) == choose(7, n, 1, &ways));
        let same = same.count();
        assert!((4_750..5_250).contains(&same), "{same}");
    }
}
