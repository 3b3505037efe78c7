//! `per-vu-iterations`: each VU runs a number of iterations
//! (<https://grafana.com/docs/k6/latest/using-k6/scenarios/executors/per-vu-iterations/>).

use super::{Counted, Quota, Segment};
use std::time::Duration;

/// `segment`'s part of it. Iterations belong to their VU, so that there is nothing to share.
pub(super) fn schedule(
    vus: u64,
    iterations: u64,
    max_duration: Duration,
    segment: &Segment,
) -> Counted {
    let quota = Quota::PerVu(iterations);
    Counted {
        segment: segment.clone(),
        all_vus: vus,
        quota,
        max_duration,
        shared: segment.clone(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn each_vu_has_its_own_iterations() {
        let of = |index| {
            schedule(
                3,
                2,
                Duration::from_secs(1),
                &Segment::of_weights(&[1, 1], index).unwrap(),
            )
        };
        assert_eq!(
            [of(0), of(1)].map(|part| (part.vus(), part.total())),
            [(2, 4), (1, 2)]
        );
        // VUs 1 and 3 run the iterations 0 and 2 first, then 3 and 5.
        assert_eq!(
            (0..4).map(|k| of(0).iteration(k)).collect::<Vec<_>>(),
            [0, 2, 3, 5]
        );
        assert_eq!(
            (0..2).map(|k| of(1).iteration(k)).collect::<Vec<_>>(),
            [1, 4]
        );
        assert_eq!(of(0).vu_number(1), 3);
    }
}
