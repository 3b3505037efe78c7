//! Histograms by slot.

use crate::histogram::{Exact, Histogram, HistogramError};
use crate::shard::Row;
use floodgate_records::figures::{Point, Quantiles};

/// Steps in which half of what is left to 1 is gone through, as in HdrHistogram's percentile output.
const STEPS: u32 = 5;

/// A trend in slots. A slot that is not being added to is kept encoded, which takes a tenth of the memory.
#[derive(Default)]
pub(super) struct Spread {
    slots: Vec<Slot>,
    /// The numbers of those that are open.
    open: Vec<usize>,
}

#[derive(Default)]
struct Slot {
    open: Option<Box<Histogram>>,
    sealed: Option<(Exact, Box<[u8]>)>,
}

impl Slot {
    fn histogram(&self) -> Result<Option<Histogram>, HistogramError> {
        let mut all = self.open.as_deref().cloned();
        if let Some((exact, bytes)) = &self.sealed {
            all.get_or_insert_with(Histogram::new)
                .add_encoded(*exact, 0, bytes)?;
        }
        Ok(all)
    }
}

impl Spread {
    pub(super) fn new(slots: u32) -> Self {
        let mut all = Self::default();
        all.slots.resize_with(slots as usize, Slot::default);
        all
    }

    pub(super) fn is_empty(&self) -> bool {
        self.slots
            .iter()
            .all(|slot| slot.open.is_none() && slot.sealed.is_none())
    }

    /// Adds a row of a trend.
    pub(super) fn add(&mut self, slot: usize, row: &Row) -> Result<(), HistogramError> {
        let (Some(bytes), Some(at)) = (&row.histogram, self.slots.get_mut(slot)) else {
            return Ok(());
        };
        let open = match &mut at.open {
            Some(open) => open,
            None => {
                self.open.push(slot);
                let mut again = Box::new(Histogram::new());
                if let Some((exact, bytes)) = at.sealed.take() {
                    again.add_encoded(exact, 0, &bytes)?;
                }
                at.open.insert(again)
            }
        };
        open.add_encoded(row.exact(), 0, bytes)
    }

    /// Encodes all but the latest slot.
    pub(super) fn seal(&mut self) {
        let Some(latest) = self.open.iter().copied().max() else {
            return;
        };
        for slot in std::mem::replace(&mut self.open, vec![latest]) {
            let Some(at) = self.slots.get_mut(slot).filter(|_| slot != latest) else {
                continue;
            };
            if let Some(open) = at.open.take() {
                let mut bytes = Vec::new();
                open.encode_v2(&mut bytes);
                at.sealed = Some((open.exact(), bytes.into()));
            }
        }
    }

    /// Adds up neighbouring slots, `width` at a time, and hands each sum on with its number.
    pub(super) fn each(
        &self,
        width: usize,
        mut with: impl FnMut(usize, Histogram),
    ) -> Result<(), HistogramError> {
        for (number, slots) in self.slots.chunks(width.max(1)).enumerate() {
            let mut all: Option<Histogram> = None;
            for slot in slots {
                let Some(one) = slot.histogram()? else {
                    continue;
                };
                match &mut all {
                    Some(all) => all.add(&one),
                    None => all = Some(one),
                }
            }
            if let Some(all) = all {
                with(number, all);
            }
        }
        Ok(())
    }

    /// All slots together.
    pub(super) fn whole(&self) -> Result<Histogram, HistogramError> {
        let mut whole = Histogram::new();
        self.each(1, |_, one| whole.add(&one))?;
        Ok(whole)
    }

    /// The quantiles of each slot.
    pub(super) fn quantiles(&self) -> Result<Quantiles, HistogramError> {
        let mut all = empty(self.slots.len());
        self.each(1, |slot, one| {
            all.count[slot] = one.count();
            all.p50[slot] = Some(one.quantile(0.5));
            all.p90[slot] = Some(one.quantile(0.9));
            all.p95[slot] = Some(one.quantile(0.95));
            all.p99[slot] = Some(one.quantile(0.99));
            all.max[slot] = Some(one.max());
        })?;
        Ok(all)
    }
}

/// Slots without a sample.
fn empty(slots: usize) -> Quantiles {
    let nothing = || vec![None; slots];
    Quantiles {
        count: vec![0; slots],
        p50: nothing(),
        p90: nothing(),
        p95: nothing(),
        p99: nothing(),
        max: nothing(),
    }
}

/// A distribution as HdrHistogram prints it: each time that what is left to 1 has halved, five more points. It ends where less than one sample
/// is left, with the maximum.
pub(super) fn distribution(all: &Histogram) -> Vec<Point> {
    let mut points = Vec::new();
    let least = 1.0 / all.count().max(1) as f64;
    let mut left = 1.0;
    while left >= least && !all.is_empty() {
        for step in 0..STEPS {
            let q = 1.0 - left + left / 2.0 * f64::from(step) / f64::from(STEPS);
            if 1.0 - q >= least {
                points.push(Point(q, all.quantile(q)));
            }
        }
        left /= 2.0;
    }
    if !all.is_empty() {
        points.push(Point(1.0, all.max()));
    }
    points
}
