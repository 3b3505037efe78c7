//! The course of an iteration: times, tags, redirects, data, interruptions.

mod redirects;
mod rows;

use super::support::*;
use crate::clock::Nanos;
use crate::exchange::ErrorCode;
use crate::flow::{Files, IterationEnd, IterationStart};
use floodgate_core::check::{Comparison, Subject, Test};
use floodgate_core::definition::*;
use proptest::prelude::*;
use std::collections::HashSet;
use std::time::Duration;

fn think(min: u64, max: u64) -> Step {
    Step::Think {
        min: Duration::from_millis(min),
        max: Duration::from_millis(max),
    }
}

fn intended(world: &World) -> Vec<Nanos> {
    world
        .log
        .borrow()
        .http
        .iter()
        .map(|(_, _, intended, _)| intended / MS)
        .collect()
}

#[test]
fn requests_are_intended_when_the_step_before_them_ended() {
    let flow = vec![
        step(get("/a")),
        step(get("/b")),
        think(50, 50),
        set("x", "1"),
        step(get("/c")),
        think(5, 5),
    ];
    let mut world = World::new(flow);
    world.io.clock.set(130 * MS);
    let start = IterationStart {
        iteration: 0,
        intended: 100 * MS,
        actual: 130 * MS,
    };
    let end = world.run_late(start).unwrap();
    // a: 130..140, b: 140..150, then 50 ms to think; the timer wakes 1 ms late, which the intended time does not take over.
    assert_eq!(intended(&world), [100, 140, 200]);
    assert_eq!(world.log.borrow().http[2].1.timings.begin, 201 * MS);
    // c ends at 211, and the thinking behind it at 216 by plan.
    assert_eq!(end, IterationEnd::Completed { ended: 216 * MS });
    assert_eq!(world.io.iterations, 1);
}

#[test]
fn thinking_that_a_late_start_has_used_up_is_no_wait() {
    let mut world = World::new(vec![think(20, 20), step(get("/"))]);
    world.io.clock.set(150 * MS);
    world
        .run_late(IterationStart {
            iteration: 0,
            intended: 100 * MS,
            actual: 150 * MS,
        })
        .unwrap();
    assert_eq!(intended(&world), [120]);
    assert_eq!(world.log.borrow().http[0].1.timings.begin, 150 * MS);
}

#[test]
fn think_times_are_within_their_bounds_and_repeat() {
    let times = || {
        let mut world = World::new(vec![step(get("/")), think(10, 30), step(get("/"))]);
        (0..50).for_each(|iteration| assert!(world.run(iteration).is_some()));
        let log = world.log.borrow();
        log.http
            .chunks(2)
            .map(|pair| pair[1].2 - pair[0].1.timings.end)
            .collect::<Vec<_>>()
    };
    let first = times();
    assert!(first.iter().all(|t| (10 * MS..=30 * MS).contains(t)));
    assert!(
        first.iter().collect::<HashSet<_>>().len() > 40,
        "they differ"
    );
    assert_eq!(
        first,
        times(),
        "the same iteration of the same execution thinks as long"
    );
}

#[test]
fn samples_carry_groups_and_the_tests_own_tags() {
    let ok = check(
        "status == 200",
        Subject::Status,
        Test::Number(Comparison::Eq, 200.0),
    );
    let tagged = RequestStep {
        name: "home".into(),
        tags: [
            ("tier".to_owned(), "free".to_owned()),
            ("scenario".to_owned(), "other".to_owned()),
        ]
        .into(),
        checks: vec![ok],
        ..get("/")
    };
    let inner = Step::Group {
        name: "inner".into(),
        steps: vec![step(tagged)],
    };
    let flow = vec![
        Step::Group {
            name: "outer".into(),
            steps: vec![inner, step(get("/b"))],
        },
        step(get("/c")),
    ];
    let mut world = World::new(flow).replies([Reply::status(200), Reply::status(404)]);
    world.run(0).unwrap();
    world.run(1).unwrap();
    let log = world.log.borrow();
    let tags = |index: usize| {
        log.http[index]
            .0
            .0
            .iter()
            .map(|(k, v)| format!("{k}={v}"))
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(
        tags(0),
        "expected_response=true group=::outer::inner method=GET name=home scenario=browse status=200 team=shop tier=free"
    );
    assert_eq!(
        tags(1),
        "expected_response=false group=::outer method=GET name=/b scenario=browse status=404 team=shop tier=gold"
    );
    assert_eq!(
        tags(2),
        "expected_response=true method=GET name=/c scenario=browse status=200 team=shop tier=gold"
    );
    assert_eq!(log.http.len(), 6);
    let check: Vec<_> = log.checks[0]
        .0
        .0
        .iter()
        .map(|(k, v)| format!("{k}={v}"))
        .collect();
    assert_eq!(
        check.join(" "),
        "check=status == 200 group=::outer::inner name=home scenario=browse team=shop tier=free"
    );
}

#[test]
fn a_series_is_looked_up_once() {
    let ok = check("ok", Subject::Status, Test::InRange(200.0, 299.0));
    let checked = RequestStep {
        checks: vec![ok],
        ..get("/")
    };
    let mut world = World::new(vec![step(checked)]);
    for iteration in 0..20 {
        world
            .io
            .script
            .push_back(Reply::status([200, 500, 429][iteration as usize % 3]));
        world.run(iteration).unwrap();
    }
    let log = world.log.borrow();
    assert_eq!((log.http.len(), log.checks.len(), log.asked), (20, 20, 4));
}

#[test]
fn expectations_of_a_step_replace_the_usual_ones() {
    let own = RequestStep {
        expected_statuses: vec![(404, 404), (500, 503)],
        ..get("/")
    };
    let mut world = World::new(vec![step(own), step(get("/"))]);
    for (status, by_step, by_default) in [
        (404, true, false),
        (502, true, false),
        (200, false, true),
        (304, false, true),
    ] {
        world
            .io
            .script
            .extend([Reply::status(status), Reply::status(status)]);
        world.run(0).unwrap();
        let log = &mut world.log.borrow_mut().http;
        assert_eq!((log[0].3, log[1].3), (by_step, by_default), "{status}");
        log.clear();
    }
    world.io.script.push_back(Reply {
        error: Some(ErrorCode::Decompression),
        ..Reply::status(404)
    });
    world.run(0).unwrap();
    assert!(!world.log.borrow().http[0].3, "an error is never expected");
}

#[test]
fn an_exchange_that_nobody_waits_for_is_counted() {
    let hangs = Reply {
        hangs: true,
        ..Reply::default()
    };
    let mut world = World::new(vec![
        think(5, 5),
        step(get("/a")),
        step(post("/b", Body::Empty)),
    ]);
    world
        .io
        .script
        .extend([Reply::status(200), Reply::to(303, "/c"), hangs]);
    assert_eq!(world.run(0), None);
    assert!(world.vu.interrupted(&world.scenario, 500 * MS, &world.log));
    assert!(
        !world.vu.interrupted(&world.scenario, 500 * MS, &world.log),
        "only once"
    );
    let log = world.log.borrow();
    let (tags, exchange, intended, expected) = log.http.last().unwrap();
    assert_eq!(log.http.len(), 3);
    assert_eq!(
        (tags.get("error_code"), tags.get("method")),
        (Some("interrupted"), Some("GET"))
    );
    assert_eq!(
        (
            *intended,
            exchange.timings.begin,
            exchange.timings.duration()
        ),
        (26 * MS, 26 * MS, 474 * MS)
    );
    assert!(!expected);
}

#[test]
fn nothing_is_counted_between_requests() {
    let mut world = World::new(vec![step(get("/"))]);
    world.run(0).unwrap();
    assert!(!world.vu.interrupted(&world.scenario, 500 * MS, &world.log));
}

#[test]
fn a_flow_without_requests_gives_way() {
    let mut world = World::new(vec![set("x", "${vu}")]);
    world.io.clock.set(9 * MS);
    let end = world.run_late(IterationStart {
        iteration: 0,
        intended: 0,
        actual: 9 * MS,
    });
    assert_eq!(end, Some(IterationEnd::Completed { ended: 9 * MS }));
}

#[test]
fn a_waiting_iteration_is_small() {
    use crate::flow::Io;
    use crate::http::Keep;
    let mut world = World::new(vec![step(get("/${vu}")), think(1, 2)]);
    let sent = Default::default();
    let client = size_of_val(&world.io.execute(&sent, Keep::default(), Duration::ZERO));
    let timer = LateTimer(Default::default());
    let start = IterationStart {
        iteration: 0,
        intended: 0,
        actual: 0,
    };
    let whole =
        size_of_val(
            &world
                .vu
                .iterate(&world.scenario, start, &mut world.io, &timer, &world.log),
        );
    assert!(
        whole < client + 1024,
        "{whole} bytes, of which the client has {client}"
    );
}

#[test]
fn a_variable_may_be_made_of_itself() {
    let ask = get("/${a}${b}");
    let mut world = World::new(vec![
        set("a", "1"),
        set("a", "${a}2"),
        step(ask),
        set("b", "x"),
    ]);
    for _ in 0..2 {
        world.run(0).unwrap();
    }
    assert!(
        world
            .io
            .sent
            .iter()
            .all(|request| request.path_and_query == "/base/12")
    );
}

proptest! {
    #[test]
    fn each_exchange_is_a_sample_and_time_never_runs_back(
        script in proptest::collection::vec((0u16..6, any::<bool>()), 0..30),
        steps in proptest::collection::vec(0u8..4, 1..8),
    ) {
        let flow = steps.iter().map(|kind| match kind {
            0 => step(get("/a")),
            1 => step(post("/${vu}", Body::Text(t("x")))),
            2 => think(1, 9),
            _ => Step::Group { name: "g".into(), steps: vec![step(get("${missing}")), set("missing", "/")] },
        }).collect();
        let replies = script.iter().map(|&(kind, lost)| Reply {
            error: lost.then_some(ErrorCode::ConnectionReset),
            ..Reply::to([200, 302, 303, 307, 404, 500][kind as usize], "/r")
        });
        let mut world = World::new(flow).replies(replies);
        let end = world.run(0);
        let completed = matches!(end, Some(IterationEnd::Completed { .. }));
        prop_assert!(completed);
        let log = world.log.borrow();
        prop_assert_eq!(log.http.len(), world.io.sent.len());
        for pair in log.http.windows(2) {
            prop_assert!(pair[0].1.timings.end <= pair[1].2, "intended when the one before had ended");
            prop_assert!(pair[1].2 <= pair[1].1.timings.begin, "and never sent before");
        }
    }
}
