//! The steps of a flow.

use super::grammar::{CHECKS, EXPECT, EXTRACTOR, FILE, METHOD, THINK_TIME};
use super::http::STEP_OPTIONS;
use super::names::{FIELD, VARIABLE};
use super::{HEADERS, ONE_OR_MORE, TAGS, TEMPLATE, TEXT};
use crate::definition::shape::{Key, Shape, Table};

/// The keys that begin a request.
const METHODS: [&str; 8] = [
    "get", "post", "put", "patch", "delete", "head", "options", "request",
];

pub(super) static FLOW: Shape = Shape::List { of: &STEP, min: 1 };
static STEP: Shape = Shape::Leading(&[&REQUEST, &THINK, &GROUP, &SET]);
static LINE: Shape = Shape::Object(&REQUEST_LINE);
static PARAMS: Shape = Shape::Map {
    keys: FIELD,
    of: &ONE_OR_MORE,
    min: 0,
};
static ANY: Shape = Shape::Any;
static FILE_BODY: Shape = Shape::Either(&[
    Shape::Grammar(super::grammar::FILE_GRAMMAR),
    Shape::Object(&BODY_FILE),
]);
static PARTS: Shape = Shape::List {
    of: &PART_SHAPE,
    min: 1,
};
static PART_SHAPE: Shape = Shape::Object(&PART);
static EXTRACT: Shape = Shape::Map {
    keys: VARIABLE,
    of: &EXTRACTOR,
    min: 0,
};
static ON_MISSING: Shape = Shape::Choice(&["end", "continue"]);
static ASSIGNMENTS: Shape = Shape::Map {
    keys: VARIABLE,
    of: &TEMPLATE,
    min: 1,
};

/// A request.
pub(super) static REQUEST: Table = Table {
    name: "request",
    about: "An HTTP request.",
    keys: &[
        &[
            Key::new("get", &TEMPLATE, "GET this URL, or path of the target."),
            Key::new("post", &TEMPLATE, "POST to this URL."),
            Key::new("put", &TEMPLATE, "PUT to this URL."),
            Key::new("patch", &TEMPLATE, "PATCH this URL."),
            Key::new("delete", &TEMPLATE, "DELETE this URL."),
            Key::new("head", &TEMPLATE, "HEAD of this URL."),
            Key::new("options", &TEMPLATE, "OPTIONS of this URL."),
            Key::new("request", &LINE, "Another method."),
            Key::new(
                "name",
                &TEXT,
                "The tag name; the URL as it is written unless given.",
            ),
            Key::new("params", &PARAMS, "Query parameters, encoded when sent."),
            Key::new("headers", &HEADERS, "Headers on top of the scenario's."),
            Key::new("body", &TEMPLATE, "The body as text."),
            Key::new(
                "json",
                &ANY,
                "The body as JSON; templates may stand in its strings.",
            ),
            Key::new(
                "form",
                &PARAMS,
                "The body as application/x-www-form-urlencoded.",
            ),
            Key::new("file", &FILE_BODY, "The body from a file."),
            Key::new("multipart", &PARTS, "The body as multipart/form-data."),
        ],
        STEP_OPTIONS,
        &[
            Key::new(
                "expect",
                &EXPECT,
                "Which statuses are no failure; 200..399 unless given.",
            ),
            Key::new("tags", &TAGS, "Further tags of the request's samples."),
            Key::new("checks", &CHECKS, "What must hold of the response."),
            Key::new(
                "extract",
                &EXTRACT,
                "Variables to take out of the response, for later steps.",
            ),
            Key::new(
                "onMissing",
                &ON_MISSING,
                "What follows where there is nothing to extract: the end of the iteration, or the next step with an empty variable.",
            )
            .default("\"end\""),
        ],
    ],
    one_of: &METHODS,
    at_most_one: &["body", "json", "form", "file", "multipart"],
    foreign: &[
        (
            "url",
            "the URL stands behind the method, as in get: /path; for other methods write request: {method, url}",
        ),
        (
            "method",
            "write the method as the key, as in get: /path; for other methods request: {method, url}",
        ),
        ("query", "write params"),
        ("assert", "write checks"),
        ("think", "a think time is a step of its own"),
        ("sleep", "a think time is a step of its own: think: 1s"),
        ("pause", "a think time is a step of its own: think: 1s"),
        ("wait", "a think time is a step of its own: think: 1s"),
        ("capture", "write extract"),
        ("validate", "write checks"),
        (
            "loop",
            "there are no loops: write the steps, or give the scenario more iterations",
        ),
        (
            "function",
            "there are no functions to call; a script of k6, JMeter or Gatling has them",
        ),
        ("log", "a flow writes no logs"),
    ],
};

/// `request:`.
pub(super) static REQUEST_LINE: Table = Table {
    name: "request-line",
    about: "A method and a URL.",
    keys: &[&[
        Key::new("method", &METHOD, "The method.").required(),
        Key::new("url", &TEMPLATE, "The URL, or a path of the target.").required(),
    ]],
    one_of: &[],
    at_most_one: &[],
    foreign: &[],
};

/// `file:` as a map.
pub(super) static BODY_FILE: Table = Table {
    name: "body-file",
    about: "A file as a body.",
    keys: &[&[
        Key::new("path", &FILE, "The file.").required(),
        Key::new("contentType", &TEXT, "The Content-Type.").default("\"application/octet-stream\""),
    ]],
    one_of: &[],
    at_most_one: &[],
    foreign: &[],
};

/// `multipart[n]`.
pub(super) static PART: Table = Table {
    name: "part",
    about: "A part of a multipart body: a value or a file.",
    keys: &[&[
        Key::new("name", &TEXT, "The field.").required(),
        Key::new("value", &TEMPLATE, "Its value."),
        Key::new("file", &FILE, "Its file."),
        Key::new(
            "fileName",
            &TEXT,
            "The name that is sent; the file's own unless given.",
        ),
        Key::new("contentType", &TEXT, "The part's Content-Type."),
    ]],
    one_of: &["value", "file"],
    at_most_one: &["value", "fileName"],
    foreign: &[],
};

/// `think:`.
pub(super) static THINK: Table = Table {
    name: "think",
    about: "A pause, fixed or evenly distributed between two times.",
    keys: &[&[Key::new("think", &THINK_TIME, "How long.")]],
    one_of: &["think"],
    at_most_one: &[],
    foreign: &[],
};

/// `group:`.
pub(super) static GROUP: Table = Table {
    name: "group",
    about: "Steps under the tag group.",
    keys: &[&[
        Key::new(
            "group",
            &GROUP_NAME,
            "The group's name; nested ones join with ::.",
        ),
        Key::new("steps", &FLOW, "Its steps.").required(),
    ]],
    one_of: &["group"],
    at_most_one: &[],
    foreign: &[("flow", "write steps")],
};

static GROUP_NAME: Shape = Shape::Text(crate::definition::shape::Text {
    template: false,
    names: Some(super::names::GROUP),
    max: 256,
});

/// `set:`.
pub(super) static SET: Table = Table {
    name: "set",
    about: "Variables of the iteration.",
    keys: &[&[Key::new("set", &ASSIGNMENTS, "Names and what they become.")]],
    one_of: &["set"],
    at_most_one: &[],
    foreign: &[],
};
