//! `constant-vus`: a fixed number of VUs iterate for a time
//! (<https://grafana.com/docs/k6/latest/using-k6/scenarios/executors/constant-vus/>).

use super::ramping_vus::legs;
use super::{Segment, VuLoop};
use crate::definition::Stage;
use std::time::Duration;

/// `segment`'s part of it. No VU is ramped down, so that there is nothing to do gracefully before the end.
pub(super) fn schedule(vus: u64, duration: Duration, segment: &Segment) -> VuLoop {
    VuLoop::new(
        legs(
            vus,
            &[Stage {
                duration,
                target: vus,
            }],
        ),
        vus,
        Duration::ZERO,
        segment,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::Active;

    #[test]
    fn all_vus_iterate_all_the_time() {
        let minute = Duration::from_secs(60);
        let schedule = schedule(3, minute, &Segment::whole());
        assert_eq!(schedule.slots(), 3);
        for slot in 0..3 {
            assert_eq!(schedule.vu_number(slot), slot + 1);
            assert_eq!(
                schedule.active(slot),
                [Active {
                    from: Duration::ZERO,
                    until: minute
                }]
            );
        }
        assert_eq!(
            schedule.steps().collect::<Vec<_>>(),
            [(Duration::ZERO, 3), (minute, 0)]
        );
        assert_eq!(schedule.vus_at(minute - Duration::from_nanos(1)), 3);
        assert_eq!(schedule.vus_at(minute), 0);
        let active = Active {
            from: Duration::ZERO,
            until: minute,
        };
        assert_eq!(schedule.interrupted_at(&active, minute), minute * 2);
    }
}
