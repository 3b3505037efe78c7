//! Values of nodes whose shape has been checked; `None` is what does not fit it.

use crate::definition::keys::grammar::{MOST, SHORTEST_RUN};
use crate::definition::tree::{Core, Node};
use crate::rate::Rate;
use crate::units::{parse_duration, parse_ratio};
use std::time::Duration;

/// A type whose values may be open.
pub(super) trait MayBeOpen: Sized {
    /// What stands for an open value where one is required: the least that makes sense.
    const OPEN: Self;
}

impl MayBeOpen for u64 {
    const OPEN: Self = 1;
}

impl MayBeOpen for Duration {
    const OPEN: Self = SHORTEST_RUN;
}

impl MayBeOpen for Rate {
    const OPEN: Self = Self::ONE;
}

impl Node {
    /// A value that is required.
    pub(super) fn needed<T: MayBeOpen>(&self, read: fn(&Self) -> Option<T>) -> Option<T> {
        read(self).or_else(|| self.is_open().then_some(T::OPEN))
    }

    /// Text with references resolved.
    pub(super) fn string(&self) -> Option<String> {
        self.text().map(|text| text.into_owned())
    }

    /// A whole number, held below what any count may be, so that sums cannot overflow.
    pub(super) fn count(&self) -> Option<u64> {
        match Core::of(self.text()?.as_ref()) {
            Core::Integer(value) => u64::try_from(value)
                .ok()
                .filter(|value| *value <= MOST * MOST),
            _ => None,
        }
    }

    /// A number.
    #[allow(clippy::cast_precision_loss)]
    pub(super) fn number(&self) -> Option<f64> {
        match Core::of(self.text()?.as_ref()) {
            Core::Integer(value) => Some(value as f64),
            Core::Float(value) => Some(value),
            _ => None,
        }
    }

    /// `true` or `false`.
    pub(super) fn flag(&self) -> Option<bool> {
        match Core::of(self.text()?.as_ref()) {
            Core::Boolean(value) => Some(value),
            _ => None,
        }
    }

    /// A duration.
    pub(super) fn duration(&self) -> Option<Duration> {
        parse_duration(self.text()?.as_ref()).ok()
    }

    /// An arrival rate.
    pub(super) fn rate(&self) -> Option<Rate> {
        Rate::parse(self.text()?.as_ref()).ok()
    }

    /// A share.
    pub(super) fn ratio(&self) -> Option<f64> {
        parse_ratio(self.text()?.as_ref()).ok()
    }
}
