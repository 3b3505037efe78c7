//! Which operation follows: what a VU decides at loops, conditions and choices.

use super::check::{JsonBody, Outcome};
use super::control::{Condition, Control};
use super::hop::Final;
use super::io::Io;
use super::progress::{Seen, Turn};
use super::scenario::CompiledScenario;
use super::vu::{Vu, mix};
use crate::clock::Nanos;

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
