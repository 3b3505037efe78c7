//! Loops, conditions and choices in an iteration.

use super::support::*;
use crate::flow::IterationEnd;
use floodgate_core::check::Check;
use floodgate_core::definition::*;
use floodgate_core::template::Variable;
use serde_json_path::JsonPath;
use std::time::Duration;

fn paths(world: &World) -> Vec<String> {
    let sent = world.io.sent.iter();
    sent.map(|request| request.path_and_query.replace("/base", ""))
        .collect()
}

fn holds(text: &str) -> Check {
    Check::parse(text).unwrap()
}

fn is(name: &str, text: &str) -> Check {
    let like = Check::parse(&format!("$ {text}")).unwrap();
    Check {
        subject: floodgate_core::check::Subject::Value(Variable::Local(name.into())),
        ..like
    }
}

fn repeat(most: u32, condition: Option<Check>, steps: Vec<Step>) -> Step {
    Step::Repeat(Box::new(Repeat {
        most,
        condition,
        steps,
    }))
}

fn when(condition: Check, steps: Vec<Step>, otherwise: Vec<Step>) -> Step {
    Step::If(Box::new(Branch {
        condition,
        steps,
        otherwise,
    }))
}

#[test]
fn loops_nest_and_end() {
    let inner = repeat(2, None, vec![step(get("/b"))]);
    let flow = vec![
        repeat(3, None, vec![step(get("/a")), inner]),
        step(get("/c")),
    ];
    let mut world = World::new(flow);
    world.run(0).unwrap();
    let once = ["/a", "/b", "/b"];
    let expected: Vec<_> = once.iter().cycle().take(9).chain(&["/c"]).collect();
    assert_eq!(paths(&world).iter().collect::<Vec<_>>(), expected);
    // The next iteration counts its own passes.
    world.run(1).unwrap();
    assert_eq!(world.io.sent.len(), 20);
}

#[test]
fn a_loop_goes_on_while_its_condition_holds_and_no_longer_than_it_may() {
    let pending = || holds("$.state == \"pending\"");
    let poll = |most| {
        vec![
            step(get("/start")),
            repeat(most, Some(pending()), vec![step(get("/state"))]),
        ]
    };
    let wait = || Reply::body(r#"{"state":"pending"}"#);
    let done = || Reply::body(r#"{"state":"done"}"#);
    let mut world = World::new(poll(10)).replies([wait(), wait(), wait(), done()]);
    world.run(0).unwrap();
    assert_eq!(paths(&world), ["/start", "/state", "/state", "/state"]);
    let mut world = World::new(poll(2)).replies((0..9).map(|_| wait()));
    world.run(0).unwrap();
    assert_eq!(paths(&world), ["/start", "/state", "/state"]);
    // Without a body there is nothing that could hold.
    let mut world = World::new(poll(2)).replies([Reply::status(500)]);
    world.run(0).unwrap();
    assert_eq!(paths(&world), ["/start"]);
}

#[test]
fn a_condition_looks_at_the_last_response() {
    let flow = vec![
        step(get("/a")),
        when(
            holds("status == 404"),
            vec![step(get("/missing"))],
            vec![step(get("/found"))],
        ),
        when(
            holds("header:X-Next exists"),
            vec![step(get("/next"))],
            vec![],
        ),
        step(get("/end")),
    ];
    let mut world = World::new(flow).replies([
        Reply::status(404),
        Reply {
            headers: vec![("X-Next", "1".to_owned())],
            ..Reply::status(200)
        },
    ]);
    world.run(0).unwrap();
    assert_eq!(paths(&world), ["/a", "/missing", "/next", "/end"]);
    world.io.sent.clear();
    world.run(1).unwrap();
    assert_eq!(paths(&world), ["/a", "/found", "/end"]);
    // Only what a condition may look at is kept: nothing looks at the headers of the first and the last response.
    let kept: Vec<_> = world.io.kept[..4].iter().map(|keep| keep.headers).collect();
    assert_eq!(kept, [false, true, false, false]);
}

#[test]
fn a_condition_looks_at_variables() {
    for (value, test, holds) in [
        ("admin", "== \"admin\"", true),
        ("guest", "== \"admin\"", false),
        ("7", "> 5", true),
        ("abc", "> 5", false),
        ("abc", "!= 5", true),
        ("5.0", "!= 5", false),
        ("true", "== true", true),
        ("", "exists", false),
        ("x", "not exists", false),
        ("x-7", "matches /^x-[0-9]$/", true),
        ("basket", "contains \"ask\"", true),
        ("12", "in 10..20", true),
    ] {
        let flow = vec![
            set_literal("v", value),
            when(
                is("v", test),
                vec![step(get("/yes"))],
                vec![step(get("/no"))],
            ),
        ];
        let mut world = World::new(flow);
        world.run(0).unwrap();
        let expected = if holds { "/yes" } else { "/no" };
        assert_eq!(paths(&world), [expected], "{value:?} {test}");
    }
}

#[test]
fn each_node_has_a_pass_and_numbers_keep_their_digits() {
    let each = |most| {
        let each = Step::Each(Box::new(Each {
            path: JsonPath::parse("$.items[*].id").unwrap(),
            variable: "item".into(),
            most,
            steps: vec![step(get("/i/${item}"))],
        }));
        World::new(vec![step(get("/list")), each]).replies([Reply::body(
            r#"{"items":[{"id":1.10},{"id":"x y"},{"id":3},{"name":4}]}"#,
        )])
    };
    let mut world = each(100);
    world.run(0).unwrap();
    assert_eq!(paths(&world), ["/list", "/i/1.10", "/i/x%20y", "/i/3"]);
    let mut world = each(2);
    world.run(0).unwrap();
    assert_eq!(paths(&world).len(), 3);
    // The second list is not one.
    world.io.sent.clear();
    world.run(1).unwrap();
    assert_eq!(paths(&world), ["/list"]);
}

#[test]
fn a_choice_is_a_function_of_the_iterations_number() {
    let way = |weight, path| Way {
        weight,
        steps: vec![step(get(path))],
    };
    let taken = |order: &mut dyn Iterator<Item = u64>| {
        let choice = Step::Choose(vec![way(3, "/often"), way(1, "/seldom")]);
        let mut world = World::new(vec![choice]);
        let mut taken: Vec<_> = order
            .map(|iteration| {
                world.io.sent.clear();
                world.run(iteration).unwrap();
                (iteration, paths(&world))
            })
            .collect();
        taken.sort();
        taken
    };
    let forward = taken(&mut (0..2_000));
    assert_eq!(forward, taken(&mut (0..2_000).rev()));
    let often = forward.iter().filter(|(_, p)| p == &["/often"]).count();
    // Five standard deviations: 5·√(2000·0.75·0.25).
    assert!(often.abs_diff(1_500) < 97, "{often}");
}

#[test]
fn stop_ends_the_iteration_which_is_complete() {
    let flow = vec![
        repeat(5, None, vec![step(get("/a")), Step::Stop]),
        step(get("/b")),
    ];
    let mut world = World::new(flow);
    let end = world.run(0).unwrap();
    assert_eq!(paths(&world), ["/a"]);
    assert_eq!(end, IterationEnd::Completed { ended: 10 * MS });
}

#[test]
fn a_loop_without_a_request_gives_way_and_ends() {
    let flow = vec![
        repeat(20, None, vec![set("x", "${x}1")]),
        step(get("/${x}")),
    ];
    let mut world = World::new(flow);
    world.run(0).unwrap();
    assert_eq!(paths(&world), [format!("/{}", "1".repeat(20))]);
}

#[test]
fn thinking_in_a_loop_is_planned_from_step_to_step() {
    let think = Step::Think {
        min: Duration::from_millis(20),
        max: Duration::from_millis(20),
    };
    let mut world = World::new(vec![repeat(3, None, vec![step(get("/")), think])]);
    let end = world.run(0).unwrap();
    let log = world.log.borrow();
    let intended: Vec<_> = log.http.iter().map(|(_, _, at, _)| at / MS).collect();
    // Each request takes 10 ms from when the late timer woke, and thinks 20 ms.
    assert_eq!(intended, [0, 30, 61]);
    assert_eq!(end, IterationEnd::Completed { ended: 92 * MS });
}
