//! What is sent: URLs, headers, bodies.

mod bodies;

use super::support::*;
use crate::exchange::ErrorCode;
use crate::flow::{Files, Problem};
use bodies::parts;
use floodgate_core::definition::*;
use floodgate_core::template::Template;
use proptest::prelude::*;
use serde_json::json;

fn target_of(step: RequestStep) -> String {
    url_of(&sent(step))
}

fn problem(step: RequestStep) -> Problem {
    let flow = definition(vec![Step::Request(Box::new(step))]);
    World::of(&flow, 0, &Files::default())
        .err()
        .unwrap()
        .problem
}

/// The URL that `${x}` in a URL makes of a value, or the error that is recorded.
fn with_value(url: &str, value: &str) -> Result<String, ErrorCode> {
    let mut world = World::new(vec![set_literal("x", value), step(get(url))]);
    world.run(0).unwrap();
    match world.io.sent.first() {
        Some(request) => Ok(url_of(request)),
        None => Err(world.log.borrow().http[0].1.error.unwrap()),
    }
}

#[test]
fn urls_are_joined_to_the_target() {
    for (url, expected) in [
        (
            "/a/../b?q=%20#top",
            "http://target.example:8080/base/a/../b?q=%20",
        ),
        ("a b/ü", "http://target.example:8080/base/a%20b/%C3%BC"),
        ("", "http://target.example:8080/base"),
        ("?q", "http://target.example:8080/base?q"),
        ("HTTPS://Other.Example", "https://other.example/"),
        (
            "http://bücher.example:80?x",
            "http://xn--bcher-kva.example/?x",
        ),
        ("http://[::1]:81/x", "http://[::1]:81/x"),
        (
            "/u/${vu}/${iteration}?s=${scenario}&t=${task}",
            "http://target.example:8080/base/u/7/41?s=browse&t=3",
        ),
    ] {
        assert_eq!(target_of(get(url)), expected);
    }
}

#[test]
fn parameters_come_behind_the_query() {
    let params = pairs(&[("a b", "1&2"), ("n", "${iteration}")]);
    let base = "http://target.example:8080/base";
    for (url, expected) in [
        ("/x", "/x?"),
        ("/x?", "/x?"),
        ("/x?y", "/x?y&"),
        ("/x?y&", "/x?y&"),
        ("/x?y=${vu}", "/x?y=7&"),
    ] {
        let step = RequestStep {
            params: params.clone(),
            ..get(url)
        };
        assert_eq!(target_of(step), format!("{base}{expected}a%20b=1%262&n=41"));
    }
}

#[test]
fn a_value_is_what_its_place_makes_it() {
    let base = "http://target.example:8080/base";
    assert_eq!(
        with_value("/p/${x}/y?q=${x}", "a/b c?&"),
        Ok(format!("{base}/p/a%2Fb%20c%3F&/y?q=a%2Fb%20c%3F%26"))
    );
    assert_eq!(
        with_value("${x}", "/next?page=2"),
        Ok(format!("{base}/next?page=2"))
    );
    assert_eq!(
        with_value("${x}", "https://b.example/z z"),
        Ok("https://b.example/z%20z".into())
    );
    assert_eq!(
        with_value("https://${x}.example/q", "c"),
        Ok("https://c.example/q".into())
    );
    assert_eq!(
        with_value("https://${x}", "u:p@c.example"),
        Err(ErrorCode::BadUrl)
    );
    assert_eq!(with_value("https://${x}/", "a b"), Err(ErrorCode::BadUrl));
    assert_eq!(
        with_value("http://h:${x}/", "99999"),
        Err(ErrorCode::BadUrl)
    );
}

#[test]
fn bad_steps_are_refused_with_their_place() {
    let bad_url = |problem: Problem| matches!(problem, Problem::BadUrl(_));
    assert!(bad_url(problem(get("http://"))));
    assert!(bad_url(problem(get("http://h:99999/"))));
    assert_eq!(
        problem(get("/${nobody}")),
        Problem::UnknownVariable("nobody".into())
    );
    assert_eq!(
        problem(get("/${data.id}")),
        Problem::UnknownSource("data".into())
    );
    assert_eq!(
        problem(get("/${randomInt(6,1)}")),
        Problem::EmptyRange(6, 1)
    );
    assert_eq!(
        problem(RequestStep {
            method: "GE T".into(),
            ..get("/")
        }),
        Problem::NotAToken("GE T".into(), "method")
    );
    let with = |name: &str, value: &str| RequestStep {
        headers: vec![(name.into(), Template::literal(value))],
        ..get("/")
    };
    assert_eq!(
        problem(with("a:b", "1")),
        Problem::NotAToken("a:b".into(), "header name")
    );
    assert_eq!(
        problem(with("a", "1\r\nb: 2")),
        Problem::BadHeaderValue("a".into())
    );
    let file = Body::File {
        path: "x.bin".into(),
        content_type: None,
    };
    assert_eq!(
        problem(post("/", file)),
        Problem::MissingFile("x.bin".into())
    );

    let mut alone = definition(vec![step(get("/x"))]);
    alone.target = None;
    let error = World::of(&alone, 0, &Files::default()).err().unwrap();
    assert_eq!(
        error.to_string(),
        "scenario `browse`, step `/x`: url `/x` is relative and the definition has no target; set `target` or write an absolute URL"
    );
}

fn headers_of(scenario: HttpOptions, step: RequestStep) -> crate::flow::Request {
    let mut definition = definition(vec![Step::Request(Box::new(step))]);
    definition.scenarios[0].http = scenario;
    World::of(&definition, 0, &Files::default()).unwrap().one()
}

#[test]
fn step_headers_go_over_those_of_the_scenario() {
    let scenario = HttpOptions {
        headers: pairs(&[("X-A", "1"), ("x-b", "2"), ("accept", "text/html")]),
        accept_encoding: vec!["gzip".into(), "br".into()],
        ..HttpOptions::default()
    };
    let step = RequestStep {
        headers: pairs(&[("X-B", "3"), ("X-B", "${iteration}"), ("HOST", "virtual")]),
        ..get("/")
    };
    let request = headers_of(scenario, step);
    assert_eq!(header(&request, "x-a"), ["1"]);
    assert_eq!(header(&request, "x-b"), ["3", "41"]);
    assert_eq!(header(&request, "accept"), ["text/html"]);
    assert_eq!(header(&request, "accept-encoding"), ["gzip, br"]);
    assert_eq!(
        header(&request, "user-agent"),
        [concat!("floodgate/", env!("CARGO_PKG_VERSION"))]
    );
    assert_eq!(
        (&*request.authority, request.origin.host.as_str()),
        ("virtual", "target.example")
    );
    assert!(header(&request, "host").is_empty());
    let plain = sent(get("/"));
    assert_eq!(
        (header(&plain, "accept"), &*plain.authority),
        (vec!["*/*"], "target.example:8080")
    );
    assert!(
        header(&plain, "accept-encoding").is_empty() && header(&plain, "content-type").is_empty()
    );
}

#[test]
fn the_nearest_credentials_win() {
    let bearer = |token: &str| Some(Auth::Bearer(t(token)));
    let basic = Some(Auth::Basic {
        username: t("Aladdin"),
        password: t("open sesame"),
    });
    let in_scenario = HttpOptions {
        auth: bearer("s"),
        ..HttpOptions::default()
    };
    let as_header = HttpOptions {
        headers: pairs(&[("authorization", "h")]),
        ..in_scenario.clone()
    };
    let own = RequestStep {
        auth: basic,
        ..get("/")
    };
    let both = RequestStep {
        headers: pairs(&[("Authorization", "x")]),
        ..own.clone()
    };
    let filled_in = RequestStep {
        auth: bearer("${vu}"),
        ..get("/")
    };
    let in_url = get("http://al%40x:p+w@h/");
    for (scenario, step, expected) in [
        (&in_scenario, get("/"), "Bearer s"),
        (&as_header, get("/"), "h"),
        (&as_header, own, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
        (&as_header, both, "x"),
        (&in_scenario, filled_in, "Bearer 7"),
        (&HttpOptions::default(), in_url, "Basic YWxAeDpwK3c="),
    ] {
        assert_eq!(
            header(&headers_of(scenario.clone(), step), "authorization"),
            [expected]
        );
    }
}

#[test]
fn a_client_that_does_not_persist_says_so() {
    let of = |keep_alive, headers: &[(&str, &str)]| {
        let scenario = HttpOptions {
            keep_alive,
            ..HttpOptions::default()
        };
        let step = RequestStep {
            headers: pairs(headers),
            ..get("/")
        };
        header(&headers_of(scenario, step), "connection").join("|")
    };
    assert_eq!(of(true, &[]), "");
    assert_eq!(of(false, &[]), "close");
    assert_eq!(of(false, &[("connection", "te, close")]), "te, close");
}

#[test]
fn a_value_cannot_add_a_header() {
    let ask = RequestStep {
        headers: pairs(&[("X-A", "${x}")]),
        checks: vec![],
        ..get("/")
    };
    let mut world = World::new(vec![
        set_literal("x", "1\r\nX-B: 2"),
        step(ask),
        step(get("/after")),
    ]);
    world.run(0).unwrap();
    let log = world.log.borrow();
    assert_eq!(log.http[0].1.error, Some(ErrorCode::BadHeader));
    assert_eq!(
        (log.http[0].0.get("error_code"), log.http[0].0.get("status")),
        (Some("bad_header"), Some("0"))
    );
    assert!(!log.http[0].3, "it is not an expected response");
    assert_eq!(world.io.sent.len(), 1, "the next step goes on");
}

fn with_files(list: &[(&str, &[u8])], definition: &Definition) -> Files {
    let dir = tempfile::tempdir().unwrap();
    for (name, content) in list {
        std::fs::write(dir.path().join(name), content).unwrap();
    }
    Files::load(definition, dir.path()).unwrap()
}

proptest! {
    #[test]
    fn any_value_leaves_every_body_well_formed(value in ".{0,40}") {
        let json = JsonTemplate::Array(vec![JsonTemplate::String(t("${x}")), JsonTemplate::String(t("<${x}>"))]);
        let part = Part { name: "x".into(), content: PartContent::Text(t("${x}")), content_type: None };
        let mut world = World::new(vec![
            set_literal("x", &value),
            step(post("/", Body::Json(json))),
            step(post("/", Body::Form(pairs(&[("a b", "${x}"), ("c", "<${x}>")])))),
            step(post("/", Body::Multipart(vec![part]))),
        ]);
        world.run(0).unwrap();
        let [json, form, multipart] = world.io.sent.as_slice() else { panic!("three requests") };
        let json: serde_json::Value = serde_json::from_slice(&json.body).unwrap();
        prop_assert!(json[0].is_number() || json[0].as_str() == Some(value.as_str()));
        let within = format!("<{value}>");
        prop_assert_eq!(json[1].as_str(), Some(within.as_str()));
        let form: Vec<_> = url::form_urlencoded::parse(&form.body).into_owned().collect();
        prop_assert_eq!(form, vec![("a b".to_owned(), value.clone()), ("c".to_owned(), format!("<{value}>"))]);
        let boundary = header(multipart, "content-type")[0].rsplit_once('=').unwrap().1;
        prop_assert_eq!(&parts(&multipart.body, boundary)[0].2, value.as_bytes());
    }

    #[test]
    fn any_value_stays_in_its_place_of_a_url(value in ".{1,40}") {
        let text = with_value("/a/${x}/b?q=${x}&r=1", &value).unwrap();
        prop_assert!(text.bytes().all(|b| b.is_ascii_graphic()));
        prop_assert_eq!(text.matches('/').count(), 6);
        let url = url::Url::parse(&text).unwrap();
        let pairs: Vec<_> = url.query_pairs().into_owned().collect();
        prop_assert_eq!(pairs, vec![("q".to_owned(), value), ("r".to_owned(), "1".to_owned())]);
    }

    #[test]
    fn a_url_made_of_a_value_is_valid_or_an_error(value in ".{0,40}") {
        if let Ok(text) = with_value("${x}", &value) {
            prop_assert!(text.bytes().all(|b| b.is_ascii_graphic()), "{}", text);
            prop_assert!(url::Url::parse(&text).is_ok());
        }
    }
}
