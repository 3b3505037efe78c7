//! Generators that were short of what they need.

use super::*;

#[test]
fn saturation_follows_its_rule() {
    let of = |change: fn(&mut Health)| {
        let mut health = Health {
            measured_seconds: 60,
            ..Health::default()
        };
        change(&mut health);
        Saturation::of(&health)
    };
    assert_eq!(of(|h| h.saturated_seconds = 6), []);
    assert_eq!(of(|h| h.saturated_seconds = 7), [Saturation::Cpu]);
    assert_eq!(
        of(|h| (h.measured_seconds, h.saturated_seconds) = (3, 1)),
        [],
        "one second is not saturation"
    );
    assert_eq!(
        of(|h| h.throttled_seconds = 60),
        [],
        "throttled and still on time"
    );
    assert_eq!(
        of(|h| (h.throttled_seconds, h.lag_p99_us) = (60, 10_001)),
        [Saturation::Throttled]
    );
    assert_eq!(of(|h| h.lag_p99_us = 1_800_000), [], "only a warning");
    assert_eq!(of(|h| h.exhausted = 1), [Saturation::Exhausted]);
    for change in [
        |h: &mut Health| h.saturated_seconds = 30,
        |h: &mut Health| h.exhausted = 2,
    ] {
        let v = with(|c| change(&mut c.manifests[1].health));
        assert_eq!(v.status, Status::Inconclusive);
        assert!(v.reasons[0].contains("task 1"), "{:?}", v.reasons);
        assert!(v.warnings[0].contains("more tasks"), "{:?}", v.warnings);
    }
}

/// Without a quota CPU use tells nothing: then who waits for a CPU decides, where it can only be the generator.
#[test]
fn a_task_that_does_not_know_its_limit_is_never_silently_fine() {
    use floodgate_records::manifest::LimitSource::{Cgroup, Machine, Requested, TaskMetadata};
    let of = |from, blind, contended| {
        with(|c| {
            let health = &mut c.manifests[1].health;
            (health.limits.cpus_from, health.blind) = (from, blind);
            health.contended_seconds = contended;
        })
    };
    let starved = "waited for its CPU, so the figures show the generator, not the target: task 1";
    let unknown = "neither its limit nor the pressure on its CPUs is known: task 1";
    for (from, blind, contended, status, said) in [
        (Some(Machine), true, Some(7), Status::Inconclusive, starved),
        (Some(Machine), true, Some(6), Status::Passed, ""),
        (Some(Machine), true, None, Status::Inconclusive, unknown),
        (None, true, None, Status::Inconclusive, unknown),
        (Some(TaskMetadata), true, Some(60), Status::Passed, ""),
        (Some(Requested), true, None, Status::Passed, ""),
        (Some(Cgroup), false, Some(60), Status::Passed, ""),
        (Some(Machine), false, Some(60), Status::Passed, ""),
        (Some(Machine), false, None, Status::Passed, ""),
    ] {
        let verdict = of(from, blind, contended);
        let case = format!("{from:?}, blind {blind}, {contended:?}: {verdict:?}");
        assert_eq!(verdict.status, status, "{case}");
        assert!(verdict.reasons.concat().contains(said), "{case}");
        // Whatever the quota: CPU use below it tells nothing of a machine that has not even that much.
        let unclear = status == Status::Passed && contended == Some(60);
        let warned = |text: &str| verdict.warnings.iter().any(|w| w.contains(text));
        assert_eq!(warned("although CPU use left room"), unclear, "{case}");
        assert_eq!(
            warned("FLOODGATE_TASK_CPU") || warned("more CPU a task"),
            status == Status::Inconclusive,
            "{case}"
        );
    }
}

/// A quota is a promise: who is late for want of the CPU that it names is short of it, however little it used.
#[test]
fn a_task_that_is_late_for_want_of_promised_cpu_is_saturated() {
    use floodgate_records::manifest::LimitSource::{Cgroup, Machine, Requested, TaskMetadata};
    let of = |from, lag_us, contended, stolen| {
        with(|c| {
            let health = &mut c.manifests[1].health;
            health.limits.cpus_from = Some(from);
            (health.lag_p99_us, health.lag_max_us) = (lag_us, lag_us);
            (health.contended_seconds, health.stolen_seconds) = (contended, stolen);
        })
    };
    let (on_time, late) = (100_000, 100_001);
    let short = with(|c| {
        let health = &mut c.manifests[1].health;
        health.limits.cpus_from = Some(TaskMetadata);
        (health.lag_p99_us, health.lag_max_us) = (late, late);
        (health.contended_seconds, health.measured_seconds) = (Some(9), 9);
    });
    assert_eq!(short.status, Status::Passed, "{short:?}");
    assert!(short.warnings.concat().contains("late"), "{short:?}");
    let said = "was given less CPU than its limit and started late, so the figures show the generator, not the target: task 1";
    for (from, lag_us, contended, stolen, status) in [
        (TaskMetadata, late, Some(7), 0, Status::Inconclusive),
        (Cgroup, late, Some(60), 0, Status::Inconclusive),
        (Requested, late, None, 7, Status::Inconclusive),
        (TaskMetadata, late, Some(6), 6, Status::Passed),
        (TaskMetadata, on_time, Some(60), 60, Status::Passed),
        // Anybody's.
        (Machine, late, Some(60), 0, Status::Passed),
    ] {
        let verdict = of(from, lag_us, contended, stolen);
        let case = format!("{from:?} {lag_us} {contended:?} {stolen}: {verdict:?}");
        assert_eq!(verdict.status, status, "{case}");
        let is_said = verdict.reasons.iter().any(|reason| reason.contains(said));
        assert_eq!(is_said, status == Status::Inconclusive, "{case}");
        let is_advised = |w: &String| w.contains("a machine that is not overcommitted and that");
        assert_eq!(verdict.warnings.iter().any(is_advised), is_said, "{case}");
    }
    // What its own limit takes is not the machine's doing.
    let throttled = with(|c| {
        let health = &mut c.manifests[1].health;
        health.limits.cpus_from = Some(TaskMetadata);
        (health.lag_p99_us, health.contended_seconds) = (late, Some(60));
        health.throttled_seconds = 60;
    });
    assert_eq!(throttled.reasons.len(), 1, "{:?}", throttled.reasons);
    assert!(throttled.reasons[0].contains("was throttled by its CPU quota"));
}

#[test]
fn what_a_hypervisor_takes_is_told() {
    let robbed = with(|c| c.manifests[0].health.stolen_seconds = 7);
    assert!(
        robbed
            .warnings
            .iter()
            .any(|w| w.contains("7 seconds (task 0)"))
    );
    let hardly = with(|c| c.manifests[0].health.stolen_seconds = 6);
    assert!(!hardly.warnings.iter().any(|w| w.contains("hypervisor")));
}
