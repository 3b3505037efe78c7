//! Two targets in turns: which starts of a schedule are whose.
//!
//! Rounds of [`ROUND`] have four turns, of the head in the second and third, and the other way round in every other one (A B B A, B A A B). They
//! are counted from the start of the run, as windows of comparisons are, so that a window has one round. A start belongs to whoever's turn
//! it is due in, which is a pure function of its time; who has which turn does not depend on tasks.

use super::arrivals::Timeline;
use super::nanos;
use crate::definition::Side;
use std::time::Duration;

/// A round: one window of comparisons.
pub const ROUND: Duration = Duration::from_secs(crate::compare::WINDOW_S as u64);

const TURNS: u64 = 4;
const TURN_NS: u64 = ROUND.as_nanos() as u64 / TURNS;

/// The starts of a schedule that are due in the turns of one side.
#[derive(Clone, Debug)]
pub(super) struct Turns {
    whole: Timeline,
    /// Those in which something starts, in the order of time.
    own: Vec<Turn>,
    total: u64,
}

/// One turn, in ns from the scenario's start.
#[derive(Clone, Copy, Debug)]
struct Turn {
    from: u64,
    until: u64,
    /// The number of its first start among all.
    first: u64,
    /// Own starts before it.
    before: u64,
}

/// Whose turn it is, by its number from the start of the run.
fn side_of(turn: u64) -> Side {
    let (round, place) = (turn / TURNS, turn % TURNS);
    let is_inner = place == 1 || place == 2;
    match is_inner == round.is_multiple_of(2) {
        true => Side::Head,
        false => Side::Base,
    }
}

impl Turns {
    /// The turns of a side, in a scenario that starts so long after the run.
    pub(super) fn new(whole: Timeline, side: Side, start_time: Duration) -> Self {
        let (offset, end) = (nanos(start_time), whole.duration());
        let before = |t: u64| t.checked_sub(1).map_or(0, |t| whole.due_by(t));
        let mut own = Vec::new();
        let mut total = 0;
        let mut turn = offset / TURN_NS;
        loop {
            let from = (turn * TURN_NS).saturating_sub(offset);
            if from > end {
                break;
            }
            let until = (turn + 1) * TURN_NS - offset;
            let first = before(from);
            let starts = before(until) - first;
            if side_of(turn) == side && starts > 0 {
                own.push(Turn {
                    from,
                    until,
                    first,
                    before: total,
                });
                total += starts;
            }
            turn += 1;
        }
        Self { whole, own, total }
    }

    pub(super) fn total(&self) -> u64 {
        self.total
    }

    pub(super) fn at(&self, n: u64) -> u64 {
        let place = self.own.partition_point(|turn| turn.before <= n);
        match place.checked_sub(1).map(|place| self.own[place]) {
            Some(turn) => self.whole.at(turn.first + (n - turn.before)),
            None => self.whole.duration(),
        }
    }

    pub(super) fn due_by(&self, t: u64) -> u64 {
        let place = self.own.partition_point(|turn| turn.from <= t);
        match place.checked_sub(1).map(|place| self.own[place]) {
            Some(turn) => turn.before + self.whole.due_by(t.min(turn.until - 1)) - turn.first,
            None => 0,
        }
    }

    /// 0 in the other side's turns.
    pub(super) fn rate_at(&self, t: u64) -> f64 {
        let place = self.own.partition_point(|turn| turn.from <= t);
        match place.checked_sub(1).map(|place| self.own[place]) {
            Some(turn) if t < turn.until => self.whole.rate_at(t),
            _ => 0.0,
        }
    }

    pub(super) fn duration(&self) -> u64 {
        self.whole.duration()
    }
}
