//! Challenges of HTTP Digest: who is asked when, what is answered, and how it is counted.

use super::support::*;
use crate::flow::Request;
use floodgate_core::definition::{Auth, HttpOptions, RequestStep};

fn challenge(parameters: &str) -> Reply {
    Reply {
        headers: vec![
            ("WWW-Authenticate", "Negotiate".to_owned()),
            (
                "WWW-Authenticate",
                format!("Digest realm=\"r\", qop=\"auth\", {parameters}"),
            ),
        ],
        ..Reply::status(401)
    }
}

fn ask(url: &str) -> RequestStep {
    RequestStep {
        auth: Some(Auth::Digest {
            username: t("ada"),
            password: t("${vu}"),
        }),
        ..get(url)
    }
}

/// Statuses and whether they were expected.
fn seen(world: &World) -> Vec<(u16, bool)> {
    let log = world.log.borrow();
    log.http
        .iter()
        .map(|(_, e, _, expected)| (e.status, *expected))
        .collect()
}

fn answers(world: &World) -> Vec<String> {
    let of = |request: &Request| header(request, "authorization").join("|");
    world.io.sent.iter().map(of).collect()
}

fn has(answer: &str, parameters: &[&str]) -> bool {
    answer.starts_with("Digest ") && parameters.iter().all(|p| answer.contains(p))
}

#[test]
fn a_challenge_is_answered_and_the_nonce_used_again() {
    let mut world =
        World::new(vec![step(ask("/a?b=c")), step(ask("/d"))]).replies([challenge("nonce=\"n\"")]);
    world.run(0).unwrap();
    world.run(1).unwrap();
    assert_eq!(
        seen(&world),
        [
            (401, true),
            (200, true),
            (200, true),
            (200, true),
            (200, true)
        ]
    );
    let answers = answers(&world);
    assert_eq!(answers[0], "");
    for (answer, (uri, count)) in
        answers[1..]
            .iter()
            .zip([("/a?b=c", 1), ("/d", 2), ("/a?b=c", 3), ("/d", 4)])
    {
        let count = format!("nc={count:08x}");
        assert!(
            has(answer, &["username=\"ada\"", "nonce=\"n\"", uri, &count]),
            "{answer}"
        );
    }
    // each has its own time, one after the other
    let log = world.log.borrow();
    assert_eq!(log.http[1].2, log.http[0].1.timings.end);
}

#[test]
fn wrong_credentials_are_a_failure_throughout() {
    let mut world =
        World::new(vec![step(ask("/"))]).replies([challenge("nonce=a"), challenge("nonce=b")]);
    world.run(0).unwrap();
    assert_eq!(seen(&world), [(401, false), (401, false)]);
    // what failed is not sent again unasked
    world.io.script.extend([challenge("nonce=c")]);
    world.run(1).unwrap();
    assert_eq!(answers(&world)[2], "");
    assert_eq!(seen(&world)[2..], [(401, true), (200, true)]);
}

#[test]
fn a_nonce_that_is_too_old_is_replaced() {
    let mut world = World::new(vec![step(ask("/"))]).replies([
        challenge("nonce=a"),
        Reply::status(200),
        challenge("nonce=b, stale=true"),
        Reply::status(200),
        // a target that says nothing of it, and one that says it twice
        challenge("nonce=c"),
        challenge("nonce=d, stale=true"),
        Reply::status(200),
        // without end
        challenge("nonce=e, stale=true"),
        challenge("nonce=f, stale=true"),
        challenge("nonce=g, stale=true"),
    ]);
    (0..4).for_each(|n| assert!(world.run(n).is_some()));
    let fine = [(401, true), (200, true)];
    let mut all = [fine, fine].concat();
    all.extend([(401, true), (401, true), (200, true)]);
    all.extend([(401, false), (401, false), (401, false)]);
    assert_eq!(seen(&world), all);
    let answers = answers(&world);
    assert!(
        has(&answers[2], &["nonce=\"a\"", "nc=00000002"]),
        "{answers:?}"
    );
    assert!(
        has(&answers[3], &["nonce=\"b\"", "nc=00000001"]),
        "{answers:?}"
    );
}

#[test]
fn the_target_may_give_the_next_nonce() {
    let told = Reply {
        headers: vec![(
            "Authentication-Info",
            "rspauth=\"x\", nextnonce=\"m\"".to_owned(),
        )],
        ..Reply::status(200)
    };
    let mut world =
        World::new(vec![step(ask("/")), step(ask("/"))]).replies([challenge("nonce=n"), told]);
    world.run(0).unwrap();
    assert!(has(&answers(&world)[2], &["nonce=\"m\"", "nc=00000001"]));
}

#[test]
fn nobody_is_answered_who_does_not_ask_or_may_not() {
    let run = |step_of: RequestStep, script: Vec<Reply>| {
        let mut world = World::new(vec![step(step_of)]).replies(script);
        world.run(0).unwrap();
        (seen(&world), answers(&world))
    };
    assert_eq!(run(ask("/"), vec![Reply::status(401)]).0, [(401, false)]);
    assert_eq!(run(get("/"), vec![challenge("nonce=n")]).0, [(401, false)]);
    let by_header = RequestStep {
        headers: pairs(&[("Authorization", "x")]),
        ..ask("/")
    };
    assert_eq!(run(by_header, vec![challenge("nonce=n")]).1, ["x"]);
    // where a redirect leads on the same host the answer goes along, made anew; to another host nothing does
    let script = |to: &str| {
        vec![
            challenge("nonce=n"),
            Reply::to(302, to),
            challenge("nonce=n"),
        ]
    };
    let (statuses, sent) = run(ask("/"), script("/d")[..2].to_vec());
    assert_eq!(statuses, [(401, true), (302, true), (200, true)]);
    assert!(has(&sent[2], &["uri=\"/d\"", "nc=00000002"]), "{sent:?}");
    let (statuses, sent) = run(ask("/"), script("http://elsewhere.test/"));
    assert_eq!(statuses, [(401, false), (302, false), (401, false)]);
    assert_eq!(sent[2], "");
}

#[test]
fn what_was_asked_ends_with_the_iteration_where_connections_do() {
    let mut definition = definition(vec![step(ask("/"))]);
    definition.scenarios[0].http = HttpOptions {
        reuse_across_iterations: false,
        ..HttpOptions::default()
    };
    let files = crate::flow::Files::default();
    let mut world = World::of(&definition, 0, &files)
        .unwrap()
        .replies([challenge("nonce=n")]);
    world.run(0).unwrap();
    world.run(1).unwrap();
    assert_eq!(answers(&world)[2], "");
}

#[test]
fn a_challenge_whose_answer_is_cut_off_is_counted() {
    let hangs = Reply {
        hangs: true,
        ..Reply::default()
    };
    let mut world = World::new(vec![step(ask("/"))]).replies([challenge("nonce=n"), hangs]);
    assert_eq!(world.run(0), None);
    assert!(seen(&world).is_empty());
    assert!(world.vu.interrupted(&world.scenario, 50 * MS, &world.log));
    assert_eq!(seen(&world), [(401, true), (0, false)]);
}
