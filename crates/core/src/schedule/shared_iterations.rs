//! `shared-iterations`: a number of iterations that VUs share
//! (<https://grafana.com/docs/k6/latest/using-k6/scenarios/executors/shared-iterations/>). As in k6, they are divided
//! among the tasks beforehand: a fast task does not take over what is left of a slow one.

use super::{Counted, Quota, Segment};
use std::time::Duration;

/// `segment`'s part of it.
pub(super) fn schedule(
    vus: u64,
    iterations: u64,
    max_duration: Duration,
    segment: &Segment,
) -> Counted {
    let shared = segment.serving(vus);
    let quota = Quota::Shared(shared.count_below(iterations));
    Counted {
        segment: segment.clone(),
        all_vus: vus,
        quota,
        max_duration,
        shared,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn iterations_go_to_tasks_that_have_a_vu() {
        let of = |index| {
            schedule(
                2,
                11,
                Duration::from_secs(1),
                &Segment::of_weights(&[1, 1, 1], index).unwrap(),
            )
        };
        assert_eq!([of(0), of(1), of(2)].map(|part| part.vus()), [1, 1, 0]);
        assert_eq!(
            [of(0), of(1), of(2)].map(|part| part.quota()),
            [6, 5, 0].map(Quota::Shared)
        );
        assert_eq!(
            (0..5).map(|k| of(1).iteration(k)).collect::<Vec<_>>(),
            [1, 3, 5, 7, 9]
        );
        assert_eq!(of(1).vu_number(0), 2);
    }
}
