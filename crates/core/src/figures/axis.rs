//! How long slots are.

use floodgate_records::figures::Axis;

/// Lengths that a reader can make sense of, in seconds. From 10 on each is a multiple of 10, as windows of trends are.
const LENGTHS: [u32; 15] = [
    1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1_200, 1_800, 3_600, 7_200, 14_400,
];

/// The shortest slots of at least `least_s` seconds of which no more than `most` cover so many ms. There is at least one.
pub(super) fn axis(span_ms: i64, least_s: u32, most: u32) -> Axis {
    let span_s = u64::try_from(span_ms).unwrap_or(0).div_ceil(1_000).max(1);
    let most = u64::from(most.max(1));
    let fits = |length: &u32| *length >= least_s && span_s.div_ceil(u64::from(*length)) <= most;
    let longest = LENGTHS[LENGTHS.len() - 1];
    let slot_s = LENGTHS.into_iter().find(fits).unwrap_or_else(|| {
        let hours = span_s.div_ceil(most).div_ceil(u64::from(longest));
        u32::try_from(hours).map_or(u32::MAX, |n| n.saturating_mul(longest))
    });
    let slots = span_s.div_ceil(u64::from(slot_s)).min(most);
    Axis {
        slot_s,
        slots: slots as u32,
    }
}

/// The slot of a time, in ms after the start; what is before the first one or past the last one is in that.
pub(super) fn slot(axis: Axis, after_ms: i64) -> usize {
    let length_ms = i64::from(axis.slot_s.max(1)) * 1_000;
    let last = i64::from(axis.slots.saturating_sub(1));
    (after_ms.div_euclid(length_ms)).clamp(0, last) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_as_short_as_their_number_allows() {
        let of = |seconds: i64, least, most| {
            let Axis { slot_s, slots } = axis(seconds * 1_000, least, most);
            (slot_s, slots)
        };
        assert_eq!(of(3_600, 1, 3_600), (1, 3_600));
        assert_eq!(of(3_601, 1, 3_600), (2, 1_801));
        assert_eq!(of(20, 10, 1_440), (10, 2));
        assert_eq!(of(86_400, 1, 3_600), (30, 2_880));
        assert_eq!(of(0, 1, 3_600), (1, 1));
        let year = of(365 * 86_400, 1, 240);
        assert!(
            year.1 <= 240 && u64::from(year.0) * u64::from(year.1) >= 365 * 86_400,
            "{year:?}"
        );
        assert_eq!(axis(20_151, 1, 3_600).slots, 21);
    }

    #[test]
    fn what_is_outside_is_at_the_ends() {
        let of = |ms| {
            slot(
                Axis {
                    slot_s: 2,
                    slots: 3,
                },
                ms,
            )
        };
        assert_eq!(
            [-1_500, 0, 1_999, 2_000, 5_999, 6_000].map(of),
            [0, 0, 0, 1, 2, 2]
        );
    }
}
