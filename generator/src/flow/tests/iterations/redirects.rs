//! Redirects, and the cookies that come with them.

use super::*;

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
