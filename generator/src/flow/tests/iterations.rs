//! The course of an iteration: times, tags, redirects, data, interruptions.

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
fn redirects_are_requests_of_their_own() {
    let checks = vec![
        check(
            "status",
            Subject::Status,
            Test::Number(Comparison::Eq, 201.0),
        ),
        check(
            "time",
            Subject::ResponseTime,
            Test::Number(Comparison::Eq, 30_000.0),
        ),
    ];
    for status in [301, 302, 303, 307, 308] {
        let login = RequestStep {
            name: "login".into(),
            checks: checks.clone(),
            expected_statuses: vec![(201, 201)],
            ..post("/login", Body::Text(t("u=${vu}")))
        };
        let mut world = World::new(vec![step(login), step(get("/next"))]);
        world.io.script.extend([
            Reply::to(status, "/a"),
            Reply::to(status, "http://b.example/b"),
            Reply::status(201),
        ]);
        world.run(0).unwrap();
        let repeated = status > 303;
        let sent: Vec<_> = world
            .io
            .sent
            .iter()
            .map(|r| (&*r.method, url_of(r), r.body.len()))
            .collect();
        let (method, length) = if repeated { ("POST", 3) } else { ("GET", 0) };
        assert_eq!(
            sent[1],
            (method, "http://target.example:8080/a".to_owned(), length)
        );
        assert_eq!(sent[2], (method, "http://b.example/b".to_owned(), length));
        assert_eq!(sent[3].1, "http://target.example:8080/base/next");
        assert_eq!(intended(&world), [0, 10, 20, 30]);
        let log = world.log.borrow();
        let seen: Vec<_> = log.http[..3]
            .iter()
            .map(|(tags, _, _, expected)| {
                (
                    tags.get("name").unwrap(),
                    tags.get("method").unwrap(),
                    *expected,
                )
            })
            .collect();
        assert_eq!(
            seen,
            [
                ("login", "POST", true),
                ("login", method, true),
                ("login", method, true)
            ]
        );
        assert_eq!(
            log.outcomes(),
            [("status", true), ("time", true)],
            "checks are about the last response"
        );
    }
}

#[test]
fn cookies_go_where_they_came_from() {
    let own = RequestStep {
        headers: pairs(&[("cookie", "own=1")]),
        ..get("/${vu}")
    };
    let flow = vec![
        step(get("/login")),
        step(get("/a")),
        step(own),
        step(get("http://b.example/")),
    ];
    let mut world = World::new(flow);
    for _ in 0..2 {
        let login = Reply {
            cookies: vec![("sid", "abc")],
            ..Reply::to(302, "/home")
        };
        world.io.script.extend([login, Reply::status(200)]);
        world.run(0).unwrap();
        let cookies: Vec<_> = world
            .io
            .sent
            .drain(..)
            .map(|r| header(&r, "cookie").join("|"))
            .collect();
        assert_eq!(cookies, ["", "sid=abc", "sid=abc", "own=1; sid=abc", ""]);
    }
}

/// A login sets its session in the redirect, and the page behind it does not.
#[test]
fn cookies_of_redirects_can_be_extracted() {
    let login = RequestStep {
        extract: vec![
            ("sid".to_owned(), Extractor::Cookie("sid".into())),
            ("last".to_owned(), Extractor::Cookie("last".into())),
        ],
        checks: vec![check(
            "set",
            Subject::Cookie("sid".into()),
            Test::Exists { negated: false },
        )],
        ..get("/login")
    };
    let unset = RequestStep {
        checks: vec![check(
            "unset",
            Subject::Cookie("sid".into()),
            Test::Exists { negated: false },
        )],
        ..get("/${sid}/${last}")
    };
    let mut world = World::new(vec![step(login), step(unset)]).replies(vec![
        Reply {
            cookies: vec![("sid", "first"), ("last", "1")],
            ..Reply::to(302, "/a")
        },
        Reply {
            cookies: vec![("sid", "abc")],
            ..Reply::to(302, "/b")
        },
        Reply {
            cookies: vec![("last", "3")],
            ..Reply::status(200)
        },
    ]);
    world.run(0).unwrap();
    assert!(url_of(&world.io.sent[3]).ends_with("/abc/3"));
    let log = world.log.borrow();
    assert_eq!(log.outcomes(), [("set", true), ("unset", false)]);
}

#[test]
fn redirects_end() {
    let run = |max_redirects: Option<u32>, replies: Vec<Reply>| {
        let mut world = World::new(vec![step(RequestStep {
            max_redirects,
            ..get("/")
        })])
        .replies(replies);
        world.run(0).unwrap();
        let log = world.log.borrow();
        log.http
            .iter()
            .map(|(_, e, _, expected)| (e.status, e.error, *expected))
            .collect::<Vec<_>>()
    };
    let around = || vec![Reply::to(302, "/"); 20];
    let looped = run(Some(3), around());
    assert_eq!(looped.len(), 4);
    assert_eq!(looped[3], (302, Some(ErrorCode::TooManyRedirects), false));
    assert!(
        looped.iter().all(|(_, _, expected)| !expected),
        "{looped:?}"
    );
    let astray = run(None, vec![Reply::to(302, "/a"), Reply::status(500)]);
    assert_eq!(astray, [(302, None, false), (500, None, false)]);
    assert_eq!(run(None, around()).len(), 11, "ten by default");
    assert_eq!(
        run(Some(0), around()),
        [(302, None, true)],
        "none wanted: a response like any other"
    );
    assert_eq!(
        run(None, vec![Reply::status(302)]),
        [(302, None, true)],
        "no location"
    );
    for empty in ["", " "] {
        assert_eq!(
            run(None, vec![Reply::to(302, empty)]),
            [(302, None, true)],
            "an empty location"
        );
    }
    assert_eq!(
        run(None, vec![Reply::to(304, "/")]),
        [(304, None, true)],
        "not a redirect"
    );
    assert_eq!(
        run(None, vec![Reply::to(302, "ftp://x/")]),
        [(302, Some(ErrorCode::BadUrl), false)]
    );
    let lost = Reply {
        error: Some(ErrorCode::ConnectionReset),
        ..Reply::default()
    };
    assert_eq!(
        run(None, vec![Reply::to(302, "/"), lost]),
        [
            (302, None, false),
            (0, Some(ErrorCode::ConnectionReset), false)
        ]
    );
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

fn with_data(mode: DataMode, rows: usize, scenarios: usize) -> (Definition, Files) {
    let mut definition = definition(Vec::new());
    let flow = vec![step(get("/${data.id}")), step(get("/${data.id}"))];
    definition.scenarios = (0..scenarios)
        .map(|n| scenario(&format!("s{n}"), flow.clone()))
        .collect();
    // One that reads nothing takes no rows.
    definition
        .scenarios
        .insert(0, scenario("idle", vec![step(get("/"))]));
    definition.data.push(DataSource {
        name: "data".into(),
        file: "ids.csv".into(),
        format: DataFormat::Csv { delimiter: b',' },
        mode,
    });
    let dir = tempfile::tempdir().unwrap();
    let lines: Vec<_> = (0..rows).map(|n| format!("x,{n}\n")).collect();
    std::fs::write(
        dir.path().join("ids.csv"),
        format!("other,id\n{}", lines.concat()),
    )
    .unwrap();
    let files = Files::load(&definition, dir.path()).unwrap();
    assert_eq!(
        files.tables()[0].columns(),
        ["id"],
        "only what is used is kept"
    );
    (definition, files)
}

#[test]
fn unique_rows_are_used_once_over_scenarios_and_iterations() {
    let (definition, files) = with_data(DataMode::Unique, 10, 3);
    let mut used = Vec::new();
    for index in 1..4 {
        let mut world = World::of(&definition, index, &files).unwrap();
        // As two tasks do that share the iterations.
        for iteration in [0, 2, 4, 6, 1, 3, 5] {
            match world.run(iteration).unwrap() {
                IterationEnd::Completed { .. } => {
                    let paths: Vec<_> = world.io.sent.drain(..).map(|r| r.path_and_query).collect();
                    assert_eq!(paths[0], paths[1], "one row an iteration");
                    used.push(paths[0].clone());
                }
                IterationEnd::Failed { .. } => panic!("nothing is extracted"),
                IterationEnd::DataExhausted => {
                    assert!(world.io.sent.is_empty(), "nothing was sent");
                }
            }
        }
    }
    assert_eq!(used.iter().collect::<HashSet<_>>().len(), 10);
    assert_eq!(used.len(), 10);
}

#[test]
fn other_modes_never_run_out() {
    for mode in [DataMode::Sequential, DataMode::Random] {
        let (definition, files) = with_data(mode, 3, 2);
        let run = |iterations: std::ops::Range<u64>| {
            let mut world = World::of(&definition, 2, &files).unwrap();
            for iteration in iterations {
                assert!(matches!(
                    world.run(iteration),
                    Some(IterationEnd::Completed { .. })
                ));
            }
            world
                .io
                .sent
                .into_iter()
                .step_by(2)
                .map(|r| r.path_and_query)
                .collect::<Vec<_>>()
        };
        let whole = run(0..40);
        assert_eq!(whole.iter().collect::<HashSet<_>>().len(), 3);
        assert_eq!(
            [run(0..13), run(13..40)].concat(),
            whole,
            "split over tasks it is the same"
        );
        if mode == DataMode::Sequential {
            assert_eq!(whole[..4], ["/base/0", "/base/1", "/base/2", "/base/0"]);
        }
    }
}

#[test]
fn a_column_that_is_not_there_is_named() {
    let (mut definition, files) = with_data(DataMode::Random, 3, 1);
    definition.scenarios[1].flow.push(step(get("/${data.idd}")));
    let error = World::of(&definition, 1, &files).err().unwrap().to_string();
    assert_eq!(
        error,
        "scenario `s0`, step `/${data.idd}`: data source `data` has no column `idd`; it has id"
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
