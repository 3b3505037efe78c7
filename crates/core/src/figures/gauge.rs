//! Gauges by slot: the most of each.

use crate::shard::Row;

/// A gauge in slots.
#[derive(Clone, Default)]
pub(super) struct Peaks {
    slots: Vec<Option<Peak>>,
}

#[derive(Clone, Copy)]
struct Peak {
    /// The window that was added last, Unix ms, and what its rows come to.
    last_ms: i64,
    sum: f64,
    most: f64,
}

impl Peaks {
    pub(super) fn new(slots: u32) -> Self {
        Self {
            slots: vec![None; slots as usize],
        }
    }

    /// Adds the largest value of a window; where a window has several rows, as of tasks one of which was late, their sum or their largest
    /// counts.
    pub(super) fn add(&mut self, slot: usize, row: &Row, summed: bool) {
        let Some(at) = self.slots.get_mut(slot).filter(|_| row.count > 0) else {
            return;
        };
        *at = Some(match *at {
            None => Peak {
                last_ms: row.time_ms,
                sum: row.max,
                most: row.max,
            },
            Some(peak) => {
                let again = summed && peak.last_ms == row.time_ms;
                let sum = if again { peak.sum + row.max } else { row.max };
                Peak {
                    last_ms: row.time_ms,
                    sum,
                    most: peak.most.max(sum),
                }
            }
        });
    }

    pub(super) fn values(self) -> Vec<Option<f64>> {
        let most = |peak: Option<Peak>| peak.map(|peak| peak.most);
        self.slots.into_iter().map(most).collect()
    }
}
